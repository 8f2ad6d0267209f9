//! The key spaces of the engine, and reads of single values.

use std::path::Path;

use fjall::{Database, Keyspace};
use model::HistoryKey;
use parking_lot::RwLock;
use ports::{Cursor, Entry, Fault};

use crate::bucket::{Bucket, Buckets, space_options};
use crate::codec::{decode, fault};
use crate::head::Head;
use crate::layout::{Conversation, Reference, derived};
use crate::limits::Limits;
use crate::state::Amendment;

/// Memory for reading, in bytes.
const CACHE_BYTES: u64 = 128 << 20;
const JOURNAL_BYTES_MAX: u64 = 128 << 20;

/// The key spaces; see `layout` for what they hold.
pub(crate) struct Spaces {
    pub(crate) database: Database,
    pub(crate) records: Keyspace,
    pub(crate) record_index: Keyspace,
    pub(crate) record_ends: Keyspace,
    pub(crate) heads: Keyspace,
    pub(crate) recent: Keyspace,
    pub(crate) meta: Keyspace,
    pub(crate) padding: Keyspace,
    pub(crate) buckets: Buckets,
    pub(crate) limits: Limits,
    /// Held to read by who keeps a moment of the store for long, to write by a purge: what is removed stays in tables as
    /// long as somebody holds a moment at which it was there.
    pub(crate) moment: RwLock<()>,
}

/// In `meta`: up to which entry the derived key spaces are written.
pub(crate) const WRITTEN_TO: &str = "written_to";
/// In `meta`: the version of the newest record.
pub(crate) const VERSION: &str = "version";
/// In `meta`: how often something was removed from the key spaces that files may still hold.
pub(crate) const REMOVED: &str = "removed";
/// In `meta`: the newest removal that left former values in tables of buckets.
pub(crate) const SCATTERED: &str = "scattered";
/// In `meta`: a day (4) and the newest removal at its beginning (8).
pub(crate) const DAY_BEGAN: &str = "day began";
/// In `meta`: up to which removal the files are rid of it.
pub(crate) const PURGED: &str = "purged";

impl Spaces {
    pub(crate) fn open(folder: &Path) -> Result<Self, Fault> {
        let database = Database::builder(folder)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES_MAX)
            .journal_compression(fjall::CompressionType::None)
            .manual_journal_persist(true)
            .worker_threads(1)
            .open()
            .map_err(|error| fault(&error))?;
        settle(&database)?;
        let space = |name: &str| database.keyspace(name, space_options).map_err(|error| fault(&error));
        let meta = space("meta")?;
        Ok(Self {
            records: space("records")?,
            record_index: space("record_index")?,
            record_ends: space("record_ends")?,
            heads: space("heads")?,
            recent: space("recent")?,
            limits: Limits::open(&meta)?,
            moment: RwLock::new(()),
            meta,
            padding: space("padding")?,
            buckets: Buckets::open(&database)?,
            database,
        })
    }

    /// Every key space.
    pub(crate) fn all(&self) -> Vec<Keyspace> {
        let buckets = self.buckets.all();
        let of_buckets = buckets.iter().flat_map(|bucket| [bucket.log.clone(), bucket.derived.clone()]);
        let fixed = [
            &self.records,
            &self.record_index,
            &self.record_ends,
            &self.heads,
            &self.recent,
            &self.meta,
            &self.padding,
        ];
        fixed.into_iter().cloned().chain(of_buckets).collect()
    }

    pub(crate) fn head(&self, conversation: Conversation) -> Result<Option<Head>, Fault> {
        self.value(&self.heads, &conversation.key(), "a head")
    }

    /// What happened to the message of a reference later, as far as it is written.
    pub(crate) fn amendment(
        &self,
        conversation: Conversation,
        reference: Reference,
    ) -> Result<Option<Amendment>, Fault> {
        let Some(bucket) = self.buckets.get(reference.day) else { return Ok(None) };
        let key = conversation.place(derived::AMENDMENT, reference.at);
        self.value(&bucket.derived, &key, "an amendment")
    }

    /// An entry; `None` if there is none or its bucket was dropped.
    pub(crate) fn entry(&self, day: u16, cursor: Cursor) -> Result<Option<Entry>, Fault> {
        let Some(bucket) = self.buckets.get(day) else { return Ok(None) };
        self.value(&bucket.log, &cursor.0.to_be_bytes(), "a log entry")
    }

    fn value<T: serde::de::DeserializeOwned>(
        &self,
        space: &Keyspace,
        key: &[u8],
        what: &str,
    ) -> Result<Option<T>, Fault> {
        let found = space.get(key).map_err(|error| fault(&error))?;
        found.map(|bytes| decode(&bytes, what)).transpose()
    }

    /// The written reference at a place of a conversation with this head.
    pub(crate) fn reference_at(
        &self,
        conversation: Conversation,
        head: &Head,
        at: HistoryKey,
    ) -> Result<Option<Reference>, Fault> {
        for part in head.buckets.iter().filter(|part| part.first <= at.time && at.time <= part.last) {
            let Some(bucket) = self.buckets.get(part.day) else { continue };
            let key = conversation.place(derived::BACKDATED, at);
            if let Some(bytes) = bucket.derived.get(key).map_err(|error| fault(&error))? {
                return Ok(Reference::read(&bytes, part.day));
            }
            let chunk = chunk_before(&bucket, conversation, at)?;
            if let Some(found) = chunk.into_iter().find(|reference| reference.at == at) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The newest cursor that was ever given out and written.
    pub(crate) fn last_cursor(&self) -> Result<Cursor, Fault> {
        Ok(self.buckets.newest().max(Cursor(self.number(WRITTEN_TO)?)))
    }

    /// A number in `meta`; 0 if it was never written.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Fault> {
        let found = self.meta.get(name).map_err(|error| fault(&error))?;
        match found {
            Some(bytes) => crate::layout::read_u64(&bytes, 0).ok_or_else(|| Fault::Corrupt(name.to_owned())),
            None => Ok(0),
        }
    }
}

/// Waits until former journals are gone. What they say about a dropped key space must not be taken for that of a new one
/// that got the same number.
fn settle(database: &Database) -> Result<(), Fault> {
    /// How often to look, ten milliseconds apart.
    const LOOKS_MAX: u32 = 3000;
    for _ in 0..LOOKS_MAX {
        if database.journal_count() <= 1 {
            return Ok(());
        }
        for name in database.list_keyspace_names() {
            let space = database.keyspace(&name, space_options).map_err(|error| fault(&error))?;
            space.rotate_memtable().map_err(|error| fault(&error))?;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Err(Fault::Unavailable("the engine does not let go of its former journals".to_owned()))
}

/// The chunk of references of a bucket that would hold this place.
pub(crate) fn chunk_before(
    bucket: &Bucket,
    conversation: Conversation,
    at: HistoryKey,
) -> Result<Vec<Reference>, Fault> {
    let place = |at| conversation.place(derived::REFERENCES, at);
    match bucket.derived.range(place(HistoryKey::START)..=place(at)).next_back() {
        Some(guard) => read_chunk(guard, bucket.day),
        None => Ok(Vec::new()),
    }
}

/// Reads a chunk of references.
pub(crate) fn read_chunk(guard: fjall::Guard, day: u16) -> Result<Vec<Reference>, Fault> {
    let bytes = guard.value().map_err(|error| fault(&error))?;
    Reference::read_all(&bytes, day).ok_or_else(|| Fault::Corrupt("a chunk of references".to_owned()))
}
