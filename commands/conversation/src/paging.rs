//! Pages of conversation lists: pinned conversations first, then the most recently active ones.

use std::cmp::Reverse;
use std::sync::Arc;

use command::Call;
use engine::facts::{AccountFact, ContactSettings};
use hashbrown::HashMap;
use model::{AccountNumber, Content, ConversationId, HistoryKey, Result, Seconds};
use ports::timeline::{ConversationView, Recent};

/// Conversations of one page.
pub(crate) const PAGE: usize = 100;

/// `AssistFlags`, page 1047/43087: pinned conversations come first and are told as such; without it they stand where they
/// would if they were not pinned.
pub(crate) const WITH_PINNED: u32 = 1;

/// Conversations without a message that the owner can see are listed.
pub(crate) const WITH_EMPTY: u32 = 2;

/// Marks, custom data and conversation groups are told.
pub(crate) const WITH_MARKS: u32 = 32;

/// Where a page begins, as the page before it said: after the conversation with account `start`, last active at `time`. With
/// `start` 0 it is the first page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// When the last conversation of the page before was last active.
    pub(crate) time: Seconds,
    /// Its other side: how far the number lies above [`AccountNumber::BASE`].
    pub(crate) start: u64,
}

impl Place {
    fn after(found: Recent) -> Self {
        Self { time: found.active_at, start: offset(found.peer) }
    }

    /// How many of the conversations lie before it. If its conversation was active since, or is gone, the page begins with
    /// the first one that was not active later: none is passed over.
    fn position(self, recent: &[Recent]) -> usize {
        if self.start == 0 {
            return 0;
        }
        let not_later = || recent.iter().position(|found| found.active_at <= self.time);
        let after = recent.iter().position(|found| Self::after(*found) == self).map(|at| at + 1);
        after.or_else(not_later).unwrap_or(recent.len())
    }
}

/// The number of an account as a small one, which clients can compute with.
pub(crate) fn offset(account: AccountNumber) -> u64 {
    account.0.saturating_sub(AccountNumber::BASE)
}

/// A conversation of a page.
pub(crate) struct Row {
    /// The other side.
    pub(crate) peer: Arc<AccountFact>,
    /// What was said.
    pub(crate) view: ConversationView<Content>,
    /// What the owner set for it.
    pub(crate) settings: ContactSettings,
}

/// A page of a list.
pub(crate) struct Page {
    /// The conversations. Those with accounts that are gone have no name any more and are left out.
    pub(crate) rows: Vec<Row>,
    /// Where the next page begins; `None` after the last one.
    pub(crate) next: Option<Place>,
}

/// A page of an account's list: at most 50 pinned conversations, all of them on the first page, and the app's number of
/// recent ones.
///
/// # Errors
/// What the store says.
pub(crate) async fn page(call: &Call, owner: AccountNumber, place: Place, flags: u32) -> Result<Page> {
    let (engine, app) = (&call.engine, call.app.id);
    let limit = usize::try_from(call.app.settings.conversations_allowed()).unwrap_or(usize::MAX);
    let facts = engine.contacts.all(app, owner).await?.into_iter();
    let mut settings: HashMap<AccountNumber, ContactSettings> =
        facts.map(|fact| (fact.peer, fact.settings)).collect();
    let mut recent = engine.recent(app, owner, limit).await?;
    let mut pinned = Vec::new();
    if flags & WITH_PINNED != 0 {
        pinned = pins(&settings);
        recent.retain(|found| !pinned.contains(&found.peer));
        if place.start != 0 {
            pinned.clear();
        }
    }
    let recent = recent.split_off(place.position(&recent));
    let pinned = pinned.into_iter().map(|peer| (peer, None));
    let order = pinned.chain(recent.into_iter().map(|found| (found.peer, Some(Place::after(found)))));
    let (mut rows, mut last) = (Vec::with_capacity(PAGE), None);
    for (number, place) in order {
        let found = engine.conversation(app, owner, number).await?;
        let view = found.unwrap_or_else(|| empty_view(owner, number));
        // Taken off the list just now, or without anything to show.
        let is_left_out =
            place.is_some() && !view.is_listed || flags & WITH_EMPTY == 0 && view.last.is_none();
        if is_left_out {
            continue;
        }
        let Some(peer) = engine.accounts.with_number(app, number).await? else { continue };
        if rows.len() == PAGE {
            return Ok(Page { rows, next: last });
        }
        // Pinned ones come on the first page alone; no page begins after one.
        last = place.or(last);
        rows.push(Row { peer, view, settings: settings.remove(&number).unwrap_or_default() });
    }
    Ok(Page { rows, next: None })
}

/// The pinned conversations, the last pinned one first, whether or not they are on the list.
fn pins(settings: &HashMap<AccountNumber, ContactSettings>) -> Vec<AccountNumber> {
    let pins = settings.iter().filter_map(|(peer, found)| Some((Reverse(found.pinned_at?), *peer)));
    let mut pins: Vec<(Reverse<Seconds>, AccountNumber)> = pins.collect();
    pins.sort_unstable();
    pins.into_iter().map(|(_, peer)| peer).collect()
}

/// A conversation in which nothing was ever said.
fn empty_view(owner: AccountNumber, peer: AccountNumber) -> ConversationView<Content> {
    ConversationView {
        conversation: ConversationId::between(owner, peer),
        peer,
        is_listed: false,
        active_at: Seconds(0),
        last: None,
        read_to: HistoryKey::START,
        peer_read_to: HistoryKey::START,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: u64, active_at: u32) -> Recent {
        Recent { peer: AccountNumber(AccountNumber::BASE + peer), active_at: Seconds(active_at) }
    }

    #[test]
    fn a_page_begins_after_the_last_conversation_of_the_page_before() {
        let recent = [found(3, 9), found(1, 7), found(4, 7), found(2, 5)];
        for (time, start, position) in [
            (0, 0, 0),
            (9, 3, 1),
            (7, 1, 2),
            (7, 4, 3),
            (5, 2, 4),
            // Active since: it stands before the place now.
            (6, 3, 3),
            // Gone: those of the same second come once more rather than not at all.
            (7, 8, 1),
            (4, 8, 4),
        ] {
            let place = Place { time: Seconds(time), start };
            assert_eq!(place.position(&recent), position, "{place:?}");
        }
    }
}
