//! `openim.modify_c2c_msg`: a message says something else from then on, to both sides and in every reader.

use serde_json::{Value, json};
use testkit::{Answer, Client, World, text};

const MODIFY: &str = "openim.modify_c2c_msg";
const MODIFY_REST: &str = "openim/modify_c2c_msg";

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

/// A message that alice has sent to bob.
async fn sent(alice: &mut Client, number: u32) -> Answer {
    let body = json!({"To_Account": "bob", "MsgSeq": number, "MsgRandom": number, "MsgClientTime": 77,
        "CloudCustomData": "own", "MsgBody": text("before")});
    alice.call("openim.sendmsg", body).await.ok()
}

/// How a client asks for a change of that message.
fn change(sent: &Answer, number: u32, version: u32, body: &Value) -> Value {
    json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": number, "MsgRandom": number,
        "MsgTime": sent["MsgTime"], "MsgVersion": version, "MsgBody": body})
}

/// How the back end does.
fn change_by_key(sent: &Answer, body: &Value) -> Value {
    json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent["MsgKey"], "MsgBody": body})
}

async fn history(client: &mut Client, peer: &str) -> Answer {
    let page =
        json!({"Peer_Account": peer, "MaxCnt": 100, "LastMsgTime": 0, "MsgKey": "", "WithRecalledMsg": 1});
    client.call("openim.getroammsg", page).await.ok()
}

#[tokio::test(start_paused = true)]
async fn both_sides_are_told_and_every_reader_shows_the_new_content() {
    let mut world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let message = sent(&mut alice, 1).await;
    second.forget().await;
    bob.forget().await;
    world.advance_seconds(5).await;
    let answer = alice.call(MODIFY, change(&message, 1, 0, &text("after"))).await.ok();
    assert_eq!((&answer["MsgVersion"], &answer["MsgBody"]), (&json!(1), &text("after")));
    assert_eq!(answer["CloudCustomData"], "own", "what is not given stays");
    for client in [&mut second, &mut bob] {
        let push = client.pushed().await;
        assert_eq!(push.event(), 15);
        let expected = json!([{"From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1,
            "MsgTimeStamp": message["MsgTime"], "MsgClientTime": 77, "TinyId": alice.number,
            "MsgBody": text("after"), "CloudCustomData": "own", "MsgVersion": 1}]);
        assert_eq!(push.item("C2cMsgModNotifys"), &expected);
        client.hears_nothing().await;
    }
    alice.hears_nothing().await;
    assert_eq!(world.unread("bob", "alice").await, 1, "it is no new message");
    for _ in 0..2 {
        for (client, peer) in [(&mut alice, "bob"), (&mut bob, "alice")] {
            let page = history(client, peer).await;
            let found = &page.list("MsgList")[0];
            assert_eq!((&found["MsgBody"], &found["MsgVersion"]), (&text("after"), &json!(1)));
            assert_eq!(found["MsgTimeStamp"], message["MsgTime"], "it stands where it stood");
        }
        let roam = json!({"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 9, "MinTime": 0,
            "MaxTime": 4_000_000_000_u32});
        let roam = world.rest("openim/admin_getroammsg", roam).await.ok();
        assert_eq!(roam.list("MsgList")[0]["MsgBody"], text("after"));
        world.crash().await;
        alice = world.login("alice").await;
        bob = world.login("bob").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_receiver_and_the_back_end_may_change_it_too_and_each_change_has_the_next_version() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let message = sent(&mut alice, 1).await;
    bob.forget().await;
    let answer = bob.call(MODIFY, change(&message, 1, 0, &text("of bob"))).await.ok();
    assert_eq!(answer["MsgVersion"], 1);
    let push = alice.pushed().await;
    assert_eq!(push.item("C2cMsgModNotifys")[0]["MsgBody"], text("of bob"));
    let answer = world.rest(MODIFY_REST, change_by_key(&message, &text("of the back end"))).await.ok();
    assert_eq!(answer["MsgVersion"], 2);
    for client in [&mut alice, &mut bob] {
        let push = client.pushed().await;
        let item = &push.item("C2cMsgModNotifys")[0];
        assert_eq!((&item["MsgBody"], &item["MsgVersion"]), (&text("of the back end"), &json!(2)));
    }
    let custom = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": message["MsgKey"],
        "CloudCustomData": "other"});
    let answer = world.rest(MODIFY_REST, custom).await.ok();
    assert_eq!((&answer["MsgBody"], &answer["CloudCustomData"]), (&text("of the back end"), &json!("other")));
    assert_eq!(answer["MsgVersion"], 3);
    // The other way round there is no such message.
    let turned = json!({"From_Account": "bob", "To_Account": "alice", "MsgKey": message["MsgKey"],
        "MsgBody": text("no")});
    world.rest(MODIFY_REST, turned).await.refused(20026, "");
}

