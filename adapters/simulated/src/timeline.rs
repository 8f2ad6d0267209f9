//! The log as a list, and everything else derived from it by looking at all of it.

use std::collections::HashMap;
use std::sync::Arc;

use model::time::DAY_SECONDS;
use model::{AccountNumber, ConversationId, Expiry, MessageKey, Millis, Position, SdkAppId, Seconds, UserId};
use parking_lot::Mutex;
use ports::period::{PeriodPage, PeriodQuery};
use ports::records::{Found, Range};
use ports::timeline::{
    AccountPage, ConversationView, Direction, ErasedMessages, HistoryPage, HistoryQuery, PAGE_MAX, Recent,
    StoredMessage,
};
use ports::{
    Answer, Appended, Bus, Clock, Cursor, Draft, Entry, Event, Fault, Follower, Kind, Records, Stamped,
    Timeline, Transaction,
};
use tokio::sync::watch;

use crate::records::RecordMap;
use crate::take::decide;
use crate::view::{Sight, View};

#[derive(Clone, Default)]
struct Inner {
    log: Vec<Arc<Entry>>,
    /// The newest cursor that was given out to what is gone.
    highest: Cursor,
    /// How much of the log survives a crash.
    synced: usize,
    records: RecordMap,
    /// Accounts that have no stream and no list any more.
    erased: HashMap<(SdkAppId, AccountNumber), ErasedMessages>,
    /// App, newest entry at that time, seconds.
    shortened: Vec<(SdkAppId, Cursor, u32)>,
    is_full: bool,
    is_unavailable: bool,
    /// Whether somebody else always comes first.
    is_contended: bool,
    /// After how many more transactions every access to records fails.
    fails_after: Option<u64>,
    crashes: u64,
}

impl Inner {
    fn available(&self) -> Result<(), Fault> {
        let fault = || Fault::Unavailable("the store is not there".to_owned());
        if self.is_unavailable || self.fails_after == Some(0) { Err(fault()) } else { Ok(()) }
    }
}

/// A store as it was at a moment.
pub struct Backup(Inner);

/// Records, Timeline and Bus in memory. Clones share one store.
#[derive(Clone)]
pub struct SimulatedStore {
    inner: Arc<Mutex<Inner>>,
    clock: Arc<dyn Clock>,
    grown: Arc<watch::Sender<usize>>,
    sync_millis: u64,
}

impl SimulatedStore {
    /// An empty store whose syncs take no time.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_sync_time(clock, 0)
    }

    /// An empty store whose syncs take this long: a crash in between loses what was not answered.
    #[must_use]
    pub fn with_sync_time(clock: Arc<dyn Clock>, sync_millis: u64) -> Self {
        Self { inner: Arc::default(), clock, grown: Arc::new(watch::Sender::new(0)), sync_millis }
    }

    /// Everything as it is now.
    #[must_use]
    pub fn backup(&self) -> Backup {
        Backup(self.inner.lock().clone())
    }

    /// Makes everything what it was. The server on it has to be started anew.
    pub fn restore(&self, backup: Backup) {
        *self.inner.lock() = backup.0;
    }

    /// Loses everything that is not synced; unanswered writes fail.
    pub fn crash(&self) {
        let mut inner = self.inner.lock();
        let synced = inner.synced;
        inner.log.truncate(synced);
        inner.crashes += 1;
    }

    /// Makes every write fail as if the disk were full, or no longer.
    pub fn set_full(&self, is_full: bool) {
        self.inner.lock().is_full = is_full;
    }

    /// Makes appends and every use of records fail as if the store were not there, or no longer.
    pub fn set_unavailable(&self, is_unavailable: bool) {
        self.inner.lock().is_unavailable = is_unavailable;
    }

    /// Makes every transaction with a condition fail as if somebody else always came first, or no longer.
    pub fn set_contended(&self, is_contended: bool) {
        self.inner.lock().is_contended = is_contended;
    }

    /// Makes every access to records fail after so many more transactions, or never.
    pub fn fail_after(&self, transactions: Option<u64>) {
        self.inner.lock().fails_after = transactions;
    }

    fn read<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        let inner = self.inner.lock();
        let (log, shortened) = (&inner.log[..inner.synced], &inner.shortened[..]);
        look(&View { log, shortened, now: self.clock.now() })
    }

    async fn append_and_sync(&self, draft: Stamped<Draft>) -> Result<Appended, Fault> {
        if draft.stamp().expiry == Expiry::WithOwner {
            return Err(Fault::Unavailable("an entry of a conversation needs an end".to_owned()));
        }
        let (appended, place, crashes) = {
            let mut inner = self.inner.lock();
            inner.available()?;
            if inner.is_full {
                return Err(Fault::Full);
            }
            let appended = {
                let highest = inner.highest;
                decide(&mut inner.log, highest, draft, self.clock.now())
            };
            let place = inner.log.partition_point(|entry| entry.cursor <= appended.cursor);
            (appended, place, inner.crashes)
        };
        if self.sync_millis > 0 {
            self.clock.sleep(std::time::Duration::from_millis(self.sync_millis)).await;
        }
        let mut inner = self.inner.lock();
        if inner.crashes != crashes {
            return Err(Fault::Unavailable("crashed".to_owned()));
        }
        inner.synced = inner.synced.max(place);
        self.grown.send_replace(inner.synced);
        Ok(appended)
    }
}

