//! Streams: what happened to an account, and what happened at all, with messages as they are now.

use std::sync::Arc;

use hashbrown::HashMap;
use model::{AccountNumber, HistoryKey, Modification, Sealed};
use mongodb::bson::{Document, doc};
use ports::timeline::{AccountPage, StoredMessage};
use ports::{Cursor, Entry, Event, Fault};

use crate::codec;
use crate::contents;
use crate::database::{Database, Find};
use crate::head::Head;
use crate::heads;
use crate::keys;
use crate::log::{Logged, content_of};
use crate::names::LOG;
use crate::reader::{Found, Reader};
use crate::state::{Amendment, MessageAt, amendments, messages_at};

/// The most entries in one page of a stream.
const PAGE_MAX: usize = 1000;

/// How much of an account's stream is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// What it sees.
    Own,
    /// What there is.
    Everything,
}

/// The message that an entry shows.
fn shown(entry: &Entry) -> Option<HistoryKey> {
    match &entry.event {
        Event::Message(_) => Some(entry.history_key()),
        Event::Modify { target, .. } => Some(*target),
        _ => None,
    }
}

impl Reader<'_> {
    pub(crate) async fn stream(
        &self,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
        sight: Sight,
    ) -> Result<AccountPage, Fault> {
        if self.is_erased(account).await? {
            return Ok(AccountPage { entries: Vec::new(), next: after, complete: true });
        }
        let limit = limit.min(PAGE_MAX);
        let filter = doc! { "a": keys::account(self.app, account), "_id": { "$gt": keys::cursor(after) } };
        let find = Find { filter, sort: doc! { "_id": 1 }, limit: limit + 1, ..Find::default() };
        let mut documents = self.database.find(LOG, find).await?;
        let complete = documents.len() <= limit;
        documents.truncate(limit);
        let next = documents.last().map(|last| codec::number(last, "_id")).transpose()?.map_or(after, Cursor);
        let mut logged = Logged::read_all(&documents)?;
        logged.retain(|logged| !self.limits.is_over(&logged.entry, self.now));
        let entries = self.as_they_are(account, logged, sight).await?;
        Ok(AccountPage { entries, next, complete })
    }

    /// Entries with the messages that they show as they are now; those that show nothing any more are left out.
    async fn as_they_are(
        &self,
        account: AccountNumber,
        logged: Vec<Logged>,
        sight: Sight,
    ) -> Result<Vec<Arc<Entry>>, Fault> {
        let heads = match sight {
            Sight::Own => self.heads_of(&logged).await?,
            Sight::Everything => HashMap::new(),
        };
        let sees = |found: &Found| match sight {
            Sight::Everything => true,
            Sight::Own => {
                let conversation = keys::conversation(self.app, found.logged.conversation());
                heads.get(&conversation).is_some_and(|head| found.is_seen_by(head, account))
            }
        };
        let mut found = self.shown_by(&logged).await?;
        found.retain(sees);
        let places: Vec<MessageAt> = found
            .iter()
            .map(|found| (keys::conversation(self.app, found.logged.conversation()), found.at()))
            .collect();
        let messages: HashMap<MessageAt, StoredMessage> =
            places.into_iter().zip(self.messages(found).await?).collect();
        let mut entries = Vec::with_capacity(logged.len());
        for Logged { mut entry, .. } in logged {
            if let Some(at) = shown(&entry) {
                let message = messages.get(&(keys::conversation(self.app, entry.conversation), at));
                let Some(message) = message else { continue };
                if !show(&mut entry.event, message) {
                    continue;
                }
            }
            entries.push(Arc::new(entry));
        }
        Ok(entries)
    }

    async fn heads_of(&self, logged: &[Logged]) -> Result<HashMap<String, Head>, Fault> {
        let shows = logged.iter().filter(|logged| shown(&logged.entry).is_some());
        let mut keys: Vec<String> =
            shows.map(|logged| keys::conversation(self.app, logged.conversation())).collect();
        keys.sort_unstable();
        keys.dedup();
        let found = heads::load(self.database, &keys).await?;
        Ok(found.into_iter().map(|(key, standing)| (key, standing.head)).collect())
    }

    /// The messages that these entries show, with what happened to them.
    async fn shown_by(&self, logged: &[Logged]) -> Result<Vec<Found>, Fault> {
        let is_message = |logged: &&Logged| matches!(logged.entry.event, Event::Message(_));
        let mut messages: Vec<Logged> = logged.iter().filter(is_message).cloned().collect();
        let place = |logged: &Logged, at| (keys::conversation(self.app, logged.conversation()), at);
        let there: hashbrown::HashSet<MessageAt> =
            messages.iter().map(|logged| place(logged, logged.entry.history_key())).collect();
        let mut others: Vec<MessageAt> = logged
            .iter()
            .filter(|logged| !is_message(logged))
            .filter_map(|logged| Some(place(logged, shown(&logged.entry)?)))
            .filter(|place| !there.contains(place))
            .collect();
        others.sort_unstable();
        others.dedup();
        messages.extend(messages_at(self.database, &others).await?);
        self.with_amendments(messages).await
    }
}

