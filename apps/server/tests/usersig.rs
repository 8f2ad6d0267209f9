//! Signatures as the official generators write them are accepted.
//!
//! A committed sample of each generator pins down how it writes the text inside; a text written the same way with the
//! key of a new app then has to open the doors of a running server.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use model::usersig::{SecretKey, verify};
use model::{SdkAppId, Seconds, UserId};
use serde_json::{Value, json};
use support::rest::{post, query};
use support::socket::Identity;
use support::{App, Client, World, code, now};

/// The key that both samples were made with; an example that opens nothing.
const KEY: &str = include_str!("data/usersig_pypi_key.txt");
const NPM: &str = include_str!("../../../crates/model/testdata/usersig_npm.txt");
const PYPI: &str = include_str!("data/usersig_pypi.txt");

/// The fields of a signature.
struct Fields {
    user: String,
    app: u64,
    time: u64,
    expire: u64,
    sig: String,
}

/// The text inside as `tls-sig-api-v2` of npm writes it.
fn as_npm(fields: &Fields) -> String {
    let Fields { user, app, time, expire, sig } = fields;
    format!(
        r#"{{"TLS.ver":"2.0","TLS.identifier":"{user}","TLS.sdkappid":{app},"TLS.time":{time},"TLS.expire":{expire},"TLS.sig":"{sig}"}}"#
    )
}

/// The text inside as `tls-sig-api-v2` of PyPI writes it.
fn as_pypi(fields: &Fields) -> String {
    let Fields { user, app, time, expire, sig } = fields;
    format!(
        r#"{{"TLS.ver": "2.0", "TLS.identifier": "{user}", "TLS.sdkappid": {app}, "TLS.expire": {expire}, "TLS.time": {time}, "TLS.sig": "{sig}"}}"#
    )
}

fn unpack(signature: &str) -> String {
    let text = signature.trim().replace('*', "+").replace('-', "/").replace('_', "=");
    let mut inside = String::new();
    ZlibDecoder::new(STANDARD.decode(text).unwrap().as_slice()).read_to_string(&mut inside).unwrap();
    inside
}

fn pack(inside: &str, level: Compression) -> String {
    let mut packer = ZlibEncoder::new(Vec::new(), level);
    packer.write_all(inside.as_bytes()).unwrap();
    let text = STANDARD.encode(packer.finish().unwrap());
    text.replace('+', "*").replace('/', "-").replace('=', "_")
}

fn fields_of(inside: &str) -> Fields {
    let value: Value = serde_json::from_str(inside).unwrap();
    let number = |name: &str| value[name].as_u64().unwrap();
    let word = |name: &str| value[name].as_str().unwrap().to_owned();
    Fields {
        user: word("TLS.identifier"),
        app: number("TLS.sdkappid"),
        time: number("TLS.time"),
        expire: number("TLS.expire"),
        sig: word("TLS.sig"),
    }
}

#[test]
fn samples_of_both_generators_verify() {
    let (app, user) = (SdkAppId(1_400_000_001), UserId::new("alice").unwrap());
    let keys = [SecretKey::new(KEY.trim().to_owned())];
    for sample in [NPM, PYPI] {
        let made_at = fields_of(&unpack(sample)).time;
        let made_at = Seconds(u32::try_from(made_at).unwrap());
        let verified = verify(app, &keys, &user, sample.trim(), made_at).unwrap();
        assert_eq!(verified.made_at, made_at);
        assert_eq!(verified.valid_until.0, made_at.0 + 180 * 86_400);
        assert!(verify(app, &keys, &user, sample.trim(), Seconds(made_at.0 + 180 * 86_400 + 1)).is_err());
        assert!(verify(SdkAppId(app.0 + 1), &keys, &user, sample.trim(), made_at).is_err());
    }
}

#[tokio::test]
async fn a_server_takes_what_both_generators_write() {
    assert_eq!(as_npm(&fields_of(&unpack(NPM))), unpack(NPM).trim());
    assert_eq!(as_pypi(&fields_of(&unpack(PYPI))), unpack(PYPI).trim());
    let world = World::start().await;
    let (app, address) = (&world.app, world.server.address());
    for write in [as_npm, as_pypi] {
        for level in [Compression::none(), Compression::fast(), Compression::default(), Compression::best()] {
            let write = |user: &str| pack(&write(&fields_of(&unpack(&app.sign(user)))), level);
            let identity = Identity {
                app: app.id,
                user: "alice".to_owned(),
                signature: write("alice"),
                ..Identity::default()
            };
            let answer = Client::connect(address, identity).await.enter().await;
            assert_eq!(code(&answer), 0, "{answer}");
            let query = query(app, "administrator", &write("administrator"));
            let body = json!({"To_Account": ["alice"]}).to_string();
            let answer =
                post(address, &format!("/v4/openim/query_online_status?{query}"), body.as_bytes()).await;
            assert_eq!(code(&answer), 0, "{answer}");
        }
    }
}

/// Logs in with a signature; returns the error number.
async fn number_for(world: &World, user: &str, signature: String) -> i64 {
    let identity = Identity { app: world.app.id, user: user.to_owned(), signature, ..Identity::default() };
    code(&Client::connect(world.server.address(), identity).await.enter().await)
}

#[tokio::test]
async fn what_is_expired_changed_foreign_or_doubled_gets_its_number() {
    let world = World::start().await;
    let app = &world.app;
    let other = App::create(&world.data());
    let good = app.sign("alice");
    let inside = unpack(&good);
    let doubled = inside.replacen('{', r#"{"TLS.identifier":"bob","#, 1);
    let more = inside.replacen('{', r#"{"TLS.more":"x","#, 1);
    let longer = inside.replace(r#""TLS.expire":86400"#, r#""TLS.expire":86401"#);
    assert_ne!(longer, inside);
    let long = Compression::default();
    for (what, user, signature, number) in [
        ("good", "alice", good.clone(), 0),
        ("none", "alice", String::new(), 70_002),
        ("expired", "alice", app.sign_at("alice", Seconds(now().0 - 100), 99), 70_001),
        ("another account's", "bob", good.clone(), 70_013),
        ("another app's key", "alice", other.sign("alice"), 70_009),
        ("a longer life", "alice", pack(&longer, long), 70_009),
        ("a doubled key", "alice", pack(&doubled, long), 70_003),
        ("an unknown key", "alice", pack(&more, long), 70_003),
        ("too long a text", "alice", good.clone() + &"A".repeat(2048), 70_003),
        ("not packed", "alice", STANDARD.encode(&inside), 70_003),
    ] {
        assert_eq!(number_for(&world, user, signature).await, number, "{what}");
    }
}
