//! Segments as lists.

use std::collections::BTreeMap;

use model::Sealed;
use parking_lot::Mutex;
use ports::segments::{Block, BlockPlace, SegmentId, Segments};
use ports::{Answer, Stamped};

/// Blocks by the bytes before them: a place is no running number, so that nobody comes to count on that.
type Blocks = BTreeMap<BlockPlace, Block>;

/// Segments in memory; they survive everything.
#[derive(Default)]
pub struct MemorySegments(Mutex<BTreeMap<SegmentId, Blocks>>);

fn add(blocks: &mut Blocks, sealed: Sealed) {
    let place = blocks.last_key_value().map_or_else(BlockPlace::default, |(_, last)| last.next);
    let next = BlockPlace(place.0 + 8 + sealed.bytes.len() as u64);
    blocks.insert(place, Block { sealed, next });
}

impl Segments for MemorySegments {
    fn add(&self, segment: SegmentId, block: Stamped<Sealed>) -> Answer<'_, ()> {
        add(self.0.lock().entry(segment).or_default(), block.into_parts().1);
        Box::pin(async { Ok(()) })
    }

    fn blocks(&self, segment: SegmentId, from: BlockPlace, limit: usize) -> Answer<'_, Vec<Block>> {
        let segments = self.0.lock();
        let blocks = segments.get(&segment).filter(|blocks| blocks.contains_key(&from));
        let blocks = blocks.into_iter().flat_map(|blocks| blocks.range(from..));
        let found: Vec<Block> = blocks.take(limit).map(|(_, block)| block.clone()).collect();
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
