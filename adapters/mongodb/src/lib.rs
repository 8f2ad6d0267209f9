//! The Timeline port, and the Bus port's followers, over MongoDB.
//!
//! The log is one collection whose `_id` is the cursor: dense, and unique. An append reads the end of the log, decides by what it
//! then reads, and inserts after that end. If that is taken, another node came first, and everything is read again: so decisions of
//! all nodes happen one after the other, without transactions. Number, time, retry key and content reference are one document.
//! All that follows from entries is read from them, so it is visible with them, and no crash can come between.
//!
//! What is sealed lies in a collection for each day of expiry, which is dropped whole.
//!
//! Only what MongoDB and FerretDB share is used: no transactions, change streams or pipelines. The tests run against FerretDB over
//! SQLite, for MongoDB itself is in no registry that they use: they prove the protocol, the conditions and how we retry, **never how
//! durable MongoDB is**. What it needs for that (a majority with journals, a replica set) is asked for and looked at, not proved.
//! How it is decided: docs/decisions/0017.

mod codec;
mod committer;
mod contents;
mod database;
mod decide;
mod follow;
mod head;
mod heads;
mod keys;
mod lists;
mod log;
mod names;
mod period;
mod reader;
mod remove;
mod shared;
mod state;
mod streams;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{AccountNumber, ConversationId, MessageKey, Position, SdkAppId, Seconds, UserId};
use mongodb::bson::doc;
use ports::period::{PeriodPage, PeriodQuery};
use ports::timeline::{
    AccountPage, ConversationView, ErasedMessages, HistoryPage, HistoryQuery, Recent, StoredMessage,
};
use ports::{
    Answer, Appended, Bus, Clock, Cursor, Draft, Fault, Follower, Random, Spawner, Stamped, Timeline,
};
use tokio::sync::{mpsc, watch};

use crate::committer::{Pending, WAITING_MAX, end_of};
use crate::database::Database;
use crate::reader::Reader;
use crate::shared::{Shared, again};
use crate::streams::Sight;

/// How long MongoDB's files may hold what was removed, unless it is said otherwise: a day of its oplog.
pub const SETTLE_SECONDS: u32 = 86_400;

/// Where the timeline is, and what it is given.
pub struct Options {
    /// The address, with user and password: `mongodb://user:secret@host:27017/?replicaSet=rs&tls=true`. Hosts are named: one that has
    /// to be looked up by SRV records (`mongodb+srv:`) is not understood.
    pub address: String,
    /// The name of the database; nothing else may use it.
    pub database: String,
    /// Whether a server will do that is no member of a replica set: what it acknowledges is then kept by itself alone. For tests.
    pub lone_server: bool,
    /// For how long after a removal files of the servers may hold what was removed, in seconds: the window of the oplog, or that of
    /// backups if it is longer. [`Timeline::cleared`] says nothing before.
    pub settle_seconds: u32,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Dice.
    pub random: Arc<dyn Random>,
    /// Runs the committer and the sweeper.
    pub spawner: Arc<dyn Spawner>,
}

/// Timeline and Bus in a MongoDB database, which any number of nodes share.
pub struct MongoStore {
    shared: Arc<Shared>,
    inbox: mpsc::Sender<Pending>,
}

impl MongoStore {
    /// Connects, looks whether the server can hold what is promised, and makes the indexes.
    ///
    /// # Errors
    /// `Unavailable` if the address cannot be understood, asks for weaker writes, or nobody answers there, and if the server is no
    /// member of a replica set, too old, or fails what is tried out on a collection that is dropped again. The fault says which, and
    /// neither address nor password.
    pub async fn connect(options: Options) -> Result<Self, Fault> {
        let Options { address, database, lone_server, settle_seconds, clock, random, spawner } = options;
        let database = Database::open(&address, &database, clock).await?;
        names::check(&database, random.as_ref(), lone_server).await?;
        names::prepare(&database).await?;
        let end = AtomicU64::new(end_of(&database).await?.0);
        let shared = Arc::new(Shared {
            database,
            random,
            end,
            grown: watch::Sender::new(()),
            settle_seconds,
            sweeper: tokio::sync::Mutex::default(),
        });
        let (inbox, waiting) = mpsc::channel(WAITING_MAX);
        spawner.spawn(Box::pin(committer::run(Arc::clone(&shared), waiting)));
        spawner.spawn(Box::pin(sweep::run(Arc::downgrade(&shared))));
        Ok(Self { shared, inbox })
    }

    /// Removes what has ended, as the store does by itself once a minute; entries go in the second pass that finds them.
    ///
    /// # Errors
    /// `Unavailable`; the next pass goes on.
    pub async fn sweep(&self) -> Result<(), Fault> {
        sweep::sweep(&self.shared).await
    }

