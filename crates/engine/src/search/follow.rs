//! Reads the log: messages wait in memory until an index of them is stored.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fulltext::{Document, Index, Text};
use model::{HistoryKey, Message, Result, SdkAppId, Sealed};
use ports::{Entry, Event};
use promise::keys::{Keyring, Place};

use super::facts::IndexFact;
use super::tail::Waiting;
use super::{Search, Writing, computed, texts};
use crate::Engine;

/// Entries taken at once. They are split into words where messages are served: on another thread they would take a core from
/// who sends when that is needed most, while here they fall behind and catch up later.
const BATCH: usize = 256;

/// How long entries are collected, unless somebody searches.
const COLLECTED: Duration = Duration::from_millis(100);

/// How long messages wait in memory at most, in microseconds. A start reads them again.
const WAITING_MICROS_MAX: u64 = 300_000_000;

/// How much memory waiting messages take at most, in bytes.
const WAITING_BYTES_MAX: usize = 16 << 20;

/// How soon what failed is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// The words of a message, and what it carries as bits.
type Words = (Text, u16);

/// Reads the log for as long as the engine lives.
pub(super) fn start(engine: &Arc<Engine>) {
    let (weak, clock) = (Arc::downgrade(engine), Arc::clone(&engine.context.clock));
    engine.context.spawner.spawn(Box::pin(async move {
        loop {
            let Some(engine) = weak.upgrade() else { return };
            let search = Arc::clone(&engine.search);
            drop(engine);
            let reading = search.reading.load(Ordering::Acquire);
            let from = search.writing.lock().await.read_to;
            let mut follower = search.context.bus.follow(Some(from));
            loop {
                let entries = tokio::select! {
                    biased;
                    () = search.again.notified() => break,
                    entries = follower.next(BATCH) => entries,
                };
                let entries = match entries {
                    Ok(entries) if entries.is_empty() => return,
                    Ok(entries) => entries,
                    Err(fault) => {
                        tracing::error!(%fault, "cannot follow what is appended: search is behind");
                        search.is_behind.store(true, Ordering::Release);
                        clock.sleep(RETRY).await;
                        break;
                    }
                };
                if weak.strong_count() == 0 {
                    return;
                }
                while let Err(error) = search.take(&entries, reading).await {
                    if let Some(engine) = weak.upgrade() {
                        engine.job_failed("indexing messages", &error);
                    }
                    search.is_behind.store(true, Ordering::Release);
                    clock.sleep(RETRY).await;
                    if weak.strong_count() == 0 {
                        return;
                    }
                }
                if search.reading.load(Ordering::Acquire) != reading {
                    break;
                }
                if entries.len() < BATCH {
                    // Reading a few at a time costs more than what is done with them.
                    tokio::select! {
                        biased;
                        () = search.wanted.notified() => {}
                        () = clock.sleep(COLLECTED) => {}
                    }
                } else {
                    // Whoever has much to read lets others run.
                    tokio::task::yield_now().await;
                }
            }
        }
    }));
}

impl Search {
    /// Takes entries of the log, in their order. What was taken before is left out, so this may be repeated.
    async fn take(&self, entries: &[Arc<Entry>], reading: u64) -> Result<()> {
        let mut writing = self.writing.lock().await;
        if self.reading.load(Ordering::Acquire) != reading {
            return Ok(());
        }
        for entry in entries {
            if entry.cursor <= writing.read_to {
                continue;
            }
            match &entry.event {
                Event::Message(message) => {
                    if self.is_wanted(&writing, entry, message).await?
                        && let Some(words) = open(&self.keyring, entry, message)
                    {
                        self.add(&mut writing, entry, entry.history_key(), message, words);
                    }
                }
                Event::Modify { target, key, author, .. } => {
                    // The entry may have handed its content over already; later ones come to the same.
                    let timeline = &self.context.timeline;
                    let found = timeline.find_message(entry.stamp.app, entry.conversation, *author, *key);
                    let found = match found.await {
                        // It will not be readable the next time either, and everything after it is waiting.
                        Err(ports::Fault::Corrupt(why)) => {
                            tracing::error!(why, "a changed message cannot be read: it is not found");
                            None
                        }
                        found => found?,
                    };
                    if let Some(found) = found.filter(|found| found.at == *target)
                        && self.is_wanted(&writing, entry, &found.message).await?
                        && let Some(words) = open(&self.keyring, entry, &found.message)
                    {
                        self.add(&mut writing, entry, *target, &found.message, words);
                    }
                }
                Event::Recall { target, .. } => self.unindex(entry, *target),
                Event::Read { .. } | Event::Receipt { .. } | Event::Delete { .. } | Event::Clear { .. } => {}
            }
            writing.read_to = entry.cursor;
        }
        self.read_to.send_replace(writing.read_to.0);
        if writing.read_to.0 >= self.goal.load(Ordering::Acquire) && writing.broken.is_empty() {
            self.is_reading.store(false, Ordering::Release);
        }
        let (count, bytes) = self.tail.lock().size();
        if count >= self.options.waiting_max || bytes >= WAITING_BYTES_MAX {
            // If that fails nothing more is taken: what waits has its limit.
            self.flush(&mut writing).await?;
            self.untidy.notify_one();
        }
        self.read.fetch_add(entries.len() as u64, Ordering::Relaxed);
        self.is_behind.store(false, Ordering::Release);
        Ok(())
    }