impl Timeline for SimulatedStore {
    fn append(&self, draft: Stamped<Draft>) -> Answer<'_, Appended> {
        Box::pin(self.append_and_sync(draft))
    }

    fn history(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        query: HistoryQuery,
    ) -> Answer<'_, HistoryPage> {
        let page = self.read(|view| {
            let mut messages = view.seen(app, conversation, query.viewer);
            messages.retain(|message| query.after < message.at && message.at < query.before);
            let limit = query.limit.min(PAGE_MAX);
            let complete = messages.len() <= limit;
            match query.direction {
                Direction::Backwards => drop(messages.drain(..messages.len().saturating_sub(limit))),
                Direction::Forwards => messages.truncate(limit),
            }
            HistoryPage { messages, complete }
        });
        Box::pin(async { Ok(page) })
    }

    fn find_message(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        author: AccountNumber,
        key: MessageKey,
    ) -> Answer<'_, Option<StoredMessage>> {
        let found = self.read(|view| {
            let mut messages = view.messages(app, conversation).into_iter();
            messages.find(|message| message.message.author == author && message.key() == key)
        });
        Box::pin(async { Ok(found) })
    }

    fn conversation(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        conversation: ConversationId,
    ) -> Answer<'_, Option<ConversationView>> {
        let found = self.read(|view| view.view(app, conversation, viewer));
        Box::pin(async { Ok(found) })
    }

    fn recent(&self, app: SdkAppId, viewer: AccountNumber, limit: usize) -> Answer<'_, Vec<Recent>> {
        let views = self.conversations(app, viewer, limit);
        Box::pin(async move {
            let views = views.await?;
            Ok(views.into_iter().map(|view| Recent { peer: view.peer, active_at: view.active_at }).collect())
        })
    }

    fn conversations(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        limit: usize,
    ) -> Answer<'_, Vec<ConversationView>> {
        if self.inner.lock().erased.contains_key(&(app, viewer)) {
            return Box::pin(async { Ok(Vec::new()) });
        }
        let views = self.read(|view| {
            let mut ids: Vec<ConversationId> = view.log.iter().map(|entry| entry.conversation).collect();
            ids.retain(|id| id.side_of(viewer).is_some());
            ids.sort_unstable();
            ids.dedup();
            let mut views: Vec<ConversationView> = ids
                .into_iter()
                .filter_map(|id| view.view(app, id, viewer))
                .filter(|view| view.is_listed)
                .collect();
            views.sort_by_key(|found| (std::cmp::Reverse(found.active_at), found.peer));
            views.truncate(limit);
            views
        });
        Box::pin(async { Ok(views) })
    }

    fn unread(&self, app: SdkAppId, viewer: AccountNumber, conversation: ConversationId) -> Answer<'_, u32> {
        let count = self.read(|view| view.unread(app, conversation, viewer));
        Box::pin(async move { Ok(count) })
    }

    fn account_entries(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
    ) -> Answer<'_, AccountPage> {
        if self.inner.lock().erased.contains_key(&(app, account)) {
            let page = AccountPage { entries: Vec::new(), next: after, complete: true };
            return Box::pin(async { Ok(page) });
        }
        let page = self.read(|view| view.stream(app, account, after, limit, Sight::Own));
        Box::pin(async { Ok(page) })
    }

    fn everything_of(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
    ) -> Answer<'_, AccountPage> {
        let page = self.read(|view| view.stream(app, account, after, limit, Sight::Everything));
        Box::pin(async { Ok(page) })
    }

    fn messages_of_period(&self, app: SdkAppId, query: PeriodQuery) -> Answer<'_, PeriodPage> {
        let page = self.read(|view| view.period(app, query));
        Box::pin(async { Ok(page) })
    }

    fn shorten(&self, app: SdkAppId, keep_seconds: u32) -> Answer<'_, ()> {
        let mut inner = self.inner.lock();
        let until = inner.log.last().map_or(Cursor(0), |entry| entry.cursor);
        inner.shortened.push((app, until, keep_seconds));
        Box::pin(async { Ok(()) })
    }

    fn count_older(&self, app: SdkAppId, keep_seconds: u32) -> Answer<'_, u64> {
        let count = self.read(|view| {
            let is_older = |entry: &&Arc<Entry>| {
                matches!(entry.event, Event::Message(_))
                    && entry.stamp.app == app
                    && !view.is_over(entry)
                    && view.now.seconds() >= entry.time.plus(keep_seconds)
            };
            view.log.iter().filter(is_older).count() as u64
        });
        Box::pin(async move { Ok(count) })
    }

    fn erase_account(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        name: UserId,
    ) -> Answer<'_, ErasedMessages> {
        let mut inner = self.inner.lock();
        let mut erased = ErasedMessages::default();
        if let Some(erased) = inner.erased.get(&(app, account)).copied() {
            return Box::pin(async move { Ok(erased) });
        }
        for entry in &mut inner.log {
            if entry.stamp.app != app || entry.conversation.side_of(account).is_none() {
                continue;
            }
            let entry = Arc::make_mut(entry);
            if matches!(&entry.event, Event::Message(message) if message.author == account) {
                erased.messages += 1;
                if let Expiry::At(end) = entry.stamp.expiry {
                    erased.aged_out_by = erased.aged_out_by.max(end);
                }
            }
            entry.event.forget(account, &name);
        }
        inner.erased.insert((app, account), erased);
        Box::pin(async move { Ok(erased) })
    }

    fn forget_app(&self, app: SdkAppId) -> Answer<'_, u64> {
        let mut inner = self.inner.lock();
        let before = inner.log.len();
        inner.highest = inner.highest.max(inner.log.last().map_or(Cursor(0), |entry| entry.cursor));
        let is_message =
            |entry: &&Arc<Entry>| entry.stamp.app == app && matches!(entry.event, Event::Message(_));
        let messages = inner.log.iter().filter(is_message).count() as u64;
        inner.log.retain(|entry| entry.stamp.app != app);
        inner.synced -= before - inner.log.len();
        Box::pin(async move { Ok(messages) })
    }

    fn empty_conversation(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        up_to: Position,
    ) -> Answer<'_, ErasedMessages> {
        let mut inner = self.inner.lock();
        let mut erased = ErasedMessages::default();
        let is_of_it = |entry: &Entry| {
            entry.stamp.app == app && entry.conversation == conversation && entry.position <= up_to
        };
        for entry in inner.log.iter_mut().filter(|entry| is_of_it(entry)) {
            erased.aged_out_by = erased.aged_out_by.max(entry.stamp.end());
            if let Event::Message(message) = &mut Arc::make_mut(entry).event {
                message.content.empty();
                erased.messages += 1;
            }
        }
        for entry in inner.log.iter_mut().filter(|entry| entry.stamp.app == app) {
            let is_of_it = entry.conversation == conversation;
            if let Event::Modify { target, content, .. } = &mut Arc::make_mut(entry).event
                && is_of_it
                && target.position <= up_to
            {
                content.empty();
            }
        }
        Box::pin(async move { Ok(erased) })
    }

    fn cleared(&self) -> Answer<'_, Option<Seconds>> {
        let today = Seconds(self.clock.now().seconds().0 / DAY_SECONDS * DAY_SECONDS);
        Box::pin(async move { Ok(Some(today)) })
    }

    fn end(&self) -> Cursor {
        self.read(|view| view.log.last().map_or(Cursor(0), |entry| entry.cursor))
    }
}

