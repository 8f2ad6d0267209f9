//! Where a conversation stands: numbers for the next entry, and each side's cursors.

use std::collections::VecDeque;

use hashbrown::HashMap;
use model::{HistoryKey, Position, Seconds};
use ports::{Cursor, Entry, Event};
use serde::{Deserialize, Serialize};

use crate::layout::Reference;

/// Resends are recognised at least among this many messages of a conversation, and those of the last two minutes.
pub(crate) const RETRY_MESSAGES: usize = 16_384;
const RETRY_SECONDS_MIN: u32 = 120;

/// One side's view of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Side {
    pub(crate) read_to: HistoryKey,
    pub(crate) cleared_position: Position,
    pub(crate) unlisted_to: Position,
    pub(crate) active_at: Seconds,
    pub(crate) active_position: Position,
    pub(crate) last: Option<(HistoryKey, Cursor)>,
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

/// A conversation's head as stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) position: Position,
    /// The position of the newest message.
    pub(crate) message_position: Position,
    pub(crate) cursor: Cursor,
    pub(crate) time: Seconds,
    pub(crate) has_backdated: bool,
    pub(crate) has_amendments: bool,
    pub(crate) sides: [Side; 2],
    /// Where its messages lie, as far as they were not dropped when this was written.
    pub(crate) buckets: Vec<Part>,
}

/// The part of a conversation's messages that lies in one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) day: u16,
    /// The time of the first and the last message.
    pub(crate) first: Seconds,
    pub(crate) last: Seconds,
}

impl Head {
    /// Applies an entry. Idempotent: an entry that the head already contains changes nothing.
    ///
    /// Returns the reference of a message, and whether it is backdated.
    pub(crate) fn apply(&mut self, entry: &Entry, day: u16) -> Option<(Reference, bool)> {
        if entry.position <= self.position {
            return None;
        }
        self.position = entry.position;
        self.cursor = entry.cursor;
        let conversation = entry.conversation;
        let side = |account| conversation.side_of(account).unwrap_or(0);
        match &entry.event {
            Event::Message(message) => {
                let at = entry.history_key();
                let backdated = entry.time < self.time;
                self.has_backdated |= backdated;
                self.time = self.time.max(entry.time);
                self.message_position = entry.position;
                let author = side(message.author);
                for index in 0..2 {
                    let view = &mut self.sides[index];
                    if message.flags.not_last || !message.is_kept_by(conversation.sides()[index]) {
                        continue;
                    }
                    view.active_position = entry.position;
                    view.active_at = view.active_at.max(entry.time);
                    if view.last.is_none_or(|(last, _)| last < at) {
                        view.last = Some((at, entry.cursor));
                    }
                }
                self.add_to_bucket(day, entry.time);
                return Some((reference(entry, message, author, day), backdated));
            }
            Event::Read { reader, up_to } => {
                let view = &mut self.sides[side(*reader)];
                view.read_to = view.read_to.max(*up_to);
            }
            Event::Clear { by, history, listing } => {
                let view = &mut self.sides[side(*by)];
                if *history {
                    view.cleared_position = entry.position;
                    view.last = None;
                }
                if *listing {
                    view.unlisted_to = entry.position;
                }
            }
            Event::Recall { .. } | Event::Receipt { .. } | Event::Delete { .. } | Event::Modify { .. } => {
                self.has_amendments = true;
            }
        }
        None
    }

    fn add_to_bucket(&mut self, day: u16, time: Seconds) {
        match self.buckets.iter_mut().find(|part| part.day == day) {
            Some(part) => {
                part.first = part.first.min(time);
                part.last = part.last.max(time);
            }
            None => self.buckets.push(Part { day, first: time, last: time }),
        }
    }
}

fn reference(entry: &Entry, message: &model::Message<model::Sealed>, author: usize, day: u16) -> Reference {
    let flag = |on: bool, flag: u8| if on { flag } else { 0 };
    Reference {
        at: entry.history_key(),
        cursor: entry.cursor,
        day,
        fingerprint: entry.retry.map_or(0, fingerprint),
        expires_at: match entry.stamp.expiry {
            model::Expiry::WithOwner => 0,
            model::Expiry::At(end) => end.0,
        },
        flags: flag(author == 1, Reference::SIDE)
            | flag(message.flags.uncounted, Reference::UNCOUNTED)
            | flag(message.flags.not_last, Reference::NOT_LAST)
            | flag(message.flags.receiver_only, Reference::RECEIVER_ONLY)
            | flag(message.flags.sender_only, Reference::SENDER_ONLY),
    }
}

/// The part of a retry key that references carry; never 0.
pub(crate) fn fingerprint(key: ports::timeline::RetryKey) -> u32 {
    let [a, b, c, d, ..] = key.0;
    u32::from_be_bytes([a, b, c, d]).max(1)
}

/// Where an entry lies: the day of its bucket, and its cursor.
pub(crate) type Lies = (u16, Cursor);

/// The resends that a conversation would recognise.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    order: VecDeque<(Seconds, u32, Lies)>,
    by_fingerprint: HashMap<u32, Lies>,
    /// Earlier messages whose fingerprint a later one happens to share.
    shadowed: Vec<(u32, Lies)>,
}

impl Retries {
    /// Remembers a message; forgets those that are too old or too many. Called in the order of positions.
    pub(crate) fn remember(&mut self, reference: &Reference) {
        let (time, fingerprint) = (reference.at.time, reference.fingerprint);
        if fingerprint == 0 {
            return;
        }
        let lies = (reference.day, reference.cursor);
        self.order.push_back((time, fingerprint, lies));
        if let Some(earlier) = self.by_fingerprint.insert(fingerprint, lies) {
            self.shadowed.push((fingerprint, earlier));
        }
        while let Some((oldest, print, at)) = self.order.front().copied() {
            let too_old = oldest < time.minus(ports::timeline::RETRY_SECONDS);
            let too_many = self.order.len() > RETRY_MESSAGES && oldest < time.minus(RETRY_SECONDS_MIN);
            if !too_old && !too_many {
                break;
            }
            self.order.pop_front();
            if self.by_fingerprint.get(&print) == Some(&at) {
                self.by_fingerprint.remove(&print);
            } else {
                self.shadowed.retain(|(_, lies)| *lies != at);
            }
        }
    }

    /// How many messages are remembered.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The entries that a message with this fingerprint may repeat.
    pub(crate) fn candidates(&self, fingerprint: u32) -> Vec<Lies> {
        let shadowed = self.shadowed.iter().filter(|(print, _)| *print == fingerprint).map(|(_, lies)| *lies);
        self.by_fingerprint.get(&fingerprint).copied().into_iter().chain(shadowed).collect()
    }
}
