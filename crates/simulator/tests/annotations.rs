//! What was added to messages is sealed, and its keys die with those of the messages.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use engine::annotations::{ExtensionFact, ReactionFact};
use engine::messages::Sent;
use ports::records::{Found, Range};
use ports::{Kind, Record as _};
use promise::keys::Place;
use serde_json::json;
use testkit::World;

async fn world() -> World {
    let world = World::new(simulator::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

/// Sets an extension on a message from alice to bob, as bob does, and puts a reaction of alice under it.
async fn annotate(world: &World, sent: &Sent) {
    let mut bob = world.login("bob").await;
    let body = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.key, "OperateType": 1,
        "ExtensionList": [{"Key": "secret key", "Value": "secret value", "Seq": 0}]});
    bob.call("openim_msg_ext_http_svc.set_key_values", body).await.ok();
    world.react(("alice", "bob"), sent, "secret reaction").await;
}

async fn scan(world: &World, kind: Kind) -> Vec<Found> {
    let range = Range { kind, index: None, prefix: Vec::new(), after: None, limit: 1000 };
    world.engine().context.records.scan(world.app.id, range).await.unwrap()
}

/// Extensions and reactions as somebody has them who copied the store now.
async fn copy(world: &World) -> (Vec<ExtensionFact>, Vec<ReactionFact>) {
    let (extensions, reactions) =
        (scan(world, ExtensionFact::KIND).await, scan(world, ReactionFact::KIND).await);
    for found in extensions.iter().chain(&reactions) {
        for bytes in [&found.value[..], &found.key] {
            assert!(!String::from_utf8_lossy(bytes).contains("secret"), "sealed, and not in a key");
        }
    }
    let extensions = extensions.iter().map(|found| found.decode().unwrap());
    (extensions.collect(), reactions.iter().map(|found| found.decode().unwrap()).collect())
}

/// How many of a copy the server's keys open.
fn readable(world: &World, (extensions, reactions): &(Vec<ExtensionFact>, Vec<ReactionFact>)) -> usize {
    let extensions = extensions.iter().map(|fact| (fact.about.conversation, fact.by, &fact.sealed));
    let reactions = reactions.iter().map(|fact| (fact.about.conversation, fact.by, &fact.sealed));
    let opens = |(conversation, by, sealed)| {
        let place = Place::annotation(world.app.id, conversation, by);
        world.engine().keyring.open_bytes(place, sealed).is_some()
    };
    extensions.chain(reactions).filter(|one| opens(*one)).count()
}

#[tokio::test(start_paused = true)]
async fn a_recall_destroys_the_keys_of_what_was_added() {
    let mut world = world().await;
    let (first, second) = (world.send("alice", "bob", "1").await, world.send("alice", "bob", "2").await);
    annotate(&world, &first).await;
    annotate(&world, &second).await;
    let copied = copy(&world).await;
    assert_eq!(readable(&world, &copied), 4);
    world.recall("alice", "bob", &first).await;
    world.crash().await;
    assert_eq!(readable(&world, &copied), 4, "until the change of keys");
    let changed = world.engine().change_generation().await.unwrap();
    assert_eq!(changed.messages, 1, "what was added is no message");
    assert_eq!(readable(&world, &copied), 2);
}

#[tokio::test(start_paused = true)]
async fn an_erased_history_takes_what_was_added_along() {
    let world = world().await;
    let sent = world.send("alice", "bob", "1").await;
    annotate(&world, &sent).await;
    let copied = copy(&world).await;
    let asked = json!({"From_Account": "alice", "To_Account": "bob"});
    world.rest("whimbrel_conversation/erase", asked).await.ok();
    let later = world.send("alice", "bob", "later").await;
    annotate(&world, &later).await;
    world.advance_seconds(5).await;
    let left = copy(&world).await;
    assert_eq!((left.0.len(), left.1.len()), (1, 1), "what was added to the later one");
    world.engine().change_generation().await.unwrap();
    assert_eq!((readable(&world, &copied), readable(&world, &left)), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn an_erased_account_takes_along_what_it_added() {
    let world = world().await;
    let sent = world.send("alice", "bob", "1").await;
    annotate(&world, &sent).await;
    let copied = copy(&world).await;
    world.delete_account("bob").await;
    world.advance_seconds(5).await;
    let left = copy(&world).await;
    assert_eq!((left.0.len(), left.1.len()), (0, 0));
    world.engine().change_generation().await.unwrap();
    assert_eq!(readable(&world, &copied), 0, "alice's was about a message that nobody can name any more");
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_or_overwritten_destroys_its_key() {
    const SET: &str = "openim_msg_ext_http_svc.set_key_values";
    const TAKE_BACK: &str = "openim_msg_ext_http_svc.reaction_del";
    let world = world().await;
    let sent = world.send("alice", "bob", "1").await;
    let mut alice = world.login("alice").await;
    let named = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.key});
    let with = |more: serde_json::Value| {
        let mut body = named.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let set = |value: &str, known: u64| {
        with(json!({"OperateType": 1, "ExtensionList": [{"Key": "secret", "Value": value, "Seq": known}]}))
    };
    let mut steps = vec![
        (SET, set("secret 2", 1)),
        (SET, with(json!({"OperateType": 2, "ExtensionList": [{"Key": "secret", "Seq": 2}]}))),
        (SET, with(json!({"OperateType": 3}))),
        (TAKE_BACK, with(json!({"Reaction": "secret reaction"}))),
    ];
    alice.call(SET, set("secret 1", 0)).await.ok();
    world.react(("alice", "bob"), &sent, "secret reaction").await;
    for (command, body) in steps.drain(..) {
        let copied = copy(&world).await;
        let before = readable(&world, &copied);
        alice.call(command, body.clone()).await.ok();
        world.advance_seconds(5).await;
        world.engine().change_generation().await.unwrap();
        assert_eq!(readable(&world, &copied), before - 1, "{body}");
    }
}