    async fn reader(&self, app: SdkAppId) -> Result<Reader<'_>, Fault> {
        Reader::new(&self.shared.database, app).await
    }
}

impl Timeline for MongoStore {
    fn append(&self, draft: Stamped<Draft>) -> Answer<'_, Appended> {
        Box::pin(self.shared.append(&self.inbox, draft))
    }

    fn history(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        query: HistoryQuery,
    ) -> Answer<'_, HistoryPage> {
        Box::pin(again(move || async move { self.reader(app).await?.history(conversation, query).await }))
    }

    fn find_message(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        author: AccountNumber,
        key: MessageKey,
    ) -> Answer<'_, Option<StoredMessage>> {
        Box::pin(again(move || async move { self.reader(app).await?.find(conversation, author, key).await }))
    }

    fn conversation(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        conversation: ConversationId,
    ) -> Answer<'_, Option<ConversationView>> {
        Box::pin(again(move || async move { self.reader(app).await?.view(viewer, conversation).await }))
    }

    fn recent(&self, app: SdkAppId, viewer: AccountNumber, limit: usize) -> Answer<'_, Vec<Recent>> {
        Box::pin(again(move || async move { self.reader(app).await?.recent(viewer, limit).await }))
    }

    fn conversations(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        limit: usize,
    ) -> Answer<'_, Vec<ConversationView>> {
        Box::pin(again(move || async move { self.reader(app).await?.conversations(viewer, limit).await }))
    }

    fn unread(&self, app: SdkAppId, viewer: AccountNumber, conversation: ConversationId) -> Answer<'_, u32> {
        Box::pin(again(move || async move { self.reader(app).await?.unread(viewer, conversation).await }))
    }

    fn account_entries(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
    ) -> Answer<'_, AccountPage> {
        Box::pin(again(move || async move {
            self.reader(app).await?.stream(account, after, limit, Sight::Own).await
        }))
    }

    fn everything_of(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
    ) -> Answer<'_, AccountPage> {
        Box::pin(again(move || async move {
            self.reader(app).await?.stream(account, after, limit, Sight::Everything).await
        }))
    }

    fn messages_of_period(&self, app: SdkAppId, query: PeriodQuery) -> Answer<'_, PeriodPage> {
        Box::pin(again(move || async move { self.reader(app).await?.of_period(query).await }))
    }

    fn shorten(&self, app: SdkAppId, keep_seconds: u32) -> Answer<'_, ()> {
        Box::pin(async move {
            let database = &self.shared.database;
            let until = end_of(database).await?;
            let id = format!("{}{:016x}{keep_seconds:08x}", keys::app(app), until.0);
            let (app, until) = (i64::from(app.0), keys::cursor(until));
            let set = doc! { "app": app, "until": until, "keep": i64::from(keep_seconds) };
            database.put(names::LIMITS, doc! { "_id": id }, doc! { "$set": set }).await.map(drop)
        })
    }

    fn count_older(&self, app: SdkAppId, keep_seconds: u32) -> Answer<'_, u64> {
        Box::pin(async move { period::count_older(&self.reader(app).await?, keep_seconds).await })
    }

    fn erase_account(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        name: UserId,
    ) -> Answer<'_, ErasedMessages> {
        Box::pin(async move { remove::erase_account(&self.shared.database, app, account, &name).await })
    }

    fn empty_conversation(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        up_to: Position,
    ) -> Answer<'_, ErasedMessages> {
        Box::pin(remove::empty_conversation(&self.shared.database, app, conversation, up_to))
    }

    /// The beginning of the day that lay [`Options::settle_seconds`] ago, or `None`. What the files of the servers and their backups
    /// hold longer than that is not known here.
    fn cleared(&self) -> Answer<'_, Option<Seconds>> {
        Box::pin(sweep::cleared(&self.shared))
    }

    fn forget_app(&self, app: SdkAppId) -> Answer<'_, u64> {
        Box::pin(remove::forget_app(&self.shared.database, app))
    }

    /// The newest cursor that this node knows of: everything that it answered, or told a follower, lies up to there. What another
    /// node answered a moment ago may lie after it.
    fn end(&self) -> Cursor {
        Cursor(self.shared.end.load(Ordering::Acquire))
    }
}

impl Bus for MongoStore {
    fn follow(&self, after: Option<Cursor>) -> Box<dyn Follower> {
        let seen = after.unwrap_or_else(|| self.end());
        let (store, grown) = (Arc::downgrade(&self.shared), self.shared.grown.subscribe());
        Box::new(follow::Place { store, grown, seen })
    }
}
