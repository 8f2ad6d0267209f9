//! Takes away what an account wrote, a part at a time: found by the account's stream, emptied where it stands.

use std::sync::Arc;

use model::{AccountNumber, ConversationId, Seconds, UserId};
use parking_lot::RwLock;
use ports::timeline::ErasedMessages;
use ports::{Cursor, Event, Fault};

use crate::bucket::{Bucket, begins};
use crate::codec::{decode, encode, fault};
use crate::inbox::Asker;
use crate::layout::{Account, Conversation, derived, read_u64};
use crate::spaces::Spaces;
use crate::state::{Amendment, State};

/// Entries looked at in one step.
const ENTRIES_AT_ONCE: usize = 10_000;

/// What keys in `meta` begin with: then the account. The value: until when it is of use (4), how many messages it had
/// written (8).
const COUNTED: &[u8] = b"erased:";

fn counted_key(account: Account) -> Vec<u8> {
    [COUNTED, &account.key()].concat()
}

/// Forgets the counts of erasures whose last ciphertext has aged out.
pub(crate) fn prune(spaces: &Spaces, now: Seconds) -> Result<(), Fault> {
    for guard in spaces.meta.prefix(COUNTED) {
        let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
        if value.first_chunk().is_none_or(|end| u32::from_be_bytes(*end) < now.0) {
            spaces.meta.remove(key).map_err(|error| fault(&error))?;
        }
    }
    Ok(())
}

/// An erasure on its way.
pub(crate) struct Erasure {
    account: Account,
    name: UserId,
    left: Vec<Arc<Bucket>>,
    erased: ErasedMessages,
    answer: Asker<ErasedMessages>,
}

impl Erasure {
    pub(crate) fn new(
        spaces: &Spaces,
        account: Account,
        name: UserId,
        answer: Asker<ErasedMessages>,
    ) -> Self {
        let left = spaces.buckets.all();
        // What an earlier round found counts, too: it left nothing to be found again.
        let former = spaces.meta.get(counted_key(account)).ok().flatten();
        let messages = former.as_ref().and_then(|bytes| read_u64(bytes, 4)).unwrap_or(0);
        let end = former.as_ref().and_then(|bytes| bytes.first_chunk());
        let aged_out_by = end.map_or(Seconds(0), |end| Seconds(u32::from_be_bytes(*end)));
        Self { account, name, left, erased: ErasedMessages { messages, aged_out_by }, answer }
    }

    /// Goes on for a bit; whether it is done. What is derived has to be written before, all of it.
    pub(crate) fn step(&mut self, spaces: &Spaces, state: &RwLock<State>) -> Result<bool, Fault> {
        // What was dropped meanwhile must not be written to again.
        self.left.retain(|bucket| spaces.buckets.is_live(bucket.day));
        let Some(bucket) = self.left.last().cloned() else {
            self.leave_lists(spaces, state)?;
            return Ok(true);
        };
        let mut batch = spaces.database.batch();
        let (mut count, mut is_end) = (0, true);
        let first = self.account.stream_key(Cursor(0));
        for guard in bucket.derived.range(first..=self.account.stream_key(Cursor(u64::MAX))) {
            if count >= ENTRIES_AT_ONCE {
                is_end = false;
                break;
            }
            let (key, chunk) = guard.into_inner().map_err(|error| fault(&error))?;
            for cursor in chunk.chunks_exact(8).filter_map(|bytes| read_u64(bytes, 0)) {
                count += 1;
                self.empty(&mut batch, spaces, &bucket, Cursor(cursor))?;
            }
            // What is emptied is not looked at again: the next step begins after it.
            batch.remove(&bucket.derived, key.to_vec());
        }
        if count > 0 {
            self.erased.aged_out_by = self.erased.aged_out_by.max(begins(bucket.day));
        }
        let end = self.erased.aged_out_by.0.to_be_bytes();
        let counted = [&end[..], &self.erased.messages.to_be_bytes()].concat();
        batch.insert(&spaces.meta, counted_key(self.account), counted);
        batch.commit().map_err(|error| fault(&error))?;
        if is_end {
            self.left.pop();
        }
        if !self.left.is_empty() {
            return Ok(false);
        }
        self.leave_lists(spaces, state)?;
        Ok(true)
    }

    fn empty(
        &mut self,
        batch: &mut fjall::OwnedWriteBatch,
        spaces: &Spaces,
        bucket: &Bucket,
        cursor: Cursor,
    ) -> Result<(), Fault> {
        let Some(mut entry) = spaces.entry(bucket.day, cursor)? else { return Ok(()) };
        if matches!(&entry.event, Event::Message(message) if message.author == self.account.number) {
            self.erased.messages += 1;
        }
        if !entry.event.forget(self.account.number, &self.name) {
            return Ok(());
        }
        if let Event::Recall { target, revoker, .. } = &entry.event {
            let conversation = Conversation { app: self.account.app, id: entry.conversation };
            // Beyond a month a recall may lie in another bucket than its message.
            let head = spaces.head(conversation)?.unwrap_or_default();
            let Some(reference) = spaces.reference_at(conversation, &head, *target)? else { return Ok(()) };
            let Some(bucket) = spaces.buckets.get(reference.day) else { return Ok(()) };
            let key = conversation.place(derived::AMENDMENT, *target);
            if let Some(bytes) = bucket.derived.get(key).map_err(|error| fault(&error))? {
                let mut amendment: Amendment = decode(&bytes, "an amendment")?;
                amendment.revoker = Some(revoker.clone());
                batch.insert(&bucket.derived, key, encode(&amendment)?);
            }
        }
        batch.insert(&bucket.log, cursor.0.to_be_bytes(), encode(&entry)?);
        Ok(())
    }

    /// Takes every conversation off the account's list.
    fn leave_lists(&self, spaces: &Spaces, state: &RwLock<State>) -> Result<(), Fault> {
        let mut state = state.write();
        let mut peers = Vec::new();
        for guard in spaces.recent.prefix(self.account.key()) {
            let key = guard.key().map_err(|error| fault(&error))?;
            peers.extend(read_u64(&key, 16).map(AccountNumber));
        }
        for peer in peers {
            let id = ConversationId::between(self.account.number, peer);
            let conversation = Conversation { app: self.account.app, id };
            let cached = state.load(spaces, conversation)?;
            let side = &mut cached.head.sides[id.side_of(self.account.number).unwrap_or(0)];
            side.unlisted_to = side.active_position;
            cached.is_dirty = true;
            state.unwritten += 1;
        }
        Ok(())
    }

    /// Answers, once everything is written and synced.
    pub(crate) fn finish(self) -> u64 {
        let erased = self.erased;
        self.answer.answer(Ok(erased));
        erased.messages
    }
}
