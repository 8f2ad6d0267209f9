//! Extensions: keys and values that accounts set on a message, each with the sequence of its last change.
//!
//! A key that was deleted leaves a mark, so that a client which was away learns of it when it asks for what changed.

use model::settings::App;
use model::{AccountNumber, ErrorCode, Result, SdkAppId};
use ports::Fault;
use ports::records::Write;
use promise::keys::Destroyed;

use super::removal::Removal;
use super::{About, Annotated, ExtensionFact, Maker};
use crate::Engine;
use crate::push;
use crate::store::{TRIES_MAX, put};

/// The most keys of one change (page 1047/51195).
pub const EXTENSIONS_AT_ONCE: usize = 20;

/// The most keys of a message (page 1047/51195).
pub const EXTENSIONS_MAX: usize = 300;

/// The longest key, in bytes (page 1047/51195).
pub const KEY_BYTES_MAX: usize = 100;

/// The longest value, in bytes (page 1047/51195).
pub const VALUE_BYTES_MAX: usize = 1000;

/// The most keys of one page (page 1047/51194).
pub const PAGE_MAX: usize = 200;

/// The most deleted keys that are remembered for a message; the oldest are forgotten.
const MARKS_MAX: usize = 300;

/// What is done to keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// They get values.
    Set,
    /// They are deleted.
    Delete,
}

/// A key and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// The value; empty for a key that is not there.
    pub value: String,
    /// The sequence of its last change; in a request the one that the caller knows, 0 for none.
    pub sequence: u64,
}

impl std::fmt::Debug for Pair {
    // What people wrote never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

/// What became of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why nothing was done, if so: `ExtensionConflict` or `ExtensionMissing`.
    pub error: Option<ErrorCode>,
    /// The key as it is now.
    pub pair: Pair,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Of each key, in the order of the request.
    pub outcomes: Vec<Outcome>,
    /// The sequence of the last change of the message's extensions.
    pub latest: u64,
}

/// A page of a message's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extensions {
    /// Keys and values, in the order of their sequences.
    pub pairs: Vec<Pair>,
    /// Whether there is nothing after them.
    pub is_complete: bool,
    /// The sequence of the last change.
    pub latest: u64,
    /// Up to which sequence all were cleared.
    pub cleared: u64,
}

/// An extension, opened; without a value the mark of a deleted one.
struct Kept {
    sequence: u64,
    by: AccountNumber,
    key: String,
    value: Option<String>,
    /// As it is stored, if it is.
    stored: Option<ExtensionFact>,
}

impl Kept {
    fn pair(&self) -> Pair {
        let value = self.value.clone().unwrap_or_default();
        Pair { key: self.key.clone(), value, sequence: self.sequence }
    }
}

/// The extensions of a message while they are changed.
struct Draft {
    kept: Vec<Kept>,
    latest: u64,
    /// The records that are to be removed.
    gone: Vec<ExtensionFact>,
}

impl Draft {
    fn take(&mut self, index: usize) {
        let taken = self.kept.remove(index);
        self.gone.extend(taken.stored);
    }

    /// Does one thing to one key. Who must know the sequence of what it changes (`is_checked`) is refused if it does not;
    /// a key that is not there may be set by whoever knows of none, or of its deletion.
    fn apply(&mut self, operation: Operation, asked: Pair, by: AccountNumber, is_checked: bool) -> Outcome {
        let index = self.kept.iter().position(|kept| kept.key == asked.key);
        let current = index.and_then(|index| self.kept.get(index));
        let is_there = current.is_some_and(|kept| kept.value.is_some());
        let is_known = current.is_none_or(|kept| {
            asked.sequence == kept.sequence || asked.sequence == 0 && kept.value.is_none()
        });
        let error = match operation {
            Operation::Delete if !is_there => Some(ErrorCode::ExtensionMissing),
            _ if is_checked && !is_known => Some(ErrorCode::ExtensionConflict),
            _ => None,
        };
        if error.is_some() {
            let nothing = || Pair { key: asked.key.clone(), value: String::new(), sequence: 0 };
            return Outcome { error, pair: current.map_or_else(nothing, Kept::pair) };
        }
        if let Some(index) = index {
            self.take(index);
        }
        self.latest += 1;
        let value = (operation == Operation::Set).then_some(asked.value);
        let kept = Kept { sequence: self.latest, by, key: asked.key, value, stored: None };
        let pair = kept.pair();
        self.kept.push(kept);
        Outcome { error: None, pair }
    }

    /// Forgets the oldest marks beyond their limit.
    ///
    /// # Errors
    /// `MessageBadJson` if there are more keys than a message may have.
    fn check(&mut self) -> Result<()> {
        let marks = self.kept.iter().filter(|kept| kept.value.is_none()).count();
        if self.kept.len() - marks > EXTENSIONS_MAX {
            return Err(ErrorCode::MessageBadJson
                .because(format!("ExtensionList: a message has at most {EXTENSIONS_MAX} keys")));
        }
        for _ in MARKS_MAX..marks {
            if let Some(oldest) = self.kept.iter().position(|kept| kept.value.is_none()) {
                self.take(oldest);
            }
        }
        Ok(())
    }
}

