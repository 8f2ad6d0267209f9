//! Walks over the references of a conversation in the order of the history, whatever holds them.

use fjall::Guard;
use model::HistoryKey;
use parking_lot::RwLock;
use ports::Fault;

use crate::codec::fault;
use crate::layout::{Conversation, Reference};
use crate::spaces::{Spaces, read_chunk};
use crate::state::State;

/// A part of a conversation's history, without its ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) after: HistoryKey,
    pub(crate) before: HistoryKey,
}

impl Window {
    fn holds(self, at: HistoryKey) -> bool {
        self.after < at && at < self.before
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

/// What a walk found.
pub(crate) struct Collected {
    /// In the order of the walk.
    pub(crate) references: Vec<Reference>,
    /// Whether the window holds no further one that was wanted.
    pub(crate) complete: bool,
}

/// A walk: what was in memory when it began, and where to read the rest.
pub(crate) struct Walk<'a> {
    spaces: &'a Spaces,
    conversation: Conversation,
    window: Window,
    /// Not yet written, in the order of the history.
    pending: Vec<Reference>,
    backdated: Vec<Reference>,
    has_backdated: bool,
    /// How many references to look at.
    pub(crate) scan_max: usize,
}

type References<'a> = Box<dyn Iterator<Item = Result<Reference, Fault>> + 'a>;

impl<'a> Walk<'a> {
    /// Begins a walk. Memory is looked at before the store: what is written in between is seen twice, not missed.
    pub(crate) fn new(
        spaces: &'a Spaces,
        state: &RwLock<State>,
        conversation: Conversation,
        window: Window,
    ) -> Result<Self, Fault> {
        let state = state.read();
        let has_backdated = match state.heads.get(&conversation) {
            Some(cached) => cached.head.has_backdated,
            None => spaces.head(conversation)?.is_some_and(|head| head.has_backdated),
        };
        let within = |reference: &&Reference| window.holds(reference.at);
        let pending = state.references.get(&conversation).map_or(&[][..], Vec::as_slice);
        let pending = pending.iter().filter(within).copied().collect();
        let from = (conversation, HistoryKey::START)..=(conversation, HistoryKey::END);
        let backdated = state.backdated.range(from).map(|(_, reference)| *reference).collect();
        Ok(Self { spaces, conversation, window, pending, backdated, has_backdated, scan_max: usize::MAX })
    }

    /// Walks until `limit` wanted references are found.
    pub(crate) fn collect(
        self,
        order: Order,
        limit: usize,
        mut wanted: impl FnMut(&Reference) -> Result<bool, Fault>,
    ) -> Result<Collected, Fault> {
        let mut references = Vec::new();
        for reference in self.merged(order).take(self.scan_max) {
            let reference = reference?;
            if !self.window.holds(reference.at) || !wanted(&reference)? {
                continue;
            }
            if references.len() == limit {
                return Ok(Collected { references, complete: false });
            }
            references.push(reference);
        }
        Ok(Collected { references, complete: true })
    }

    fn merged(&self, order: Order) -> References<'_> {
        let main = self.main(order);
        if !self.has_backdated {
            return main;
        }
        let mut main = main.peekable();
        let mut late = self.late(order).peekable();
        Box::new(std::iter::from_fn(move || {
            let main_first = match (main.peek(), late.peek()) {
                (Some(Ok(one)), Some(Ok(other))) if order == Order::OldestFirst => one.at < other.at,
                (Some(Ok(one)), Some(Ok(other))) => one.at > other.at,
                (Some(_), _) => true,
                (None, _) => false,
            };
            if main_first { main.next() } else { late.next() }
        }))
    }

    /// Messages that came in the order of their times.
    fn main(&self, order: Order) -> References<'_> {
        let first_pending = self.pending.first().map(|reference| reference.at);
        let stored = self.stored(order).filter(move |reference| match (reference, first_pending) {
            (Ok(reference), Some(first)) => reference.at < first,
            _ => true,
        });
        let pending = self.pending.iter().copied().map(Ok);
        match order {
            Order::OldestFirst => Box::new(stored.chain(pending)),
            Order::NewestFirst => Box::new(pending.rev().chain(stored)),
        }
    }

    fn stored(&self, order: Order) -> References<'_> {
        let (window, conversation) = (self.window, self.conversation);
        let start = |from: HistoryKey| conversation.place(from);
        match order {
            Order::NewestFirst => {
                let range = start(HistoryKey::START)..=start(window.before);
                let chunks = self.spaces.references.range(range).rev();
                let inside = chunks.flat_map(|guard| chunk(guard, Order::NewestFirst));
                Box::new(inside.take_while(move |reference| after(reference, window.after)))
            }
            Order::OldestFirst => {
                let begin = match self.spaces.chunk_before(conversation, window.after) {
                    Ok(chunk) => chunk.first().map_or(window.after, |first| first.at),
                    Err(fault) => return Box::new(std::iter::once(Err(fault))),
                };
                let chunks = self.spaces.references.range(start(begin)..=start(window.before));
                Box::new(chunks.flat_map(|guard| chunk(guard, Order::OldestFirst)))
            }
        }
    }

    /// Imports that came later than their times say.
    fn late(&self, order: Order) -> References<'_> {
        let (window, conversation) = (self.window, self.conversation);
        let range = conversation.place(window.after)..=conversation.place(window.before);
        let mut all = std::collections::BTreeMap::new();
        for guard in self.spaces.backdated.range(range) {
            match guard.value().map_err(|error| fault(&error)).map(|bytes| Reference::read(&bytes)) {
                Ok(Some(reference)) => drop(all.insert(reference.at, reference)),
                Ok(None) => {
                    return Box::new(std::iter::once(Err(Fault::Corrupt(
                        "a backdated reference".to_owned(),
                    ))));
                }
                Err(fault) => return Box::new(std::iter::once(Err(fault))),
            }
        }
        for reference in self.backdated.iter().filter(|reference| window.holds(reference.at)) {
            all.insert(reference.at, *reference);
        }
        match order {
            Order::OldestFirst => Box::new(all.into_values().map(Ok)),
            Order::NewestFirst => Box::new(all.into_values().rev().map(Ok)),
        }
    }
}

fn after(reference: &Result<Reference, Fault>, place: HistoryKey) -> bool {
    reference.as_ref().map_or(true, |reference| reference.at > place)
}

fn chunk(guard: Guard, order: Order) -> Vec<Result<Reference, Fault>> {
    match read_chunk(guard) {
        Ok(mut references) => {
            if order == Order::NewestFirst {
                references.reverse();
            }
            references.into_iter().map(Ok).collect()
        }
        Err(fault) => vec![Err(fault)],
    }
}
