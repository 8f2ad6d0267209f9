//! Cases of the Segments port.

use model::{DataClass, Expiry, Sealed, Seconds, Stamp, Subject};

use super::{APP, Case, NOW, OTHER_APP, Subjects, ok};
use crate::Stamped;
use crate::segments::{BlockPlace, SegmentId};

const FIRST: BlockPlace = BlockPlace(0);

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    blocks_come_back_in_order_until_their_segment_is_removed(subjects).await;
    a_reader_goes_on_after_any_block_while_more_are_added(subjects).await;
    a_place_where_no_block_begins_finds_nothing(subjects).await;
    vec![
        "blocks_come_back_in_order_until_their_segment_is_removed",
        "a_reader_goes_on_after_any_block_while_more_are_added",
        "a_place_where_no_block_begins_finds_nothing",
    ]
}

fn block(number: u64) -> Stamped<Sealed> {
    let expiry = Expiry::At(Seconds(NOW + 86_400));
    let stamp = Stamp { app: APP, class: DataClass::Log, subject: Subject::Nobody, expiry };
    let bytes = format!("block {number}").into();
    Stamped::new(stamp, Sealed { bucket: 1, index: number, sealed_at: Seconds(NOW), bytes })
}

/// The numbers of the blocks that are found, and where the one after them begins.
async fn found(case: &Case, segment: SegmentId, from: BlockPlace, limit: usize) -> (Vec<u64>, BlockPlace) {
    let blocks = ok(case.stores.segments.blocks(segment, from, limit).await);
    let next = blocks.last().map_or(from, |block| block.next);
    (blocks.iter().map(|block| block.sealed.index).collect(), next)
}

async fn numbers(case: &Case, segment: SegmentId, from: BlockPlace, limit: usize) -> Vec<u64> {
    found(case, segment, from, limit).await.0
}

async fn blocks_come_back_in_order_until_their_segment_is_removed(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let first = SegmentId::at(APP, DataClass::Log, Seconds(NOW));
    let later = SegmentId { hour: first.hour + 1, ..first };
    let other = SegmentId { app: OTHER_APP, ..first };
    let minutes = SegmentId { class: DataClass::Monitoring, ..first };
    for (number, segment) in [(1, first), (2, later), (3, first), (4, other), (5, minutes), (6, first)] {
        ok(case.stores.segments.add(segment, block(number)).await);
    }
    assert_eq!(numbers(&case, first, FIRST, 10).await, [1, 3, 6]);
    assert_eq!(numbers(&case, SegmentId { hour: 1, ..first }, FIRST, 10).await, Vec::<u64>::new());
    assert_eq!(ok(case.stores.segments.list().await), {
        let mut all = vec![first, later, other, minutes];
        all.sort_unstable();
        all
    });
    ok(case.stores.segments.remove(first).await);
    ok(case.stores.segments.remove(first).await);
    assert_eq!(numbers(&case, first, FIRST, 10).await, Vec::<u64>::new());
    assert_eq!(numbers(&case, later, FIRST, 10).await, [2]);
    ok(case.stores.segments.add(first, block(7)).await);
    assert_eq!(numbers(&case, first, FIRST, 10).await, [7]);
}

async fn a_reader_goes_on_after_any_block_while_more_are_added(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let segment = SegmentId::at(APP, DataClass::Log, Seconds(NOW));
    let (mut seen, mut place) = (Vec::new(), FIRST);
    for number in [1, 10, 100] {
        ok(case.stores.segments.add(segment, block(number)).await);
        ok(case.stores.segments.add(segment, block(number + 1)).await);
        let (numbers, next) = found(&case, segment, place, 1).await;
        assert_eq!(numbers.len(), 1);
        seen.extend(numbers);
        place = next;
    }
    assert_eq!(seen, [1, 2, 10]);
    let (rest, end) = found(&case, segment, place, 10).await;
    assert_eq!(rest, [11, 100, 101]);
    // The same place stays the same block, and the end is a place at which the next block appears.
    assert_eq!(numbers(&case, segment, place, 2).await, [11, 100]);
    assert_eq!(numbers(&case, segment, place, 0).await, Vec::<u64>::new());
    assert_eq!(numbers(&case, segment, end, 10).await, Vec::<u64>::new());
    ok(case.stores.segments.add(segment, block(7)).await);
    assert_eq!(numbers(&case, segment, end, 10).await, [7]);
}

async fn a_place_where_no_block_begins_finds_nothing(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let segment = SegmentId::at(APP, DataClass::Log, Seconds(NOW));
    for number in 1..=3 {
        ok(case.stores.segments.add(segment, block(number)).await);
    }
    let blocks = ok(case.stores.segments.blocks(segment, FIRST, 10).await);
    let mut begins = vec![FIRST];
    begins.extend(blocks.iter().map(|block| block.next));
    let end = blocks.last().map_or(0, |block| block.next.0);
    let beyond = [end + 1, end + 1000, u64::MAX >> 1, 1 << 63, u64::MAX];
    for place in (0..end).chain(beyond).map(BlockPlace) {
        if !begins.contains(&place) {
            assert_eq!(numbers(&case, segment, place, 10).await, Vec::<u64>::new(), "{place:?}");
        }
    }
    let missing = SegmentId { hour: 1, ..segment };
    assert_eq!(numbers(&case, missing, BlockPlace(end), 10).await, Vec::<u64>::new());
}
