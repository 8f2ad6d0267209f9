//! What an audit sees: every key below the prefix, counted by class, with what should not be there any more.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _};
use model::{DataClass, Seconds};
use ports::Fault;
use ports::blobs::BlobInfo;

use crate::client::Listed;
use crate::keys::{self, Known};
use crate::{HEADS_AT_ONCE, PAGE_KEYS, S3Blobs};

/// How long after its end an object may still be there.
const GRACE_SECONDS: u32 = 3600;

/// How long after its time a marker may still be there: it has an hour itself.
const MARKER_GRACE_SECONDS: u32 = 2 * crate::MARKER_GRACE_SECONDS;

/// How many keys are named that are not ours.
const UNKNOWN_NAMED_MAX: usize = 100;

/// What there is of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Objects.
    pub items: u64,
    /// Objects that are over: no read shows them, and the next expiry removes them.
    pub expired: u64,
    /// Objects that should have been gone for an hour.
    pub overdue: u64,
    /// Sealed bytes of all of them.
    pub bytes: u64,
}

/// What there is below the prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Objects by class.
    pub classes: BTreeMap<DataClass, Count>,
    /// Objects whose head is not what was written.
    pub damaged: u64,
    /// Markers of ends. They say app, name and end, and hold nothing.
    pub markers: u64,
    /// Markers that should have been gone for an hour.
    pub markers_overdue: u64,
    /// How many keys are not ours.
    pub unknown: u64,
    /// The first 100 of these, without the prefix.
    pub unknown_named: Vec<String>,
}

/// What a key turned out to be.
enum Found {
    Object(BlobInfo),
    Damaged,
    Gone,
    Marker(Seconds),
    Unknown(String),
}

impl S3Blobs {
    /// Looks at every key below the prefix, and reads the head of every object: a request for each, 16 at once. Who writes meanwhile is
    /// seen or not.
    ///
    /// # Errors
    /// `Unavailable` if the store does not answer.
    pub async fn census(&self) -> Result<Census, Fault> {
        let mut census = Census::default();
        // One listing to its end: keys of others need not come in the order that ours have.
        let mut lister = self.client.walk("", None, PAGE_KEYS).await?;
        loop {
            let page = self.client.walk_on(&mut lister, PAGE_KEYS).await?;
            let is_last = page.len() < PAGE_KEYS;
            let found = page.into_iter().map(|listed| self.find_out(listed));
            let found: Vec<Found> =
                futures_util::stream::iter(found).buffer_unordered(HEADS_AT_ONCE).try_collect().await?;
            let now = self.clock.now().seconds();
            found.into_iter().for_each(|found| census.count(found, now));
            if is_last {
                census.unknown_named.sort();
                return Ok(census);
            }
        }
    }

    async fn find_out(&self, listed: Listed) -> Result<Found, Fault> {
        match keys::read(&listed.key) {
            Some(Known::Object(app, name)) => match self.listed_head(app, name, listed.bytes).await {
                Ok(Some(head)) => Ok(Found::Object(head.info)),
                Ok(None) => Ok(Found::Gone),
                Err(Fault::Corrupt(_)) => Ok(Found::Damaged),
                Err(fault) => Err(fault),
            },
            Some(Known::Marker(marker)) => Ok(Found::Marker(marker.end)),
            None => Ok(Found::Unknown(listed.key)),
        }
    }
}

impl Census {
    fn count(&mut self, found: Found, now: Seconds) {
        match found {
            Found::Object(info) => {
                let end = info.stamp.end();
                let count = self.classes.entry(info.stamp.class).or_default();
                count.items += 1;
                count.bytes += info.bytes;
                if end.plus(GRACE_SECONDS) <= now {
                    count.overdue += 1;
                } else if end <= now {
                    count.expired += 1;
                }
            }
            Found::Damaged => self.damaged += 1,
            Found::Gone => {}
            Found::Marker(end) => {
                self.markers += 1;
                self.markers_overdue += u64::from(end.plus(MARKER_GRACE_SECONDS) <= now);
            }
            Found::Unknown(key) => {
                self.unknown += 1;
                if self.unknown_named.len() < UNKNOWN_NAMED_MAX {
                    self.unknown_named.push(key);
                }
            }
        }
    }
}
