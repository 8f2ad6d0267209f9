//! Cases of the Records port.

use bytes::Bytes;
use model::{DataClass, Expiry, SdkAppId, Seconds, Stamp, Subject};

use super::{APP, Case, NOW, OTHER_APP, Subjects, ok};
use crate::records::{Condition, Kind, Range, RawRecord, Transaction, Write};
use crate::{Clock, Fault, Stamped};

const KIND: Kind = Kind { id: 60_000, name: "suite record", class: DataClass::Account };
const OTHER: Kind = Kind { id: 60_001, name: "other suite record", class: DataClass::Account };

fn put(app: SdkAppId, key: &str, index: &[&str], expiry: Expiry) -> Write {
    let raw = RawRecord {
        kind: KIND,
        key: key.as_bytes().to_vec(),
        indexes: index.iter().map(|entry| (1, entry.as_bytes().to_vec())).collect(),
        value: Bytes::from(format!("value of {key}")),
    };
    Write::Put(Stamped::new(Stamp { app, class: KIND.class, subject: Subject::Nobody, expiry }, raw))
}

impl Case {
    async fn write(&self, writes: Vec<Write>) {
        ok(self.stores.records.apply(APP, Transaction { conditions: Vec::new(), writes }).await);
    }

    async fn keys(
        &self,
        index: Option<u8>,
        prefix: &str,
        after: Option<(&str, &str)>,
        limit: usize,
    ) -> Vec<String> {
        let after = after.map(|(entry, key)| (entry.as_bytes().to_vec(), key.as_bytes().to_vec()));
        let range = Range { kind: KIND, index, prefix: prefix.as_bytes().to_vec(), after, limit };
        let found = ok(self.stores.records.scan(APP, range).await);
        found.into_iter().map(|record| String::from_utf8_lossy(&record.key).into_owned()).collect()
    }
}

pub(super) async fn run(subjects: &mut dyn Subjects) -> Vec<&'static str> {
    get_returns_what_was_put(subjects).await;
    transactions_are_all_or_nothing(subjects).await;
    indexes_follow_their_records(subjects).await;
    scans_page_in_order(subjects).await;
    pages_go_on_among_equal_entries(subjects).await;
    pages_begin_at_their_prefix(subjects).await;
    the_last_of_several_writes_counts(subjects).await;
    a_version_never_returns(subjects).await;
    expired_records_are_absent(subjects).await;
    apps_and_kinds_are_apart(subjects).await;
    answered_writes_survive_a_crash(subjects).await;
    vec![
        "get_returns_what_was_put",
        "transactions_are_all_or_nothing",
        "indexes_follow_their_records",
        "scans_page_in_order",
        "pages_go_on_among_equal_entries",
        "pages_begin_at_their_prefix",
        "the_last_of_several_writes_counts",
        "a_version_never_returns",
        "expired_records_are_absent",
        "apps_and_kinds_are_apart",
        "answered_writes_survive_a_crash",
    ]
}

async fn pages_begin_at_their_prefix(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    case.write(["a", "ba", "bb", "c"].map(|key| put(APP, key, &[key], Expiry::WithOwner)).into()).await;
    for index in [None, Some(1)] {
        let before = case.keys(index, "b", Some(("a", "a")), 10).await;
        assert_eq!(before, ["ba", "bb"], "a place before the prefix");
        assert_eq!(case.keys(index, "b", Some(("ba", "ba")), 10).await, ["bb"]);
        assert!(case.keys(index, "b", Some(("c", "c")), 10).await.is_empty(), "a place behind it");
    }
}

