//! Taking away: what an account wrote, the messages of a conversation, everything of an app. Each in parts that may be repeated.
//!
//! An entry says first that its content is taken away, then the content is removed: readers never look for what is not there.

use model::{AccountNumber, ConversationId, Position, SdkAppId, Seconds, UserId};
use mongodb::bson::{Document, doc};
use ports::timeline::ErasedMessages;
use ports::{Cursor, Event, Fault};

use crate::codec::{self, binary, encode};
use crate::committer::end_of;
use crate::contents;
use crate::database::{Database, Find};
use crate::keys;
use crate::log::{ContentAt, Logged, begins, content_of, kind};
use crate::names::{ERASED, HEADS, LIMITS, LISTS, LOG, META};
use crate::state::any_position_of;

/// Entries looked at in one step.
const AT_ONCE: usize = 500;

/// What a document says outside of its entry: enough to take things away, also where the entry cannot be read.
struct Outer {
    cursor: Cursor,
    position: Position,
    kind: i32,
    /// Where its content lies or lay.
    content: Option<ContentAt>,
    /// When the content goes for good; without one, the entry itself.
    goes_at: Seconds,
}

impl Outer {
    fn read(document: &Document) -> Result<Self, Fault> {
        let day = document.get_i64("d").ok().and_then(|day| u32::try_from(day).ok());
        let id = codec::bytes(document, "n")?.try_into();
        let id = id.map_err(|_| Fault::Corrupt("the name of a content".to_owned()))?;
        let keep = Seconds(u32::try_from(codec::number(document, "keep")?).unwrap_or(u32::MAX));
        Ok(Self {
            cursor: Cursor(codec::number(document, "_id")?),
            position: Position(codec::number(document, "p")?),
            kind: document.get_i32("k").unwrap_or_default(),
            content: day.map(|day| ContentAt { day, id }),
            goes_at: day.map_or(keep, begins).max(keep),
        })
    }

    fn read_all(documents: &[Document]) -> Result<Vec<Self>, Fault> {
        documents.iter().map(Self::read).collect()
    }

    const fn is_message(&self) -> bool {
        self.kind == kind::MESSAGE
    }
}

