//! Search: of messages by stored indexes, of accounts by indexes in memory.
//!
//! A follower of the log splits what was sent into words (`texts`). The newest messages wait in memory (`tail`), where they are
//! found at once; from time to time an index of them is stored as one sealed object for each app and bucket of expiry (`shelf`),
//! and small ones become larger ones (`tidy`). Whatever an index finds is looked up in the conversation, in the view of who
//! asks, before it is shown (`messages`): an index decides what is looked at, never what may be seen. Before keys are
//! destroyed, indexes are written anew without the messages whose keys those are (`forget`). Decision record 14.

mod accounts;
mod facts;
mod follow;
mod forget;
mod messages;
mod people;
mod shelf;
mod tail;
mod texts;
mod tidy;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use model::{Result, SdkAppId};
use parking_lot::Mutex;
use ports::records::find;
use ports::{Cursor, Fault, Spawner};
use promise::Stamps;
use promise::keys::Keyring;
use tokio::sync::{Notify, Semaphore, watch};

pub use self::accounts::{FoundAccount, FoundAccounts};
use self::facts::today;
pub use self::facts::{IndexFact, ProgressFact};
pub use self::messages::{CONSIDERED_MAX, FoundConversation, FoundMessages, WantedMessages};
pub(crate) use self::people::People;
pub use self::people::{Gender, Wanted};
use self::shelf::Shelf;
use self::tail::Tail;
pub use self::texts::kind_bit;
use crate::Engine;
use crate::apps::Apps;
use crate::context::Context;
use crate::store::{put, write};

/// Searches that run at the same time; others wait for their turn.
const SEARCHES_MAX: usize = 4;

/// What can be configured of search.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of stored indexes that stay open. Searches hold half as many more at most, besides the index that each has open.
    pub opened_bytes_max: usize,
    /// Bytes of what is known of accounts that are searched.
    pub people_bytes_max: usize,
    /// Messages that wait in memory before an index of them is stored.
    pub waiting_max: usize,
    /// Hits of one search that are looked at, the latest first.
    pub considered_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            opened_bytes_max: 256 << 20,
            people_bytes_max: 256 << 20,
            waiting_max: 8192,
            considered_max: CONSIDERED_MAX,
        }
    }
}

/// What is known of the search of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether everything that was sent is found.
    pub is_complete: bool,
    /// Stored indexes.
    pub indexes: usize,
    /// Messages in them.
    pub indexed: u64,
    /// Messages that wait in memory.
    pub waiting: usize,
    /// Bytes of stored indexes that are open.
    pub opened_bytes: usize,
    /// Entries of the log that were read since the start.
    pub read: u64,
}

/// What is changed by one at a time.
#[derive(Default)]
struct Writing {
    progress: ProgressFact,
    /// Up to where the log was read, into what is stored or what waits.
    read_to: Cursor,
    /// Apps and buckets whose indexes cannot be read.
    broken: BTreeSet<(SdkAppId, u16)>,
    /// When the first message that waits was read.
    waiting_since: Option<u64>,
    /// When reading began anew.
    rebuilt_at: Option<u64>,
}

/// Search.
pub struct Search {
    context: Context,
    keyring: Arc<Keyring>,
    apps: Arc<Apps>,
    options: Options,
    shelf: Shelf,
    tail: Mutex<Tail>,
    /// Indexes that could not be merged, with the time of the attempt.
    unmergeable: Mutex<BTreeMap<u64, u64>>,
    writing: tokio::sync::Mutex<Writing>,
    /// Apps of which nothing is indexed.
    off: Mutex<BTreeSet<SdkAppId>>,
    /// Up to where the log was read.
    read_to: watch::Sender<u64>,
    /// Up to where the log has to be read for answers to be complete.
    goal: AtomicU64,
    is_reading: AtomicBool,
    /// Whether what waits could not be stored.
    is_behind: AtomicBool,
    read: AtomicU64,
    /// Which reading of the log this is.
    reading: AtomicU64,
    /// Woken when the log has to be read anew.
    again: Notify,
    /// Woken when somebody waits for what was just sent.
    wanted: Notify,
    /// Woken when there may be something to be tidied.
    untidy: Notify,
    turns: Semaphore,
    people: Arc<People>,
}

