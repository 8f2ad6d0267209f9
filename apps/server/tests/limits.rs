//! Sizes of messages, frames, headers, bodies and pages: what just fits, and what is just too much.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::rest::{exchange, query, raw};
use support::{Client, Options, World, code, text_message};

/// Bytes of a message: body and custom data together.
const MESSAGE_BYTES_MAX: usize = 12 * 1024;
const CUSTOM_BYTES_MAX: usize = 8 * 1024;

/// A message whose body, as JSON, has exactly this many bytes.
fn message_of(sequence: u32, bytes: usize) -> Value {
    let empty = text_message("alice", "bob", sequence, "");
    let frame = empty["MsgBody"].to_string().len();
    text_message("alice", "bob", sequence, &"x".repeat(bytes - frame))
}

async fn send(world: &World, client: &mut Client, message: &Value) -> [i64; 2] {
    let over_socket = client.request("openim.sendmsg", message).await;
    let over_rest = world.rest("openim/sendmsg", message).await;
    [code(&over_socket), code(&over_rest)]
}

#[tokio::test]
async fn a_message_of_12_kilobytes_fits_and_one_byte_more_does_not() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    let most = message_of(1, MESSAGE_BYTES_MAX);
    assert_eq!(most["MsgBody"].to_string().len(), MESSAGE_BYTES_MAX);
    assert_eq!(send(&world, &mut alice, &most).await, [0, 0]);
    let over = message_of(2, MESSAGE_BYTES_MAX + 1);
    assert_eq!(send(&world, &mut alice, &over).await, [80_002, 80_002]);
    let mut shared = message_of(3, MESSAGE_BYTES_MAX - 100);
    shared["CloudCustomData"] = json!("y".repeat(100));
    assert_eq!(send(&world, &mut alice, &shared).await, [0, 0]);
    shared["CloudCustomData"] = json!("y".repeat(101));
    assert_eq!(send(&world, &mut alice, &shared).await, [80_002, 80_002]);
    let history = alice.history("bob").await;
    assert_eq!(history.len(), 2);
    assert_eq!(history[0]["MsgBody"], most["MsgBody"]);
}

#[tokio::test]
async fn custom_data_of_8_kilobytes_fits_and_one_byte_more_does_not() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    let mut message = text_message("alice", "bob", 1, "with data");
    message["CloudCustomData"] = json!("y".repeat(CUSTOM_BYTES_MAX));
    assert_eq!(send(&world, &mut alice, &message).await, [0, 0]);
    message["CloudCustomData"] = json!("y".repeat(CUSTOM_BYTES_MAX + 1));
    assert_eq!(send(&world, &mut alice, &message).await, [80_002, 80_002]);
    assert_eq!(alice.history("bob").await.len(), 1);
}

#[tokio::test]
async fn a_frame_beyond_the_limit_ends_its_socket_and_no_other() {
    let world = World::with(Options::config("[limits]\nframe_bytes_max = 16384\n")).await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    let mut bob = world.log_in("bob").await;
    let padded = |client: &mut Client, bytes: usize| {
        let head = client.head("openim.sendmsg");
        let mut body = text_message("alice", "bob", 1, "padded");
        body["More"] = json!("");
        let frame = json!({"head": head, "body": body}).to_string();
        body["More"] = json!("x".repeat(bytes - frame.len()));
        let frame = json!({"head": head, "body": body}).to_string();
        assert_eq!(frame.len(), bytes);
        (head["seq"].as_u64().unwrap(), frame.into_bytes())
    };
    let (seq, frame) = padded(&mut alice, 16_384);
    assert!(alice.send_raw(frame.into()).await);
    assert_eq!(code(&alice.answer(seq).await.expect("an answer")), 0);
    let (seq, frame) = padded(&mut alice, 16_385);
    alice.send_raw(frame.into()).await;
    assert_eq!(alice.answer(seq).await, None, "closed without an answer");
    assert_eq!(bob.message().await["MsgSeq"], 1);
    let answer = bob.request("openim.sendmsg", &text_message("bob", "alice", 1, "I am fine")).await;
    assert_eq!(code(&answer), 0);
    let mut alice = Client::come_back(world.server.address(), alice.identity.clone()).await;
    assert_eq!(alice.history("bob").await.len(), 2);
}

/// A request with these header lines; returns the status, 0 if there was no answer.
async fn status_with(world: &World, headers: &str) -> u16 {
    let address = world.server.address();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    let answer = raw(address, request.as_bytes()).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
}

#[tokio::test]
async fn long_and_numerous_headers_are_refused() {
    let world = World::start().await;
    let long = |bytes: usize| format!("X-Long: {}\r\n", "x".repeat(bytes));
    assert_eq!(status_with(&world, &long(8 * 1024)).await, 200);
    assert_eq!(status_with(&world, &long(16 * 1024)).await, 431);
    let many = |count: usize| -> String { (0..count).map(|number| format!("X-{number}: x\r\n")).collect() };
    assert_eq!(status_with(&world, &many(62)).await, 200);
    assert_eq!(status_with(&world, &many(63)).await, 431);
    assert_eq!(status_with(&world, "").await, 200);
}

#[tokio::test]
async fn a_rest_body_beyond_the_limit_is_refused() {
    let world = World::with(Options::config("[limits]\nbody_bytes_max = 20000\n")).await;
    let app = &world.app;
    let query = query(app, "administrator", &app.sign("administrator"));
    let target = format!("/v4/im_open_login_svc/account_check?{query}");
    let body = |bytes: usize| {
        let body = json!({"CheckItem": [{"UserID": "alice"}], "More": ""}).to_string();
        let padding = "x".repeat(bytes - body.len());
        json!({"CheckItem": [{"UserID": "alice"}], "More": padding}).to_string()
    };
    for (bytes, number) in [(20_000, 0), (20_001, 60_008), (200_000, 60_008)] {
        let body = body(bytes);
        assert_eq!(body.len(), bytes);
        let address = world.server.address();
        let (status, answer) = exchange(address, "POST", &target, "", body.as_bytes()).await;
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!((status, code(&answer)), (200, number), "{bytes}: {answer}");
    }
}

#[tokio::test]
async fn a_page_of_history_is_bounded_whatever_the_client_asks_for() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    for sequence in 1..=130 {
        let message = text_message("alice", "bob", sequence, "one of many");
        alice.send("openim.sendmsg", &message).await.expect("a connection");
    }
    for _ in 1..=130 {
        let (_, answer) = alice.any_answer().await.expect("an answer");
        assert_eq!(code(&answer), 0, "{answer}");
    }
    for (wanted, given) in [(0_u32, 1), (1, 1), (100, 100), (101, 100), (u32::MAX, 100)] {
        let request = json!({"Peer_Account": "bob", "MaxCnt": wanted, "LastMsgTime": 0, "MsgKey": ""});
        let page = alice.request("openim.getroammsg", &request).await;
        assert_eq!(page["MsgList"].as_array().expect("MsgList").len(), given, "{wanted}");
        assert_eq!(page["Complete"], 0);
    }
    let request = json!({
        "Operator_Account": "alice", "Peer_Account": "bob", "MaxCnt": 10_000, "MinTime": 0, "MaxTime": u32::MAX,
    });
    let page = world.rest("openim/admin_getroammsg", &request).await;
    assert_eq!(page["MsgList"].as_array().expect("MsgList").len(), 100);
    assert_eq!(alice.history("bob").await.len(), 130);
}
