//! Removes what has ended. Every node does it; each step may be done by several, or twice.
//!
//! Before entries go, the heads of their conversations are stored beyond them, and a pass later they are removed: whoever was
//! reading a head meanwhile has come to an end.

use std::sync::{Arc, Weak};
use std::time::Duration;

use hashbrown::HashMap;
use model::time::DAY_SECONDS;
use model::{SdkAppId, Seconds};
use mongodb::bson::{Document, doc};
use ports::{Cursor, Fault};

use crate::codec;
use crate::committer::{end_of, superseded};
use crate::contents;
use crate::database::{Database, Find};
use crate::heads;
use crate::keys;
use crate::log::{Logged, begins, kind, targets_of};
use crate::names::{self, ERASED, LIMITS, LOG, META};
use crate::remove::{empty_again, raise_floor, remove_entries};
use crate::shared::{Limits, Shared};
use crate::state::{any_position_of, messages_at};

/// How often: a reading is long over when the next pass removes what was found by this one.
const PASS: Duration = Duration::from_secs(60);

/// For so long after its end something stays: other nodes' clocks may be behind.
const GRACE_SECONDS: u32 = 60;

/// Entries removed in one pass.
const ENTRIES_MAX: usize = 20_000;

/// Entries handled at once.
const AT_ONCE: usize = 500;

/// For so long it is remembered when the last of a day was removed, in days.
const NOTES_DAYS: u32 = 400;

/// What the next pass removes.
#[derive(Default)]
pub(crate) struct Sweeper {
    victims: Vec<Document>,
}

/// Sweeps until the store is closed.
pub(crate) async fn run(shared: Weak<Shared>) {
    loop {
        let Some(store) = shared.upgrade() else { return };
        let pause = store.database.clock().sleep(PASS);
        drop(store);
        pause.await;
        let Some(store) = shared.upgrade() else { return };
        if let Err(fault) = sweep(&store).await {
            tracing::error!(%fault, "what has ended could not be removed");
        }
    }
}

/// One pass.
pub(crate) async fn sweep(shared: &Arc<Shared>) -> Result<(), Fault> {
    let database = &shared.database;
    let mut sweeper = shared.sweeper.lock().await;
    let now = database.clock().now().seconds();
    let victims = std::mem::take(&mut sweeper.victims);
    remove_victims(database, &victims, now).await?;
    drop_days(database, now).await?;
    sweeper.victims = find_victims(database, now).await?;
    remove_superseded(database).await?;
    prune(database, now).await
}

fn note(day: u32) -> String {
    format!("removed_{day:08}")
}

/// Notes when the last of what ended on a day was removed.
async fn note_removal(database: &Database, day: u32, now: Seconds) -> Result<(), Fault> {
    let change = doc! { "$max": { "at": keys::seconds(now) } };
    database.put(META, doc! { "_id": note(day) }, change).await.map(drop)
}

async fn remove_victims(database: &Database, victims: &[Document], now: Seconds) -> Result<(), Fault> {
    if victims.is_empty() {
        return Ok(());
    }
    raise_floor(database).await?;
    for part in victims.chunks(AT_ONCE) {
        remove_entries(database, part).await?;
        let day = |document: &Document| Some(ended(document, now)? / DAY_SECONDS);
        let mut days: Vec<u32> = part.iter().filter_map(day).collect();
        days.sort_unstable();
        days.dedup();
        for day in days {
            note_removal(database, day, now).await?;
        }
    }
    Ok(())
}

/// When an entry ended, at the latest.
fn ended(document: &Document, now: Seconds) -> Option<u32> {
    let keep = document.get_i64("keep").ok()?;
    u32::try_from(keep).ok().map(|keep| keep.min(now.0))
}

