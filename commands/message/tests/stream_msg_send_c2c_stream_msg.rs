//! Streams: pieces that come live, and the one message that they become.

use serde_json::{Value, json};
use testkit::{Answer, World, text};

const COMMAND: &str = "stream_msg/send_c2c_stream_msg";

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

fn piece(stream: Option<&str>, index: u32, markdown: &str, is_last: bool) -> Value {
    let chunk = json!({"EventType": "data", "Index": index, "Markdown": markdown, "IsLast": is_last});
    let mut content = json!({"CompatibleText": "old client", "Chunks": [chunk]});
    if let Some(stream) = stream {
        content["StreamMsgID"] = json!(stream);
    }
    json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": 5, "MsgRandom": 6,
        "MsgBody": [{"MsgType": "TIMStreamElem", "MsgContent": content}], "CloudCustomData": "custom"})
}

async fn begin(world: &World, markdown: &str) -> (String, String) {
    let answer = world.rest(COMMAND, piece(None, 1, markdown, false)).await.ok();
    (answer.text("StreamMsgID"), answer.text("MsgKey"))
}

async fn go_on(world: &World, stream: &str, index: u32, markdown: &str, is_last: bool) -> Answer {
    world.advance(std::time::Duration::from_millis(200)).await;
    world.rest(COMMAND, piece(Some(stream), index, markdown, is_last)).await
}