    /// Whether a message is to be found, and in no index yet.
    async fn is_wanted(&self, writing: &Writing, entry: &Entry, message: &Message<Sealed>) -> Result<bool> {
        let (app, bucket) = (entry.stamp.app, message.content.bucket);
        let is_stored = || entry.cursor <= self.shelf.read_to(app, bucket);
        if bucket <= self.today() || writing.progress.off.contains(&app) || is_stored() {
            return Ok(false);
        }
        Ok(self.apps.find(app).await?.is_some())
    }

    /// Makes the content that a message has now found: a new message, or one whose content was changed by this entry. What was
    /// found of it before is not shown any more, since every hit is compared with the content that is there.
    fn add(
        &self,
        writing: &mut Writing,
        entry: &Entry,
        at: HistoryKey,
        message: &Message<Sealed>,
        (text, kinds): Words,
    ) {
        let (app, bucket) = (entry.stamp.app, message.content.bucket);
        let document = Document {
            sides: entry.conversation.sides().map(|side| side.0),
            author: message.author.0,
            writer: message.writer().0,
            time: at.time.0,
            position: at.position.0,
            kinds,
            sealed_at: message.content.sealed_at.0,
            key: message.content.index,
            text,
        };
        let mut tail = self.tail.lock();
        if entry.position != at.position {
            tail.remove(app, document.sides, document.position);
        }
        tail.add(app, bucket, Waiting { cursor: entry.cursor, document: Arc::new(document) });
        drop(tail);
        if writing.waiting_since.is_none() {
            writing.waiting_since = Some(self.context.clock.elapsed_micros());
            // When that is over is known now.
            self.untidy.notify_one();
        }
    }

    /// Forgets a message that waits. One that is in an index already is not shown, and leaves it before its key is destroyed.
    fn unindex(&self, entry: &Entry, at: HistoryKey) {
        let sides = entry.conversation.sides().map(|side| side.0);
        self.tail.lock().remove(entry.stamp.app, sides, at.position.0);
    }

    /// Whether messages wait that should not any longer.
    pub(super) fn is_flush_due(&self, writing: &Writing) -> bool {
        let waited = |since: u64| self.context.clock.elapsed_micros().saturating_sub(since);
        writing.waiting_since.is_some_and(|since| waited(since) >= WAITING_MICROS_MAX)
    }

    /// How long what waits may wait on, if anything does.
    pub(super) async fn until_flush(&self) -> Option<Duration> {
        let since = self.writing.lock().await.waiting_since?;
        let end = since.saturating_add(WAITING_MICROS_MAX);
        // One that failed is not tried again at once.
        let left = Duration::from_micros(end.saturating_sub(self.context.clock.elapsed_micros()));
        Some(left.max(RETRY))
    }

    /// Stores indexes of what waits, and how far the log is in them.
    pub(super) async fn flush(&self, writing: &mut Writing) -> Result<()> {
        // What waits is stored once: not again beside what an attempt before has left.
        self.shelf.settle().await?;
        let today = self.today();
        let parts = self.tail.lock().keys();
        for (app, bucket) in parts {
            if bucket <= today || !self.keyring.holds_app(app) {
                self.tail.lock().drop_part(app, bucket);
                continue;
            }
            let (fact, documents) = self.waiting(app, bucket);
            let packed = computed(self.context.spawner.as_ref(), move || {
                Index::build(documents.iter().map(Arc::as_ref))
            });
            let packed = packed.await?.map_err(|error| ports::Fault::Corrupt(error.to_string()))?;
            let last = fact.last;
            self.shelf.store(app, fact, packed, &[]).await?;
            let is_in =
                |of, in_bucket, waiting: &Waiting| (of, in_bucket) == (app, bucket) && waiting.cursor <= last;
            self.tail.lock().retain(|of, in_bucket, waiting| !is_in(of, in_bucket, waiting));
        }
        writing.waiting_since = None;
        if writing.progress.cursor != writing.read_to {
            writing.progress.cursor = writing.read_to;
            self.remember(&writing.progress).await?;
        }
        Ok(())
    }

    /// What waits of an app and bucket.
    fn waiting(&self, app: SdkAppId, bucket: u16) -> (IndexFact, Vec<Arc<Document>>) {
        let tail = self.tail.lock();
        let mut fact = IndexFact::of_nothing(bucket);
        let mut documents = Vec::new();
        for Waiting { cursor, document } in tail.part(app, bucket) {
            fact.widen(&IndexFact {
                last: *cursor,
                keys: (document.key, document.key),
                times: (document.time, document.time),
                sealed_from: document.sealed_at,
                ..IndexFact::of_nothing(bucket)
            });
            fact.count += 1;
            documents.push(Arc::clone(document));
        }
        (fact, documents)
    }
}

/// What a message says, in words; `None` if it was recalled, or erased with its author.
fn open(keyring: &Keyring, entry: &Entry, message: &Message<Sealed>) -> Option<Words> {
    let place = Place::message(entry.stamp.app, entry.conversation, message.writer());
    let content = keyring.open_content(place, &message.content)?;
    Some(texts::of_body(&content.body))
}
