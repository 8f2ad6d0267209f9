//! Reads of the Timeline port.

use std::sync::Arc;

use hashbrown::HashSet;
use model::{
    AccountNumber, ConversationId, HistoryKey, Message, MessageKey, Millis, Modification, Position, SdkAppId,
    Sealed,
};
use parking_lot::RwLock;
use ports::timeline::{
    AccountPage, ConversationView, Direction, HistoryPage, HistoryQuery, PAGE_MAX, Recent, StoredMessage,
    UNREAD_MAX,
};
use ports::{Cursor, Entry, Event, Fault};

use crate::bucket::Bucket;
use crate::codec::fault;
use crate::head::{Head, Lies};
use crate::layout::{Account, Conversation, Reference, read_u64};
use crate::spaces::Spaces;
use crate::state::{Amendment, Rewrite, State};
use crate::walk::{Order, Walk, Window};

/// References looked at when unread messages are counted.
const UNREAD_SCAN_MAX: usize = 10_000;

/// How much of an account's stream is shown.
#[derive(Clone, Copy)]
pub(crate) enum Sight {
    /// What it sees.
    Own,
    /// What there is.
    Everything,
}

/// What readers need.
pub(crate) struct Reader<'a> {
    pub(crate) spaces: &'a Spaces,
    pub(crate) state: &'a RwLock<State>,
    pub(crate) app: SdkAppId,
    pub(crate) now: Millis,
}

