//! A store that comes from a backup goes on where nobody has been: cursors and positions that were given out after the backup
//! are not given out again.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests write files, use tokio, and end by panicking"
)]

use std::path::Path;
use std::sync::Arc;

use embedded::{EmbeddedStore, Options};
use model::{ConversationId, DataClass, Expiry, Seconds, Stamp, Subject};
use ports::suite::{ALICE, APP, BOB, ManualClock, message};
use ports::{Appended, Cursor, Draft, Event, Stamped, Timeline as _};

struct Tokio;

impl ports::Spawner for Tokio {
    fn spawn(&self, task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(task);
    }
}

const NOW: u32 = 1_795_000_000;

fn open(folder: &Path) -> EmbeddedStore {
    let options = Options {
        folder: folder.to_owned(),
        free_bytes_min: 0,
        clock: Arc::new(ManualClock::at(NOW)),
        spawner: Arc::new(Tokio),
        fatal: Box::new(|what| unreachable!("{what}")),
    };
    EmbeddedStore::open(options).unwrap()
}

async fn send(store: &EmbeddedStore, number: u32) -> Appended {
    let expiry = Expiry::At(Seconds(NOW + 7 * 86_400));
    let stamp = Stamp { app: APP, class: DataClass::MESSAGE, subject: Subject::Account(ALICE), expiry };
    let conversation = ConversationId::between(ALICE, BOB);
    let event = Event::Message(message(ALICE, BOB, number));
    let draft = Draft { conversation, event, sent_at: None, retry: None, origin: None };
    store.append(Stamped::new(stamp, draft)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_after_a_restore_lie_beyond_all_that_clients_have_seen() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(root.path());
    let first = send(&store, 1).await;
    let path = root.path().join("backup");
    store.backup(std::fs::File::create(&path).unwrap()).await.unwrap();
    let mut last = first.clone();
    for number in 2..50 {
        last = send(&store, number).await;
    }
    store.close().await.unwrap();
    EmbeddedStore::restore(other.path(), std::fs::File::open(&path).unwrap()).unwrap();
    let restored = open(other.path());
    let page = restored.account_entries(APP, BOB, Cursor(0), 10).await.unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.cursor).collect::<Vec<_>>(), [first.cursor]);
    let next = send(&restored, 100).await;
    assert!(next.cursor > last.cursor, "{:?} was given out before", next.cursor);
    // A client that comes with what it saw last gets what is new.
    let page = restored.account_entries(APP, BOB, last.cursor, 10).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    restored.close().await.unwrap();
    drop(restored);
    // Nor after the next start.
    assert!(send(&open(other.path()), 101).await.cursor > next.cursor);
}
