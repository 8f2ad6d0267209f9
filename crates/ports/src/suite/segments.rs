//! Cases of the Segments port.

use model::{DataClass, Expiry, Sealed, Seconds, Stamp, Subject};

use super::{APP, Case, NOW, OTHER_APP, Subjects, ok};
use crate::Stamped;
use crate::segments::SegmentId;

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    blocks_come_back_in_order_until_their_segment_is_removed(subjects).await;
    vec!["blocks_come_back_in_order_until_their_segment_is_removed"]
}

fn block(number: u64) -> Stamped<Sealed> {
    let expiry = Expiry::At(Seconds(NOW + 86_400));
    let stamp = Stamp { app: APP, class: DataClass::Log, subject: Subject::Nobody, expiry };
    let bytes = format!("block {number}").into();
    Stamped::new(stamp, Sealed { bucket: 1, index: number, sealed_at: Seconds(NOW), bytes })
}

async fn numbers(case: &Case, segment: SegmentId, from: usize, limit: usize) -> Vec<u64> {
    let blocks = ok(case.stores.segments.blocks(segment, from, limit).await);
    blocks.iter().map(|block| block.index).collect()
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
    assert_eq!(numbers(&case, first, 0, 10).await, [1, 3, 6]);
    assert_eq!(numbers(&case, first, 1, 1).await, [3]);
    assert_eq!(numbers(&case, first, 3, 10).await, Vec::<u64>::new());
    assert_eq!(numbers(&case, SegmentId { hour: 1, ..first }, 0, 10).await, Vec::<u64>::new());
    assert_eq!(ok(case.stores.segments.list().await), {
        let mut all = vec![first, later, other, minutes];
        all.sort_unstable();
        all
    });
    ok(case.stores.segments.remove(first).await);
    ok(case.stores.segments.remove(first).await);
    assert_eq!(numbers(&case, first, 0, 10).await, Vec::<u64>::new());
    assert_eq!(numbers(&case, later, 0, 10).await, [2]);
    ok(case.stores.segments.add(first, block(7)).await);
    assert_eq!(numbers(&case, first, 0, 10).await, [7]);
}
