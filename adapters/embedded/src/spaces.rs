//! The key spaces of the engine, and reads of single values.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use model::HistoryKey;
use ports::{Cursor, Entry, Fault};

use crate::codec::{decode, fault};
use crate::head::Head;
use crate::layout::{Conversation, Reference};
use crate::state::Amendment;

/// Memory for reading, in bytes.
const CACHE_BYTES: u64 = 128 << 20;
const JOURNAL_BYTES_MAX: u64 = 128 << 20;
const MEMTABLE_BYTES: u64 = 16 << 20;

/// The key spaces; see `layout` for what they hold.
pub(crate) struct Spaces {
    pub(crate) database: Database,
    pub(crate) records: Keyspace,
    pub(crate) record_index: Keyspace,
    pub(crate) log: Keyspace,
    pub(crate) references: Keyspace,
    pub(crate) backdated: Keyspace,
    pub(crate) amendments: Keyspace,
    pub(crate) heads: Keyspace,
    pub(crate) recent: Keyspace,
    pub(crate) accounts: Keyspace,
    pub(crate) meta: Keyspace,
}

/// In `meta`: up to which entry the derived key spaces are written.
pub(crate) const WRITTEN_TO: &str = "written_to";
/// In `meta`: the version of the newest record.
pub(crate) const VERSION: &str = "version";

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
        let space = |name: &str| {
            database
                .keyspace(name, || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES))
                .map_err(|error| fault(&error))
        };
        Ok(Self {
            records: space("records")?,
            record_index: space("record_index")?,
            log: space("log")?,
            references: space("references")?,
            backdated: space("backdated")?,
            amendments: space("amendments")?,
            heads: space("heads")?,
            recent: space("recent")?,
            accounts: space("accounts")?,
            meta: space("meta")?,
            database,
        })
    }

    /// Every key space with its name.
    pub(crate) fn all(&self) -> [(&'static str, &Keyspace); 10] {
        [
            ("records", &self.records),
            ("record_index", &self.record_index),
            ("log", &self.log),
            ("references", &self.references),
            ("backdated", &self.backdated),
            ("amendments", &self.amendments),
            ("heads", &self.heads),
            ("recent", &self.recent),
            ("accounts", &self.accounts),
            ("meta", &self.meta),
        ]
    }

    pub(crate) fn head(&self, conversation: Conversation) -> Result<Option<Head>, Fault> {
        self.value(&self.heads, &conversation.key(), "a head")
    }

    pub(crate) fn amendment(
        &self,
        conversation: Conversation,
        at: HistoryKey,
    ) -> Result<Option<Amendment>, Fault> {
        self.value(&self.amendments, &conversation.place(at), "an amendment")
    }

    pub(crate) fn entry(&self, cursor: Cursor) -> Result<Option<Entry>, Fault> {
        self.value(&self.log, &cursor.0.to_be_bytes(), "a log entry")
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

    pub(crate) fn reference_at(
        &self,
        conversation: Conversation,
        at: HistoryKey,
    ) -> Result<Option<Reference>, Fault> {
        if let Some(bytes) = self.backdated.get(conversation.place(at)).map_err(|error| fault(&error))? {
            return Ok(Reference::read(&bytes));
        }
        let chunk = self.chunk_before(conversation, at)?;
        Ok(chunk.into_iter().find(|reference| reference.at == at))
    }

    /// The chunk of references that would hold this place.
    pub(crate) fn chunk_before(
        &self,
        conversation: Conversation,
        at: HistoryKey,
    ) -> Result<Vec<Reference>, Fault> {
        let range = conversation.place(HistoryKey::START)..=conversation.place(at);
        match self.references.range(range).next_back() {
            Some(guard) => read_chunk(guard),
            None => Ok(Vec::new()),
        }
    }

    /// The newest cursor in the log.
    pub(crate) fn last_cursor(&self) -> Result<Cursor, Fault> {
        match self.log.last_key_value() {
            Some(guard) => {
                let key = guard.key().map_err(|error| fault(&error))?;
                crate::layout::read_u64(&key, 0)
                    .map(Cursor)
                    .ok_or_else(|| Fault::Corrupt("a log key".to_owned()))
            }
            None => Ok(Cursor(0)),
        }
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

/// Reads the references in an item of the key space `references`.
pub(crate) fn read_chunk(guard: fjall::Guard) -> Result<Vec<Reference>, Fault> {
    let bytes = guard.value().map_err(|error| fault(&error))?;
    Reference::read_all(&bytes).ok_or_else(|| Fault::Corrupt("a chunk of references".to_owned()))
}