impl Reader<'_> {
    pub(crate) fn of(&self, id: ConversationId) -> Conversation {
        Conversation { app: self.app, id }
    }

    pub(crate) fn head(&self, conversation: Conversation) -> Result<Option<Head>, Fault> {
        if let Some(cached) = self.state.read().heads.get(&conversation) {
            return Ok((cached.head.position > Position(0)).then(|| cached.head.clone()));
        }
        self.spaces.head(conversation)
    }

    pub(crate) fn amendment(
        &self,
        conversation: Conversation,
        head: &Head,
        reference: Reference,
    ) -> Result<Amendment, Fault> {
        if !head.has_amendments {
            return Ok(Amendment::default());
        }
        if let Some((_, pending)) = self.state.read().amendments.get(&(conversation, reference.at)) {
            return Ok(pending.clone());
        }
        Ok(self.spaces.amendment(conversation, reference)?.unwrap_or_default())
    }

    fn is_expired(&self, reference: Reference) -> bool {
        let Reference { expires_at, cursor, at, .. } = reference;
        expires_at != 0 && self.now.seconds().0 >= expires_at
            || self.spaces.limits.is_over(self.app, cursor, at.time, self.now)
    }

    /// Whether this side sees the message, recalled or not.
    pub(crate) fn is_seen(&self, head: &Head, side: usize, reference: Reference) -> bool {
        !self.is_expired(reference)
            && !reference.is_kept_from(side)
            && !head.sides[side].has_cleared(reference.at)
    }

    /// The message of a reference; `None` if it was removed since the reference was read.
    pub(crate) fn message(
        &self,
        reference: Reference,
        amendment: Amendment,
    ) -> Result<Option<StoredMessage>, Fault> {
        let Some(entry) = self.spaces.entry(reference.day, reference.cursor)? else {
            // Its bucket was dropped, or it was swept, since the reference was read.
            if !self.spaces.buckets.is_live(reference.day) || self.is_expired(reference) {
                return Ok(None);
            }
            return Err(Fault::Corrupt("a reference without its log entry".to_owned()));
        };
        self.as_it_is(reference, amendment, entry).map(Some)
    }

    /// The message of an entry, with what happened to it later.
    fn as_it_is(
        &self,
        reference: Reference,
        amendment: Amendment,
        entry: Entry,
    ) -> Result<StoredMessage, Fault> {
        let Event::Message(message) = entry.event else {
            return Err(Fault::Corrupt("a reference to an entry that is no message".to_owned()));
        };
        let mut message = self.modified((reference.day, reference.cursor), &amendment, message)?;
        let Amendment { revoker, receipt_at, .. } = amendment;
        if revoker.is_some() {
            message.recall();
        }
        let expiry = entry.stamp.expiry;
        Ok(StoredMessage { at: reference.at, message, expiry, revoker, receipt_at })
    }

    /// A message with the content that it has now: what is not written yet, or was written since it was read.
    fn modified(
        &self,
        lies: Lies,
        amendment: &Amendment,
        mut message: Message<Sealed>,
    ) -> Result<Message<Sealed>, Fault> {
        if amendment.version <= message.version() || message.content.bytes.is_empty() {
            return Ok(message);
        }
        match self.state.read().rewrites.get(&lies) {
            Some(Rewrite::Content(modification, content)) => {
                message.modification = Some(*modification);
                message.content = content.clone();
                return Ok(message);
            }
            // Recalled since its amendment was read: nothing of it is left, least of all what was there before it was changed.
            Some(Rewrite::Empty) => {
                message.content.empty();
                return Ok(message);
            }
            None => {}
        }
        match self.spaces.entry(lies.0, lies.1)?.map(|entry| entry.event) {
            Some(Event::Message(written)) => Ok(written),
            _ => Ok(message),
        }
    }

    /// The content that a modified message has now; `None` if the viewer has nothing to see of it.
    fn modification(
        &self,
        viewer: AccountNumber,
        id: ConversationId,
        target: HistoryKey,
        sight: Sight,
    ) -> Result<Option<(Modification, Sealed)>, Fault> {
        let conversation = self.of(id);
        let (Some(head), Some(side)) = (self.head(conversation)?, id.side_of(viewer)) else {
            return Ok(None);
        };
        let reference = self.state.read().reference_at(self.spaces, conversation, target)?;
        let Some(reference) = reference.filter(|reference| !self.is_expired(*reference)) else {
            return Ok(None);
        };
        let amendment = self.amendment(conversation, &head, reference)?;
        let is_seen = self.is_seen(&head, side, reference) && !amendment.deleted[side];
        if !is_seen && matches!(sight, Sight::Own) {
            return Ok(None);
        }
        let found = self.message(reference, amendment)?.map(|found| found.message);
        let found = found.filter(|message| !message.content.bytes.is_empty());
        Ok(found.and_then(|message| Some((message.modification?, message.content))))
    }

    pub(crate) fn history(&self, id: ConversationId, query: HistoryQuery) -> Result<HistoryPage, Fault> {
        let conversation = self.of(id);
        let (Some(head), Some(side)) = (self.head(conversation)?, id.side_of(query.viewer)) else {
            return Ok(HistoryPage { messages: Vec::new(), complete: true });
        };
        let order = match query.direction {
            Direction::Backwards => Order::NewestFirst,
            Direction::Forwards => Order::OldestFirst,
        };
        let window = Window { after: query.after, before: query.before };
        let mut amendments = Vec::new();
        let found = Walk::new(self.spaces, self.state, conversation, window)?.collect(
            order,
            query.limit.min(PAGE_MAX),
            |reference| {
                if !self.is_seen(&head, side, *reference) {
                    return Ok(false);
                }
                let amendment = self.amendment(conversation, &head, *reference)?;
                let is_seen = !amendment.deleted[side];
                if is_seen {
                    amendments.push(amendment);
                }
                Ok(is_seen)
            },
        )?;
        let mut messages = Vec::with_capacity(found.references.len());
        for (reference, amendment) in found.references.into_iter().zip(amendments) {
            messages.extend(self.message(reference, amendment)?);
        }
        if query.direction == Direction::Backwards {
            messages.reverse();
        }
        Ok(HistoryPage { messages, complete: found.complete })
    }

    pub(crate) fn find(
        &self,
        id: ConversationId,
        author: AccountNumber,
        key: MessageKey,
    ) -> Result<Option<StoredMessage>, Fault> {
        let conversation = self.of(id);
        let Some(head) = self.head(conversation)? else {
            return Ok(None);
        };
        let window = Window { after: HistoryKey::start_of(key.time), before: HistoryKey::end_of(key.time) };
        let side = id.side_of(author).unwrap_or(0);
        let mut found = None;
        Walk::new(self.spaces, self.state, conversation, window)?.collect(
            Order::OldestFirst,
            1,
            |reference| {
                if found.is_some() || reference.author_side() != side || self.is_expired(*reference) {
                    return Ok(false);
                }
                let amendment = self.amendment(conversation, &head, *reference)?;
                found = self.message(*reference, amendment)?.filter(|message| message.key() == key);
                Ok(found.is_some())
            },
        )?;
        Ok(found)
    }

    pub(crate) fn view(
        &self,
        viewer: AccountNumber,
        id: ConversationId,
    ) -> Result<Option<ConversationView>, Fault> {
        let conversation = self.of(id);
        let (Some(head), Some(index)) = (self.head(conversation)?, id.side_of(viewer)) else {
            return Ok(None);
        };
        let side = head.sides[index];
        let peer_index = id.side_of(id.peer_of(viewer)).unwrap_or(index);
        Ok(Some(ConversationView {
            conversation: id,
            peer: id.peer_of(viewer),
            is_listed: side.is_listed(),
            active_at: side.active_at,
            last: self.last(conversation, &head, index)?,
            read_to: side.read_to,
            peer_read_to: head.sides[peer_index].read_to,
        }))
    }

    /// The newest message of this side, found where it lies; `None` if that one is not seen any more.
    fn newest(
        &self,
        conversation: Conversation,
        head: &Head,
        side: usize,
        (at, cursor): (HistoryKey, Cursor),
    ) -> Result<Option<StoredMessage>, Fault> {
        for part in head.buckets.iter().filter(|part| part.first <= at.time && at.time <= part.last) {
            let Some(entry) = self.spaces.entry(part.day, cursor)? else { continue };
            if entry.history_key() != at || entry.stamp.expiry.is_over(self.now) {
                return Ok(None);
            }
            let reference = Reference { at, cursor, day: part.day, fingerprint: 0, expires_at: 0, flags: 0 };
            let amendment = self.amendment(conversation, head, reference)?;
            if amendment.deleted[side] || self.is_expired(reference) {
                return Ok(None);
            }
            return self.as_it_is(reference, amendment, entry).map(Some);
        }
        Ok(None)
    }

    /// The last message that this side sees.
    fn last(
        &self,
        conversation: Conversation,
        head: &Head,
        side: usize,
    ) -> Result<Option<StoredMessage>, Fault> {
        let Some((at, cursor)) = head.sides[side].last else {
            return Ok(None);
        };
        if let Some(newest) = self.newest(conversation, head, side, (at, cursor))? {
            return Ok(Some(newest));
        }
        let window = Window { after: HistoryKey::START, before: next(at) };
        let mut amendments = Vec::new();
        let found = Walk::new(self.spaces, self.state, conversation, window)?.collect(
            Order::NewestFirst,
            1,
            |reference| {
                if reference.has(Reference::NOT_LAST) || !self.is_seen(head, side, *reference) {
                    return Ok(false);
                }
                let amendment = self.amendment(conversation, head, *reference)?;
                let is_seen = !amendment.deleted[side];
                amendments.extend(is_seen.then_some(amendment));
                Ok(is_seen)
            },
        )?;
        match found.references.into_iter().zip(amendments).next() {
            Some((reference, amendment)) => self.message(reference, amendment),
            None => Ok(None),
        }
    }

    /// The order of an account's list.
    pub(crate) fn recent(&self, viewer: AccountNumber, limit: usize) -> Result<Vec<Recent>, Fault> {
        let account = Account { app: self.app, number: viewer };
        // Those with unwritten changes may stand at a stale place.
        let active: HashSet<AccountNumber> = {
            let state = self.state.read();
            state.active.get(&account).into_iter().flatten().copied().collect()
        };
        let mut order = Vec::new();
        for guard in self.spaces.recent.prefix(account.key()).take(limit + active.len()) {
            let key = guard.key().map_err(|error| fault(&error))?;
            let found = Account::of_recent_key(&key);
            let found = found.ok_or_else(|| Fault::Corrupt("a recent conversation".to_owned()))?;
            order.extend((!active.contains(&found.peer)).then_some(found));
        }
        for peer in active {
            let id = ConversationId::between(viewer, peer);
            if let (Some(head), Some(index)) = (self.head(self.of(id))?, id.side_of(viewer))
                && head.sides[index].is_listed()
            {
                order.push(Recent { peer, active_at: head.sides[index].active_at });
            }
        }
        order.sort_unstable_by_key(|found| (std::cmp::Reverse(found.active_at), found.peer));
        order.truncate(limit);
        Ok(order)
    }

    pub(crate) fn list(&self, viewer: AccountNumber, limit: usize) -> Result<Vec<ConversationView>, Fault> {
        let mut views = Vec::new();
        for Recent { peer, .. } in self.recent(viewer, limit)? {
            let view = self.view(viewer, ConversationId::between(viewer, peer))?;
            views.extend(view.filter(|view| view.is_listed));
        }
        Ok(views)
    }

    pub(crate) fn unread(&self, viewer: AccountNumber, id: ConversationId) -> Result<u32, Fault> {
        let conversation = self.of(id);
        let (Some(head), Some(side)) = (self.head(conversation)?, id.side_of(viewer)) else {
            return Ok(0);
        };
        if id.peer_of(viewer) == viewer {
            return Ok(0);
        }
        let read_to = head.sides[side].read_to;
        if head.time <= read_to.time && head.message_position <= read_to.position {
            return Ok(0);
        }
        let window = Window { after: read_to, before: HistoryKey::END };
        let limit = usize::try_from(UNREAD_MAX).unwrap_or(usize::MAX);
        let mut walk = Walk::new(self.spaces, self.state, conversation, window)?;
        walk.scan_max = UNREAD_SCAN_MAX;
        let found = walk.collect(Order::NewestFirst, limit, |reference| {
            let counts = reference.author_side() != side
                && reference.at.position > head.sides[side].unlisted_to
                && !reference.has(Reference::UNCOUNTED)
                && self.is_seen(&head, side, *reference);
            if !counts || !head.has_amendments {
                return Ok(counts);
            }
            let amendment = self.amendment(conversation, &head, *reference)?;
            Ok(amendment.revoker.is_none() && !amendment.deleted[side])
        })?;
        Ok(u32::try_from(found.references.len()).unwrap_or(UNREAD_MAX))
    }

    pub(crate) fn stream(
        &self,
        number: AccountNumber,
        after: Cursor,
        limit: usize,
        sight: Sight,
    ) -> Result<AccountPage, Fault> {
        let account = Account { app: self.app, number };
        let places = self.stream_places(account, after, limit)?;
        let complete = places.len() <= limit;
        let mut page = AccountPage { entries: Vec::new(), next: after, complete };
        for (day, cursor) in places.into_iter().take(limit) {
            page.next = cursor;
            let Some(mut entry) = self.spaces.entry(day, cursor)? else {
                continue;
            };
            if self.amend(number, day, &mut entry, sight)? {
                page.entries.push(Arc::new(entry));
            }
        }
        Ok(page)
    }

    /// One more entry than `limit` after `after`, where there are that many.
    fn stream_places(&self, account: Account, after: Cursor, limit: usize) -> Result<Vec<Lies>, Fault> {
        let pending: Vec<Lies> = {
            let state = self.state.read();
            let places = state.streams.get(&account).map_or(&[][..], Vec::as_slice);
            places.iter().copied().filter(|(_, cursor)| *cursor > after).take(limit + 1).collect()
        };
        let mut places = Vec::new();
        for bucket in self.spaces.buckets.all() {
            if bucket.newest() > after {
                places.extend(stream_of(&bucket, account, after, limit)?);
            }
        }
        places.sort_unstable_by_key(|(_, cursor)| *cursor);
        let last = places.last().map_or(after, |(_, cursor)| *cursor);
        places.extend(pending.into_iter().filter(|(_, cursor)| *cursor > last));
        places.truncate(limit + 1);
        Ok(places)
    }

    /// Brings an entry to what is now; says whether the account still sees it.
    fn amend(&self, viewer: AccountNumber, day: u16, entry: &mut Entry, sight: Sight) -> Result<bool, Fault> {
        if entry.stamp.expiry.is_over(self.now) {
            return Ok(false);
        }
        let (at, cursor) = (entry.history_key(), entry.cursor);
        let conversation = self.of(entry.conversation);
        let message = match &mut entry.event {
            Event::Message(message) => message,
            Event::Modify { target, modification, content, .. } => {
                let now = self.modification(viewer, entry.conversation, *target, sight)?;
                let is_there = now.is_some();
                (*modification, *content) = now.unwrap_or_else(|| (*modification, content.clone()));
                return Ok(is_there);
            }
            _ => return Ok(true),
        };
        if self.spaces.limits.is_over(self.app, cursor, at.time, self.now) {
            return Ok(false);
        }
        let (Some(head), Some(side)) = (self.head(conversation)?, conversation.id.side_of(viewer)) else {
            return Ok(false);
        };
        let reference = Reference { at, cursor, day, fingerprint: 0, expires_at: 0, flags: 0 };
        let sees_all = matches!(sight, Sight::Everything);
        if !message.is_kept_by(viewer) && !sees_all {
            return Ok(false);
        }
        let amendment = self.amendment(conversation, &head, reference)?;
        *message = self.modified((day, cursor), &amendment, message.clone())?;
        if amendment.revoker.is_some() {
            message.recall();
        }
        Ok(sees_all || !amendment.deleted[side] && !head.sides[side].has_cleared(at))
    }
}

fn next(at: HistoryKey) -> HistoryKey {
    HistoryKey { time: at.time, position: Position(at.position.0.saturating_add(1)) }
}

/// One more entry than `limit` of an account's stream after `after`, of those in one bucket.
fn stream_of(bucket: &Bucket, account: Account, after: Cursor, limit: usize) -> Result<Vec<Lies>, Fault> {
    let first = account.stream_key(Cursor(0));
    let start = match bucket.derived.range(first..=account.stream_key(after)).next_back() {
        Some(guard) => guard.key().map_err(|error| fault(&error))?.to_vec(),
        None => first.to_vec(),
    };
    let mut places = Vec::new();
    for guard in bucket.derived.range(start..=account.stream_key(Cursor(u64::MAX)).to_vec()) {
        let chunk = guard.value().map_err(|error| fault(&error))?;
        let cursors = chunk.chunks_exact(8).filter_map(|bytes| read_u64(bytes, 0)).map(Cursor);
        places.extend(cursors.filter(|cursor| *cursor > after).map(|cursor| (bucket.day, cursor)));
        if places.len() > limit {
            break;
        }
    }
    Ok(places)
}
