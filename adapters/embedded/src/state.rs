//! What follows from the log, as far as it is not yet written behind it, and a cache of conversation heads.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use model::{AccountNumber, HistoryKey, Modification, Sealed, Seconds, UserId};
use ports::{Cursor, Entry, Event, Fault};
use serde::{Deserialize, Serialize};

use crate::head::{Head, Lies, Retries};
use crate::layout::{Account, Conversation, Reference};
use crate::spaces::Spaces;

/// Heads kept in memory beyond those with unwritten changes.
const HEADS_MAX: usize = 100_000;

/// Resends remembered in all conversations together; beyond it, those of conversations that are not in use go. They
/// are read again from the references when needed.
const RETRIES_MAX: usize = 4 << 20;

/// What happened to a message after it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Amendment {
    pub(crate) revoker: Option<UserId>,
    pub(crate) receipt_at: Option<Seconds>,
    pub(crate) deleted: [bool; 2],
    /// How often its content was changed.
    pub(crate) version: u32,
}

/// What becomes of the content of an entry in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rewrite {
    /// It goes: the message was recalled, or the modification handed it over.
    Empty,
    /// A modification's takes its place.
    Content(Modification, Sealed),
}

/// A head in memory.
pub(crate) struct Cached {
    pub(crate) head: Head,
    /// What the store holds, to know which `recent` keys to replace. `None`: not stored yet.
    pub(crate) stored: Option<Head>,
    pub(crate) retries: Option<Retries>,
    pub(crate) is_dirty: bool,
    generation: u64,
}

/// Everything derived that is not in the store yet.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) heads: HashMap<Conversation, Cached>,
    pub(crate) references: HashMap<Conversation, Vec<Reference>>,
    pub(crate) backdated: BTreeMap<(Conversation, HistoryKey), Reference>,
    pub(crate) amendments: BTreeMap<(Conversation, HistoryKey), (u16, Amendment)>,
    pub(crate) streams: HashMap<Account, Vec<Lies>>,
    pub(crate) active: HashMap<Account, HashSet<AccountNumber>>,
    pub(crate) rewrites: HashMap<Lies, Rewrite>,
    /// The newest entry that is contained here.
    pub(crate) applied: Cursor,
    pub(crate) unwritten: usize,
    generation: u64,
}

impl State {
    /// Loads a head into the cache if it is not there.
    pub(crate) fn load(&mut self, spaces: &Spaces, conversation: Conversation) -> Result<&mut Cached, Fault> {
        let generation = self.generation;
        let cached = match self.heads.entry(conversation) {
            hashbrown::hash_map::Entry::Occupied(occupied) => occupied.into_mut(),
            hashbrown::hash_map::Entry::Vacant(vacant) => {
                let stored = spaces.head(conversation)?;
                vacant.insert(Cached {
                    head: stored.clone().unwrap_or_default(),
                    stored,
                    retries: None,
                    is_dirty: false,
                    generation,
                })
            }
        };
        cached.generation = generation;
        Ok(cached)
    }

    /// Applies a durable entry that lies in the bucket of this day. Idempotent.
    pub(crate) fn apply(&mut self, spaces: &Spaces, day: u16, entry: &Arc<Entry>) -> Result<(), Fault> {
        let conversation = Conversation { app: entry.stamp.app, id: entry.conversation };
        let cached = self.load(spaces, conversation)?;
        if entry.position <= cached.head.position {
            self.applied = self.applied.max(entry.cursor);
            return Ok(());
        }
        let reference = cached.head.apply(entry, day);
        let was_dirty = std::mem::replace(&mut cached.is_dirty, true);
        if let (Some((reference, _)), Some(retries)) = (reference, cached.retries.as_mut()) {
            retries.remember(&reference);
        }
        match reference {
            Some((reference, true)) => {
                self.backdated.insert((conversation, reference.at), reference);
            }
            Some((reference, false)) => self.references.entry(conversation).or_default().push(reference),
            None => self.amend(spaces, conversation, day, entry)?,
        }
        for number in entry.concerns() {
            let account = Account { app: conversation.app, number };
            self.streams.entry(account).or_default().push((day, entry.cursor));
        }
        let newly_active = if was_dirty { &[][..] } else { &conversation.id.sides()[..] };
        for number in newly_active.iter().copied() {
            let account = Account { app: conversation.app, number };
            self.active.entry(account).or_default().insert(conversation.id.peer_of(number));
        }
        self.applied = self.applied.max(entry.cursor);
        self.unwritten += 1;
        Ok(())
    }

