//! `openim.msgwithdraw` and `openim/admin_msgwithdraw`: a recalled message is gone on both sides.

use serde_json::{Value, json};
use testkit::{Answer, Client, World, text};

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

/// A message that alice has sent to bob.
async fn sent(alice: &mut Client, number: u32) -> Answer {
    let body = json!({"To_Account": "bob", "MsgSeq": number, "MsgRandom": number, "MsgClientTime": 77,
        "CloudCustomData": "secret", "MsgBody": text("secret")});
    alice.call("openim.sendmsg", body).await.ok()
}

fn withdraw(sent: &Answer, number: u32) -> Value {
    json!({"MsgInfo": {"From_Account": "alice", "To_Account": "bob", "MsgSeq": number, "MsgRandom": number,
        "MsgTimeStamp": sent["MsgTime"]}})
}

async fn history(client: &mut Client, peer: &str, with_recalled: u8) -> Answer {
    let page = json!({"Peer_Account": peer, "MaxCnt": 100, "LastMsgTime": 0, "MsgKey": "",
        "WithRecalledMsg": with_recalled});
    client.call("openim.getroammsg", page).await.ok()
}

#[tokio::test(start_paused = true)]
async fn both_sides_are_told_and_the_content_is_gone() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let message = sent(&mut alice, 1).await;
    for client in [&mut second, &mut bob] {
        client.forget().await;
    }
    world.advance_seconds(60).await;
    alice.call("openim.msgwithdraw", withdraw(&message, 1)).await.ok();
    for client in [&mut second, &mut bob] {
        let push = client.pushed().await;
        assert_eq!(push.event(), 10);
        let expected = json!([{"From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1, "MsgRand": 1,
            "MsgTimeStamp": message["MsgTime"], "MsgClientTime": 77, "TinyId": alice.number,
            "RevokerInfo": {"Revoker_Account": "alice", "Reason": ""}}]);
        assert_eq!(push.notice("WithdrawC2cMsgNotify")["C2cWithdrawInfoArray"], expected);
        client.hears_nothing().await;
    }
    alice.hears_nothing().await;
    for (client, peer) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        let page = history(client, peer, 1).await;
        let message = &page.list("MsgList")[0];
        assert_eq!(message["MsgFlagBits"], 8);
        assert_eq!(message["RevokerInfo"], json!({"Revoker_Account": "alice", "Reason": ""}));
        assert!(!message.to_string().contains("secret"));
        assert!(history(client, peer, 0).await.list("MsgList").is_empty());
    }
    let count = world.rest("openim/get_c2c_unread_msg_num", json!({"To_Account": "bob"})).await.ok();
    assert_eq!(count["AllC2CUnreadMsgNum"], 0, "a recalled message is not unread");
}

#[tokio::test(start_paused = true)]
async fn an_account_recalls_within_the_window_and_once() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let (first, second) = (sent(&mut alice, 1).await, sent(&mut alice, 2).await);
    world.advance_seconds(120).await;
    alice.call("openim.msgwithdraw", withdraw(&first, 1)).await.ok();
    alice.call("openim.msgwithdraw", withdraw(&first, 1)).await.refused(20023, "");
    world.advance_seconds(1).await;
    alice.call("openim.msgwithdraw", withdraw(&second, 2)).await.refused(20016, "");
    world.set("recall_seconds", "300").await;
    alice.call("openim.msgwithdraw", withdraw(&second, 2)).await.ok();
    world.set("recall_seconds", "0").await;
    let third = sent(&mut alice, 3).await;
    alice.call("openim.msgwithdraw", withdraw(&third, 3)).await.refused(20016, "");
}

#[tokio::test(start_paused = true)]
async fn an_account_recalls_its_own_messages_only() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let message = sent(&mut alice, 1).await;
    bob.forget().await;
    bob.call("openim.msgwithdraw", withdraw(&message, 1)).await.refused(90008, "From_Account");
    let mut turned = withdraw(&message, 1);
    turned["MsgInfo"]["From_Account"] = json!("bob");
    turned["MsgInfo"]["To_Account"] = json!("alice");
    bob.call("openim.msgwithdraw", turned).await.refused(20022, "");
    let mut other = withdraw(&message, 1);
    other["MsgInfo"]["MsgRandom"] = json!(2);
    alice.call("openim.msgwithdraw", other).await.refused(20022, "");
    alice.call("openim.msgwithdraw", json!({"MsgInfo": {}})).await.refused(90001, "MsgInfo");
    alice.hears_nothing().await;
    bob.hears_nothing().await;
    assert_eq!(history(&mut bob, "alice", 0).await.list("MsgList").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_administrator_recalls_any_message_however_old() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let message = sent(&mut alice, 1).await;
    bob.forget().await;
    world.advance_seconds(3600).await;
    let body = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": message["MsgKey"]});
    world.rest("openim/admin_msgwithdraw", body.clone()).await.ok();
    for client in [&mut alice, &mut bob] {
        let push = client.pushed().await;
        let info = &push.notice("WithdrawC2cMsgNotify")["C2cWithdrawInfoArray"][0];
        assert_eq!(info["RevokerInfo"]["Revoker_Account"], "administrator");
    }
    world.rest("openim/admin_msgwithdraw", body).await.refused(20023, "");
    let page = json!({"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 10, "MinTime": 0,
        "MaxTime": world.now()});
    let page = world.rest("openim/admin_getroammsg", page).await.ok();
    assert_eq!(page.list("MsgList")[0]["MsgFlagBits"], 8, "listed, and flagged");
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_administrators_recall_name_their_field() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let key = sent(&mut alice, 1).await["MsgKey"].clone();
    for (body, code, field) in [
        (json!({"To_Account": "bob", "MsgKey": key}), 90008, "From_Account"),
        (json!({"From_Account": "nobody", "To_Account": "bob", "MsgKey": key}), 90008, "From_Account"),
        (json!({"From_Account": "alice", "MsgKey": key}), 90003, "To_Account"),
        (json!({"From_Account": "alice", "To_Account": "nobody", "MsgKey": key}), 90003, "To_Account"),
        (json!({"From_Account": "alice", "To_Account": "bob"}), 90054, "MsgKey"),
        (json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "1_2"}), 90054, "MsgKey"),
        (json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "1_2_3"}), 20022, ""),
        // The key of alice's message is none of bob's.
        (json!({"From_Account": "bob", "To_Account": "alice", "MsgKey": key}), 20022, ""),
    ] {
        world.rest("openim/admin_msgwithdraw", body).await.refused(code, field);
    }
    let body = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": key});
    alice.call("openim.admin_msgwithdraw", body).await.refused(90009, "");
    world.rest("openim/admin_msgwithdraw", json!([])).await.refused(90001, "");
}
