//! Attack A27: a client that takes for ever to say what it wants.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use std::time::Instant;

use support::{Options, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Writes a beginning, then one byte after the other for as long as the server reads; returns what came back.
async fn drip(world: &World, beginning: &str) -> String {
    let stream = TcpStream::connect(world.server.address()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    write.write_all(beginning.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let dripping = async {
        let pause = std::time::Duration::from_millis(50);
        // Each pause ends by itself: nothing ever comes.
        while tokio::time::timeout(pause, std::future::pending::<()>()).await.is_err() {
            if write.write_all(b"x").await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    support::soon("the server closes", async {
        tokio::select! {
            _ = read.read_to_end(&mut answer) => {}
            () = dripping => {}
        }
    })
    .await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_header_that_takes_too_long_ends_its_connection() {
    let world =
        World::with(Options::config("[limits]\nheader_seconds_max = 1\nbody_seconds_max = 1\n")).await;
    let host = world.server.address();
    for beginning in [
        String::new(),
        "G".to_owned(),
        format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-Slow: "),
        format!("POST /v4/openim/sendmsg HTTP/1.1\r\nHost: {host}\r\nX-Slow: "),
        // After a first request the next header has its time, too.
        format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\nGET /healthz HTTP/1.1\r\nX-Slow: "),
    ] {
        let began = Instant::now();
        drip(&world, &beginning).await;
        let took = began.elapsed().as_secs();
        assert!(took < 10, "{beginning:?}: closed after {took} s");
    }
    let slow_body = format!(
        "POST /v4/openim/sendmsg HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n"
    );
    let answer = drip(&world, &slow_body).await;
    assert!(answer.contains("60008"), "{answer}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let world = World::with(Options::config("[limits]\nheader_seconds_max = 1\n")).await;
    let mut stream = TcpStream::connect(world.server.address()).await.unwrap();
    let mut answer = Vec::new();
    let read = support::soon("the server closes", stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok());
    world.log_in("alice").await;
}
