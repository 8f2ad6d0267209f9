//! Everything that is read, derived by looking at the whole log.

use std::sync::Arc;

use model::{AccountNumber, ConversationId, HistoryKey, Millis, Position, SdkAppId};
use ports::period::{PeriodPage, PeriodQuery};
use ports::timeline::{AccountPage, ConversationView, PAGE_MAX, StoredMessage, UNREAD_MAX};
use ports::{Cursor, Entry, Event};

/// How much of an account's stream is shown.
#[derive(Clone, Copy)]
pub(crate) enum Sight {
    /// What it sees.
    Own,
    /// What there is.
    Everything,
}

/// The message at a place as the entries of its conversation make it, expired or not.
pub(crate) fn message_of<'a>(
    entries: impl Iterator<Item = &'a Arc<Entry>> + Clone,
    at: HistoryKey,
) -> Option<StoredMessage> {
    let sent = entries
        .clone()
        .find(|entry| matches!(entry.event, Event::Message(_)) && entry.history_key() == at)?;
    let Event::Message(message) = &sent.event else { return None };
    let mut found = StoredMessage {
        at,
        message: message.clone(),
        expiry: sent.stamp.expiry,
        revoker: None,
        receipt_at: None,
    };
    for entry in entries {
        match &entry.event {
            Event::Recall { target, revoker, .. } if *target == at => {
                found.revoker = Some(revoker.clone());
                found.message.recall();
            }
            Event::Receipt { targets, .. } if targets.iter().any(|target| target.at == at) => {
                found.receipt_at = found.receipt_at.or(Some(entry.time));
            }
            Event::Modify { target, modification, content, .. }
                if *target == at && !found.message.content.bytes.is_empty() =>
            {
                found.message.modification = Some(*modification);
                found.message.content = content.clone();
            }
            _ => {}
        }
    }
    Some(found)
}

/// The durable log at a moment.
pub(crate) struct View<'a> {
    pub(crate) log: &'a [Arc<Entry>],
    pub(crate) shortened: &'a [(SdkAppId, Cursor, u32)],
    pub(crate) now: Millis,
}

