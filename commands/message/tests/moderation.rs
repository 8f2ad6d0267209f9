//! Keywords of an app in what accounts send: refused, replaced, and by whom not looked for.

use serde_json::{Value, json};
use testkit::{World, text};

const SEND: &str = "openim.sendmsg";

fn message(number: u32, body: Value) -> Value {
    json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": number, "MsgRandom": number, "MsgBody": body})
}

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_refused_text_goes_nowhere_and_the_list_is_effective_at_once() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    alice.call(SEND, message(1, text("too bad"))).await.ok();
    assert_eq!((bob.rest().await.len(), second.rest().await.len()), (1, 1));
    world.keyword("bad", None).await;
    alice.call(SEND, message(2, text("too BAD"))).await.refused(80001, "");
    let two = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "fine"}},
        {"MsgType": "TIMTextElem", "MsgContent": {"Text": "bad"}}]);
    alice.call(SEND, message(3, two)).await.refused(80001, "");
    let mut online = message(4, text("bad"));
    online["MsgLifeTime"] = json!(0);
    alice.call(SEND, online).await.refused(80001, "");
    for client in [&mut alice, &mut second, &mut bob] {
        client.hears_nothing().await;
    }
    assert_eq!(world.history("bob", "alice").await, [text("too bad")]);
    alice.call(SEND, message(2, text("fine"))).await.ok();
    assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["MsgBody"], text("fine"));
    let gone = [(model::keyword::WordKind::Word, "Bad".to_owned())];
    world.engine().moderation.remove(world.app.id, &gone).await.unwrap();
    alice.call(SEND, message(5, text("bad"))).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_replaced_text_is_stored_and_delivered_and_a_resend_is_recognised() {
    let mut world = world().await;
    world.keyword("darn", Some("****")).await;
    world.keyword("敏感词", Some("**")).await;
    world.crash().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let custom = json!({"MsgType": "TIMCustomElem", "MsgContent": {"Data": "darn"}});
    let element = |text: &str| json!({"MsgType": "TIMTextElem", "MsgContent": {"Text": text}});
    let sent = json!([element("Darn, 这是敏感词 \"quoted\""), custom, element("fine")]);
    let expected = json!([element("****, 这是** \"quoted\""), custom, element("fine")]);
    let first = alice.call(SEND, message(1, sent.clone())).await.ok();
    for client in [&mut bob, &mut second] {
        assert_eq!(client.pushed().await.item("C2cMsgArray")[0]["MsgBody"], expected);
    }
    let again = alice.call(SEND, message(1, sent)).await.ok();
    assert_eq!(again["MsgKey"], first["MsgKey"]);
    bob.hears_nothing().await;
    for (viewer, peer) in [("alice", "bob"), ("bob", "alice")] {
        assert_eq!(world.history(viewer, peer).await, std::slice::from_ref(&expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_that_becomes_too_long_is_refused_as_such() {
    let world = world().await;
    world.keyword("x", Some("1234567890")).await;
    let mut alice = world.login("alice").await;
    alice.call(SEND, message(1, text(&"x".repeat(1200)))).await.ok();
    alice.call(SEND, message(2, text(&"x".repeat(1300)))).await.refused(80002, "");
}

#[tokio::test(start_paused = true)]
async fn back_ends_are_not_looked_at_nor_is_what_the_sender_excludes() {
    let world = world().await;
    world.keyword("bad", None).await;
    let mut alice = world.login("alice").await;
    world.rest("openim/sendmsg", message(1, text("bad 1"))).await.ok();
    let mut excluded = message(2, text("bad 2"));
    excluded["SendMsgControl"] = json!(["NoMsgCheck"]);
    alice.call(SEND, excluded).await.ok();
    assert_eq!(world.history("bob", "alice").await, [text("bad 1"), text("bad 2")]);
    let mut other = message(3, text("bad 3"));
    other["SendMsgControl"] = json!(["NoUnread"]);
    alice.call(SEND, other).await.refused(80001, "");
}

#[tokio::test(start_paused = true)]
async fn keywords_of_one_app_are_none_of_another() {
    let world = world().await;
    world.keyword("bad", None).await;
    let other = world.new_app("other").await;
    let mut alice = world.login_to(&other, "alice", testkit::Device::WEB).await;
    world.login_to(&other, "bob", testkit::Device::WEB).await;
    alice.call(SEND, message(1, text("bad"))).await.ok();
}
