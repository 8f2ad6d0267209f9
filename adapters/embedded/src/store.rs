//! The store: opening, the ports, closing.

use std::fs::{DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use model::{AccountNumber, ConversationId, MessageKey, SdkAppId, UserId};
use parking_lot::{Mutex, RwLock};
use ports::period::{PeriodPage, PeriodQuery};
use ports::records::{Found, Range};
use ports::timeline::{
    AccountPage, ConversationView, ErasedMessages, HistoryPage, HistoryQuery, Recent, StoredMessage,
};
use ports::{
    Answer, Appended, Bus, Clock, Cursor, Draft, Entry, Fault, Follower, Kind, Records, Spawner, Stamped,
    Timeline, Transaction,
};
use tokio::sync::mpsc;

use crate::check::Report;
use crate::codec::decode;
use crate::committer::{Committer, Request, Upkeep};
use crate::follow::Followers;
use crate::history::{Reader, Sight};
use crate::inbox::Inbox;
use crate::layout::Account;
use crate::purge;
use crate::room::Room;
use crate::spaces::{Spaces, VERSION, WRITTEN_TO};
use crate::state::State;

/// How long a stop waits for a purge to end; the next start goes on with it.
const PURGER_PATIENCE: Duration = Duration::from_secs(5);

/// How often what follows from the log is written behind it.
const TICK: Duration = Duration::from_millis(250);

/// Where and how a store is opened.
pub struct Options {
    /// The folder that holds the data; made if it is not there.
    pub folder: PathBuf,
    /// Below this much free space nothing new is stored.
    pub free_bytes_min: u64,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Runs the task that answers what was written.
    pub spawner: Arc<dyn Spawner>,
    /// Called with a message when a write or sync failed. In production it ends the process.
    pub fatal: Box<dyn Fn(&str) + Send>,
}

/// Records, Timeline and Bus of one machine.
pub struct EmbeddedStore {
    spaces: Arc<Spaces>,
    state: Arc<RwLock<State>>,
    followers: Arc<Followers>,
    clock: Arc<dyn Clock>,
    inbox: Arc<Inbox>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    purger: Mutex<Option<std::thread::JoinHandle<()>>>,
    /// Tells the purger that nobody waits for it any more.
    ended: Arc<AtomicBool>,
    // Held as long as the store is open.
    _lock: File,
}

impl EmbeddedStore {
    /// Opens the store, derives what a crash left undone, and starts its writer.
    ///
    /// # Errors
    /// `Unavailable` if the folder cannot be used or another process has it open, `Corrupt` if the log is damaged.
    pub fn open(options: Options) -> Result<Self, Fault> {
        Self::open_as(options, false)
    }

    /// Opens the store to look at what is there: nothing expires and nothing is swept.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_to_look(options: Options) -> Result<Self, Fault> {
        Self::open_as(options, true)
    }

    fn open_as(options: Options, looks_only: bool) -> Result<Self, Fault> {
        let unavailable = |error: std::io::Error| {
            Fault::Unavailable(format!("cannot use {}: {error}", options.folder.display()))
        };
        let folder = options.folder.join("store");
        make_private(&folder)?;
        let lock = lock(&options.folder)?;
        let spaces = Arc::new(Spaces::open(&folder)?);
        let mut state = State::default();
        recover(&spaces, &mut state)?;
        let state = Arc::new(RwLock::new(state));
        crate::behind::write(&spaces, &state)?;
        if !looks_only {
            expire(&spaces, &state, &folder, options.clock.as_ref())?;
        }
        let (purge, told) = std::sync::mpsc::channel();
        let ended = Arc::new(AtomicBool::new(false));
        let purger = if looks_only {
            None
        } else {
            let ended = Arc::clone(&ended);
            Some(start_purging(Arc::clone(&spaces), folder, told, ended).map_err(unavailable)?)
        };
        let followers = Arc::new(Followers::after(spaces.last_cursor()?));
        let (inbox, rounds) = Inbox::new();
        options.spawner.spawn(Box::pin(Arc::clone(&inbox).run()));
        let (settled, settling) = mpsc::unbounded_channel();
        options.spawner.spawn(Box::pin(crate::settle::run(settling, Arc::clone(&followers))));
        let committer = Committer {
            next_cursor: Cursor(spaces.last_cursor()?.0 + 1),
            next_version: spaces.number(VERSION)? + 1,
            spaces: Arc::clone(&spaces),
            state: Arc::clone(&state),
            settled,
            clock: Arc::clone(&options.clock),
            room: Room::new(options.folder.clone(), options.free_bytes_min, Arc::clone(&options.clock)),
            fatal: options.fatal,
            purge,
            upkeep: Upkeep::since(options.clock.now(), &spaces, looks_only),
        };
        let writer = std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || committer.run(rounds))
            .map_err(unavailable)?;
        start_ticking(Arc::downgrade(&inbox)).map_err(unavailable)?;
        Ok(Self {
            spaces,
            state,
            followers,
            clock: options.clock,
            inbox,
            writer: Mutex::new(Some(writer)),
            purger: Mutex::new(purger),
            ended,
            _lock: lock,
        })
    }

    /// Verifies every checksum and cross-reference. For a store that nobody writes to.
    ///
    /// # Errors
    /// What the engine says when it cannot be read at all.
    pub fn check(&self) -> Result<Report, Fault> {
        crate::behind::write(&self.spaces, &self.state)?;
        crate::check::check(&self.spaces)
    }

    /// Writes what follows from the log and removes what has expired, as happens four times a second by itself.
    ///
    /// # Errors
    /// `Unavailable` if the store is closed.
    pub async fn keep_up(&self) -> Result<(), Fault> {
        self.inbox.ask(Request::KeepUp).await
    }

    /// Writes everything out, so that the next start has nothing to replay. Later writes fail.
    ///
    /// # Errors
    /// `Unavailable` if the engine cannot write.
    pub async fn close(&self) -> Result<(), Fault> {
        self.ended.store(true, Ordering::Release);
        let closed = self.inbox.ask(Request::Close).await;
        self.join();
        closed
    }

    /// Waits until both threads have ended, so that nobody holds the engine any more.
    fn join(&self) {
        if let Some(writer) = self.writer.lock().take() {
            drop(writer.join());
        }
        // It ends when the writer is gone, who tells it what to do; in the middle of a large table it would take too long.
        let Some(purger) = self.purger.lock().take() else { return };
        let began = std::time::Instant::now();
        while !purger.is_finished() && began.elapsed() < PURGER_PATIENCE {
            std::thread::sleep(Duration::from_millis(2));
        }
        if purger.is_finished() {
            drop(purger.join());
        }
    }

    pub(crate) fn now(&self) -> model::Millis {
        self.clock.now()
    }

    pub(crate) const fn spaces(&self) -> &Arc<Spaces> {
        &self.spaces
    }

    fn reader(&self, app: SdkAppId) -> Reader<'_> {
        Reader { spaces: &self.spaces, state: &self.state, app, now: self.clock.now() }
    }
}

