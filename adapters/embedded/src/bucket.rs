//! Buckets: what ends in the same days lies together in key spaces of its own, so that it is dropped together.
//!
//! A bucket is named by the day, counted from 1970, at whose beginning everything in it has expired. All apps share
//! it. Up to 32 days ahead each day has a bucket; further ahead they are wider, so that there are never more than
//! [`BUCKETS_MAX`] of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};
use model::time::DAY_SECONDS;
use model::{Expiry, Seconds};
use parking_lot::RwLock;
use ports::{Cursor, Fault};

use crate::codec::fault;
use crate::layout::read_u64;

/// How many buckets there may be at once, whatever was chosen when.
#[cfg(test)]
const BUCKETS_MAX: usize = 64;

/// So many days ahead each day has a bucket of its own.
const NARROW_DAYS: u32 = 32;

/// Beyond so many days ahead there are two buckets each time the distance doubles, before that four.
const WIDE_DAYS: u32 = 512;

const LOG: &str = "log-";
const DERIVED: &str = "derived-";

/// The key spaces of a bucket; see `layout` for what they hold.
pub(crate) struct Bucket {
    /// The day at whose beginning everything in it has expired.
    pub(crate) day: u16,
    pub(crate) log: Keyspace,
    pub(crate) derived: Keyspace,
    /// The newest entry in its log.
    newest: AtomicU64,
}

impl Bucket {
    fn open(database: &Database, day: u16) -> Result<Self, Fault> {
        let space = |prefix: &str| {
            database.keyspace(&format!("{prefix}{day}"), space_options).map_err(|error| fault(&error))
        };
        let (log, derived) = (space(LOG)?, space(DERIVED)?);
        let newest = match log.last_key_value() {
            Some(guard) => {
                let key = guard.key().map_err(|error| fault(&error))?;
                read_u64(&key, 0).ok_or_else(|| Fault::Corrupt("a log key".to_owned()))?
            }
            None => 0,
        };
        Ok(Self { day, log, derived, newest: AtomicU64::new(newest) })
    }

    pub(crate) fn newest(&self) -> Cursor {
        Cursor(self.newest.load(Ordering::Acquire))
    }

    /// Notes that an entry is about to be seen in its log.
    pub(crate) fn holds(&self, cursor: Cursor) {
        self.newest.fetch_max(cursor.0, Ordering::AcqRel);
    }

    /// Whether everything in it has expired.
    pub(crate) fn is_over(&self, now: Seconds) -> bool {
        begins(self.day) <= now
    }
}

/// The buckets that there are.
pub(crate) struct Buckets {
    database: Database,
    live: RwLock<BTreeMap<u16, Arc<Bucket>>>,
}

impl Buckets {
    /// Opens all that are in the database.
    pub(crate) fn open(database: &Database) -> Result<Self, Fault> {
        let mut live = BTreeMap::new();
        for name in database.list_keyspace_names() {
            let day = name.strip_prefix(LOG).or_else(|| name.strip_prefix(DERIVED));
            if let Some(day) = day.and_then(|day| day.parse::<u16>().ok())
                && !live.contains_key(&day)
            {
                live.insert(day, Arc::new(Bucket::open(database, day)?));
            }
        }
        Ok(Self { database: database.clone(), live: RwLock::new(live) })
    }

    /// One of them; `None` if it was dropped or never made.
    pub(crate) fn get(&self, day: u16) -> Option<Arc<Bucket>> {
        self.live.read().get(&day).cloned()
    }

    /// One of them, made if it is not there. Takes some ten milliseconds then. Called by the writer only.
    pub(crate) fn make(&self, day: u16) -> Result<Arc<Bucket>, Fault> {
        if let Some(bucket) = self.get(day) {
            return Ok(bucket);
        }
        let bucket = Arc::new(Bucket::open(&self.database, day)?);
        self.live.write().insert(day, Arc::clone(&bucket));
        Ok(bucket)
    }

    /// Whether there is such a bucket.
    pub(crate) fn is_live(&self, day: u16) -> bool {
        self.live.read().contains_key(&day)
    }

    /// All, the one that ends first at the beginning.
    pub(crate) fn all(&self) -> Vec<Arc<Bucket>> {
        self.live.read().values().cloned().collect()
    }

    /// Those in which everything has expired.
    pub(crate) fn over(&self, now: Seconds) -> Vec<Arc<Bucket>> {
        self.live.read().values().filter(|bucket| bucket.is_over(now)).cloned().collect()
    }

    /// Drops one: from now on nothing of it is found. Its files go when nobody reads them any more and the engine's
    /// journal is rid of it, which `purge` sees to.
    pub(crate) fn drop_one(&self, bucket: &Bucket) -> Result<(), Fault> {
        self.live.write().remove(&bucket.day);
        for space in [&bucket.log, &bucket.derived] {
            self.database.delete_keyspace(space.clone()).map_err(|error| fault(&error))?;
        }
        Ok(())
    }

    /// The newest entry in all logs.
    pub(crate) fn newest(&self) -> Cursor {
        self.live.read().values().map(|bucket| bucket.newest()).max().unwrap_or_default()
    }

    /// The oldest entry in all logs; the end of all entries if there is none.
    pub(crate) fn oldest(&self) -> Result<Cursor, Fault> {
        let mut oldest = Cursor(u64::MAX);
        for bucket in self.all() {
            if let Some(guard) = bucket.log.first_key_value() {
                let key = guard.key().map_err(|error| fault(&error))?;
                oldest = oldest.min(Cursor(read_u64(&key, 0).unwrap_or(0)));
            }
        }
        Ok(oldest)
    }

