//! `openim/batchsendmsg`: one message to many, each in its own conversation.

use serde_json::{Value, json};
use testkit::{Options, World, text};

fn to_many(receivers: &Value, random: u32) -> Value {
    json!({"From_Account": "alice", "To_Account": receivers, "MsgSeq": 9, "MsgRandom": random,
        "MsgBody": text("to all")})
}

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

#[tokio::test(start_paused = true)]
async fn every_receiver_gets_it_under_one_key() {
    let world = world().await;
    let (mut alice, mut bob, mut carol) =
        (world.login("alice").await, world.login("bob").await, world.login("carol").await);
    let sent = world.rest("openim/batchsendmsg", to_many(&json!(["bob", "carol"]), 1)).await.ok();
    assert!(!sent.has("ErrorList"));
    assert_eq!(sent["MsgKey"], format!("9_1_{}", world.now().0));
    for client in [&mut bob, &mut carol] {
        let push = client.pushed().await;
        let item = &push.item("C2cMsgArray")[0];
        assert_eq!((&item["MsgKey"], &item["From_Account"]), (&sent["MsgKey"], &json!("alice")));
        assert_eq!(item["TinyId"], json!(alice.number));
    }
    let copies = alice.rest().await;
    let peers: Vec<&Value> = copies.iter().map(|push| &push.item("C2cMsgArray")[0]["From_Account"]).collect();
    assert_eq!(peers, ["bob", "carol"], "the sender's copies");
}

#[tokio::test(start_paused = true)]
async fn receivers_that_do_not_exist_do_not_fail_the_others() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let receivers = json!(["nobody", "bob", "", "bob"]);
    let sent = world.rest("openim/batchsendmsg", to_many(&receivers, 1)).await.ok();
    let errors =
        json!([{"To_Account": "nobody", "ErrorCode": 70107}, {"To_Account": "", "ErrorCode": 70107}]);
    assert_eq!(sent["ErrorList"], errors);
    assert_eq!(bob.rest().await.len(), 1, "named twice, sent once");
}

#[tokio::test(start_paused = true)]
async fn the_administrator_sends_where_no_sender_is_named() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let body = json!({"To_Account": ["bob"], "MsgRandom": 1, "MsgBody": text("news"), "SyncOtherMachine": 2});
    world.rest("openim/batchsendmsg", body).await.ok();
    assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["From_Account"], "administrator");
}

#[tokio::test(start_paused = true)]
async fn limits_and_errors_are_the_documented_ones() {
    let world = world().await;
    let many: Vec<String> = (0..501).map(|number| format!("user{number}")).collect();
    for (body, code, field) in [
        (to_many(&json!(many), 1), 90011, ""),
        (to_many(&json!([]), 1), 90003, "To_Account"),
        (to_many(&json!("bob"), 1), 90003, "To_Account"),
        (
            json!({"From_Account": "nobody", "To_Account": ["bob"], "MsgRandom": 1, "MsgBody": text("x")}),
            90008,
            "From_Account",
        ),
        (json!({"To_Account": ["bob"], "MsgBody": text("x")}), 90005, "MsgRandom"),
        (json!({"To_Account": ["bob"], "MsgRandom": 1, "MsgBody": "x"}), 90007, "MsgBody"),
        (
            json!({"To_Account": ["bob"], "MsgRandom": 1, "MsgBody": text(&"x".repeat(13_000))}),
            80002,
            "MsgBody",
        ),
    ] {
        world.rest("openim/batchsendmsg", body).await.refused(code, field);
    }
    let mut alice = world.login("alice").await;
    let answer = alice.call("openim.batchsendmsg", to_many(&json!(["bob"]), 1)).await;
    answer.refused(90009, "");
}