/// Drops the contents of the days that have begun.
async fn drop_days(database: &Database, now: Seconds) -> Result<(), Fault> {
    for name in database.collections().await? {
        let Some(day) = names::read_contents(&name) else { continue };
        if begins(day).plus(GRACE_SECONDS) <= now {
            database.drop(&name).await?;
            // The last of it ended the day before.
            note_removal(database, day.saturating_sub(1), now).await?;
        }
    }
    Ok(())
}

/// What has ended, with the heads stored beyond it.
async fn find_victims(database: &Database, now: Seconds) -> Result<Vec<Document>, Fault> {
    let fields = || doc! { "_id": 1, "n": 1, "d": 1, "c": 1, "p": 1, "keep": 1 };
    let filter = doc! { "keep": { "$lte": keys::seconds(now.minus(GRACE_SECONDS)) } };
    let sort = doc! { "keep": 1 };
    let find = Find { filter, sort, limit: ENTRIES_MAX, fields: fields() };
    let mut victims = database.find(LOG, find).await?;
    for app in apps_with_limits(database).await? {
        let over = Limits::load(database, app).await?.filters(now.minus(GRACE_SECONDS));
        if over.is_empty() {
            continue;
        }
        let filter = doc! { "app": i64::from(app.0), "$or": over };
        let find = Find { filter, limit: ENTRIES_MAX, fields: fields(), ..Find::default() };
        victims.extend(database.find(LOG, find).await?);
    }
    let mut beyond: HashMap<String, u64> = HashMap::new();
    for victim in &victims {
        let position = codec::number(victim, "p")?;
        let conversation = codec::text(victim, "c")?;
        let highest = beyond.entry_ref(conversation).or_default();
        *highest = position.max(*highest);
    }
    let mut kept = hashbrown::HashSet::new();
    for (conversation, position) in beyond {
        if let Err(fault) = store_beyond(database, &conversation, position).await {
            // One that cannot be read holds up no other one.
            tracing::error!(%fault, "a conversation keeps what has ended");
            kept.insert(conversation);
        }
    }
    victims.retain(|victim| codec::text(victim, "c").is_ok_and(|conversation| !kept.contains(conversation)));
    Ok(victims)
}

async fn apps_with_limits(database: &Database) -> Result<Vec<SdkAppId>, Fault> {
    let documents = database.find(LIMITS, Find::default()).await?;
    let app = |document| Ok(SdkAppId(u32::try_from(codec::number(document, "app")?).unwrap_or(0)));
    let mut apps: Vec<SdkAppId> = documents.iter().map(app).collect::<Result<_, Fault>>()?;
    apps.sort_unstable();
    apps.dedup();
    Ok(apps)
}

/// Stores a head if what is stored does not go so far.
async fn store_beyond(database: &Database, conversation: &str, position: u64) -> Result<(), Fault> {
    let key = conversation.to_owned();
    let found = heads::load(database, std::slice::from_ref(&key)).await?;
    match found.get(&key) {
        Some(standing) if standing.stored < position => {
            heads::store(database, conversation, &standing.head).await
        }
        _ => Ok(()),
    }
}

/// Removes contents that nobody reads any more: what a recall or a change left because its node ended too early.
async fn remove_superseded(database: &Database) -> Result<(), Fault> {
    let end = end_of(database).await?;
    loop {
        let done = database.get(META, "done").await?;
        let done = done.map(|done| codec::number(&done, "at")).transpose()?.map_or(Cursor(0), Cursor);
        let range = doc! { "$gt": keys::cursor(done), "$lte": keys::cursor(end) };
        let filter = doc! { "k": { "$in": [kind::RECALL, kind::MODIFY] }, "_id": range };
        let find = Find { filter, sort: doc! { "_id": 1 }, limit: AT_ONCE, ..Find::default() };
        let documents = database.find(LOG, find).await?;
        let is_end = documents.len() < AT_ONCE;
        let mut reached = end;
        for document in &documents {
            reached = Cursor(codec::number(document, "_id")?);
            let Ok(logged) = Logged::read(document) else { continue };
            remove_former(database, &logged).await?;
        }
        let reached = if is_end { end } else { reached };
        let change = doc! { "$max": { "at": keys::cursor(reached) } };
        database.put(META, doc! { "_id": "done" }, change).await?;
        if is_end {
            return Ok(());
        }
    }
}