impl Engine {
    /// Sets or deletes keys of a message, each for itself, and tells the sides. `is_checked`: the sequences of the request
    /// have to be the current ones, as of everybody but administrators.
    ///
    /// # Errors
    /// `KeyMalformed` if the message takes no extensions or went meanwhile, `MessageBadJson` if it would have too many.
    pub async fn change_extensions(
        &self,
        app: &App,
        message: &Annotated,
        maker: Maker,
        operation: Operation,
        pairs: &[Pair],
        is_checked: bool,
    ) -> Result<Changed> {
        check_support(message)?;
        for _ in 0..TRIES_MAX {
            let (mut numbers, version) = self.numbers(app.id, message.about).await?;
            let kept = self.kept(app.id, &message.about).await?;
            let mut draft = Draft { kept, latest: numbers.sequence, gone: Vec::new() };
            let apply = |pair: &Pair| draft.apply(operation, pair.clone(), maker.number, is_checked);
            let outcomes: Vec<Outcome> = pairs.iter().map(apply).collect();
            draft.check()?;
            let changed = Changed { outcomes, latest: draft.latest };
            if changed.latest == numbers.sequence {
                return Ok(changed);
            }
            numbers.sequence = draft.latest;
            let (writes, doomed) = self.writes(app, message, draft)?;
            if self.change_annotations(app, message, maker, (&numbers, version), writes).await? {
                self.doom_annotations(doomed);
                let done = changed.outcomes.iter().filter(|outcome| outcome.error.is_none());
                let pairs: Vec<&Pair> = done.map(|outcome| &outcome.pair).collect();
                let frame = push::extensions_changed(message.named(), operation, &pairs, changed.latest);
                self.tell_viewers(app.id, message, maker, &frame);
                return Ok(changed);
            }
        }
        Err(ErrorCode::MessageServiceUnavailable.into())
    }

    /// Deletes every key of a message; the sequence of the last change.
    ///
    /// # Errors
    /// `KeyMalformed` if the message takes no extensions or went meanwhile.
    pub async fn clear_extensions(&self, app: &App, message: &Annotated, maker: Maker) -> Result<u64> {
        check_support(message)?;
        for _ in 0..TRIES_MAX {
            let (mut numbers, version) = self.numbers(app.id, message.about).await?;
            let facts: Vec<ExtensionFact> = self.annotations(app.id, &message.about).await?;
            if facts.is_empty() {
                return Ok(numbers.sequence);
            }
            numbers.sequence += 1;
            numbers.cleared = numbers.sequence;
            let mut removal = Removal::new(app.id, self.context.clock.now().seconds());
            for fact in &facts {
                removal.add(fact)?;
            }
            let (writes, doomed) = removal.into_parts();
            if self.change_annotations(app, message, maker, (&numbers, version), writes).await? {
                self.doom_annotations(doomed);
                let frame = push::extensions_cleared(message.named(), numbers.cleared);
                self.tell_viewers(app.id, message, maker, &frame);
                return Ok(numbers.sequence);
            }
        }
        Err(ErrorCode::MessageServiceUnavailable.into())
    }

    /// A page of a message's extensions from a sequence on. Who asks for what changed since (`from` above 0) also gets keys
    /// that were deleted, with empty values.
    ///
    /// # Errors
    /// What the store says.
    pub async fn extensions(&self, app: &App, message: &Annotated, from: u64) -> Result<Extensions> {
        let (numbers, _) = self.numbers(app.id, message.about).await?;
        let mut kept = self.kept(app.id, &message.about).await?;
        kept.retain(|kept| kept.sequence >= from && (from > 0 || kept.value.is_some()));
        Ok(Extensions {
            pairs: kept.iter().take(PAGE_MAX).map(Kept::pair).collect(),
            is_complete: kept.len() <= PAGE_MAX,
            latest: numbers.sequence,
            cleared: numbers.cleared,
        })
    }

    /// Every extension of a message that can be opened, in the order of their sequences.
    async fn kept(&self, app: SdkAppId, about: &About) -> Result<Vec<Kept>> {
        let facts: Vec<ExtensionFact> = self.annotations(app, about).await?;
        let open = |fact: ExtensionFact| {
            let (key, value) = self.open_extension(app, &fact)?;
            Some(Kept { sequence: fact.sequence, by: fact.by, key, value, stored: Some(fact) })
        };
        Ok(facts.into_iter().filter_map(open).collect())
    }

    /// Key and value of an extension; without a value it is deleted.
    pub(crate) fn open_extension(
        &self,
        app: SdkAppId,
        fact: &ExtensionFact,
    ) -> Option<(String, Option<String>)> {
        serde_json::from_slice(&self.open_annotation(app, fact)?).ok()
    }

