//! Records as rows.

use std::collections::BTreeSet;

use bytes::Bytes;
use model::{AccountNumber, DataClass, Expiry, Millis, SdkAppId, Seconds, Stamp, Subject};
use ports::Fault;
use ports::records::Found;
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use crate::failure::Failure;

/// The class of a row that is no record: a transaction holds its place.
pub(crate) const NO_CLASS: u8 = 0;

/// The place of a record. Places are locked in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) app: u32,
    pub(crate) kind: u16,
    pub(crate) key: Vec<u8>,
}

/// Entries of a record in indexes.
pub(crate) type Entries = BTreeSet<(u8, Vec<u8>)>;

/// What is at a place that a transaction holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Former {
    /// Whether it is a record, expired or not.
    pub(crate) is_record: bool,
    pub(crate) expiry: Expiry,
    pub(crate) version: u64,
    pub(crate) entries: Entries,
}

impl Former {
    /// The columns that [`former`] reads.
    pub(crate) const COLUMNS: &'static str = "app, kind, rkey, class, expiry, version, indexed";

    /// Its version, if it is a record for readers.
    pub(crate) fn live(&self, now: Millis) -> Option<u64> {
        (self.is_record && !self.expiry.is_over(now)).then_some(self.version)
    }
}

/// The columns that [`found`] reads, of the table `r`.
pub(crate) const FOUND_COLUMNS: &str = "r.rkey, r.class, r.subject, r.expiry, r.version, r.value";

pub(crate) fn former(row: &MySqlRow) -> Result<(Place, Former), Fault> {
    let read = || -> Result<_, sqlx::Error> {
        let place = Place { app: row.try_get(0)?, kind: row.try_get(1)?, key: row.try_get(2)? };
        let (class, end): (u8, Option<u32>) = (row.try_get(3)?, row.try_get(4)?);
        Ok((place, class, end, row.try_get(5)?, row.try_get::<&[u8], _>(6)?))
    };
    let (place, class, end, version, indexed) = read().map_err(Failure::from)?;
    let entries =
        read_entries(indexed).ok_or_else(|| Fault::Corrupt("the index entries of a record".to_owned()))?;
    Ok((place, Former { is_record: class != NO_CLASS, expiry: read_end(end), version, entries }))
}

pub(crate) fn found(app: SdkAppId, row: &MySqlRow) -> Result<Found, Fault> {
    let read = || -> Result<_, sqlx::Error> {
        let (class, subject): (u8, Option<u64>) = (row.try_get(1)?, row.try_get(2)?);
        let end: Option<u32> = row.try_get(3)?;
        let value = Bytes::copy_from_slice(row.try_get(5)?);
        Ok((row.try_get(0)?, class, subject, end, row.try_get(4)?, value))
    };
    let (key, class, subject, end, version, value) = read().map_err(Failure::from)?;
    let class =
        DataClass::from_code(class).ok_or_else(|| Fault::Corrupt("the class of a record".to_owned()))?;
    let subject = subject.map_or(Subject::Nobody, |number| Subject::Account(AccountNumber(number)));
    Ok(Found { key, value, stamp: Stamp { app, class, subject, expiry: read_end(end) }, version })
}

pub(crate) fn read_end(end: Option<u32>) -> Expiry {
    end.map_or(Expiry::WithOwner, |end| Expiry::At(Seconds(end)))
}

pub(crate) fn write_end(expiry: Expiry) -> Option<u32> {
    match expiry {
        Expiry::WithOwner => None,
        Expiry::At(end) => Some(end.0),
    }
}

pub(crate) fn write_subject(subject: Subject) -> Option<u64> {
    match subject {
        Subject::Nobody => None,
        Subject::Account(number) => Some(number.0),
    }
}

/// Number, length in two bytes, key; one after the other. Keys are no longer than a record's key may be.
pub(crate) fn write_entries(entries: &Entries) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, key) in entries {
        bytes.push(*number);
        bytes.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(key);
    }
    bytes
}

fn read_entries(mut bytes: &[u8]) -> Option<Entries> {
    let mut entries = Entries::new();
    while let Some(([number, high, low], rest)) = bytes.split_first_chunk() {
        let (key, rest) = rest.split_at_checked(u16::from_be_bytes([*high, *low]).into())?;
        entries.insert((*number, key.to_vec()));
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_entries_read_back_and_damaged_ones_do_not() {
        let entries: Entries =
            [(1, b"red".to_vec()), (1, Vec::new()), (255, vec![0xff; 512])].into_iter().collect();
        let bytes = write_entries(&entries);
        assert_eq!(read_entries(&bytes), Some(entries));
        assert_eq!(read_entries(b""), Some(Entries::new()));
        for length in [1, 2, 4, bytes.len() - 1] {
            assert!(read_entries(&bytes[..length]).is_none_or(|some| write_entries(&some) != bytes));
        }
        assert_eq!(read_entries(&bytes[..bytes.len() - 1]), None);
        assert_eq!(read_entries(b"\x01\x00"), None);
    }

    #[test]
    fn a_place_that_is_held_is_no_record_nor_is_an_expired_one() {
        let former = |is_record, expiry| Former { is_record, expiry, version: 7, entries: Entries::new() };
        let now = Millis(100_000);
        assert_eq!(former(true, Expiry::WithOwner).live(now), Some(7));
        assert_eq!(former(true, Expiry::At(Seconds(101))).live(now), Some(7));
        assert_eq!(former(true, Expiry::At(Seconds(100))).live(now), None);
        assert_eq!(former(false, Expiry::WithOwner).live(now), None);
    }
}