impl Drop for EmbeddedStore {
    /// Ends the writer without writing anything more than was asked for.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        self.inbox.close();
        self.join();
    }
}

/// Makes a folder for nobody but the owner: keys of apps and messages lie there, wherever it stands.
pub(crate) fn make_private(folder: &Path) -> Result<(), Fault> {
    let unavailable =
        |error: std::io::Error| Fault::Unavailable(format!("cannot use {}: {error}", folder.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unavailable)?;
    std::fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(unavailable)
}

fn lock(folder: &Path) -> Result<File, Fault> {
    let path = folder.join("lock");
    let in_use = || Fault::Unavailable(format!("{} is open in another process", folder.display()));
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| Fault::Unavailable(format!("cannot open {}: {error}", path.display())))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| in_use())?;
    Ok(file)
}

/// Applies the log entries that the derived key spaces do not contain yet.
pub(crate) fn recover(spaces: &Spaces, state: &mut State) -> Result<(), Fault> {
    let written_to = Cursor(spaces.number(WRITTEN_TO)?);
    state.applied = written_to;
    for lying in spaces.buckets.entries(written_to, Cursor(u64::MAX)) {
        let lying = lying?;
        let entry = decode::<Entry>(&lying.value, "a log entry")?;
        state.apply(spaces, lying.day, &Arc::new(entry))?;
    }
    Ok(())
}

/// Removes what expired while nobody had the store open, from the files too.
fn expire(spaces: &Spaces, state: &RwLock<State>, folder: &Path, clock: &dyn Clock) -> Result<(), Fault> {
    let now = clock.now();
    crate::expiry::drop_buckets(spaces, state, now)?;
    if crate::expiry::has_records_before(spaces, now)? {
        crate::expiry::count_removal(spaces)?;
    }
    while crate::expiry::sweep_records(spaces, now)? > 0 {}
    crate::expiry::begin_day(spaces, now)?;
    // Where tables have to be written anew, or there is no room for it, the purger does it beside everything else.
    if purge::is_due(spaces)? && !purge::is_large(spaces)? && purge::has_room(folder) {
        let done = purge::purge(spaces, folder, purge::Haste::Alone, &AtomicBool::new(false));
        if let Err(fault) = done {
            tracing::error!(%fault, "files still hold expired data: trying again in a minute");
        }
    }
    Ok(())
}

fn start_purging(
    spaces: Arc<Spaces>,
    folder: PathBuf,
    told: std::sync::mpsc::Receiver<()>,
    ended: Arc<AtomicBool>,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let run = move || purge::run(&spaces, &folder, &told, &ended);
    std::thread::Builder::new().name("purger".to_owned()).spawn(run)
}