    /// The entries of all logs in a range of cursors, in their order.
    pub(crate) fn entries(&self, after: Cursor, before: Cursor) -> InOrder<'_> {
        let mut logs = Vec::new();
        for bucket in self.all() {
            if bucket.newest() > after {
                let range = (after.0 + 1).to_be_bytes()..before.0.to_be_bytes();
                let items = Box::new(bucket.log.range(range)) as Box<dyn Iterator<Item = fjall::Guard>>;
                let mut log = Log { day: bucket.day, items, head: None };
                log.step();
                logs.push(log);
            }
        }
        InOrder { logs }
    }
}

/// How every key space is made.
pub(crate) fn space_options() -> KeyspaceCreateOptions {
    /// Memory for what is not yet in a table, in bytes.
    const MEMTABLE_BYTES: u64 = 16 << 20;
    // Ciphertext does not become shorter, and whoever searches the files for a text must be able to find it.
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_BYTES)
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
}

struct Log<'a> {
    day: u16,
    items: Box<dyn Iterator<Item = fjall::Guard> + 'a>,
    head: Option<Result<(Cursor, fjall::UserValue), Fault>>,
}

impl Log<'_> {
    fn step(&mut self) {
        self.head = self.items.next().map(|guard| {
            let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
            let cursor = read_u64(&key, 0).ok_or_else(|| Fault::Corrupt("a log key".to_owned()))?;
            Ok((Cursor(cursor), value))
        });
    }
}

/// An entry as it lies in a log, with the day of its bucket.
pub(crate) struct Lying {
    pub(crate) day: u16,
    pub(crate) cursor: Cursor,
    pub(crate) value: fjall::UserValue,
}

/// Entries of several logs in the order of their cursors.
pub(crate) struct InOrder<'a> {
    logs: Vec<Log<'a>>,
}

impl Iterator for InOrder<'_> {
    type Item = Result<Lying, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = |log: &Log<'_>| match &log.head {
            Some(Ok((cursor, _))) => *cursor,
            // Faults come first.
            Some(Err(_)) => Cursor(0),
            None => Cursor(u64::MAX),
        };
        let first = self.logs.iter_mut().min_by_key(|log| place(log))?;
        let head = first.head.take()?;
        let day = first.day;
        first.step();
        Some(head.map(|(cursor, value)| Lying { day, cursor, value }))
    }
}

/// The beginning of a day, counted from 1970.
pub(crate) fn begins(day: u16) -> Seconds {
    Seconds(u32::from(day).saturating_mul(DAY_SECONDS))
}

/// The bucket for what expires then: the first one at whose day's beginning it has expired. Never one that is over.
pub(crate) fn day_of(expiry: Expiry, now: Seconds) -> Result<u16, Fault> {
    let Expiry::At(end) = expiry else {
        return Err(Fault::Unavailable("an entry of a conversation needs an end".to_owned()));
    };
    let today = now.0 / DAY_SECONDS;
    let day = end.0.div_ceil(DAY_SECONDS).max(today + 1);
    let width = width(day - today);
    Ok(u16::try_from(day.next_multiple_of(width)).unwrap_or(u16::MAX))
}

/// How many days share a bucket that lies so many days ahead.
fn width(ahead: u32) -> u32 {
    let power = 1 << ahead.ilog2();
    if ahead <= NARROW_DAYS {
        1
    } else if ahead <= WIDE_DAYS {
        power / 4
    } else {
        power / 2
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn day(end: u32, now: u32) -> u32 {
        day_of(Expiry::At(Seconds(end)), Seconds(now)).map(u32::from).unwrap_or(0)
    }

    #[test]
    fn what_is_in_a_bucket_has_expired_at_its_end_and_no_earlier_bucket_would_do() {
        let now = 20_000 * DAY_SECONDS + 5;
        assert_eq!(day(now + 7 * DAY_SECONDS, now), 20_008);
        assert_eq!(day(20_007 * DAY_SECONDS, now), 20_007);
        assert_eq!(day(20_007 * DAY_SECONDS + 1, now), 20_008);
        // What has expired already goes with the next one.
        assert_eq!(day(now - DAY_SECONDS, now), 20_001);
        assert!(day_of(Expiry::WithOwner, Seconds(now)).is_err());
        for ahead in 1..3660 {
            let end = now + ahead * DAY_SECONDS;
            let kept = day(end, now) * DAY_SECONDS - end;
            // At most a day longer, or a quarter of the time, or half of it where that is more than a year.
            let most = if ahead < 32 {
                1
            } else if ahead < 512 {
                ahead / 4 + 1
            } else {
                ahead / 2 + 1
            };
            assert!(kept <= most * DAY_SECONDS, "{ahead} days: {} more", kept / DAY_SECONDS);
        }
    }

    #[test]
    fn there_are_never_more_buckets_than_promised_whatever_was_chosen_when() {
        let mut live: BTreeSet<u32> = BTreeSet::new();
        let mut most = 0;
        for today in 20_000..24_300_u32 {
            let now = today * DAY_SECONDS + 1;
            live.retain(|day| *day > today);
            for ahead in (1..=40).chain((41..=3650).step_by(5)) {
                live.insert(day(now + ahead * DAY_SECONDS, now));
            }
            most = most.max(live.len());
        }
        assert!(most <= BUCKETS_MAX, "{most}");
    }
}
