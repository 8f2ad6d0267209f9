//! Searches of messages, and what of their hits may be seen.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fulltext::{Hit, Phrase, Query};
use model::settings::App;
use model::{AccountNumber, Content, ConversationId, HistoryKey, Position, Result, SdkAppId, Seconds};
use ports::timeline::StoredMessage;

use super::{SEARCHES_MAX, Search, computed, texts};
use crate::Engine;

/// How many hits of one search are looked at if nothing else is configured, the latest first. What lies beyond is found by a
/// search of less: of one conversation, or of an earlier time.
pub const CONSIDERED_MAX: usize = 1000;

/// How often more hits are looked at where those that may be seen do not fill a page.
const FURTHER_MAX: usize = 4;

/// How often a search begins anew because an index was replaced meanwhile.
const TRIES_MAX: usize = 8;

/// So many entries of the log are read within a moment.
const NEARLY: u64 = 10_000;

/// How long a search waits for what was just sent.
const CATCH_UP: Duration = Duration::from_secs(1);

/// What somebody looks for in messages.
#[derive(Clone, Debug)]
pub struct WantedMessages {
    /// Who looks.
    pub viewer: AccountNumber,
    /// The other side, for one conversation alone.
    pub peer: Option<AccountNumber>,
    /// What they hold.
    pub phrases: Vec<Phrase>,
    /// Whether they hold all of it; otherwise any.
    pub wants_all: bool,
    /// Who wrote them; nobody: anybody.
    pub authors: Vec<AccountNumber>,
    /// What they carry, as bits of [`super::kind_bit`]; 0: anything.
    pub kinds: u16,
    /// Not earlier.
    pub from: Seconds,
    /// Not later.
    pub until: Seconds,
    /// At most so many messages, or conversations.
    pub count: usize,
    /// Only after this one, in the order of the answer.
    pub after: Option<Hit>,
}

/// What was found in a conversation.
#[derive(Debug)]
pub struct FoundConversation {
    /// The other side.
    pub peer: AccountNumber,
    /// How many messages were found in it.
    pub count: usize,
    /// Messages: those of this page, or where every conversation was searched the latest one. The latest first.
    pub messages: Vec<StoredMessage<Content>>,
}

/// A page of what was found.
#[derive(Debug, Default)]
pub struct FoundMessages {
    /// How many messages were found in the one conversation, or in how many conversations any was found. Counted among the
    /// latest hits that are looked at.
    pub total: usize,
    /// The conversation, or conversations with the latest messages first.
    pub conversations: Vec<FoundConversation>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Hit>,
    /// Whether everything that was sent was searched.
    pub is_complete: bool,
}

/// A hit that may be seen.
struct Seen {
    hit: Hit,
    message: StoredMessage<Content>,
}

impl WantedMessages {
    fn query(&self) -> Query {
        Query {
            viewer: self.viewer.0,
            peer: self.peer.map(|peer| peer.0),
            phrases: self.phrases.clone(),
            wants_all: self.wants_all,
            authors: self.authors.iter().map(|author| author.0).collect(),
            kinds: self.kinds,
            from: self.from.0,
            until: self.until.0,
        }
    }
}

impl Search {
    /// Whether everything is found soon.
    fn is_nearly_complete(&self) -> bool {
        let missing = self.goal.load(Ordering::Acquire).saturating_sub(*self.read_to.borrow());
        self.is_complete() || missing < NEARLY
    }

    /// Waits a moment for what was sent until now to be read: who sends finds it.
    pub(super) async fn catch_up(&self) {
        let end = self.context.timeline.end().0;
        let mut read_to = self.read_to.subscribe();
        self.wanted.notify_one();
        tokio::select! {
            biased;
            _ = read_to.wait_for(|read_to| *read_to >= end) => {}
            () = self.context.clock.sleep(CATCH_UP) => {}
        }
    }

