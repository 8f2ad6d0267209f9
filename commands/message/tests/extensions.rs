//! `openim_msg_ext_http_svc/set_key_values` and `get_key_values`: extensions of messages.
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use engine::annotations::{AnnotationsFact, ExtensionFact};
use engine::messages::Sent;
use ports::records::{Range, Record as _};
use serde_json::{Value, json};
use testkit::{Answer, Client, World, text};

const SET: &str = "openim_msg_ext_http_svc.set_key_values";
const GET: &str = "openim_msg_ext_http_svc.get_key_values";
const REST_SET: &str = "openim_msg_ext_http_svc/set_key_values";
const REST_GET: &str = "openim_msg_ext_http_svc/get_key_values";
const DAY_SECONDS: u64 = 86_400;

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

/// The request about a message from alice to bob, with more fields.
fn about(sent: &Sent, more: Value) -> Value {
    let mut body = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.key});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn list(pairs: &[(&str, &str, u64)]) -> Vec<Value> {
    pairs.iter().map(|(key, value, seq)| json!({"Key": key, "Value": value, "Seq": seq})).collect()
}

fn set(sent: &Sent, pairs: &[(&str, &str, u64)]) -> Value {
    about(sent, json!({"OperateType": 1, "ExtensionList": list(pairs)}))
}

fn delete(sent: &Sent, pairs: &[(&str, &str, u64)]) -> Value {
    about(sent, json!({"OperateType": 2, "ExtensionList": list(pairs)}))
}

fn clear(sent: &Sent) -> Value {
    about(sent, json!({"OperateType": 3}))
}

fn get(sent: &Sent) -> Value {
    about(sent, json!({}))
}

/// Code, key, value and sequence of each result.
fn results(answer: &Answer) -> Vec<(i64, String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let result = |one: &Value| {
        let of = &one["Extension"];
        (
            one["ErrorCode"].as_i64().unwrap(),
            text(&of["Key"]),
            text(&of["Value"]),
            of["Seq"].as_u64().unwrap(),
        )
    };
    answer.list("ExtensionList").iter().map(result).collect()
}

fn result(code: i64, key: &str, value: &str, seq: u64) -> (i64, String, String, u64) {
    (code, key.to_owned(), value.to_owned(), seq)
}

/// How many records of extensions there are, and of their numbers.
async fn records(world: &World) -> (usize, usize) {
    let count = async |kind| {
        let range = Range { kind, index: None, prefix: Vec::new(), after: None, limit: 2000 };
        world.engine().context.records.scan(world.app.id, range).await.unwrap().len()
    };
    (count(ExtensionFact::KIND).await, count(AnnotationsFact::KIND).await)
}

async fn forget(clients: &mut [&mut Client]) {
    for client in clients {
        client.forget().await;
    }
}

