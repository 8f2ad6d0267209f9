//! An app that stores no messages: they reach who is online, or nobody.

use serde_json::{Value, json};
use testkit::{Answer, Client, World, text};

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world.keep(Some(0), None).await;
    world
}

fn message(number: u32, content: &str) -> Value {
    json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": number, "MsgRandom": number,
        "MsgBody": text(content)})
}

async fn send(client: &mut Client, number: u32) -> Answer {
    client.call("openim.sendmsg", message(number, "hello")).await
}

#[tokio::test(start_paused = true)]
async fn a_message_reaches_who_is_online_and_the_sender_learns_when_nobody_was() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    assert_eq!(send(&mut alice, 1).await.code(), 200_008);
    let (mut other, mut bob) = (world.login("alice").await, world.login("bob").await);
    // The same message, sent again, was never delivered before.
    let sent = send(&mut alice, 1).await.ok();
    let pushed = bob.pushed().await.item("C2cMsgArray")[0].clone();
    assert_eq!(pushed["MsgBody"], text("hello"));
    assert_eq!(other.pushed().await.item("C2cMsgArray")[0]["IsSyncMsg"], 1);
    // Now it was: a resend has the first answer and is not pushed.
    world.advance_seconds(60).await;
    let again = send(&mut alice, 1).await.ok();
    assert_eq!((&again["MsgTime"], &again["MsgKey"]), (&sent["MsgTime"], &sent["MsgKey"]));
    bob.hears_nothing().await;
    world.rest("openim/sendmsg", message(2, "by the back end")).await.ok();
    assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["MsgSeq"], 2);
}

#[tokio::test(start_paused = true)]
async fn for_everything_else_the_message_does_not_exist() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let sent = send(&mut alice, 1).await.ok();
    bob.pushed().await;
    let page = json!({"Peer_Account": "alice", "MaxCnt": 100, "LastMsgTime": 0, "MsgKey": ""});
    assert_eq!(bob.call("openim.getroammsg", page).await.ok().list("MsgList").len(), 0);
    let unread = world.rest("openim/get_c2c_unread_msg_num", json!({"To_Account": "bob"})).await;
    assert_eq!(unread.ok()["AllC2CUnreadMsgNum"], 0);
    let recall = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent["MsgKey"]});
    assert_eq!(world.rest("openim/admin_msgwithdraw", recall).await.code(), 20022);
    let import = json!({"SyncFromOldSystem": 2, "From_Account": "alice", "To_Account": "bob", "MsgSeq": 3,
        "MsgRandom": 3, "MsgTimeStamp": world.now().0, "MsgBody": text("imported")});
    assert_eq!(world.rest("openim/importmsg", import).await.code(), 200_007);
    let read = json!({"Report_Account": "bob", "Peer_Account": "alice"});
    world.rest("openim/admin_set_msg_read", read).await.ok();
    alice.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_sender_who_is_blocked_and_not_told_learns_nothing_either() {
    let world = world().await;
    world.set("blocklist_show_sent", "true").await;
    world.block("bob", "alice").await;
    let mut alice = world.login("alice").await;
    send(&mut alice, 1).await.ok();
    let mut bob = world.login("bob").await;
    send(&mut alice, 2).await.ok();
    bob.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_before_is_gone_at_once_and_what_comes_after_a_choice_is_kept() {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world.send("alice", "bob", "stored").await;
    world.keep(Some(0), None).await;
    assert_eq!(world.history("bob", "alice").await.len(), 0);
    world.keep(Some(7), None).await;
    world.send("alice", "bob", "stored again").await;
    assert_eq!(world.history("bob", "alice").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_message_with_the_same_numbers_is_delivered_too() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut custom = message(1, "first");
    custom["CloudCustomData"] = json!("other");
    for body in [message(1, "first"), message(1, "second"), custom.clone()] {
        alice.call("openim.sendmsg", body.clone()).await.ok();
        assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["MsgBody"], body["MsgBody"]);
    }
    alice.call("openim.sendmsg", custom.clone()).await.ok();
    bob.hears_nothing().await;
    // Beyond the time in which a resend is recognised it is a new message.
    world.advance_seconds(86_401).await;
    world.rest("openim/sendmsg", custom).await.ok();
    bob.pushed().await;
}

#[tokio::test(start_paused = true)]
async fn a_repeated_message_for_who_is_online_is_pushed_once() {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut body = message(1, "typing");
    body["OnlineOnlyFlag"] = json!(1);
    let first = alice.call("openim.sendmsg", body.clone()).await.ok();
    world.advance_seconds(2).await;
    let again = alice.call("openim.sendmsg", body.clone()).await.ok();
    assert_eq!((&again["MsgKey"], &again["MsgId"]), (&first["MsgKey"], &first["MsgId"]));
    // At the same moment, too.
    body["MsgRandom"] = json!(2);
    let numbers =
        [alice.send("openim.sendmsg", body.clone()).await, alice.send("openim.sendmsg", body).await];
    for number in numbers {
        let answer = alice.answer_or_end("openim.sendmsg", number).await;
        answer.expect("an answer").ok();
    }
    assert_eq!(bob.rest().await.len(), 2);
}
