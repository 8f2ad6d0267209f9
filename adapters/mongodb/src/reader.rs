//! Reads of a conversation: what the log says, with what later entries say about it.
//!
//! Nothing is read from what could be behind the log: a message is seen with everything that was appended about it.

use hashbrown::HashMap;
use model::{AccountNumber, ConversationId, HistoryKey, MessageKey, Millis, SdkAppId};
use mongodb::bson::{Document, doc};
use ports::timeline::{
    ConversationView, Direction, HistoryPage, HistoryQuery, PAGE_MAX, StoredMessage, UNREAD_MAX,
};
use ports::{Event, Fault};

use crate::contents;
use crate::database::{Database, Find};
use crate::head::Head;
use crate::heads;
use crate::keys;
use crate::log::{Id, Logged};
use crate::names::LOG;
use crate::shared::Limits;
use crate::state::{Amendment, MessageAt, amendments};

/// Messages looked at when unread ones are counted.
const UNREAD_SCAN_MAX: usize = 10_000;

/// Messages looked at in one step where few are wanted.
const STEP: usize = 16;

/// A message of the log with what happened to it.
pub(crate) struct Found {
    pub(crate) logged: Logged,
    pub(crate) amendment: Amendment,
}

impl Found {
    pub(crate) fn at(&self) -> HistoryKey {
        self.logged.entry.history_key()
    }

    /// Whether a side sees it, recalled or not.
    pub(crate) fn is_seen_by(&self, head: &Head, viewer: AccountNumber) -> bool {
        let id = self.logged.conversation();
        let Event::Message(message) = &self.logged.entry.event else { return false };
        let is_deleted = id.side_of(viewer).is_none_or(|side| self.amendment.deleted[side]);
        message.is_kept_by(viewer) && !is_deleted && !head.side(id, viewer).has_cleared(self.at())
    }

    /// The message as it is now.
    pub(crate) fn message(self, read: &HashMap<Id, bytes::Bytes>) -> Result<StoredMessage, Fault> {
        let at = self.at();
        let content = self.amendment.content(&self.logged);
        let expiry = self.logged.entry.stamp.expiry;
        let Event::Message(mut message) = self.logged.entry.event else {
            return Err(Fault::Corrupt("an entry that is no message".to_owned()));
        };
        let Amendment { revoker, receipt_at, changed, .. } = self.amendment;
        if let Some(changed) = changed {
            message.modification = Some(changed.modification);
            message.content = changed.sealed;
        }
        if let Some(at) = content {
            // What is not there any more was changed, emptied or recalled since its message was read.
            message.content.bytes = read.get(&at.id).cloned().ok_or(Fault::Conflict)?;
        }
        if revoker.is_some() {
            message.recall();
        }
        Ok(StoredMessage { at, message, expiry, revoker, receipt_at })
    }
}

/// A part of a history, and which messages of it.
struct Walk {
    /// Places between these.
    after: String,
    before: String,
    is_backwards: bool,
    /// What else has to be so.
    filter: Document,
    /// How many are looked at in one step.
    step: usize,
}

/// What readers need.
pub(crate) struct Reader<'a> {
    pub(crate) database: &'a Database,
    pub(crate) app: SdkAppId,
    pub(crate) now: Millis,
    pub(crate) limits: Limits,
}

impl<'a> Reader<'a> {
    pub(crate) async fn new(database: &'a Database, app: SdkAppId) -> Result<Self, Fault> {
        let limits = Limits::load(database, app).await?;
        Ok(Self { database, app, now: database.clock().now(), limits })
    }

    pub(crate) async fn head(&self, id: ConversationId) -> Result<Option<Head>, Fault> {
        let key = keys::conversation(self.app, id);
        let mut found = heads::load(self.database, std::slice::from_ref(&key)).await?;
        Ok(found.remove(&key).map(|standing| standing.head))
    }

    /// Messages with what happened to them, those that are over left out.
    pub(crate) async fn with_amendments(&self, logged: Vec<Logged>) -> Result<Vec<Found>, Fault> {
        let live = logged.into_iter().filter(|logged| !self.limits.is_over(&logged.entry, self.now));
        let live: Vec<(MessageAt, Logged)> = live
            .map(|logged| {
                let conversation = keys::conversation(self.app, logged.conversation());
                ((conversation, logged.entry.history_key()), logged)
            })
            .collect();
        let places: Vec<MessageAt> = live.iter().map(|(at, _)| at.clone()).collect();
        let mut amendments = amendments(self.database, &places).await?;
        let with = |(at, logged)| Found { amendment: amendments.remove(&at).unwrap_or_default(), logged };
        Ok(live.into_iter().map(with).collect())
    }

    /// Messages as they are now.
    pub(crate) async fn messages(&self, found: Vec<Found>) -> Result<Vec<StoredMessage>, Fault> {
        let places: Vec<_> =
            found.iter().filter_map(|found| found.amendment.content(&found.logged)).collect();
        let read = contents::read(self.database, places.iter()).await?;
        found.into_iter().map(|found| found.message(&read)).collect()
    }

