//! What was recalled, deleted or expired cannot be opened any more once the generation of keys has changed, even by who
//! copied the store before; everything else can.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use model::{AccountNumber, Content, ConversationId, Message, SdkAppId, Sealed};
use ports::timeline::{Direction, HistoryQuery};
use ports::{Cursor, Event, Record as _};
use promise::keys::Place;
use testkit::World;

/// Stored messages of an account, as somebody has them who copied the store now.
async fn copy(world: &World, account: AccountNumber) -> Vec<(ConversationId, Message<Sealed>)> {
    let timeline = &world.engine().context.timeline;
    let page = timeline.account_entries(world.app.id, account, Cursor(0), 1000).await.unwrap();
    let message = |entry: &std::sync::Arc<ports::Entry>| match &entry.event {
        Event::Message(message) => Some((entry.conversation, message.clone())),
        _ => None,
    };
    page.entries.iter().filter_map(message).collect()
}

/// The texts in a copy that the server's keys open.
fn readable(world: &World, copy: &[(ConversationId, Message<Sealed>)]) -> Vec<String> {
    let text = |content: Content| {
        let body: serde_json::Value = serde_json::from_slice(&content.body).unwrap();
        body[0]["MsgContent"]["Text"].as_str().unwrap().to_owned()
    };
    let app: SdkAppId = world.app.id;
    copy.iter()
        .filter_map(|(conversation, message)| {
            let place = Place::message(app, *conversation, message.writer());
            world.engine().keyring.open_content(place, &message.content)
        })
        .map(text)
        .collect()
}

