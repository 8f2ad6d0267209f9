//! The Blobs port: whole sealed objects, too large for a record. Search indexes today; media later.

use std::fmt;
use std::str::FromStr;

use model::{SdkAppId, Sealed, Stamp};
use serde::{Deserialize, Serialize};

use crate::fault::Answer;
use crate::stamped::Stamped;

/// The largest object, in sealed bytes.
pub const BLOB_BYTES_MAX: usize = 128 << 20;

/// The most objects of one answer of [`Blobs::list`].
pub const LISTED_MAX: usize = 1000;

/// What an object is called within its app. Whoever makes one sees to it that no other is ever called the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlobName(pub u128);

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for BlobName {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

/// An object as it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// What it is called.
    pub name: BlobName,
    /// Its stamp.
    pub stamp: Stamp,
    /// Its length, in sealed bytes.
    pub bytes: u64,
}

/// Whole sealed objects.
///
/// Atomicity: an object is there whole or not at all. Durability: it survives a crash once it is answered, and a removal does
/// too. Order: reads see every answered write. Repetition: an object of a name that is there replaces it; removing what is not
/// there succeeds. Expired objects are absent for every read at once; [`Blobs::expire`] takes their bytes away.
pub trait Blobs: Send + Sync {
    /// Stores an object in the app that its stamp says. `Full` if free space is below the floor, `Unavailable` beyond
    /// [`BLOB_BYTES_MAX`].
    fn put(&self, name: BlobName, object: Stamped<Sealed>) -> Answer<'_, ()>;

    /// An object; `None` if there is none of this name. `Corrupt` if its bytes are not what was written.
    fn get(&self, app: SdkAppId, name: BlobName) -> Answer<'_, Option<Sealed>>;

    /// An app's objects in the order of their names, after one if given; at most `limit` and [`LISTED_MAX`].
    fn list(&self, app: SdkAppId, after: Option<BlobName>, limit: usize) -> Answer<'_, Vec<BlobInfo>>;

    /// Removes an object.
    fn remove(&self, app: SdkAppId, name: BlobName) -> Answer<'_, ()>;

    /// Removes every object of any app that has expired; how many.
    fn expire(&self) -> Answer<'_, u64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for name in [0, 1, u128::MAX] {
            let text = BlobName(name).to_string();
            assert_eq!((text.len(), text.parse()), (32, Ok(BlobName(name))));
        }
        assert!("no name".parse::<BlobName>().is_err());
    }
}
