//! `openim/sendmsg`: what is sent arrives, once, where it should and nowhere else.

use serde_json::{Value, json};
use testkit::{Answer, Client, World, text};

const TO_BOB: &str = "From_Account";

/// A message from alice to bob with these numbers.
fn hello(number: u32) -> Value {
    json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": number, "MsgRandom": number + 1,
        "MsgClientTime": 77, "MsgBody": text("hello")})
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn without(mut body: Value, name: &str) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.remove(name);
    }
    body
}

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

async fn history(client: &mut Client, peer: &str) -> Answer {
    let page =
        json!({"Peer_Account": peer, "MaxCnt": 100, "LastMsgTime": 0, "MsgKey": "", "WithRecalledMsg": 1});
    client.call("openim.getroammsg", page).await.ok()
}

async fn unread(world: &World, user: &str) -> Value {
    let answer = world.rest("openim/get_c2c_unread_msg_num", json!({"To_Account": user})).await;
    answer.ok()["AllC2CUnreadMsgNum"].clone()
}

#[tokio::test(start_paused = true)]
async fn the_receiver_and_the_senders_other_instances_get_a_message() {
    let world = world().await;
    world.nick("alice", "Alice").await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let body = with(hello(5), "CloudCustomData", json!("{\"a\":1}"));
    let sent = alice.call("openim.sendmsg", body).await.ok();
    let time = world.now();
    assert_eq!(sent["MsgTime"], json!(time));
    assert_eq!(sent["MsgKey"], format!("5_6_{}", time.0));
    assert_eq!(sent["MsgId"], format!("{}-77-6", alice.number));
    let push = bob.pushed().await;
    assert_eq!(push.event(), 9);
    let item = &push.item("C2cMsgArray")[0];
    for (name, value) in [
        ("From_Account", json!("alice")),
        ("To_Account", json!("bob")),
        ("MsgSeq", json!(5)),
        ("MsgRandom", json!(6)),
        ("MsgTimeStamp", json!(time)),
        ("MsgClientTime", json!(77)),
        ("TinyId", json!(alice.number)),
        ("From_AccountNick", json!("Alice")),
        ("From_AccountHeadurl", json!("")),
        ("MsgBody", text("hello")),
        ("CloudCustomData", json!("{\"a\":1}")),
        ("MsgKey", sent["MsgKey"].clone()),
    ] {
        assert_eq!(item[name], value, "{name}");
    }
    for absent in ["IsSyncMsg", "MsgLifeTime", "SendMsgControl", "MsgVersion"] {
        assert_eq!(item.get(absent), None, "{absent}");
    }
    // The copy for the sender's other instances has both sides exchanged.
    let push = second.pushed().await;
    let item = &push.item("C2cMsgArray")[0];
    assert_eq!((&item["From_Account"], &item["To_Account"]), (&json!("bob"), &json!("alice")));
    assert_eq!((&item["IsSyncMsg"], &item["TinyId"]), (&json!(1), &json!(alice.number)));
    for client in [&mut alice, &mut second, &mut bob] {
        client.hears_nothing().await;
    }
    for (client, peer) in [(&mut alice, "bob"), (&mut second, "bob"), (&mut bob, "alice")] {
        let page = history(client, peer).await;
        assert_eq!(page.list("MsgList").len(), 1);
        assert_eq!(page.list("MsgList")[0]["MsgKey"], sent["MsgKey"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_back_end_sends_in_its_own_name_and_in_any_accounts() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let sent = world.rest("openim/sendmsg", hello(1)).await.ok();
    assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["From_Account"], "alice");
    assert_eq!(alice.pushed().await.item("C2cMsgArray")[0]["IsSyncMsg"], 1);
    assert_eq!(sent["MsgId"], format!("{}-77-2", alice.number));
    world.rest("openim/sendmsg", without(hello(2), TO_BOB)).await.ok();
    assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["From_Account"], "administrator");
    alice.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_account_sends_in_its_own_name_only() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let forged = with(hello(1), "From_Account", json!("bob"));
    alice.call("openim.sendmsg", forged).await.refused(90008, "From_Account");
    alice.call("openim.sendmsg", without(hello(1), TO_BOB)).await.ok();
    assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["From_Account"], "alice");
    bob.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn errors_carry_the_documented_number_and_name_the_field() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let wrong = |name: &str, value: Value| with(hello(1), name, value);
    for (body, code, field) in [
        (without(hello(1), "To_Account"), 90003, "To_Account"),
        (wrong("To_Account", json!(["bob"])), 90003, "To_Account"),
        (wrong("To_Account", json!("")), 90003, "To_Account"),
        (without(hello(1), "MsgRandom"), 90005, "MsgRandom"),
        (wrong("MsgRandom", json!("1")), 90005, "MsgRandom"),
        (wrong("MsgRandom", json!(4_294_967_296_u64)), 90005, "MsgRandom"),
        (without(hello(1), "MsgBody"), 90007, "MsgBody"),
        (wrong("MsgBody", json!({})), 90007, "MsgBody"),
        (wrong("MsgBody", json!([])), 90002, "MsgBody"),
        (wrong("MsgBody", json!([{"MsgContent": {}}])), 90002, "MsgType"),
        (wrong("MsgBody", json!([{"MsgType": "TIMTextElem"}])), 90002, "MsgContent"),
        (
            wrong("MsgBody", json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": 1}}])),
            90010,
            "MsgBody[0]",
        ),
        (wrong("MsgBody", json!([{"MsgType": "TIMOtherElem", "MsgContent": {}}])), 90010, "MsgBody[0]"),
        (wrong("MsgLifeTime", json!("1")), 90044, "MsgLifeTime"),
        (wrong("MsgLifeTime", json!(-1)), 90026, "MsgLifeTime"),
        (wrong("SyncOtherMachine", json!("1")), 90031, "SyncOtherMachine"),
        (wrong("SyncOtherMachine", json!(3)), 90031, "SyncOtherMachine"),
        (wrong("OfflinePushInfo", json!("x")), 90043, "OfflinePushInfo"),
        (wrong("SendMsgControl", json!(["NoUnread", "Loud"])), 90001, "SendMsgControl[1]"),
        (wrong("MsgSeq", json!(-1)), 90001, "MsgSeq"),
        (wrong("From_Account", json!(7)), 90008, "From_Account"),
        (json!(["alice", "bob"]), 90001, "object"),
    ] {
        let over_rest = world.rest("openim/sendmsg", body.clone()).await;
        over_rest.refused(code, field);
        alice.call("openim.sendmsg", body).await.refused(code, field);
    }
    let nobody = with(hello(1), "To_Account", json!("nobody"));
    world.rest("openim/sendmsg", nobody.clone()).await.refused(90012, "To_Account");
    alice.call("openim.sendmsg", nobody).await.refused(20003, "To_Account");
    let nobody = with(hello(1), "From_Account", json!("nobody"));
    world.rest("openim/sendmsg", nobody).await.refused(90008, "From_Account");
    assert!(history(&mut alice, "bob").await.list("MsgList").is_empty());
}

#[tokio::test(start_paused = true)]
async fn twelve_kilobytes_pass_and_one_byte_more_does_not() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let room = 12 * 1024 - text("").to_string().len();
    let mut send = async |content: usize, custom: usize| {
        let body = with(hello(1), "MsgBody", text(&"x".repeat(content)));
        let body = with(body, "CloudCustomData", json!("y".repeat(custom)));
        alice.call("openim.sendmsg", body).await
    };
    send(room, 0).await.ok();
    send(room + 1, 0).await.refused(80002, "MsgBody");
    send(room - 8192, 8192).await.ok();
    send(room - 8192, 8193).await.refused(80002, "CloudCustomData");
    send(room - 100, 101).await.refused(80002, "MsgBody");
}

