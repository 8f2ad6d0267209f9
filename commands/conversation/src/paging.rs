//! Pages of conversation lists: pinned conversations first, then the most recently active ones.

use std::cmp::Reverse;
use std::sync::Arc;

use command::Call;
use engine::facts::{AccountFact, ContactSettings};
use hashbrown::HashMap;
use model::{AccountNumber, Content, ConversationId, HistoryKey, Result, Seconds};
use ports::timeline::ConversationView;

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
    fn after(view: &ConversationView<Content>) -> Self {
        Self { time: view.active_at, start: offset(view.peer) }
    }

    /// How many of the conversations lie before it. If its conversation was active since, or is gone, the page begins with
    /// the first one that was not active later: none is passed over.
    fn position(self, views: &[ConversationView<Content>]) -> usize {
        if self.start == 0 {
            return 0;
        }
        let is_it = |view: &ConversationView<Content>| Self::after(view) == self;
        let not_later = || views.iter().position(|view| view.active_at <= self.time);
        let after = views.iter().position(is_it).map(|at| at + 1);
        after.or_else(not_later).unwrap_or(views.len())
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
    let limit = usize::try_from(call.app.settings.conversations_allowed()).unwrap_or(usize::MAX);
    let facts = call.engine.contacts.all(call.app.id, owner).await?.into_iter();
    let settings: HashMap<AccountNumber, ContactSettings> =
        facts.map(|fact| (fact.peer, fact.settings)).collect();
    let pins = settings.values().filter(|found| found.pinned_at.is_some()).count();
    // Each conversation costs several reads, and the first page rarely needs the whole list.
    let few = PAGE + pins + 1;
    if place.start == 0 && few < limit {
        let (page, count) = page_of(call, owner, place, flags, &settings, few).await?;
        if page.next.is_some() || count < few {
            return Ok(page);
        }
    }
    page_of(call, owner, place, flags, &settings, limit).await.map(|(page, _)| page)
}

/// A page out of the first so many conversations; and how many there were.
async fn page_of(
    call: &Call,
    owner: AccountNumber,
    place: Place,
    flags: u32,
    settings: &HashMap<AccountNumber, ContactSettings>,
    limit: usize,
) -> Result<(Page, usize)> {
    let (engine, app) = (&call.engine, call.app.id);
    let mut views = engine.conversations(app, owner, limit).await?;
    let count = views.len();
    let mut pinned = Vec::new();
    if flags & WITH_PINNED != 0 {
        pinned = take_pinned(call, owner, settings, &mut views).await?;
        if place.start != 0 {
            pinned.clear();
        }
    }
    let mut views = views.split_off(place.position(&views));
    if flags & WITH_EMPTY == 0 {
        pinned.retain(|view| view.last.is_some());
        views.retain(|view| view.last.is_some());
    }
    let mut rows = Vec::with_capacity(PAGE);
    let mut last = None;
    let pinned_count = pinned.len();
    let mut left = pinned.into_iter().chain(views).enumerate().peekable();
    while rows.len() < PAGE
        && let Some((at, view)) = left.next()
    {
        if at >= pinned_count {
            last = Some(Place::after(&view));
        }
        if let Some(peer) = engine.accounts.with_number(app, view.peer).await? {
            let settings = settings.get(&view.peer).cloned().unwrap_or_default();
            rows.push(Row { peer, view, settings });
        }
    }
    Ok((Page { rows, next: last.filter(|_| left.peek().is_some()) }, count))
}

/// Takes the pinned conversations out of a list, those that are not on it included; the last pinned one first.
async fn take_pinned(
    call: &Call,
    owner: AccountNumber,
    settings: &HashMap<AccountNumber, ContactSettings>,
    views: &mut Vec<ConversationView<Content>>,
) -> Result<Vec<ConversationView<Content>>> {
    let pins = settings.iter().filter_map(|(peer, found)| Some((Reverse(found.pinned_at?), *peer)));
    let mut pins: Vec<(Reverse<Seconds>, AccountNumber)> = pins.collect();
    pins.sort_unstable();
    let mut taken = Vec::with_capacity(pins.len());
    for (_, peer) in pins {
        taken.push(match views.iter().position(|view| view.peer == peer) {
            Some(at) => views.remove(at),
            None => {
                let found = call.engine.conversation(call.app.id, owner, peer).await?;
                found.unwrap_or_else(|| empty_view(owner, peer))
            }
        });
    }
    Ok(taken)
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

    fn view(peer: u64, active_at: u32) -> ConversationView<Content> {
        let peer = AccountNumber(AccountNumber::BASE + peer);
        let view = empty_view(AccountNumber(AccountNumber::BASE + 100), peer);
        ConversationView { active_at: Seconds(active_at), ..view }
    }

    #[test]
    fn a_page_begins_after_the_last_conversation_of_the_page_before() {
        let views = [view(3, 9), view(1, 7), view(4, 7), view(2, 5)];
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
            assert_eq!(place.position(&views), position, "{place:?}");
        }
    }
}
