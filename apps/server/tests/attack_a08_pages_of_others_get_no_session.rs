//! Attack A8: a page of another site opens a socket in the name of whoever looks at it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use support::rest::raw;
use support::{App, Options, World, code};
use tokio_tungstenite::tungstenite::Message;

/// Asks for a socket as a browser does for a page of an origin; returns the status.
async fn status_for(world: &World, origin: Option<&str>) -> u16 {
    let address = world.server.address();
    let origin = origin.map_or_else(String::new, |origin| format!("Origin: {origin}\r\n"));
    let mut request = format!("GET /binfo?sdkappid={} HTTP/1.1\r\nHost: {address}\r\n{origin}", world.app.id);
    request.push_str("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    request.push_str("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    // A masked close frame, so that an accepted socket ends.
    let bytes = [request.as_bytes(), &[0x88, 0x80, 1, 2, 3, 4]].concat();
    let answer = raw(address, &bytes).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {answer}"))
}

#[tokio::test]
async fn only_listed_origins_open_a_socket() {
    let config = "[limits]\norigins = [\"https://chat.example.com\", \"http://localhost:8080\"]\n";
    let world = World::with(Options::config(config)).await;
    for (origin, status) in [
        (Some("https://chat.example.com"), 101),
        (Some("http://localhost:8080"), 101),
        // Clients that are no browsers send none.
        (None, 101),
        (Some("https://evil.example.com"), 403),
        (Some("https://chat.example.com.evil.example"), 403),
        (Some("http://chat.example.com"), 403),
        (Some("https://chat.example.com:444"), 403),
        (Some("null"), 403),
        (Some(""), 403),
        (Some("https://chat.example.com, https://evil.example.com"), 403),
    ] {
        assert_eq!(status_for(&world, origin).await, status, "{origin:?}");
    }
}

#[tokio::test]
async fn tokens_in_the_address_log_nobody_in() {
    let world = World::start().await;
    let app: &App = &world.app;
    let alice = world.log_in("alice").await;
    let address = world.server.address();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let target = format!(
        "/binfo?sdkappid={}&identifier=alice&usersig={}&a2={}&tinyid={}&instanceid={}",
        app.id,
        app.sign("alice"),
        alice.identity.token,
        alice.identity.number,
        alice.identity.client,
    );
    let mut socket = support::socket::open(address, &target, stream).await.unwrap();
    for (servcmd, number) in [
        ("openim.getmsg", 200_004),
        ("openim.sendmsg", 200_004),
        ("recentcontact.page_get", 200_004),
        ("im_open_status.wshello", 200_004),
        ("im_open_status.wslogin", 70_402),
    ] {
        let head = json!({"servcmd": servcmd, "seq": 1, "sdkappid": app.id});
        let frame = json!({"head": head, "body": {}}).to_string();
        socket.send(Message::binary(frame.into_bytes())).await.unwrap();
        let answer = support::soon("an answer", socket.next()).await.unwrap().unwrap();
        let answer: Value = serde_json::from_slice(&answer.into_data()).unwrap();
        assert_eq!(code(&answer["body"]), number, "{servcmd}: {answer}");
    }
}
