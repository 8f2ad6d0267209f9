//! Appends, collected by one task: what waits is decided together and inserted together.
//!
//! The insertion into the log is the moment of truth. Before it, contents are written and places in lists raised: what a failed
//! try leaves of them is seen by nobody. After it, nothing has to happen for readers to see all that follows.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hashbrown::HashMap;
use model::Expiry;
use mongodb::bson::{Document, doc};
use ports::{Appended, Cursor, Draft, Event, Fault, Stamped};
use tokio::sync::{mpsc, oneshot};

use crate::contents;
use crate::database::{Database, Find, Inserted};
use crate::decide::{Decision, Stage, appended};
use crate::heads;
use crate::keys;
use crate::log::{ContentAt, Id, Logged};
use crate::names::{LISTS, LOG, META};
use crate::shared::Shared;

/// How many appends may wait; more wait for a place.
pub(crate) const WAITING_MAX: usize = 4096;

/// The most appends of one batch. Servers that take inserts in parts do so from a hundred on.
const BATCH_MAX: usize = 64;

/// How often a batch is tried again because another node came first.
const TRIES_MAX: u32 = 64;

/// So often without waiting in between.
const TRIES_AT_ONCE: u32 = 4;

/// The longest wait between two tries.
const WAIT_MILLIS_MAX: u64 = 100;

/// For how long a batch is tried again while the server does not answer, as while a primary is elected, in microseconds of the
/// context's clock. What an insertion came to whose answer was lost is looked for until then.
const RESOLVE_MICROS: u64 = 10_000_000;

/// An append that waited so long for its turn is not tried any more, in microseconds of the context's clock.
const WAIT_MICROS_MAX: u64 = 15_000_000;

/// An append that waits for its answer.
pub(crate) struct Pending {
    pub(crate) id: Id,
    pub(crate) draft: Stamped<Draft>,
    /// When it was asked for, by the clock that only grows.
    pub(crate) asked_micros: u64,
    pub(crate) answer: oneshot::Sender<Result<Appended, Fault>>,
}

/// Appends what comes until nobody can ask any more.
pub(crate) async fn run(shared: Arc<Shared>, mut inbox: mpsc::Receiver<Pending>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while inbox.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let now = shared.database.clock().elapsed_micros();
        for late in batch.extract_if(.., |pending| now.saturating_sub(pending.asked_micros) > WAIT_MICROS_MAX)
        {
            let why =
                Fault::Unavailable("the append waited too long for its turn; it was not tried".to_owned());
            drop(late.answer.send(Err(why)));
        }
        let answers = answer(&shared, &batch).await;
        for (pending, answer) in batch.drain(..).zip(answers) {
            // Whoever does not wait any more misses nothing.
            drop(pending.answer.send(answer));
        }
    }
}

/// The end of the log: the newest cursor ever given out. Never falls, whatever is removed.
pub(crate) async fn end_of(database: &Database) -> Result<Cursor, Fault> {
    let fields = doc! { "_id": 1 };
    let find = Find { sort: doc! { "_id": -1 }, limit: 1, fields, ..Find::default() };
    // In this order: a removal raises the floor first.
    let newest = database.find(LOG, find).await?;
    let newest = newest.first().map(|newest| crate::codec::number(newest, "_id")).transpose()?;
    let floor = database.get(META, "floor").await?;
    let floor = floor.map(|floor| crate::codec::number(&floor, "at")).transpose()?;
    Ok(Cursor(newest.unwrap_or(0).max(floor.unwrap_or(0))))
}

/// What a batch comes to. One append that meets what cannot be read fails alone.
async fn answer(shared: &Shared, batch: &[Pending]) -> Vec<Result<Appended, Fault>> {
    let mut tried = None;
    let fault = match commit(shared, batch, &mut tried).await {
        Ok(answers) => return answers.into_iter().map(Ok).collect(),
        Err(fault) => fault,
    };
    if !matches!(fault, Fault::Corrupt(_)) || tried.is_some() || batch.len() == 1 {
        return vec![Err(fault); batch.len()];
    }
    let mut answers = Vec::with_capacity(batch.len());
    for pending in batch {
        let alone = commit(shared, std::slice::from_ref(pending), &mut None).await;
        answers.push(alone.and_then(|mut answers| {
            answers.pop().ok_or_else(|| Fault::Unavailable("an append without an answer".to_owned()))
        }));
    }
    answers
}

/// Tries until nobody else comes first. `tried` is the cursor after which an insertion was tried first, if one was: what it came
/// to is looked for in the log.
async fn commit(
    shared: &Shared,
    batch: &[Pending],
    tried: &mut Option<Cursor>,
) -> Result<Vec<Appended>, Fault> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let database = &shared.database;
    let begun = database.clock().elapsed_micros();
    for round in 0..TRIES_MAX {
        if round >= TRIES_AT_ONCE {
            let millis = u64::from(shared.random.next_u32()) % WAIT_MILLIS_MAX + 1;
            database.clock().sleep(Duration::from_millis(millis)).await;
        }
        let is_late = database.clock().elapsed_micros().saturating_sub(begun) > RESOLVE_MICROS;
        let failure = match attempt(shared, batch, tried).await {
            Ok(Some(answers)) => return Ok(answers),
            Ok(None) | Err(Fault::Conflict) => continue,
            Err(failure) => failure,
        };
        if is_late || !matches!(failure, Fault::Unavailable(_)) {
            return Err(failure);
        }
    }
    Err(Fault::Unavailable("other nodes come first again and again".to_owned()))
}

