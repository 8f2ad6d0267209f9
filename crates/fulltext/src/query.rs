//! What is looked for.

use crate::index::Document;
use crate::words::{Phrase, Text};

/// Which messages are wanted. What an empty list leaves open is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// A side of the conversations that are searched.
    pub viewer: u64,
    /// The other side, for one conversation alone.
    pub peer: Option<u64>,
    /// What they hold.
    pub phrases: Vec<Phrase>,
    /// Whether they hold all of it; otherwise any.
    pub wants_all: bool,
    /// Who wrote them.
    pub authors: Vec<u64>,
    /// What they carry, as bits.
    pub kinds: u16,
    /// Not earlier than this second.
    pub from: u32,
    /// Not later than this second.
    pub until: u32,
}

impl Query {
    /// Whether a text holds what is wanted.
    #[must_use]
    pub fn is_in(&self, text: &Text) -> bool {
        let holds = |phrase: &Phrase| text.holds(phrase);
        match self.wants_all {
            _ if self.phrases.is_empty() => true,
            true => self.phrases.iter().all(holds),
            false => self.phrases.iter().any(holds),
        }
    }

    /// Whether this message is wanted.
    #[must_use]
    pub fn matches(&self, document: &Document) -> bool {
        self.sides().is_none_or(|sides| sides == document.sides)
            && document.sides.contains(&self.viewer)
            && (self.from..=self.until).contains(&document.time)
            && (self.authors.is_empty() || self.authors.contains(&document.author))
            && (self.kinds == 0 || self.kinds & document.kinds != 0)
            && self.is_in(&document.text)
    }

    /// The sides of the one conversation that is searched, the lower one first.
    pub(crate) fn sides(&self) -> Option<[u64; 2]> {
        self.peer.map(|peer| [self.viewer.min(peer), self.viewer.max(peer)])
    }
}