#[tokio::test(start_paused = true)]
async fn pieces_come_live_and_the_whole_stands_in_the_history() {
    let world = world().await;
    let (mut alice, mut bob, mut elsewhere) =
        (world.login("alice").await, world.login("bob").await, world.login("bob").await);
    bob.forget().await;
    elsewhere.forget().await;
    alice.forget().await;
    // Neither friendship nor block lists nor mutes are asked.
    world.set("friendship_check", "both").await;
    world.block("bob", "alice").await;
    bob.forget().await;
    elsewhere.forget().await;
    let (stream, key) = begin(&world, "**one**").await;
    assert!(key.starts_with("5_6_"));
    let again = world.rest(COMMAND, piece(None, 1, "**one**", false)).await.ok();
    assert_eq!((again.text("StreamMsgID"), again.text("MsgKey")), (stream.clone(), key.clone()), "a resend");
    let began = world.now();
    let push = bob.pushed().await;
    let shown = &push.item("C2cStreamMsgArray")[0];
    assert_eq!((&shown["From_Account"], &shown["MsgKey"]), (&json!("alice"), &json!(key)));
    assert_eq!(
        shown["MsgBody"],
        json!([{"MsgType": "TIMStreamElem", "MsgContent": {
            "CompatibleText": "old client", "StreamMsgID": stream,
            "Chunks": [{"EventType": "data", "Index": 1, "Markdown": "**one**", "IsLast": false}]}}])
    );
    assert_eq!(elsewhere.pushed().await.item("C2cStreamMsgArray")[0]["MsgKey"], key);
    assert_eq!(alice.pushed().await.item("C2cStreamMsgArray")[0]["IsSyncMsg"], 1);
    assert!(world.history("bob", "alice").await.is_empty(), "it is no message yet");
    world.advance_seconds(14).await;
    let second = go_on(&world, &stream, 2, " two", false).await.ok();
    assert_eq!(second.text("MsgKey"), key);
    world.advance_seconds(3).await;
    // What is said meanwhile stands after it.
    world.send("bob", "alice", "meanwhile").await;
    go_on(&world, &stream, 3, " \"three\"", true).await.ok();
    let expected = [text("**one** two \"three\""), text("meanwhile")];
    assert_eq!(world.history("bob", "alice").await, expected);
    assert_eq!(world.history("alice", "bob").await, expected);
    let pushes = bob.rest().await;
    let message = &pushes[pushes.len() - 1].item("C2cMsgArray")[0];
    assert_eq!((&message["MsgKey"], &message["MsgTimeStamp"]), (&json!(key), &json!(began)));
    assert_eq!(message["CloudCustomData"], "custom");
    assert_eq!(world.unread("bob", "alice").await, 1);
    go_on(&world, &stream, 4, "x", false).await.refused(200_013, "");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_ends_by_itself() {
    let world = world().await;
    let (stream, _) = begin(&world, "one").await;
    world.advance_seconds(14).await;
    go_on(&world, &stream, 2, " two", false).await.ok();
    world.advance_seconds(14).await;
    assert!(world.history("bob", "alice").await.is_empty());
    world.advance_seconds(3).await;
    assert_eq!(world.history("bob", "alice").await, [text("one two")]);
    go_on(&world, &stream, 3, "x", true).await.refused(200_013, "");
    assert_eq!(world.history("bob", "alice").await, [text("one two")]);
    // The one after it begins anew.
    begin(&world, "another").await;
}

#[tokio::test(start_paused = true)]
async fn a_message_of_the_other_side_with_the_same_numbers_takes_nothing_away() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let (stream, key) = begin(&world, "one ").await;
    let same = json!({"To_Account": "alice", "MsgSeq": 5, "MsgRandom": 6, "MsgBody": text("mine")});
    let sent = bob.call("openim.sendmsg", same).await.ok();
    assert_eq!(sent.text("MsgKey"), key);
    go_on(&world, &stream, 2, "two", true).await.ok();
    let history = world.history("bob", "alice").await;
    assert!(history.contains(&text("one two")) && history.contains(&text("mine")), "{history:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_survives_a_crash_and_is_stored_once() {
    let mut world = world().await;
    let (stream, key) = begin(&world, "one").await;
    go_on(&world, &stream, 2, " two", false).await.ok();
    world.crash().await;
    go_on(&world, &stream, 3, "x", true).await.refused(200_013, "");
    world.advance_seconds(2).await;
    assert_eq!(world.history("bob", "alice").await, [text("one two")]);
    world.crash().await;
    world.advance_seconds(20).await;
    assert_eq!(world.history("bob", "alice").await, [text("one two")]);
    let page = json!({"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 10, "MinTime": 0,
        "MaxTime": 4_000_000_000_u32});
    let page = world.rest("openim/admin_getroammsg", page).await.ok();
    assert_eq!(page.list("MsgList")[0]["MsgKey"], key);
}

#[tokio::test(start_paused = true)]
async fn only_the_next_piece_of_an_own_open_stream_is_taken() {
    let world = world().await;
    let (stream, _) = begin(&world, "one").await;
    go_on(&world, &stream, 1, "again", false).await.refused(90010, "Index: 2");
    go_on(&world, &stream, 3, "too far", false).await.refused(90010, "Index: 2");
    let mut turned = piece(Some(&stream), 2, "x", false);
    (turned["From_Account"], turned["To_Account"]) = (json!("bob"), json!("alice"));
    world.rest(COMMAND, turned).await.refused(200_013, "");
    for unknown in ["x", &"0".repeat(32), &stream.to_uppercase().repeat(2)] {
        world.rest(COMMAND, piece(Some(unknown), 2, "x", false)).await.refused(200_013, "");
    }
    world.rest(COMMAND, piece(None, 2, "not the first", false)).await.refused(90010, "Index: 1");
    let other = world.new_app("other").await;
    world
        .rest_as(&other, "administrator", COMMAND, piece(Some(&stream), 2, "x", false))
        .await
        .refused(90008, "");
    go_on(&world, &stream, 2, "", true).await.ok();
    assert_eq!(world.history("bob", "alice").await, [text("one")]);
}

#[tokio::test(start_paused = true)]
async fn bad_requests_name_their_field() {
    let world = world().await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = piece(None, 1, "x", false);
        change(&mut body);
        body
    };
    let content =
        |body: &mut Value, field: &str, value: Value| body["MsgBody"][0]["MsgContent"][field] = value;
    for (body, code, field) in [
        (with(&|body| body["MsgBody"] = json!([])), 90002, "MsgBody"),
        (with(&|body| body["MsgBody"] = json!("x")), 90002, "MsgBody"),
        (with(&|body| body["MsgBody"][0]["MsgType"] = json!("TIMTextElem")), 90010, "MsgType"),
        (with(&|body| content(body, "Chunks", json!([]))), 90010, "Chunks"),
        (with(&|body| content(body, "Chunks", json!([{"Index": -1}]))), 90002, "Index"),
        (with(&|body| content(body, "Chunks", json!([{"Index": 1, "EventType": "x"}]))), 90010, "EventType"),
        (with(&|body| content(body, "CompatibleText", json!("x".repeat(1025)))), 90010, "CompatibleText"),
        (with(&|body| body["To_Account"] = json!("nobody")), 90012, "To_Account"),
        (with(&|body| body["From_Account"] = json!("nobody")), 90008, "From_Account"),
        (with(&|body| body["MsgRandom"] = json!("x")), 90005, "MsgRandom"),
        (with(&|body| body["SyncOtherMachine"] = json!(3)), 90031, "SyncOtherMachine"),
        (with(&|body| body["CloudCustomData"] = json!("x".repeat(8 * 1024 + 1))), 80002, "CloudCustomData"),
    ] {
        world.rest(COMMAND, body).await.refused(code, field);
    }
    world.rest_as(&world.app, "alice", COMMAND, piece(None, 1, "x", false)).await.refused(60010, "");
    let mut alice = world.login("alice").await;
    let servcmd = COMMAND.replace('/', ".");
    alice.call(&servcmd, piece(None, 1, "x", false)).await.refused(90009, "");
    world.advance_seconds(20).await;
    assert!(world.history("bob", "alice").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_fewer_than_128_kilobytes_and_five_pieces_a_second() {
    let world = world().await;
    let half = "x".repeat(64 * 1024);
    let (stream, _) = begin(&world, &half).await;
    world.advance_seconds(1).await;
    go_on(&world, &stream, 2, &half, false).await.refused(80002, "131072");
    go_on(&world, &stream, 2, &half[1..], false).await.ok();
    go_on(&world, &stream, 3, "x", false).await.refused(80002, "");
    world.advance_seconds(1).await;
    for index in 3..8 {
        world.rest(COMMAND, piece(Some(&stream), index, "", false)).await.ok();
    }
    world.rest(COMMAND, piece(Some(&stream), 8, "", false)).await.refused(60007, "5 pieces");
    world.advance_seconds(1).await;
    world.rest(COMMAND, piece(Some(&stream), 8, "", true)).await.ok();
    let history = world.history("bob", "alice").await;
    let whole = history[0][0]["MsgContent"]["Text"].as_str().map(str::len);
    assert_eq!(whole, Some(128 * 1024 - 1));
}

#[tokio::test(start_paused = true)]
async fn an_app_has_a_limited_number_of_open_streams() {
    let world = world().await;
    let mut body = piece(None, 1, "x", false);
    for number in 0..engine::streams::OPEN_MAX {
        body["MsgRandom"] = json!(number);
        if number % 500 == 499 {
            world.advance_seconds(1).await;
        }
        world.rest(COMMAND, body.clone()).await.ok();
    }
    world.advance_seconds(1).await;
    body["MsgRandom"] = json!(5_000_000);
    world.rest(COMMAND, body.clone()).await.refused(200_014, "");
    world.advance_seconds(16).await;
    world.rest(COMMAND, body).await.ok();
    assert_eq!(world.history("bob", "alice").await.len(), 500, "a page");
}

#[tokio::test(start_paused = true)]
async fn an_erased_account_leaves_no_stream_and_an_app_that_stores_nothing_has_none() {
    let world = world().await;
    let (stream, _) = begin(&world, "of alice").await;
    let mut other = piece(None, 1, "to alice", false);
    (other["From_Account"], other["To_Account"]) = (json!("bob"), json!("alice"));
    world.rest(COMMAND, other).await.ok();
    world.delete_account("alice").await;
    go_on(&world, &stream, 2, "x", true).await.refused(90008, "From_Account");
    world.advance_seconds(60).await;
    let app = world.settings(&world.app).await;
    assert_eq!(world.engine().keeps_streams(app.id).await, Ok(false), "nothing of it is left");
    world.accounts(&["alice"]).await;
    assert!(world.history("bob", "alice").await.is_empty());
    world.keep(Some(0), None).await;
    world.rest(COMMAND, piece(None, 1, "x", false)).await.refused(200_007, "");
}

#[tokio::test(start_paused = true)]
async fn a_first_piece_that_is_kept_slowly_begins_a_stream_all_the_same() {
    let options = testkit::Options { sync_millis: 20_000, ..testkit::Options::of(message::commands) };
    let world = World::with(options).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    let (stream, _) = begin(&world, "one ").await;
    go_on(&world, &stream, 2, "two", true).await.ok();
    assert_eq!(world.history("bob", "alice").await, [text("one two")]);
    // Where the store fails nothing is answered, and nothing stays open.
    world.store.fail_after(Some(0));
    assert_ne!(world.rest(COMMAND, piece(None, 1, "x", false)).await.code(), 0);
    world.store.fail_after(None);
    world.advance_seconds(60).await;
    assert_eq!(world.engine().keeps_streams(world.app.id).await, Ok(false));
    assert_eq!(world.history("bob", "alice").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_keeps_no_copy_hears_nothing_of_its_own_stream() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    alice.forget().await;
    let mut body = piece(None, 1, "all of it", true);
    body["SyncOtherMachine"] = json!(2);
    world.rest(COMMAND, body).await.ok();
    assert_eq!(world.history("bob", "alice").await, [text("all of it")]);
    assert!(world.history("alice", "bob").await.is_empty());
    alice.hears_nothing().await;
}
