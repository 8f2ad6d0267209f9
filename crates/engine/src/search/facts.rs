//! What is noted of search indexes: no word of anything in them.

use std::collections::BTreeSet;

use model::{DataClass, Medium, SdkAppId, Seconds, Stamp, Subject};
use ports::blobs::BlobName;
use ports::{Cursor, Kind, Record};
use promise::Stamps;
use serde::{Deserialize, Serialize};

/// What the names of search indexes begin with among the objects of an app.
const NAME: u128 = 0x7365_6172_6368_0000 << 64;

/// How far the log has been read into search indexes that are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressFact {
    /// Everything up to here.
    pub cursor: Cursor,
    /// Apps of which nothing was indexed, since they have it switched off.
    pub off: BTreeSet<SdkAppId>,
}

impl ProgressFact {
    pub(super) const KEY: &'static [u8] = b"search";
}

impl Record for ProgressFact {
    const KIND: Kind = Kind { id: 41, name: "progress of search", class: DataClass::Configuration };

    fn key(&self) -> Vec<u8> {
        Self::KEY.to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// A stored index of messages of one app and one bucket of expiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFact {
    /// The day, counted from 1970, at whose beginning everything in it has expired.
    pub bucket: u16,
    /// The number of its key: what it is called, and unique for ever.
    pub number: u64,
    /// The last entry of the log that is in it.
    pub last: Cursor,
    /// How many messages it holds.
    pub count: u32,
    /// The numbers of the lowest and of the highest key of their contents.
    pub keys: (u64, u64),
    /// The earliest and the latest second in which they were sent.
    pub times: (u32, u32),
    /// The earliest second in which one of them was sealed.
    pub sealed_from: u32,
    /// Its length, in bytes.
    pub bytes: u64,
}

impl IndexFact {
    /// One that covers nothing yet.
    pub(super) const fn of_nothing(bucket: u16) -> Self {
        Self {
            bucket,
            number: 0,
            last: Cursor(0),
            count: 0,
            keys: (u64::MAX, 0),
            times: (u32::MAX, 0),
            sealed_from: u32::MAX,
            bytes: 0,
        }
    }

    pub(super) fn name(&self) -> BlobName {
        BlobName(NAME | u128::from(self.number))
    }

    /// The number of an index by its name; `None` for another object.
    pub(super) fn number_of(name: BlobName) -> Option<u64> {
        (name.0 >> 64 == NAME >> 64).then(|| u64::try_from(name.0 & u128::from(u64::MAX)).ok()).flatten()
    }

    pub(super) fn stamp(&self, app: SdkAppId) -> Stamp {
        Stamps::search_index(app, self.bucket)
    }

    /// Covers what another one covers too.
    pub(super) fn widen(&mut self, other: &Self) {
        self.last = self.last.max(other.last);
        self.keys = (self.keys.0.min(other.keys.0), self.keys.1.max(other.keys.1));
        self.times = (self.times.0.min(other.times.0), self.times.1.max(other.times.1));
        self.sealed_from = self.sealed_from.min(other.sealed_from);
    }
}

impl Record for IndexFact {
    const KIND: Kind = Kind { id: 42, name: "search index", class: DataClass::Message(Medium::Derived) };

    fn key(&self) -> Vec<u8> {
        [self.bucket.to_be_bytes().as_slice(), &self.number.to_be_bytes()].concat()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// Which day it is, counted from 1970: buckets up to it are over.
pub(super) fn today(now: Seconds) -> u16 {
    u16::try_from(now.0 / model::time::DAY_SECONDS).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_known_by_its_name() {
        let fact = IndexFact { number: u64::MAX - 5, ..IndexFact::of_nothing(1) };
        assert_eq!(IndexFact::number_of(fact.name()), Some(fact.number));
        assert_eq!(IndexFact::number_of(BlobName(5)), None);
        assert_eq!(IndexFact::number_of(BlobName(u128::MAX)), None);
    }
}
