//! Records of streams that are not yet messages.

use model::{AccountNumber, ConversationId, DataClass, MessageKey, Sealed, Subject};
use ports::{Kind, Record};
use serde::{Deserialize, Serialize};

/// What names a stream.
pub(super) type StreamId = [u8; 16];

/// A stream that is not yet a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamFact {
    /// What names it.
    pub id: StreamId,
    /// Who sends it.
    pub author: AccountNumber,
    /// To whom.
    pub receiver: AccountNumber,
    /// The key of the message that it becomes.
    pub key: MessageKey,
    /// Whether the sender keeps no copy.
    pub receiver_only: bool,
    /// How many pieces there are: the index of the newest one.
    pub pieces: u32,
    /// Bytes of text so far.
    pub bytes: usize,
    /// Whether no further piece is taken.
    pub is_over: bool,
    /// Whether it does not become a message: its conversation's history was erased.
    #[serde(default)]
    pub is_dropped: bool,
}

impl StreamFact {
    /// The index by sender.
    pub(crate) const BY_AUTHOR: u8 = 1;
    /// The index by receiver.
    pub(crate) const BY_RECEIVER: u8 = 2;

    pub(super) fn conversation(&self) -> ConversationId {
        ConversationId::between(self.author, self.receiver)
    }
}

impl Record for StreamFact {
    const KIND: Kind = Kind { id: 37, name: "open stream", class: DataClass::MESSAGE };

    fn key(&self) -> Vec<u8> {
        self.id.to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.author)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        sides(self.author, self.receiver)
    }
}

/// A piece of a stream that is not yet a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceFact {
    /// Which stream.
    pub id: StreamId,
    /// Its number, from 1.
    pub index: u32,
    /// Who sends it.
    pub author: AccountNumber,
    /// To whom.
    pub receiver: AccountNumber,
    /// What it says, sealed.
    pub sealed: Sealed,
}

impl PieceFact {
    /// The index by sender.
    pub(crate) const BY_AUTHOR: u8 = 1;
    /// The index by receiver.
    pub(crate) const BY_RECEIVER: u8 = 2;
}

impl Record for PieceFact {
    const KIND: Kind = Kind { id: 38, name: "piece of a stream", class: DataClass::MESSAGE };

    fn key(&self) -> Vec<u8> {
        [&self.id[..], &self.index.to_be_bytes()].concat()
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.author)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        sides(self.author, self.receiver)
    }
}

fn sides(author: AccountNumber, receiver: AccountNumber) -> Vec<(u8, Vec<u8>)> {
    vec![
        (StreamFact::BY_AUTHOR, author.0.to_be_bytes().to_vec()),
        (StreamFact::BY_RECEIVER, receiver.0.to_be_bytes().to_vec()),
    ]
}