impl Inner {
    fn apply(&mut self, app: SdkAppId, transaction: Transaction, now: Millis) -> Result<(), Fault> {
        self.available()?;
        if self.is_full && transaction.adds_data() {
            return Err(Fault::Full);
        }
        if self.is_contended && !transaction.conditions.is_empty() {
            return Err(Fault::Conflict);
        }
        self.records.apply(app, transaction, now)?;
        self.fails_after = self.fails_after.map(|left| left.saturating_sub(1));
        Ok(())
    }
}

impl Records for SimulatedStore {
    fn get(&self, app: SdkAppId, kind: Kind, key: &[u8]) -> Answer<'_, Option<Found>> {
        let inner = self.inner.lock();
        let found = inner.available().map(|()| inner.records.get(app, kind.id, key, self.clock.now()));
        Box::pin(async { found })
    }

    fn scan(&self, app: SdkAppId, range: Range) -> Answer<'_, Vec<Found>> {
        let inner = self.inner.lock();
        let found = inner.available().map(|()| inner.records.scan(app, &range, self.clock.now()));
        Box::pin(async { found })
    }

    fn apply(&self, app: SdkAppId, transaction: Transaction) -> Answer<'_, ()> {
        let applied = self.inner.lock().apply(app, transaction, self.clock.now());
        Box::pin(async { applied })
    }
}

impl Bus for SimulatedStore {
    fn follow(&self, after: Option<Cursor>) -> Box<dyn Follower> {
        let seen = after.unwrap_or_else(|| self.end());
        Box::new(Place { store: self.clone(), seen, grown: self.grown.subscribe() })
    }
}

struct Place {
    store: SimulatedStore,
    seen: Cursor,
    grown: watch::Receiver<usize>,
}

impl Follower for Place {
    fn next(&mut self, limit: usize) -> Answer<'_, Vec<Arc<Entry>>> {
        Box::pin(async move {
            loop {
                self.grown.mark_unchanged();
                let seen = self.seen;
                let entries: Vec<Arc<Entry>> = self.store.read(|view| {
                    view.log.iter().filter(|entry| entry.cursor > seen).take(limit).cloned().collect()
                });
                if let Some(last) = entries.last() {
                    self.seen = last.cursor;
                    return Ok(entries);
                }
                if self.grown.changed().await.is_err() {
                    return Ok(Vec::new());
                }
            }
        })
    }
}