/// One try; `None` if another node came first.
async fn attempt(
    shared: &Shared,
    batch: &[Pending],
    tried: &mut Option<Cursor>,
) -> Result<Option<Vec<Appended>>, Fault> {
    let database = &shared.database;
    let end = end_of(database).await?;
    shared.saw(end);
    let drafts = batch.iter().map(|pending| (&pending.id, &pending.draft));
    let mut stage = Stage::load(database, drafts, end, *tried).await?;
    let (mut answers, mut new, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for pending in batch {
        match stage.decide(pending.id, &pending.draft) {
            Decision::Answer(answer) => answers.push(answer),
            Decision::Insert(logged, content) => {
                answers.push(appended(&logged.entry));
                if let (Some(at), Some(content)) = (logged.content(), content) {
                    written.push((at, content));
                }
                new.push(*logged);
            }
        }
    }
    if new.is_empty() {
        return Ok(Some(answers));
    }
    let documents = new.iter().map(Logged::document).collect::<Result<Vec<Document>, Fault>>()?;
    tokio::try_join!(contents::write(database, &written), raise_lists(database, &new))?;
    tried.get_or_insert(end);
    if database.insert(LOG, &documents, true).await? == Inserted::Taken {
        return Ok(None);
    }
    if let Some(last) = new.last() {
        shared.saw(last.entry.cursor);
    }
    settle(shared, &stage, &new).await;
    Ok(Some(answers))
}

/// Raises the places that messages give their conversations in the lists of both sides, before the messages are there. A row says
/// only that the conversation stands no later in the list.
async fn raise_lists(database: &Database, new: &[Logged]) -> Result<(), Fault> {
    let mut rows: HashMap<String, (String, i64)> = HashMap::new();
    for Logged { entry, .. } in new {
        let Event::Message(message) = &entry.event else { continue };
        if message.flags.not_last {
            continue;
        }
        let app = entry.stamp.app;
        for side in entry.conversation.sides().into_iter().filter(|side| message.is_kept_by(*side)) {
            let row = keys::listed(app, side, entry.conversation.peer_of(side));
            let (_, time) = rows.entry(row).or_insert_with(|| (keys::account(app, side), 0));
            *time = (*time).max(keys::seconds(entry.time));
        }
    }
    let change = |(row, (account, time)): (String, (String, i64))| {
        (doc! { "_id": row }, doc! { "$max": { "h": time }, "$setOnInsert": { "o": account } })
    };
    database.put_each(LISTS, rows.into_iter().map(change).collect()).await
}

/// What may also happen later: contents that nobody reads any more are removed, and heads are stored. What fails here is done by
/// the next sweep.
async fn settle(shared: &Shared, stage: &Stage, new: &[Logged]) {
    let database = &shared.database;
    let former: Vec<ContentAt> = new
        .iter()
        .flat_map(|logged| {
            let conversation = keys::conversation(logged.app(), logged.conversation());
            superseded(logged, stage.known(&conversation))
        })
        .collect();
    if let Err(fault) = contents::remove(database, &former).await {
        tracing::warn!(%fault, "former contents stay until the next sweep");
    }
    let modified = new.iter().filter(|logged| matches!(logged.entry.event, Event::Modify { .. }));
    for logged in modified {
        if let Err(fault) = crate::remove::empty_again(database, logged).await {
            tracing::warn!(%fault, "a content stays until the next sweep");
        }
    }
    let changed: hashbrown::HashSet<String> =
        new.iter().map(|logged| keys::conversation(logged.app(), logged.conversation())).collect();
    let behind = stage.heads().filter(|(key, standing)| changed.contains(*key) && standing.is_behind());
    for (key, standing) in behind {
        if let Err(fault) = heads::store(database, key, &standing.head).await {
            tracing::warn!(%fault, "a head was not stored");
        }
    }
}

/// The contents that nobody reads any more since this entry, of those that are known.
pub(crate) fn superseded(new: &Logged, known: &[Logged]) -> Vec<ContentAt> {
    let (target, is_recall) = match &new.entry.event {
        Event::Recall { target, .. } => (*target, true),
        Event::Modify { target, .. } => (*target, false),
        _ => return Vec::new(),
    };
    let is_former = |logged: &&Logged| match &logged.entry.event {
        Event::Message(_) => logged.entry.history_key() == target,
        Event::Modify { target: other, .. } => {
            *other == target && (is_recall || logged.entry.cursor < new.entry.cursor)
        }
        _ => false,
    };
    known.iter().filter(is_former).filter_map(Logged::former_content).collect()
}

impl Shared {
    /// Appends a draft.
    pub(crate) async fn append(
        &self,
        inbox: &mpsc::Sender<Pending>,
        draft: Stamped<Draft>,
    ) -> Result<Appended, Fault> {
        if draft.stamp().expiry == Expiry::WithOwner {
            return Err(Fault::Unavailable("an entry of a conversation needs an end".to_owned()));
        }
        let mut id = Id::default();
        self.random.fill(&mut id);
        let (answer, answered) = oneshot::channel();
        let closed = || Fault::Unavailable("the store is closed".to_owned());
        let asked_micros = self.database.clock().elapsed_micros();
        inbox.send(Pending { id, draft, asked_micros, answer }).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Remembers that the log goes up to here, and wakes who follows.
    pub(crate) fn saw(&self, cursor: Cursor) {
        let former = self.end.fetch_max(cursor.0, Ordering::AcqRel);
        if former < cursor.0 {
            self.grown.send_replace(());
        }
    }
}