/// Makes an event say what its message says now; whether there is anything to say.
fn show(event: &mut Event, now: &StoredMessage) -> bool {
    match event {
        Event::Modify { modification, content, .. } => {
            let Some(of_last) = now.message.modification else { return false };
            if now.message.content.bytes.is_empty() {
                return false;
            }
            (*modification, *content) = (of_last, now.message.content.clone());
        }
        event => *event = Event::Message(now.message.clone()),
    }
    true
}

/// Entries of all apps after a cursor, with their own contents, or what took their place; also how far was read.
pub(crate) async fn follow(
    database: &Database,
    after: Cursor,
    limit: usize,
) -> Result<(Vec<Arc<Entry>>, Cursor), Fault> {
    let filter: Document = doc! { "_id": { "$gt": keys::cursor(after) } };
    let limit = limit.clamp(1, PAGE_MAX);
    let find = Find { filter, sort: doc! { "_id": 1 }, limit, ..Find::default() };
    let documents = database.find(LOG, find).await?;
    let read_to = documents.last().map(|last| codec::number(last, "_id")).transpose()?.map_or(after, Cursor);
    let mut logged = Vec::with_capacity(documents.len());
    for document in &documents {
        match Logged::read(document) {
            Ok(read) => logged.push(read),
            // It will not be readable the next time either, and everything after it is waiting.
            Err(fault) => tracing::error!(%fault, "an entry was passed over"),
        }
    }
    let places: Vec<_> = logged.iter().filter_map(Logged::content).collect();
    let read = contents::read(database, places.iter()).await?;
    let place = |logged: &Logged| {
        let at = shown(&logged.entry)?;
        Some((keys::conversation(logged.app(), logged.conversation()), at))
    };
    let is_missing = |logged: &&Logged| logged.content().is_some_and(|at| !read.contains_key(&at.id));
    let missing: Vec<MessageAt> = logged.iter().filter(is_missing).filter_map(place).collect();
    let newer = newest(database, &missing).await?;
    for logged in &mut logged {
        let Some(at) = logged.content() else { continue };
        if let Some(content) = read.get(&at.id) {
            if let Some(place) = content_of(&mut logged.entry.event) {
                place.clone_from(content);
            }
            continue;
        }
        let Some((now, sealed)) = place(logged).and_then(|place| newer.get(&place)) else { continue };
        match &mut logged.entry.event {
            Event::Message(message) => {
                (message.modification, message.content) = (Some(*now), sealed.clone());
            }
            Event::Modify { modification, content, .. } => (*modification, *content) = (*now, sealed.clone()),
            _ => {}
        }
    }
    Ok((logged.into_iter().map(|logged| Arc::new(logged.entry)).collect(), read_to))
}

/// The contents that messages were changed to last, where there are any.
async fn newest(
    database: &Database,
    messages: &[MessageAt],
) -> Result<HashMap<MessageAt, (Modification, Sealed)>, Fault> {
    if messages.is_empty() {
        return Ok(HashMap::new());
    }
    let mut amended = amendments(database, messages).await?;
    amended.retain(|_, amendment| amendment.revoker.is_none());
    let places: Vec<_> =
        amended.values().filter_map(|amendment| amendment.changed.as_ref()?.content).collect();
    let read = contents::read(database, places.iter()).await?;
    let with_content = |(at, amendment): (MessageAt, Amendment)| {
        let changed = amendment.changed?;
        let bytes = read.get(&changed.content?.id)?.clone();
        Some((at, (changed.modification, Sealed { bytes, ..changed.sealed })))
    };
    Ok(amended.into_iter().filter_map(with_content).collect())
}
