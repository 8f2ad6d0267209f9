//! The Segments port: an hour of sealed blocks of one app and class, dropped as a whole.

use model::{DataClass, SdkAppId, Sealed};
use serde::{Deserialize, Serialize};

use crate::fault::Answer;
use crate::stamped::Stamped;

/// The largest block, in bytes.
pub const BLOCK_BYTES_MAX: usize = 8 << 20;

/// Which segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SegmentId {
    /// Of which app.
    pub app: SdkAppId,
    /// Of which class.
    pub class: DataClass,
    /// Of which hour, counted from 1970.
    pub hour: u32,
}

impl SegmentId {
    /// The segment of an app and a class that a second lies in.
    #[must_use]
    pub const fn at(app: SdkAppId, class: DataClass, second: model::Seconds) -> Self {
        Self { app, class, hour: second.0 / 3600 }
    }
}

/// Segments of what is written often and read rarely.
///
/// Order: blocks are read in the order in which they were added. Durability: a block survives a crash of the process once
/// it is answered, and one of the machine as soon as the system has written it. A block that was cut by a crash is absent;
/// those before and after it are not.
pub trait Segments: Send + Sync {
    /// Adds a block. `Full` if free space is below the floor.
    fn add(&self, segment: SegmentId, block: Stamped<Sealed>) -> Answer<'_, ()>;

    /// Blocks of a segment, from the one with this number on, the first being 0; at most `limit`.
    fn blocks(&self, segment: SegmentId, from: usize, limit: usize) -> Answer<'_, Vec<Sealed>>;

    /// Every segment there is, in their order.
    fn list(&self) -> Answer<'_, Vec<SegmentId>>;

    /// Removes a segment from the disk. Succeeds if there is none.
    fn remove(&self, segment: SegmentId) -> Answer<'_, ()>;
}
