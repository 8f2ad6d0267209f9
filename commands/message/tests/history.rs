//! History: `openim.getroammsg`, `openim/admin_getroammsg` and `openim/delete_c2c_msg_ramble`.

use serde_json::{Value, json};
use testkit::{Answer, Client, World};

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

/// Messages from alice to bob, two in each second; their keys.
async fn ten(world: &World) -> Vec<String> {
    let mut keys = Vec::new();
    for number in 0..10 {
        keys.push(world.send("alice", "bob", &number.to_string()).await.key.to_string());
        if number % 2 == 1 {
            world.advance_seconds(1).await;
        }
    }
    keys
}

fn keys(page: &Answer) -> Vec<String> {
    let list = page.list("MsgList").iter();
    list.filter_map(|message| message["MsgKey"].as_str().map(str::to_owned)).collect()
}

async fn page(client: &mut Client, count: u32, direction: u8, time: &Value, key: &Value) -> Answer {
    let peer = if client.user == "bob" { "alice" } else { "bob" };
    let body = json!({"Peer_Account": peer, "MaxCnt": count, "LastMsgTime": time, "MsgKey": key,
        "WithRecalledMsg": 1, "GetDirection": direction});
    client.call("openim.getroammsg", body).await.ok()
}

#[tokio::test(start_paused = true)]
async fn pages_go_back_from_the_newest_without_gap_or_repetition() {
    let world = world().await;
    let all = ten(&world).await;
    for size in [1, 3, 5, 10, 15] {
        let mut bob = world.login("bob").await;
        let (mut found, mut time, mut key) = (Vec::new(), json!(0), json!(""));
        loop {
            let answer = page(&mut bob, size, 0, &time, &key).await;
            let list = keys(&answer);
            assert_eq!(answer["MsgCnt"], list.len());
            assert!(list.is_sorted_by_key(|key| all.iter().position(|other| other == key)), "ascending");
            found.splice(0..0, list);
            (time, key) = (answer["LastMsgTime"].clone(), answer["MsgKey"].clone());
            if answer["Complete"] == 1 {
                break;
            }
        }
        assert_eq!(found, all, "by {size}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_go_forward_from_a_time() {
    let world = world().await;
    let all = ten(&world).await;
    let mut alice = world.login("alice").await;
    let start = world.now().0 - 3;
    let first = page(&mut alice, 3, 1, &json!(start), &json!("")).await;
    assert_eq!(keys(&first), all[4..7], "the time is part of the page");
    assert_eq!(first["Complete"], 0);
    assert_eq!(first["MsgKey"], all[6]);
    let second = page(&mut alice, 10, 1, &first["LastMsgTime"], &first["MsgKey"]).await;
    assert_eq!(keys(&second), all[7..], "the key's message is not");
    assert_eq!(second["Complete"], 1);
    let beginning = page(&mut alice, 2, 1, &json!(0), &json!("")).await;
    assert_eq!(keys(&beginning), all[..2]);
}

#[tokio::test(start_paused = true)]
async fn a_time_without_key_is_part_of_the_page() {
    let world = world().await;
    let all = ten(&world).await;
    let mut bob = world.login("bob").await;
    let answer = page(&mut bob, 3, 0, &json!(world.now().0 - 3), &json!("")).await;
    assert_eq!(keys(&answer), all[3..6]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_page_is_complete_and_bad_requests_are_named() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    for peer in ["alice", "nobody"] {
        let body = json!({"Peer_Account": peer, "MaxCnt": 15, "LastMsgTime": 0, "MsgKey": ""});
        let answer = bob.call("openim.getroammsg", body).await.ok();
        assert_eq!((answer["Complete"].clone(), answer["MsgCnt"].clone()), (json!(1), json!(0)));
        assert!(answer.list("MsgList").is_empty(), "there, and empty");
    }
    for (body, code, field) in [
        (json!({"MaxCnt": 15}), 90003, "Peer_Account"),
        (json!({"Peer_Account": "alice", "MaxCnt": "x"}), 90001, "MaxCnt"),
        (json!({"Peer_Account": "alice", "MaxCnt": 1, "MsgKey": "1_2"}), 90054, "MsgKey"),
        (json!({"Peer_Account": "alice", "MaxCnt": 1, "GetDirection": 2}), 90001, "GetDirection"),
    ] {
        bob.call("openim.getroammsg", body).await.refused(code, field);
    }
    let body = json!({"Peer_Account": "alice", "MaxCnt": 15});
    world.rest("openim/getroammsg", body).await.refused(60009, "");
}

#[tokio::test(start_paused = true)]
async fn a_page_has_at_most_100_messages_and_at_least_one() {
    let world = world().await;
    for number in 0..101 {
        world.send("alice", "bob", &number.to_string()).await;
    }
    let mut bob = world.login("bob").await;
    let answer = page(&mut bob, 4_000_000_000, 0, &json!(0), &json!("")).await;
    assert_eq!((answer["MsgCnt"].clone(), answer["Complete"].clone()), (json!(100), json!(0)));
    assert_eq!(page(&mut bob, 0, 0, &json!(0), &json!("")).await["MsgCnt"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_back_end_pages_by_about_13_kilobytes() {
    let world = world().await;
    let mut all = Vec::new();
    for number in 0..9 {
        // Three fit into a page; the last one alone nearly fills one.
        let size = if number == 8 { 12_000 } else { 4_000 };
        let content = format!("{number}{}", "x".repeat(size));
        all.push(world.send("alice", "bob", &content).await.key.to_string());
    }
    let mut body = json!({"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 100,
        "MinTime": world.now().0, "MaxTime": world.now().0, "LastMsgKey": ""});
    let (mut found, mut sizes): (Vec<String>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        let answer = world.rest("openim/admin_getroammsg", body.clone()).await.ok();
        let list = keys(&answer);
        assert_eq!(answer["LastMsgKey"], list[0], "the oldest of the page");
        sizes.push(list.len());
        found.splice(0..0, list);
        if answer["Complete"] == 1 {
            break;
        }
        body["MaxTime"] = answer["LastMsgTime"].clone();
        body["LastMsgKey"] = answer["LastMsgKey"].clone();
    }
    assert_eq!(found, all);
    assert_eq!(sizes, [1, 3, 3, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_back_end_reads_what_lies_between_two_times() {
    let world = world().await;
    let all = ten(&world).await;
    let now = world.now().0;
    let old_names = json!({"From_Account": "bob", "To_Account": "alice", "MaxCnt": 100, "MinTime": now - 4,
        "MaxTime": now - 3});
    let answer = world.rest("openim/admin_getroammsg", old_names).await.ok();
    assert_eq!(keys(&answer), all[2..6], "both ends are part of it");
    assert_eq!(answer["Complete"], 1);
    let fields = &answer.list("MsgList")[0];
    for name in [
        "From_Account",
        "To_Account",
        "MsgSeq",
        "MsgRandom",
        "MsgTimeStamp",
        "MsgFlagBits",
        "IsPeerRead",
        "MsgKey",
        "MsgBody",
        "CloudCustomData",
        "MsgClientTime",
    ] {
        assert!(fields.get(name).is_some(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_a_back_ends_page_name_their_field() {
    let world = world().await;
    for (body, code, field) in [
        (
            json!({"Peer_Account": "alice", "MaxCnt": 1, "MinTime": 0, "MaxTime": 1}),
            90008,
            "Operator_Account",
        ),
        (
            json!({"Operator_Account": "nobody", "Peer_Account": "alice", "MaxCnt": 1, "MinTime": 0, "MaxTime": 1}),
            90008,
            "Operator_Account",
        ),
        (json!({"Operator_Account": "bob", "MaxCnt": 1, "MinTime": 0, "MaxTime": 1}), 90003, "Peer_Account"),
        (
            json!({"From_Account": 1, "To_Account": "alice", "MaxCnt": 1, "MinTime": 0, "MaxTime": 1}),
            90008,
            "From_Account",
        ),
        (
            json!({"From_Account": "bob", "To_Account": 1, "MaxCnt": 1, "MinTime": 0, "MaxTime": 1}),
            90003,
            "To_Account",
        ),
        (
            json!({"Operator_Account": "bob", "Peer_Account": "alice", "MinTime": 0, "MaxTime": 1}),
            90001,
            "MaxCnt",
        ),
        (
            json!({"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 1, "MinTime": 0, "MaxTime": 1, "LastMsgKey": "x"}),
            90054,
            "LastMsgKey",
        ),
    ] {
        world.rest("openim/admin_getroammsg", body).await.refused(code, field);
    }
    let mut bob = world.login("bob").await;
    let body =
        json!({"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 1, "MinTime": 0, "MaxTime": 1});
    bob.call("openim.admin_getroammsg", body).await.refused(90009, "");
}

#[tokio::test(start_paused = true)]
async fn one_side_deletes_and_the_other_keeps() {
    let world = world().await;
    let all = ten(&world).await;
    let (mut alice, mut bob, mut carol) =
        (world.login("alice").await, world.login("bob").await, world.login("carol").await);
    let body = json!({"From_Account": "bob", "To_Account": "alice", "MsgKeyList": [all[0], "bad", all[9]]});
    let answer = bob.call("openim.delete_c2c_msg_ramble", body.clone()).await.ok();
    assert_eq!(answer["InvalidMsgKeyList"], json!(["bad"]));
    assert_eq!(keys(&page(&mut bob, 20, 0, &json!(0), &json!("")).await), all[1..9]);
    assert_eq!(keys(&page(&mut alice, 20, 0, &json!(0), &json!("")).await), all);
    alice.hears_nothing().await;
    // Again, and keys that name nothing: nothing happens.
    bob.call("openim.delete_c2c_msg_ramble", body.clone()).await.ok();
    carol.call("openim.delete_c2c_msg_ramble", body).await.refused(90008, "Operator_Account");
    let own = json!({"To_Account": "alice", "MsgKeyList": [all[1]]});
    carol.call("openim.delete_c2c_msg_ramble", own).await.ok();
    assert_eq!(keys(&page(&mut bob, 20, 0, &json!(0), &json!("")).await), all[1..9]);
    let bad = json!({"Operator_Account": "alice", "Peer_Account": "bob", "MsgKeyList": ["bad", ""]});
    let answer = world.rest("openim/delete_c2c_msg_ramble", bad).await.ok();
    assert_eq!(answer["InvalidMsgKeyList"], json!(["bad", ""]), "none is a key, nothing is deleted");
    let rest = json!({"Operator_Account": "alice", "Peer_Account": "bob", "MsgKeyList": [all[0]]});
    world.rest("openim/delete_c2c_msg_ramble", rest).await.ok();
    assert_eq!(keys(&page(&mut alice, 20, 0, &json!(0), &json!("")).await), all[1..]);
    for (body, code, field) in [
        (json!({"Operator_Account": "bob", "Peer_Account": "alice", "MsgKeyList": []}), 90054, "MsgKeyList"),
        (
            json!({"Operator_Account": "bob", "Peer_Account": "alice", "MsgKeyList": vec![&all[0]; 31]}),
            90054,
            "MsgKeyList",
        ),
        (json!([]), 90001, ""),
        (json!({"Peer_Account": "alice", "MsgKeyList": [all[0]]}), 90008, "Operator_Account"),
        (json!({"Operator_Account": "bob", "MsgKeyList": [all[0]]}), 90003, "Peer_Account"),
    ] {
        world.rest("openim/delete_c2c_msg_ramble", body).await.refused(code, field);
    }
}
