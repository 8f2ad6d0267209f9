//! Several nodes over one database, and what is removed by the clock.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of an adapter do I/O, and end by panicking"
)]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{append, connect, fresh_name, history, pair, real_clock, send};
use model::{AccountNumber, HistoryKey, Modification, Position, Sealed, Seconds};
use mongodb::bson::{Document, doc};
use mongodb_store::{MongoStore, Options};
use ports::suite::{ALICE, APP, BOB, ManualClock, NOW, message, name};
use ports::timeline::HistoryPage;
use ports::{Appended, Bus as _, Clock, Cursor, Event, Fault, Timeline as _};

const DAY: u32 = 86_400;

fn numbers(page: &HistoryPage) -> Vec<u32> {
    page.messages.iter().map(|found| found.message.sequence).collect()
}

fn place(appended: &Appended) -> HistoryKey {
    HistoryKey { time: appended.time, position: appended.position }
}

fn recall(number: u32, sent: &Appended) -> Event {
    Event::Recall {
        target: place(sent),
        key: message(ALICE, BOB, number).key(sent.time),
        author: ALICE,
        client_time: Seconds(NOW),
        revoker: name(ALICE),
    }
}

fn change(number: u32, sent: &Appended, version: u32, by: AccountNumber) -> Event {
    let content = Sealed {
        bucket: 1,
        index: 1000 + u64::from(version),
        sealed_at: Seconds(NOW),
        bytes: format!("version {version} by {}", by.0).into(),
    };
    Event::Modify {
        target: place(sent),
        key: message(ALICE, BOB, number).key(sent.time),
        author: ALICE,
        modification: Modification { version, by },
        content,
    }
}