fn start_ticking(inbox: Weak<Inbox>) -> std::io::Result<()> {
    let tick = move || {
        loop {
            std::thread::sleep(TICK);
            let Some(inbox) = inbox.upgrade() else {
                return;
            };
            if inbox.tick().is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("ticker".to_owned()).spawn(tick).map(drop)
}

impl Records for EmbeddedStore {
    fn get(&self, app: SdkAppId, kind: Kind, key: &[u8]) -> Answer<'_, Option<Found>> {
        let found = crate::records::read(&self.spaces, app, kind, key, self.clock.now());
        Box::pin(async { found })
    }

    fn scan(&self, app: SdkAppId, range: Range) -> Answer<'_, Vec<Found>> {
        let found = crate::records::scan(&self.spaces, app, &range, self.clock.now());
        Box::pin(async { found })
    }

    fn apply(&self, app: SdkAppId, transaction: Transaction) -> Answer<'_, ()> {
        self.inbox.ask(move |answer| Request::Apply(app, transaction, answer))
    }
}

impl Timeline for EmbeddedStore {
    fn append(&self, draft: Stamped<Draft>) -> Answer<'_, Appended> {
        self.inbox.ask(move |answer| Request::Append(draft, answer))
    }

    fn history(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        query: HistoryQuery,
    ) -> Answer<'_, HistoryPage> {
        Box::pin(async move { self.reader(app).history(conversation, query) })
    }

    fn find_message(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        author: AccountNumber,
        key: MessageKey,
    ) -> Answer<'_, Option<StoredMessage>> {
        Box::pin(async move { self.reader(app).find(conversation, author, key) })
    }

    fn conversation(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        conversation: ConversationId,
    ) -> Answer<'_, Option<ConversationView>> {
        Box::pin(async move { self.reader(app).view(viewer, conversation) })
    }

    fn recent(&self, app: SdkAppId, viewer: AccountNumber, limit: usize) -> Answer<'_, Vec<Recent>> {
        Box::pin(async move { self.reader(app).recent(viewer, limit) })
    }

    fn conversations(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        limit: usize,
    ) -> Answer<'_, Vec<ConversationView>> {
        Box::pin(async move { self.reader(app).list(viewer, limit) })
    }

    fn unread(&self, app: SdkAppId, viewer: AccountNumber, conversation: ConversationId) -> Answer<'_, u32> {
        Box::pin(async move { self.reader(app).unread(viewer, conversation) })
    }

    fn account_entries(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
    ) -> Answer<'_, AccountPage> {
        Box::pin(async move { self.reader(app).stream(account, after, limit, Sight::Own) })
    }

    fn everything_of(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
    ) -> Answer<'_, AccountPage> {
        Box::pin(async move { self.reader(app).stream(account, after, limit, Sight::Everything) })
    }

    fn messages_of_period(&self, app: SdkAppId, query: PeriodQuery) -> Answer<'_, PeriodPage> {
        Box::pin(async move {
            // A walk goes by what is written behind the log: for a first page all of it has to be.
            if query.after.is_none() {
                self.keep_up().await?;
            }
            let (spaces, state) = (Arc::clone(&self.spaces), Arc::clone(&self.state));
            let now = self.clock.now();
            let read = move || Reader { spaces: &spaces, state: &state, app, now }.of_period(query);
            let page = tokio::task::spawn_blocking(read).await;
            page.map_err(|error| Fault::Unavailable(error.to_string()))?
        })
    }

    fn shorten(&self, app: SdkAppId, keep_seconds: u32) -> Answer<'_, ()> {
        self.inbox.ask(move |answer| Request::Shorten(app, keep_seconds, answer))
    }

    fn count_older(&self, app: SdkAppId, keep_seconds: u32) -> Answer<'_, u64> {
        Box::pin(async move {
            self.keep_up().await?;
            let (spaces, now) = (Arc::clone(&self.spaces), self.clock.now());
            let count = move || {
                crate::sweep::count(&spaces, app, now, |reference| {
                    now.seconds() >= reference.at.time.plus(keep_seconds)
                })
            };
            let counted = tokio::task::spawn_blocking(count).await;
            counted.map_err(|error| Fault::Unavailable(error.to_string()))?
        })
    }

    fn erase_account(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        name: UserId,
    ) -> Answer<'_, ErasedMessages> {
        let account = Account { app, number: account };
        self.inbox.ask(move |answer| Request::Erase(account, name, answer))
    }

    fn forget_app(&self, app: SdkAppId) -> Answer<'_, u64> {
        self.inbox.ask(move |answer| Request::Forget(app, answer))
    }

    fn empty_conversation(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        up_to: model::Position,
    ) -> Answer<'_, ErasedMessages> {
        let conversation = crate::layout::Conversation { app, id: conversation };
        self.inbox.ask(move |answer| Request::Empty(conversation, up_to, answer))
    }

    fn cleared(&self) -> Answer<'_, Option<model::Seconds>> {
        let cleared = crate::expiry::cleared(&self.spaces, self.clock.now());
        Box::pin(async move { cleared })
    }

    fn end(&self) -> Cursor {
        self.state.read().applied
    }
}

impl Bus for EmbeddedStore {
    fn follow(&self, after: Option<Cursor>) -> Box<dyn Follower> {
        let after = after.unwrap_or_else(|| self.end());
        self.followers.follow(Arc::clone(&self.spaces), after)
    }
}
