//! Removes everything of an app, a part at a time.

use std::sync::Arc;

use fjall::Keyspace;
use model::SdkAppId;
use ports::Fault;

use crate::bucket::Bucket;
use crate::codec::fault;
use crate::inbox::Asker;
use crate::layout::{Reference, derived, read_u64};
use crate::spaces::Spaces;

/// Keys removed in one step.
const KEYS_AT_ONCE: usize = 5000;

/// What is left to do.
enum Part {
    /// Everything that begins with these bytes in what is derived in a bucket; of streams also the entries that they name.
    Derived(Arc<Bucket>, u8),
    /// Everything of the app in a key space that is ordered by app.
    Whole(Keyspace),
}

/// A removal on its way.
pub(crate) struct Forgetting {
    pub(crate) app: SdkAppId,
    left: Vec<Part>,
    messages: u64,
    answer: Asker<u64>,
}

impl Forgetting {
    pub(crate) fn new(spaces: &Spaces, app: SdkAppId, answer: Asker<u64>) -> Self {
        let mut left = vec![Part::Whole(spaces.recent.clone()), Part::Whole(spaces.heads.clone())];
        for bucket in spaces.buckets.all() {
            for kind in [derived::REFERENCES, derived::BACKDATED, derived::AMENDMENT, derived::STREAM] {
                left.push(Part::Derived(Arc::clone(&bucket), kind));
            }
        }
        Self { app, left, messages: 0, answer }
    }

    /// Goes on for a bit; whether it is done. What is derived has to be written before, all of it.
    pub(crate) fn step(&mut self, spaces: &Spaces) -> Result<bool, Fault> {
        // What was dropped meanwhile must not be written to again.
        self.left.retain(|part| match part {
            Part::Derived(bucket, _) => spaces.buckets.is_live(bucket.day),
            Part::Whole(_) => true,
        });
        let Some(part) = self.left.last() else { return Ok(true) };
        let app = self.app.0.to_be_bytes();
        let (space, prefix) = match part {
            Part::Derived(bucket, kind) => (&bucket.derived, [&[*kind][..], &app].concat()),
            Part::Whole(space) => (space, app.to_vec()),
        };
        let mut batch = spaces.database.batch();
        let mut count = 0;
        for guard in space.prefix(&prefix).take(KEYS_AT_ONCE) {
            let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
            count += 1;
            match part {
                Part::Derived(bucket, derived::STREAM) => {
                    for cursor in value.chunks_exact(8).filter_map(|bytes| read_u64(bytes, 0)) {
                        batch.remove(&bucket.log, cursor.to_be_bytes());
                    }
                }
                Part::Derived(_, derived::REFERENCES | derived::BACKDATED) => {
                    self.messages += (value.len() / Reference::BYTES) as u64;
                }
                Part::Derived(..) | Part::Whole(_) => {}
            }
            batch.remove(space, key);
        }
        batch.commit().map_err(|error| fault(&error))?;
        if count < KEYS_AT_ONCE {
            self.left.pop();
        }
        Ok(self.left.is_empty())
    }

    /// Answers, once everything is synced; how many messages there were.
    pub(crate) fn finish(self) -> u64 {
        let messages = self.messages;
        self.answer.answer(Ok(messages));
        messages
    }
}
