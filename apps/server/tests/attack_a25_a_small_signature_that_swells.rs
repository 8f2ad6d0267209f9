//! Attack A25: a short token that becomes very long when it is unpacked.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::rest::post;
use support::socket::Identity;
use support::{Client, World, code};

/// A signature that unpacks to this many bytes.
fn bomb(bytes: usize) -> String {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(br#"{"TLS.ver":""#).unwrap();
    let block = vec![b'2'; 1 << 16];
    for _ in 0..bytes >> 16 {
        packer.write_all(&block).unwrap();
    }
    packer.write_all(br#""}"#).unwrap();
    let text = STANDARD.encode(packer.finish().unwrap());
    text.replace('+', "*").replace('/', "-").replace('=', "_")
}

#[tokio::test]
async fn a_signature_that_swells_is_refused_without_being_unpacked() {
    let world = World::start().await;
    let (app, address) = (&world.app, world.server.address());
    let small = bomb(1 << 20);
    assert!(small.len() < 2048, "short enough to be looked at: {}", small.len());
    let large = bomb(32 << 20);
    assert!(large.len() > 20_000);
    let identity = Identity { app: app.id, user: "alice".to_owned(), ..Identity::default() };
    let mut client = Client::connect(address, identity).await;
    let before = world.server.memory_kilobytes_most();
    for signature in [&small, &large] {
        for _ in 0..50 {
            client.identity.signature.clone_from(signature);
            let answer = client.enter().await;
            assert_eq!(code(&answer), 70_003, "{answer}");
        }
    }
    let target = format!("/v4/openim/sendmsg?sdkappid={}&identifier=administrator&usersig={small}", app.id);
    for _ in 0..50 {
        assert_eq!(code(&post(address, &target, b"{}").await), 70_003);
    }
    let more = world.server.memory_kilobytes_most() - before;
    assert!(more < 32 * 1024, "{more} kB more");
    client.identity.signature = app.sign("alice");
    assert_eq!(code(&client.enter().await), 0);
}
