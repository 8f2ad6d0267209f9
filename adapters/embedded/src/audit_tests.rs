//! The audit of a store: when what counts as expired and as overdue, and that nothing is left out. And what followers make of damage.

use std::sync::Arc;

use model::Subject;
use ports::records::{RawRecord, Write};
use ports::suite::{ALICE, APP, BOB, ManualClock, message};
use ports::{Draft, Random, Records as _, Stamped, Timeline as _, Transaction, Vault as _};

use super::*;
use crate::spaces::{PURGED, REMOVED};
use crate::{FolderVault, Options, VaultOptions};

const DAY: u32 = DAY_SECONDS;
const HOUR: u32 = GRACE_SECONDS;

/// Noon of a day.
const NOON: u32 = 20_788 * DAY + DAY / 2;

const KIND: Kind = Kind { id: 900, name: "test record", class: DataClass::Account };

struct Tokio;

impl ports::Spawner for Tokio {
    fn spawn(&self, task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(task);
    }
}

struct Dice;

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(42);
    }
}

/// A store that removes nothing.
fn open(folder: &tempfile::TempDir, clock: &Arc<ManualClock>) -> EmbeddedStore {
    let options = Options {
        folder: folder.path().to_owned(),
        free_bytes_min: 0,
        clock: clock.clone(),
        spawner: Arc::new(Tokio),
        fatal: Box::new(|what| unreachable!("{what}")),
    };
    EmbeddedStore::open_to_look(options).unwrap()
}

fn stamp(class: DataClass, end: u32) -> Stamp {
    Stamp { app: APP, class, subject: Subject::Account(ALICE), expiry: Expiry::At(Seconds(end)) }
}

async fn send(store: &EmbeddedStore, count: u32, end: u32) {
    let mut answers = Vec::new();
    for number in 0..count {
        let event = Event::Message(message(ALICE, BOB, number));
        let conversation = ConversationId::between(ALICE, BOB);
        let draft = Draft { conversation, event, sent_at: None, retry: None, origin: None };
        answers.push(store.append(Stamped::new(stamp(DataClass::MESSAGE, end), draft)));
    }
    for answer in answers {
        answer.await.unwrap();
    }
}

fn census(store: &EmbeddedStore, shortened: &Shortened<'_>) -> Census {
    store.audit(&[KIND], shortened, &mut |_| Ok(())).unwrap()
}

