//! Fewer and larger indexes, none of what is over, and new ones where they cannot be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fulltext::{Gone, Index};
use model::{Result, SdkAppId};
use ports::Cursor;
use ports::blobs::LISTED_MAX;

use super::facts::{IndexFact, ProgressFact};
use super::{Search, Writing, computed};
use crate::Engine;

/// How often it is looked whether something is to be done, if nothing else is known.
const EVERY: Duration = Duration::from_secs(600);

/// How many indexes of nearly the same size become one.
const MERGED_AT_ONCE: usize = 8;

/// The most messages of an index that is made of others: making one takes several times its memory.
const MERGED_COUNT_MAX: u64 = 250_000;

/// How long those others are together at most, in bytes.
const MERGED_BYTES_MAX: u64 = 32 << 20;

/// How soon a log is read anew at most, in microseconds: what cannot be read twice will not be readable the third time.
const REBUILD_MICROS_MIN: u64 = 600_000_000;

/// For how long indexes that could not be merged are left alone, in microseconds.
const UNMERGEABLE_MICROS: u64 = 3_600_000_000;

/// Tidies up for as long as the engine lives.
pub(super) fn start(engine: &Arc<Engine>) {
    let (weak, clock) = (Arc::downgrade(engine), Arc::clone(&engine.context.clock));
    engine.context.spawner.spawn(Box::pin(async move {
        loop {
            let Some(engine) = weak.upgrade() else { return };
            let search = Arc::clone(&engine.search);
            if let Err(error) = search.tidy().await {
                engine.job_failed("tidying up indexes", &error);
            }
            drop(engine);
            let pause = search.until_flush().await.unwrap_or(EVERY).min(EVERY);
            tokio::select! {
                biased;
                () = search.untidy.notified() => {}
                () = clock.sleep(pause) => {}
            }
        }
    }));
}

impl Search {
    /// Does what is due.
    pub(super) async fn tidy(&self) -> Result<()> {
        self.people.drop_idle();
        self.expire().await?;
        {
            let mut writing = self.writing.lock().await;
            // First: what turns out to be an index must not come to light after others of its messages were given up.
            self.shelf.settle().await?;
            self.follow_settings(&mut writing).await?;
            self.rebuild_broken(&mut writing).await?;
            if self.is_flush_due(&writing) {
                self.flush(&mut writing).await?;
            }
        }
        self.merge_all().await
    }

    /// Drops what is over: its key dies with its day.
    pub(crate) async fn expire(&self) -> Result<()> {
        let today = self.today();
        self.shelf.forget_over(today);
        self.context.blobs.expire().await?;
        Ok(())
    }

    /// Learns which indexes of an app are stored; the buckets of those that are missing. What a crash left over is removed
    /// later: a start writes nothing.
    pub(super) async fn load_app(&self, app: SdkAppId) -> Result<BTreeSet<u16>> {
        let records = self.context.records.as_ref();
        let (mut there, mut after) = (BTreeSet::new(), None);
        loop {
            let listed = self.context.blobs.list(app, after, LISTED_MAX).await?;
            let Some(last) = listed.last() else { break };
            after = Some(last.name);
            let numbers = listed.iter().filter_map(|info| {
                let day = info.stamp.end().0 / model::time::DAY_SECONDS;
                Some((IndexFact::number_of(info.name)?, u16::try_from(day).unwrap_or(u16::MAX)))
            });
            there.extend(numbers);
        }
        let (mut known, mut missing, mut after) = (BTreeSet::new(), BTreeSet::new(), None);
        loop {
            let facts = facts_of(records, app, after.take()).await?;
            let Some(last) = facts.last() else { break };
            after = Some((Vec::new(), ports::Record::key(last)));
            for fact in facts {
                if there.contains(&(fact.number, fact.bucket)) {
                    known.insert(fact.number);
                    self.shelf.add(app, fact);
                } else {
                    missing.insert(fact.bucket);
                    self.shelf.is_stray(app, fact);
                }
            }
        }
        for (number, bucket) in there.into_iter().filter(|(number, _)| !known.contains(number)) {
            self.shelf.is_stray(app, IndexFact { number, ..IndexFact::of_nothing(bucket) });
        }
        Ok(missing)
    }

    /// Notes that an app's settings were changed.
    pub(crate) fn settings_changed(&self) {
        self.untidy.notify_one();
    }

