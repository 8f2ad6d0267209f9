//! What has expired is removed, and what is there is counted.

use std::sync::Arc;

use crate::common::{NOW, apply, get, number, put, raw, records, stamped};
use model::{DataClass, Expiry, Seconds};
use mysql_store::Count;

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_removes_what_has_expired_with_its_entries_and_nothing_else() {
    let (records, clock, address) = records("whimbrel_sweep").await;
    let ending = |number: u32| {
        let key = number.to_be_bytes();
        stamped(raw(&key, b"value", &[&key, b"same"]), Expiry::At(Seconds(NOW + number)))
    };
    for part in [0..700, 700..1300] {
        apply(&records, Vec::new(), part.map(ending).collect()).await.unwrap();
    }
    apply(&records, Vec::new(), vec![put(b"stays", b"")]).await.unwrap();
    assert_eq!(records.sweep(10_000).await.unwrap(), 1, "the first ended in this second");
    clock.set(NOW + 999);
    let count = records.census().await.unwrap().classes[&DataClass::Account];
    assert_eq!(count, Count { items: 1300, expired: 999, overdue: 0, oldest: Some(Seconds(NOW + 1)) });
    assert_eq!(records.sweep(600).await.unwrap(), 600);
    let earliest = number(&address, "SELECT CAST(MIN(expiry) AS SIGNED) FROM records").await;
    assert_eq!(earliest, Some(i64::from(NOW + 601)));
    // Several at once.
    let sweep = |limit| {
        let records = Arc::clone(&records);
        tokio::spawn(async move { records.sweep(limit).await.unwrap() })
    };
    let (one, other) = (sweep(1000), sweep(1000));
    let swept = one.await.unwrap() + other.await.unwrap() + records.sweep(1000).await.unwrap();
    assert_eq!(swept, 399);
    assert_eq!(number(&address, "SELECT COUNT(*) FROM records").await, Some(301));
    assert_eq!(number(&address, "SELECT COUNT(*) FROM entries").await, Some(600));
    assert!(
        get(&records, b"stays").await.is_some() && get(&records, &1000_u32.to_be_bytes()).await.is_some()
    );
    clock.set(NOW + 1299 + 3600);
    let count = records.census().await.unwrap().classes[&DataClass::Account];
    assert_eq!(count, Count { items: 301, expired: 0, overdue: 300, oldest: Some(Seconds(NOW + 1000)) });
    assert_eq!(records.sweep(10_000).await.unwrap(), 300);
    assert_eq!(records.sweep(10_000).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_renewed_meanwhile_stays() {
    let (records, clock, _) = records("whimbrel_renewed").await;
    let ending = |end| stamped(raw(b"a", b"", &[b"x"]), Expiry::At(Seconds(end)));
    apply(&records, Vec::new(), vec![ending(NOW + 1)]).await.unwrap();
    clock.set(NOW + 1);
    let (renewed, swept) =
        tokio::join!(apply(&records, Vec::new(), vec![ending(NOW + 100)]), records.sweep(10));
    renewed.unwrap();
    assert!(swept.unwrap() <= 1);
    assert!(get(&records, b"a").await.is_some());
    assert_eq!(records.sweep(10).await.unwrap(), 0);
}
