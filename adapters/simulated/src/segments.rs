//! Segments as lists.

use std::collections::BTreeMap;

use model::Sealed;
use parking_lot::Mutex;
use ports::segments::{SegmentId, Segments};
use ports::{Answer, Stamped};

/// Segments in memory; they survive everything.
#[derive(Default)]
pub struct MemorySegments(Mutex<BTreeMap<SegmentId, Vec<Sealed>>>);

impl Segments for MemorySegments {
    fn add(&self, segment: SegmentId, block: Stamped<Sealed>) -> Answer<'_, ()> {
        self.0.lock().entry(segment).or_default().push(block.into_parts().1);
        Box::pin(async { Ok(()) })
    }

    fn blocks(&self, segment: SegmentId, from: usize, limit: usize) -> Answer<'_, Vec<Sealed>> {
        let segments = self.0.lock();
        let blocks = segments.get(&segment).map_or(&[][..], Vec::as_slice);
        let found: Vec<Sealed> = blocks.iter().skip(from).take(limit).cloned().collect();
        Box::pin(async { Ok(found) })
    }

    fn list(&self) -> Answer<'_, Vec<SegmentId>> {
        let found: Vec<SegmentId> = self.0.lock().keys().copied().collect();
        Box::pin(async { Ok(found) })
    }

    fn remove(&self, segment: SegmentId) -> Answer<'_, ()> {
        self.0.lock().remove(&segment);
        Box::pin(async { Ok(()) })
    }
}