async fn the_last_of_several_writes_counts(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let removal = || Write::Remove(KIND, b"a".to_vec());
    let written = |entry| put(APP, "a", &[entry], Expiry::WithOwner);
    case.write(vec![written("first"), removal()]).await;
    assert!(case.keys(None, "", None, 10).await.is_empty());
    assert!(case.keys(Some(1), "", None, 10).await.is_empty());
    case.write(vec![written("first"), removal(), written("second"), written("third")]).await;
    assert_eq!(case.keys(None, "", None, 10).await, ["a"]);
    assert_eq!(case.keys(Some(1), "third", None, 10).await, ["a"]);
    assert!(case.keys(Some(1), "first", None, 10).await.is_empty());
    assert!(case.keys(Some(1), "second", None, 10).await.is_empty());
    case.write(vec![removal(), written("fourth"), removal()]).await;
    assert!(case.keys(None, "", None, 10).await.is_empty());
    assert!(case.keys(Some(1), "", None, 10).await.is_empty());
}

async fn get_returns_what_was_put(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let get = || case.stores.records.get(APP, KIND, b"a");
    assert_eq!(ok(get().await), None);
    case.write(vec![put(APP, "a", &[], Expiry::WithOwner)]).await;
    let first = ok(get().await);
    assert_eq!(first.as_ref().map(|found| &found.value[..]), Some(&b"value of a"[..]));
    case.write(vec![put(APP, "a", &[], Expiry::WithOwner)]).await;
    let second = ok(get().await);
    assert!(second.map(|found| found.version) > first.map(|found| found.version), "versions grow");
    case.write(vec![Write::Remove(KIND, b"a".to_vec()), Write::Remove(KIND, b"never there".to_vec())]).await;
    assert_eq!(ok(get().await), None);
}

async fn transactions_are_all_or_nothing(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let records = &case.stores.records;
    case.write(vec![put(APP, "a", &[], Expiry::WithOwner)]).await;
    let version = ok(records.get(APP, KIND, b"a").await).map_or(0, |found| found.version);
    let attempt = |condition: Condition| {
        let writes = vec![put(APP, "b", &["x"], Expiry::WithOwner), put(APP, "a", &[], Expiry::WithOwner)];
        records.apply(APP, Transaction { conditions: vec![condition], writes })
    };
    for condition in [
        Condition::Absent(KIND, b"a".to_vec()),
        Condition::Version(KIND, b"a".to_vec(), version + 1),
        Condition::Version(KIND, b"missing".to_vec(), 1),
    ] {
        assert_eq!(attempt(condition).await, Err(Fault::Conflict));
        assert_eq!(ok(records.get(APP, KIND, b"b").await), None);
        assert!(case.keys(Some(1), "x", None, 10).await.is_empty());
    }
    ok(attempt(Condition::Version(KIND, b"a".to_vec(), version)).await);
    assert_eq!(attempt(Condition::Version(KIND, b"a".to_vec(), version)).await, Err(Fault::Conflict));
    ok(attempt(Condition::Absent(KIND, b"c".to_vec())).await);
}

async fn indexes_follow_their_records(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    case.write(vec![
        put(APP, "a", &["red", "round"], Expiry::WithOwner),
        put(APP, "b", &["red"], Expiry::WithOwner),
    ])
    .await;
    assert_eq!(case.keys(Some(1), "red", None, 10).await, ["a", "b"]);
    case.write(vec![put(APP, "a", &["blue"], Expiry::WithOwner)]).await;
    assert_eq!(case.keys(Some(1), "red", None, 10).await, ["b"]);
    assert_eq!(case.keys(Some(1), "blue", None, 10).await, ["a"]);
    assert!(case.keys(Some(1), "round", None, 10).await.is_empty());
    assert!(case.keys(Some(2), "", None, 10).await.is_empty(), "another index");
    case.write(vec![Write::Remove(KIND, b"b".to_vec())]).await;
    assert!(case.keys(Some(1), "red", None, 10).await.is_empty());
}

async fn scans_page_in_order(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    case.write(["k3", "k1", "j", "k2", "l"].map(|key| put(APP, key, &[key], Expiry::WithOwner)).to_vec())
        .await;
    assert_eq!(case.keys(None, "k", None, 10).await, ["k1", "k2", "k3"]);
    assert_eq!(case.keys(None, "k", None, 2).await, ["k1", "k2"]);
    assert_eq!(case.keys(None, "k", Some(("k2", "k2")), 2).await, ["k3"]);
    assert_eq!(case.keys(Some(1), "", Some(("k1", "k1")), 2).await, ["k2", "k3"]);
    assert_eq!(case.keys(Some(1), "k", Some(("k2", "k2")), 10).await, ["k3"]);
    assert!(case.keys(None, "z", None, 10).await.is_empty());
}