#[tokio::test(start_paused = true)]
async fn who_knows_an_older_version_is_refused_with_what_the_message_says_now() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let message = sent(&mut alice, 1).await;
    bob.call(MODIFY, change(&message, 1, 0, &text("first"))).await.ok();
    bob.forget().await;
    for version in [0, 2, 99] {
        let refused =
            alice.call(MODIFY, change(&message, 1, version, &text("late"))).await.refused(20027, "");
        assert_eq!((&refused["MsgVersion"], &refused["MsgBody"]), (&json!(1), &text("first")), "{version}");
        assert_eq!(refused["CloudCustomData"], "own");
    }
    alice.forget().await;
    bob.hears_nothing().await;
    assert_eq!(world.history("bob", "alice").await, [text("first")]);
    alice.call(MODIFY, change(&message, 1, 1, &text("second"))).await.ok();
    assert_eq!(world.history("bob", "alice").await, [text("second")]);
}

#[tokio::test(start_paused = true)]
async fn what_one_does_not_see_one_cannot_change() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut carol = world.login("carol").await;
    let message = sent(&mut alice, 1).await;
    let body = change(&message, 1, 0, &text("after"));
    carol.call(MODIFY, body.clone()).await.refused(20026, "");
    let mut nobody = body.clone();
    nobody["To_Account"] = json!("nobody");
    alice.call(MODIFY, nobody).await.refused(20026, "");
    let mut other = body.clone();
    other["MsgRandom"] = json!(2);
    alice.call(MODIFY, other).await.refused(20026, "");
    // Deleted on one side.
    let delete = json!({"From_Account": "bob", "To_Account": "alice", "MsgKeyList": [message["MsgKey"]]});
    bob.call("openim.delete_c2c_msg_ramble", delete).await.ok();
    bob.call(MODIFY, body.clone()).await.refused(20026, "");
    bob.forget().await;
    alice.call(MODIFY, body.clone()).await.ok();
    bob.hears_nothing().await;
    // Recalled.
    let recall = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": message["MsgKey"]});
    world.rest("openim/admin_msgwithdraw", recall).await.ok();
    alice.call(MODIFY, change(&message, 1, 1, &text("back"))).await.refused(20026, "");
    world.rest(MODIFY_REST, change_by_key(&message, &text("back"))).await.refused(20026, "");
    let page = history(&mut alice, "bob").await;
    assert!(!page.0.to_string().contains("after") && !page.0.to_string().contains("before"));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_never_reached_the_other_side_is_not_told_to_it() {
    let world = world().await;
    world.set("blocklist_show_sent", "true").await;
    world.block("bob", "alice").await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let message = sent(&mut alice, 1).await;
    alice.call(MODIFY, change(&message, 1, 0, &text("after"))).await.ok();
    bob.hears_nothing().await;
    bob.call(MODIFY, change(&message, 1, 1, &text("of bob"))).await.refused(20026, "");
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_found_by_the_next_synchronisation_as_it_is_now() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let mut bob = world.login("bob").await;
    let message = sent(&mut alice, 1).await;
    let cookie = bob.call("openim.getmsg", json!({"Cookie": ""})).await.ok()["Cookie"].clone();
    drop(bob);
    alice.call(MODIFY, change(&message, 1, 0, &text("one"))).await.ok();
    alice.call(MODIFY, change(&message, 1, 1, &text("two"))).await.ok();
    let unseen = sent(&mut alice, 2).await;
    alice.call(MODIFY, change(&unseen, 2, 0, &text("new"))).await.ok();
    let mut bob = world.login("bob").await;
    let missed = bob.call("openim.getmsg", json!({"Cookie": cookie})).await.ok();
    let list = missed.list("MsgList");
    assert_eq!(list.len(), 1);
    // Two changes of one message are told once.
    let told =
        missed.list("EventArray").iter().map(|notice| (&notice["Event"], &notice["C2cMsgModNotifys"][0]));
    let said = told.map(|(event, one)| (event.clone(), one["MsgBody"].clone(), one["MsgVersion"].clone()));
    let expected = [(json!(15), text("two"), json!(2)), (json!(15), text("new"), json!(1))];
    assert_eq!(said.collect::<Vec<_>>(), expected);
    let new = &list[0];
    assert_eq!((&new["MsgBody"], &new["MsgVersion"]), (&text("new"), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn a_resend_of_a_changed_message_is_still_recognised() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let first = sent(&mut alice, 1).await;
    alice.call(MODIFY, change(&first, 1, 0, &text("after"))).await.ok();
    let again = sent(&mut alice, 1).await;
    assert_eq!(again["MsgKey"], first["MsgKey"]);
    assert_eq!(world.history("bob", "alice").await, [text("after")]);
}

#[tokio::test(start_paused = true)]
async fn bad_requests_name_their_field() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let message = sent(&mut alice, 1).await;
    let good = change_by_key(&message, &text("after"));
    let long = "x".repeat(12 * 1024);
    for (field, value, code, says) in [
        ("MsgKey", json!("1_2"), 90054, "MsgKey"),
        ("MsgKey", Value::Null, 90054, "MsgKey"),
        ("MsgBody", json!({}), 90007, "MsgBody"),
        ("MsgBody", json!([]), 90002, "MsgBody"),
        ("MsgBody", json!([{"MsgType": "TIMNoElem", "MsgContent": {}}]), 90010, "MsgBody[0]"),
        ("MsgBody", text(&long), 80002, "MsgBody"),
        ("CloudCustomData", json!(&long[..8193]), 80002, "CloudCustomData"),
        ("From_Account", json!("nobody"), 90008, "From_Account"),
        ("To_Account", json!(7), 90003, "To_Account"),
    ] {
        let mut bad = good.clone();
        bad[field] = value.clone();
        let answer = world.rest(MODIFY_REST, bad).await;
        assert_eq!(answer.code(), code, "{field} {value:.40} {}", answer.info());
        assert!(answer.info().contains(says), "{field}: {}", answer.info());
    }
    let mut nothing = good.clone();
    nothing.as_object_mut().unwrap().remove("MsgBody");
    world.rest(MODIFY_REST, nothing).await.refused(90002, "MsgBody");
    assert_eq!(world.history("bob", "alice").await, [text("before")]);
}

#[tokio::test(start_paused = true)]
async fn rules_for_sending_hold_for_changing() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let message = sent(&mut alice, 1).await;
    world.keyword("bad", None).await;
    world.keyword("darn", Some("****")).await;
    alice.call(MODIFY, change(&message, 1, 0, &text("bad"))).await.refused(80001, "");
    let answer = alice.call(MODIFY, change(&message, 1, 0, &text("darn"))).await.ok();
    assert_eq!(answer["MsgBody"], text("****"));
    world.rest(MODIFY_REST, change_by_key(&message, &text("bad"))).await.ok();
    world.block("bob", "alice").await;
    alice.call(MODIFY, change(&message, 1, 2, &text("x"))).await.refused(20007, "");
    world.set("block_list_check", "false").await;
    world.set("friendship_check", "both").await;
    alice.call(MODIFY, change(&message, 1, 2, &text("x"))).await.refused(20009, "");
    world.set("friendship_check", "off").await;
    alice.call(MODIFY, change(&message, 1, 2, &text("x"))).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_resend_is_named_as_the_message_was_the_first_time() {
    let world = world().await;
    let mut body = json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 2,
        "MsgClientTime": 77, "MsgBody": text("hello")});
    let first = world.rest("openim/sendmsg", body.clone()).await.ok();
    body["MsgClientTime"] = json!(99);
    let again = world.rest("openim/sendmsg", body).await.ok();
    assert_eq!(again["MsgId"], first["MsgId"]);
}
