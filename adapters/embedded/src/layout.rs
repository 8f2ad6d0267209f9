//! Which key spaces exist, and how their keys and values are laid out. All numbers are big endian in keys.
//!
//! | key space | key | value |
//! |---|---|---|
//! | `records` | app 4, kind 2, key | crc 4, stamp and version, index entries, content |
//! | `record_index` | app 4, kind 2, index 1, length 2, index key, key | nothing |
//! | `record_ends` | second 4, key of the record | nothing |
//! | `heads` | app 4, conversation 16 | where a conversation stands, for both sides |
//! | `recent` | app 4, account 8, inverted time 4, peer 8 | nothing |
//! | `meta` | name | number |
//! | `padding` | name | zeros, for a moment |
//! | `log-DAY` | cursor 8 | crc 4, entry |
//! | `derived-DAY` | `r`, app 4, conversation 16, time 4, position 8 of the first | references of 29 bytes each |
//! | | `b`, app 4, conversation 16, time 4, position 8 | one reference to a message that came later than its time |
//! | | `m`, app 4, conversation 16, time 4, position 8 | what happened to a message later |
//! | | `s`, app 4, account 8, cursor 8 of the first | cursors of 8 bytes each: an account's stream |
//!
//! Logs and `records` are the truth. Everything else follows from the logs and is written behind them; `meta` says how
//! far, so a start continues from there. What has a DAY in its name has expired when that day begins; see `bucket`.

use model::{AccountNumber, ConversationId, HistoryKey, Position, SdkAppId, Seconds};
use ports::Cursor;
use ports::timeline::Recent;

/// A conversation of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Conversation {
    pub(crate) app: SdkAppId,
    pub(crate) id: ConversationId,
}

const CONVERSATION_BYTES: usize = 20;

/// The length of a key made by [`Conversation::place`].
pub(crate) const PLACE_BYTES: usize = CONVERSATION_BYTES + 13;

/// What a key in the derived part of a bucket begins with.
pub(crate) mod derived {
    /// References to messages in the order of the history.
    pub(crate) const REFERENCES: u8 = b'r';
    /// A reference to a message that came later than its time says.
    pub(crate) const BACKDATED: u8 = b'b';
    /// What happened to a message later.
    pub(crate) const AMENDMENT: u8 = b'm';
    /// A part of an account's stream.
    pub(crate) const STREAM: u8 = b's';
}

impl Conversation {
    pub(crate) fn key(self) -> [u8; CONVERSATION_BYTES] {
        let [low, high] = self.id.sides();
        let mut key = [0; CONVERSATION_BYTES];
        key[..4].copy_from_slice(&self.app.0.to_be_bytes());
        key[4..12].copy_from_slice(&low.0.to_be_bytes());
        key[12..].copy_from_slice(&high.0.to_be_bytes());
        key
    }

    /// The key of what is derived about a place in it.
    pub(crate) fn place(self, kind: u8, at: HistoryKey) -> [u8; PLACE_BYTES] {
        let mut key = [0; PLACE_BYTES];
        key[0] = kind;
        key[1..=CONVERSATION_BYTES].copy_from_slice(&self.key());
        key[CONVERSATION_BYTES + 1..CONVERSATION_BYTES + 5].copy_from_slice(&at.time.0.to_be_bytes());
        key[CONVERSATION_BYTES + 5..].copy_from_slice(&at.position.0.to_be_bytes());
        key
    }

    /// The conversation and the place that a key made by [`Self::place`] names.
    pub(crate) fn of_place(key: &[u8]) -> Option<(Self, HistoryKey)> {
        let rest = key.get(1..)?;
        let time = u32::from_be_bytes(rest.get(CONVERSATION_BYTES..CONVERSATION_BYTES + 4)?.try_into().ok()?);
        let position = Position(read_u64(rest, CONVERSATION_BYTES + 4)?);
        Some((Self::of_key(rest)?, HistoryKey { time: Seconds(time), position }))
    }

    pub(crate) fn of_key(key: &[u8]) -> Option<Self> {
        let app = SdkAppId(u32::from_be_bytes(key.get(..4)?.try_into().ok()?));
        let side = |from: usize| Some(AccountNumber(read_u64(key, from)?));
        Some(Self { app, id: ConversationId::between(side(4)?, side(12)?) })
    }
}

pub(crate) fn read_u64(bytes: &[u8], from: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(from..from + 8)?.try_into().ok()?))
}

/// An account of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Account {
    pub(crate) app: SdkAppId,
    pub(crate) number: AccountNumber,
}

impl Account {
    pub(crate) fn key(self) -> [u8; 12] {
        let mut key = [0; 12];
        key[..4].copy_from_slice(&self.app.0.to_be_bytes());
        key[4..].copy_from_slice(&self.number.0.to_be_bytes());
        key
    }

    pub(crate) fn stream_key(self, first: Cursor) -> [u8; 21] {
        let mut key = [0; 21];
        key[0] = derived::STREAM;
        key[1..13].copy_from_slice(&self.key());
        key[13..].copy_from_slice(&first.0.to_be_bytes());
        key
    }

