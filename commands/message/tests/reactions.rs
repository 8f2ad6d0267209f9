//! `openim_msg_ext_http_svc.reaction_add`, `.reaction_del`, `.reaction_multi_stat`, `.reaction_iterate`.
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use engine::annotations::ReactionFact;
use engine::messages::Sent;
use ports::records::{Range, Record as _};
use serde_json::{Value, json};
use testkit::{Answer, Client, World};

const ADD: &str = "openim_msg_ext_http_svc.reaction_add";
const REMOVE: &str = "openim_msg_ext_http_svc.reaction_del";
const SUMMARY: &str = "openim_msg_ext_http_svc.reaction_multi_stat";
const USERS: &str = "openim_msg_ext_http_svc.reaction_iterate";

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

/// The request about a reaction to a message from alice to bob.
fn about(sent: &Sent, reaction: &str) -> Value {
    json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.key, "Reaction": reaction})
}

fn summary_of(keys: &[&Sent], count: usize) -> Value {
    let keys: Vec<_> = keys.iter().map(|sent| sent.key).collect();
    json!({"From_Account": "alice", "To_Account": "bob", "MsgKeyList": keys, "Count": count})
}

/// The reactions to a message as a client gets them.
async fn summary(client: &mut Client, sent: &Sent) -> Value {
    let answer = client.call(SUMMARY, summary_of(&[sent], 10)).await.ok();
    answer["Results"][0]["MsgReactionSummary"].clone()
}

fn said(reaction: &str, users: &[&str], is_own: u8) -> Value {
    json!({"Reaction": reaction, "Count": users.len(), "Reaction_Account": users, "ReactedByMe": is_own})
}

async fn records(world: &World) -> usize {
    let kind = ReactionFact::KIND;
    let range = Range { kind, index: None, prefix: Vec::new(), after: None, limit: 2000 };
    world.engine().context.records.scan(world.app.id, range).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn both_sides_learn_who_reacts_and_the_other_instances_that_it_was_their_account() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut second = world.login("bob").await;
    let sent = world.send("alice", "bob", "hello").await;
    for client in [&mut alice, &mut bob, &mut second] {
        client.forget().await;
    }
    let named = json!({"TinyId": alice.number, "MsgClientTime": sent.time, "MsgRandom": sent.key.random});
    let list = |summary: Value| json!([{"C2CMsgInfo": named, "MsgReactionSummary": [summary]}]);
    for (client, users) in [(0, vec!["bob"]), (1, vec!["bob", "alice"])] {
        let acting = if client == 0 { &mut bob } else { &mut alice };
        let user = acting.user.clone();
        let mut body = about(&sent, "+1");
        body["Add_Account"] = json!([user]);
        acting.call(ADD, body).await.ok();
        let expected = list(json!({"Reaction": "+1", "Count": users.len(), "Reaction_Account": users}));
        for client in [&mut alice, &mut bob, &mut second] {
            assert_eq!(client.pushed().await.item("MsgReactionNotifyList"), &expected);
        }
        if user == "bob" {
            let expected = json!({"C2CMsgInfo": named, "Reaction": "+1", "MsgOptType": 1});
            assert_eq!(second.pushed().await.item("MsgReactionNotify"), &expected);
        }
        for client in [&mut alice, &mut bob, &mut second] {
            client.hears_nothing().await;
        }
    }
    second.call(REMOVE, about(&sent, "+1")).await.ok();
    let expected = list(json!({"Reaction": "+1", "Count": 1, "Reaction_Account": ["alice"]}));
    for client in [&mut alice, &mut bob, &mut second] {
        assert_eq!(client.pushed().await.item("MsgReactionNotifyList"), &expected);
    }
    assert_eq!(bob.pushed().await.item("MsgReactionNotify")["MsgOptType"], 2);
    alice.call(REMOVE, about(&sent, "+1")).await.ok();
    // Without the list of accounts nobody is left.
    let expected = list(json!({"Reaction": "+1", "Count": 0}));
    for client in [&mut alice, &mut bob, &mut second] {
        assert_eq!(client.pushed().await.item("MsgReactionNotifyList"), &expected);
        client.hears_nothing().await;
    }
    assert_eq!(records(&world).await, 0);
}