#[tokio::test(start_paused = true)]
async fn a_resend_gets_the_first_answer_again_and_sends_nothing() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let first = alice.call("openim.sendmsg", hello(1)).await.ok();
    assert_eq!(bob.pushed().await.event(), 9);
    world.advance_seconds(3600).await;
    let again = alice.call("openim.sendmsg", hello(1)).await.ok();
    assert_eq!(again, first, "time and key are those of the first time");
    // The same numbers with other content, and another receiver, are other messages.
    let other = with(hello(1), "MsgBody", text("other"));
    let other = alice.call("openim.sendmsg", other).await.ok();
    assert_ne!(other["MsgKey"], first["MsgKey"]);
    let to_self = with(hello(1), "To_Account", json!("alice"));
    assert_ne!(alice.call("openim.sendmsg", to_self).await.ok()["MsgKey"], first["MsgKey"]);
    assert_eq!(bob.rest().await.len(), 1, "the other content, and no second copy of the first");
    assert_eq!(history(&mut bob, "alice").await.list("MsgList").len(), 2);
    world.advance_seconds(86_400).await;
    let late = alice.call("openim.sendmsg", hello(1)).await;
    // The login has ended with its signature; a fresh one sends.
    late.refused(70001, "");
    let mut alice = world.login("alice").await;
    let late = alice.call("openim.sendmsg", hello(1)).await.ok();
    assert_ne!(late["MsgKey"], first["MsgKey"], "after a day it is a new message");
}