    /// The account of a key made by [`Self::stream_key`].
    pub(crate) fn of_stream_key(key: &[u8]) -> Option<Self> {
        let app = SdkAppId(u32::from_be_bytes(key.get(1..5)?.try_into().ok()?));
        Some(Self { app, number: AccountNumber(read_u64(key, 5)?) })
    }

    /// What a key made by [`Self::recent_key`] says.
    pub(crate) fn of_recent_key(key: &[u8]) -> Option<Recent> {
        let inverted = u32::from_be_bytes(key.get(12..16)?.try_into().ok()?);
        let peer = AccountNumber(read_u64(key, 16)?);
        Some(Recent { peer, active_at: Seconds(u32::MAX - inverted) })
    }

    /// Orders an account's conversations, the most recently active first.
    pub(crate) fn recent_key(self, active_at: Seconds, peer: AccountNumber) -> [u8; 24] {
        let mut key = [0; 24];
        key[..12].copy_from_slice(&self.key());
        key[12..16].copy_from_slice(&(u32::MAX - active_at.0).to_be_bytes());
        key[16..].copy_from_slice(&peer.0.to_be_bytes());
        key
    }
}

/// Where to find a message of a conversation, and what is asked about it most often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) at: HistoryKey,
    pub(crate) cursor: Cursor,
    /// The bucket that holds it; not part of its bytes.
    pub(crate) day: u16,
    /// The first half of the hash that recognises a resend; 0 for imports.
    pub(crate) fingerprint: u32,
    /// The second from which on it is invisible; 0 for never.
    pub(crate) expires_at: u32,
    pub(crate) flags: u8,
}

impl Reference {
    pub(crate) const BYTES: usize = 29;
    /// Which side sent it.
    pub(crate) const SIDE: u8 = 1;
    pub(crate) const UNCOUNTED: u8 = 2;
    pub(crate) const NOT_LAST: u8 = 4;
    pub(crate) const RECEIVER_ONLY: u8 = 8;
    pub(crate) const SENDER_ONLY: u8 = 16;

    pub(crate) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn author_side(self) -> usize {
        usize::from(self.flags & Self::SIDE)
    }

    /// Whether this side never got the message.
    pub(crate) fn is_kept_from(self, side: usize) -> bool {
        let is_author = self.author_side() == side;
        self.has(Self::RECEIVER_ONLY) && is_author || self.has(Self::SENDER_ONLY) && !is_author
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.at.time.0.to_be_bytes());
        out.extend_from_slice(&self.at.position.0.to_be_bytes());
        out.extend_from_slice(&self.cursor.0.to_be_bytes());
        out.extend_from_slice(&self.fingerprint.to_be_bytes());
        out.extend_from_slice(&self.expires_at.to_be_bytes());
        out.push(self.flags);
    }

    pub(crate) fn read(bytes: &[u8], day: u16) -> Option<Self> {
        let word = |from: usize| Some(u32::from_be_bytes(bytes.get(from..from + 4)?.try_into().ok()?));
        Some(Self {
            at: HistoryKey { time: Seconds(word(0)?), position: Position(read_u64(bytes, 4)?) },
            cursor: Cursor(read_u64(bytes, 12)?),
            day,
            fingerprint: word(20)?,
            expires_at: word(24)?,
            flags: *bytes.get(28)?,
        })
    }

    /// Reads a chunk of references.
    pub(crate) fn read_all(chunk: &[u8], day: u16) -> Option<Vec<Self>> {
        if !chunk.len().is_multiple_of(Self::BYTES) {
            return None;
        }
        chunk.chunks_exact(Self::BYTES).map(|bytes| Self::read(bytes, day)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_references_read_back() {
        let conversation = Conversation {
            app: SdkAppId(7),
            id: ConversationId::between(AccountNumber(u64::MAX), AccountNumber(1)),
        };
        let at = HistoryKey { time: Seconds(5), position: Position(9) };
        assert_eq!(Conversation::of_key(&conversation.key()), Some(conversation));
        let key = conversation.place(derived::REFERENCES, at);
        assert_eq!(Conversation::of_place(&key), Some((conversation, at)));
        let reference = Reference { at, cursor: Cursor(3), day: 6, fingerprint: 4, expires_at: 5, flags: 9 };
        let mut bytes = Vec::new();
        reference.write(&mut bytes);
        assert_eq!(bytes.len(), Reference::BYTES);
        assert_eq!(Reference::read_all(&bytes, 6).unwrap(), vec![reference]);
        bytes.pop();
        assert_eq!(Reference::read_all(&bytes, 6), None);
        assert_eq!(reference.author_side(), 1);
        assert!(reference.is_kept_from(1) && !reference.is_kept_from(0));
    }

    #[test]
    fn recent_keys_order_the_newest_first() {
        let account = Account { app: SdkAppId(1), number: AccountNumber(2) };
        let key = |time| account.recent_key(Seconds(time), AccountNumber(3));
        assert!(key(2) < key(1));
        let found = Recent { peer: AccountNumber(3), active_at: Seconds(2) };
        assert_eq!(Account::of_recent_key(&key(2)), Some(found));
    }
}
