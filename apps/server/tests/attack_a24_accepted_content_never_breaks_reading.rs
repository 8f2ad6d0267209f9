//! Attack A24: content that is accepted and then breaks whoever reads it.
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
use support::{Client, World, code, text_message, text_of};

/// Texts that break careless programs.
fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "\u{0}",
        "\u{0}\u{1}\u{2}\u{1f}\u{7f}",
        "\"}]}}",
        "\\",
        "\\u0000\\ud800",
        "\u{2028}\u{2029}",
        "\u{202e}desrever\u{202c}",
        "\u{feff}",
        "\u{fffd}\u{ffff}\u{10ffff}",
        "e\u{301}\u{301}\u{301}",
        "<script>alert(1)</script>",
        "'; DROP TABLE messages; --",
        "{{constructor.constructor('x')()}}",
        "%s%n%x",
        "../../../etc/passwd",
        "\r\n\r\nHTTP/1.1 200 OK",
        "null",
        "@TLS#ERROR",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("[".repeat(5000));
    texts.push("\u{1}".repeat(1900));
    texts.push("\u{1f600}".repeat(2900));
    texts
}

/// Bodies with numbers, keys and shapes at their edges.
fn hostile_bodies() -> Vec<Value> {
    let element = |kind: &str, content: Value| json!([{"MsgType": kind, "MsgContent": content}]);
    vec![
        element("TIMLocationElem", json!({"Desc": "", "Latitude": 1e308, "Longitude": -1e308})),
        element("TIMLocationElem", json!({"Desc": "", "Latitude": 5e-324, "Longitude": -0.0})),
        element("TIMFaceElem", json!({"Index": i64::MAX, "Data": "\u{0}"})),
        element("TIMFaceElem", json!({"Index": i64::MIN, "Data": ""})),
        element("TIMFaceElem", json!({"Index": u64::MAX, "Data": ""})),
        element("TIMCustomElem", json!({"Data": "{\"a\":", "Desc": "\u{0}", "Ext": "]"})),
        element("TIMTextElem", json!({"Text": "a", "__proto__": {"x": 1}, "constructor": null, "": ""})),
        element(
            "TIMSoundElem",
            json!({"Url": "javascript:alert(1)", "UUID": "", "Size": u32::MAX, "Second": u32::MAX, "Download_Flag": 2}),
        ),
        element(
            "TIMFileElem",
            json!({"Url": "file:///etc/passwd", "UUID": "..", "FileName": "../\u{0}", "FileSize": 0, "Download_Flag": 2}),
        ),
        element("TIMImageElem", json!({"UUID": "", "ImageFormat": 255, "ImageInfoArray": []})),
        element(
            "TIMRelayElem",
            json!({"Title": "", "MsgNum": 0, "AbstractList": [], "CompatibleText": "", "MsgList": []}),
        ),
        json!(vec![json!({"MsgType": "TIMTextElem", "MsgContent": {"Text": "many"}}); 100]),
    ]
}

/// Reads everything in every way; returns the history.
async fn read_all(world: &World, user: &str, peer: &str) -> Vec<Value> {
    let mut client =
        Client::log_in_as(world.server.address(), &world.app, user, &format!("{user}-reads")).await;
    let first_page = json!({
        "From_Account": user, "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0,
        "OrderType": 1, "MsgAssistFlags": 15, "AssistFlags": 31,
    });
    let list = client.request("recentcontact.page_get", &first_page).await;
    assert_eq!(code(&list), 0, "{list}");
    assert_eq!(list["SessionItem"].as_array().expect("SessionItem").len(), 1, "{list}");
    client.synchronise(String::new()).await;
    let (missed, _) = client.synchronise("c:0".to_owned()).await;
    let history = client.history(peer).await;
    assert!(missed.len() >= history.len());
    let pages = json!({
        "Operator_Account": user, "Peer_Account": peer, "MaxCnt": 100, "MinTime": 0, "MaxTime": u32::MAX,
    });
    let over_rest = world.rest("openim/admin_getroammsg", &pages).await;
    assert_eq!(code(&over_rest), 0, "{over_rest}");
    assert!(over_rest["MsgCnt"].as_u64().is_some_and(|count| count > 0));
    history
}

