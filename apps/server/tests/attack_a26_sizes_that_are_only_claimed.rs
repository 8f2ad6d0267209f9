//! Attack A26: headers that never end, and frames that claim to be enormous.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use support::World;
use support::rest::raw;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn handshake(world: &World, more: &str) -> String {
    let (address, app) = (world.server.address(), world.app.id);
    format!(
        "GET /binfo?sdkappid={app} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn a_handshake_with_long_headers_is_refused() {
    let world = World::start().await;
    let long = format!("X-Long: {}\r\n", "x".repeat(4 << 20));
    let many: String = (0..100_000).map(|number| format!("X-{number}: x\r\n")).collect();
    let key = format!("Sec-WebSocket-Protocol: {}\r\n", "a,".repeat(500_000));
    for more in [long, many, key] {
        let before = world.server.memory_kilobytes_most();
        let answer = raw(world.server.address(), handshake(&world, &more).as_bytes()).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(!answer.starts_with("HTTP/1.1 101"), "{answer}");
        let more = world.server.memory_kilobytes_most() - before;
        assert!(more < 4096, "{more} kB more");
    }
    world.log_in("alice").await;
}

#[tokio::test]
async fn a_frame_that_claims_to_be_enormous_takes_no_memory_and_ends_its_socket() {
    let world = World::start().await;
    let before = world.server.memory_kilobytes_most();
    for length in [1_u64 << 62, u64::MAX, 1 << 31, 2 << 20] {
        for opcode in [0x81_u8, 0x82] {
            let mut stream = TcpStream::connect(world.server.address()).await.unwrap();
            stream.write_all(handshake(&world, "").as_bytes()).await.unwrap();
            let mut head = [opcode, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
            head[2..].copy_from_slice(&length.to_be_bytes());
            stream.write_all(&head).await.unwrap();
            stream.write_all(&[1, 2, 3, 4, b'x']).await.unwrap();
            let mut answer = Vec::new();
            // A reset is an end, too.
            drop(support::soon("the socket ends", stream.read_to_end(&mut answer)).await);
            assert!(answer.starts_with(b"HTTP/1.1 101"));
        }
    }
    let more = world.server.memory_kilobytes_most() - before;
    assert!(more < 4096, "{more} kB more");
    world.log_in("alice").await;
}

#[tokio::test]
async fn parts_of_one_message_count_together() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.server.address()).await.unwrap();
    stream.write_all(handshake(&world, "").as_bytes()).await.unwrap();
    let before = world.server.memory_kilobytes_most();
    let mut part = vec![0x00, 0xff];
    part.extend_from_slice(&(64_u64 << 10).to_be_bytes());
    part.extend_from_slice(&[0; 4]);
    part.resize(part.len() + (64 << 10), b'x');
    let mut first = part.clone();
    first[0] = 0x02;
    let (mut read, mut write) = stream.into_split();
    let writing = async {
        let mut sent = write.write_all(&first).await;
        for _ in 0..1000 {
            if sent.is_err() {
                return;
            }
            sent = write.write_all(&part).await;
        }
        panic!("64 MB in one message were taken");
    };
    let mut answer = Vec::new();
    support::soon("the socket ends", async { tokio::join!(writing, read.read_to_end(&mut answer)) })
        .await
        .1
        .ok();
    let more = world.server.memory_kilobytes_most() - before;
    assert!(more < 16 * 1024, "{more} kB more");
}