async fn two() -> (Arc<dyn Clock>, [Arc<MongoStore>; 2]) {
    let (clock, name) = (real_clock(), fresh_name());
    let stores = [connect(&name, clock.clone()).await, connect(&name, clock.clone()).await];
    (clock, stores.map(Arc::new))
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_of_two_nodes_to_one_conversation_have_dense_positions_in_one_order() {
    const EACH: u32 = 60;
    let (clock, stores) = two().await;
    let mut followers = stores.each_ref().map(|store| store.follow(Some(Cursor(0))));
    let mut tasks = Vec::new();
    for (index, store) in stores.iter().enumerate() {
        for number in 0..EACH {
            let (store, clock) = (Arc::clone(store), Arc::clone(&clock));
            let number = number + u32::try_from(index).unwrap() * 1000;
            tasks.push(tokio::spawn(async move { send(&store, clock.as_ref(), number).await.unwrap() }));
        }
    }
    let mut appended = Vec::new();
    for task in tasks {
        appended.push(task.await.unwrap());
    }
    assert!(appended.iter().all(|appended| appended.is_new));
    let positions: BTreeSet<u64> = appended.iter().map(|appended| appended.position.0).collect();
    assert_eq!(positions, (1..=u64::from(2 * EACH)).collect());
    let cursors: BTreeSet<u64> = appended.iter().map(|appended| appended.cursor.0).collect();
    assert_eq!(cursors, (1..=u64::from(2 * EACH)).collect());
    let [one, other] = [history(&stores[0], ALICE).await, history(&stores[1], BOB).await];
    assert_eq!(numbers(&one), numbers(&other));
    assert_eq!(one.messages.len(), 2 * EACH as usize);
    assert!(one.messages.iter().all(|found| !found.message.content.bytes.is_empty()));
    for follower in &mut followers {
        let mut seen = Vec::new();
        while seen.len() < 2 * EACH as usize {
            seen.extend(follower.next(50).await.unwrap().iter().map(|entry| entry.cursor.0));
        }
        assert_eq!(seen, (1..=u64::from(2 * EACH)).collect::<Vec<_>>());
    }
    assert!(stores.iter().all(|store| store.end() == Cursor(u64::from(2 * EACH))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_answered_the_other_one_knows_at_once() {
    let (clock, [one, other]) = two().await;
    let clock = clock.as_ref();
    let first = send(&one, clock, 1).await.unwrap();
    let again = send(&other, clock, 1).await.unwrap();
    assert_eq!(again, Appended { is_new: false, ..first.clone() });
    let second = send(&other, clock, 2).await.unwrap();
    assert!(append(&one, clock, change(1, &first, 1, BOB), None).await.unwrap().is_new);
    assert!(!append(&other, clock, change(1, &first, 1, ALICE), None).await.unwrap().is_new);
    let said = history(&other, BOB).await.messages[0].message.content.bytes.clone();
    assert!(said.starts_with(b"version 1"));
    assert_eq!(other.unread(APP, BOB, pair()).await.unwrap(), 2);
    assert!(append(&one, clock, recall(1, &first), None).await.unwrap().is_new);
    assert!(!append(&other, clock, recall(1, &first), None).await.unwrap().is_new);
    let page = history(&other, BOB).await;
    assert_eq!(page.messages[0].revoker, Some(name(ALICE)));
    assert!(page.messages[0].message.content.bytes.is_empty());
    assert_eq!(other.unread(APP, BOB, pair()).await.unwrap(), 1);
    let key = message(ALICE, BOB, 1).key(first.time);
    let found = other.find_message(APP, pair(), ALICE, key).await.unwrap().unwrap();
    assert!(found.message.content.bytes.is_empty());
    append(&one, clock, Event::Read { reader: BOB, up_to: place(&second) }, None).await.unwrap();
    assert_eq!(other.unread(APP, BOB, pair()).await.unwrap(), 0);
    let view = other.conversation(APP, ALICE, pair()).await.unwrap().unwrap();
    assert_eq!(view.peer_read_to, place(&second));
    one.erase_account(APP, ALICE, name(ALICE)).await.unwrap();
    assert!(history(&other, BOB).await.messages.iter().all(|found| found.message.content.bytes.is_empty()));
    assert!(other.account_entries(APP, ALICE, Cursor(0), 10).await.unwrap().entries.is_empty());
    one.forget_app(APP).await.unwrap();
    assert!(history(&other, BOB).await.messages.is_empty());
    let next = send(&other, clock, 3).await.unwrap();
    assert_eq!(next.position, Position(1));
    assert!(next.cursor > second.cursor, "no cursor is given out twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_at_two_nodes_at_once_one_is_taken_for_each_version() {
    let (clock, stores) = two().await;
    let sent = send(&stores[0], clock.as_ref(), 1).await.unwrap();
    for version in 1..=5 {
        let mut tasks = Vec::new();
        for (store, by) in stores.iter().zip([ALICE, BOB]) {
            for _ in 0..3 {
                let (store, clock) = (Arc::clone(store), Arc::clone(&clock));
                let event = change(1, &sent, version, by);
                tasks.push(tokio::spawn(async move {
                    append(&store, clock.as_ref(), event, None).await.unwrap().is_new
                }));
            }
        }
        let mut taken = 0;
        for task in tasks {
            taken += u32::from(task.await.unwrap());
        }
        assert_eq!(taken, 1, "version {version}");
        let [one, other] = [history(&stores[0], BOB).await, history(&stores[1], BOB).await];
        assert_eq!(one.messages, other.messages);
        assert_eq!(one.messages[0].message.version(), version);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_removes_what_ended_and_numbers_marks_and_cursors_go_on() {
    let (clock, name) = (Arc::new(ManualClock::at(NOW)), fresh_name());
    let store = connect(&name, clock.clone()).await;
    for number in 0..50 {
        send(&store, clock.as_ref(), number).await.unwrap();
    }
    let last = send(&store, clock.as_ref(), 50).await.unwrap();
    let read =
        append(&store, clock.as_ref(), Event::Read { reader: BOB, up_to: place(&last) }, None).await.unwrap();
    clock.set(NOW + 3 * DAY);
    let kept = send(&store, clock.as_ref(), 51).await.unwrap();
    append(&store, clock.as_ref(), recall(51, &kept), None).await.unwrap();
    clock.set(NOW + 8 * DAY);
    let cleared = store.cleared().await.unwrap();
    assert_eq!(cleared, None, "contents of a day that is over are there");
    store.sweep().await.unwrap();
    assert_eq!(store.cleared().await.unwrap(), None, "entries are there");
    store.sweep().await.unwrap();
    let cleared = store.cleared().await.unwrap();
    assert_eq!(cleared, Some(Seconds((NOW + 8 * DAY) / DAY * DAY)));
    let everything = store.everything_of(APP, BOB, Cursor(0), 500).await.unwrap();
    assert_eq!(everything.entries.len(), 2, "what is left");
    assert_eq!(numbers(&history(&store, BOB).await), [51]);
    let view = store.conversation(APP, BOB, pair()).await.unwrap().unwrap();
    assert_eq!(view.read_to, place(&last), "what entries changed stays");
    clock.set(NOW + 30 * DAY);
    store.sweep().await.unwrap();
    store.sweep().await.unwrap();
    drop(store);
    let store = connect(&name, clock.clone()).await;
    assert!(store.end() > read.cursor);
    assert!(history(&store, BOB).await.messages.is_empty());
    let view = store.conversation(APP, BOB, pair()).await.unwrap().unwrap();
    assert_eq!((view.read_to, view.last), (place(&last), None));
    let next = send(&store, clock.as_ref(), 52).await.unwrap();
    assert_eq!((next.position, next.cursor), (Position(55), Cursor(55)));
    assert_eq!(store.unread(APP, BOB, pair()).await.unwrap(), 1);
    assert_eq!(store.recent(APP, BOB, 10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn shortened_retention_removes_messages_and_not_what_was_said_about_them_to_others() {
    let (clock, name) = (Arc::new(ManualClock::at(NOW)), fresh_name());
    let store = connect(&name, clock.clone()).await;
    send(&store, clock.as_ref(), 1).await.unwrap();
    store.shorten(APP, DAY).await.unwrap();
    send(&store, clock.as_ref(), 2).await.unwrap();
    clock.set(NOW + 2 * DAY);
    for _ in 0..2 {
        assert_eq!(numbers(&history(&store, BOB).await), [2]);
        assert_eq!(store.count_older(APP, 0).await.unwrap(), 1);
        store.sweep().await.unwrap();
    }
    assert_eq!(store.everything_of(APP, BOB, Cursor(0), 500).await.unwrap().entries.len(), 1);
    assert_eq!(send(&store, clock.as_ref(), 3).await.unwrap().position, Position(3));
}

/// The database itself, as nobody but the server sees it.
struct Raw(mongodb::Database);

impl Raw {
    async fn open(name: &str) -> Self {
        Self(mongodb::Client::with_uri_str(common::address()).await.unwrap().database(name))
    }

    fn of(&self, collection: &str) -> mongodb::Collection<Document> {
        self.0.collection(collection)
    }

    /// The one collection of contents.
    async fn contents(&self) -> mongodb::Collection<Document> {
        let names = self.0.list_collection_names().await.unwrap();
        let names: Vec<&String> = names.iter().filter(|name| name.starts_with("content_")).collect();
        assert_eq!(names.len(), 1);
        self.of(names[0])
    }

    /// Changes the log's document of an entry; what it was.
    async fn change(&self, sent: &Appended, change: Document) -> Document {
        let id = doc! { "_id": i64::try_from(sent.cursor.0).unwrap() };
        self.of("log").find_one_and_update(id, change).await.unwrap().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_of_recalled_and_changed_messages_are_in_no_collection() {
    let (clock, name) = (Arc::new(ManualClock::at(NOW)), fresh_name());
    let store = connect(&name, clock.clone()).await;
    let first = send(&store, clock.as_ref(), 1).await.unwrap();
    let second = send(&store, clock.as_ref(), 2).await.unwrap();
    append(&store, clock.as_ref(), change(1, &first, 1, BOB), None).await.unwrap();
    let raw = Raw::open(&name).await;
    let former = raw.contents().await.find(doc! {}).await.unwrap();
    let former: Vec<Document> = futures_util::TryStreamExt::try_collect(former).await.unwrap();
    append(&store, clock.as_ref(), change(1, &first, 2, ALICE), None).await.unwrap();
    append(&store, clock.as_ref(), change(2, &second, 1, BOB), None).await.unwrap();
    append(&store, clock.as_ref(), recall(2, &second), None).await.unwrap();
    let count = async || raw.contents().await.count_documents(doc! {}).await.unwrap();
    assert_eq!(count().await, 1);
    let mut follower = store.follow(Some(Cursor(0)));
    let told = follower.next(10).await.unwrap();
    let Event::Message(message) = &told[0].event else { unreachable!("a message") };
    assert!(message.content.bytes.starts_with(b"version 2"), "a slow follower is told what it says now");
    // As if the node had ended before it removed them.
    raw.contents().await.insert_many(&former).await.unwrap();
    assert_eq!(count().await, 3);
    store.sweep().await.unwrap();
    assert_eq!(count().await, 1);
    assert!(history(&store, BOB).await.messages[0].message.content.bytes.starts_with(b"version 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_met_an_emptying_leaves_nothing() {
    let (clock, name) = (Arc::new(ManualClock::at(NOW)), fresh_name());
    let store = connect(&name, clock.clone()).await;
    let sent = send(&store, clock.as_ref(), 1).await.unwrap();
    append(&store, clock.as_ref(), change(1, &sent, 1, BOB), None).await.unwrap();
    let raw = Raw::open(&name).await;
    // As if it had been marked before the change was there, and the change's node had ended.
    raw.change(&sent, doc! { "$set": { "z": true } }).await;
    assert!(history(&store, BOB).await.messages[0].message.content.bytes.is_empty());
    store.sweep().await.unwrap();
    assert_eq!(raw.contents().await.count_documents(doc! {}).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_entry_is_said_to_be_and_holds_up_neither_appends_nor_followers() {
    let (clock, name) = (Arc::new(ManualClock::at(NOW)), fresh_name());
    let store = connect(&name, clock.clone()).await;
    send(&store, clock.as_ref(), 1).await.unwrap();
    let damaged = send(&store, clock.as_ref(), 2).await.unwrap();
    let last = send(&store, clock.as_ref(), 3).await.unwrap();
    let raw = Raw::open(&name).await;
    let bytes =
        mongodb::bson::Binary { subtype: mongodb::bson::spec::BinarySubtype::Generic, bytes: vec![7; 40] };
    raw.change(&damaged, doc! { "$set": { "e": bytes } }).await;
    let key = message(ALICE, BOB, 2).key(damaged.time);
    let found = store.find_message(APP, pair(), ALICE, key).await;
    assert!(matches!(found, Err(Fault::Corrupt(_))), "{found:?}");
    let key = message(ALICE, BOB, 3).key(last.time);
    assert!(store.find_message(APP, pair(), ALICE, key).await.unwrap().is_some());
    let mut follower = store.follow(Some(Cursor(0)));
    let told: Vec<u64> = follower.next(10).await.unwrap().iter().map(|entry| entry.cursor.0).collect();
    assert_eq!(told, [1, 3]);
    let both = tokio::join!(
        send(&store, clock.as_ref(), 4),
        append(&store, clock.as_ref(), recall(2, &damaged), None)
    );
    assert_eq!(both.0.unwrap().position, Position(4));
    assert!(matches!(both.1, Err(Fault::Corrupt(_))), "{:?}", both.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_list_that_stand_too_high_do_not_change_its_order() {
    let (clock, name) = (Arc::new(ManualClock::at(NOW)), fresh_name());
    let store = connect(&name, clock.clone()).await;
    for number in 0..60 {
        clock.set(NOW + number);
        let peer = AccountNumber(BOB.0 + u64::from(number));
        common::append_to(&store, clock.as_ref(), peer, Event::Message(message(ALICE, peer, number)), None)
            .await
            .unwrap();
    }
    let raw = Raw::open(&name).await;
    let order = async |limit| -> Vec<u64> {
        let recent = store.recent(APP, ALICE, limit).await.unwrap();
        recent.into_iter().map(|recent| recent.peer.0 - BOB.0).collect()
    };
    assert_eq!(order(3).await, [59, 58, 57]);
    // What appends leave that failed after their rows were raised.
    let high = doc! { "$set": { "h": i64::from(NOW) + 1000 } };
    let until = i64::from(NOW) + 50;
    raw.of("lists").update_many(doc! { "h": { "$lt": until } }, high).await.unwrap();
    assert_eq!(order(3).await, [59, 58, 57]);
    assert_eq!(order(100).await, (0..60).rev().collect::<Vec<_>>());
    let stray = doc! { "_id": format!("{:08x}{:016x}{:016x}", APP.0, ALICE.0, 7), "o": format!("{:08x}{:016x}", APP.0, ALICE.0), "h": i64::MAX };
    raw.of("lists").insert_one(stray).await.unwrap();
    assert_eq!(order(2).await, [59, 58], "a row without a conversation");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_also_takes_what_cannot_be_read() {
    let (clock, name) = (Arc::new(ManualClock::at(NOW)), fresh_name());
    let store = connect(&name, clock.clone()).await;
    let damaged = send(&store, clock.as_ref(), 1).await.unwrap();
    send(&store, clock.as_ref(), 2).await.unwrap();
    let raw = Raw::open(&name).await;
    raw.change(&damaged, doc! { "$set": { "e": "no bytes" } }).await;
    let erased = store.erase_account(APP, ALICE, ports::suite::name(ALICE)).await.unwrap();
    assert_eq!(erased.messages, 2);
    assert_eq!(raw.contents().await.count_documents(doc! {}).await.unwrap(), 0);
    assert_eq!(store.empty_conversation(APP, pair(), Position(9)).await.unwrap().messages, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_is_told_once_files_can_hold_nothing_of_it() {
    let (clock, name) = (Arc::new(ManualClock::at(NOW)), fresh_name());
    let options = Options { settle_seconds: 2 * DAY, ..common::options(&name, clock.clone()) };
    let store = MongoStore::connect(options).await.unwrap();
    send(&store, clock.as_ref(), 1).await.unwrap();
    let day_of = |seconds: u32| Some(Seconds(seconds / DAY * DAY));
    assert_eq!(store.cleared().await.unwrap(), day_of(NOW - 2 * DAY), "nothing had ended");
    // Nobody swept for a day.
    clock.set(NOW + 9 * DAY);
    store.sweep().await.unwrap();
    store.sweep().await.unwrap();
    assert_eq!(store.cleared().await.unwrap(), day_of(NOW + 7 * DAY), "it ended later that day");
    clock.set(NOW + 10 * DAY);
    assert_eq!(store.cleared().await.unwrap(), None, "it was removed a day ago");
    clock.set(NOW + 11 * DAY);
    assert_eq!(store.cleared().await.unwrap(), day_of(NOW + 9 * DAY));
}
