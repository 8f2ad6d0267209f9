//! Where a conversation stands: numbers for the next entry, and each side's cursors.
//!
//! A head is what its entries make of it, one after the other. What is stored of it is a beginning: it saves reading the entries
//! before it, and lets them be removed once they have ended.

use model::{ConversationId, HistoryKey, Position, Seconds};
use ports::{Cursor, Entry, Event};
use serde::{Deserialize, Serialize};

/// One side's view of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Side {
    pub(crate) read_to: HistoryKey,
    pub(crate) cleared_position: Position,
    pub(crate) unlisted_to: Position,
    pub(crate) active_at: Seconds,
    pub(crate) active_position: Position,
}

impl Side {
    pub(crate) fn is_listed(&self) -> bool {
        self.active_position > self.unlisted_to
    }

    /// Whether this side cleared its history after the message came.
    pub(crate) fn has_cleared(&self, at: HistoryKey) -> bool {
        at.position <= self.cleared_position
    }
}

/// A conversation's head.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) position: Position,
    /// The position of the newest message.
    pub(crate) message_position: Position,
    pub(crate) cursor: Cursor,
    /// The time of its latest message.
    pub(crate) time: Seconds,
    pub(crate) sides: [Side; 2],
}

impl Head {
    /// Applies an entry. Idempotent: an entry that the head already contains changes nothing.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        if entry.position <= self.position {
            return;
        }
        self.position = entry.position;
        self.cursor = entry.cursor;
        let conversation = entry.conversation;
        let side = |account| conversation.side_of(account).unwrap_or(0);
        match &entry.event {
            Event::Message(message) => {
                self.time = self.time.max(entry.time);
                self.message_position = entry.position;
                for (view, account) in self.sides.iter_mut().zip(conversation.sides()) {
                    if message.flags.not_last || !message.is_kept_by(account) {
                        continue;
                    }
                    view.active_position = entry.position;
                    view.active_at = view.active_at.max(entry.time);
                }
            }
            Event::Read { reader, up_to } => {
                let view = &mut self.sides[side(*reader)];
                view.read_to = view.read_to.max(*up_to);
            }
            Event::Clear { by, history, listing } => {
                let view = &mut self.sides[side(*by)];
                if *history {
                    view.cleared_position = entry.position;
                }
                if *listing {
                    view.unlisted_to = entry.position;
                }
            }
            Event::Recall { .. } | Event::Receipt { .. } | Event::Delete { .. } | Event::Modify { .. } => {}
        }
    }

    /// Counts an entry that cannot be read; `time` is that of a message.
    pub(crate) fn pass(&mut self, position: Position, cursor: Cursor, time: Option<Seconds>) {
        (self.position, self.cursor) = (position, cursor);
        if let Some(time) = time {
            self.time = self.time.max(time);
            self.message_position = position;
        }
    }

    /// The view of one account.
    pub(crate) fn side(&self, id: ConversationId, account: model::AccountNumber) -> Side {
        id.side_of(account).and_then(|side| self.sides.get(side)).copied().unwrap_or_default()
    }
}
