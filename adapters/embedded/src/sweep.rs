//! Removes messages of an app that are over before their bucket is, a few at a time.

use std::sync::Arc;

use model::{Millis, SdkAppId};
use ports::Fault;

use crate::bucket::Bucket;
use crate::codec::fault;
use crate::layout::{Conversation, Reference, derived};
use crate::spaces::Spaces;

/// Chunks of references looked at in one step.
const CHUNKS_AT_ONCE: usize = 2000;

/// With so many messages a step ends, too.
const MESSAGES_AT_ONCE: usize = 10_000;

/// A walk over an app's messages in all buckets.
pub(crate) struct Sweep {
    app: SdkAppId,
    /// What is left: a bucket and what keys begin with.
    left: Vec<(Arc<Bucket>, u8)>,
    /// Where to go on in the last of them.
    after: Option<Vec<u8>>,
    /// How many messages were removed.
    pub(crate) removed: u64,
}

impl Sweep {
    pub(crate) fn new(spaces: &Spaces, app: SdkAppId) -> Self {
        let buckets = spaces.buckets.all();
        let parts =
            |bucket: Arc<Bucket>| [(Arc::clone(&bucket), derived::REFERENCES), (bucket, derived::BACKDATED)];
        Self { app, left: buckets.into_iter().flat_map(parts).collect(), after: None, removed: 0 }
    }

    /// Goes on for a bit; whether it is done. What is derived has to be written before, all of it.
    pub(crate) fn step(&mut self, spaces: &Spaces, now: Millis) -> Result<bool, Fault> {
        // What was dropped meanwhile must not be written to again.
        self.left.retain(|(bucket, _)| spaces.buckets.is_live(bucket.day));
        let Some((bucket, kind)) = self.left.last().cloned() else { return Ok(true) };
        let prefix = [&[kind][..], &self.app.0.to_be_bytes()].concat();
        let start = match self.after.take() {
            Some(after) => std::ops::Bound::Excluded(after),
            None => std::ops::Bound::Included(prefix.clone()),
        };
        let mut batch = spaces.database.batch();
        let (mut messages, mut is_end) = (0, true);
        for (count, guard) in bucket.derived.range((start, std::ops::Bound::Unbounded)).enumerate() {
            if count == CHUNKS_AT_ONCE || messages >= MESSAGES_AT_ONCE {
                is_end = false;
                break;
            }
            let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
            if !key.starts_with(&prefix) {
                break;
            }
            self.after = Some(key.to_vec());
            let chunk = Reference::read_all(&value, bucket.day);
            let chunk = chunk.ok_or_else(|| Fault::Corrupt("a chunk of references".to_owned()))?;
            let is_over = |reference: &Reference| {
                spaces.limits.is_over(self.app, reference.cursor, reference.at.time, now)
            };
            messages += chunk.len();
            let (over, kept): (Vec<_>, Vec<_>) = chunk.into_iter().partition(is_over);
            if over.is_empty() {
                continue;
            }
            if self.removed == 0 {
                // With the first removal, so that no crash can come between.
                crate::expiry::add_scattered_removal(&mut batch, spaces)?;
            }
            self.removed += over.len() as u64;
            remove(&mut batch, &bucket, &key, &over, &kept);
        }
        batch.commit().map_err(|error| fault(&error))?;
        if is_end {
            self.left.pop();
            self.after = None;
        }
        Ok(self.left.is_empty())
    }
}

/// Removes the messages of a chunk that are over, and keeps the rest of it.
fn remove(
    batch: &mut fjall::OwnedWriteBatch,
    bucket: &Bucket,
    key: &[u8],
    over: &[Reference],
    kept: &[Reference],
) {
    let Some((conversation, _)) = Conversation::of_place(key) else { return };
    for reference in over {
        batch.remove(&bucket.log, reference.cursor.0.to_be_bytes());
        batch.remove(&bucket.derived, conversation.place(derived::AMENDMENT, reference.at));
    }
    batch.remove(&bucket.derived, key.to_vec());
    if let Some(first) = kept.first() {
        let mut bytes = Vec::with_capacity(kept.len() * Reference::BYTES);
        for reference in kept {
            reference.write(&mut bytes);
        }
        batch.insert(&bucket.derived, conversation.place(key[0], first.at), bytes);
    }
}

/// Counts an app's messages that are there now and for which `is_older` holds.
pub(crate) fn count(
    spaces: &Spaces,
    app: SdkAppId,
    now: Millis,
    is_older: impl Fn(&Reference) -> bool,
) -> Result<u64, Fault> {
    let mut count = 0;
    for bucket in spaces.buckets.all() {
        for kind in [derived::REFERENCES, derived::BACKDATED] {
            let prefix = [&[kind][..], &app.0.to_be_bytes()].concat();
            for guard in bucket.derived.prefix(prefix) {
                let value = guard.value().map_err(|error| fault(&error))?;
                for reference in Reference::read_all(&value, bucket.day).unwrap_or_default() {
                    let is_gone = reference.expires_at != 0 && now.seconds().0 >= reference.expires_at
                        || spaces.limits.is_over(app, reference.cursor, reference.at.time, now);
                    count += u64::from(!is_gone && is_older(&reference));
                }
            }
        }
    }
    Ok(count)
}
