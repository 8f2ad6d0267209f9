//! Attack A10: a token that makes its reader panic.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde_json::json;
use support::rest::post;
use support::socket::Identity;
use support::{App, Client, Dice, World, code};

/// Text inside a signature, packed as generators do.
fn packed(inside: &[u8]) -> String {
    use std::io::Write as _;
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(inside).unwrap();
    let text = STANDARD.encode(packer.finish().unwrap());
    text.replace('+', "*").replace('/', "-").replace('=', "_")
}

/// What is packed in a signature, if anything is.
fn unpacked(signature: &str) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let text = signature.replace('*', "+").replace('-', "/").replace('_', "=");
    let bytes = engine.decode(text).ok()?;
    let mut inside = Vec::new();
    flate2::read::ZlibDecoder::new(&bytes[..]).take(64 * 1024).read_to_end(&mut inside).ok()?;
    Some(inside)
}

/// Signatures that are wrong in every way that comes to mind, and in some that come to the dice.
fn mangled(app: &App) -> Vec<String> {
    let good = app.sign("alice");
    let mut all: Vec<String> = (0..good.len()).step_by(3).map(|end| good[..end].to_owned()).collect();
    let mut dice = Dice::seeded(10);
    let alphabet = b"ABCxyz0189*-_+/=.%!~";
    for _ in 0..300 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..=dice.below(3) {
            let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
            let by = alphabet[usize::try_from(dice.below(alphabet.len() as u64)).unwrap()];
            match dice.below(3) {
                0 => bytes[at] = by,
                1 => bytes.insert(at, by),
                _ => drop(bytes.remove(at)),
            }
        }
        all.push(String::from_utf8(bytes).unwrap());
    }
    for inside in [
        "",
        "null",
        "[]",
        "{}",
        "\u{0}",
        r#"{"TLS.ver":"2.0"}"#,
        r#"{"TLS.ver":"1.0","TLS.identifier":"alice","TLS.sdkappid":1,"TLS.time":1,"TLS.expire":1,"TLS.sig":""}"#,
        r#"{"TLS.ver":"2.0","TLS.identifier":"alice","TLS.sdkappid":1,"TLS.time":1,"TLS.expire":1,"TLS.sig":""}"#,
        r#"{"TLS.ver":"2.0","TLS.identifier":"alice","TLS.sdkappid":1,"TLS.time":18446744073709551615,"TLS.expire":18446744073709551615,"TLS.sig":"AA=="}"#,
        r#"{"TLS.ver":"2.0","TLS.identifier":"a\nTLS.sdkappid:1","TLS.sdkappid":1,"TLS.time":1,"TLS.expire":1,"TLS.sig":"AA=="}"#,
        r#"{"TLS.ver":"2.0","TLS.identifier":{"$ne":""},"TLS.sdkappid":1,"TLS.time":1,"TLS.expire":1,"TLS.sig":"AA=="}"#,
        r#"{"TLS.ver":"2.0","TLS.identifier":"alice","TLS.identifier":"bob","TLS.sdkappid":1,"TLS.time":1,"TLS.expire":1,"TLS.sig":"AA=="}"#,
        r#"{"TLS.ver":"2.0","TLS.identifier":"alice","TLS.sdkappid":-1,"TLS.time":1e300,"TLS.expire":1,"TLS.sig":"AA=="}"#,
    ] {
        all.push(packed(inside.as_bytes()));
    }
    all.push(packed(&b"[".repeat(4000)));
    all.push("A".repeat(2048));
    all.push("A".repeat(12_000));
    all.extend(["*", "-", "_", "____", "\u{e9}", "%00", " "].map(str::to_owned));
    // The same text can be packed in several ways: a signature whose packing was changed alone is a good one.
    let inside = unpacked(&good);
    all.retain(|signature| unpacked(signature).is_none() || unpacked(signature) != inside);
    all
}

#[tokio::test]
async fn hundreds_of_mangled_signatures_are_refused_and_the_server_lives() {
    let world = World::start().await;
    let (app, address) = (&world.app, world.server.address());
    let all = mangled(app);
    assert!(all.len() > 300);
    let identity = Identity { app: app.id, user: "alice".to_owned(), ..Identity::default() };
    let mut client = Client::connect(address, identity).await;
    for signature in &all {
        client.identity.signature.clone_from(signature);
        let answer = client.enter().await;
        let number = code(&answer);
        assert!((70_000..70_100).contains(&number), "{signature}: {answer}");
        let answer = client.request("openim.getmsg", &json!({})).await;
        assert_ne!(code(&answer), 0, "{signature}: {answer}");
    }
    for signature in all.iter().step_by(5) {
        let escaped: String = signature.bytes().map(|byte| format!("%{byte:02x}")).collect();
        if escaped.len() > 8000 {
            continue;
        }
        let target = format!("/v4/openim/sendmsg?sdkappid={}&identifier=alice&usersig={escaped}", app.id);
        let number = code(&post(address, &target, b"{}").await);
        assert!((70_000..70_100).contains(&number), "{signature}: {number}");
    }
    let log = world.server.log();
    assert!(!log.contains("panic"), "{log}");
    client.identity.signature = app.sign("alice");
    assert_eq!(code(&client.enter().await), 0);
}

#[tokio::test]
async fn mangled_login_keys_are_refused_and_the_server_lives() {
    let world = World::start().await;
    let mut alice = world.log_in("alice").await;
    let good = alice.identity.token.clone();
    let mut dice = Dice::seeded(11);
    let mut refused = 0;
    for _ in 0..300 {
        let mut bytes = good.clone().into_bytes();
        let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
        match dice.below(4) {
            0 => bytes[at] = bytes[at].wrapping_add(1) & 0x7f,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, b'A'),
            _ => bytes.extend_from_slice(&b"A".repeat(at * 100)),
        }
        alice.identity.token = String::from_utf8(bytes).unwrap();
        if alice.identity.token == good || alice.identity.token.is_empty() {
            continue;
        }
        let answer = alice.request("openim.getmsg", &json!({})).await;
        assert_eq!(code(&answer), 200_004, "{}: {answer}", alice.identity.token);
        refused += 1;
    }
    assert!(refused > 250);
    alice.identity.token = good;
    assert_eq!(code(&alice.request("openim.getmsg", &json!({})).await), 0);
}
