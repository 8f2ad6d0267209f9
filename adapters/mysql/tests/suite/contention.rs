//! Many at once: no update is lost, and of those that exclude each other one wins.

use std::sync::Arc;

use crate::common::{KIND, NOW, absent, apply, get, put, raw, records, stamped};
use model::{Expiry, Seconds};
use mysql_store::MySqlRecords;
use ports::records::Write;
use ports::{Condition, Fault};
use tokio::task::JoinSet;

const TASKS: u32 = 32;

/// Runs a task for each number at once, and returns what they return.
async fn at_once<T: Send + 'static, F>(make: impl Fn(u32) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        tasks.spawn(make(number));
    }
    tasks.join_all().await
}

fn winners(outcomes: &[Result<(), Fault>]) -> usize {
    for outcome in outcomes {
        assert!(matches!(outcome, Ok(()) | Err(Fault::Conflict)), "{outcome:?}");
    }
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}

async fn increment(records: Arc<MySqlRecords>, times: u32) {
    let mut done = 0;
    while done < times {
        let found = get(&records, b"counter").await.unwrap();
        let count = u32::from_be_bytes(found.value[..].try_into().unwrap()) + 1;
        let condition = Condition::Version(KIND, b"counter".to_vec(), found.version);
        let write =
            stamped(raw(b"counter", &count.to_be_bytes(), &[&count.to_be_bytes()]), Expiry::WithOwner);
        match apply(&records, vec![condition], vec![write]).await {
            Ok(()) => done += 1,
            Err(fault) => assert_eq!(fault, Fault::Conflict),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_increment_of_many_is_lost() {
    let (records, _, address) = records("whimbrel_counter").await;
    apply(&records, Vec::new(), vec![put(b"counter", &0_u32.to_be_bytes())]).await.unwrap();
    at_once(|_| increment(Arc::clone(&records), 4)).await;
    assert!(get(&records, b"counter").await.unwrap().value == (TASKS * 4).to_be_bytes()[..]);
    assert_eq!(crate::common::number(&address, "SELECT COUNT(*) FROM entries").await, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_create_a_record_one_wins() {
    let (records, clock, _) = records("whimbrel_create").await;
    for round in 0..4_u32 {
        // In the last rounds there is one that has expired, or was removed just before.
        if round >= 2 {
            let former = stamped(raw(b"a", b"", &[b"x"]), Expiry::At(Seconds(NOW + round)));
            apply(&records, Vec::new(), vec![former]).await.unwrap();
            clock.set(NOW + round);
        }
        let outcomes = at_once(|number| {
            let records = Arc::clone(&records);
            let write = stamped(raw(b"a", &number.to_be_bytes(), &[b"x"]), Expiry::WithOwner);
            async move { apply(&records, vec![absent(b"a")], vec![write]).await }
        })
        .await;
        assert_eq!(winners(&outcomes), 1);
        apply(&records, Vec::new(), vec![Write::Remove(KIND, b"a".to_vec())]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_each_need_the_others_record_to_be_absent_one_wins() {
    let (records, ..) = records("whimbrel_skew").await;
    for _ in 0..4 {
        let outcomes = at_once(|number| {
            let records = Arc::clone(&records);
            let (own, other) = if number % 2 == 0 { (b"even", b"odd\0") } else { (b"odd\0", b"even") };
            async move { apply(&records, vec![absent(other)], vec![put(own, b"")]).await }
        })
        .await;
        let (even, odd) = (get(&records, b"even").await, get(&records, b"odd\0").await);
        assert!(even.is_some() != odd.is_some(), "exactly one kind of writers won");
        // All of the same kind may win: none of them needs its own to be absent.
        assert!((1..=16).contains(&winners(&outcomes)));
        let removals = [b"even", b"odd\0"].map(|key| Write::Remove(KIND, key.to_vec()));
        apply(&records, Vec::new(), removals.to_vec()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transactions_over_the_same_records_in_any_order_all_succeed_and_indexes_stay_whole() {
    let (records, _, address) = records("whimbrel_mixed").await;
    let outcomes = at_once(|number| {
        let records = Arc::clone(&records);
        async move {
            for round in 0..4_u32 {
                let mut keys: Vec<u32> = (0..20).collect();
                keys.rotate_left(usize::try_from((number * 7 + round) % 20).unwrap());
                let writes = keys.iter().map(|key| {
                    let key = key.to_be_bytes();
                    match (number + round + u32::from(key[3])) % 5 {
                        0 => Write::Remove(KIND, key.to_vec()),
                        entry => stamped(raw(&key, b"", &[&entry.to_be_bytes()]), Expiry::WithOwner),
                    }
                });
                apply(&records, vec![absent(b"nobody")], writes.collect()).await?;
            }
            Ok(())
        }
    })
    .await;
    assert_eq!(winners(&outcomes), outcomes.len());
    let orphans = "SELECT COUNT(*) FROM entries AS e LEFT JOIN records AS r \
         ON r.app = e.app AND r.kind = e.kind AND r.rkey = e.rkey WHERE r.rkey IS NULL";
    assert_eq!(crate::common::number(&address, orphans).await, Some(0));
    let unequal = "SELECT COUNT(*) FROM entries UNION ALL SELECT COUNT(*) FROM records";
    let mut connection = crate::common::connection(&address).await;
    let rows = sqlx::Executor::fetch_all(&mut connection, unequal).await.unwrap();
    let counts: Vec<i64> = rows.iter().map(|row| sqlx::Row::try_get(row, 0).unwrap()).collect();
    assert_eq!(counts[0], counts[1], "every record has one entry");
    assert_eq!(
        crate::common::number(&address, "SELECT COUNT(*) FROM records WHERE class = 0").await,
        Some(0)
    );
}