    /// Where wanted messages may lie, the latest first; at most as many as are looked at.
    async fn candidates(&self, app: SdkAppId, query: Query, before: Option<Hit>) -> Result<Vec<Hit>> {
        let _turn = self.turns.acquire().await;
        let until = before.map_or(query.until, |hit| query.until.min(hit.time));
        let query = Arc::new(Query { until, ..query });
        for _ in 0..TRIES_MAX {
            let Some(mut hits) = self.look(app, &query, before).await? else { continue };
            hits.retain(|hit| before.is_none_or(|before| *hit < before));
            hits.sort_unstable_by(|one, other| other.cmp(one));
            hits.dedup();
            hits.truncate(self.options.considered_max);
            return Ok(hits);
        }
        Err(ports::Fault::Unavailable("indexes are replaced faster than they are read".to_owned()).into())
    }

    /// Looks everywhere; `None` if something was replaced meanwhile.
    async fn look(&self, app: SdkAppId, query: &Arc<Query>, before: Option<Hit>) -> Result<Option<Vec<Hit>>> {
        let today = self.today();
        // What is stored between these two looks is found twice rather than not at all.
        let mut hits = self.tail.lock().search(app, query, today);
        let (mut opened, mut bytes) = (Vec::new(), 0);
        for fact in self.shelf.of_app(app, today) {
            if fact.times.1 < query.from || fact.times.0 > query.until {
                continue;
            }
            match self.shelf.open(app, &fact).await? {
                Some(index) => {
                    bytes += index.bytes();
                    opened.push(index);
                }
                None if self.shelf.holds(app, &fact) => self.is_broken(app, fact.bucket).await,
                None => return Ok(None),
            }
            if bytes >= self.options.opened_bytes_max / 2 / SEARCHES_MAX {
                bytes = 0;
                hits.extend(self.search(std::mem::take(&mut opened), query, before).await?);
            }
        }
        hits.extend(self.search(opened, query, before).await?);
        Ok(Some(hits))
    }

    async fn search(
        &self,
        opened: Vec<Arc<fulltext::Index>>,
        query: &Arc<Query>,
        before: Option<Hit>,
    ) -> Result<Vec<Hit>> {
        if opened.is_empty() {
            return Ok(Vec::new());
        }
        // The second of the last page is looked at again.
        let max = self.options.considered_max * if before.is_some() { 2 } else { 1 };
        let query = Arc::clone(query);
        let found = computed(self.context.spawner.as_ref(), move || {
            let mut hits = Vec::new();
            for index in opened {
                hits.extend(index.search(&query, max)?);
            }
            Ok(hits)
        });
        Ok(found.await?.map_err(|error: fulltext::Failed| ports::Fault::Corrupt(error.to_string()))?)
    }
}

impl Engine {
    /// Messages that somebody looks for in own conversations, in their own view.
    ///
    /// # Errors
    /// What the stores say.
    pub async fn search_messages(&self, app: &App, wanted: &WantedMessages) -> Result<FoundMessages> {
        if self.search.is_nearly_complete() {
            self.search.catch_up().await;
        }
        // What is read meanwhile may be missing in the answer.
        let is_complete = self.search.is_complete() && !self.search.off.lock().contains(&app.id);
        let most = self.search.options.considered_max;
        let hits = self.search.candidates(app.id, wanted.query(), None).await?;
        let last = hits.last().copied().filter(|_| hits.len() >= most);
        let seen = self.see(app.id, wanted, hits, usize::MAX).await?;
        let mut found = match wanted.peer {
            Some(peer) => self.in_one(app.id, wanted, peer, seen, last).await?,
            None => by_conversation(wanted, seen),
        };
        found.is_complete = is_complete && self.search.is_complete();
        Ok(found)
    }

