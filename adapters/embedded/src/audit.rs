//! Audits: every item that is at rest, counted by its class, with what should not be there any more.

use std::collections::BTreeMap;

use model::{AccountNumber, ConversationId, DataClass, Expiry, SdkAppId, Sealed, Seconds};
use ports::{Cursor, Entry, Event, Fault, Kind};

use crate::codec::{decode, fault};
use crate::records::StoredRecord;
use crate::store::EmbeddedStore;

/// How long after its end something may still be there.
const GRACE_SECONDS: u32 = 3600;

/// The key spaces beside those of buckets.
const SPACES: [&str; 7] = ["records", "record_index", "record_ends", "heads", "recent", "meta", "padding"];

/// What there is of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Items.
    pub items: u64,
    /// Items that should have been gone for an hour.
    pub overdue: u64,
    /// The time of the oldest one, where items have a time.
    pub oldest: Option<Seconds>,
}

impl Count {
    /// Counts an item that ends at a time and was made at one.
    pub fn add(&mut self, end: Option<Seconds>, made: Option<Seconds>, now: Seconds) {
        self.items += 1;
        self.overdue += u64::from(end.is_some_and(|end| end.plus(GRACE_SECONDS) <= now));
        self.oldest = match (self.oldest, made) {
            (Some(oldest), Some(made)) => Some(oldest.min(made)),
            (oldest, made) => oldest.or(made),
        };
    }
}

/// What an audit shows of the store.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// By class.
    pub classes: BTreeMap<DataClass, Count>,
    /// What belongs to nothing that the program knows.
    pub unknown: Vec<String>,
}

/// Something that an audit looks at.
pub enum Item<'a> {
    /// A key or a value as it lies there.
    Bytes(&'a [u8]),
    /// What somebody wrote in a conversation.
    Message(SdkAppId, ConversationId, AccountNumber, &'a Sealed),
    /// A record of a kind.
    Record(SdkAppId, Kind, &'a [u8]),
}

impl EmbeddedStore {
    /// Looks at every item. `kinds` are those of records that the program knows.
    ///
    /// # Errors
    /// `Corrupt` where something cannot be read.
    pub fn audit(&self, kinds: &[Kind], look: &mut dyn FnMut(Item<'_>)) -> Result<Census, Fault> {
        let now = self.now().seconds();
        let mut census = Census::default();
        for name in self.spaces().database.list_keyspace_names() {
            let is_of_bucket = ["log-", "derived-"]
                .iter()
                .any(|prefix| name.strip_prefix(prefix).is_some_and(|day| day.parse::<u16>().is_ok()));
            if !is_of_bucket && !SPACES.contains(&name.as_ref()) {
                census.unknown.push(format!("key space {name}"));
            }
        }
        for space in self.spaces().all() {
            for guard in space.iter() {
                let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
                look(Item::Bytes(&key));
                look(Item::Bytes(&value));
            }
        }
        self.audit_records(&mut census, kinds, now, look)?;
        self.audit_logs(&mut census, now, look)?;
        Ok(census)
    }

    fn audit_records(
        &self,
        census: &mut Census,
        kinds: &[Kind],
        now: Seconds,
        look: &mut dyn FnMut(Item<'_>),
    ) -> Result<(), Fault> {
        for guard in self.spaces().records.iter() {
            let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
            let record: StoredRecord = decode(&value, "a record")?;
            let id = key.get(4..6).and_then(|id| Some(u16::from_be_bytes(id.try_into().ok()?)));
            let kind = kinds.iter().find(|kind| Some(kind.id) == id);
            match kind {
                Some(kind) if kind.class == record.stamp.class => {
                    look(Item::Record(record.stamp.app, *kind, &record.value));
                }
                _ => census.unknown.push(format!("record of kind {id:?}")),
            }
            let end = match record.stamp.expiry {
                Expiry::At(end) => Some(end),
                Expiry::WithOwner => None,
            };
            census.classes.entry(record.stamp.class).or_default().add(end, None, now);
        }
        Ok(())
    }

    fn audit_logs(
        &self,
        census: &mut Census,
        now: Seconds,
        look: &mut dyn FnMut(Item<'_>),
    ) -> Result<(), Fault> {
        for lying in self.spaces().buckets.entries(Cursor(0), Cursor(u64::MAX)) {
            let lying = lying?;
            let entry: Entry = decode(&lying.value, "a log entry")?;
            // Its bytes may stay until its bucket is over; its key dies before.
            let end = crate::bucket::begins(lying.day);
            let count = census.classes.entry(entry.stamp.class).or_default();
            count.add(Some(end), Some(entry.time), now);
            if let Event::Message(message) = &entry.event {
                look(Item::Message(entry.stamp.app, entry.conversation, message.author, &message.content));
            }
        }
        Ok(())
    }
}
