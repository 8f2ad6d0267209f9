//! Walks over the references of a conversation in the order of the history, whatever holds them.

use std::iter::Peekable;
use std::sync::Arc;

use fjall::Guard;
use model::HistoryKey;
use parking_lot::RwLock;
use ports::Fault;

use crate::bucket::Bucket;
use crate::codec::fault;
use crate::head::Part;
use crate::layout::{Conversation, Reference, derived};
use crate::spaces::{Spaces, chunk_before, read_chunk};
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
    /// The written parts of the conversation that the window touches.
    parts: Vec<Part>,
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
        let of_head = |head: &crate::head::Head| {
            let touched = |part: &&Part| part.first <= window.before.time && window.after.time <= part.last;
            (head.has_backdated, head.buckets.iter().filter(touched).copied().collect())
        };
        let (has_backdated, parts) = match state.heads.get(&conversation) {
            Some(cached) => of_head(&cached.head),
            None => spaces.head(conversation)?.as_ref().map(of_head).unwrap_or_default(),
        };
        let within = |reference: &&Reference| window.holds(reference.at);
        let pending = state.references.get(&conversation).map_or(&[][..], Vec::as_slice);
        let pending = pending.iter().filter(within).copied().collect();
        let from = (conversation, HistoryKey::START)..=(conversation, HistoryKey::END);
        let backdated = state.backdated.range(from).map(|(_, reference)| *reference).collect();
        let scan_max = usize::MAX;
        Ok(Self { spaces, conversation, window, pending, backdated, has_backdated, parts, scan_max })
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

    /// What is written, of all buckets, each looked at only when its turn comes.
    fn stored(&self, order: Order) -> References<'_> {
        let mut waiting = self.parts.clone();
        match order {
            // The next one is the last of the list.
            Order::NewestFirst => waiting.sort_unstable_by_key(|part| part.last),
            Order::OldestFirst => waiting.sort_unstable_by_key(|part| std::cmp::Reverse(part.first)),
        }
        Box::new(Merged { walk: self, order, waiting, open: Vec::new() })
    }

    fn stored_in(&self, bucket: Arc<Bucket>, order: Order) -> References<'_> {
        let (window, conversation) = (self.window, self.conversation);
        let place = |at: HistoryKey| conversation.place(derived::REFERENCES, at);
        let day = bucket.day;
        match order {
            Order::NewestFirst => {
                let chunks = bucket.derived.range(place(HistoryKey::START)..=place(window.before)).rev();
                let inside = chunks.flat_map(move |guard| chunk(guard, day, Order::NewestFirst));
                Box::new(inside.take_while(move |reference| after(reference, window.after)))
            }
            Order::OldestFirst => {
                let begin = match chunk_before(&bucket, conversation, window.after) {
                    Ok(chunk) => chunk.first().map_or(window.after, |first| first.at),
                    Err(fault) => return Box::new(std::iter::once(Err(fault))),
                };
                let chunks = bucket.derived.range(place(begin)..=place(window.before));
                Box::new(chunks.flat_map(move |guard| chunk(guard, day, Order::OldestFirst)))
            }
        }
    }

    /// Imports that came later than their times say.
    fn late(&self, order: Order) -> References<'_> {
        let (window, conversation) = (self.window, self.conversation);
        let place = |at: HistoryKey| conversation.place(derived::BACKDATED, at);
        let mut all = std::collections::BTreeMap::new();
        for bucket in self.parts.iter().filter_map(|part| self.spaces.buckets.get(part.day)) {
            for guard in bucket.derived.range(place(window.after)..=place(window.before)) {
                let bytes = guard.value().map_err(|error| fault(&error));
                match bytes.map(|bytes| Reference::read(&bytes, bucket.day)) {
                    Ok(Some(reference)) => drop(all.insert(reference.at, reference)),
                    Ok(None) => {
                        let damaged = Fault::Corrupt("a backdated reference".to_owned());
                        return Box::new(std::iter::once(Err(damaged)));
                    }
                    Err(fault) => return Box::new(std::iter::once(Err(fault))),
                }
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

/// The references of several buckets as one list. Most often their times do not overlap, and one is read after the
/// other.
struct Merged<'a> {
    walk: &'a Walk<'a>,
    order: Order,
    waiting: Vec<Part>,
    open: Vec<Peekable<References<'a>>>,
}

impl Merged<'_> {
    /// The list whose next reference comes first; a fault comes before everything.
    fn first(&mut self) -> Option<(usize, Option<HistoryKey>)> {
        let mut first: Option<(usize, Option<HistoryKey>)> = None;
        let order = self.order;
        for (index, list) in self.open.iter_mut().enumerate() {
            let Some(next) = list.peek() else { continue };
            let at = next.as_ref().ok().map(|reference| reference.at);
            let is_better = match (at, first) {
                (_, None) | (None, _) => true,
                (Some(_), Some((_, None))) => false,
                (Some(at), Some((_, Some(best)))) if order == Order::NewestFirst => at > best,
                (Some(at), Some((_, Some(best)))) => at < best,
            };
            if is_better {
                first = Some((index, at));
            }
        }
        first
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<Reference, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = self.first();
            let is_next = |part: &Part| match (first, self.order) {
                (Some((_, Some(at))), Order::NewestFirst) => part.last >= at.time,
                (Some((_, Some(at))), Order::OldestFirst) => part.first <= at.time,
                (Some((_, None)), _) => false,
                (None, _) => true,
            };
            match self.waiting.pop_if(|part| is_next(part)) {
                Some(part) => {
                    // One that was dropped meanwhile holds nothing that anybody may see.
                    if let Some(bucket) = self.walk.spaces.buckets.get(part.day) {
                        self.open.push(self.walk.stored_in(bucket, self.order).peekable());
                    }
                }
                None => return first.and_then(|(index, _)| self.open.get_mut(index)?.next()),
            }
        }
    }
}

fn after(reference: &Result<Reference, Fault>, place: HistoryKey) -> bool {
    reference.as_ref().map_or(true, |reference| reference.at > place)
}

fn chunk(guard: Guard, day: u16, order: Order) -> Vec<Result<Reference, Fault>> {
    match read_chunk(guard, day) {
        Ok(mut references) => {
            if order == Order::NewestFirst {
                references.reverse();
            }
            references.into_iter().map(Ok).collect()
        }
        Err(fault) => vec![Err(fault)],
    }
}
