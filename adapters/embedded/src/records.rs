//! The Records port: records and their index entries as keys of the engine.

use bytes::Bytes;
use model::{DataClass, Expiry, Millis, SdkAppId, Stamp};
use ports::records::{Condition, Found, KEY_BYTES_MAX, Range, VALUE_BYTES_MAX, WRITES_MAX, Write};
use ports::{Fault, Kind, Transaction};
use serde::{Deserialize, Serialize};

use crate::codec::{decode, encode, fault};
use crate::spaces::Spaces;

/// A record's key in the engine.
pub(crate) type RecordKey = Vec<u8>;

/// App and kind at the beginning of a record's key.
const PREFIX_BYTES: usize = 6;

/// A record as stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredRecord {
    pub(crate) stamp: Stamp,
    pub(crate) version: u64,
    pub(crate) indexes: Vec<(u8, Vec<u8>)>,
    pub(crate) value: Bytes,
}

pub(crate) fn record_key(app: SdkAppId, kind: Kind, key: &[u8]) -> RecordKey {
    let mut full = Vec::with_capacity(PREFIX_BYTES + key.len());
    full.extend_from_slice(&app.0.to_be_bytes());
    full.extend_from_slice(&kind.id.to_be_bytes());
    full.extend_from_slice(key);
    full
}

fn index_prefix(app: SdkAppId, kind: Kind, index: u8) -> Vec<u8> {
    let mut full = record_key(app, kind, &[]);
    full.push(index);
    full
}

/// Index keys end with a byte that no key continues below, then the record's key.
pub(crate) fn index_key(app: SdkAppId, kind: Kind, index: u8, entry: &[u8], key: &[u8]) -> Vec<u8> {
    full_index_key(&record_key(app, kind, &[]), index, entry, key)
}

fn full_index_key(prefix: &[u8], index: u8, entry: &[u8], key: &[u8]) -> Vec<u8> {
    let mut full = [prefix, &[index], entry, key].concat();
    // The length of the record's key, to find it from the end.
    full.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
    full
}

/// The record's key at the end of an index key.
pub(crate) fn key_in_index(full: &[u8]) -> Option<&[u8]> {
    let (rest, length) = full.split_last_chunk::<2>()?;
    rest.get(rest.len().checked_sub(usize::from(u16::from_be_bytes(*length)))?..)
}

/// Orders records by their ends.
fn end_key(expiry: Expiry, record: &[u8]) -> Option<Vec<u8>> {
    let Expiry::At(end) = expiry else { return None };
    Some([&end.0.to_be_bytes()[..], record].concat())
}

/// Adds the removal of records that have expired, at most so many; how many.
pub(crate) fn add_expired(
    batch: &mut fjall::OwnedWriteBatch,
    spaces: &Spaces,
    now: Millis,
    limit: usize,
) -> Result<usize, Fault> {
    let mut count = 0;
    let due = ..now.seconds().0.saturating_add(1).to_be_bytes();
    for guard in spaces.record_ends.range(due).take(limit) {
        let end = guard.key().map_err(|error| fault(&error))?;
        count += 1;
        if let Some(record) = end.get(4..)
            && let Some(bytes) = spaces.records.get(record).map_err(|error| fault(&error))?
        {
            let stored: StoredRecord = decode(&bytes, "a record")?;
            if stored.stamp.expiry.is_over(now) {
                let (prefix, key) = record.split_at_checked(PREFIX_BYTES).unwrap_or((record, &[]));
                for (index, entry) in &stored.indexes {
                    batch.remove(&spaces.record_index, full_index_key(prefix, *index, entry, key));
                }
                batch.remove(&spaces.records, record.to_vec());
            }
        }
        batch.remove(&spaces.record_ends, end.to_vec());
    }
    Ok(count)
}

/// Every record that a transaction looks at or changes.
pub(crate) fn keys_of(app: SdkAppId, transaction: &Transaction) -> Vec<RecordKey> {
    let conditions = transaction.conditions.iter().map(|condition| match condition {
        Condition::Absent(kind, key) | Condition::Version(kind, key, _) => record_key(app, *kind, key),
    });
    let writes = transaction.writes.iter().map(|write| match write {
        Write::Put(record) => record_key(app, record.value().kind, &record.value().key),
        Write::Remove(kind, key) => record_key(app, *kind, key),
    });
    conditions.chain(writes).collect()
}

/// Keys and values to write or remove.
#[derive(Default)]
pub(crate) struct Changes {
    version: u64,
    put: Vec<(RecordKey, Vec<u8>)>,
    remove: Vec<RecordKey>,
    put_index: Vec<Vec<u8>>,
    remove_index: Vec<Vec<u8>>,
    put_end: Vec<Vec<u8>>,
    remove_end: Vec<Vec<u8>>,
    /// Whether files will hold a former value of somebody's data.
    pub(crate) leaves_former: bool,
}

impl Changes {
    pub(crate) fn add_to(self, batch: &mut fjall::OwnedWriteBatch, spaces: &Spaces) {
        for key in self.remove_index {
            batch.remove(&spaces.record_index, key);
        }
        for key in self.remove {
            batch.remove(&spaces.records, key);
        }
        for (key, value) in self.put {
            batch.insert(&spaces.records, key, value);
        }
        batch.insert(&spaces.meta, crate::spaces::VERSION, self.version.to_be_bytes());
        for key in self.put_index {
            batch.insert(&spaces.record_index, key, b"");
        }
        for key in self.remove_end {
            batch.remove(&spaces.record_ends, key);
        }
        for key in self.put_end {
            batch.insert(&spaces.record_ends, key, b"");
        }
    }
}