#[tokio::test(start_paused = true)]
async fn both_sides_learn_of_a_change_but_not_the_instance_that_made_it() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let sent = world.send("alice", "bob", "poll").await;
    forget(&mut [&mut alice, &mut second, &mut bob]).await;
    let pushed = |kind: u8, latest: u64, field: &str, content: Value| {
        let mut expected = json!({"MsgOptType": kind, "TinyId": alice.number, "MsgLastSeq": latest,
            "ExtensionC2cMsgInfo": {"MsgClientTime": sent.time, "MsgRandom": sent.key.random}});
        expected[field] = json!([content]);
        expected
    };
    let values = [("a", "1", 0), ("b", "2", 0)];
    let answer = bob.call(SET, set(&sent, &values)).await.ok();
    assert_eq!(results(&answer), [result(0, "a", "1", 1), result(0, "b", "2", 2)]);
    assert_eq!(answer["Seq"], 2);
    let kept = json!({ "MsgKeyValue": list(&[("a", "1", 1), ("b", "2", 2)]) });
    let is_set = pushed(1, 2, "SetKVInfo", kept);
    let is_deleted = pushed(2, 3, "DeleteKVInfo", json!({ "MsgKeyValue": list(&[("a", "", 3)]) }));
    let is_cleared = pushed(3, 4, "ClearKVInfo", json!({"ClearMsgSeq": 4}));
    for client in [&mut alice, &mut second] {
        assert_eq!(client.pushed().await.item("MsgExtensionNotify"), &is_set);
    }
    bob.hears_nothing().await;
    let answer = alice.call(SET, delete(&sent, &[("a", "", 1)])).await.ok();
    assert_eq!(results(&answer), [result(0, "a", "", 3)]);
    let answer = alice.call(SET, clear(&sent)).await.ok();
    assert_eq!((answer.list("ExtensionList").len(), &answer["Seq"]), (0, &json!(4)));
    for client in [&mut second, &mut bob] {
        assert_eq!(client.pushed().await.item("MsgExtensionNotify"), &is_deleted);
        assert_eq!(client.pushed().await.item("MsgExtensionNotify"), &is_cleared);
        client.hears_nothing().await;
    }
    alice.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_know_the_current_sequence_is_refused_with_the_current_value() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let sent = world.send("alice", "bob", "poll").await;
    alice.call(SET, set(&sent, &[("a", "1", 0)])).await.ok();
    forget(&mut [&mut alice, &mut bob]).await;
    let answer = bob.call(SET, set(&sent, &[("a", "2", 0)])).await.ok();
    assert_eq!(results(&answer), [result(23001, "a", "1", 1)]);
    let answer = bob.call(SET, delete(&sent, &[("a", "", 9), ("c", "", 0)])).await.ok();
    assert_eq!(results(&answer), [result(23001, "a", "1", 1), result(23004, "c", "", 0)]);
    alice.hears_nothing().await;
    // Keys stand for themselves: one that is refused holds up no other one.
    let answer = bob.call(SET, set(&sent, &[("a", "2", 0), ("b", "2", 0)])).await.ok();
    assert_eq!(results(&answer), [result(23001, "a", "1", 1), result(0, "b", "2", 2)]);
    let push = alice.pushed().await;
    let told = &push.item("MsgExtensionNotify")["SetKVInfo"][0]["MsgKeyValue"];
    assert_eq!(told, &json!(list(&[("b", "2", 2)])));
    let answer = bob.call(SET, set(&sent, &[("a", "2", 1)])).await.ok();
    assert_eq!(results(&answer), [result(0, "a", "2", 3)]);
    // An administrator's calls are not checked, and are told to both sides.
    forget(&mut [&mut alice, &mut bob]).await;
    let answer = world.rest(REST_SET, set(&sent, &[("a", "3", 0)])).await.ok();
    assert_eq!(results(&answer), [result(0, "a", "3", 4)]);
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.pushed().await.item("MsgExtensionNotify")["MsgLastSeq"], 4);
    }
    let answer = world.rest(REST_SET, delete(&sent, &[("a", "", 0), ("a", "", 0)])).await.ok();
    assert_eq!(results(&answer), [result(0, "a", "", 5), result(23004, "a", "", 5)]);
}