    fn amend(
        &mut self,
        spaces: &Spaces,
        conversation: Conversation,
        day: u16,
        entry: &Entry,
    ) -> Result<(), Fault> {
        let targets: Vec<HistoryKey> = match &entry.event {
            Event::Recall { target, .. } => vec![*target],
            Event::Modify { target, .. } => {
                self.rewrites.insert((day, entry.cursor), Rewrite::Empty);
                vec![*target]
            }
            Event::Receipt { targets, .. } => targets.iter().map(|target| target.at).collect(),
            Event::Delete { targets, .. } => targets.clone(),
            Event::Message(_) | Event::Read { .. } | Event::Clear { .. } => return Ok(()),
        };
        for target in &targets {
            // What has expired meanwhile needs no amendment any more.
            let Some(reference) = self.reference_at(spaces, conversation, *target)? else { continue };
            let mut amendment = match self.amendments.get(&(conversation, *target)) {
                Some((_, pending)) => pending.clone(),
                None => spaces.amendment(conversation, reference)?.unwrap_or_default(),
            };
            match &entry.event {
                Event::Recall { revoker, .. } => {
                    amendment.revoker = Some(revoker.clone());
                    self.rewrites.insert((reference.day, reference.cursor), Rewrite::Empty);
                }
                Event::Modify { modification, content, .. } if amendment.revoker.is_none() => {
                    amendment.version = modification.version;
                    let rewrite = Rewrite::Content(*modification, content.clone());
                    self.rewrites.insert((reference.day, reference.cursor), rewrite);
                }
                Event::Receipt { .. } => amendment.receipt_at = amendment.receipt_at.or(Some(entry.time)),
                Event::Delete { by, .. } => {
                    amendment.deleted[conversation.id.side_of(*by).unwrap_or(0)] = true;
                }
                Event::Modify { .. } | Event::Message(_) | Event::Read { .. } | Event::Clear { .. } => {}
            }
            self.amendments.insert((conversation, *target), (reference.day, amendment));
        }
        Ok(())
    }

    /// The reference at a place, if a message stands there.
    pub(crate) fn reference_at(
        &self,
        spaces: &Spaces,
        conversation: Conversation,
        at: HistoryKey,
    ) -> Result<Option<Reference>, Fault> {
        if let Some(reference) = self.backdated.get(&(conversation, at)) {
            return Ok(Some(*reference));
        }
        let pending = self.references.get(&conversation).map_or(&[][..], Vec::as_slice);
        if let Ok(index) = pending.binary_search_by_key(&at, |reference| reference.at) {
            return Ok(Some(pending[index]));
        }
        match self.heads.get(&conversation) {
            Some(cached) => spaces.reference_at(conversation, &cached.head, at),
            None => match spaces.head(conversation)? {
                Some(head) => spaces.reference_at(conversation, &head, at),
                None => Ok(None),
            },
        }
    }

    /// Forgets what has been written behind the log, and heads that nobody used lately.
    pub(crate) fn written(&mut self) {
        self.references.clear();
        self.backdated.clear();
        self.amendments.clear();
        self.streams.clear();
        self.active.clear();
        self.rewrites.clear();
        self.unwritten = 0;
        for cached in self.heads.values_mut().filter(|cached| cached.is_dirty) {
            cached.stored = Some(cached.head.clone());
            cached.is_dirty = false;
        }
        let remembered: usize =
            self.heads.values().filter_map(|cached| cached.retries.as_ref()).map(Retries::len).sum();
        if self.heads.len() > HEADS_MAX || remembered > RETRIES_MAX {
            let generation = self.generation;
            self.heads.retain(|_, cached| cached.generation == generation);
            self.generation += 1;
        }
    }
}