    /// Up to `limit` messages of a part of a history for which `is_meant` holds, of `scan_max` that are looked at.
    async fn walk(
        &self,
        mut walk: Walk,
        limit: usize,
        scan_max: usize,
        is_meant: impl Fn(&Found) -> bool,
    ) -> Result<Vec<Found>, Fault> {
        let mut found = Vec::new();
        let mut looked_at = 0;
        while found.len() < limit && looked_at < scan_max {
            let mut filter = walk.filter.clone();
            filter.insert("h", doc! { "$gt": &walk.after, "$lt": &walk.before });
            filter.insert("end", doc! { "$gt": keys::seconds(self.now.seconds()) });
            let sort = doc! { "h": if walk.is_backwards { -1 } else { 1 } };
            let find = Find { filter, sort, limit: walk.step, ..Find::default() };
            let documents = self.database.find(LOG, find).await?;
            let Some(last) = documents.last() else { break };
            let edge = crate::codec::text(last, "h")?.to_owned();
            if walk.is_backwards {
                walk.before = edge
            } else {
                walk.after = edge
            }
            looked_at += documents.len();
            let step = self.with_amendments(Logged::read_all(&documents)?).await?;
            found.extend(step.into_iter().filter(|found| is_meant(found)));
            if documents.len() < walk.step {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    fn window(&self, id: ConversationId, after: HistoryKey, before: HistoryKey) -> Walk {
        let key = keys::conversation(self.app, id);
        let (after, before) = (keys::place(&key, after), keys::place(&key, before));
        Walk { after, before, is_backwards: false, filter: Document::new(), step: STEP }
    }

    pub(crate) async fn history(
        &self,
        id: ConversationId,
        query: HistoryQuery,
    ) -> Result<HistoryPage, Fault> {
        let Some(head) = self.head(id).await?.filter(|_| id.side_of(query.viewer).is_some()) else {
            return Ok(HistoryPage { messages: Vec::new(), complete: true });
        };
        let limit = query.limit.min(PAGE_MAX);
        let is_backwards = query.direction == Direction::Backwards;
        let window = self.window(id, query.after, query.before);
        let walk = Walk { is_backwards, step: limit + 1, ..window };
        let seen = |found: &Found| found.is_seen_by(&head, query.viewer);
        let mut found = self.walk(walk, limit + 1, usize::MAX, seen).await?;
        let complete = found.len() <= limit;
        found.truncate(limit);
        let mut messages = self.messages(found).await?;
        if is_backwards {
            messages.reverse();
        }
        Ok(HistoryPage { messages, complete })
    }

    pub(crate) async fn find(
        &self,
        id: ConversationId,
        author: AccountNumber,
        key: MessageKey,
    ) -> Result<Option<StoredMessage>, Fault> {
        let filter = doc! {
            "by": keys::number(author.0),
            "s": i64::from(key.sequence),
            "u": i64::from(key.random),
        };
        let window = self.window(id, HistoryKey::start_of(key.time), HistoryKey::end_of(key.time));
        let found = self.walk(Walk { filter, ..window }, 1, usize::MAX, |_| true).await?;
        Ok(self.messages(found).await?.pop())
    }

    pub(crate) async fn view(
        &self,
        viewer: AccountNumber,
        id: ConversationId,
    ) -> Result<Option<ConversationView>, Fault> {
        match self.head(id).await?.filter(|_| id.side_of(viewer).is_some()) {
            Some(head) => self.view_of(viewer, id, &head).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn view_of(
        &self,
        viewer: AccountNumber,
        id: ConversationId,
        head: &Head,
    ) -> Result<ConversationView, Fault> {
        let (side, peer) = (head.side(id, viewer), id.peer_of(viewer));
        let filter = doc! { "p": { "$gt": keys::position(side.cleared_position) } };
        let window = self.window(id, HistoryKey::START, HistoryKey::END);
        let is_meant = |found: &Found| {
            let is_last =
                matches!(&found.logged.entry.event, Event::Message(message) if !message.flags.not_last);
            is_last && found.is_seen_by(head, viewer)
        };
        let walk = Walk { is_backwards: true, filter, ..window };
        let last = self.walk(walk, 1, usize::MAX, is_meant).await?;
        Ok(ConversationView {
            conversation: id,
            peer,
            is_listed: side.is_listed(),
            active_at: side.active_at,
            last: self.messages(last).await?.pop(),
            read_to: side.read_to,
            peer_read_to: head.side(id, peer).read_to,
        })
    }

    pub(crate) async fn unread(&self, viewer: AccountNumber, id: ConversationId) -> Result<u32, Fault> {
        let Some(head) = self.head(id).await?.filter(|_| id.side_of(viewer).is_some()) else {
            return Ok(0);
        };
        if id.peer_of(viewer) == viewer {
            return Ok(0);
        }
        let side = head.side(id, viewer);
        let after = side.unlisted_to.max(side.cleared_position);
        let filter = doc! {
            "p": { "$gt": keys::position(after) },
            "by": keys::number(id.peer_of(viewer).0),
        };
        let counts = |found: &Found| {
            let is_counted =
                matches!(&found.logged.entry.event, Event::Message(message) if !message.flags.uncounted);
            is_counted && found.amendment.revoker.is_none() && found.is_seen_by(&head, viewer)
        };
        let limit = usize::try_from(UNREAD_MAX).unwrap_or(usize::MAX);
        let window = self.window(id, side.read_to, HistoryKey::END);
        let walk = Walk { is_backwards: true, filter, step: limit, ..window };
        let found = self.walk(walk, limit, UNREAD_SCAN_MAX, counts).await?;
        Ok(u32::try_from(found.len()).unwrap_or(UNREAD_MAX))
    }
}
