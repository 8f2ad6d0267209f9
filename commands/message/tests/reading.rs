//! Reading: `openim.msgreaded`, `openim/admin_set_msg_read`, `openim.read_all_unread_msg` and
//! `openim/get_c2c_unread_msg_num`.

use model::Seconds;
use serde_json::{Value, json};
use testkit::{Answer, World, text};

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

fn report(peer: &str, up_to: Seconds) -> Value {
    json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": [
        {"To_Account": peer, "LastedMsgTime": up_to, "Receipt": 1}]}})
}

async fn unread(world: &World, user: &str) -> i64 {
    let answer = world.rest("openim/get_c2c_unread_msg_num", json!({"To_Account": user})).await;
    answer.ok()["AllC2CUnreadMsgNum"].as_i64().unwrap_or(-1)
}

async fn unread_of(world: &World, peers: &Value) -> Answer {
    let body = json!({"To_Account": "bob", "Peer_Account": peers});
    world.rest("openim/get_c2c_unread_msg_num", body).await
}

#[tokio::test(start_paused = true)]
async fn the_peer_and_the_readers_other_instances_are_told() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let (mut bob, mut second) = (world.login("bob").await, world.login("bob").await);
    let first = world.send("alice", "bob", "1").await;
    world.advance_seconds(5).await;
    world.send("alice", "bob", "2").await;
    for client in [&mut alice, &mut bob, &mut second] {
        client.forget().await;
    }
    bob.call("openim.msgreaded", report("alice", first.time)).await.ok();
    let receipt = alice.pushed().await;
    assert_eq!(receipt.event(), 10);
    let expected = json!({"To_Account": "bob", "UinPairReadArray": [{"LastReadTime": first.time}]});
    assert_eq!(receipt.notice("C2cReadedReceipt"), &expected);
    let notice = second.pushed().await;
    let expected = json!({"UinPairReadArray": [{"From_Account": "alice", "LastReadTime": first.time}]});
    assert_eq!(notice.notice("ReadC2cMsgNotify"), &expected);
    for client in [&mut alice, &mut bob, &mut second] {
        client.hears_nothing().await;
    }
    assert_eq!(unread(&world, "bob").await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_cursor_never_goes_back_nor_beyond_the_newest_message() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let first = world.send("alice", "bob", "1").await;
    world.advance_seconds(5).await;
    let second = world.send("alice", "bob", "2").await;
    alice.forget().await;
    bob.call("openim.msgreaded", report("alice", Seconds(u32::MAX))).await.ok();
    let receipt = alice.pushed().await;
    let at = &receipt.notice("C2cReadedReceipt")["UinPairReadArray"][0]["LastReadTime"];
    assert_eq!(*at, json!(second.time), "the newest message, not the end of time");
    bob.call("openim.msgreaded", report("alice", first.time)).await.ok();
    bob.call("openim.msgreaded", report("alice", second.time)).await.ok();
    alice.hears_nothing().await;
    assert_eq!(unread(&world, "bob").await, 0);
    // What comes later is unread, also in the same second.
    world.send("alice", "bob", "3").await;
    assert_eq!(unread(&world, "bob").await, 1);
}

#[tokio::test(start_paused = true)]
async fn reports_are_bounded_and_about_accounts_that_exist() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let item = json!({"To_Account": "alice", "LastedMsgTime": 1});
    let many = json!({"C2CMsgReaded": {"C2CMsgReadedItem": vec![item; 101]}});
    bob.call("openim.msgreaded", many).await.refused(90018, "C2CMsgReadedItem");
    bob.call("openim.msgreaded", report("nobody", Seconds(1))).await.refused(90003, "To_Account");
    bob.call("openim.msgreaded", json!({})).await.refused(90001, "C2CMsgReaded");
    world.rest("openim/msgreaded", report("alice", Seconds(1))).await.refused(60009, "");
    // A conversation that never began has nothing to read.
    bob.call("openim.msgreaded", report("carol", Seconds(1))).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_back_end_reads_for_an_account() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let first = world.send("alice", "bob", "1").await;
    world.advance_seconds(5).await;
    let second = world.send("alice", "bob", "2").await;
    for client in [&mut alice, &mut bob] {
        client.forget().await;
    }
    let mut body =
        json!({"Report_Account": "bob", "Peer_Account": "alice", "MsgReadTime": first.time.0.to_string()});
    world.rest("openim/admin_set_msg_read", body.clone()).await.ok();
    assert_eq!(unread(&world, "bob").await, 1);
    assert_eq!(alice.pushed().await.notice("C2cReadedReceipt")["To_Account"], "bob");
    let notice = bob.pushed().await;
    assert_eq!(notice.notice("ReadC2cMsgNotify")["UinPairReadArray"][0]["From_Account"], "alice");
    body["MsgReadTime"] = json!(second.time);
    world.rest("openim/admin_set_msg_read", body).await.ok();
    assert_eq!(unread(&world, "bob").await, 0);
    world.send("alice", "bob", "3").await;
    let now = json!({"Report_Account": "bob", "Peer_Account": "alice"});
    world.rest("openim/admin_set_msg_read", now).await.ok();
    assert_eq!(unread(&world, "bob").await, 0);
    for (body, code, field) in [
        (json!({"Peer_Account": "alice"}), 90008, "Report_Account"),
        (json!({"Report_Account": "nobody", "Peer_Account": "alice"}), 90008, "Report_Account"),
        (json!({"Report_Account": "bob"}), 90003, "Peer_Account"),
        (json!({"Report_Account": "bob", "Peer_Account": "nobody"}), 90003, "Peer_Account"),
        (
            json!({"Report_Account": "bob", "Peer_Account": "alice", "MsgReadTime": "soon"}),
            90001,
            "MsgReadTime",
        ),
        (
            json!({"Report_Account": "bob", "Peer_Account": "alice", "MsgReadTime": 1_u64 << 40}),
            90001,
            "MsgReadTime",
        ),
    ] {
        world.rest("openim/admin_set_msg_read", body).await.refused(code, field);
    }
    let body = json!({"Report_Account": "bob", "Peer_Account": "alice"});
    bob.call("openim.admin_set_msg_read", body).await.refused(90009, "");
}