    /// Drops the indexes of apps that switched search off, and reads the log anew for those that switched it on.
    async fn follow_settings(&self, writing: &mut Writing) -> Result<()> {
        let apps = self.apps.list().await?;
        let is_off = |app: &&model::settings::App| !app.settings.cloud_search;
        let off: BTreeSet<SdkAppId> = apps.iter().filter(is_off).map(|app| app.id).collect();
        if off == writing.progress.off {
            return Ok(());
        }
        for app in off.difference(&writing.progress.off) {
            self.tail.lock().retain(|of, _, _| of != *app);
            for (of, fact) in self.shelf.all() {
                if of == *app {
                    self.shelf.drop(of, fact.bucket, &[fact]).await?;
                }
            }
        }
        let is_app = |app: &SdkAppId| apps.iter().any(|known| known.id == *app);
        let is_switched_on = writing.progress.off.difference(&off).any(is_app);
        let progress = ProgressFact { off, ..writing.progress.clone() };
        if is_switched_on {
            return self.read_again(writing, progress).await;
        }
        self.remember(&progress).await?;
        self.set_progress(writing, progress);
        Ok(())
    }

    /// Drops indexes that cannot be read, and reads what was in them anew.
    async fn rebuild_broken(&self, writing: &mut Writing) -> Result<()> {
        let now = self.context.clock.elapsed_micros();
        let is_too_soon = writing.rebuilt_at.is_some_and(|at| now < at.saturating_add(REBUILD_MICROS_MIN));
        if writing.broken.is_empty() || is_too_soon {
            return Ok(());
        }
        // First: whatever is dropped is read again, also by the next start.
        let progress = ProgressFact { cursor: Cursor(0), ..writing.progress.clone() };
        self.remember(&progress).await?;
        for (app, bucket) in writing.broken.clone() {
            for (of, fact) in self.shelf.all() {
                if (of, fact.bucket) == (app, bucket) {
                    self.shelf.drop(of, bucket, &[fact]).await?;
                }
            }
        }
        tracing::warn!(buckets = writing.broken.len(), "search indexes are made anew");
        writing.rebuilt_at = Some(now);
        self.read_again(writing, progress).await?;
        writing.broken.clear();
        Ok(())
    }

    /// Reads the whole log again. What is in a stored index is passed over.
    async fn read_again(&self, writing: &mut Writing, progress: ProgressFact) -> Result<()> {
        let progress = ProgressFact { cursor: Cursor(0), ..progress };
        self.remember(&progress).await?;
        self.set_goal(Cursor(0));
        self.set_progress(writing, progress);
        writing.read_to = Cursor(0);
        writing.waiting_since = None;
        self.tail.lock().retain(|_, _, _| false);
        self.reading.fetch_add(1, Ordering::AcqRel);
        self.again.notify_one();
        Ok(())
    }

    /// Notes that the indexes of an app and bucket cannot be read.
    pub(super) async fn is_broken(&self, app: SdkAppId, bucket: u16) {
        self.writing.lock().await.broken.insert((app, bucket));
        self.is_reading.store(true, Ordering::Release);
        self.untidy.notify_one();
    }

    /// Makes fewer indexes of many. Those that cannot be merged stay as they are for a while, and hold up no others.
    async fn merge_all(&self) -> Result<()> {
        let mut failed = None;
        while let Some((app, former)) = self.to_merge() {
            let merged = self.merge(app, &former).await;
            if !matches!(merged, Ok(true)) {
                let now = self.context.clock.elapsed_micros();
                self.unmergeable.lock().extend(former.iter().map(|fact| (fact.number, now)));
            }
            failed = failed.or(merged.err());
        }
        failed.map_or(Ok(()), Err)
    }

    /// Makes one index of several; whether that was done, or one of them is not there any more.
    async fn merge(&self, app: SdkAppId, former: &[IndexFact]) -> Result<bool> {
        let Some(first) = former.first() else { return Ok(false) };
        let mut fact = IndexFact::of_nothing(first.bucket);
        let mut parts = Vec::with_capacity(former.len());
        for part in former {
            fact.widen(part);
            match self.shelf.open(app, part).await? {
                Some(index) => parts.push(index),
                // It may have been replaced meanwhile.
                None if !self.shelf.holds(app, part) => return Ok(true),
                None => {
                    self.is_broken(app, part.bucket).await;
                    return Ok(false);
                }
            }
        }
        let merged = computed(self.context.spawner.as_ref(), move || {
            let parts: Vec<&Index> = parts.iter().map(Arc::as_ref).collect();
            Index::merge(&parts, &Gone::default())
        });
        let merged = merged.await?.map_err(|error| ports::Fault::Corrupt(error.to_string()))?;
        let Some((packed, count)) = merged else { return Ok(false) };
        fact.count = count;
        // Nothing was destroyed meanwhile that lives in what was merged: then other indexes would be there.
        let _writing = self.writing.lock().await;
        if former.iter().all(|part| self.shelf.holds(app, part)) && first.bucket > self.today() {
            self.shelf.store(app, fact, packed, former).await?;
        }
        Ok(true)
    }

