//! `openim/c2c_msg_read_receipt`: read receipts for single messages.

use serde_json::{Value, json};
use testkit::{Answer, Client, World, text};

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

/// A message from alice to bob.
async fn sent(alice: &mut Client, number: u32, wants_receipt: u8) -> Answer {
    let body = json!({"To_Account": "bob", "MsgSeq": number, "MsgRandom": number, "MsgClientTime": 77,
        "IsNeedReadReceipt": wants_receipt, "MsgBody": text("x")});
    alice.call("openim.sendmsg", body).await.ok()
}

fn receipt(messages: &[(&Answer, u32)]) -> Value {
    let info: Vec<Value> = messages
        .iter()
        .map(|(message, number)| {
            json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": number, "MsgRandom": number,
                "MsgTime": message["MsgTime"], "MsgClientTime": 77})
        })
        .collect();
    json!({"Peer_Account": "alice", "C2CMsgInfo": info})
}

/// `IsPeerRead` of the messages in alice's view of her conversation with bob.
async fn peer_read(world: &World) -> Vec<Value> {
    let page = json!({"Operator_Account": "alice", "Peer_Account": "bob", "MaxCnt": 10, "MinTime": 0,
        "MaxTime": world.now()});
    let page = world.rest("openim/admin_getroammsg", page).await.ok();
    page.list("MsgList").iter().map(|message| message["IsPeerRead"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_sender_is_told_which_messages_were_read() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let (first, second) = (sent(&mut alice, 1, 1).await, sent(&mut alice, 2, 1).await);
    world.advance_seconds(5).await;
    assert_eq!(peer_read(&world).await, [0, 0]);
    // Reading the conversation is no receipt.
    let read = json!({"C2CMsgReaded": {"C2CMsgReadedItem": [{"To_Account": "alice", "LastedMsgTime": world.now()}]}});
    bob.call("openim.msgreaded", read).await.ok();
    alice.forget().await;
    assert_eq!(peer_read(&world).await, [0, 0]);
    bob.call("openim.c2c_msg_read_receipt", receipt(&[(&first, 1), (&second, 2)])).await.ok();
    let push = alice.pushed().await;
    assert_eq!(push.event(), 16);
    let info = push.item("C2cMsgInfo");
    assert_eq!(info.as_array().map(Vec::len), Some(2));
    for (name, value) in
        [("TinyId", json!(alice.number)), ("MsgClientTime", json!(77)), ("MsgRandom", json!(1))]
    {
        assert_eq!(info[0][name], value, "{name}");
    }
    assert_eq!(push.item("Peer_Account"), "bob");
    assert_eq!(push.item("PeerReadTime"), &json!(world.now()));
    assert_eq!(peer_read(&world).await, [1, 1]);
    let page = json!({"Peer_Account": "bob", "MaxCnt": 10, "LastMsgTime": 0, "MsgKey": ""});
    let page = alice.call("openim.getroammsg", page).await.ok();
    assert_eq!(page.list("MsgList")[0]["PeerReadTime"], json!(world.now()));
}

#[tokio::test(start_paused = true)]
async fn receipts_that_nobody_wants_or_that_repeat_are_left_out() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let (unwanted, wanted) = (sent(&mut alice, 1, 0).await, sent(&mut alice, 2, 1).await);
    bob.call("openim.c2c_msg_read_receipt", receipt(&[(&unwanted, 1)])).await.ok();
    bob.call("openim.c2c_msg_read_receipt", receipt(&[(&wanted, 5)])).await.ok();
    alice.hears_nothing().await;
    for _ in 0..2 {
        bob.call("openim.c2c_msg_read_receipt", receipt(&[(&wanted, 2), (&wanted, 2), (&unwanted, 1)]))
            .await
            .ok();
    }
    let pushes = alice.rest().await;
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].item("C2cMsgInfo").as_array().map(Vec::len), Some(1));
    assert_eq!(peer_read(&world).await, [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_back_end_names_messages_by_their_keys() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let message = sent(&mut alice, 1, 1).await;
    let info = json!([{"From_Account": "alice", "To_Account": "bob", "MsgKey": message["MsgKey"]}]);
    let body = json!({"Operator_Account": "bob", "Peer_Account": "alice", "C2CMsgInfo": info});
    world.rest("openim/c2c_msg_read_receipt", body).await.ok();
    assert_eq!(alice.pushed().await.item("Peer_Account"), "bob");
    assert_eq!(peer_read(&world).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_comes_from_who_received() {
    let world = world().await;
    let (mut alice, mut carol) = (world.login("alice").await, world.login("carol").await);
    let message = sent(&mut alice, 1, 1).await;
    let info = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": message["MsgKey"]});
    let own = json!({"From_Account": "alice", "To_Account": "carol", "MsgKey": message["MsgKey"]});
    for (body, code, field) in [
        (
            json!({"Operator_Account": "bob", "Peer_Account": "alice", "C2CMsgInfo": [info]}),
            90008,
            "Operator_Account",
        ),
        (json!({"Peer_Account": "alice", "C2CMsgInfo": [info]}), 90001, "C2CMsgInfo"),
        (json!({"Peer_Account": "nobody", "C2CMsgInfo": [info]}), 90003, "Peer_Account"),
        (json!({"Peer_Account": "alice", "C2CMsgInfo": vec![own.clone(); 101]}), 90018, "C2CMsgInfo"),
        (
            json!({"Peer_Account": "alice", "C2CMsgInfo": [{"From_Account": "alice", "To_Account": "carol"}]}),
            90054,
            "C2CMsgInfo",
        ),
        (
            json!({"Peer_Account": "alice",
                "C2CMsgInfo": [{"From_Account": "alice", "To_Account": "carol", "MsgKey": "1_2"}]}),
            90054,
            "C2CMsgInfo.MsgKey",
        ),
    ] {
        carol.call("openim.c2c_msg_read_receipt", body).await.refused(code, field);
    }
    let body = json!({"Peer_Account": "alice", "C2CMsgInfo": [own]});
    carol.call("openim.c2c_msg_read_receipt", body).await.ok();
    // The author of a message cannot confirm it to himself either.
    let turned = json!({"From_Account": "bob", "To_Account": "alice", "MsgKey": message["MsgKey"]});
    let body = json!({"Peer_Account": "bob", "C2CMsgInfo": [turned]});
    alice.call("openim.c2c_msg_read_receipt", body).await.ok();
    alice.hears_nothing().await;
    assert_eq!(peer_read(&world).await, [0]);
    world
        .rest("openim/c2c_msg_read_receipt", json!({"Peer_Account": "alice", "C2CMsgInfo": []}))
        .await
        .refused(90008, "Operator_Account");
}
