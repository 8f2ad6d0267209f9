//! Many objects, replaced, ended and damaged ones.

use futures_util::{StreamExt as _, TryStreamExt as _};
use model::{AccountNumber, DataClass, Expiry, SdkAppId, Subject};
use ports::blobs::{BLOB_BYTES_MAX, BlobName, Blobs, LISTED_MAX};
use ports::suite::{APP, NOW, OTHER_APP};
use ports::{Fault, Stamped};
use s3_store::S3Blobs;

use crate::support::{self, DERIVED, key, list, marker, object, operator, read, sealed, stamp};

/// Every key below the prefix.
async fn keys(operator: &opendal::Operator) -> Vec<String> {
    let entries = operator.list_with("").recursive(true).await.unwrap();
    entries.into_iter().map(|entry| entry.path().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_replaced_and_ends_when_the_new_one_does() {
    let (blobs, clock, settings) = support::store().await;
    for (name, former, new) in [(1, 10, 20), (2, 20, 10)] {
        blobs.put(BlobName(name), object(APP, NOW + former, b"former")).await.unwrap();
        blobs.put(BlobName(name), object(APP, NOW + new, b"the new one")).await.unwrap();
        assert_eq!(read(&blobs, APP, name).await.as_deref(), Some(&b"the new one"[..]));
    }
    let listed = list(&blobs).await;
    let ends: Vec<u32> = listed.iter().map(|info| info.stamp.end().0 - NOW).collect();
    assert_eq!((ends, listed[0].bytes), (vec![20, 10], 11));

    clock.set(NOW + 10);
    assert_eq!(read(&blobs, APP, 2).await, None);
    assert_eq!(blobs.expire().await.unwrap(), 1);
    assert_eq!(read(&blobs, APP, 1).await.as_deref(), Some(&b"the new one"[..]));
    clock.set(NOW + 20);
    assert_eq!(blobs.expire().await.unwrap(), 1);

    // For ever, then with an end, then for ever again.
    let mut stamp = stamp(APP, DERIVED, NOW + 30);
    for expiry in [Expiry::WithOwner, stamp.expiry, Expiry::WithOwner] {
        stamp.expiry = expiry;
        blobs.put(BlobName(3), Stamped::new(stamp, sealed(b"x"))).await.unwrap();
        assert_eq!(list(&blobs).await[0].stamp, stamp);
    }
    clock.set(NOW + 30);
    assert_eq!(blobs.expire().await.unwrap(), 0);
    assert_eq!(read(&blobs, APP, 3).await.as_deref(), Some(&b"x"[..]));
    // Markers of what is no more wait for an hour.
    clock.set(NOW + 30 + 3600);
    assert_eq!(blobs.expire().await.unwrap(), 0);
    assert_eq!(keys(&operator(&settings)).await, [key(APP, 3)]);
    blobs.remove(APP, BlobName(3)).await.unwrap();
    assert_eq!(keys(&operator(&settings)).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_takes_the_marker_along_and_what_has_ended_is_not_stored() {
    let (blobs, _, settings) = support::store().await;
    blobs.put(BlobName(1), object(APP, NOW + 10, b"x")).await.unwrap();
    let mut found = keys(&operator(&settings)).await;
    found.sort();
    assert_eq!(found, [marker(NOW + 10, APP, 1), key(APP, 1)]);
    blobs.remove(APP, BlobName(1)).await.unwrap();
    blobs.put(BlobName(2), object(APP, NOW, b"over")).await.unwrap();
    blobs.put(BlobName(3), object(APP, NOW + 10, b"x")).await.unwrap();
    blobs.put(BlobName(3), object(APP, NOW - 10, b"over")).await.unwrap();
    assert_eq!(list(&blobs).await, []);
    assert_eq!(keys(&operator(&settings)).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_objects_than_one_answer_holds_are_listed_and_ended() {
    let (blobs, clock, _) = support::store().await;
    let count: u128 = 1100;
    let put = |name: u128| {
        let end = NOW + if name.is_multiple_of(2) { 10 } else { 20 };
        blobs.put(BlobName(name << 96), object(APP, end, &name.to_be_bytes()))
    };
    futures_util::stream::iter((0..count).map(put))
        .buffer_unordered(16)
        .try_collect::<Vec<()>>()
        .await
        .unwrap();

    let names = async |after: Option<u128>, limit| {
        let listed = blobs.list(APP, after.map(|name| BlobName(name << 96)), limit).await.unwrap();
        listed.iter().map(|info| info.name.0 >> 96).collect::<Vec<u128>>()
    };
    let first = names(None, usize::MAX).await;
    assert_eq!(first, (0..1000).collect::<Vec<_>>());
    assert_eq!(first.len(), LISTED_MAX);
    assert_eq!(names(Some(999), 1000).await, (1000..count).collect::<Vec<_>>());
    assert_eq!(names(Some(7), 3).await, [8, 9, 10]);
    assert_eq!(names(None, 0).await, Vec::<u128>::new());

    clock.set(NOW + 10);
    let odd: Vec<u128> = (0..count).filter(|name| !name.is_multiple_of(2)).collect();
    assert_eq!(names(None, 1000).await, odd);
    assert_eq!(names(None, 2).await, [1, 3]);
    assert_eq!(blobs.expire().await.unwrap(), 550);
    assert_eq!(names(None, 1000).await, odd);
    clock.set(NOW + 20);
    assert_eq!(blobs.expire().await.unwrap(), 550);
    let census = blobs.census().await.unwrap();
    assert_eq!((census.classes.len(), census.markers), (0, 0), "{census:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_goes_in_every_app() {
    let (blobs, clock, _) = support::store().await;
    let apps = [1, 2, 20, 1_400_000_001, u32::MAX].map(SdkAppId);
    for app in apps {
        for (name, end) in [(1, NOW + 10), (2, NOW + 86_400), (3, NOW + 10)] {
            blobs.put(BlobName(name), object(app, end, b"x")).await.unwrap();
        }
    }
    assert_eq!(blobs.expire().await.unwrap(), 0);
    clock.set(NOW + 9);
    assert_eq!(blobs.expire().await.unwrap(), 0);
    clock.set(NOW + 10);
    assert_eq!(blobs.expire().await.unwrap(), 10);
    for app in apps {
        let listed = blobs.list(app, None, 9).await.unwrap();
        assert_eq!(listed.iter().map(|info| info.name).collect::<Vec<_>>(), [BlobName(2)]);
    }
    clock.set(NOW + 86_400);
    assert_eq!(blobs.expire().await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_marker_of_an_object_that_is_being_written_waits_an_hour_for_it() {
    let (blobs, clock, settings) = support::store().await;
    let operator = operator(&settings);
    let key = marker(NOW + 10, APP, 1);
    operator.write(&key, "").await.unwrap();
    for (now, is_there) in [(NOW + 10, true), (NOW + 10 + 3599, true), (NOW + 10 + 3600, false)] {
        clock.set(now);
        assert_eq!(blobs.expire().await.unwrap(), 0);
        assert_eq!(operator.exists(&key).await.unwrap(), is_there);
    }
}

async fn is_corrupt(blobs: &S3Blobs, name: u128) -> bool {
    matches!(blobs.get(APP, BlobName(name)).await, Err(Fault::Corrupt(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_bytes_are_never_taken_for_an_object() {
    let (blobs, clock, settings) = support::store().await;
    let operator = operator(&settings);
    blobs.put(BlobName(1), object(APP, NOW + 10, b"sealed")).await.unwrap();
    let whole = operator.read(&key(APP, 1)).await.unwrap().to_vec();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    let longer = [&whole[..], b"x"].concat();
    let cases = [
        b"garbage, and enough of it to fill the place of a head, which has some 73 bytes".to_vec(),
        b"short".to_vec(),
        Vec::new(),
        whole[..whole.len() - 1].to_vec(),
        whole[..73].to_vec(),
        longer,
        changed,
    ];
    for (at, bytes) in cases.into_iter().enumerate() {
        operator.write(&key(APP, 1), bytes).await.unwrap();
        assert!(is_corrupt(&blobs, 1).await, "{at}");
    }
    // A whole one in the place of another.
    operator.write(&key(APP, 2), whole.clone()).await.unwrap();
    operator.write(&key(OTHER_APP, 1), whole).await.unwrap();
    assert!(is_corrupt(&blobs, 2).await);
    assert!(matches!(blobs.get(OTHER_APP, BlobName(1)).await, Err(Fault::Corrupt(_))));
    let listed = blobs.list(APP, None, 9).await;
    assert!(matches!(listed, Err(Fault::Corrupt(_))), "{listed:?}");
    assert_eq!(blobs.census().await.unwrap().damaged, 2);

    blobs.remove(APP, BlobName(2)).await.unwrap();
    blobs.remove(OTHER_APP, BlobName(1)).await.unwrap();
    operator.write(&key(APP, 1), "garbage").await.unwrap();
    clock.set(NOW + 10);
    assert_eq!(blobs.expire().await.unwrap(), 1);
    assert_eq!(keys(&operator).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_object_comes_back_as_it_was() {
    let (blobs, _, settings) = support::store().await;
    let large: Vec<u8> = (0..BLOB_BYTES_MAX).map(|at| u8::try_from(at % 253).unwrap()).collect();
    blobs.put(BlobName(1), object(APP, NOW + 10, &large)).await.unwrap();
    assert_eq!(list(&blobs).await[0].bytes, u64::try_from(BLOB_BYTES_MAX).unwrap());
    let found = blobs.get(APP, BlobName(1)).await.unwrap().unwrap();
    assert!(found.bytes == large);
    drop(found);

    // One that is larger than any of ours is not read to its end.
    let operator = operator(&settings);
    let whole = operator.read(&key(APP, 1)).await.unwrap().to_bytes();
    operator.write(&key(APP, 1), vec![whole, vec![0; 1 << 20].into()]).await.unwrap();
    assert!(is_corrupt(&blobs, 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_census_counts_by_class_what_ended_and_what_is_not_ours() {
    let (blobs, clock, settings) = support::store().await;
    let operator = operator(&settings);
    let subject = Subject::Account(AccountNumber(AccountNumber::BASE + 1));
    for (name, class, end) in
        [(1, DERIVED, 10), (2, DERIVED, 3600), (3, DERIVED, 9000), (4, DataClass::Profile, 10)]
    {
        let mut stamp = stamp(APP, class, NOW + end);
        stamp.subject = subject;
        blobs.put(BlobName(name), Stamped::new(stamp, sealed(b"12345"))).await.unwrap();
        assert_eq!(blobs.list(APP, None, 9).await.unwrap().last().unwrap().stamp, stamp);
    }
    for foreign in ["README", "o/1/2", "e/1", "x/y"] {
        operator.write(foreign, "not ours").await.unwrap();
    }
    clock.set(NOW + 10 + 3600);
    let census = blobs.census().await.unwrap();
    let derived = census.classes[&DERIVED];
    assert_eq!((derived.items, derived.expired, derived.overdue, derived.bytes), (3, 1, 1, 15));
    let profile = census.classes[&DataClass::Profile];
    assert_eq!((profile.items, profile.expired, profile.overdue), (1, 0, 1));
    assert_eq!((census.markers, census.markers_overdue, census.damaged), (4, 0, 0));
    assert_eq!(
        (census.unknown, census.unknown_named),
        (4, ["README", "e/1", "o/1/2", "x/y"].map(str::to_owned).to_vec())
    );
    // They are nobody's business but the audit's.
    assert_eq!(blobs.expire().await.unwrap(), 3);
    assert_eq!(list(&blobs).await.len(), 1);
}
