//! Expired data: invisible at once, gone from every file soon, never early.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests of an adapter do I/O and end where something cannot be done"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use embedded::{EmbeddedStore, Options};
use model::{AccountNumber, ConversationId, DataClass, Expiry, HistoryKey, Seconds, Stamp, Subject};
use ports::records::{RawRecord, Write};
use ports::suite::{ALICE, APP, BOB, ManualClock, message};
use ports::timeline::{Direction, HistoryQuery};
use ports::{Draft, Event, Fault, Kind, Records, Stamped, Timeline, Transaction};

const DAY: u32 = 86_400;

/// Noon of a day, the 31st of a month: the next midnight is a month's end.
const NOON: u32 = 20_788 * DAY + DAY / 2;

/// Makes numbers look random (the golden ratio in 64 bits).
const NOISE: u64 = 0x9e37_79b9_7f4a_7c15;

struct Tokio;

impl ports::Spawner for Tokio {
    fn spawn(&self, task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(task);
    }
}

fn open(folder: &Path, clock: &Arc<ManualClock>) -> EmbeddedStore {
    let options = Options {
        folder: folder.to_owned(),
        free_bytes_min: 0,
        clock: clock.clone(),
        spawner: Arc::new(Tokio),
        fatal: Box::new(|what| unreachable!("{what}")),
    };
    EmbeddedStore::open(options).unwrap()
}

fn stamp(class: DataClass, end: u32) -> Stamp {
    Stamp { app: APP, class, subject: Subject::Account(ALICE), expiry: Expiry::At(Seconds(end)) }
}

fn conversation() -> ConversationId {
    ConversationId::between(ALICE, BOB)
}

/// Appends messages whose sealed bytes begin with a word that nothing else contains.
async fn send(store: &EmbeddedStore, word: &str, numbers: std::ops::Range<u32>, end: u32) {
    let mut answers = Vec::new();
    for number in numbers {
        let mut sent = message(ALICE, BOB, number);
        // As incompressible as what is sealed.
        let noise =
            (0..125_u64).flat_map(|part| (u64::from(number) * 125 + part).wrapping_mul(NOISE).to_le_bytes());
        sent.content.bytes = word.bytes().chain(noise).collect();
        let event = Event::Message(sent);
        let draft = Draft { conversation: conversation(), event, sent_at: None, retry: None, origin: None };
        answers.push(store.append(Stamped::new(stamp(DataClass::MESSAGE, end), draft)));
    }
    for answer in answers {
        answer.await.unwrap();
    }
}