#[tokio::test(start_paused = true)]
async fn who_was_away_finds_what_changed_since() {
    let mut world = world().await;
    let mut alice = world.login("alice").await;
    let sent = world.send("alice", "bob", "poll").await;
    alice.call(SET, set(&sent, &[("a", "1", 0), ("b", "2", 0)])).await.ok();
    alice.call(SET, delete(&sent, &[("a", "", 1)])).await.ok();
    world.crash().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let page = bob.call(GET, get(&sent)).await.ok();
    assert_eq!(page["ExtensionList"], json!(list(&[("b", "2", 2)])));
    assert_eq!(
        (&page["LatestSeq"], &page["ClearSeq"], &page["CompleteFlag"]),
        (&json!(3), &json!(0), &json!(1))
    );
    let page = bob.call(GET, about(&sent, json!({"startSeq": 2}))).await.ok();
    assert_eq!(page["ExtensionList"], json!(list(&[("b", "2", 2), ("a", "", 3)])), "the deleted one too");
    // It can be set again by who knows of its deletion, or of nothing.
    let answer = bob.call(SET, set(&sent, &[("a", "9", 1)])).await.ok();
    assert_eq!(results(&answer), [result(23001, "a", "", 3)]);
    let answer = bob.call(SET, set(&sent, &[("a", "9", 3)])).await.ok();
    assert_eq!(results(&answer), [result(0, "a", "9", 4)]);
    alice.call(SET, clear(&sent)).await.ok();
    let page = bob.call(GET, about(&sent, json!({"startSeq": 4}))).await.ok();
    assert_eq!((&page["LatestSeq"], &page["ClearSeq"]), (&json!(5), &json!(5)));
    assert!(page.list("ExtensionList").is_empty());
    let answer = bob.call(SET, set(&sent, &[("a", "again", 4)])).await.ok();
    assert_eq!(results(&answer), [result(0, "a", "again", 6)], "what is not there conflicts with nothing");
    assert_eq!(records(&world).await, (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_message_has_three_hundred_keys_in_pages_of_two_hundred() {
    let world = world().await;
    let sent = world.send("alice", "bob", "poll").await;
    let keys: Vec<String> = (0..301).map(|number| format!("key {number}")).collect();
    let pairs: Vec<(&str, &str, u64)> = keys.iter().map(|key| (key.as_str(), "v", 0)).collect();
    for some in pairs[..300].chunks(20) {
        world.rest(REST_SET, set(&sent, some)).await.ok();
    }
    world.rest(REST_SET, set(&sent, &pairs[300..])).await.refused(90001, "ExtensionList");
    world.rest(REST_SET, set(&sent, &pairs[..1])).await.ok();
    let first = world.rest(REST_GET, get(&sent)).await.ok();
    assert_eq!((first.list("ExtensionList").len(), &first["CompleteFlag"]), (200, &json!(0)));
    let last = first.list("ExtensionList")[199]["Seq"].as_u64().unwrap();
    assert_eq!((last, &first["LatestSeq"]), (201, &json!(301)), "the first key was set anew");
    let rest = world.rest(REST_GET, about(&sent, json!({"StartSeq": last + 1}))).await.ok();
    assert_eq!((rest.list("ExtensionList").len(), &rest["CompleteFlag"]), (100, &json!(1)));
    assert_eq!(rest.list("ExtensionList")[99]["Key"], "key 0");
    // What was deleted makes room.
    world.rest(REST_SET, delete(&sent, &pairs[..1])).await.ok();
    world.rest(REST_SET, set(&sent, &pairs[300..])).await.ok();
}

#[tokio::test(start_paused = true)]
async fn errors_name_their_field() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let sent = world.send("alice", "bob", "poll").await;
    let (long_key, long_value) = ("k".repeat(101), "v".repeat(1001));
    let many: Vec<(&str, &str, u64)> = vec![("k", "v", 0); 21];
    let with = |name: &str, value: Value| {
        let mut body = set(&sent, &[("k", "v", 0)]);
        body[name] = value;
        body
    };
    for (body, code, field) in [
        (set(&sent, &[]), 90001, "ExtensionList"),
        (set(&sent, &many), 90001, "ExtensionList"),
        (set(&sent, &[("", "v", 0)]), 90001, "ExtensionList[0].Key"),
        (set(&sent, &[("k", "v", 0), (&long_key, "v", 0)]), 90001, "ExtensionList[1].Key"),
        (set(&sent, &[("k", "", 0)]), 90001, "ExtensionList[0].Value"),
        (set(&sent, &[("k", &long_value, 0)]), 90001, "ExtensionList[0].Value"),
        (with("OperateType", json!(4)), 90001, "OperateType"),
        (with("OperateType", json!("1")), 90001, "OperateType"),
        (with("ExtensionList", json!([{"Value": "v"}])), 90001, "ExtensionList[0].Key"),
        (with("MsgKey", json!("1_2")), 90054, "MsgKey"),
        (with("To_Account", json!(1)), 90003, "To_Account"),
        (with("From_Account", json!("ä")), 90008, "From_Account"),
    ] {
        alice.call(SET, body.clone()).await.refused(code, field);
        world.rest(REST_SET, body).await.refused(code, field);
    }
    let unknown = with("To_Account", json!("nobody"));
    world.rest(REST_SET, unknown).await.refused(90003, "To_Account");
    let unknown = with("From_Account", json!("nobody"));
    world.rest(REST_SET, unknown).await.refused(90008, "From_Account");
    // Without a sender the caller is meant.
    let mut own = set(&sent, &[("k", "v", 0)]);
    own.as_object_mut().unwrap().remove("From_Account");
    world.rest(REST_SET, own.clone()).await.refused(90054, "MsgKey");
    alice.call(SET, own).await.ok();
    let longest = ("k".repeat(100), "v".repeat(1000));
    alice.call(SET, set(&sent, &[(&longest.0, &longest.1, 0)])).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_message_takes_extensions_if_its_sender_said_so() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let body = json!({"To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1, "MsgBody": text("x")});
    let key = alice.call("openim.sendmsg", body).await.ok()["MsgKey"].clone();
    let mut asked = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": key, "OperateType": 3});
    alice.call(SET, asked.clone()).await.refused(90054, "SupportMessageExtension");
    asked["OperateType"] = json!(1);
    asked["ExtensionList"] = json!(list(&[("k", "v", 0)]));
    world.rest(REST_SET, asked.clone()).await.refused(90054, "SupportMessageExtension");
    let page = alice.call(GET, asked).await.ok();
    assert_eq!((page.list("ExtensionList").len(), &page["CompleteFlag"]), (0, &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_may_not_see_does_not_exist() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut carol = world.login("carol").await;
    let sent = world.send("alice", "bob", "poll").await;
    alice.call(SET, set(&sent, &[("k", "v", 0)])).await.ok();
    let mut missing = get(&sent);
    missing["MsgKey"] = json!("1_2_3");
    let unknown = alice.call(GET, missing).await.refused(90054, "MsgKey");
    let mut turned = get(&sent);
    (turned["From_Account"], turned["To_Account"]) = (json!("bob"), json!("alice"));
    let mut nobody = get(&sent);
    nobody["To_Account"] = json!("nobody");
    for (is_side, servcmd, body) in [
        (false, GET, get(&sent)),
        (false, SET, set(&sent, &[("k", "w", 1)])),
        (true, GET, turned),
        (true, GET, nobody),
    ] {
        let client = if is_side { &mut alice } else { &mut carol };
        assert_eq!(client.call(servcmd, body).await.info(), unknown.info());
    }
    // Deleted on one side.
    let body = json!({"From_Account": "bob", "To_Account": "alice", "MsgKeyList": [sent.key]});
    bob.call("openim.delete_c2c_msg_ramble", body).await.ok();
    forget(&mut [&mut bob]).await;
    assert_eq!(bob.call(GET, get(&sent)).await.info(), unknown.info());
    alice.call(SET, set(&sent, &[("k", "w", 1)])).await.ok();
    bob.hears_nothing().await;
    // Never received.
    world.block("bob", "alice").await;
    world.set("blocklist_show_sent", "true").await;
    let body = json!({"To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1, "MsgBody": text("x"),
        "SupportMessageExtension": 1});
    let key = alice.call("openim.sendmsg", body).await.ok()["MsgKey"].clone();
    let mut body = set(&sent, &[("k", "v", 0)]);
    body["MsgKey"] = key;
    assert_eq!(bob.call(SET, body.clone()).await.info(), unknown.info());
    alice.call(SET, body).await.ok();
    bob.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn extensions_go_with_their_message() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let (first, second) = (world.send("alice", "bob", "1").await, world.send("alice", "bob", "2").await);
    for sent in [&first, &second] {
        alice.call(SET, set(sent, &[("a", "1", 0), ("b", "2", 0)])).await.ok();
    }
    assert_eq!(records(&world).await, (4, 2));
    world.recall("alice", "bob", &first).await;
    assert_eq!(records(&world).await, (2, 1));
    alice.call(GET, get(&first)).await.refused(90054, "MsgKey");
    alice.call(SET, set(&first, &[("k", "v", 0)])).await.refused(90054, "MsgKey");
    assert_eq!(alice.call(GET, get(&second)).await.ok().list("ExtensionList").len(), 2);
    world.advance_seconds(7 * DAY_SECONDS - 61).await;
    world.rest(REST_SET, set(&second, &[("late", "v", 0)])).await.ok();
    world.advance_seconds(61).await;
    world.rest(REST_GET, get(&second)).await.refused(90054, "MsgKey");
    assert_eq!(records(&world).await, (0, 0), "what was set last ends with the message too");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_an_account_or_beyond_a_shorter_retention() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let (old, young) = (world.send("alice", "bob", "1").await, world.send("carol", "bob", "2").await);
    bob.call(SET, set(&old, &[("a", "1", 0)])).await.ok();
    let mut other = set(&young, &[("a", "1", 0)]);
    other["From_Account"] = json!("carol");
    world.rest(REST_SET, other).await.ok();
    assert_eq!(records(&world).await, (2, 2));
    world.delete_account("alice").await;
    world.advance_seconds(3).await;
    assert_eq!(records(&world).await, (1, 1), "what bob set on her message too");
    world.advance_seconds(DAY_SECONDS).await;
    let sent = world.send("carol", "bob", "3").await;
    let mut other = set(&sent, &[("a", "1", 0)]);
    other["From_Account"] = json!("carol");
    world.rest(REST_SET, other).await.ok();
    world.keep(Some(1), None).await;
    assert_eq!(records(&world).await, (1, 1), "that of the message of today");
    world.advance_seconds(DAY_SECONDS).await;
    assert_eq!(records(&world).await, (0, 0));
}