/// How many items of a class have expired and are overdue.
fn standings(store: &EmbeddedStore, class: DataClass) -> (u64, u64) {
    let count = census(store, &|_| None).classes.get(&class).copied().unwrap_or_default();
    (count.expired, count.overdue)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_expired_at_its_own_end_and_is_overdue_an_hour_after_that_of_its_bucket() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOON)));
    let store = open(&folder, &clock);
    send(&store, 1, NOON + DAY / 4).await;
    for (second, expected) in [
        (NOON + DAY / 4 - 1, (0, 0)),
        (NOON + DAY / 4, (1, 0)),
        (NOON + DAY / 2 + HOUR - 1, (1, 0)),
        (NOON + DAY / 2 + HOUR, (0, 1)),
    ] {
        clock.set(second);
        assert_eq!(standings(&store, DataClass::MESSAGE), expected, "{}", second - NOON);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_has_expired_at_its_end_and_is_overdue_an_hour_after_that_of_its_day() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOON)));
    let store = open(&folder, &clock);
    let raw =
        RawRecord { kind: KIND, key: b"key".to_vec(), indexes: Vec::new(), value: "value".to_owned().into() };
    let writes = vec![Write::Put(Stamped::new(stamp(DataClass::Account, NOON + 60), raw))];
    store.apply(APP, Transaction { conditions: Vec::new(), writes }).await.unwrap();
    for (second, expected) in [
        (NOON + 59, (0, 0)),
        (NOON + 60, (1, 0)),
        (NOON + DAY / 2 + HOUR - 1, (1, 0)),
        (NOON + DAY / 2 + HOUR, (0, 1)),
    ] {
        clock.set(second);
        assert_eq!(standings(&store, DataClass::Account), expected, "{}", second - NOON);
    }
    assert_eq!(census(&store, &|_| None).unknown, Vec::<String>::new());
    let strange = store.audit(&[], &|_| None, &mut |_| Ok(())).unwrap();
    assert_eq!(strange.unknown, ["record of kind Some(900)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shortened_retention_makes_messages_overdue_before_their_bucket_ends() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOON)));
    let store = open(&folder, &clock);
    send(&store, 1, NOON + 7 * DAY).await;
    store.shorten(APP, DAY).await.unwrap();
    // What comes later has a stamp that says all.
    send(&store, 1, NOON + 7 * DAY).await;
    let overdue = NOON + 2 * DAY + HOUR;
    for (second, expected) in
        [(NOON + DAY - 1, (0, 0)), (NOON + DAY, (1, 0)), (overdue - 1, (1, 0)), (overdue, (0, 1))]
    {
        clock.set(second);
        assert_eq!(standings(&store, DataClass::MESSAGE), expected, "{}", second - NOON);
    }
    // Shortened a moment ago: it is being removed.
    for (since, expected) in [(overdue - HOUR + 1, (1, 0)), (overdue - HOUR, (0, 1))] {
        let found = census(&store, &|app| (app == APP).then_some(Seconds(since)));
        let count = found.classes.get(&DataClass::MESSAGE).copied().unwrap_or_default();
        assert_eq!((count.items, (count.expired, count.overdue)), (2, expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_is_due_is_told() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOON)));
    let store = open(&folder, &clock);
    for (name, number, expected) in [(PURGED, 1_u64, false), (REMOVED, 2, true), (PURGED, 2, false)] {
        store.spaces().meta.insert(name, number.to_be_bytes()).unwrap();
        assert_eq!(census(&store, &|_| None).purge_is_due, expected, "{name} {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_item_is_seen_over_many_pages_and_a_fault_ends_it() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOON)));
    let store = open(&folder, &clock);
    let sent = 2 * u32::try_from(PAGE_ITEMS).unwrap() + 1;
    send(&store, sent, NOON + DAY).await;
    let mut messages = 0;
    let mut look = |item: Item<'_>| {
        messages += u32::from(matches!(item, Item::Message(..)));
        Ok(())
    };
    let found = store.audit(&[], &|_| None, &mut look).unwrap();
    let count = found.classes.get(&DataClass::MESSAGE).copied().unwrap_or_default();
    assert_eq!((messages, count.items), (sent, u64::from(sent)));
    assert_eq!(count.oldest, Some(Seconds(NOON)));
    let ended = store.audit(&[], &|_| None, &mut |_| Err(Fault::Full));
    assert!(matches!(ended, Err(Fault::Full)));
}

#[tokio::test]
async fn a_place_of_the_vault_says_its_generation() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("keys");
    assert_eq!(kept_generation(&folder), Ok(None));
    for outer_key in [None, Some(crate::Outer::Key(Zeroizing::new([9; 32])))] {
        let options =
            VaultOptions { folder: folder.clone(), mirror: None, outer_key, random: Arc::new(Dice) };
        let vault = FolderVault::open(options).unwrap();
        for generation in 1..=3 {
            vault.replace(Zeroizing::new(b"state".to_vec())).await.unwrap();
            assert_eq!(kept_generation(&folder), Ok(Some(generation)));
        }
        drop(vault);
        // Half of a key is none.
        std::fs::write(folder.join("key.1"), b"WhimKey1").unwrap();
        assert_eq!(kept_generation(&folder), Ok(None));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[tokio::test]
async fn a_follower_passes_over_an_entry_that_is_damaged() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOON)));
    let store = open(&folder, &clock);
    send(&store, 5, NOON + DAY).await;
    let mut damaged = 0;
    for bucket in store.spaces().buckets.all() {
        for cursor in [2_u64, 3] {
            bucket.log.insert(cursor.to_be_bytes(), b"no entry").unwrap();
            damaged += 1;
        }
    }
    assert_eq!(damaged, 2, "one bucket");
    let mut follower = ports::Bus::follow(&store, Some(ports::Cursor(0)));
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.extend(follower.next(2).await.unwrap().iter().map(|entry| entry.cursor.0));
    }
    assert_eq!(seen, [1, 4, 5]);
    send(&store, 1, NOON + DAY).await;
    assert_eq!(follower.next(2).await.unwrap()[0].cursor.0, 6, "and goes on");
}