async fn count(store: &EmbeddedStore) -> usize {
    let query = HistoryQuery {
        viewer: BOB,
        after: HistoryKey::START,
        before: HistoryKey::END,
        direction: Direction::Backwards,
        limit: 500,
    };
    store.history(APP, conversation(), query).await.unwrap().messages.len()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(items) = std::fs::read_dir(folder) else { return found };
    for path in items.filter_map(|item| Some(item.ok()?.path())) {
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The files that contain a word; one that vanishes meanwhile contains nothing.
fn containing(folder: &Path, word: &str) -> Vec<PathBuf> {
    let mut found = files(folder);
    found.retain(|path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(word.len()).any(|part| part == word.as_bytes())
    });
    found
}

/// Bytes that files take on the disk.
fn used(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    files(folder).iter().filter_map(|path| Some(path.metadata().ok()?.blocks() * 512)).sum()
}

/// Waits for threads of the store, which work in real time.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} did not come to pass");
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_invisible_at_once_and_gone_from_every_file_and_nothing_goes_early() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOON));
    let store = open(root.path(), &clock);
    send(&store, "canary-of-today", 0..5000, NOON + DAY / 4).await;
    send(&store, "canary-of-tomorrow", 5000..5010, NOON + DAY).await;
    eventually("writing", || !containing(root.path(), "canary-of-today").is_empty());
    clock.set(NOON + DAY / 4 - 1);
    assert_eq!(count(&store).await, 500);
    clock.set(NOON + DAY / 4);
    assert_eq!(count(&store).await, 10);
    // One second before midnight nothing is removed.
    clock.set(NOON + DAY / 2 - 1);
    store.keep_up().await.unwrap();
    assert!(!containing(root.path(), "canary-of-today").is_empty());
    clock.set(NOON + DAY / 2);
    assert_eq!(store.cleared().await.unwrap(), None, "the bucket is not purged yet");
    eventually("purging", || containing(root.path(), "canary-of-today").is_empty());
    while store.cleared().await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.cleared().await.unwrap(), Some(Seconds(NOON + DAY / 2)), "said when it is so");
    // What is removed today is not meant by it.
    let name = model::UserId::new("somebody").unwrap();
    store.erase_account(APP, AccountNumber(AccountNumber::BASE + 77), name).await.unwrap();
    assert_eq!(store.cleared().await.unwrap(), Some(Seconds(NOON + DAY / 2)));
    assert_eq!(count(&store).await, 10);
    assert!(!containing(root.path(), "canary-of-tomorrow").is_empty());
    // Numbers go on, and what follows is readable.
    send(&store, "canary-of-later", 6000..6001, NOON + 9 * DAY).await;
    assert_eq!(count(&store).await, 11);
    store.close().await.unwrap();
    drop(store);
    let store = open(root.path(), &clock);
    assert_eq!(count(&store).await, 11);
    assert_eq!(store.check().unwrap().findings, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_removes_what_expired_while_it_was_down_before_it_is_ready() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOON));
    let store = open(root.path(), &clock);
    send(&store, "canary-of-today", 0..20_000, NOON + DAY / 4).await;
    send(&store, "canary-of-next-month", 20_000..20_020, NOON + 31 * DAY).await;
    eventually("writing", || !containing(root.path(), "canary-of-today").is_empty());
    // Killed, not closed.
    drop(store);
    let before = used(root.path());
    clock.set(NOON + 30 * DAY);
    let store = open(root.path(), &clock);
    assert_eq!(containing(root.path(), "canary-of-today"), Vec::<PathBuf>::new());
    assert!(used(root.path()) < before / 4, "{} of {before} bytes are used", used(root.path()));
    assert_eq!(count(&store).await, 20);
    // A clock that goes backwards brings nothing back and takes nothing.
    clock.set(NOON);
    assert_eq!(count(&store).await, 20);
    send(&store, "canary-of-a-wrong-clock", 30_000..30_001, NOON + DAY / 4).await;
    assert_eq!(count(&store).await, 21);
    drop(store);
    let store = open(root.path(), &clock);
    assert_eq!(count(&store).await, 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_records_leave_index_and_files() {
    const KIND: Kind = Kind { id: 900, name: "test record", class: DataClass::Account };
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOON));
    let store = open(root.path(), &clock);
    let put = |key: &str, end: u32| {
        let raw = RawRecord {
            kind: KIND,
            key: key.as_bytes().to_vec(),
            indexes: vec![(1, format!("index-of-{key}").into_bytes())],
            value: format!("value-of-{key}").into(),
        };
        Write::Put(Stamped::new(stamp(DataClass::Account, end), raw))
    };
    let writes = vec![put("short", NOON + 60), put("long", NOON + 9 * DAY), put("renewed", NOON + 60)];
    store.apply(APP, Transaction { conditions: Vec::new(), writes }).await.unwrap();
    // The end that counts is that of the last write.
    let writes = vec![put("renewed", NOON + 9 * DAY)];
    store.apply(APP, Transaction { conditions: Vec::new(), writes }).await.unwrap();
    clock.set(NOON + 60);
    assert!(store.get(APP, KIND, b"short").await.unwrap().is_none());
    clock.set(NOON + DAY / 2);
    for word in ["value-of-short", "index-of-short"] {
        eventually("purging", || containing(root.path(), word).is_empty());
    }
    for key in ["long", "renewed"] {
        assert!(store.get(APP, KIND, key.as_bytes()).await.unwrap().is_some(), "{key}");
    }
    assert_eq!(store.check().unwrap().findings, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_an_end_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path(), &Arc::new(ManualClock::at(NOON)));
    let event = Event::Clear { by: AccountNumber(ALICE.0), history: true, listing: true };
    let draft = Draft { conversation: conversation(), event, sent_at: None, retry: None, origin: None };
    let stamp = Stamp { expiry: Expiry::WithOwner, ..stamp(DataClass::Account, 0) };
    assert!(matches!(store.append(Stamped::new(stamp, draft)).await, Err(Fault::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shortened_retention_takes_leaves_the_files_before_its_bucket_ends() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOON));
    let store = open(root.path(), &clock);
    send(&store, "canary-of-old", 0..25_000, NOON + 7 * DAY).await;
    clock.set(NOON + 2 * DAY);
    send(&store, "canary-of-new", 25_000..25_010, NOON + 9 * DAY).await;
    eventually("writing", || !containing(root.path(), "canary-of-old").is_empty());
    assert_eq!(store.count_older(APP, DAY).await.unwrap(), 25_000);
    store.shorten(APP, DAY).await.unwrap();
    assert_eq!(count(&store).await, 10);
    assert_eq!(store.count_older(APP, DAY).await.unwrap(), 0);
    eventually("sweeping", || containing(root.path(), "canary-of-old").is_empty());
    assert_eq!(count(&store).await, 10);
    assert!(!containing(root.path(), "canary-of-new").is_empty());
    store.close().await.unwrap();
    drop(store);
    let store = open(root.path(), &clock);
    assert_eq!(store.check().unwrap().findings, Vec::<String>::new());
    assert_eq!(count(&store).await, 10);
}