    /// Those of the hits that are what somebody looks for now, in their own view; at most so many.
    async fn see(
        &self,
        app: SdkAppId,
        wanted: &WantedMessages,
        hits: Vec<Hit>,
        most: usize,
    ) -> Result<Vec<Seen>> {
        let query = wanted.query();
        let mut seen = Vec::new();
        for hit in hits {
            let [low, high] = hit.sides.map(AccountNumber);
            let conversation = ConversationId::between(low, high);
            // Conversations with who is gone have no name any more by which they could be opened.
            if self.accounts.with_number(app, conversation.peer_of(wanted.viewer)).await?.is_none() {
                continue;
            }
            let at = HistoryKey { time: Seconds(hit.time), position: Position(hit.position) };
            let Some(found) = self.message_at(app, conversation, wanted.viewer, at).await? else { continue };
            if found.revoker.is_some() {
                continue;
            }
            let message = self.open_stored(app, conversation, &found);
            let (text, kinds) = texts::of_body(&message.message.content.body);
            let is_kind = query.kinds == 0 || query.kinds & kinds != 0;
            if !message.message.content.body.is_empty() && is_kind && query.is_in(&text) {
                seen.push(Seen { hit, message });
            }
            if seen.len() >= most {
                break;
            }
        }
        Ok(seen)
    }

    /// A page of one conversation. `last` is the last hit that was looked at, if there may be more.
    async fn in_one(
        &self,
        app: SdkAppId,
        wanted: &WantedMessages,
        peer: AccountNumber,
        seen: Vec<Seen>,
        last: Option<Hit>,
    ) -> Result<FoundMessages> {
        let (total, most) = (seen.len(), self.search.options.considered_max);
        let mut rest: Vec<Seen> =
            seen.into_iter().filter(|seen| wanted.after.is_none_or(|after| seen.hit < after)).collect();
        let mut before = match (last, wanted.after) {
            (Some(last), Some(after)) => Some(last.min(after)),
            (last, _) => last,
        };
        // One more than is shown tells whether there is another page.
        for _ in 0..FURTHER_MAX {
            let Some(from) = before.filter(|_| rest.len() <= wanted.count) else { break };
            let hits = self.search.candidates(app, wanted.query(), Some(from)).await?;
            before = hits.last().copied().filter(|_| hits.len() >= most);
            let missing = (wanted.count + 1).saturating_sub(rest.len());
            rest.extend(self.see(app, wanted, hits, missing).await?);
        }
        let is_more = rest.len() > wanted.count;
        rest.truncate(wanted.count);
        let next = rest.last().map(|seen| seen.hit).filter(|_| is_more);
        let messages: Vec<_> = rest.into_iter().map(|seen| seen.message).collect();
        let is_empty = messages.is_empty();
        let conversation = FoundConversation { peer, count: total, messages };
        let conversations = if is_empty { Vec::new() } else { vec![conversation] };
        Ok(FoundMessages { total, conversations, next, is_complete: false })
    }
}

/// A page of conversations.
fn by_conversation(wanted: &WantedMessages, seen: Vec<Seen>) -> FoundMessages {
    let mut groups: Vec<(Hit, FoundConversation)> = Vec::new();
    let mut places = hashbrown::HashMap::new();
    for Seen { hit, message } in seen {
        let place = *places.entry(hit.sides).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.count += 1,
            None => {
                let [low, high] = hit.sides.map(AccountNumber);
                let peer = ConversationId::between(low, high).peer_of(wanted.viewer);
                groups.push((hit, FoundConversation { peer, count: 1, messages: vec![message] }));
            }
        }
    }
    let total = groups.len();
    groups.retain(|(latest, _)| wanted.after.is_none_or(|after| *latest < after));
    let is_more = groups.len() > wanted.count;
    groups.truncate(wanted.count);
    let next = groups.last().map(|(latest, _)| *latest).filter(|_| is_more);
    let conversations = groups.into_iter().map(|(_, group)| group).collect();
    FoundMessages { total, conversations, next, is_complete: false }
}