async fn remove_former(database: &Database, logged: &Logged) -> Result<(), Fault> {
    let conversation = keys::conversation(logged.app(), logged.conversation());
    let targets = targets_of(&logged.entry.event);
    let messages: Vec<_> = targets.iter().map(|at| (conversation.clone(), *at)).collect();
    let mut known = messages_at(database, &messages).await?;
    let mut about = any_position_of(&conversation, targets.iter().map(|at| at.position));
    about.insert("k", kind::MODIFY);
    known.extend(Logged::read_all(&database.find(LOG, Find { filter: about, ..Find::default() }).await?)?);
    contents::remove(database, &superseded(logged, &known)).await?;
    empty_again(database, logged).await
}

/// Forgets what is of no use any more: limits that no entry is left for, counts of erasures, notes of long ago.
async fn prune(database: &Database, now: Seconds) -> Result<(), Fault> {
    let find = Find { sort: doc! { "_id": 1 }, limit: 1, fields: doc! { "_id": 1 }, ..Find::default() };
    if let Some(oldest) = database.find(LOG, find).await?.first() {
        let oldest = keys::number(codec::number(oldest, "_id")?);
        database.delete(LIMITS, doc! { "until": { "$lt": oldest } }).await?;
    }
    let yesterday = keys::seconds(now.minus(DAY_SECONDS));
    database.delete(ERASED, doc! { "until": { "$lt": yesterday } }).await?;
    let long_ago = note((now.0 / DAY_SECONDS).saturating_sub(NOTES_DAYS));
    database.delete(META, doc! { "_id": { "$gte": note(0), "$lt": long_ago } }).await.map(drop)
}

/// Since when everything that had ended or been removed before is gone: the beginning of the day that lay `settle_seconds` ago, if
/// everything that ended before that had been removed by then.
pub(crate) async fn cleared(shared: &Shared) -> Result<Option<Seconds>, Fault> {
    let database = &shared.database;
    let settled = database.clock().now().seconds().minus(shared.settle_seconds);
    let day = settled.0 / DAY_SECONDS;
    let since = begins(day);
    let is_left = |name: &String| names::read_contents(name).is_some_and(|left| left <= day);
    if database.collections().await?.iter().any(is_left) {
        return Ok(None);
    }
    let mut filters = vec![doc! { "keep": { "$lte": keys::seconds(since) } }];
    for app in apps_with_limits(database).await? {
        let over = Limits::load(database, app).await?.filters(since);
        filters.extend(over.into_iter().map(|mut over| {
            over.insert("app", i64::from(app.0));
            over
        }));
    }
    let find = Find { filter: doc! { "$or": filters }, limit: 1, ..Find::default() };
    if !database.find(LOG, find).await?.is_empty() {
        return Ok(None);
    }
    // A change or recall of that time may have left a content.
    let done = database.get(META, "done").await?;
    let done = done.map(|done| codec::number(&done, "at")).transpose()?.unwrap_or(0);
    let kinds = doc! { "$in": [kind::RECALL, kind::MODIFY] };
    let filter = doc! { "k": kinds, "_id": { "$gt": keys::number(done) } };
    let find = Find { filter, sort: doc! { "_id": 1 }, limit: 1, ..Find::default() };
    if let Some(first) = database.find(LOG, find).await?.first()
        && Logged::read(first)?.entry.time < since
    {
        return Ok(None);
    }
    let filter = doc! {
        "_id": { "$gte": note(0), "$lt": note(day) },
        "at": { "$gt": keys::seconds(settled) },
    };
    let late = database.find(META, Find { filter, limit: 1, ..Find::default() }).await?;
    Ok(late.is_empty().then_some(since))
}