/// Checks the conditions and says what to write.
pub(crate) fn record_changes(
    spaces: &Spaces,
    app: SdkAppId,
    transaction: &Transaction,
    version: u64,
    now: Millis,
) -> Result<Changes, Fault> {
    for condition in &transaction.conditions {
        let holds = match condition {
            Condition::Absent(kind, key) => read(spaces, app, *kind, key, now)?.is_none(),
            Condition::Version(kind, key, version) => {
                read(spaces, app, *kind, key, now)?.is_some_and(|record| record.version == *version)
            }
        };
        if !holds {
            return Err(Fault::Conflict);
        }
    }
    if transaction.writes.len() > WRITES_MAX {
        return Err(Fault::Unavailable(format!("a transaction has at most {WRITES_MAX} writes")));
    }
    let mut changes = Changes { version, ..Changes::default() };
    let mut seen = hashbrown::HashSet::with_capacity(transaction.writes.len());
    // Of several writes of one record the last one counts.
    for write in transaction.writes.iter().rev() {
        let (kind, key) = match write {
            Write::Put(record) => (record.value().kind, &record.value().key),
            Write::Remove(kind, key) => (*kind, key),
        };
        if !seen.insert((kind.id, key)) {
            continue;
        }
        if let Some(former) = read_stored(spaces, app, kind, key)? {
            changes.leaves_former |=
                kind.class != DataClass::Configuration || matches!(write, Write::Remove(..));
            for (index, entry) in &former.indexes {
                changes.remove_index.push(index_key(app, kind, *index, entry, key));
            }
            changes.remove_end.extend(end_key(former.stamp.expiry, &record_key(app, kind, key)));
        }
        match write {
            Write::Put(record) => changes.put(app, record, version)?,
            Write::Remove(..) => changes.remove.push(record_key(app, kind, key)),
        }
    }
    Ok(changes)
}

impl Changes {
    fn put(
        &mut self,
        app: SdkAppId,
        record: &ports::Stamped<ports::records::RawRecord>,
        version: u64,
    ) -> Result<(), Fault> {
        let raw = record.value();
        let too_long =
            raw.key.len() > KEY_BYTES_MAX || raw.indexes.iter().any(|(_, key)| key.len() > KEY_BYTES_MAX);
        if too_long || raw.value.len() > VALUE_BYTES_MAX {
            return Err(Fault::Unavailable(format!("a {} is too large to store", raw.kind.name)));
        }
        let stored = StoredRecord {
            stamp: *record.stamp(),
            version,
            indexes: raw.indexes.clone(),
            value: raw.value.clone(),
        };
        for (index, entry) in &raw.indexes {
            self.put_index.push(index_key(app, raw.kind, *index, entry, &raw.key));
        }
        let record = record_key(app, raw.kind, &raw.key);
        self.put_end.extend(end_key(stored.stamp.expiry, &record));
        self.put.push((record, encode(&stored)?));
        Ok(())
    }
}

fn read_stored(
    spaces: &Spaces,
    app: SdkAppId,
    kind: Kind,
    key: &[u8],
) -> Result<Option<StoredRecord>, Fault> {
    let found = spaces.records.get(record_key(app, kind, key)).map_err(|error| fault(&error))?;
    found.map(|bytes| decode(&bytes, kind.name)).transpose()
}

/// A record, unless it has expired.
pub(crate) fn read(
    spaces: &Spaces,
    app: SdkAppId,
    kind: Kind,
    key: &[u8],
    now: Millis,
) -> Result<Option<Found>, Fault> {
    Ok(read_stored(spaces, app, kind, key)?.and_then(|record| live(record, key, now)))
}

/// A record as it was found, unless it has expired.
fn live(record: StoredRecord, key: &[u8], now: Millis) -> Option<Found> {
    let StoredRecord { stamp, version, value, .. } = record;
    (!stamp.expiry.is_over(now)).then(|| Found { key: key.to_vec(), value, stamp, version })
}

/// Records in the order of their keys or of an index.
pub(crate) fn scan(spaces: &Spaces, app: SdkAppId, range: &Range, now: Millis) -> Result<Vec<Found>, Fault> {
    let (space, mut prefix) = match range.index {
        None => (&spaces.records, record_key(app, range.kind, &[])),
        Some(index) => (&spaces.record_index, index_prefix(app, range.kind, index)),
    };
    let own = prefix.len();
    prefix.extend_from_slice(&range.prefix);
    let after = range.after.as_ref().map(|(entry, key)| match range.index {
        None => record_key(app, range.kind, key),
        Some(index) => index_key(app, range.kind, index, entry, key),
    });
    let mut records = Vec::new();
    let keys: Box<dyn Iterator<Item = fjall::Guard>> = match after {
        Some(after) if after >= prefix => {
            Box::new(space.range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded)))
        }
        _ => Box::new(space.prefix(&prefix)),
    };
    for guard in keys {
        if records.len() == range.limit {
            break;
        }
        let (full, value) = guard.into_inner().map_err(|error| fault(&error))?;
        if !full.starts_with(&prefix) {
            break;
        }
        let damaged = || Fault::Corrupt(format!("an index key of {}", range.kind.name));
        records.extend(if range.index.is_some() {
            read(spaces, app, range.kind, key_in_index(&full).ok_or_else(damaged)?, now)?
        } else {
            let key = full.get(own..).ok_or_else(damaged)?;
            live(decode(&value, "a record")?, key, now)
        });
    }
    Ok(records)
}