/// Marks entries as emptied.
async fn mark(database: &Database, entries: &[Outer]) -> Result<(), Fault> {
    let ids: Vec<i64> = entries.iter().map(|entry| keys::cursor(entry.cursor)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    database.update(LOG, doc! { "_id": { "$in": ids } }, doc! { "$set": { "z": true } }).await.map(drop)
}

/// Takes away what an account wrote, its name, its stream and its list.
pub(crate) async fn erase_account(
    database: &Database,
    app: SdkAppId,
    account: AccountNumber,
    name: &UserId,
) -> Result<ErasedMessages, Fault> {
    let key = keys::account(app, account);
    let former = database.get(ERASED, key.as_str()).await?;
    let mut erased = ErasedMessages::default();
    let mut after = Cursor(0);
    loop {
        let filter = doc! { "a": &key, "_id": { "$gt": keys::cursor(after) } };
        let find = Find { filter, sort: doc! { "_id": 1 }, limit: AT_ONCE, ..Find::default() };
        let documents = database.find(LOG, find).await?;
        let mut gone = Vec::new();
        for document in &documents {
            let outer = Outer::read(document)?;
            after = outer.cursor;
            let author = document.get_i64("by").ok();
            erased.messages += u64::from(outer.is_message() && author == Some(keys::number(account.0)));
            erased.aged_out_by = erased.aged_out_by.max(outer.goes_at);
            match Logged::read(document) {
                Ok(logged) => gone.extend(forget(database, logged, account, name).await?),
                Err(fault) => {
                    // Nobody can read it, and nobody can say what it holds: nothing of it stays.
                    tracing::error!(%fault, cursor = after.0, "emptied");
                    let blank = doc! { "$set": { "e": binary(Vec::new()), "z": true } };
                    database.update(LOG, doc! { "_id": keys::cursor(after) }, blank).await?;
                    gone.extend(outer.content);
                }
            }
        }
        contents::remove(database, &gone).await?;
        if documents.len() < AT_ONCE {
            break;
        }
    }
    // What an earlier round found counts, too: its entries may have ended since.
    if let Some(former) = former {
        erased.messages = erased.messages.max(codec::number(&former, "messages")?);
        let aged_out_by = u32::try_from(codec::number(&former, "until")?).unwrap_or(u32::MAX);
        erased.aged_out_by = erased.aged_out_by.max(Seconds(aged_out_by));
    }
    let change = doc! { "$set": {
        "messages": keys::number(erased.messages),
        "until": keys::seconds(erased.aged_out_by),
    } };
    database.put(ERASED, doc! { "_id": &key }, change).await?;
    database.delete(LISTS, doc! { "o": &key }).await?;
    Ok(erased)
}

/// Takes what an account wrote, and its name, out of an entry. The content that is to be removed.
async fn forget(
    database: &Database,
    mut logged: Logged,
    account: AccountNumber,
    name: &UserId,
) -> Result<Option<ContentAt>, Fault> {
    // What an entry says of its content is decided where both are together; the mark stands for the bytes.
    let mark = bytes::Bytes::from_static(b"x");
    if let Some(place) = content_of(&mut logged.entry.event) {
        *place = mark;
    }
    logged.entry.event.forget(account, name);
    let is_gone = content_of(&mut logged.entry.event).is_some_and(|place| std::mem::take(place).is_empty());
    let mut set = doc! { "e": encode(&logged.entry)? };
    if is_gone {
        set.insert("z", true);
    }
    database.update(LOG, doc! { "_id": keys::cursor(logged.entry.cursor) }, doc! { "$set": set }).await?;
    Ok(logged.former_content().filter(|_| is_gone))
}

/// Empties the messages of a conversation up to a place.
pub(crate) async fn empty_conversation(
    database: &Database,
    app: SdkAppId,
    id: ConversationId,
    up_to: Position,
) -> Result<ErasedMessages, Fault> {
    let key = keys::conversation(app, id);
    let mut emptied = ErasedMessages::default();
    let mut after = Position(0);
    loop {
        let range = doc! { "$gt": keys::position(after), "$lte": keys::position(up_to) };
        let filter = doc! { "c": &key, "p": range };
        let find = Find { filter, sort: doc! { "p": 1 }, limit: AT_ONCE, ..Find::default() };
        let mut entries = Outer::read_all(&database.find(LOG, find).await?)?;
        let Some(last) = entries.last() else { break };
        after = last.position;
        let is_end = entries.len() < AT_ONCE;
        let latest = entries.iter().map(|entry| entry.goes_at).max();
        emptied.aged_out_by = emptied.aged_out_by.max(latest.unwrap_or_default());
        entries.retain(Outer::is_message);
        emptied.messages += entries.len() as u64;
        empty(database, &key, &entries).await?;
        if is_end {
            break;
        }
    }
    Ok(emptied)
}

/// Empties messages of one conversation, and what they were changed to.
async fn empty(database: &Database, conversation: &str, messages: &[Outer]) -> Result<(), Fault> {
    if messages.is_empty() {
        return Ok(());
    }
    mark(database, messages).await?;
    // Whoever changes one of them from now on sees the mark afterwards, and takes the change's content away itself.
    let mut filter = any_position_of(conversation, messages.iter().map(|message| message.position));
    filter.insert("k", kind::MODIFY);
    let changes = Outer::read_all(&database.find(LOG, Find { filter, ..Find::default() }).await?)?;
    mark(database, &changes).await?;
    let gone: Vec<ContentAt> = messages.iter().chain(&changes).filter_map(|entry| entry.content).collect();
    contents::remove(database, &gone).await
}

/// Takes away the content of a change whose message was emptied while it was appended.
pub(crate) async fn empty_again(database: &Database, change: &Logged) -> Result<(), Fault> {
    let Event::Modify { target, .. } = &change.entry.event else { return Ok(()) };
    let conversation = keys::conversation(change.app(), change.conversation());
    let filter = doc! { "c": conversation, "p": keys::position(target.position), "z": true };
    if database.find(LOG, Find { filter, limit: 1, ..Find::default() }).await?.is_empty() {
        return Ok(());
    }
    let filter = doc! { "_id": keys::cursor(change.entry.cursor) };
    database.update(LOG, filter, doc! { "$set": { "z": true } }).await?;
    let gone: Vec<ContentAt> = change.former_content().into_iter().collect();
    contents::remove(database, &gone).await
}

/// Raises the floor of cursors to the end of the log, before something of it is removed: no cursor is given out twice.
pub(crate) async fn raise_floor(database: &Database) -> Result<Cursor, Fault> {
    let end = end_of(database).await?;
    let change = doc! { "$max": { "at": keys::cursor(end) } };
    database.put(META, doc! { "_id": "floor" }, change).await?;
    Ok(end)
}

/// Removes everything of an app; how many messages that were.
pub(crate) async fn forget_app(database: &Database, app: SdkAppId) -> Result<u64, Fault> {
    let end = raise_floor(database).await?;
    let mut messages = 0;
    loop {
        let of_app = doc! { "app": i64::from(app.0), "_id": { "$lte": keys::cursor(end) } };
        let fields = doc! { "_id": 1, "k": 1, "n": 1, "d": 1 };
        let find = Find { filter: of_app, fields, limit: AT_ONCE, ..Find::default() };
        let documents = database.find(LOG, find).await?;
        let is_message =
            |document: &&Document| document.get_i32("k").is_ok_and(|found| found == kind::MESSAGE);
        messages += documents.iter().filter(is_message).count() as u64;
        remove_entries(database, &documents).await?;
        if documents.len() < AT_ONCE {
            break;
        }
    }
    let prefix = doc! { "$gte": keys::app(app), "$lt": keys::app(app) + keys::AFTER };
    for collection in [HEADS, LISTS, ERASED, LIMITS] {
        database.delete(collection, doc! { "_id": prefix.clone() }).await?;
    }
    Ok(messages)
}

/// Removes entries with their contents. Of their documents `_id`, `n` and `d` are needed.
pub(crate) async fn remove_entries(database: &Database, documents: &[Document]) -> Result<(), Fault> {
    let mut gone = Vec::new();
    let mut ids = Vec::with_capacity(documents.len());
    for document in documents {
        ids.push(keys::number(codec::number(document, "_id")?));
        let day = document.get_i64("d").ok().and_then(|day| u32::try_from(day).ok());
        let id = codec::bytes(document, "n")?.try_into();
        if let (Some(day), Ok(id)) = (day, id) {
            gone.push(ContentAt { day, id });
        }
    }
    contents::remove(database, &gone).await?;
    if !ids.is_empty() {
        database.delete(LOG, doc! { "_id": { "$in": ids } }).await?;
    }
    Ok(())
}
