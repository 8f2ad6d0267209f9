//! What the tests on a real server share.
#![allow(dead_code, reason = "every test uses a part of it")]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{AccountNumber, ConversationId, DataClass, Expiry, HistoryKey, Millis, Stamp, Subject};
use mongodb_store::{MongoStore, Options};
use ports::suite::{ALICE, APP, BOB, NOW, message};
use ports::timeline::{Direction, HistoryPage, HistoryQuery, RetryKey};
use ports::{Appended, Clock, Draft, Event, Fault, Spawner, Stamped, Timeline};
use simulated::{SeededRandom, SimulatedClock};

pub(crate) struct Tokio;

impl Spawner for Tokio {
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(task);
    }
}

pub(crate) fn address() -> String {
    std::env::var("WHIMBREL_TEST_MONGODB").unwrap()
}

/// A number that differs within and between runs.
fn seed() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    u64::from(std::process::id()) << 32 | COUNT.fetch_add(1, Ordering::Relaxed)
}

/// A name that no other test has.
pub(crate) fn fresh_name() -> String {
    format!("whimbrel_{:016x}", seed())
}

pub(crate) fn options(database: &str, clock: Arc<dyn Clock>) -> Options {
    Options {
        address: address(),
        database: database.to_owned(),
        lone_server: true,
        settle_seconds: 0,
        clock,
        random: Arc::new(SeededRandom::new(seed())),
        spawner: Arc::new(Tokio),
    }
}

pub(crate) async fn connect(database: &str, clock: Arc<dyn Clock>) -> MongoStore {
    MongoStore::connect(options(database, clock)).await.unwrap()
}

/// A clock that goes on as that of the machine does.
pub(crate) fn real_clock() -> Arc<dyn Clock> {
    Arc::new(SimulatedClock::new(Millis(u64::from(NOW) * 1000)))
}

pub(crate) fn pair() -> ConversationId {
    ConversationId::between(ALICE, BOB)
}

/// Appends to the conversation of the two, kept for seven days.
pub(crate) async fn append(
    store: &MongoStore,
    clock: &dyn Clock,
    event: Event,
    retry: Option<u32>,
) -> Result<Appended, Fault> {
    append_to(store, clock, BOB, event, retry).await
}

/// Appends to a conversation of Alice.
pub(crate) async fn append_to(
    store: &MongoStore,
    clock: &dyn Clock,
    peer: AccountNumber,
    event: Event,
    retry: Option<u32>,
) -> Result<Appended, Fault> {
    let conversation = ConversationId::between(ALICE, peer);
    let expiry = Expiry::At(clock.now().seconds().plus(7 * 86_400));
    let stamp = Stamp { app: APP, class: DataClass::MESSAGE, subject: Subject::Account(ALICE), expiry };
    let retry = retry.map(|number| RetryKey((u128::from(number) << 96).to_be_bytes()));
    let draft = Draft { conversation, event, sent_at: None, retry, origin: None };
    store.append(Stamped::new(stamp, draft)).await
}

/// Sends message `number` from Alice to Bob; a resend has the same number.
pub(crate) async fn send(store: &MongoStore, clock: &dyn Clock, number: u32) -> Result<Appended, Fault> {
    append(store, clock, Event::Message(message(ALICE, BOB, number)), Some(number)).await
}

pub(crate) async fn history(store: &MongoStore, viewer: AccountNumber) -> HistoryPage {
    let query = HistoryQuery {
        viewer,
        after: HistoryKey::START,
        before: HistoryKey::END,
        direction: Direction::Backwards,
        limit: 500,
    };
    store.history(APP, pair(), query).await.unwrap()
}
