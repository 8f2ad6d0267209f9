//! What is malformed gets the documented error, and the session stays intact.
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
use support::rest::{exchange, post, query};
use support::{Client, World, code, text_message};
use tokio_tungstenite::tungstenite::Message;

/// A good request still gets a good answer.
async fn works(client: &mut Client, sequence: u32) {
    let message = text_message("alice", "bob", sequence, "still here");
    let answer = client.request("openim.sendmsg", &message).await;
    assert_eq!(code(&answer), 0, "{answer}");
}

/// Sends bytes that name no request; the answer to nothing says why they were refused.
async fn refused(client: &mut Client, bytes: Vec<u8>, sequence: u32) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    assert!(client.send_raw(Message::binary(bytes)).await);
    let answer = client.answer(0).await.unwrap_or_else(|| panic!("{shown}: closed"));
    assert_eq!(code(&answer), 60_003, "{shown}: {answer}");
    works(client, sequence).await;
}

#[tokio::test]
async fn frames_that_are_none_are_refused_one_by_one() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let frames: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"x".to_vec(),
        b"null".to_vec(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        b"\0\0\0\0".to_vec(),
        b"{\"head\":".to_vec(),
        br#"{"body":{}}"#.to_vec(),
        br#"{"head":null,"body":{}}"#.to_vec(),
        br#"{"head":{},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":7,"seq":1},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"openim.sendmsg","seq":"1"},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"openim.sendmsg","seq":-1},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"openim.sendmsg","seq":1.5},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"openim.sendmsg","seq":1e400},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"openim.sendmsg","seq":18446744073709551616},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"openim.sendmsg","seq":1,"a2":{"$ne":""}},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"openim.sendmsg","seq":1,"sdkappid":"1"},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"openim.sendmsg","seq":1},"body":{}} trailing"#.to_vec(),
        b"{\"head\":{\"servcmd\":\"\xff\xfe\",\"seq\":1},\"body\":{}}".to_vec(),
        b"{\"head\":{\"servcmd\":\"openim.sendmsg\",\"seq\":1},\"body\":{\"a\":\"\xc0\x80\"}}".to_vec(),
        b"COMP\x1f\x8b\x08\x00".to_vec(),
        deep.clone().into_bytes(),
        format!(r#"{{"head":{deep},"body":{{}}}}"#).into_bytes(),
        format!(r#"{{"head":{{"servcmd":"{}","seq":1}},"body":{{}}}}"#, "x".repeat(10_000)).into_bytes(),
    ];
    for (at, frame) in frames.into_iter().enumerate() {
        refused(&mut alice, frame, u32::try_from(at).unwrap() + 1).await;
    }
}

#[tokio::test]
async fn bodies_of_the_wrong_shape_get_the_number_of_their_field() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    let good = text_message("alice", "bob", 1, "good");
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let element = |content: Value| json!([{"MsgType": "TIMTextElem", "MsgContent": content}]);
    for (body, number) in [
        (json!({}), 90_003),
        // No body is an empty one.
        (json!(null), 90_003),
        (json!([]), 90_001),
        (json!("text"), 90_001),
        (json!(7), 90_001),
        (with("To_Account", json!(7)), 90_003),
        (with("To_Account", json!(["bob"])), 90_003),
        (with("To_Account", json!("")), 90_003),
        (with("To_Account", json!("b\u{f6}b")), 90_003),
        (with("To_Account", json!("x".repeat(33))), 90_003),
        (with("To_Account", json!("nobody")), 20_003),
        (with("From_Account", json!(true)), 90_008),
        (with("From_Account", json!("bob")), 90_008),
        (with("MsgRandom", json!(4_294_967_296_u64)), 90_005),
        (with("MsgRandom", json!(-1)), 90_005),
        (with("MsgRandom", json!(1e300)), 90_005),
        (with("MsgRandom", json!("1")), 90_005),
        (with("MsgSeq", json!(u64::MAX)), 90_001),
        (with("MsgClientTime", json!("now")), 90_001),
        (with("MsgLifeTime", json!("long")), 90_044),
        (with("MsgLifeTime", json!(-1)), 90_026),
        (with("SyncOtherMachine", json!("1")), 90_031),
        (with("MsgBody", json!("text")), 90_007),
        (with("MsgBody", json!({})), 90_007),
        (with("MsgBody", json!([])), 90_002),
        (with("MsgBody", json!([1])), 90_002),
        (with("MsgBody", json!([{"MsgType": "TIMTextElem"}])), 90_002),
        (with("MsgBody", json!([{"MsgType": "TIMNoElem", "MsgContent": {}}])), 90_010),
        (with("MsgBody", element(json!({"Text": 7}))), 90_010),
        (with("MsgBody", element(json!({}))), 90_010),
        (with("CloudCustomData", json!({})), 90_001),
        (with("OfflinePushInfo", json!("text")), 90_043),
        (with("SendMsgControl", json!(["Everything"])), 90_001),
    ] {
        let answer = alice.request("openim.sendmsg", &body).await;
        let shown: String = body.to_string().chars().take(200).collect();
        assert_eq!(code(&answer), number, "{shown}: {answer}");
    }
    works(&mut alice, 2).await;
    assert_eq!(alice.history("bob").await.len(), 1);
}