#[tokio::test(start_paused = true)]
async fn reactions_are_there_after_a_restart_for_messages_of_both_directions() {
    let mut world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let (to_bob, bare) = (world.send("alice", "bob", "1").await, world.send("alice", "bob", "2").await);
    let to_alice = world.send("bob", "alice", "3").await;
    bob.call(ADD, about(&to_bob, "second")).await.ok();
    bob.call(ADD, about(&to_bob, "first")).await.ok();
    alice.call(ADD, about(&to_bob, "first")).await.ok();
    let mut answer = about(&to_alice, "thanks");
    (answer["From_Account"], answer["To_Account"]) = (json!("bob"), json!("alice"));
    alice.call(ADD, answer).await.ok();
    world.crash().await;
    let mut bob = world.login("bob").await;
    let mut asked = summary_of(&[&to_bob, &bare, &to_alice], 10);
    let found = bob.call(SUMMARY, asked.clone()).await.ok();
    let expected = [
        (&to_bob, vec![said("second", &["bob"], 1), said("first", &["bob", "alice"], 1)]),
        (&bare, vec![]),
        (&to_alice, vec![said("thanks", &["alice"], 0)]),
    ];
    // Under both names by which clients read it.
    let expected = expected
        .map(|(sent, list)| json!({"MsgKey": sent.key, "MsgReactionSummary": list, "ReactionList": list}));
    assert_eq!(found["Results"], json!(expected));
    asked["Count"] = json!(1);
    let found = bob.call(SUMMARY, asked.clone()).await.ok();
    let first = &found["Results"][0]["MsgReactionSummary"][1];
    assert_eq!((&first["Count"], &first["Reaction_Account"]), (&json!(2), &json!(["bob"])));
    asked["Count"] = json!(1_000_000);
    bob.call(SUMMARY, asked).await.ok();
    let mut asked = about(&to_bob, "first");
    (asked["Count"], asked["NextSeq"]) = (json!(100), json!(0));
    let found = bob.call(USERS, asked).await.ok();
    assert_eq!((&found["Reaction_Account"], &found["NextSeq"]), (&json!(["bob", "alice"]), &json!(0)));
    let found = bob.call(USERS, about(&to_bob, "none")).await.ok();
    assert!(found.list("Reaction_Account").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reaction_is_made_once_and_taken_back_by_who_made_it() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let sent = world.send("alice", "bob", "hello").await;
    bob.call(REMOVE, about(&sent, "+1")).await.refused(23008, "");
    alice.call(ADD, about(&sent, "+1")).await.ok();
    bob.forget().await;
    alice.call(ADD, about(&sent, "+1")).await.refused(23007, "");
    bob.call(REMOVE, about(&sent, "+1")).await.refused(23009, "");
    bob.hears_nothing().await;
    assert_eq!(summary(&mut bob, &sent).await, json!([said("+1", &["alice"], 0)]));
    alice.call(REMOVE, about(&sent, "+1")).await.ok();
    alice.call(REMOVE, about(&sent, "+1")).await.refused(23008, "");
    assert_eq!(summary(&mut bob, &sent).await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_message_has_at_most_ten_different_reactions() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let sent = world.send("alice", "bob", "hello").await;
    for number in 0..10 {
        alice.call(ADD, about(&sent, &number.to_string())).await.ok();
    }
    bob.call(ADD, about(&sent, "one more")).await.refused(23005, "");
    bob.call(ADD, about(&sent, "9")).await.ok();
    alice.call(REMOVE, about(&sent, "0")).await.ok();
    bob.call(ADD, about(&sent, "one more")).await.ok();
    assert_eq!(summary(&mut alice, &sent).await.as_array().map(Vec::len), Some(10));
}

#[tokio::test(start_paused = true)]
async fn two_that_react_at_once_do_so_one_after_the_other() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let sent = world.send("alice", "bob", "hello").await;
    for number in 0..9 {
        alice.call(ADD, about(&sent, &number.to_string())).await.ok();
    }
    let asked = [alice.send(ADD, about(&sent, "a")).await, bob.send(ADD, about(&sent, "b")).await];
    let answers = [alice.answer_or_end(ADD, asked[0]).await, bob.answer_or_end(ADD, asked[1]).await];
    let mut codes: Vec<i64> = answers.iter().flatten().map(Answer::code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 23005]);
    assert_eq!(records(&world).await, 10);
}

