//! Decides what an append becomes: its numbers, or the earlier entry that it repeats.

use std::sync::Arc;

use hashbrown::HashMap;
use model::{HistoryKey, Position, Seconds};
use parking_lot::RwLock;
use ports::timeline::RetryKey;
use ports::{Appended, Cursor, Draft, Entry, Event, Fault, Stamped};

use crate::head::{RETRY_MESSAGES, Retries, fingerprint};
use crate::layout::{Conversation, Reference};
use crate::spaces::Spaces;
use crate::state::{Amendment, State};
use crate::walk::{Order, Walk, Window};

/// A conversation's numbers with the entries of the running batch added.
#[derive(Default)]
pub(crate) struct Staged {
    position: Position,
    message_position: Position,
    time: Seconds,
    cursor: Cursor,
    entries: Vec<Arc<Entry>>,
    /// The entries that can be repeated, by their retry keys.
    by_retry: HashMap<RetryKey, usize>,
}

pub(crate) struct Stage<'a> {
    pub(crate) spaces: &'a Spaces,
    pub(crate) state: &'a RwLock<State>,
    pub(crate) staged: &'a mut HashMap<Conversation, Staged>,
    pub(crate) next_cursor: Cursor,
    pub(crate) now: Seconds,
}

impl Stage<'_> {
    /// The answer, and the entry to write unless nothing is to be appended.
    pub(crate) fn decide(&mut self, draft: Stamped<Draft>) -> Result<(Appended, Option<Arc<Entry>>), Fault> {
        let (stamp, draft) = draft.into_parts();
        let conversation = Conversation { app: stamp.app, id: draft.conversation };
        self.prepare(conversation)?;
        if let Some(earlier) = self.repeated(conversation, &draft)? {
            return Ok((answer_of(&earlier, false), None));
        }
        let now = self.now;
        let event = self.settle(conversation, draft.event)?;
        let staged = self.staged.entry(conversation).or_default();
        let Some(event) = event else {
            return Ok((head_answer(staged), None));
        };
        let entry = Arc::new(Entry {
            cursor: self.next_cursor,
            conversation: draft.conversation,
            position: Position(staged.position.0 + 1),
            time: draft.sent_at.unwrap_or_else(|| now.max(staged.time)),
            stamp,
            retry: draft.retry,
            origin: draft.origin,
            event,
        });
        staged.position = entry.position;
        staged.cursor = entry.cursor;
        if matches!(entry.event, Event::Message(_)) {
            staged.time = staged.time.max(entry.time);
            staged.message_position = entry.position;
        }
        if let Some(retry) = entry.retry {
            staged.by_retry.insert(retry, staged.entries.len());
        }
        staged.entries.push(Arc::clone(&entry));
        Ok((answer_of(&entry, true), Some(entry)))
    }

    /// Loads head and resends of a conversation that this batch has not touched yet.
    fn prepare(&mut self, conversation: Conversation) -> Result<(), Fault> {
        if self.staged.contains_key(&conversation) {
            return Ok(());
        }
        let mut state = self.state.write();
        let cached = state.load(self.spaces, conversation)?;
        let staged = Staged {
            position: cached.head.position,
            message_position: cached.head.message_position,
            time: cached.head.time,
            cursor: cached.head.cursor,
            ..Staged::default()
        };
        let is_cold = cached.retries.is_none();
        let is_new = cached.head.position == Position(0);
        drop(state);
        if is_cold {
            let retries = if is_new { Retries::default() } else { self.load_retries(conversation)? };
            self.state.write().load(self.spaces, conversation)?.retries = Some(retries);
        }
        self.staged.insert(conversation, staged);
        Ok(())
    }

    fn load_retries(&self, conversation: Conversation) -> Result<Retries, Fault> {
        let since = HistoryKey::start_of(self.now.minus(ports::timeline::RETRY_SECONDS));
        let window = Window { after: since, before: HistoryKey::END };
        let walk = Walk::new(self.spaces, self.state, conversation, window)?;
        let mut recent = walk.collect(Order::NewestFirst, RETRY_MESSAGES, |_| Ok(true))?.references;
        recent.sort_by_key(|reference| reference.at.position);
        let mut retries = Retries::default();
        for reference in recent {
            retries.remember(&reference);
        }
        Ok(retries)
    }

    /// The entry that this draft repeats, if any.
    fn repeated(&self, conversation: Conversation, draft: &Draft) -> Result<Option<Arc<Entry>>, Fault> {
        let Some(staged) = self.staged.get(&conversation) else {
            return Ok(None);
        };
        match &draft.event {
            Event::Message(message) if draft.sent_at.is_some() => {
                let Some(time) = draft.sent_at else {
                    return Ok(None);
                };
                let same = |entry: &Entry| {
                    let is_twin = matches!(&entry.event, Event::Message(other) if other.key(entry.time) == message.key(time));
                    is_twin && (draft.retry.is_none() || entry.retry == draft.retry)
                };
                if let Some(twin) = staged.entries.iter().find(|entry| same(entry)) {
                    return Ok(Some(Arc::clone(twin)));
                }
                Ok(self.twin(conversation, time, same)?.map(Arc::new))
            }
            Event::Message(_) => {
                let Some(retry) = draft.retry else { return Ok(None) };
                let oldest = self.now.minus(ports::timeline::RETRY_SECONDS);
                let same = |entry: &Entry| entry.retry == Some(retry) && entry.time >= oldest;
                let in_batch = staged.by_retry.get(&retry).and_then(|index| staged.entries.get(*index));
                if let Some(original) = in_batch {
                    return Ok(Some(Arc::clone(original)));
                }
                let candidates = {
                    let state = self.state.read();
                    let retries = state.heads.get(&conversation).and_then(|cached| cached.retries.as_ref());
                    retries.map(|retries| retries.candidates(fingerprint(retry))).unwrap_or_default()
                };
                for (day, cursor) in candidates {
                    if let Some(original) = self.spaces.entry(day, cursor)?.filter(same) {
                        return Ok(Some(Arc::new(original)));
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn twin(
        &self,
        conversation: Conversation,
        time: Seconds,
        same: impl Fn(&Entry) -> bool,
    ) -> Result<Option<Entry>, Fault> {
        let window = Window { after: HistoryKey::start_of(time), before: HistoryKey::end_of(time) };
        let mut twin = None;
        Walk::new(self.spaces, self.state, conversation, window)?.collect(
            Order::OldestFirst,
            1,
            |reference| {
                // The walk looks one further to know whether there is more.
                if twin.is_some() {
                    return Ok(false);
                }
                twin = self.spaces.entry(reference.day, reference.cursor)?.filter(|entry| same(entry));
                Ok(twin.is_some())
            },
        )?;
        Ok(twin)
    }

    /// What happened to a message later, without what the running batch adds.
    fn amendment(
        &self,
        state: &State,
        conversation: Conversation,
        target: HistoryKey,
        reference: Option<Reference>,
    ) -> Result<Amendment, Fault> {
        if let Some((_, amendment)) = state.amendments.get(&(conversation, target)) {
            return Ok(amendment.clone());
        }
        let written = reference.map(|reference| self.spaces.amendment(conversation, reference));
        Ok(written.transpose()?.flatten().unwrap_or_default())
    }

    /// Whether a message still has its content; one of the running batch has.
    fn has_content(&self, reference: Reference) -> Result<bool, Fault> {
        let entry = self.spaces.entry(reference.day, reference.cursor)?;
        Ok(entry.is_some_and(
            |entry| matches!(entry.event, Event::Message(message) if !message.content.bytes.is_empty()),
        ))
    }

    /// Cuts an event to what it changes; `None` if it changes nothing.
    fn settle(&self, conversation: Conversation, event: Event) -> Result<Option<Event>, Fault> {
        if !matches!(event, Event::Read { .. } | Event::Recall { .. } | Event::Modify { .. }) {
            return Ok(Some(event));
        }
        let Some(staged) = self.staged.get(&conversation) else {
            return Ok(Some(event));
        };
        let side = |account| conversation.id.side_of(account).unwrap_or(0);
        let state = self.state.read();
        Ok(match event {
            Event::Read { reader, up_to } => {
                let position = up_to.position.min(staged.message_position);
                let up_to = HistoryKey { time: up_to.time.min(staged.time), position };
                let cached = state.heads.get(&conversation);
                let read_to =
                    cached.map(|cached| cached.head.sides[side(reader)].read_to).unwrap_or_default();
                let pending = staged.entries.iter().filter_map(|entry| match &entry.event {
                    Event::Read { reader: other, up_to } if *other == reader => Some(*up_to),
                    _ => None,
                });
                let read_to = pending.max().unwrap_or(read_to).max(read_to);
                (up_to > read_to).then_some(Event::Read { reader, up_to })
            }
            Event::Recall { target, .. } => {
                let is_recall = |entry: &Entry| matches!(&entry.event, Event::Recall { target: other, .. } if *other == target);
                let pending = staged.entries.iter().any(|entry| is_recall(entry));
                let reference = state.reference_at(self.spaces, conversation, target)?;
                let before = self.amendment(&state, conversation, target, reference)?.revoker.is_some();
                (!pending && !before).then_some(event)
            }
            Event::Modify { target, modification, .. } => {
                let Some(reference) = state.reference_at(self.spaces, conversation, target)? else {
                    return Ok(None);
                };
                let amendment = self.amendment(&state, conversation, target, Some(reference))?;
                let (mut is_recalled, mut version) = (amendment.revoker.is_some(), amendment.version);
                for entry in &staged.entries {
                    match &entry.event {
                        Event::Recall { target: other, .. } if *other == target => is_recalled = true,
                        Event::Modify { target: other, modification, .. } if *other == target => {
                            version = modification.version;
                        }
                        _ => {}
                    }
                }
                let follows = modification.version == version.saturating_add(1);
                (follows && !is_recalled && self.has_content(reference)?).then_some(event)
            }
            other => Some(other),
        })
    }
}

fn answer_of(entry: &Entry, is_new: bool) -> Appended {
    let key = match &entry.event {
        Event::Message(message) => Some(message.key(entry.time)),
        _ => None,
    };
    Appended { position: entry.position, time: entry.time, cursor: entry.cursor, key, is_new }
}

fn head_answer(staged: &Staged) -> Appended {
    Appended { position: staged.position, time: staged.time, cursor: staged.cursor, key: None, is_new: false }
}