#[tokio::test(start_paused = true)]
async fn twelve_thousand_receivers_are_reached_within_a_minute() {
    let world = world().await;
    // To the beginning of a minute: the window is one of the clock's.
    world.advance_seconds(60 - u64::from(world.now().0) % 60).await;
    let many: Vec<String> = (0..500).map(|number| format!("user{number}")).collect();
    for number in 0..24 {
        let sent = world.rest("openim/batchsendmsg", to_many(&json!(many), number)).await.ok();
        assert_eq!(sent.list("ErrorList").len(), 500);
    }
    let one_more = to_many(&json!(["bob"]), 100);
    world.rest("openim/batchsendmsg", one_more.clone()).await.refused(90057, "");
    world
        .rest("openim/sendmsg", json!({"To_Account": "bob", "MsgRandom": 1, "MsgBody": text("x")}))
        .await
        .ok();
    world.advance_seconds(60).await;
    world.rest("openim/batchsendmsg", one_more).await.ok();
}

#[tokio::test(start_paused = true)]
async fn online_only_batches_leave_no_trace() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let mut body = to_many(&json!(["bob", "carol"]), 1);
    body["OnlineOnlyFlag"] = json!(1);
    world.rest("openim/batchsendmsg", body).await.ok();
    assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["MsgLifeTime"], 0);
    let count = world.rest("openim/get_c2c_unread_msg_num", json!({"To_Account": "carol"})).await.ok();
    assert_eq!(count["AllC2CUnreadMsgNum"], 0);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_reached_does_not_keep_it_from_the_others() {
    let world = world().await;
    world.keep(Some(0), None).await;
    let mut carol = world.login("carol").await;
    let sent = world.rest("openim/batchsendmsg", to_many(&json!(["bob", "carol"]), 1)).await.ok();
    assert_eq!(sent["ErrorList"], json!([{"To_Account": "bob", "ErrorCode": 200_008}]));
    assert_eq!(carol.pushed().await.item("C2cMsgArray")[0]["MsgKey"], sent["MsgKey"]);
    world.rest("openim/batchsendmsg", to_many(&json!(["bob", "nobody"]), 2)).await.refused(200_008, "");
}

#[tokio::test(start_paused = true)]
async fn receivers_who_are_reached_later_have_keys_of_their_own() {
    let options = Options { sync_millis: 700, ..Options::of(message::commands) };
    let world = World::with(options).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    let receivers = ["bob", "carol", "alice"];
    let sent = world.rest("openim/batchsendmsg", to_many(&json!(receivers), 1)).await.ok();
    let others = sent.list("MsgKeyList").to_vec();
    assert!(!others.is_empty() && others.iter().all(|other| other["MsgKey"] != sent["MsgKey"]));
    for receiver in receivers {
        let other = others.iter().find(|other| other["To_Account"] == receiver);
        let key = other.map_or(&sent["MsgKey"], |other| &other["MsgKey"]);
        let recall = json!({"From_Account": "alice", "To_Account": receiver, "MsgKey": key});
        world.rest("openim/admin_msgwithdraw", recall).await.ok();
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_costs_no_receivers() {
    let world = world().await;
    world.advance_seconds(60 - u64::from(world.now().0) % 60).await;
    let many: Vec<String> = (0..500).map(|number| format!("user{number}")).collect();
    let mut bad = to_many(&json!(many), 1);
    bad["From_Account"] = json!("nobody");
    for _ in 0..25 {
        world.rest("openim/batchsendmsg", bad.clone()).await.refused(90008, "From_Account");
    }
    world.rest("openim/batchsendmsg", to_many(&json!(["bob"]), 1)).await.ok();
}

#[tokio::test(start_paused = true)]
async fn every_field_is_checked() {
    let world = world().await;
    let full = to_many(&json!(["bob"]), 1);
    for (name, value, code) in [
        ("CloudCustomData", json!(1), 90001),
        ("SendMsgControl", json!(["Unknown"]), 90001),
        ("ForbidCallbackControl", json!(["Unknown"]), 90001),
        ("MsgBody", json!([1]), 90002),
        ("MsgTimeStamp", json!("now"), 90006),
        ("MsgBody", json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": 1}}]), 90010),
        ("MsgLifeTime", json!(-1), 90026),
        ("SyncOtherMachine", json!(3), 90031),
        ("OfflinePushInfo", json!(1), 90043),
        ("MsgLifeTime", json!("long"), 90044),
    ] {
        let mut body = full.clone();
        body[name] = value;
        world.rest("openim/batchsendmsg", body).await.refused(code, "");
    }
}
