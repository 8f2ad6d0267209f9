//! Cases of the Blobs port.

use model::{DataClass, Expiry, Medium, Sealed, Seconds, Stamp, Subject};

use super::{APP, Case, NOW, OTHER_APP, Subjects, ok};
use crate::blobs::{BLOB_BYTES_MAX, BlobName};
use crate::{Fault, Stamped};

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    an_object_is_its_apps_alone_until_it_is_removed(subjects).await;
    objects_are_listed_in_the_order_of_their_names(subjects).await;
    objects_and_removals_survive_a_crash(subjects).await;
    an_expired_object_is_absent_at_once(subjects).await;
    an_object_that_is_replaced_ends_when_the_new_one_does(subjects).await;
    an_object_that_is_too_large_is_refused(subjects).await;
    vec![
        "an_object_is_its_apps_alone_until_it_is_removed",
        "objects_are_listed_in_the_order_of_their_names",
        "objects_and_removals_survive_a_crash",
        "an_expired_object_is_absent_at_once",
        "an_object_that_is_replaced_ends_when_the_new_one_does",
        "an_object_that_is_too_large_is_refused",
    ]
}

fn object(app: model::SdkAppId, end: u32, bytes: Vec<u8>) -> Stamped<Sealed> {
    let class = DataClass::Message(Medium::Derived);
    let stamp = Stamp { app, class, subject: Subject::Nobody, expiry: Expiry::At(Seconds(end)) };
    Stamped::new(stamp, Sealed { bucket: 7, index: 9, sealed_at: Seconds(NOW), bytes: bytes.into() })
}

fn text(text: &str) -> Stamped<Sealed> {
    object(APP, NOW + 86_400, text.as_bytes().to_vec())
}

async fn read(case: &Case, app: model::SdkAppId, name: u128) -> Option<String> {
    let found = ok(case.stores.blobs.get(app, BlobName(name)).await)?;
    assert_eq!((found.bucket, found.index, found.sealed_at), (7, 9, Seconds(NOW)));
    String::from_utf8(found.bytes.to_vec()).ok()
}

async fn names(case: &Case, app: model::SdkAppId, after: Option<u128>, limit: usize) -> Vec<u128> {
    let listed = ok(case.stores.blobs.list(app, after.map(BlobName), limit).await);
    listed.iter().map(|info| info.name.0).collect()
}

async fn an_object_is_its_apps_alone_until_it_is_removed(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let blobs = &case.stores.blobs;
    ok(blobs.put(BlobName(1), text("one")).await);
    ok(blobs.put(BlobName(1), object(OTHER_APP, NOW + 9, b"other".to_vec())).await);
    assert_eq!(read(&case, APP, 1).await.as_deref(), Some("one"));
    assert_eq!(read(&case, OTHER_APP, 1).await.as_deref(), Some("other"));
    assert_eq!(read(&case, APP, 2).await, None);
    ok(blobs.put(BlobName(1), text("another")).await);
    assert_eq!(read(&case, APP, 1).await.as_deref(), Some("another"));
    for _ in 0..2 {
        ok(blobs.remove(APP, BlobName(1)).await);
        assert_eq!(read(&case, APP, 1).await, None);
    }
    assert_eq!(read(&case, OTHER_APP, 1).await.as_deref(), Some("other"));
}

async fn objects_are_listed_in_the_order_of_their_names(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    for name in [5, 1 << 100, 3, 4] {
        ok(case.stores.blobs.put(BlobName(name), text("four")).await);
    }
    assert_eq!(names(&case, APP, None, 10).await, [3, 4, 5, 1 << 100]);
    assert_eq!(names(&case, APP, None, 2).await, [3, 4]);
    assert_eq!(names(&case, APP, Some(4), 2).await, [5, 1 << 100]);
    assert_eq!(names(&case, APP, Some(1 << 100), 2).await, Vec::<u128>::new());
    assert_eq!(names(&case, OTHER_APP, None, 10).await, Vec::<u128>::new());
    let listed = ok(case.stores.blobs.list(APP, None, 1).await);
    let stamp = *text("four").stamp();
    assert_eq!(listed.first().map(|info| (info.stamp, info.bytes)), Some((stamp, 4)));
}

async fn objects_and_removals_survive_a_crash(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    for name in [1, 2] {
        ok(case.stores.blobs.put(BlobName(name), text("kept")).await);
    }
    ok(case.stores.blobs.remove(APP, BlobName(2)).await);
    let case = case.crash(subjects);
    assert_eq!(names(&case, APP, None, 10).await, [1]);
    assert_eq!(read(&case, APP, 1).await.as_deref(), Some("kept"));
}

async fn an_expired_object_is_absent_at_once(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    for (name, end) in [(1, NOW + 10), (2, NOW + 20)] {
        ok(case.stores.blobs.put(BlobName(name), object(APP, end, b"soon".to_vec())).await);
    }
    assert_eq!(ok(case.stores.blobs.expire().await), 0);
    case.clock.set(NOW + 10);
    assert_eq!(read(&case, APP, 1).await, None);
    assert_eq!(names(&case, APP, None, 10).await, [2]);
    assert_eq!(ok(case.stores.blobs.expire().await), 1);
    assert_eq!(ok(case.stores.blobs.expire().await), 0);
    assert_eq!(read(&case, APP, 2).await.as_deref(), Some("soon"));
}

async fn an_object_that_is_replaced_ends_when_the_new_one_does(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    for (name, former, new) in [(1, NOW + 10, NOW + 20), (2, NOW + 20, NOW + 10)] {
        ok(case.stores.blobs.put(BlobName(name), object(APP, former, b"former".to_vec())).await);
        ok(case.stores.blobs.put(BlobName(name), object(APP, new, b"new".to_vec())).await);
    }
    let case = case.crash(subjects);
    assert_eq!(names(&case, APP, None, 10).await, [1, 2]);
    case.clock.set(NOW + 10);
    assert_eq!(read(&case, APP, 1).await.as_deref(), Some("new"));
    assert_eq!(read(&case, APP, 2).await, None);
    assert_eq!(ok(case.stores.blobs.expire().await), 1);
    assert_eq!(names(&case, APP, None, 10).await, [1]);
    case.clock.set(NOW + 20);
    assert_eq!(ok(case.stores.blobs.expire().await), 1);
    assert_eq!(names(&case, APP, None, 10).await, Vec::<u128>::new());
}

async fn an_object_that_is_too_large_is_refused(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let large = object(APP, NOW + 10, vec![0; BLOB_BYTES_MAX + 1]);
    let refused = case.stores.blobs.put(BlobName(1), large).await;
    assert!(matches!(refused, Err(Fault::Unavailable(_))), "{refused:?}");
    assert_eq!(names(&case, APP, None, 10).await, Vec::<u128>::new());
}