#[tokio::test(start_paused = true)]
async fn errors_name_their_field_and_nobody_reacts_for_another() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let sent = world.send("alice", "bob", "hello").await;
    let with = |name: &str, value: Value| {
        let mut body = about(&sent, "+1");
        body[name] = value;
        body
    };
    for (body, code, field) in [
        (with("Reaction", json!("")), 90001, "Reaction"),
        (with("Reaction", json!("x".repeat(65))), 90001, "Reaction"),
        (with("Reaction", json!(1)), 90001, "Reaction"),
        (with("MsgKey", json!("1_2")), 90054, "MsgKey"),
        (with("MsgKey", json!("1_2_3")), 90054, "MsgKey"),
        (with("To_Account", json!(1)), 90003, "To_Account"),
        (with("From_Account", json!("ä")), 90008, "From_Account"),
    ] {
        for servcmd in [ADD, REMOVE, USERS] {
            alice.call(servcmd, body.clone()).await.refused(code, field);
        }
    }
    for name in ["Add_Account", "Del_Account"] {
        let servcmd = if name == "Add_Account" { ADD } else { REMOVE };
        alice.call(servcmd, with(name, json!(["bob"]))).await.refused(90008, name);
        alice.call(servcmd, with(name, json!(["alice", "bob"]))).await.refused(90008, name);
    }
    let many: Vec<&Sent> = vec![&sent; 31];
    alice.call(SUMMARY, summary_of(&many, 10)).await.refused(90054, "MsgKeyList");
    alice.call(SUMMARY, summary_of(&[], 10)).await.refused(90054, "MsgKeyList");
    alice.call(SUMMARY, with("MsgKeyList", json!(["1_2"]))).await.refused(90054, "MsgKeyList");
    alice.call(ADD, about(&sent, &"x".repeat(64))).await.ok();
    assert_eq!(alice.call(SUMMARY, summary_of(&many[..30], 10)).await.ok().list("Results").len(), 30);
    bob.forget().await;
    world.rest("openim_msg_ext_http_svc/reaction_add", about(&sent, "+1")).await.refused(60009, "");
    bob.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_may_not_see_does_not_exist() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut carol = world.login("carol").await;
    let sent = world.send("alice", "bob", "hello").await;
    alice.call(ADD, about(&sent, "+1")).await.ok();
    let mut missing = about(&sent, "+1");
    missing["MsgKey"] = json!("1_2_3");
    let unknown = alice.call(ADD, missing).await.refused(90054, "MsgKey");
    for servcmd in [ADD, REMOVE, USERS] {
        assert_eq!(carol.call(servcmd, about(&sent, "+1")).await.info(), unknown.info());
    }
    assert_eq!(carol.call(SUMMARY, summary_of(&[&sent], 10)).await.info(), unknown.info());
    let body = json!({"From_Account": "bob", "To_Account": "alice", "MsgKeyList": [sent.key]});
    bob.call("openim.delete_c2c_msg_ramble", body).await.ok();
    bob.forget().await;
    assert_eq!(bob.call(ADD, about(&sent, "+1")).await.info(), unknown.info());
    assert_eq!(summary(&mut bob, &sent).await, json!([]));
    alice.call(ADD, about(&sent, "alone")).await.ok();
    bob.hears_nothing().await;
    assert_eq!(summary(&mut alice, &sent).await.as_array().map(Vec::len), Some(2));
}

#[tokio::test(start_paused = true)]
async fn reactions_go_with_their_message_and_with_either_account() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let (first, second) = (world.send("alice", "bob", "1").await, world.send("alice", "bob", "2").await);
    for sent in [&first, &second] {
        world.react(("alice", "bob"), sent, "own").await;
        bob.call(ADD, about(sent, "+1")).await.ok();
    }
    world.recall("alice", "bob", &first).await;
    assert_eq!(records(&world).await, 2);
    bob.call(ADD, about(&first, "+1")).await.refused(90054, "MsgKey");
    assert_eq!(summary(&mut bob, &first).await, json!([]));
    world.delete_account("alice").await;
    world.advance_seconds(3).await;
    assert_eq!(records(&world).await, 0);
    bob.call(ADD, about(&second, "+1")).await.refused(90054, "MsgKey");
}

#[tokio::test(start_paused = true)]
async fn who_may_not_write_to_somebody_may_not_react_either() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let sent = world.send("alice", "bob", "hello").await;
    world.block("bob", "alice").await;
    alice.call(ADD, about(&sent, "!")).await.refused(20007, "");
    let body = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.key, "OperateType": 1,
        "ExtensionList": [{"Key": "k", "Value": "v", "Seq": 0}]});
    alice.call("openim_msg_ext_http_svc.set_key_values", body).await.refused(20007, "");
    world.set("block_list_check", "false").await;
    world.set("friendship_check", "either").await;
    alice.call(ADD, about(&sent, "!")).await.refused(20009, "");
    world.befriend("bob", "alice").await;
    alice.call(ADD, about(&sent, "!")).await.ok();
}
