//! Empties the messages of a conversation, a part at a time: places and times stay.

use std::ops::Bound;
use std::sync::Arc;

use model::{HistoryKey, Position};
use ports::timeline::ErasedMessages;
use ports::{Event, Fault};

use crate::bucket::{Bucket, begins};
use crate::codec::{encode, fault};
use crate::inbox::Asker;
use crate::layout::{Conversation, Reference, derived};
use crate::spaces::Spaces;

/// With so many messages a step ends.
const MESSAGES_AT_ONCE: usize = 10_000;

/// An emptying on its way.
pub(crate) struct Emptying {
    conversation: Conversation,
    /// Messages after this one stay as they are.
    up_to: Position,
    /// What is left: a bucket and what keys begin with.
    left: Vec<(Arc<Bucket>, u8)>,
    /// Where to go on in the last of them.
    after: Option<Vec<u8>>,
    emptied: ErasedMessages,
    answer: Asker<ErasedMessages>,
}

impl Emptying {
    pub(crate) fn new(
        spaces: &Spaces,
        conversation: Conversation,
        up_to: Position,
        answer: Asker<ErasedMessages>,
    ) -> Self {
        let buckets = spaces.buckets.all();
        let parts =
            |bucket: Arc<Bucket>| [(Arc::clone(&bucket), derived::REFERENCES), (bucket, derived::BACKDATED)];
        let left = buckets.into_iter().flat_map(parts).collect();
        let emptied = ErasedMessages::default();
        Self { conversation, up_to, left, after: None, emptied, answer }
    }

    /// Goes on for a bit; whether it is done. What is derived has to be written before, all of it.
    pub(crate) fn step(&mut self, spaces: &Spaces) -> Result<bool, Fault> {
        // What was dropped meanwhile must not be written to again.
        self.left.retain(|(bucket, _)| spaces.buckets.is_live(bucket.day));
        let Some((bucket, kind)) = self.left.last().cloned() else { return Ok(true) };
        let first = self.conversation.place(kind, HistoryKey::START).to_vec();
        let last = self.conversation.place(kind, HistoryKey::END).to_vec();
        let start = self.after.take().map_or(Bound::Included(first), Bound::Excluded);
        let mut batch = spaces.database.batch();
        let (mut messages, mut is_end) = (0, true);
        for guard in bucket.derived.range((start, Bound::Included(last))) {
            if messages >= MESSAGES_AT_ONCE {
                is_end = false;
                break;
            }
            let (key, chunk) = guard.into_inner().map_err(|error| fault(&error))?;
            self.after = Some(key.to_vec());
            let chunk = Reference::read_all(&chunk, bucket.day);
            let chunk = chunk.ok_or_else(|| Fault::Corrupt("a chunk of references".to_owned()))?;
            for reference in chunk.iter().filter(|reference| reference.at.position <= self.up_to) {
                messages += 1;
                let Some(mut entry) = spaces.entry(bucket.day, reference.cursor)? else { continue };
                let Event::Message(message) = &mut entry.event else { continue };
                message.content.empty();
                batch.insert(&bucket.log, reference.cursor.0.to_be_bytes(), encode(&entry)?);
            }
        }
        if messages > 0 {
            crate::expiry::add_scattered_removal(&mut batch, spaces)?;
            self.emptied.aged_out_by = self.emptied.aged_out_by.max(begins(bucket.day));
        }
        self.emptied.messages += messages as u64;
        batch.commit().map_err(|error| fault(&error))?;
        if is_end {
            self.left.pop();
            self.after = None;
        }
        Ok(self.left.is_empty())
    }

    /// Answers, once everything is synced; how many messages were emptied.
    pub(crate) fn finish(self) -> u64 {
        let emptied = self.emptied;
        self.answer.answer(Ok(emptied));
        emptied.messages
    }
}