async fn pages_go_on_among_equal_entries(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let keys = ["a", "a!", "aa", "b", "\u{7f}"];
    case.write(keys.map(|key| put(APP, key, &["same"], Expiry::WithOwner)).to_vec()).await;
    case.write(vec![put(APP, "0", &["same", "tame"], Expiry::WithOwner)]).await;
    assert_eq!(case.keys(Some(1), "same", None, 2).await, ["0", "a"]);
    assert_eq!(case.keys(Some(1), "same", Some(("same", "a")), 2).await, ["a!", "aa"]);
    assert_eq!(case.keys(Some(1), "same", Some(("same", "aa")), 9).await, ["b", "\u{7f}"]);
    assert_eq!(case.keys(Some(1), "", Some(("same", "b")), 9).await, ["\u{7f}", "0"]);
}

async fn a_version_never_returns(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let mut versions = Vec::new();
    for _ in 0..2 {
        for _ in 0..3 {
            case.write(vec![put(APP, "a", &[], Expiry::WithOwner)]).await;
            versions
                .push(ok(case.stores.records.get(APP, KIND, b"a").await).map_or(0, |found| found.version));
        }
        case.write(vec![Write::Remove(KIND, b"a".to_vec())]).await;
    }
    assert!(versions.windows(2).all(|pair| pair[0] < pair[1]), "{versions:?}");
}

async fn expired_records_are_absent(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let records = &case.stores.records;
    case.write(vec![put(APP, "a", &["x"], Expiry::At(Seconds(NOW + 10)))]).await;
    case.clock.set(NOW + 9);
    assert!(ok(records.get(APP, KIND, b"a").await).is_some(), "never a second early");
    case.clock.set(NOW + 10);
    assert!(case.clock.now().seconds() == Seconds(NOW + 10));
    assert_eq!(ok(records.get(APP, KIND, b"a").await), None);
    assert!(case.keys(None, "", None, 10).await.is_empty());
    assert!(case.keys(Some(1), "", None, 10).await.is_empty());
    let conditions = vec![Condition::Absent(KIND, b"a".to_vec())];
    let writes = vec![put(APP, "a", &[], Expiry::WithOwner)];
    ok(records.apply(APP, Transaction { conditions, writes }).await);
}

async fn apps_and_kinds_are_apart(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    let records = &case.stores.records;
    case.write(vec![put(APP, "a", &["x"], Expiry::WithOwner)]).await;
    assert_eq!(ok(records.get(OTHER_APP, KIND, b"a").await), None);
    assert_eq!(ok(records.get(APP, OTHER, b"a").await), None);
    let range = Range { kind: KIND, index: Some(1), prefix: Vec::new(), after: None, limit: 10 };
    assert!(ok(records.scan(OTHER_APP, range.clone()).await).is_empty());
    assert!(ok(records.scan(APP, Range { kind: OTHER, ..range }).await).is_empty());
}

async fn answered_writes_survive_a_crash(subjects: &mut dyn Subjects) {
    let case = Case::new(subjects);
    case.write(vec![put(APP, "a", &["x"], Expiry::WithOwner)]).await;
    let before = ok(case.stores.records.get(APP, KIND, b"a").await);
    let case = case.crash(subjects);
    assert_eq!(ok(case.stores.records.get(APP, KIND, b"a").await), before);
    assert_eq!(case.keys(Some(1), "x", None, 10).await, ["a"]);
    case.write(vec![put(APP, "a", &[], Expiry::WithOwner)]).await;
    let after = ok(case.stores.records.get(APP, KIND, b"a").await);
    assert!(
        after.map(|found| found.version) > before.map(|found| found.version),
        "versions grow across crashes"
    );
}