#[tokio::test(start_paused = true)]
async fn the_same_numbers_tell_four_contents_apart_and_a_resend_of_a_recalled_message_brings_nothing_back() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let body = |content: &str| with(hello(1), "MsgBody", text(content));
    let mut keys = Vec::new();
    for content in ["one", "two", "three", "four"] {
        keys.push(alice.call("openim.sendmsg", body(content)).await.ok()["MsgKey"].clone());
        world.advance_seconds(1).await;
    }
    for (content, key) in ["one", "two", "three", "four"].iter().zip(&keys) {
        assert_eq!(alice.call("openim.sendmsg", body(content)).await.ok()["MsgKey"], *key, "{content}");
    }
    // Beyond the limit every one is new.
    for _ in 0..2 {
        let fifth = alice.call("openim.sendmsg", body("five")).await.ok();
        assert!(!keys.contains(&fifth["MsgKey"]));
        keys.push(fifth["MsgKey"].clone());
        world.advance_seconds(1).await;
    }
    let mut bob = world.login("bob").await;
    assert_eq!(history(&mut bob, "alice").await.list("MsgList").len(), 6);
    let parts: Vec<u32> = keys[0].as_str().unwrap().split('_').map(|part| part.parse().unwrap()).collect();
    let first = json!({"MsgInfo": {"From_Account": "alice", "To_Account": "bob", "MsgSeq": parts[0],
        "MsgRandom": parts[1], "MsgTimeStamp": parts[2]}});
    alice.call("openim.msgwithdraw", first).await.ok();
    assert_eq!(alice.call("openim.sendmsg", body("one")).await.ok()["MsgKey"], keys[0]);
    // What is new has another time of its sender.
    let new = with(body("new"), "MsgClientTime", json!(4711));
    assert!(!keys.contains(&alice.call("openim.sendmsg", new).await.ok()["MsgKey"]));
    let shown = history(&mut bob, "alice").await;
    assert!(!shown.0.to_string().contains("\"one\""), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_back_end_without_sequence_is_recognised_by_the_random_number() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let body = without(hello(1), "MsgSeq");
    let first = world.rest("openim/sendmsg", body.clone()).await.ok();
    world.advance_seconds(100).await;
    let again = world.rest("openim/sendmsg", body.clone()).await.ok();
    assert_eq!((&again["MsgKey"], &again["MsgTime"]), (&first["MsgKey"], &first["MsgTime"]));
    let other = world.rest("openim/sendmsg", with(body, "MsgRandom", json!(99))).await.ok();
    assert_ne!(other["MsgKey"], first["MsgKey"]);
    assert_eq!(bob.rest().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_got_lost_is_given_after_the_reconnect() {
    let world = world().await;
    let alice = world.login("alice").await;
    let mut bob = world.login("bob").await;
    let mut again = world.reconnect(&alice, testkit::Device::WEB).await;
    let mut alice = alice;
    alice.send("openim.sendmsg", hello(1)).await;
    world.settle().await;
    drop(alice);
    again.log_in().await.ok();
    let answer = again.call("openim.sendmsg", hello(1)).await.ok();
    assert_eq!(bob.rest().await.len(), 1);
    assert_eq!(history(&mut bob, "alice").await.list("MsgList")[0]["MsgKey"], answer["MsgKey"]);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_sender_is_told_and_a_back_end_is_not_held_up() {
    let world = world().await;
    world.block("bob", "alice").await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    alice.call("openim.sendmsg", hello(1)).await.refused(20007, "");
    bob.hears_nothing().await;
    assert!(history(&mut alice, "bob").await.list("MsgList").is_empty());
    world.rest("openim/sendmsg", hello(2)).await.ok();
    assert_eq!(bob.pushed().await.event(), 9);
    // Blocking works in one direction.
    let back = json!({"To_Account": "alice", "MsgRandom": 1, "MsgBody": text("?")});
    bob.call("openim.sendmsg", back).await.ok();
}

#[tokio::test(start_paused = true)]
async fn an_app_may_let_blocked_senders_write() {
    let world = world().await;
    world.block("bob", "alice").await;
    world.set("block_list_check", "false").await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    alice.call("openim.sendmsg", hello(1)).await.ok();
    assert_eq!(bob.pushed().await.event(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_friendship_of_either_side_is_enough_where_the_app_says_so() {
    for owner in ["alice", "bob"] {
        let world = world().await;
        world.set("friendship_check", "either").await;
        let mut alice = world.login("alice").await;
        alice.call("openim.sendmsg", hello(1)).await.refused(20009, "");
        world.befriend(owner, if owner == "alice" { "bob" } else { "alice" }).await;
        alice.call("openim.sendmsg", hello(2)).await.ok();
        world.set("friendship_check", "both").await;
        let code = if owner == "alice" { 20010 } else { 20011 };
        alice.call("openim.sendmsg", hello(3)).await.refused(code, "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocked_sender_sees_it_sent_where_the_app_says_so() {
    let world = world().await;
    world.set("blocklist_show_sent", "true").await;
    world.block("bob", "alice").await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    alice.call("openim.sendmsg", hello(1)).await.ok();
    let online = with(hello(2), "MsgLifeTime", json!(0));
    alice.call("openim.sendmsg", online).await.ok();
    let pushes = second.rest().await;
    assert_eq!(pushes.len(), 2, "the sender's other instances follow");
    assert_eq!(pushes[0].item("C2cMsgArray")[0]["IsSyncMsg"], 1);
    bob.hears_nothing().await;
    assert_eq!(history(&mut alice, "bob").await.list("MsgList").len(), 1);
    assert!(history(&mut bob, "alice").await.list("MsgList").is_empty());
    assert_eq!(unread(&world, "bob").await, 0);
    let missed = bob.call("openim.getmsg", json!({"Cookie": "c:0"})).await.ok();
    assert!(missed.list("MsgList").is_empty());
}

#[tokio::test(start_paused = true)]
async fn online_messages_reach_who_is_there_and_leave_no_trace() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    for (number, name, value) in [(1, "MsgLifeTime", 0), (2, "OnlineOnlyFlag", 1)] {
        let body = with(hello(number), name, json!(value));
        let sent = alice.call("openim.sendmsg", body).await.ok();
        assert_eq!(sent["MsgTime"], json!(world.now()));
        let push = bob.pushed().await;
        assert_eq!(push.item("C2cMsgArray")[0]["MsgLifeTime"], 0);
        let push = second.pushed().await;
        assert_eq!(push.item("C2cMsgArray")[0]["IsSyncMsg"], 1);
    }
    alice.hears_nothing().await;
    assert!(history(&mut bob, "alice").await.list("MsgList").is_empty());
    assert_eq!(unread(&world, "bob").await, 0);
    let missed = bob.call("openim.getmsg", json!({"Cookie": "c:0"})).await.ok();
    assert!(missed.list("MsgList").is_empty());
    // More than seven days are cut, not refused.
    let body = with(hello(3), "MsgLifeTime", json!(604_801));
    alice.call("openim.sendmsg", body).await.ok();
    assert_eq!(history(&mut bob, "alice").await.list("MsgList").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_sender_may_keep_no_copy() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let body = with(hello(1), "SyncOtherMachine", json!(2));
    world.rest("openim/sendmsg", body).await.ok();
    assert_eq!(bob.pushed().await.event(), 9);
    alice.hears_nothing().await;
    assert!(history(&mut alice, "bob").await.list("MsgList").is_empty());
    assert_eq!(history(&mut bob, "alice").await.list("MsgList").len(), 1);
    let missed = alice.call("openim.getmsg", json!({"Cookie": "c:0"})).await.ok();
    assert!(missed.list("MsgList").is_empty());
}

#[tokio::test(start_paused = true)]
async fn control_flags_travel_and_work() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let body = with(hello(1), "SendMsgControl", json!(["NoUnread", "NoLastMsg", "NoMsgCheck"]));
    alice.call("openim.sendmsg", body).await.ok();
    let push = bob.pushed().await;
    let item = &push.item("C2cMsgArray")[0];
    assert_eq!(item["SendMsgControl"], json!({"NoUnread": 1, "NoLastMsg": 1}));
    assert_eq!(unread(&world, "bob").await, 0);
    assert_eq!(history(&mut bob, "alice").await.list("MsgList").len(), 1);
    let flags = json!({"IsNeedReadReceipt": 1, "SupportMessageExtension": 1, "IsRelayMsg": 1});
    let mut body = hello(2);
    for (name, value) in flags.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    alice.call("openim.sendmsg", body).await.ok();
    let push = bob.pushed().await;
    let item = &push.item("C2cMsgArray")[0];
    for name in ["IsNeedReadReceipt", "NeedReadReceipt", "SupportMessageExtension", "IsRelayMsg"] {
        assert_eq!(item[name], 1, "{name}");
    }
    assert_eq!(item.get("SendMsgControl"), None);
    assert_eq!(unread(&world, "bob").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_to_oneself_comes_once() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let body = with(hello(1), "To_Account", json!("alice"));
    alice.call("openim.sendmsg", body).await.ok();
    assert_eq!(second.rest().await.len(), 1);
    alice.hears_nothing().await;
    assert_eq!(history(&mut alice, "alice").await.list("MsgList").len(), 1);
    assert_eq!(unread(&world, "alice").await, 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_new_is_taken_when_the_disk_is_full_and_reading_goes_on() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    alice.call("openim.sendmsg", hello(1)).await.ok();
    world.store.set_full(true);
    alice.call("openim.sendmsg", hello(2)).await.refused(200_002, "");
    world.rest("openim/sendmsg", hello(2)).await.refused(200_002, "");
    assert_eq!(history(&mut alice, "bob").await.list("MsgList").len(), 1);
    world.store.set_full(false);
    alice.call("openim.sendmsg", hello(2)).await.ok();
    assert_eq!(history(&mut alice, "bob").await.list("MsgList").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_back_end_calls_two_hundred_times_a_second() {
    let world = world().await;
    for number in 0..200 {
        world.rest("openim/sendmsg", hello(number)).await.ok();
    }
    world.rest("openim/sendmsg", hello(500)).await.refused(60007, "200");
    world.rest("openim/get_c2c_unread_msg_num", json!({"To_Account": "bob"})).await.ok();
    world.advance_seconds(1).await;
    world.rest("openim/sendmsg", hello(500)).await.ok();
}

#[tokio::test(start_paused = true)]
async fn both_forms_of_the_socket_carry_messages() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let device = testkit::Device { is_text: true, ..testkit::Device::WEB };
    let mut bob = world.login_on("bob", device).await;
    alice.call("openim.sendmsg", hello(1)).await.ok();
    assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["MsgBody"], text("hello"));
}

#[tokio::test(start_paused = true)]
async fn a_muted_account_cannot_write_until_the_second_in_which_its_time_is_over() {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    let mut alice = world.login("alice").await;
    let (user, now) = (world.account("alice").await.user.clone(), world.now());
    let muted = world.engine().accounts.mute(world.app.id, &user, Some(now.plus(60)), None).await;
    assert!(muted.is_ok());
    let body = |random: u32| {
        json!({
            "From_Account": "alice", "To_Account": "bob", "MsgSeq": random, "MsgRandom": random,
            "MsgBody": text("hello"),
        })
    };
    alice.call("openim.sendmsg", body(1)).await.refused(20012, "");
    world.send("alice", "bob", "by the back end, which writes in anybody's name").await;
    world.advance_seconds(59).await;
    alice.call("openim.sendmsg", body(2)).await.refused(20012, "");
    world.advance_seconds(1).await;
    alice.call("openim.sendmsg", body(3)).await.ok();
    assert_eq!(world.history("bob", "alice").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_robot_needs_no_friendship() {
    let world = world().await;
    let robot = "@RBT#one";
    world.robot(robot).await;
    world.set("friendship_check", "both").await;
    let (mut alice, mut one) = (world.login("alice").await, world.login(robot).await);
    alice.call("openim.sendmsg", hello(1)).await.refused(20009, "");
    let to_robot = with(hello(2), "To_Account", json!(robot));
    let sent = alice.call("openim.sendmsg", with(to_robot, "SupportMessageExtension", json!(1))).await.ok();
    one.pushed().await;
    let answer = with(hello(3), "From_Account", json!(robot));
    one.call("openim.sendmsg", with(answer, "To_Account", json!("alice"))).await.ok();
    let reaction = json!({"From_Account": "alice", "To_Account": robot, "MsgKey": sent["MsgKey"],
        "Reaction": "smile", "OperateType": 1});
    alice.call("openim_msg_ext_http_svc.reaction_add", reaction).await.ok();
}

#[tokio::test(start_paused = true)]
async fn what_has_no_effect_yet_is_accepted() {
    let world = world().await;
    for (name, value) in [
        ("SendMsgControl", json!(["WithMuteNotifications"])),
        ("ForbidCallbackControl", json!(["ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback"])),
        ("MsgTimeStamp", json!(1_557_387_418)),
        ("MsgLifeTime", json!(60)),
    ] {
        world.rest("openim/sendmsg", with(hello(1), name, value)).await.ok();
    }
    let unknown = with(hello(1), "ForbidCallbackControl", json!(["Unknown"]));
    world.rest("openim/sendmsg", unknown).await.refused(90001, "ForbidCallbackControl");
    world.rest("openim/sendmsg", with(hello(1), "MsgTimeStamp", json!("x"))).await.refused(90006, "");
}
