//! `openim/importmsg`: messages of an older system keep their time.

use serde_json::{Value, json};
use testkit::{Answer, Client, World, text};

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

fn import(world: &World, mode: i64, number: u32, age_seconds: u32) -> Value {
    json!({"SyncFromOldSystem": mode, "From_Account": "alice", "To_Account": "bob", "MsgSeq": number,
        "MsgRandom": number, "MsgTimeStamp": world.now().0 - age_seconds, "MsgBody": text(&number.to_string())})
}

async fn history(client: &mut Client, peer: &str) -> Answer {
    let page = json!({"Peer_Account": peer, "MaxCnt": 100, "LastMsgTime": 0, "MsgKey": ""});
    client.call("openim.getroammsg", page).await.ok()
}

fn sequences(page: &Answer) -> Vec<u64> {
    page.list("MsgList").iter().filter_map(|message| message["MsgSeq"].as_u64()).collect()
}

async fn unread(world: &World, user: &str) -> Value {
    let answer = world.rest("openim/get_c2c_unread_msg_num", json!({"To_Account": user})).await;
    answer.ok()["AllC2CUnreadMsgNum"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_live_import_is_pushed_and_counted() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    world.rest("openim/importmsg", import(&world, 5, 1, 100)).await.ok();
    let push = bob.pushed().await;
    assert_eq!(push.item("C2cMsgArray")[0]["MsgTimeStamp"], world.now().0 - 100);
    assert_eq!(alice.pushed().await.item("C2cMsgArray")[0]["IsSyncMsg"], 1);
    assert_eq!(unread(&world, "bob").await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_import_of_history_is_neither() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    world.rest("openim/importmsg", import(&world, 2, 1, 100)).await.ok();
    bob.hears_nothing().await;
    alice.hears_nothing().await;
    assert_eq!(unread(&world, "bob").await, 0);
    assert_eq!(sequences(&history(&mut bob, "alice").await), [1]);
    assert_eq!(sequences(&history(&mut alice, "bob").await), [1]);
}

#[tokio::test(start_paused = true)]
async fn history_is_in_the_order_of_the_old_times() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    world.send("alice", "bob", "now").await;
    for (number, age) in [(1, 100), (2, 300), (3, 200)] {
        world.rest("openim/importmsg", import(&world, 2, number, age)).await.ok();
    }
    let page = history(&mut bob, "alice").await;
    assert_eq!(sequences(&page)[..3], [2, 3, 1]);
    assert_eq!(page.list("MsgList").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_first_of_two_with_the_same_numbers_stays_in_either_direction() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    world.rest("openim/importmsg", import(&world, 5, 1, 100)).await.ok();
    let mut other = import(&world, 5, 1, 100);
    other["MsgBody"] = text("other content");
    world.rest("openim/importmsg", other.clone()).await.ok();
    other["From_Account"] = json!("bob");
    other["To_Account"] = json!("alice");
    world.rest("openim/importmsg", other).await.ok();
    let page = history(&mut bob, "alice").await;
    assert_eq!(sequences(&page), [1]);
    assert_eq!(page.list("MsgList")[0]["MsgBody"], text("1"));
    assert_eq!(page.list("MsgList")[0]["From_Account"], "alice");
    assert_eq!(bob.rest().await.len(), 1, "pushed once");
    // Another time makes another message.
    world.rest("openim/importmsg", import(&world, 5, 1, 101)).await.ok();
    assert_eq!(sequences(&history(&mut bob, "alice").await), [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn errors_carry_the_documented_number_and_name_the_field() {
    let world = world().await;
    let wrong = |name: &str, value: Value| {
        let mut body = import(&world, 5, 1, 100);
        body[name] = value;
        body
    };
    let mut no_mode = import(&world, 5, 1, 100);
    no_mode.as_object_mut().map(|fields| fields.remove("SyncFromOldSystem"));
    let mut no_time = import(&world, 5, 1, 100);
    no_time.as_object_mut().map(|fields| fields.remove("MsgTimeStamp"));
    for (body, code, field) in [
        (no_mode, 90030, "SyncFromOldSystem"),
        (no_time, 90006, "MsgTimeStamp"),
        (wrong("SyncFromOldSystem", json!(1)), 90030, "SyncFromOldSystem"),
        (wrong("SyncFromOldSystem", json!("5")), 90030, "SyncFromOldSystem"),
        (wrong("MsgTimeStamp", json!("yesterday")), 90006, "MsgTimeStamp"),
        (wrong("MsgTimeStamp", json!(world.now().0 + 90_000)), 90006, "future"),
        (wrong("MsgTimeStamp", json!(world.now().0 - 8 * 86_400)), 90006, "older"),
        (wrong("MsgRandom", Value::Null), 90005, "MsgRandom"),
        (wrong("From_Account", json!("nobody")), 90008, "From_Account"),
        (wrong("To_Account", json!("nobody")), 90012, "To_Account"),
        (wrong("CloudCustomData", json!(1)), 90001, "CloudCustomData"),
        (wrong("MsgBody", json!([1])), 90002, "MsgBody"),
        (wrong("To_Account", json!(1)), 90003, "To_Account"),
        (wrong("MsgBody", json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": 1}}])), 90010, "MsgBody"),
        (wrong("OfflinePushInfo", json!(1)), 90043, "OfflinePushInfo"),
        (wrong("MsgBody", json!({})), 90007, "MsgBody"),
        (wrong("MsgBody", text(&"x".repeat(13_000))), 80002, "MsgBody"),
    ] {
        world.rest("openim/importmsg", body).await.refused(code, field);
    }
    let mut bob = world.login("bob").await;
    bob.call("openim.importmsg", import(&world, 5, 1, 1)).await.refused(90009, "");
    assert!(history(&mut bob, "alice").await.list("MsgList").is_empty());
}

/// The older system's clock may be ahead: that moves its own message, not those that are sent here.
#[tokio::test(start_paused = true)]
async fn an_import_from_the_future_is_refused_and_moves_no_clock() {
    let world = world().await;
    let mut ahead = import(&world, 2, 1, 0);
    ahead["MsgTimeStamp"] = json!(world.now().0 + 3600);
    world.rest("openim/importmsg", ahead).await.refused(90006, "MsgTimeStamp");
    let body = json!({"From_Account": "alice", "To_Account": "bob", "MsgRandom": 9, "MsgBody": text("now")});
    let sent = world.rest("openim/sendmsg", body).await.ok();
    assert_eq!(sent["MsgTime"], json!(world.now()));
}

#[tokio::test(start_paused = true)]
async fn what_an_import_says_is_read_back() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let mut body = import(&world, 2, 1, 100);
    body["CloudCustomData"] = json!("own");
    body["SupportMessageExtension"] = json!(1);
    body["IsNeedReadReceipt"] = json!(1);
    world.rest("openim/importmsg", body).await.ok();
    let page = history(&mut bob, "alice").await;
    let found = &page.list("MsgList")[0];
    assert_eq!(found["CloudCustomData"], "own");
    assert_eq!(found["SupportMessageExtension"], 1, "{found}");
    assert_eq!(found["IsNeedReadReceipt"], 1, "{found}");
    assert_eq!(found["MsgTimeStamp"], world.now().0 - 100);
}