    /// Indexes of one bucket and nearly one size, if there are enough of them.
    fn to_merge(&self) -> Option<(SdkAppId, Vec<IndexFact>)> {
        let (today, now) = (self.today(), self.context.clock.elapsed_micros());
        let mut unmergeable = self.unmergeable.lock();
        unmergeable.retain(|_, since| now < since.saturating_add(UNMERGEABLE_MICROS));
        let all = self.shelf.all().into_iter();
        next_group(all.filter(|(_, fact)| fact.bucket > today && !unmergeable.contains_key(&fact.number)))
    }

    /// Forgets everything of an app: objects, and what is in memory. Its records are removed before.
    pub(crate) async fn forget_app(&self, app: SdkAppId) -> Result<()> {
        let _writing = self.writing.lock().await;
        self.tail.lock().retain(|of, _, _| of != app);
        self.shelf.forget_app(app);
        self.people.forget_app(app);
        loop {
            let listed = self.context.blobs.list(app, None, LISTED_MAX).await?;
            if listed.is_empty() {
                return Ok(());
            }
            for info in listed {
                self.context.blobs.remove(app, info.name).await?;
            }
        }
    }
}

/// The first indexes of one app, bucket and nearly one size that make one together which is not too large.
fn next_group(all: impl Iterator<Item = (SdkAppId, IndexFact)>) -> Option<(SdkAppId, Vec<IndexFact>)> {
    let mut groups = BTreeMap::<_, Vec<IndexFact>>::new();
    for (app, fact) in all {
        let size = fact.count.max(1024).ilog2() / 3;
        let key = (app, fact.bucket, size);
        let group = groups.entry(key).or_default();
        group.push(fact);
        while is_too_large(group) {
            // The largest stays as it is.
            group.sort_by_key(share);
            group.pop();
        }
        if group.len() == MERGED_AT_ONCE {
            return groups.remove(&key).map(|group| (app, group));
        }
    }
    None
}

/// How much of the most an index takes, by its messages or by its length, in bytes.
fn share(fact: &IndexFact) -> u64 {
    (u64::from(fact.count) * MERGED_BYTES_MAX / MERGED_COUNT_MAX).max(fact.bytes)
}

fn is_too_large(group: &[IndexFact]) -> bool {
    let count: u64 = group.iter().map(|fact| u64::from(fact.count)).sum();
    let bytes: u64 = group.iter().map(|fact| fact.bytes).sum();
    count > MERGED_COUNT_MAX || bytes > MERGED_BYTES_MAX
}

async fn facts_of(
    records: &dyn ports::Records,
    app: SdkAppId,
    after: Option<(Vec<u8>, Vec<u8>)>,
) -> Result<Vec<IndexFact>> {
    const AT_ONCE: usize = 1000;
    let kind = <IndexFact as ports::Record>::KIND;
    let range = ports::records::Range { kind, index: None, prefix: Vec::new(), after, limit: AT_ONCE };
    let found = records.scan(app, range).await?;
    Ok(found.iter().map(ports::records::Found::decode).collect::<std::result::Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(number: u64, count: u32, bytes: u64) -> IndexFact {
        IndexFact { number, count, bytes, ..IndexFact::of_nothing(7) }
    }

    fn group(facts: &[IndexFact]) -> Option<Vec<u64>> {
        let found = next_group(facts.iter().map(|fact| (SdkAppId(1), fact.clone())));
        found.map(|(_, group)| group.iter().map(|fact| fact.number).collect())
    }

    #[test]
    fn indexes_are_merged_when_there_are_enough_that_are_not_too_large_together() {
        let small: Vec<IndexFact> = (1..=8).map(|number| fact(number, 100, 100)).collect();
        assert_eq!(group(&small[..7]), None);
        assert_eq!(group(&small), Some((1..=8).collect()));
        // One with many messages is passed over, though it is short; then one that is long, though it has few.
        let many = [vec![fact(20, 249_000, 10)], (1..=8).map(|number| fact(number, 40_000, 100)).collect()];
        assert_eq!(group(&many.concat()), None, "too many together");
        let long = [vec![fact(30, 90, MERGED_BYTES_MAX)], small].concat();
        assert_eq!(group(&long), Some((1..=8).collect()));
    }

    #[test]
    fn what_is_merged_never_holds_more_than_the_most() {
        for counts in [[32_000; 12], [40_000; 12], [250_000; 12]] {
            let facts: Vec<IndexFact> =
                (1..).zip(counts).map(|(number, count)| fact(number, count, 1)).collect();
            let found = next_group(facts.iter().map(|fact| (SdkAppId(1), fact.clone())));
            let count: u64 =
                found.iter().flat_map(|(_, group)| group).map(|fact| u64::from(fact.count)).sum();
            assert!(count <= MERGED_COUNT_MAX, "{count}");
        }
    }
}