impl Search {
    fn new(
        context: Context,
        keyring: Arc<Keyring>,
        apps: Arc<Apps>,
        people: Arc<People>,
        options: Options,
    ) -> Self {
        let shelf = Shelf::new(context.clone(), Arc::clone(&keyring), options.opened_bytes_max);
        Self {
            context,
            keyring,
            apps,
            options,
            shelf,
            tail: Mutex::default(),
            unmergeable: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            off: Mutex::default(),
            read_to: watch::Sender::new(0),
            goal: AtomicU64::new(0),
            is_reading: AtomicBool::new(true),
            is_behind: AtomicBool::new(false),
            read: AtomicU64::new(0),
            reading: AtomicU64::new(0),
            again: Notify::new(),
            wanted: Notify::new(),
            untidy: Notify::new(),
            turns: Semaphore::new(SEARCHES_MAX),
            people,
        }
    }

    /// Whether everything that was sent is found. If not it is being read in the background.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.is_reading.load(Ordering::Acquire) && !self.is_behind.load(Ordering::Acquire)
    }

    /// How the search of messages stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let all = self.shelf.all();
        Status {
            is_complete: self.is_complete(),
            indexes: all.len(),
            indexed: all.iter().map(|(_, fact)| u64::from(fact.count)).sum(),
            waiting: self.tail.lock().size().0,
            opened_bytes: self.shelf.opened_bytes(),
            read: self.read.load(Ordering::Relaxed),
        }
    }

    /// Learns which indexes are stored, and removes objects that none of them is.
    async fn load(&self) -> Result<()> {
        let records = self.context.records.as_ref();
        let mut writing = self.writing.lock().await;
        let found = find::<ProgressFact>(records, SdkAppId::INSTALLATION, ProgressFact::KEY).await?;
        self.set_progress(&mut writing, found.map(|(fact, _)| fact).unwrap_or_default());
        writing.read_to = writing.progress.cursor;
        for app in self.apps.list().await? {
            let broken = self.load_app(app.id).await?;
            writing.broken.extend(broken.into_iter().map(|bucket| (app.id, bucket)));
        }
        self.set_goal(writing.read_to);
        // What is broken or left over is looked after at once.
        self.untidy.notify_one();
        Ok(())
    }

    /// Reads on from here until everything is found that is in the log now.
    fn set_goal(&self, from: Cursor) {
        let end = self.context.timeline.end();
        self.read_to.send_replace(from.0);
        self.goal.store(end.0, Ordering::Release);
        self.is_reading.store(from < end, Ordering::Release);
    }

    fn set_progress(&self, writing: &mut Writing, progress: ProgressFact) {
        self.off.lock().clone_from(&progress.off);
        writing.progress = progress;
    }

    async fn remember(&self, progress: &ProgressFact) -> Result<()> {
        let app = SdkAppId::INSTALLATION;
        write(self.context.records.as_ref(), app, vec![put(Stamps::configuration(app), progress)?]).await
    }

    /// Does now what is done from time to time: stores an index of what waits, and makes fewer of several.
    ///
    /// # Errors
    /// What the stores say.
    pub async fn tidy_now(&self) -> Result<()> {
        self.catch_up().await;
        self.flush(&mut *self.writing.lock().await).await?;
        self.tidy().await
    }

    fn today(&self) -> u16 {
        today(self.context.clock.now().seconds())
    }
}

/// Opens search: learns what is stored.
///
/// # Errors
/// What the stores say.
pub(crate) async fn open(
    context: &Context,
    keyring: &Arc<Keyring>,
    apps: &Arc<Apps>,
    options: Options,
) -> Result<(Arc<Search>, Arc<People>)> {
    let people = Arc::new(People::new(context.clone(), options.people_bytes_max));
    let (keyring, apps) = (Arc::clone(keyring), Arc::clone(apps));
    let search = Search::new(context.clone(), keyring, apps, Arc::clone(&people), options);
    search.load().await?;
    Ok((Arc::new(search), people))
}

/// Starts to follow the log, and to tidy up.
pub(crate) fn start(engine: &Arc<Engine>) {
    follow::start(engine);
    tidy::start(engine);
}

/// What some work computes where it holds up no task.
pub(crate) async fn computed<T: Send + 'static>(
    spawner: &dyn Spawner,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (done, waits) = tokio::sync::oneshot::channel();
    spawner.compute(Box::new(move || drop(done.send(work()))));
    let lost = |_| Fault::Unavailable("a computation ended without a result".to_owned());
    Ok(waits.await.map_err(lost)?)
}