#[tokio::test(start_paused = true)]
async fn everything_is_read_at_once() {
    let world = world().await;
    let (mut bob, mut second) = (world.login("bob").await, world.login("bob").await);
    let mut alice = world.login("alice").await;
    world.send("alice", "bob", "1").await;
    world.send("carol", "bob", "2").await;
    for client in [&mut alice, &mut bob, &mut second] {
        client.forget().await;
    }
    let answer = bob.call("openim.read_all_unread_msg", json!({"C2CReadAllMsg": 0})).await.ok();
    assert_eq!(answer["C2CReadAllMsg"], 0);
    assert_eq!(unread(&world, "bob").await, 2);
    let answer = bob.call("openim.read_all_unread_msg", json!({"C2CReadAllMsg": 1})).await.ok();
    assert_eq!((&answer["C2CReadAllMsg"], answer.list("GroupReadInfoArray").len()), (&json!(1), 0));
    assert_eq!(unread(&world, "bob").await, 0);
    assert_eq!(alice.pushed().await.notice("C2cReadedReceipt")["To_Account"], "bob");
    let pushes = second.rest().await;
    assert!(
        pushes.iter().any(|push| push.event() == 14 && push.item("C2CReadAllMsg") == &json!(1)),
        "{pushes:?}"
    );
    bob.hears_nothing().await;
    assert_eq!(unread(&world, "carol").await, 0);
}

#[tokio::test(start_paused = true)]
async fn counts_are_given_in_all_or_by_peer() {
    let world = world().await;
    for (from, count) in [("alice", 2), ("carol", 3)] {
        for number in 0..count {
            world.send(from, "bob", &number.to_string()).await;
        }
    }
    // What bob says himself is not unread.
    world.send("bob", "alice", "?").await;
    assert_eq!(unread(&world, "bob").await, 5);
    let counts = unread_of(&world, &json!(["alice", "nobody", "carol", ""])).await.ok();
    let expected = json!([{"Peer_Account": "alice", "C2CUnreadMsgNum": 2}, {"Peer_Account": "carol", "C2CUnreadMsgNum": 3}]);
    assert_eq!(counts["C2CUnreadMsgNumList"], expected);
    assert_eq!(counts["ErrorList"][0], json!({"Peer_Account": "nobody", "ErrorCode": 70107}));
    assert!(!counts.has("AllC2CUnreadMsgNum"));
    unread_of(&world, &json!(vec!["alice"; 10])).await.ok();
    unread_of(&world, &json!(vec!["alice"; 11])).await.refused(90018, "Peer_Account");
    let nobody = json!({"To_Account": "nobody"});
    world.rest("openim/get_c2c_unread_msg_num", nobody).await.refused(90008, "To_Account");
    world.rest("openim/get_c2c_unread_msg_num", json!({})).await.refused(90003, "To_Account");
    world.rest("openim/get_c2c_unread_msg_num", json!([])).await.refused(90001, "");
    let mut bob = world.login("bob").await;
    let own = json!({"To_Account": "bob"});
    bob.call("openim.get_c2c_unread_msg_num", own).await.refused(90009, "");
}

#[tokio::test(start_paused = true)]
async fn a_count_ends_at_250() {
    let world = world().await;
    for number in 0..251 {
        world.send("alice", "bob", &number.to_string()).await;
    }
    let counts = unread_of(&world, &json!(["alice"])).await.ok();
    assert_eq!(counts["C2CUnreadMsgNumList"][0]["C2CUnreadMsgNum"], 250);
}

#[tokio::test(start_paused = true)]
async fn deleted_recalled_and_uncounted_messages_are_not_unread() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut keys = Vec::new();
    for number in 0..4 {
        let body = json!({"To_Account": "bob", "MsgSeq": number, "MsgRandom": number, "MsgBody": text("x"),
            "SendMsgControl": if number == 3 { json!(["NoUnread"]) } else { json!([]) }});
        keys.push(alice.call("openim.sendmsg", body).await.ok()["MsgKey"].clone());
    }
    assert_eq!(unread(&world, "bob").await, 3);
    let recall = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": keys[0]});
    world.rest("openim/admin_msgwithdraw", recall).await.ok();
    assert_eq!(unread(&world, "bob").await, 2);
    let delete = json!({"From_Account": "bob", "To_Account": "alice", "MsgKeyList": [keys[1]]});
    bob.call("openim.delete_c2c_msg_ramble", delete).await.ok();
    assert_eq!(unread(&world, "bob").await, 1);
}
