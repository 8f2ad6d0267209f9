//! The Records port: durable facts, found by key or by index, changed in transactions.

use bytes::Bytes;
use model::{DataClass, SdkAppId, Stamp, Subject};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::{Answer, Fault};
use crate::stamped::Stamped;

/// The longest key of a record or an index entry, in bytes.
pub const KEY_BYTES_MAX: usize = 512;

/// The largest value of a record, in bytes.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// The most writes in one transaction.
pub const WRITES_MAX: usize = 2048;

/// A kind of record: its number in stored bytes, its name in documents, its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Never changes or returns to use.
    pub id: u16,
    /// What it is called.
    pub name: &'static str,
    /// The class of its values.
    pub class: DataClass,
}

/// A kind of fact. A new kind is a type that implements this, not a method on the port.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// Which kind.
    const KIND: Kind;

    /// The key: unique within app and kind. Keys order records.
    fn key(&self) -> Vec<u8>;

    /// Whose data it is.
    fn subject(&self) -> Subject;

    /// Further keys by which it is found: the number of the index, and the key in it (not unique).
    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        Vec::new()
    }
}

/// A record as an adapter sees it.
#[derive(Clone, Debug)]
pub struct RawRecord {
    /// Which kind.
    pub kind: Kind,
    /// Its key.
    pub key: Vec<u8>,
    /// Its entries in indexes.
    pub indexes: Vec<(u8, Vec<u8>)>,
    /// Its content.
    pub value: Bytes,
}

impl RawRecord {
    /// Encodes a record.
    ///
    /// # Errors
    /// `Corrupt` if the content cannot be written as JSON, which a derived type always can.
    pub fn of<R: Record>(record: &R) -> Result<Self, Fault> {
        let value = serde_json::to_vec(record)
            .map_err(|error| Fault::Corrupt(format!("cannot encode a {}: {error}", R::KIND.name)))?;
        Ok(Self { kind: R::KIND, key: record.key(), indexes: record.indexes(), value: value.into() })
    }
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its key.
    pub key: Vec<u8>,
    /// Its content.
    pub value: Bytes,
    /// Its stamp.
    pub stamp: Stamp,
    /// Grows with every write of this record, also when it was removed meanwhile.
    pub version: u64,
}

impl Found {
    /// Decodes the content.
    ///
    /// # Errors
    /// `Corrupt` if it is no such record.
    pub fn decode<R: Record>(&self) -> Result<R, Fault> {
        serde_json::from_slice(&self.value)
            .map_err(|error| Fault::Corrupt(format!("a {} cannot be read: {error}", R::KIND.name)))
    }
}

/// What must hold for a transaction to be applied.
#[derive(Clone, Debug)]
pub enum Condition {
    /// There is no such record (or it has expired).
    Absent(Kind, Vec<u8>),
    /// The record has this version.
    Version(Kind, Vec<u8>, u64),
}

/// A change.
#[derive(Clone, Debug)]
pub enum Write {
    /// Writes a record, replacing the former one and its index entries.
    Put(Stamped<RawRecord>),
    /// Removes a record and its index entries. Succeeds if there is none.
    Remove(Kind, Vec<u8>),
}

/// Conditions and changes over records of one app.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// All are applied, or none.
    pub writes: Vec<Write>,
}

impl Transaction {
    /// Whether it stores something new. Below its floor of free space a store refuses that; everything else goes on: settings,
    /// which a start writes too, removals with what they note about it, and what takes the place of an account's former record.
    #[must_use]
    pub fn adds_data(&self) -> bool {
        let removes = self.writes.iter().any(|write| matches!(write, Write::Remove(..)));
        let is_replaced = |record: &RawRecord| {
            self.conditions.iter().any(|condition| {
                matches!(condition, Condition::Version(kind, key, _) if *kind == record.kind && *key == record.key)
            })
        };
        let is_data = |write: &Write| match write {
            Write::Put(record) => match record.class() {
                DataClass::Configuration => false,
                DataClass::Account | DataClass::Profile => !is_replaced(record.value()),
                _ => true,
            },
            Write::Remove(..) => false,
        };
        !removes && self.writes.iter().any(is_data)
    }
}

/// A part of a kind's records or of one of its indexes, in the order of the keys.
#[derive(Clone, Debug)]
pub struct Range {
    /// Which kind.
    pub kind: Kind,
    /// An index of it, or `None` for the records' own keys.
    pub index: Option<u8>,
    /// Only keys that start with this.
    pub prefix: Vec<u8>,
    /// Only records whose own key lies after this one (with an index: whose index entry lies after the entry
    /// of the record with this key).
    pub after: Option<(Vec<u8>, Vec<u8>)>,
    /// At most this many.
    pub limit: usize,
}

/// Durable facts.
///
/// Atomicity: a transaction is applied whole or not at all, index entries included, and is durable when it is
/// answered. Order: a later transaction of the same caller sees an earlier one; reads see every answered write.
/// Repetition: transactions are not repeated by the port. Expired records are absent for every read and condition.
pub trait Records: Send + Sync {
    /// One record by its key.
    fn get(&self, app: SdkAppId, kind: Kind, key: &[u8]) -> Answer<'_, Option<Found>>;

    /// Records in the order of their keys.
    fn scan(&self, app: SdkAppId, range: Range) -> Answer<'_, Vec<Found>>;

    /// Applies every write, or none. `Conflict` if a condition does not hold.
    fn apply(&self, app: SdkAppId, transaction: Transaction) -> Answer<'_, ()>;
}

/// Finds a record by its key, with its version.
///
/// # Errors
/// What the port says, or `Corrupt`.
pub async fn find<R: Record>(
    records: &dyn Records,
    app: SdkAppId,
    key: &[u8],
) -> Result<Option<(R, u64)>, Fault> {
    match records.get(app, R::KIND, key).await? {
        Some(found) => Ok(Some((found.decode()?, found.version))),
        None => Ok(None),
    }
}