#[tokio::test]
async fn hostile_texts_come_back_as_they_went_and_break_no_list() {
    let mut world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    let mut bob = world.log_in("bob").await;
    let mut accepted = Vec::new();
    for (sequence, text) in (1..).zip(hostile_texts()) {
        let mut message = text_message("alice", "bob", sequence, &text);
        let data: String = text.chars().take(300).collect();
        message["CloudCustomData"] = json!(data);
        message["OfflinePushInfo"] = json!({"PushFlag": 0, "Title": data, "Ext": data});
        let answer = alice.request("openim.sendmsg", &message).await;
        if code(&answer) == 0 {
            let pushed = bob.message().await;
            assert_eq!(text_of(&pushed), text);
            accepted.push((text, data));
        } else {
            assert!([80_002, 90_010].contains(&code(&answer)), "{text:?}: {answer}");
        }
    }
    assert!(accepted.len() > 15, "{}", accepted.len());
    for (user, peer) in [("alice", "bob"), ("bob", "alice")] {
        let history = read_all(&world, user, peer).await;
        assert_eq!(history.len(), accepted.len());
        for (message, (text, data)) in history.iter().zip(&accepted) {
            assert_eq!(text_of(message), text);
            assert_eq!(message["CloudCustomData"].as_str(), Some(data.as_str()));
        }
    }
    assert!(world.server.stop().await.success(), "{}", world.server.log());
    support::check(&world.data());
}

#[tokio::test]
async fn hostile_bodies_are_refused_or_read_back() {
    let world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    let mut accepted = 0;
    for (sequence, body) in (1..).zip(hostile_bodies()) {
        let mut message = text_message("alice", "bob", sequence, "");
        message["MsgBody"] = body;
        let answer = alice.request("openim.sendmsg", &message).await;
        if code(&answer) == 0 {
            accepted += 1;
        } else {
            assert!([80_002, 90_002, 90_010].contains(&code(&answer)), "{message}: {answer}");
        }
    }
    assert!(accepted >= 3, "{accepted}");
    for (user, peer) in [("alice", "bob"), ("bob", "alice")] {
        assert_eq!(read_all(&world, user, peer).await.len(), accepted);
    }
}

#[tokio::test]
async fn hostile_names_break_no_list() {
    let world = World::start().await;
    let names = [
        "@TLS#ERROR",
        "@TLS#NOT_FOUND",
        "$ne",
        "a.b",
        "a/b",
        "../..",
        "\"'\\",
        "<b>",
        " ",
        "__proto__",
        "null",
    ];
    world.accounts(&names).await;
    world.accounts(&["bob"]).await;
    for (sequence, name) in (1..).zip(names) {
        let nick: String = hostile_texts()[sequence % 12].chars().take(60).collect();
        let item = json!([{"Tag": "Tag_Profile_IM_Nick", "Value": nick}, {"Tag": "Tag_Profile_IM_Image", "Value": nick}]);
        let profile = json!({"From_Account": name, "ProfileItem": item});
        assert_eq!(code(&world.rest("profile/portrait_set", &profile).await), 0, "{name}");
        let message = text_message(name, "bob", u32::try_from(sequence).unwrap(), "from a strange name");
        assert_eq!(code(&world.rest("openim/sendmsg", &message).await), 0, "{name}");
    }
    let mut bob = world.log_in("bob").await;
    let first_page = json!({
        "From_Account": "bob", "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0,
        "OrderType": 1, "MsgAssistFlags": 15, "AssistFlags": 31,
    });
    let list = bob.request("recentcontact.page_get", &first_page).await;
    assert_eq!(list["SessionItem"].as_array().expect("SessionItem").len(), names.len(), "{list}");
    bob.synchronise(String::new()).await;
    for name in names {
        assert_eq!(bob.history(name).await.len(), 1, "{name}");
    }
}
