//! What ending costs: `cargo run --release -p embedded --example cost`. Takes a minute and four gigabytes of disk.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement does I/O, says what it measured, and ends where something cannot be done"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use embedded::{EmbeddedStore, Options};
use model::{AccountNumber, ConversationId, DataClass, Expiry, Seconds, Stamp, Subject};
use ports::suite::{ALICE, APP, ManualClock, message, name};
use ports::{Draft, Event, Stamped, Timeline};

const DAY: u32 = 86_400;
const NOON: u32 = 20_788 * DAY + DAY / 2;

/// Appends that are asked for together.
const AT_ONCE: u32 = 4000;

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

/// Messages of one author to a thousand others, of 300 bytes, that end in six hours.
async fn fill(store: &EmbeddedStore, count: u32) {
    let stamp = Stamp {
        app: APP,
        class: DataClass::MESSAGE,
        subject: Subject::Account(ALICE),
        expiry: Expiry::At(Seconds(NOON + DAY / 4)),
    };
    for first in (0..count).step_by(4000) {
        let mut answers = Vec::new();
        for number in first..count.min(first + AT_ONCE) {
            let peer = AccountNumber(AccountNumber::BASE + 10 + u64::from(number % 1000));
            let mut sent = message(ALICE, peer, number);
            sent.content.bytes = vec![7; 300].into();
            let conversation = ConversationId::between(ALICE, peer);
            let event = Event::Message(sent);
            let draft = Draft { conversation, event, sent_at: None, retry: None, origin: None };
            answers.push(store.append(Stamped::new(stamp, draft)));
        }
        for answer in answers {
            answer.await.unwrap();
        }
    }
}

async fn dropping_a_bucket() {
    for count in [10_000, 10_000_000] {
        let root = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOON));
        let store = open(root.path(), &clock);
        fill(&store, count).await;
        let journals = journals(root.path());
        clock.set(NOON + DAY / 2);
        let began = Instant::now();
        store.keep_up().await.unwrap();
        let dropped = began.elapsed();
        while used(root.path()) > 64 << 20 || journals.iter().any(|journal| journal.exists()) {
            std::thread::yield_now();
        }
        println!(
            "{count} messages: the writer was held {dropped:?}, the files were purged after {:?}",
            began.elapsed()
        );
    }
}

async fn erasing_an_account_of_a_million_messages() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(NOON));
    let store = open(root.path(), &clock);
    fill(&store, 1_000_000).await;
    let began = Instant::now();
    let erased = store.erase_account(APP, ALICE, name(ALICE)).await.unwrap();
    println!("{} messages erased in {:?}", erased.messages, began.elapsed());
}

/// The engine's journals.
fn journals(folder: &Path) -> Vec<std::path::PathBuf> {
    let items = std::fs::read_dir(folder.join("store")).unwrap();
    let paths = items.map(|item| item.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "jnl")).collect()
}

#[tokio::main]
async fn main() {
    dropping_a_bucket().await;
    erasing_an_account_of_a_million_messages().await;
}

/// Bytes that files take on the disk.
fn used(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(items) = std::fs::read_dir(folder) else { return 0 };
    let size = |path: std::path::PathBuf| match path.metadata() {
        Ok(metadata) if metadata.is_dir() => used(&path),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    items.filter_map(|item| Some(size(item.ok()?.path()))).sum()
}
