//! Messages of an app by their time: the conversations whose heads say that they hold some, one after the other.

use model::HistoryKey;
use ports::Fault;
use ports::period::{PeriodPage, PeriodQuery};
use ports::timeline::PAGE_MAX;

use crate::codec::{decode, fault};
use crate::head::Head;
use crate::history::Reader;
use crate::layout::{Conversation, Reference};
use crate::walk::{Order, Walk, Window};

/// Conversations looked at for one page.
const CONVERSATIONS_AT_ONCE: usize = 10_000;

impl Reader<'_> {
    /// A page of the app's messages of a period. What is derived of them has to be written.
    pub(crate) fn of_period(&self, query: PeriodQuery) -> Result<PeriodPage, Fault> {
        let limit = query.limit.min(PAGE_MAX);
        let prefix = self.app.0.to_be_bytes();
        let start = match query.after {
            Some((id, _)) => self.of(id).key().to_vec(),
            None => prefix.to_vec(),
        };
        let mut page = PeriodPage::default();
        for (count, guard) in self.spaces.heads.range(start..).enumerate() {
            let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
            if !key.starts_with(&prefix) {
                break;
            }
            let conversation =
                Conversation::of_key(&key).ok_or_else(|| Fault::Corrupt("the key of a head".to_owned()))?;
            if count == CONVERSATIONS_AT_ONCE || page.messages.len() == limit {
                return Ok(page);
            }
            let head: Head = decode(&value, "a head")?;
            let is_touched =
                head.buckets.iter().any(|part| part.first < query.before && query.from <= part.last);
            if is_touched && !self.add_to_period(conversation, query, limit, &mut page)? {
                return Ok(page);
            }
            page.next = Some((conversation.id, HistoryKey::END));
        }
        page.next = None;
        Ok(page)
    }

    /// Adds a conversation's messages to a page; whether they all found room.
    fn add_to_period(
        &self,
        conversation: Conversation,
        query: PeriodQuery,
        limit: usize,
        page: &mut PeriodPage,
    ) -> Result<bool, Fault> {
        let Some(head) = self.head(conversation)? else { return Ok(true) };
        let begin = HistoryKey::start_of(query.from);
        let after = match query.after {
            Some((id, at)) if id == conversation.id => begin.max(at),
            _ => begin,
        };
        let window = Window { after, before: HistoryKey::start_of(query.before) };
        let left = limit - page.messages.len();
        let mut amendments = Vec::new();
        let walk = Walk::new(self.spaces, self.state, conversation, window)?;
        let found = walk.collect(Order::OldestFirst, left, |reference: &Reference| {
            let sees = |side: usize| self.is_seen(&head, side, *reference);
            if reference.cursor > query.until || !sees(0) && !sees(1) {
                return Ok(false);
            }
            let amendment = self.amendment(conversation, &head, *reference)?;
            let is_seen = [0, 1].into_iter().any(|side| sees(side) && !amendment.deleted[side]);
            amendments.extend(is_seen.then_some(amendment));
            Ok(is_seen)
        })?;
        let last = found.references.last().map(|reference| reference.at);
        for (reference, amendment) in found.references.into_iter().zip(amendments) {
            let message = self.message(reference, amendment)?;
            page.messages.extend(message.map(|message| (conversation.id, message)));
        }
        if !found.complete {
            page.next = Some((conversation.id, last.unwrap_or(after)));
        }
        Ok(found.complete)
    }
}