#[tokio::test]
async fn commands_and_apps_that_are_not_there_are_refused_by_their_number() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    for unknown in ["", ".", "openim", "openim.nothing", "openim.sendmsg.x", "OPENIM.SENDMSG", "$where"] {
        let answer = alice.request(unknown, &json!({})).await;
        assert_eq!(code(&answer), 60_009, "{unknown}: {answer}");
    }
    // Only for administrators, and not over the socket.
    let answer = alice.request("im_open_login_svc.kick", &json!({"UserID": "bob"})).await;
    assert_eq!(code(&answer), 70_403, "{answer}");
    works(&mut alice, 1).await;

    let own = alice.identity.app;
    for foreign in [0, own - 1, own + 1] {
        alice.identity.app = foreign;
        let answer = alice.request("openim.sendmsg", &text_message("alice", "bob", 2, "other app")).await;
        assert_eq!(code(&answer), 60_006, "{answer}");
    }
    alice.identity.app = own;
    works(&mut alice, 3).await;
    assert_eq!(alice.history("bob").await.len(), 2);
    let mut head = alice.head("heartbeat.alive");
    head["seq"] = json!(77);
    let frame = json!({ "head": head }).to_string();
    assert!(alice.send_raw(Message::binary(frame.into_bytes())).await);
    let answer = alice.answer(77).await.expect("a connection");
    assert_eq!(code(&answer), 0, "a missing body is an empty one: {answer}");
}

#[tokio::test]
async fn deep_bodies_are_refused_before_they_are_read() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let mut message = text_message("alice", "bob", 1, "deep");
    message["More"] = deep;
    let answer = alice.request("openim.sendmsg", &message).await;
    assert_eq!(code(&answer), 200_001, "{answer}");
    assert_eq!(code(&world.rest("openim/sendmsg", &message).await), 200_001);
    works(&mut alice, 2).await;
}

#[tokio::test]
async fn text_and_binary_frames_are_both_understood_and_answered_in_the_form_of_the_address() {
    let world = World::start().await;
    let address = world.server.address();
    let frame =
        json!({"head": {"servcmd": "heartbeat.alive", "seq": 5, "sdkappid": world.app.id}, "body": {}});
    for (path, is_binary) in [("binfo", true), ("info", false), ("im/v1/binfo", true), ("/info", false)] {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let target = format!("/{path}?sdkappid={}", world.app.id);
        let mut socket = support::socket::open(address, &target, stream).await.unwrap();
        for message in [Message::text(frame.to_string()), Message::binary(frame.to_string().into_bytes())] {
            socket.send(message).await.unwrap();
            let answer = support::soon("an answer", socket.next()).await.unwrap().unwrap();
            assert_eq!(answer.is_binary(), is_binary, "{path}");
            let answer: Value = serde_json::from_slice(&answer.into_data()).unwrap();
            assert_eq!(answer["body"]["ErrorCode"], 0, "{path}: {answer}");
            assert_eq!(answer["head"]["seq"], 5);
        }
    }
}

