//! Audits: every item that is at rest, counted by its class, with what should not be there any more.
//!
//! A store may be in use meanwhile. It is read a page at a time, and nothing of it is held between two pages: a reader that
//! is open for long would make the engine keep what is removed, and files that are dropped.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

use fjall::{Keyspace, Readable as _, UserKey, UserValue};
use model::time::DAY_SECONDS;
use model::{AccountNumber, ConversationId, DataClass, Expiry, Millis, SdkAppId, Sealed, Seconds, Stamp};
use ports::{Entry, Event, Fault, Kind};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::codec::{decode, fault};
use crate::records::StoredRecord;
use crate::spaces::Spaces;
use crate::store::EmbeddedStore;

/// How long after its bytes should be gone something may still be there.
const GRACE_SECONDS: u32 = 3600;

/// How long it may take until messages are removed that a shortened retention ends before their bucket: a day is swept once.
const SWEEP_SECONDS: u32 = DAY_SECONDS;

/// Items and bytes read at once, about.
const PAGE_ITEMS: usize = 1000;
const PAGE_BYTES: usize = 4 << 20;

/// The key spaces beside those of buckets.
const SPACES: [&str; 7] = ["records", "record_index", "record_ends", "heads", "recent", "meta", "padding"];

/// Whether an item may be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is kept.
    #[default]
    Kept,
    /// It is over and invisible; its bytes go later, with others.
    Expired,
    /// Its bytes should have been gone for an hour.
    Overdue,
}

impl Standing {
    /// That of an item that is over at one moment, and whose bytes are to be gone at another.
    #[must_use]
    pub fn of(over: Seconds, gone: Seconds, now: Seconds) -> Self {
        if gone.plus(GRACE_SECONDS) <= now {
            Self::Overdue
        } else if over <= now {
            Self::Expired
        } else {
            Self::Kept
        }
    }
}

/// What there is of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Items.
    pub items: u64,
    /// Items that are over and wait for the end of their bucket or day.
    pub expired: u64,
    /// Items whose bytes should have been gone for an hour.
    pub overdue: u64,
    /// The time of the oldest one, where items have a time.
    pub oldest: Option<Seconds>,
}

impl Count {
    /// Counts an item that was made at a time.
    pub fn add(&mut self, standing: Standing, made: Option<Seconds>) {
        self.merge(Self {
            items: 1,
            expired: u64::from(standing == Standing::Expired),
            overdue: u64::from(standing == Standing::Overdue),
            oldest: made,
        });
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.items += other.items;
        self.expired += other.expired;
        self.overdue += other.overdue;
        self.oldest = self.oldest.into_iter().chain(other.oldest).min();
    }
}

/// What an audit shows of the store.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// By class.
    pub classes: BTreeMap<DataClass, Count>,
    /// What belongs to nothing that the program knows.
    pub unknown: Vec<String>,
    /// Whether something was removed that files may still hold.
    pub purge_is_due: bool,
}

