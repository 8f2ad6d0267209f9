//! Calls per second, connections per address, and clients that do not read.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value, json};
use support::rest::{self, query};
use support::socket::Identity;
use support::{Client, Options, World, code, text_message};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Calls a command so often over one connection, as fast as the answers are read; returns the error numbers.
async fn call_often(world: &World, command: &str, body: &Value, times: usize) -> Vec<i64> {
    let app = &world.app;
    let (address, body) = (world.server.address(), body.to_string());
    let query = query(app, "administrator", &app.sign("administrator"));
    let length = body.len();
    let request = |more: &str| {
        format!(
            "POST /v4/{command}?{query} HTTP/1.1\r\nHost: {address}\r\n{more}Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let requests = request("").repeat(times - 1) + &request("Connection: close\r\n");
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let writing = async { write.write_all(requests.as_bytes()).await.unwrap() };
    let mut answers = String::new();
    let ((), read) =
        support::soon("the answers", async { tokio::join!(writing, read.read_to_string(&mut answers)) })
            .await;
    read.unwrap();
    let numbers = answers.split("\"ErrorCode\":").skip(1);
    numbers.map(|rest| rest.split([',', '}']).next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn rest_calls_end_at_the_documented_rate_and_begin_again() {
    let world = World::start().await;
    world.accounts(&["alice"]).await;
    world.app.set(&world.data(), "rest_calls_per_second=0");
    for (command, body, per_second) in [
        ("openim/query_online_status", json!({"To_Account": ["alice"]}), 200),
        ("im_open_login_svc/account_check", json!({"CheckItem": [{"UserID": "alice"}]}), 100),
    ] {
        let began = Instant::now();
        let numbers = call_often(&world, command, &body, per_second * 3).await;
        let seconds = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
        let passed = numbers.iter().filter(|number| **number == 0).count();
        let refused = numbers.iter().filter(|number| **number == 60_007).count();
        assert_eq!(passed + refused, per_second * 3, "{command}: {numbers:?}");
        assert!(passed >= per_second, "{command}: {passed} passed");
        // What a bucket of one second holds, and what flows into it meanwhile.
        assert!(passed <= per_second * (seconds + 1), "{command}: {passed} passed in {seconds} s");
        assert!(refused > 0, "{command}");
        let began = Instant::now();
        while code(&world.rest(command, &body).await) != 0 {
            assert!(began.elapsed() < support::PATIENCE, "{command}: refused for ever");
        }
    }
}

/// Whether the server talks to a new connection. One that it refuses it closes at once.
async fn is_served(address: SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = [0; 12];
    let read = support::soon("an answer or an end", stream.read_exact(&mut answer)).await;
    (read.is_ok() && answer.starts_with(b"HTTP/1.1 200")).then_some(stream)
}

/// Opens connections until one is refused; gives up after `most`.
async fn open_until_refused(address: SocketAddr, most: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    while let Some(stream) = is_served(address).await {
        open.push(stream);
        assert!(open.len() < most, "no limit was met");
    }
    open
}

/// Waits until a connection is served again: the server notices an end when it reads it.
async fn is_served_again(address: SocketAddr) -> TcpStream {
    let began = Instant::now();
    loop {
        if let Some(stream) = is_served(address).await {
            return stream;
        }
        assert!(began.elapsed() < support::PATIENCE, "refused for ever");
    }
}

#[tokio::test]
async fn an_address_has_a_bounded_number_of_connections() {
    let world = World::with(Options::config("[limits]\nconnections_per_address_max = 12\n")).await;
    let address = world.server.address();
    drop(is_served_again(address).await);
    let mut alice = world.log_in("alice").await;
    let mut open = open_until_refused(address, 13).await;
    assert!((10..=11).contains(&open.len()), "{}", open.len());
    assert_eq!(code(&alice.request("openim.getmsg", &json!({})).await), 0, "who is in stays in");
    open.pop();
    is_served_again(address).await;
}

#[tokio::test]
async fn an_address_has_a_bounded_number_of_connections_that_did_not_log_in() {
    let world = World::with(Options::config("[limits]\nunauthenticated_per_address_max = 4\n")).await;
    let address = world.server.address();
    let mut clients = Vec::new();
    for user in ["alice", "bob", "carol", "dave", "erin", "frank"] {
        clients.push(world.log_in(user).await);
    }
    let mut open = open_until_refused(address, 5).await;
    assert!((3..=4).contains(&open.len()), "{}", open.len());
    for client in &mut clients {
        assert_eq!(code(&client.request("openim.getmsg", &json!({})).await), 0);
    }
    open.pop();
    is_served_again(address).await;
}

/// A logged-in client with small buffers that reads nothing from now on, and the cookie of its last synchronisation.
async fn deaf(world: &World, user: &str) -> (Client, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(world.server.address()).await.unwrap();
    let identity = Identity {
        app: world.app.id,
        user: user.to_owned(),
        signature: world.app.sign(user),
        client: "deaf".to_owned(),
        ..Identity::default()
    };
    let mut client = Client::over(stream, world.server.address(), identity).await;
    assert_eq!(code(&client.enter().await), 0);
    let (_, cookie) = client.synchronise(String::new()).await;
    (client, cookie)
}

/// Sends more to bob than the buffers of a connection hold, while another instance of his reads it.
async fn flood(world: &World) -> (Client, u32) {
    let address = world.server.address();
    let mut second = Client::log_in_as(address, &world.app, "bob", "second").await;
    let mut alice = world.log_in("alice").await;
    let mut carol = world.log_in("carol").await;
    let mut dave = world.log_in("dave").await;
    let content = "x".repeat(11_000);
    let mut sent = 0;
    for round in 0..300 {
        for _ in 0..4 {
            sent += 1;
            let message = text_message("alice", "bob", sent, &content);
            alice.send("openim.sendmsg", &message).await.expect("a connection");
        }
        for _ in 0..4 {
            let (_, answer) = alice.any_answer().await.expect("an answer");
            assert_eq!(code(&answer), 0, "{answer}");
            assert_eq!(second.message().await["From_Account"], "alice");
        }
        let answer = carol.request("openim.sendmsg", &text_message("carol", "dave", round, "hi")).await;
        assert_eq!(code(&answer), 0, "{answer}");
        assert_eq!(dave.message().await["MsgSeq"], round);
    }
    (second, sent)
}

/// Comes back and finds everything since the cookie.
async fn finds_everything(world: &World, identity: Identity, cookie: String, sent: u32) {
    let mut back = Client::come_back(world.server.address(), identity).await;
    let (missed, _) = back.synchronise(cookie).await;
    let found: Vec<u64> = missed.iter().filter_map(|message| message["MsgSeq"].as_u64()).collect();
    let expected: Vec<u64> = (1..=u64::from(sent)).collect();
    assert!(found == expected, "{} of {sent} came back", found.len());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_told_to_synchronise_and_closed_and_others_do_not_notice() {
    let config = "[limits]\noutbox_bytes_max = 65536\nwrite_seconds_max = 600\n";
    let world = World::with(Options::config(config)).await;
    world.accounts(&["bob"]).await;
    let (mut stuck, cookie) = deaf(&world, "bob").await;
    let (mut second, sent) = flood(&world).await;
    let (mut heard, mut told) = (0, 0);
    while let Some(push) = stuck.push().await {
        assert_eq!(told, 0, "nothing comes after it");
        told += u32::from(push["body"]["Flag"] == 1);
        heard += u32::from(push["body"]["EventArray"][0]["Event"] == 9);
    }
    assert!(heard < sent, "the client fell behind");
    assert_eq!(told, 1, "told to synchronise");
    assert_eq!(stuck.end().await, Some(CloseCode::Again));
    finds_everything(&world, stuck.identity.clone(), cookie, sent).await;
    assert_eq!(code(&second.request("openim.getmsg", &json!({})).await), 0);
}

#[tokio::test]
async fn a_client_that_never_reads_is_given_up() {
    let config = "[limits]\noutbox_bytes_max = 65536\nwrite_seconds_max = 1\n";
    let world = World::with(Options::config(config)).await;
    world.accounts(&["bob"]).await;
    let (stuck, cookie) = deaf(&world, "bob").await;
    let (second, sent) = flood(&world).await;
    drop(second);
    let began = Instant::now();
    loop {
        let status = world.rest("openim/query_online_status", &json!({"To_Account": ["bob"]})).await;
        if status["QueryResult"][0]["Status"] != "Online" {
            break;
        }
        assert!(began.elapsed() < support::PATIENCE, "its connection stays for ever");
    }
    finds_everything(&world, stuck.identity.clone(), cookie, sent).await;
}

#[tokio::test]
async fn more_requests_than_may_run_at_once_wait_and_are_all_answered() {
    let world = World::with(Options::config("[limits]\nrequests_in_flight_max = 13\n")).await;
    let mut alice = world.log_in("alice").await;
    let mut waiting = Vec::new();
    for sequence in 0..500 {
        let message = text_message("alice", "alice", sequence, "to myself");
        waiting.push(alice.send("openim.sendmsg", &message).await.expect("a connection"));
    }
    for seq in waiting {
        assert_eq!(code(&alice.answer(seq).await.expect("an answer")), 0);
    }
}

#[tokio::test]
async fn a_client_that_never_logged_in_may_do_nothing_but_that() {
    let world = World::start().await;
    let identity = Identity { app: world.app.id, ..Identity::default() };
    let mut client = Client::connect(world.server.address(), identity).await;
    for (command, number) in [
        ("heartbeat.alive", 0),
        ("imopenstat.tim_web_report_v2", 0),
        ("openim.getmsg", 200_004),
        ("openim.sendmsg", 200_004),
    ] {
        assert_eq!(code(&client.request(command, &json!({})).await), number, "{command}");
    }
    let address = world.server.address();
    assert_eq!(
        code(
            &rest::call(address, &world.app, "openim/query_online_status", &json!({"To_Account": ["x"]}))
                .await
        ),
        0
    );
}