#[tokio::test]
async fn rest_calls_say_which_part_of_the_address_is_wrong() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    let (app, address) = (&world.app, world.server.address());
    let (id, signature) = (app.id, app.sign("administrator"));
    let bob = app.sign("bob");
    let command = "/v4/openim/query_online_status?";
    let body = br#"{"To_Account":["bob"]}"#;
    for (query, number) in [
        (format!("identifier=administrator&usersig={signature}"), 60_012),
        (format!("sdkappid=&identifier=administrator&usersig={signature}"), 60_012),
        (format!("sdkappid=x&identifier=administrator&usersig={signature}"), 60_006),
        (format!("sdkappid=-1&identifier=administrator&usersig={signature}"), 60_006),
        (format!("sdkappid=99999999999&identifier=administrator&usersig={signature}"), 60_006),
        (format!("sdkappid=0&identifier=administrator&usersig={signature}"), 60_006),
        (format!("sdkappid={}&identifier=administrator&usersig={signature}", id + 1), 60_006),
        (format!("sdkappid={id}&usersig={signature}"), 60_004),
        (format!("sdkappid={id}&identifier=&usersig={signature}"), 60_004),
        (format!("sdkappid={id}&identifier=%00&usersig={signature}"), 60_004),
        (format!("sdkappid={id}&identifier={}&usersig={signature}", "x".repeat(33)), 60_004),
        (format!("sdkappid={id}&identifier=administrator"), 60_005),
        (format!("sdkappid={id}&identifier=administrator&usersig="), 70_002),
        (format!("sdkappid={id}&identifier=administrator&usersig=x"), 70_003),
        (format!("sdkappid={id}&identifier=administrator&usersig={bob}"), 70_013),
        (format!("sdkappid={id}&identifier=bob&usersig={bob}"), 60_010),
        (format!("sdkappid={id}&identifier=administrator&usersig={signature}&contenttype=xml"), 60_025),
    ] {
        let answer = post(address, &format!("{command}{query}"), body).await;
        assert_eq!(code(&answer), number, "{query}: {answer}");
    }
    let good = query(app, "administrator", &signature);
    assert_eq!(code(&post(address, &format!("{command}{good}"), body).await), 0);
}

#[tokio::test]
async fn rest_calls_say_what_is_wrong_with_path_method_and_body() {
    let world = World::start().await;
    let (app, address) = (&world.app, world.server.address());
    let good = query(app, "administrator", &app.sign("administrator"));
    for path in
        ["openim/nothing", "nothing", "", "openim/sendmsg/more", "openim.sendmsg.x", "im_open_status/wslogin"]
    {
        let answer = post(address, &format!("/v4/{path}?{good}"), b"{}").await;
        assert_eq!(code(&answer), 60_009, "{path}: {answer}");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let target = format!("/v4/openim/query_online_status?{good}");
        let (status, answer) = exchange(address, method, &target, "", b"{}").await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, code(&answer)), (200, 60_008), "{method}");
    }
    for (command, number) in [
        ("openim/sendmsg", 90_001),
        ("im_open_login_svc/account_import", 70_402),
        ("profile/portrait_get", 40_001),
        ("sns/black_list_add", 30_001),
        ("recentcontact/get_list", 50_002),
    ] {
        for body in [&b""[..], b"{", b"nothing", b"\xff\xfe"] {
            let answer = post(address, &format!("/v4/{command}?{good}"), body).await;
            assert_eq!(code(&answer), number, "{command} {body:?}: {answer}");
            assert_eq!(answer["ActionStatus"], "FAIL");
        }
    }
    for target in ["/", "/v4", "/v5/openim/sendmsg", "/../etc/passwd", "/binfo/x"] {
        let (status, _) = exchange(address, "GET", target, "", b"").await;
        assert_eq!(status, 404, "{target}");
    }
}
