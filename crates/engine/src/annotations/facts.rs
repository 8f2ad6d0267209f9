//! What is kept of extensions and reactions. No free text stands in a key: numbers order them, and texts are compared after
//! they were opened.

use model::{
    AccountNumber, ConversationId, DataClass, HistoryKey, Medium, MessageKey, Position, Sealed, Subject,
};
use ports::{Kind, Record};
use serde::{Deserialize, Serialize};

/// The index by account: both sides of the conversation, and who made it.
pub const OF_ACCOUNT: u8 = 1;

/// Which message an annotation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its conversation.
    pub conversation: ConversationId,
    /// Where it stands.
    pub at: HistoryKey,
    /// Its key on the wire.
    pub message: MessageKey,
}

/// What begins the keys of everything about a conversation's messages, in the order of the messages.
pub(super) fn of_conversation(conversation: ConversationId) -> Vec<u8> {
    let [low, high] = conversation.sides();
    [low.0.to_be_bytes(), high.0.to_be_bytes()].concat()
}

/// What begins the keys of everything about one message.
pub(super) fn of_message(conversation: ConversationId, position: Position) -> Vec<u8> {
    let mut key = of_conversation(conversation);
    key.extend_from_slice(&position.0.to_be_bytes());
    key
}

impl About {
    /// What begins the keys of everything about the message.
    pub(super) fn key(&self) -> Vec<u8> {
        of_message(self.conversation, self.at.position)
    }

    fn numbered(&self, number: u64) -> Vec<u8> {
        let mut key = self.key();
        key.extend_from_slice(&number.to_be_bytes());
        key
    }

    fn indexes(&self, by: Option<AccountNumber>) -> Vec<(u8, Vec<u8>)> {
        let [low, high] = self.conversation.sides();
        let mut accounts = vec![low];
        for account in [Some(high), by].into_iter().flatten() {
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        accounts.iter().map(|account| (OF_ACCOUNT, account.0.to_be_bytes().to_vec())).collect()
    }
}

/// A record about a message.
pub(crate) trait Annotation: Record {
    /// Which message.
    fn about(&self) -> &About;

    /// What somebody wrote, and who; `None` for numbers alone.
    fn said(&self) -> Option<(AccountNumber, &Sealed)>;
}

/// One key and value of a message's extensions, or that a key was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionFact {
    /// Of which message.
    pub about: About,
    /// Who set or deleted it.
    pub by: AccountNumber,
    /// Its sequence: each change of a message's extensions has the next one.
    pub sequence: u64,
    /// Key and value as JSON, sealed; of a deleted one the key alone.
    pub sealed: Sealed,
}

impl ExtensionFact {
    pub(super) fn key_of(about: &About, sequence: u64) -> Vec<u8> {
        about.numbered(sequence)
    }
}

impl Record for ExtensionFact {
    const KIND: Kind = Kind { id: 29, name: "message extension", class: DataClass::MESSAGE };

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.about, self.sequence)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.by)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        self.about.indexes(Some(self.by))
    }
}

impl Annotation for ExtensionFact {
    fn about(&self) -> &About {
        &self.about
    }

    fn said(&self) -> Option<(AccountNumber, &Sealed)> {
        Some((self.by, &self.sealed))
    }
}

/// The numbers of a message's extensions and reactions. Every change of them writes it, so that changes take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotationsFact {
    /// Of which message.
    pub about: About,
    /// The sequence of the last change of its extensions.
    pub sequence: u64,
    /// Up to which sequence they were cleared.
    pub cleared: u64,
    /// The number of the last reaction.
    pub reaction: u64,
}

impl Record for AnnotationsFact {
    const KIND: Kind =
        Kind { id: 30, name: "message annotations", class: DataClass::Message(Medium::Derived) };

    fn key(&self) -> Vec<u8> {
        self.about.key()
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.about.conversation.sides()[0])
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        self.about.indexes(None)
    }
}

impl Annotation for AnnotationsFact {
    fn about(&self) -> &About {
        &self.about
    }

    fn said(&self) -> Option<(AccountNumber, &Sealed)> {
        None
    }
}

/// One account's reaction to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionFact {
    /// To which message.
    pub about: About,
    /// Whose.
    pub by: AccountNumber,
    /// Its number: reactions stand in the order in which they were made.
    pub number: u64,
    /// Its text, sealed.
    pub sealed: Sealed,
}

impl Record for ReactionFact {
    const KIND: Kind = Kind { id: 31, name: "reaction", class: DataClass::MESSAGE };

    fn key(&self) -> Vec<u8> {
        self.about.numbered(self.number)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.by)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        self.about.indexes(Some(self.by))
    }
}

impl Annotation for ReactionFact {
    fn about(&self) -> &About {
        &self.about
    }

    fn said(&self) -> Option<(AccountNumber, &Sealed)> {
        Some((self.by, &self.sealed))
    }
}

#[cfg(test)]
mod tests {
    use model::Seconds;

    use super::*;

    #[test]
    fn everybody_concerned_finds_an_annotation_once() {
        let at = HistoryKey { time: Seconds(1), position: Position(2) };
        let message = MessageKey { sequence: 3, random: 4, time: Seconds(1) };
        for (sides, by, count) in [((1, 2), 2, 2), ((1, 2), 3, 3), ((1, 1), 1, 1)] {
            let conversation = ConversationId::between(AccountNumber(sides.0), AccountNumber(sides.1));
            let about = About { conversation, at, message };
            assert_eq!(about.indexes(Some(AccountNumber(by))).len(), count);
        }
    }
}
