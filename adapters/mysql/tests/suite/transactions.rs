//! Transactions and scans at their limits, what expires, and databases side by side.

use crate::common::{APP, KIND, NOW, absent, apply, get, number, put, raw, records, stamped};
use model::{Expiry, SdkAppId, Seconds, Subject};
use mysql_store::{Access, MySqlRecords, Register, Registered};
use ports::records::{KEY_BYTES_MAX, Range, VALUE_BYTES_MAX, WRITES_MAX, Write};
use ports::{Condition, Fault, Kind, Records as _, Transaction};

async fn keys(records: &MySqlRecords, range: Range) -> Vec<Vec<u8>> {
    records.scan(APP, range).await.unwrap().into_iter().map(|found| found.key).collect()
}

fn range(index: Option<u8>, prefix: &[u8], after: Option<(&[u8], &[u8])>, limit: usize) -> Range {
    let after = after.map(|(entry, key)| (entry.to_vec(), key.to_vec()));
    Range { kind: KIND, index, prefix: prefix.to_vec(), after, limit }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_has_as_many_writes_as_the_port_allows_and_one_version() {
    let (records, _, address) = records("whimbrel_many").await;
    let key = |number: usize| format!("key {number:05}").into_bytes();
    let all = |value: &[u8]| -> Vec<Write> {
        (0..WRITES_MAX)
            .map(|number| stamped(raw(&key(number), value, &[&key(number), b"same"]), Expiry::WithOwner))
            .collect()
    };
    let conditions = (0..WRITES_MAX).map(|number| absent(&key(number))).collect();
    apply(&records, conditions, all(&[7; 700])).await.unwrap();
    let found = records.scan(APP, range(None, b"key ", None, 5000)).await.unwrap();
    assert_eq!(found.len(), WRITES_MAX);
    assert!(found.iter().all(|record| record.version == found[0].version), "a transaction has one version");
    assert_eq!(keys(&records, range(Some(1), b"same", None, 5000)).await.len(), WRITES_MAX);
    assert_eq!(number(&address, "SELECT COUNT(*) FROM numbers").await, Some(0), "nothing is left there");

    let conditions =
        found.iter().map(|record| Condition::Version(KIND, record.key.clone(), record.version)).collect();
    apply(&records, conditions, all(b"second")).await.unwrap();
    let second = get(&records, &key(77)).await.unwrap();
    assert!(second.value == b"second"[..] && second.version > found[0].version);

    let mut writes = all(b"third");
    writes.push(put(b"one more", b""));
    assert!(matches!(apply(&records, Vec::new(), writes).await, Err(Fault::Unavailable(_))));
    let removals = (0..WRITES_MAX).map(|number| Write::Remove(KIND, key(number))).collect();
    apply(&records, Vec::new(), removals).await.unwrap();
    for table in ["records", "entries", "numbers"] {
        assert_eq!(number(&address, &format!("SELECT COUNT(*) FROM {table}")).await, Some(0), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_keys_and_values_are_kept_byte_by_byte_and_larger_ones_are_refused() {
    let (records, ..) = records("whimbrel_large").await;
    let value: Vec<u8> = (0..VALUE_BYTES_MAX).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
    let (low, high) = (vec![0; KEY_BYTES_MAX], vec![0xff; KEY_BYTES_MAX]);
    let writes = [&low, &high].map(|key| stamped(raw(key, &value, &[&high, &low]), Expiry::WithOwner));
    apply(&records, vec![absent(&low)], writes.to_vec()).await.unwrap();
    for key in [&low, &high] {
        assert!(get(&records, key).await.unwrap().value == value[..]);
    }
    assert_eq!(keys(&records, range(Some(1), &high, None, 9)).await, [low.clone(), high.clone()]);
    assert_eq!(
        keys(&records, range(Some(1), &[], Some((&low, &high)), 3)).await,
        [low.clone(), high.clone()]
    );
    assert_eq!(keys(&records, range(None, &high[..9], None, 9)).await, std::slice::from_ref(&high));

    let long = vec![1; KEY_BYTES_MAX + 1];
    for refused in
        [raw(&long, b"", &[]), raw(b"k", b"", &[&long]), raw(b"k", &vec![0; VALUE_BYTES_MAX + 1], &[])]
    {
        let writes = vec![put(b"beside", b""), stamped(refused, Expiry::WithOwner)];
        let Err(Fault::Unavailable(said)) = apply(&records, Vec::new(), writes).await else { unreachable!() };
        assert!(said.contains("too large"), "{said}");
    }
    let many: Vec<Vec<u8>> = (0..600_u32).map(|at| [&at.to_be_bytes()[..], &[0; 500]].concat()).collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let refused = stamped(raw(b"k", b"", &many), Expiry::WithOwner);
    assert!(matches!(apply(&records, Vec::new(), vec![refused]).await, Err(Fault::Unavailable(_))));
    assert_eq!(get(&records, b"beside").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_ordered_by_their_bytes_and_every_page_follows_the_one_before() {
    let (records, ..) = records("whimbrel_order").await;
    let all =
        [&b"a\0"[..], b"", b"\0", b"\xff\xff", b"A", b"a", b"a ", b"\xff", b"a\xff", b"a\xff\xff", b"b"];
    let writes = all.iter().map(|key| stamped(raw(key, key, &[key, b"one"]), Expiry::WithOwner)).collect();
    apply(&records, Vec::new(), writes).await.unwrap();
    for index in [None, Some(1)] {
        // Every entry with its key, in order.
        let mut places: Vec<(&[u8], &[u8])> = all.iter().map(|key| (*key, *key)).collect();
        places.extend(all.iter().filter(|_| index.is_some()).map(|key| (&b"one"[..], *key)));
        places.sort_unstable();
        for prefix in [&b"a"[..], b"", b"\xff", b"a\xff", b"one", b"z"] {
            let expected: Vec<_> = places.iter().filter(|(entry, _)| entry.starts_with(prefix)).collect();
            for limit in [1, 2, 3, 100] {
                let mut found = Vec::new();
                loop {
                    let after = found.len().checked_sub(1).map(|last| *expected[last]);
                    let page = keys(&records, range(index, prefix, after, limit)).await;
                    if page.is_empty() {
                        break;
                    }
                    found.extend(page);
                }
                let expected: Vec<_> = expected.iter().map(|(_, key)| *key).collect();
                assert_eq!(found, expected, "{index:?} {prefix:?} by {limit}");
            }
        }
        let behind = keys(&records, range(index, b"a", Some((b"A", b"A")), 1)).await;
        assert_eq!(behind, [b"a"], "a place before the prefix leaves out nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_absent_is_replaced_and_leaves_no_entry() {
    let (records, clock, address) = records("whimbrel_expired").await;
    let expiring = stamped(raw(b"a", b"old", &[b"x", b"y"]), Expiry::At(Seconds(NOW + 10)));
    apply(&records, Vec::new(), vec![expiring]).await.unwrap();
    let old = get(&records, b"a").await.unwrap();
    assert_eq!(old.stamp.expiry, Expiry::At(Seconds(NOW + 10)));
    assert_eq!(apply(&records, vec![absent(b"a")], vec![put(b"b", b"")]).await, Err(Fault::Conflict));
    clock.set(NOW + 10);
    let same = Condition::Version(KIND, b"a".to_vec(), old.version);
    assert_eq!(apply(&records, vec![same], vec![put(b"b", b"")]).await, Err(Fault::Conflict));
    let renewed = stamped(raw(b"a", b"new", &[b"y"]), Expiry::WithOwner);
    apply(&records, vec![absent(b"a")], vec![renewed]).await.unwrap();
    let new = get(&records, b"a").await.unwrap();
    assert!(new.value == b"new"[..] && new.version > old.version);
    assert!(keys(&records, range(Some(1), b"x", None, 9)).await.is_empty());
    assert_eq!(keys(&records, range(Some(1), b"y", None, 9)).await, [b"a"]);
    assert_eq!(number(&address, "SELECT COUNT(*) FROM entries").await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_comes_back_has_a_version_that_nobody_saw() {
    let (records, _, address) = records("whimbrel_versions").await;
    let mut versions = Vec::new();
    for _ in 0..3 {
        for _ in 0..5 {
            apply(&records, Vec::new(), vec![put(b"a", b"")]).await.unwrap();
            versions.push(get(&records, b"a").await.unwrap().version);
        }
        apply(&records, Vec::new(), vec![Write::Remove(KIND, b"a".to_vec())]).await.unwrap();
    }
    assert!(versions.windows(2).all(|pair| pair[0] < pair[1]), "{versions:?}");
    // The last write of a key in a transaction counts.
    let writes = vec![put(b"a", b"1"), Write::Remove(KIND, b"a".to_vec()), put(b"a", b"2"), put(b"b", b"1")];
    apply(&records, Vec::new(), [writes, vec![Write::Remove(KIND, b"b".to_vec())]].concat()).await.unwrap();
    assert!(get(&records, b"a").await.unwrap().value == b"2"[..]);
    assert_eq!(get(&records, b"b").await, None);
    // Conditions alone write nothing, and neither do those that fail leave a place behind.
    apply(&records, vec![absent(b"c"), absent(b"d")], Vec::new()).await.unwrap();
    assert_eq!(apply(&records, vec![absent(b"c"), absent(b"a")], Vec::new()).await, Err(Fault::Conflict));
    apply(&records, vec![absent(b"c")], vec![Write::Remove(KIND, b"d".to_vec())]).await.unwrap();
    assert_eq!(number(&address, "SELECT COUNT(*) FROM records").await, Some(1));
    // A copy of the numbers that is older than the records.
    number(&address, "ALTER TABLE numbers AUTO_INCREMENT = 1; DELETE FROM numbers").await;
    number(&address, "UPDATE records SET version = 1000000").await;
    apply(&records, Vec::new(), vec![put(b"a", b"")]).await.unwrap();
    assert_eq!(get(&records, b"a").await.unwrap().version, 1_000_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_and_apps_are_apart_and_a_stamp_comes_back_whole() {
    let (one, ..) = records("whimbrel_one").await;
    let (other, ..) = records("whimbrel_other").await;
    apply(&one, Vec::new(), vec![put(b"a", b"one")]).await.unwrap();
    assert_eq!(get(&other, b"a").await, None);
    apply(&other, vec![absent(b"a")], vec![put(b"a", b"other")]).await.unwrap();
    assert!(get(&one, b"a").await.unwrap().value == b"one"[..]);

    let stamp = model::Stamp {
        app: APP,
        class: model::DataClass::Profile,
        subject: Subject::Account(model::AccountNumber(u64::MAX)),
        expiry: Expiry::At(Seconds(u32::MAX)),
    };
    let write = Write::Put(ports::Stamped::new(stamp, raw(b"stamped", b"", &[])));
    apply(&one, Vec::new(), vec![write]).await.unwrap();
    assert_eq!(get(&one, b"stamped").await.unwrap().stamp, stamp);
    assert_eq!(one.get(SdkAppId(2), KIND, b"stamped").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_apps_follows_their_records() {
    let (_, clock, address) = records("whimbrel_apps").await;
    let kind = Kind { id: 1, ..KIND };
    let register = Register {
        kind,
        app_of: |key| Some(SdkAppId(u32::from_be_bytes(key.try_into().ok()?))),
        read: |value| {
            let owner = value.first().map(|owner| u64::from(*owner));
            (value != b"damaged").then_some(Registered { owner, created: Seconds(9) })
        },
    };
    let access = Access::new(&address, None).unwrap();
    let records = MySqlRecords::connect(access, clock).await.unwrap().with_register(register);
    let put = |value: &[u8]| {
        let raw = ports::records::RawRecord { kind, ..raw(&APP.0.to_be_bytes(), value, &[]) };
        stamped(raw, Expiry::WithOwner)
    };
    let apply = async |app, write| {
        records.apply(app, Transaction { conditions: Vec::new(), writes: vec![write] }).await
    };
    let count = async |condition: &str| {
        number(&address, &format!("SELECT COUNT(*) FROM apps WHERE created = 9 AND {condition}"))
            .await
            .unwrap()
    };
    apply(SdkAppId::INSTALLATION, put(&[])).await.unwrap();
    assert_eq!(count("app = 1400000001 AND owner IS NULL").await, 1);
    apply(SdkAppId::INSTALLATION, put(&[7])).await.unwrap();
    assert_eq!(count("app = 1400000001 AND owner = 7").await, 1);
    assert!(matches!(apply(SdkAppId::INSTALLATION, put(b"damaged")).await, Err(Fault::Corrupt(_))));
    apply(APP, Write::Remove(kind, APP.0.to_be_bytes().to_vec())).await.unwrap();
    assert_eq!(count("TRUE").await, 1, "a record of an app with the same kind and key is none of these");
    apply(SdkAppId::INSTALLATION, Write::Remove(kind, APP.0.to_be_bytes().to_vec())).await.unwrap();
    assert_eq!(count("TRUE").await, 0);
}