    /// What makes a draft last, and the keys that are destroyed by it.
    fn writes(&self, app: &App, message: &Annotated, draft: Draft) -> Result<(Vec<Write>, Vec<Destroyed>)> {
        let mut removal = Removal::new(app.id, self.context.clock.now().seconds());
        for fact in &draft.gone {
            removal.add(fact)?;
        }
        let (mut writes, doomed) = removal.into_parts();
        for kept in draft.kept.iter().filter(|kept| kept.stored.is_none()) {
            let bytes = serde_json::to_vec(&(&kept.key, &kept.value))
                .map_err(|error| Fault::Corrupt(format!("cannot encode an extension: {error}")))?;
            let (stamp, sealed) = self.seal_annotation(app, message, kept.by, bytes)?;
            let fact = ExtensionFact { about: message.about, by: kept.by, sequence: kept.sequence, sealed };
            writes.push(put(stamp, &fact)?);
        }
        Ok((writes, doomed))
    }
}

fn check_support(message: &Annotated) -> Result<()> {
    if message.supports_extension {
        return Ok(());
    }
    Err(ErrorCode::KeyMalformed.because("MsgKey: the message was sent without SupportMessageExtension"))
}

#[cfg(test)]
mod tests {
    use model::{ConversationId, HistoryKey, MessageKey, Position, Sealed, Seconds};

    use super::*;

    const BY: AccountNumber = AccountNumber(1);

    fn stored(sequence: u64) -> ExtensionFact {
        let at = HistoryKey { time: Seconds(1), position: Position(2) };
        let message = MessageKey { sequence: 3, random: 4, time: Seconds(1) };
        let conversation = ConversationId::between(BY, AccountNumber(2));
        let sealed = Sealed { bucket: 1, index: sequence, sealed_at: Seconds(1), bytes: bytes::Bytes::new() };
        ExtensionFact { about: About { conversation, at, message }, by: BY, sequence, sealed }
    }

    fn pair(key: &str, value: &str, sequence: u64) -> Pair {
        Pair { key: key.to_owned(), value: value.to_owned(), sequence }
    }

    fn draft() -> Draft {
        Draft { kept: Vec::new(), latest: 0, gone: Vec::new() }
    }

    #[test]
    fn who_changes_a_key_has_to_know_its_sequence() {
        let mut draft = draft();
        let mut change = |operation, value: &str, known, is_checked| {
            let outcome = draft.apply(operation, pair("k", value, known), BY, is_checked);
            (outcome.error, outcome.pair.value, outcome.pair.sequence)
        };
        let conflict = Some(ErrorCode::ExtensionConflict);
        let missing = Some(ErrorCode::ExtensionMissing);
        for (operation, value, known, is_checked, expected) in [
            (Operation::Delete, "", 0, true, (missing, "", 0)),
            (Operation::Set, "a", 0, true, (None, "a", 1)),
            (Operation::Set, "b", 0, true, (conflict, "a", 1)),
            (Operation::Set, "b", 1, true, (None, "b", 2)),
            (Operation::Set, "c", 0, false, (None, "c", 3)),
            (Operation::Delete, "", 2, true, (conflict, "c", 3)),
            (Operation::Delete, "", 3, true, (None, "", 4)),
            (Operation::Delete, "", 4, true, (missing, "", 4)),
            (Operation::Set, "d", 3, true, (conflict, "", 4)),
            (Operation::Set, "d", 4, true, (None, "d", 5)),
            (Operation::Delete, "", 0, false, (None, "", 6)),
            (Operation::Set, "e", 0, true, (None, "e", 7)),
        ] {
            let found = change(operation, value, known, is_checked);
            assert_eq!(
                found,
                (expected.0, expected.1.to_owned(), expected.2),
                "{operation:?} {value} {known}"
            );
        }
        assert_eq!(draft.kept.len(), 1, "the former ones were never stored");
        assert!(draft.gone.is_empty());
    }

    #[test]
    fn keys_and_marks_have_limits() {
        let mut draft = draft();
        for number in 0..EXTENSIONS_MAX {
            draft.apply(Operation::Set, pair(&number.to_string(), "v", 0), BY, true);
        }
        assert!(draft.check().is_ok());
        draft.apply(Operation::Set, pair("one more", "v", 0), BY, true);
        assert_eq!(draft.check().map_err(|error| error.code), Err(ErrorCode::MessageBadJson));
        draft.apply(Operation::Delete, pair("one more", "", 0), BY, false);
        for number in 0..EXTENSIONS_MAX {
            draft.apply(Operation::Delete, pair(&number.to_string(), "", 0), BY, false);
        }
        draft.kept.iter_mut().for_each(|kept| kept.stored = Some(stored(kept.sequence)));
        assert!(draft.check().is_ok());
        assert_eq!(draft.kept.len(), MARKS_MAX);
        assert_eq!(draft.gone, [stored(302)], "the oldest mark");
    }
}