async fn world() -> World {
    let world = World::new(simulator::commands).await;
    world.accounts(&["alice", "bob", "carol"]).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_recall_destroys_one_key_and_survives_a_crash_before_the_change() {
    let mut world = world().await;
    let bob = world.account("bob").await.number;
    let first = world.send("alice", "bob", "first").await;
    world.send("alice", "bob", "second").await;
    world.send("bob", "alice", "third").await;
    let copied = copy(&world, bob).await;
    world.recall("alice", "bob", &first).await;
    assert_eq!(readable(&world, &copied), ["first", "second", "third"], "until the change");
    world.crash().await;
    let changed = world.engine().change_generation().await.unwrap();
    assert_eq!((changed.messages, changed.accounts), (1, 0));
    assert_eq!(readable(&world, &copied), ["second", "third"]);
    let again = world.engine().change_generation().await.unwrap();
    assert_eq!(again.messages, 0, "once is enough");
    assert!(again.generation > changed.generation);
    world.crash().await;
    assert_eq!(readable(&world, &copied), ["second", "third"]);
    assert_eq!(world.history("bob", "alice").await.len(), 3, "its place stays");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_message_destroys_the_key_of_what_it_said_before() {
    let mut world = world().await;
    let (alice, bob) = (world.account("alice").await.number, world.account("bob").await.number);
    let first = world.send("alice", "bob", "before").await;
    world.send("alice", "bob", "other").await;
    let mut copied = copy(&world, bob).await;
    world.modify(("alice", "bob"), &first, "bob", "of bob").await;
    copied.extend(copy(&world, bob).await.into_iter().take(1));
    assert_eq!(readable(&world, &copied), ["before", "other", "of bob"], "until the change");
    world.crash().await;
    assert_eq!(world.engine().change_generation().await.unwrap().messages, 1);
    assert_eq!(readable(&world, &copied), ["other", "of bob"]);
    // A modification that another one left behind destroys nothing.
    world.modify(("alice", "bob"), &first, "alice", "of alice").await;
    copied.extend(copy(&world, alice).await.into_iter().take(1));
    assert_eq!(world.engine().change_generation().await.unwrap().messages, 1);
    assert_eq!(readable(&world, &copied), ["other", "of alice"]);
    world.recall("alice", "bob", &first).await;
    assert_eq!(world.engine().change_generation().await.unwrap().messages, 1);
    assert_eq!(readable(&world, &copied), ["other"]);
    assert_eq!(world.engine().change_generation().await.unwrap().messages, 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_account_wrote_into_a_message_of_another_goes_with_it() {
    let mut world = world().await;
    let alice = world.account("alice").await.number;
    let sent = world.send("alice", "bob", "of alice").await;
    world.modify(("alice", "bob"), &sent, "bob", "of bob").await;
    let copied = copy(&world, alice).await;
    assert_eq!(readable(&world, &copied), ["of bob"]);
    world.delete_account("bob").await;
    world.crash().await;
    world.engine().change_generation().await.unwrap();
    assert!(readable(&world, &copied).is_empty());
    world.advance_seconds(61).await;
    let left = copy(&world, alice).await;
    assert!(left.iter().all(|(_, message)| message.content.bytes.is_empty()), "nor does it lie there");
}

#[tokio::test(start_paused = true)]
async fn what_others_left_as_it_was_in_a_message_of_an_account_goes_with_the_account() {
    let world = world().await;
    let bob = world.account("bob").await.number;
    let sent = world.send("alice", "bob", "of alice").await;
    world.send("bob", "alice", "of bob").await;
    world.modify(("alice", "bob"), &sent, "bob", "of alice, by bob").await;
    let copied = copy(&world, bob).await;
    assert_eq!(readable(&world, &copied), ["of alice, by bob", "of bob"]);
    world.delete_account("alice").await;
    world.advance_seconds(61).await;
    world.engine().change_generation().await.unwrap();
    assert_eq!(readable(&world, &copied), ["of bob"]);
}

#[tokio::test(start_paused = true)]
async fn the_keys_change_by_themselves_once_a_day_however_often_the_server_starts() {
    let mut world = world().await;
    let bob = world.account("bob").await.number;
    let sent = world.send("alice", "bob", "first").await;
    let copied = copy(&world, bob).await;
    world.recall("alice", "bob", &sent).await;
    for _ in 0..3 {
        world.advance_seconds(8 * 3600 - 20).await;
        world.crash().await;
    }
    assert_eq!(readable(&world, &copied), ["first"]);
    world.advance_seconds(120).await;
    assert!(readable(&world, &copied).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_account_takes_its_messages_along_and_leaves_those_of_others() {
    let world = world().await;
    let (alice, bob) = (world.account("alice").await.number, world.account("bob").await.number);
    world.send("alice", "bob", "of alice").await;
    world.send("bob", "alice", "of bob").await;
    world.send("alice", "carol", "also of alice").await;
    let copied = [copy(&world, alice).await, copy(&world, bob).await].concat();
    world.delete_account("alice").await;
    let changed = world.engine().change_generation().await.unwrap();
    assert_eq!(changed.accounts, 1);
    assert_eq!(readable(&world, &copied), ["of bob", "of bob"]);
    // For the other side the conversation keeps its shape.
    let query = HistoryQuery {
        viewer: bob,
        after: model::HistoryKey::START,
        before: model::HistoryKey::END,
        direction: Direction::Backwards,
        limit: 10,
    };
    let page = world.engine().history(world.app.id, bob, alice, query).await.unwrap();
    let bodies: Vec<usize> = page.messages.iter().map(|found| found.message.content.body.len()).collect();
    assert!(bodies.len() == 2 && bodies[0] == 0 && bodies[1] > 0, "{bodies:?}");
    // The name may be taken again, by somebody else.
    world.accounts(&["alice"]).await;
    world.send("alice", "bob", "of another").await;
    assert_eq!(readable(&world, &copy(&world, bob).await), ["of bob", "of another"]);
}

#[tokio::test(start_paused = true)]
async fn expired_days_are_gone_and_nothing_is_gone_early() {
    let world = world().await;
    let bob = world.account("bob").await.number;
    world.keep(Some(1), None).await;
    world.advance_seconds(1).await;
    world.send("alice", "bob", "short").await;
    world.keep(Some(3), None).await;
    world.send("alice", "bob", "long").await;
    let copied = copy(&world, bob).await;
    let end = u64::from(copied[0].1.content.bucket) * 86_400;
    let left = end - u64::from(world.now().0);
    world.advance_seconds(left - 2).await;
    world.engine().change_generation().await.unwrap();
    assert_eq!(readable(&world, &copied), ["short", "long"], "one second before the end of its bucket");
    world.advance_seconds(2).await;
    world.engine().change_generation().await.unwrap();
    assert_eq!(readable(&world, &copied), ["long"]);
    assert_eq!(world.history("bob", "alice").await.len(), 1);
    world.advance_seconds(2 * 86_400).await;
    world.engine().change_generation().await.unwrap();
    assert!(readable(&world, &copied).is_empty());
    world.send("alice", "bob", "new").await;
    assert_eq!(world.history("bob", "alice").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_recall_that_never_happened_destroys_nothing() {
    let world = world().await;
    let bob = world.account("bob").await.number;
    let sent = world.send("alice", "bob", "kept").await;
    let copied = copy(&world, bob).await;
    // What is left when the server dies between writing down a recall and doing it.
    let (conversation, message) = &copied[0];
    let fact = engine::erasure::RecalledFact {
        conversation: *conversation,
        author: message.author,
        key: sent.key,
        bucket: message.content.bucket,
        index: message.content.index,
        since: world.now(),
        is_certain: false,
        is_annotation: false,
    };
    let record = ports::records::RawRecord::of(&fact).unwrap();
    let stamp = promise::Stamps::recalled(world.app.id, fact.author, fact.bucket);
    let write = ports::records::Write::Put(ports::Stamped::new(stamp, record));
    let transaction = ports::Transaction { conditions: Vec::new(), writes: vec![write] };
    let records = &world.engine().context.records;
    records.apply(world.app.id, transaction).await.unwrap();
    for is_there in [true, false] {
        let changed = world.engine().change_generation().await.unwrap();
        assert_eq!(changed.messages, 0);
        assert_eq!(readable(&world, &copied), ["kept"]);
        let kind = engine::erasure::RecalledFact::KIND;
        let found = records.get(world.app.id, kind, &fact.key()).await.unwrap();
        assert_eq!(found.is_some(), is_there, "it may still happen for a minute");
        world.advance_seconds(61).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_shortened_retention_takes_the_keys_of_what_was_there_and_no_others() {
    let world = world().await;
    let bob = world.account("bob").await.number;
    world.send("alice", "bob", "old").await;
    world.advance_seconds(86_400).await;
    world.send("alice", "bob", "young").await;
    world.keep(Some(1), None).await;
    world.advance_seconds(10).await;
    world.keep(Some(30), None).await;
    world.send("alice", "bob", "later").await;
    let copied = copy(&world, bob).await;
    assert_eq!(readable(&world, &copied), ["young", "later"]);
    world.advance_seconds(86_400 - 11).await;
    world.engine().change_generation().await.unwrap();
    assert_eq!(readable(&world, &copied), ["young", "later"], "never a second early");
    // An hour later, for clocks that were set back.
    world.advance_seconds(3602).await;
    world.engine().change_generation().await.unwrap();
    assert_eq!(readable(&world, &copied), ["later"]);
}

#[tokio::test(start_paused = true)]
async fn a_profile_is_sealed_and_its_keys_die_with_its_account() {
    let world = world().await;
    world.nick("alice", "Alice in the Looking Glass").await;
    let number = world.account("alice").await.number;
    let records = &world.engine().context.records;
    let key = engine::facts::ProfileFact::key_of(number);
    let found = records.get(world.app.id, engine::facts::ProfileFact::KIND, &key).await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&found.value).contains("Alice"));
    let copied: engine::facts::ProfileFact = found.decode().unwrap();
    let opened = || world.engine().keyring.open_bytes(Place::profile(world.app.id, number), &copied.sealed);
    assert!(opened().is_some());
    world
        .rest("im_open_login_svc/account_delete", serde_json::json!({"DeleteItem": [{"UserID": "alice"}]}))
        .await
        .ok();
    world.engine().change_generation().await.unwrap();
    assert!(opened().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_erased_history_is_gone_for_both_and_the_conversation_goes_on() {
    let mut world = world().await;
    let (alice, bob) = (world.account("alice").await.number, world.account("bob").await.number);
    world.send("alice", "bob", "of alice").await;
    world.send("bob", "alice", "of bob").await;
    world.send("alice", "carol", "elsewhere").await;
    let copied = [copy(&world, alice).await, copy(&world, bob).await].concat();
    world.accounts(&["administrator"]).await;
    let asked = serde_json::json!({"From_Account": "alice", "To_Account": "bob"});
    let erased = world.rest("whimbrel_conversation/erase", asked.clone()).await.ok();
    assert!(world.history("alice", "bob").await.is_empty() && world.history("bob", "alice").await.is_empty());
    world.send("bob", "alice", "said later").await;
    // What one side clears from its own view meanwhile does not widen what goes for both.
    let app = world.settings(&world.app).await;
    let (one, other) = (world.account("bob").await, world.account("alice").await);
    world.engine().clear(&app, &one, &other, true, false, None).await.unwrap();
    world.crash().await;
    world.advance_seconds(5).await;
    let timeline = &world.engine().context.timeline;
    let page = timeline.everything_of(world.app.id, alice, Cursor(0), 100).await.unwrap();
    let is_left = |entry: &std::sync::Arc<ports::Entry>| match &entry.event {
        Event::Message(message) => Some(!message.content.bytes.is_empty()),
        _ => None,
    };
    let left: Vec<bool> = page.entries.iter().filter_map(is_left).collect();
    assert_eq!(left, [false, false, true, true]);
    assert_eq!(readable(&world, &copied).len(), 5, "until the change of keys");
    world.engine().change_generation().await.unwrap();
    assert_eq!(readable(&world, &copied), ["elsewhere"]);
    assert_eq!(readable(&world, &copy(&world, alice).await), ["elsewhere", "said later"]);
    assert_eq!(world.history("alice", "bob").await.len(), 1);
    // Every stage has one receipt, and the last comes when the day of the last ciphertext is over.
    world.advance_seconds(9 * 86_400).await;
    let found = world.engine().receipts(None, 1000).await.unwrap();
    let receipts = found.iter().rev().map(|fact| promise::receipts::Receipt::parse(&fact.line).unwrap());
    let said = receipts.map(|receipt| receipt.statement);
    let subject = erased.text("Commitment");
    let said: Vec<_> = said.filter(|said| said.subject == subject).collect();
    let stages: Vec<_> = said.iter().map(|said| said.stage).collect();
    use promise::receipts::Stage;
    assert_eq!(stages, [Stage::Hidden, Stage::Deleted, Stage::Unrecoverable, Stage::AgedOut]);
    assert_eq!(said[1].counts["message"], 2);
    let unknown = serde_json::json!({"From_Account": "alice", "To_Account": "nobody"});
    assert_ne!(world.rest("whimbrel_conversation/erase", unknown).await.code(), 0);
}

/// A piece of a stream of alice's.
fn piece(to: &str, stream: Option<&str>, index: u32) -> serde_json::Value {
    let chunk = serde_json::json!({"EventType": "data", "Index": index, "Markdown": "x", "IsLast": false});
    let content = serde_json::json!({"CompatibleText": "", "StreamMsgID": stream, "Chunks": [chunk]});
    serde_json::json!({"From_Account": "alice", "To_Account": to, "MsgSeq": 1, "MsgRandom": 1,
        "MsgBody": [{"MsgType": "TIMStreamElem", "MsgContent": content}]})
}

#[tokio::test(start_paused = true)]
async fn an_erased_history_does_not_come_back_with_a_stream_that_is_just_ending_or_beginning() {
    // The disk is slow, so that the erasure comes in the middle of everything.
    for moment in 0..40 {
        let options = testkit::Options { sync_millis: 700, ..testkit::Options::of(simulator::commands) };
        let world = World::with(options).await;
        world.accounts(&["administrator", "alice", "bob"]).await;
        let command = "stream_msg/send_c2c_stream_msg";
        let asked = serde_json::json!({"From_Account": "alice", "To_Account": "bob"});
        let erase = async {
            world.advance(std::time::Duration::from_millis(15_000 * (moment % 2) + 200 * moment)).await;
            world.rest("whimbrel_conversation/erase", asked).await.ok();
        };
        let (begun, ()) = tokio::join!(world.rest(command, piece("bob", None, 1)), erase);
        let stream = begun.ok().text("StreamMsgID");
        let erased = world.history("bob", "alice").await.len();
        world.advance_seconds(120).await;
        let later = world.history("bob", "alice").await.len();
        assert!(later == erased || erased == 0 && moment < 10, "{moment}: {erased} and later {later}");
        assert_eq!(world.engine().keeps_streams(world.app.id).await, Ok(false), "{moment}");
        world.rest(command, piece("bob", Some(&stream), 2)).await.refused(200_013, "");
    }
}

#[tokio::test(start_paused = true)]
async fn an_erased_history_takes_along_what_is_still_being_streamed() {
    for crashes in [false, true] {
        let mut world = world().await;
        world.accounts(&["administrator"]).await;
        let command = "stream_msg/send_c2c_stream_msg";
        let stream = world.rest(command, piece("bob", None, 1)).await.ok().text("StreamMsgID");
        world.rest(command, piece("carol", None, 1)).await.ok();
        let asked = serde_json::json!({"From_Account": "alice", "To_Account": "bob"});
        world.rest("whimbrel_conversation/erase", asked).await.ok();
        if crashes {
            world.crash().await;
        } else {
            world.rest(command, piece("bob", Some(&stream), 2)).await.refused(200_013, "");
        }
        world.advance_seconds(30).await;
        assert!(world.history("bob", "alice").await.is_empty());
        assert_eq!(world.history("carol", "alice").await.len(), 1, "another conversation's goes on");
        assert_eq!(world.engine().keeps_streams(world.app.id).await, Ok(false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_restore_destroys_what_was_doomed_after_the_backup_and_repeats_no_number() {
    let mut world = world().await;
    let (alice, bob) = (world.account("alice").await.number, world.account("bob").await.number);
    let sent = world.send("alice", "bob", "recalled").await;
    world.send("bob", "alice", "of one who leaves").await;
    world.send("carol", "alice", "stays").await;
    let copied = copy(&world, alice).await;
    let before = world.store.backup();
    world.recall("alice", "bob", &sent).await;
    world.delete_account("bob").await;
    world.advance_seconds(1).await;
    // The backup is older than all of that, and no generation has changed since.
    world.store.restore(before);
    world.crash().await;
    assert_eq!(readable(&world, &copied), ["recalled", "of one who leaves", "stays"]);
    assert_eq!(world.engine().forget_destroyed().await.unwrap(), 1);
    assert_eq!(readable(&world, &copied), ["stays"]);
    world.accounts(&["dave"]).await;
    assert!(world.account("dave").await.number.0 > bob.0 + (1 << 31), "numbers after the backup stay unused");
    let bobs =
        world.rest("im_open_login_svc/account_check", serde_json::json!({"CheckItem": [{"UserID": "bob"}]}));
    assert_eq!(bobs.await.ok().list("ResultItem")[0]["AccountStatus"], "NotImported");
}