impl View<'_> {
    pub(crate) fn of(
        &self,
        app: SdkAppId,
        id: ConversationId,
    ) -> impl DoubleEndedIterator<Item = &Arc<Entry>> + Clone {
        self.log.iter().filter(move |entry| entry.stamp.app == app && entry.conversation == id)
    }

    pub(crate) fn is_over(&self, entry: &Entry) -> bool {
        let is_message = matches!(entry.event, Event::Message(_));
        entry.stamp.expiry.is_over(self.now)
            || self.shortened.iter().any(|(app, until, keep)| {
                let is_meant = is_message && *app == entry.stamp.app && entry.cursor <= *until;
                is_meant && self.now.seconds() >= entry.time.plus(*keep)
            })
    }

    /// Messages that have not expired, in the order of the history.
    pub(crate) fn messages(&self, app: SdkAppId, id: ConversationId) -> Vec<StoredMessage> {
        let sent = self.of(app, id).filter(|entry| matches!(entry.event, Event::Message(_)));
        let live = sent.filter(|entry| !self.is_over(entry));
        let mut messages: Vec<StoredMessage> =
            live.filter_map(|entry| message_of(self.of(app, id), entry.history_key())).collect();
        messages.sort_by_key(|message| message.at);
        messages
    }

    pub(crate) fn sees(
        &self,
        app: SdkAppId,
        id: ConversationId,
        viewer: AccountNumber,
        at: HistoryKey,
    ) -> bool {
        self.of(app, id).all(|entry| match &entry.event {
            Event::Delete { by, targets } => *by != viewer || !targets.contains(&at),
            Event::Clear { by, history: true, .. } => *by != viewer || at.position > entry.position,
            Event::Message(message) if entry.history_key() == at => message.is_kept_by(viewer),
            _ => true,
        })
    }

    pub(crate) fn seen(
        &self,
        app: SdkAppId,
        id: ConversationId,
        viewer: AccountNumber,
    ) -> Vec<StoredMessage> {
        let mut messages = self.messages(app, id);
        messages.retain(|message| self.sees(app, id, viewer, message.at));
        messages
    }

    pub(crate) fn read_to(&self, app: SdkAppId, id: ConversationId, side: AccountNumber) -> HistoryKey {
        let marks = self.of(app, id).filter_map(|entry| match &entry.event {
            Event::Read { reader, up_to } if *reader == side => Some(*up_to),
            _ => None,
        });
        marks.max().unwrap_or_default()
    }

    pub(crate) fn view(
        &self,
        app: SdkAppId,
        id: ConversationId,
        viewer: AccountNumber,
    ) -> Option<ConversationView> {
        self.of(app, id).next()?;
        let peer = id.peer_of(viewer);
        let counts = |entry: &&Arc<Entry>| match &entry.event {
            Event::Message(message) => !message.flags.not_last && message.is_kept_by(viewer),
            _ => false,
        };
        let active = self.of(app, id).filter(counts).map(|entry| entry.position).max().unwrap_or_default();
        let unlisted = self.unlisted_to(app, id, viewer);
        let last = self.seen(app, id, viewer).into_iter().rfind(|message| !message.message.flags.not_last);
        Some(ConversationView {
            conversation: id,
            peer,
            is_listed: active > unlisted,
            active_at: self.of(app, id).filter(counts).map(|entry| entry.time).max().unwrap_or_default(),
            last,
            read_to: self.read_to(app, id, viewer),
            peer_read_to: self.read_to(app, id, peer),
        })
    }

    /// Up to where the viewer took the conversation off its list.
    fn unlisted_to(&self, app: SdkAppId, id: ConversationId, viewer: AccountNumber) -> Position {
        let unlisted = self
            .of(app, id)
            .filter(|entry| matches!(&entry.event, Event::Clear { by, listing: true, .. } if *by == viewer));
        unlisted.map(|entry| entry.position).max().unwrap_or_default()
    }

    pub(crate) fn unread(&self, app: SdkAppId, id: ConversationId, viewer: AccountNumber) -> u32 {
        let read_to = self.read_to(app, id, viewer);
        let unlisted_to = self.unlisted_to(app, id, viewer);
        let unread = self.seen(app, id, viewer).into_iter().filter(|message| {
            message.at > read_to
                && message.at.position > unlisted_to
                && message.message.author != viewer
                && !message.message.flags.uncounted
                && message.revoker.is_none()
        });
        u32::try_from(unread.count()).unwrap_or(UNREAD_MAX).min(UNREAD_MAX)
    }

    pub(crate) fn period(&self, app: SdkAppId, query: PeriodQuery) -> PeriodPage {
        let mut ids: Vec<ConversationId> =
            self.log.iter().filter(|entry| entry.stamp.app == app).map(|entry| entry.conversation).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut page = PeriodPage::default();
        let limit = query.limit.min(PAGE_MAX);
        for id in ids {
            let is_meant = |at: HistoryKey| {
                let is_known =
                    self.of(app, id).any(|entry| entry.history_key() == at && entry.cursor <= query.until);
                let is_seen = id.sides().iter().any(|side| self.sees(app, id, *side, at));
                is_known && is_seen && query.after.is_none_or(|after| (id, at) > after)
            };
            let is_of_it = |at: HistoryKey| query.from <= at.time && at.time < query.before;
            for message in self.messages(app, id) {
                if !is_of_it(message.at) || !is_meant(message.at) {
                    continue;
                }
                if page.messages.len() == limit {
                    page.next = page.messages.last().map(|(id, message)| (*id, message.at));
                    return page;
                }
                page.messages.push((id, message));
            }
        }
        page
    }

    pub(crate) fn stream(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
        sight: Sight,
    ) -> AccountPage {
        let concerned: Vec<&Arc<Entry>> = self
            .log
            .iter()
            .filter(|entry| {
                entry.stamp.app == app
                    && entry.cursor > after
                    && entry.concerns().any(|other| other == account)
            })
            .collect();
        let next = concerned.iter().take(limit).next_back().map_or(after, |entry| entry.cursor);
        let complete = concerned.len() <= limit;
        let mut entries = Vec::new();
        for entry in concerned.into_iter().take(limit) {
            if self.is_over(entry) {
                continue;
            }
            let mut entry = Entry::clone(entry);
            let at = match &entry.event {
                Event::Message(_) => Some(entry.history_key()),
                Event::Modify { target, .. } => Some(*target),
                _ => None,
            };
            if let Some(at) = at {
                let seen = match sight {
                    Sight::Own => self.seen(app, entry.conversation, account),
                    Sight::Everything => self.messages(app, entry.conversation),
                };
                let Some(now) = seen.into_iter().find(|message| message.at == at) else {
                    continue;
                };
                match &mut entry.event {
                    Event::Modify { modification, content, .. } => {
                        let Some(of_last) = now.message.modification else { continue };
                        if now.message.content.bytes.is_empty() {
                            continue;
                        }
                        (*modification, *content) = (of_last, now.message.content);
                    }
                    event => *event = Event::Message(now.message),
                }
            }
            entries.push(Arc::new(entry));
        }
        AccountPage { entries, next, complete }
    }
}
