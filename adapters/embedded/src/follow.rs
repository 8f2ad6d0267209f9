//! The Bus port: followers read a bounded queue, and the log where they fell behind it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use ports::{Answer, Cursor, Entry, Fault, Follower};
use tokio::sync::Notify;

use crate::bucket::Lying;
use crate::codec::decode;
use crate::spaces::Spaces;

/// How many entries are kept for followers before they have to read the log.
const QUEUE_MAX: usize = 8192;

/// Everybody who follows.
#[derive(Default)]
pub(crate) struct Followers {
    queues: Mutex<Vec<Arc<Queue>>>,
    /// The newest entry that is synced: the engine shows entries before they are.
    published: Arc<AtomicU64>,
}

#[derive(Default)]
struct Queue {
    entries: Mutex<VecDeque<Arc<Entry>>>,
    arrived: Notify,
    closed: AtomicBool,
}

impl Followers {
    /// Followers of a log whose newest entry is `last`.
    pub(crate) fn after(last: Cursor) -> Self {
        Self { published: Arc::new(AtomicU64::new(last.0)), ..Self::default() }
    }

    pub(crate) fn publish(&self, entries: Vec<Arc<Entry>>) {
        let Some(last) = entries.last() else { return };
        self.published.store(last.cursor.0, Ordering::Release);
        let mut queues = self.queues.lock();
        // A queue that only this list holds has no follower any more.
        queues.retain(|queue| Arc::strong_count(queue) > 1);
        for queue in queues.iter() {
            let mut waiting = queue.entries.lock();
            waiting.extend(entries.iter().cloned());
            let too_many = waiting.len().saturating_sub(QUEUE_MAX);
            waiting.drain(..too_many);
            drop(waiting);
            queue.arrived.notify_one();
        }
    }

    pub(crate) fn close(&self) {
        for queue in self.queues.lock().iter() {
            queue.closed.store(true, Ordering::Release);
            queue.arrived.notify_one();
        }
    }

    pub(crate) fn follow(&self, spaces: Arc<Spaces>, after: Cursor) -> Box<dyn Follower> {
        let queue = Arc::new(Queue::default());
        self.queues.lock().push(Arc::clone(&queue));
        Box::new(Place { spaces, queue, published: Arc::clone(&self.published), seen: after })
    }
}

struct Place {
    spaces: Arc<Spaces>,
    queue: Arc<Queue>,
    published: Arc<AtomicU64>,
    seen: Cursor,
}

impl Follower for Place {
    fn next(&mut self, limit: usize) -> Answer<'_, Vec<Arc<Entry>>> {
        Box::pin(async move {
            loop {
                if let Some(entries) = self.take(limit)? {
                    return Ok(entries);
                }
                if self.queue.closed.load(Ordering::Acquire) {
                    return Ok(Vec::new());
                }
                self.queue.arrived.notified().await;
            }
        })
    }
}

impl Place {
    fn take(&mut self, limit: usize) -> Result<Option<Vec<Arc<Entry>>>, Fault> {
        let mut waiting = self.queue.entries.lock();
        while waiting.front().is_some_and(|entry| entry.cursor <= self.seen) {
            waiting.pop_front();
        }
        let Some(first) = waiting.front().map(|entry| entry.cursor) else {
            drop(waiting);
            let end = self.published.load(Ordering::Acquire);
            return if self.seen.0 >= end { Ok(None) } else { self.read_log(Cursor(end + 1), limit) };
        };
        if first.0 > self.seen.0 + 1 {
            // Entries between the last one seen and the first one waiting left the queue: they are in the log.
            drop(waiting);
            if let Some(entries) = self.read_log(first, limit)? {
                return Ok(Some(entries));
            }
            waiting = self.queue.entries.lock();
        }
        let count = limit.min(waiting.len());
        let entries: Vec<_> = waiting.drain(..count).collect();
        self.seen = entries.last().map_or(self.seen, |entry| entry.cursor);
        Ok(Some(entries))
    }

    fn read_log(&mut self, before: Cursor, limit: usize) -> Result<Option<Vec<Arc<Entry>>>, Fault> {
        let mut entries = Vec::new();
        let mut read_to = self.seen;
        for lying in self.spaces.buckets.entries(self.seen, before) {
            let Lying { cursor, value, .. } = lying?;
            read_to = cursor;
            match decode::<Entry>(&value, "a log entry") {
                Ok(entry) => entries.push(Arc::new(entry)),
                // It will not be readable the next time either, and everything after it is waiting.
                Err(fault) => tracing::error!(%fault, cursor = cursor.0, "passed over"),
            }
            if entries.len() >= limit {
                break;
            }
        }
        self.seen = read_to;
        Ok((!entries.is_empty()).then_some(entries))
    }
}
