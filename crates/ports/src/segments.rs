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

/// Where a block begins in its segment, as the store that has it counts; the first one's place is the default.
///
/// It stays what it is for as long as the segment is there. One that was made up is no danger: it finds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlockPlace(pub u64);

/// A block as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What was added.
    pub sealed: Sealed,
    /// Where the block after it begins.
    pub next: BlockPlace,
}

/// Segments of what is written often and read rarely.
///
/// Order: blocks are read in the order in which they were added. Durability: a block survives a crash of the process once
/// it is answered, and one of the machine as soon as the system has written it. A block that was cut by a crash is absent;
/// those before and after it are not.
pub trait Segments: Send + Sync {
    /// Adds a block. `Full` if free space is below the floor.
    fn add(&self, segment: SegmentId, block: Stamped<Sealed>) -> Answer<'_, ()>;

    /// Blocks of a segment from a place on, at most `limit` and fewer if they are large; none only at the end and where no
    /// block begins. What lies before the place costs nothing.
    fn blocks(&self, segment: SegmentId, from: BlockPlace, limit: usize) -> Answer<'_, Vec<Block>>;

    /// Every segment there is, in their order.
    fn list(&self) -> Answer<'_, Vec<SegmentId>>;

    /// Removes a segment from the disk. Succeeds if there is none.
    fn remove(&self, segment: SegmentId) -> Answer<'_, ()>;
}