/// Something that an audit looks at.
pub enum Item<'a> {
    /// A key or a value as it lies there.
    Bytes(&'a [u8]),
    /// What somebody wrote in a conversation.
    Message(SdkAppId, ConversationId, AccountNumber, &'a Sealed),
    /// A record of a kind. All of them come before the first message.
    Record(SdkAppId, Kind, &'a [u8]),
}

/// Looks at an item; a fault ends the audit.
pub type Look<'a> = dyn FnMut(Item<'_>) -> Result<(), Fault> + 'a;

/// Since when an app's retention of messages is as short as it is, if that is known.
pub type Shortened<'a> = dyn Fn(SdkAppId) -> Option<Seconds> + 'a;

/// The generation of keys that a place of the vault holds, as its files say it in the clear; `None` if it holds none.
///
/// # Errors
/// `Unavailable` if a file cannot be read.
pub fn kept_generation(folder: &Path) -> Result<Option<u64>, Fault> {
    let mut newest = None;
    for name in ["key.0", "key.1"] {
        let path = folder.join(name);
        match std::fs::read(&path) {
            Ok(bytes) => newest = newest.max(generation_in(&Zeroizing::new(bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Fault::Unavailable(format!("cannot read {}: {error}", path.display())));
            }
        }
    }
    Ok(newest)
}

/// The generation of a key file that is whole; its form is that of `vault::slot`.
fn generation_in(file: &[u8]) -> Option<u64> {
    /// Magic 8, generation 8, whether wrapped 1, nonce 12, tag 16, key 32.
    const BODY_BYTES: usize = 77;
    let (body, rest) = file.split_at_checked(BODY_BYTES)?;
    let is_whole = crc32fast::hash(body).to_be_bytes() == *rest.first_chunk::<4>()?;
    crate::layout::read_u64(body.strip_prefix(b"WhimKey1")?, 0).filter(|_| is_whole)
}

impl EmbeddedStore {
    /// Looks at every item. `kinds` are those of records that the program knows.
    ///
    /// # Errors
    /// `Corrupt` where something cannot be read, and what `look` says.
    pub fn audit(
        &self,
        kinds: &[Kind],
        shortened: &Shortened<'_>,
        look: &mut Look<'_>,
    ) -> Result<Census, Fault> {
        let spaces = self.spaces();
        let mut census = Census {
            classes: BTreeMap::new(),
            unknown: unknown_spaces(spaces),
            purge_is_due: crate::purge::is_due(spaces)?,
        };
        let now = self.now();
        each(spaces, &|| Some(spaces.records.clone()), &mut |key, value| {
            look_at_bytes(look, key, value)?;
            census.record((key, value), kinds, now, look)
        })?;
        for space in [
            &spaces.record_index,
            &spaces.record_ends,
            &spaces.heads,
            &spaces.recent,
            &spaces.meta,
            &spaces.padding,
        ] {
            each(spaces, &|| Some(space.clone()), &mut |key, value| look_at_bytes(look, key, value))?;
        }
        let days: Vec<u16> = spaces.buckets.all().iter().map(|bucket| bucket.day).collect();
        for day in days {
            let log = || Some(spaces.buckets.get(day)?.log.clone());
            each(spaces, &log, &mut |key, value| {
                look_at_bytes(look, key, value)?;
                let entry: Entry = decode(value, "a log entry")?;
                let standing = self.standing(&entry, day, shortened, now);
                census.count(&entry.stamp, standing, Some(entry.time));
                let (writer, content) = match &entry.event {
                    Event::Message(message) => (message.writer(), &message.content),
                    Event::Modify { modification, content, .. } => (modification.by, content),
                    _ => return Ok(()),
                };
                if content.bytes.is_empty() && matches!(entry.event, Event::Modify { .. }) {
                    return Ok(());
                }
                look(Item::Message(entry.stamp.app, entry.conversation, writer, content))
            })?;
            let derived = || Some(spaces.buckets.get(day)?.derived.clone());
            each(spaces, &derived, &mut |key, value| look_at_bytes(look, key, value))?;
        }
        Ok(census)
    }

    /// Whether an entry may lie in the bucket of a day: until that begins, unless a shortened retention ended before.
    fn standing(&self, entry: &Entry, day: u16, shortened: &Shortened<'_>, now: Millis) -> Standing {
        let gone = crate::bucket::begins(day);
        let seconds = now.seconds();
        let own = Standing::of(entry.stamp.end().min(gone), gone, seconds);
        if !matches!(entry.event, Event::Message(_)) {
            return own;
        }
        let app = entry.stamp.app;
        let is_over = |at| self.spaces().limits.is_over(app, entry.cursor, entry.time, at);
        let swept = Millis(now.0.saturating_sub(u64::from(SWEEP_SECONDS + GRACE_SECONDS) * 1000));
        // What was over already when the retention was shortened goes from then on.
        let is_new = shortened(app).is_some_and(|since| seconds < since.plus(GRACE_SECONDS));
        let limited = if is_over(swept) && !is_new {
            Standing::Overdue
        } else if is_over(now) {
            Standing::Expired
        } else {
            Standing::Kept
        };
        own.max(limited)
    }
}

impl Census {
    fn count(&mut self, stamp: &Stamp, standing: Standing, made: Option<Seconds>) {
        self.classes.entry(stamp.class).or_default().add(standing, made);
    }

    fn record(
        &mut self,
        (key, value): (&[u8], &[u8]),
        kinds: &[Kind],
        now: Millis,
        look: &mut Look<'_>,
    ) -> Result<(), Fault> {
        let record: StoredRecord = decode(value, "a record")?;
        let id = key.get(4..6).and_then(|id| Some(u16::from_be_bytes(id.try_into().ok()?)));
        match kinds.iter().find(|kind| Some(kind.id) == id) {
            Some(kind) if kind.class == record.stamp.class => {
                look(Item::Record(record.stamp.app, *kind, &record.value))?;
            }
            _ => self.unknown.push(format!("record of kind {id:?}")),
        }
        let standing = match record.stamp.expiry {
            // Files are purged of it when the day is over.
            Expiry::At(end) => {
                let gone = Seconds(end.0.div_ceil(DAY_SECONDS).saturating_mul(DAY_SECONDS));
                Standing::of(end, gone, now.seconds())
            }
            Expiry::WithOwner => Standing::Kept,
        };
        self.count(&record.stamp, standing, None);
        Ok(())
    }
}

fn unknown_spaces(spaces: &Spaces) -> Vec<String> {
    let mut unknown = Vec::new();
    for name in spaces.database.list_keyspace_names() {
        let is_of_bucket = ["log-", "derived-"]
            .iter()
            .any(|prefix| name.strip_prefix(prefix).is_some_and(|day| day.parse::<u16>().is_ok()));
        if !is_of_bucket && !SPACES.contains(&name.as_ref()) {
            unknown.push(format!("key space {name}"));
        }
    }
    unknown
}

fn look_at_bytes(look: &mut Look<'_>, key: &[u8], value: &[u8]) -> Result<(), Fault> {
    look(Item::Bytes(key))?;
    look(Item::Bytes(value))
}

/// Visits every item of a key space, for as long as that is there.
fn each(spaces: &Spaces, space: &dyn Fn() -> Option<Keyspace>, visit: &mut Visit<'_>) -> Result<(), Fault> {
    let mut after = None;
    while let Some(found) = space() {
        let items = page(spaces, &found, after.take())?;
        drop(found);
        let Some((last, _)) = items.last() else { break };
        after = Some(last.to_vec());
        for (key, value) in &items {
            visit(key.as_ref(), value.as_ref())?;
        }
    }
    Ok(())
}

/// Looks at a key and its value.
type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), Fault> + 'a;

/// The items behind a key, as they are at this moment.
fn page(
    spaces: &Spaces,
    space: &Keyspace,
    after: Option<Vec<u8>>,
) -> Result<Vec<(UserKey, UserValue)>, Fault> {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    let moment = spaces.database.snapshot();
    let (mut items, mut bytes) = (Vec::new(), 0);
    for guard in moment.range(space, (start, Bound::<Vec<u8>>::Unbounded)) {
        let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
        bytes += key.len() + value.len();
        items.push((key, value));
        if items.len() >= PAGE_ITEMS || bytes >= PAGE_BYTES {
            break;
        }
    }
    Ok(items)
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
