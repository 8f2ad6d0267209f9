//! Servers that are away, let nobody in, lose connections, or are set so that a promise would not hold.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{APP, KIND, NOW, Watch, absent, apply, get, number, put, records};
use crate::relay::Relay;
use mysql_store::{Access, MySqlRecords, migrate};
use ports::records::Records as _;
use ports::{Fault, Transaction};

async fn connect(address: &str, password: Option<&str>) -> Result<MySqlRecords, Fault> {
    MySqlRecords::connect(Access::new(address, password)?, Arc::new(Watch::at(NOW))).await
}

/// Connects over a few connections.
async fn connect_few(address: &str, connections: usize) -> Arc<MySqlRecords> {
    let access = Access::new(address, None).unwrap().with_connections(connections);
    Arc::new(MySqlRecords::connect(access, Arc::new(Watch::at(NOW))).await.unwrap())
}

fn said<T>(outcome: Result<T, Fault>) -> String {
    match outcome {
        Err(Fault::Unavailable(said)) => said,
        Err(other) => unreachable!("{other}"),
        Ok(_) => unreachable!("it was taken"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_or_lets_nobody_in_is_unavailable_and_nothing_secret_is_said() {
    let address = crate::common::fresh("whimbrel_door").await;
    let (start, place) = address.rsplit_once('@').unwrap();
    let (_, password) = start.rsplit_once(':').unwrap();
    for (address, given, says) in [
        (address.replacen(password, "secret", 1), None, "does not let this user in"),
        (address.clone(), Some("secret"), "does not let this user in"),
        (format!("mysql://secret:{password}@{place}"), None, "does not let this user in"),
        (crate::common::address_of("secret"), None, "the database does not exist"),
        ("mysql://secret:secret@127.0.0.1:1/secret".to_owned(), None, "cannot be reached"),
    ] {
        let said = said(connect(&address, given).await);
        assert!(said.contains(says), "{said}");
        assert!(
            !said.contains("secret") && !said.contains(password) && !said.contains("127.0.0.1"),
            "{said}"
        );
    }
    // The password beside the address goes before the one in it.
    connect(&address.replacen(password, "wrong", 1), Some(password)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_encryption_is_refused_where_it_is_demanded() {
    let address = crate::common::fresh("whimbrel_tls").await;
    let said = said(connect(&format!("{address}?ssl-mode=REQUIRED"), None).await);
    assert!(said.contains("no encrypted connection"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_are_made_again_and_calls_go_on() {
    let (_, _, address) = records("whimbrel_cut").await;
    let relay = Relay::before(&address).await;
    let records = connect_few(&relay.address, 4).await;
    apply(&records, vec![absent(b"a")], vec![put(b"a", b"1")]).await.unwrap();
    for value in [b"2", b"3"] {
        relay.cut().await;
        assert!(get(&records, b"a").await.is_some());
        relay.cut().await;
        apply(&records, Vec::new(), vec![put(b"a", value)]).await.unwrap();
        assert!(get(&records, b"a").await.unwrap().value == value[..]);
    }
    relay.close(true).await;
    assert!(matches!(records.get(APP, KIND, b"a").await, Err(Fault::Unavailable(_))));
    let away = apply(&records, Vec::new(), vec![put(b"a", b"4")]).await;
    assert!(matches!(away, Err(Fault::Unavailable(_))));
    relay.close(false).await;
    assert!(get(&records, b"a").await.unwrap().value == b"3"[..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_unavailable_and_not_done_twice() {
    let (direct, _, address) = records("whimbrel_unknown").await;
    let relay = Relay::before(&address).await;
    let records = connect_few(&relay.address, 2).await;
    apply(&records, Vec::new(), vec![put(b"a", b"1")]).await.unwrap();
    let before = get(&direct, b"a").await.unwrap();
    relay.swallow_answer_to_commit();
    let unknown = apply(&records, Vec::new(), vec![put(b"a", b"2")]).await;
    assert!(matches!(unknown, Err(Fault::Unavailable(_))), "{unknown:?}");
    let after = get(&records, b"a").await.unwrap();
    assert!(after.value == b"2"[..] && after.version == before.version + 1, "committed once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_holds_no_lock_and_no_connection() {
    let (records, _, address) = records("whimbrel_given_up").await;
    apply(&records, Vec::new(), vec![put(b"a", b"1")]).await.unwrap();
    let mut other = crate::common::connection(&address).await;
    let lock = "START TRANSACTION; SELECT * FROM records FOR UPDATE";
    sqlx::Executor::fetch_all(&mut other, lock).await.unwrap();
    let few = connect_few(&address, 1).await;
    for _ in 0..3 {
        let put = apply(&few, Vec::new(), vec![put(b"a", b"2")]);
        assert!(
            tokio::time::timeout(Duration::from_millis(200), put).await.is_err(),
            "it waits for the lock"
        );
    }
    assert!(get(&few, b"a").await.is_some(), "reads wait for nobody");
    sqlx::Executor::fetch_all(&mut other, "ROLLBACK").await.unwrap();
    apply(&few, Vec::new(), vec![put(b"a", b"3")]).await.unwrap();
    assert!(get(&records, b"a").await.unwrap().value == b"3"[..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_somebody_keeps_for_long_is_waited_for_again_and_holds_up_nobody_else() {
    let (records, _, address) = records("whimbrel_kept").await;
    apply(&records, Vec::new(), vec![put(b"a", b"1"), put(b"b", b"1")]).await.unwrap();
    let mut other = crate::common::connection(&address).await;
    // Of this record alone.
    let lock = format!("SELECT * FROM records WHERE app={APP} AND kind={} AND rkey='a' FOR UPDATE", KIND.id);
    let begin = format!("START TRANSACTION; {lock}");
    sqlx::Executor::fetch_all(&mut other, begin.as_str()).await.unwrap();
    let waiting = tokio::spawn({
        let records = Arc::clone(&records);
        async move { apply(&records, Vec::new(), vec![put(b"a", b"2")]).await }
    });
    // Somebody waits longer than one wait of ours.
    let mut third = crate::common::connection(&address).await;
    let wait = format!("SET SESSION innodb_lock_wait_timeout = 4; {lock}");
    assert!(sqlx::Executor::fetch_all(&mut third, wait.as_str()).await.is_err());
    apply(&records, Vec::new(), vec![put(b"c", b"2")]).await.unwrap();
    sqlx::Executor::fetch_all(&mut other, "ROLLBACK").await.unwrap();
    waiting.await.unwrap().unwrap();
    assert!(get(&records, b"a").await.unwrap().value == b"2"[..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_calls_than_connections_wait_for_their_turn() {
    let (_, _, address) = records("whimbrel_turns").await;
    let records = connect_few(&address, 2).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200_u32 {
        let records = Arc::clone(&records);
        tasks.spawn(async move {
            let key = number.to_be_bytes();
            records
                .apply(APP, Transaction { conditions: vec![absent(&key)], writes: vec![put(&key, b"")] })
                .await
                .unwrap();
        });
    }
    tasks.join_all().await;
    assert_eq!(number(&address, "SELECT COUNT(*) FROM records").await, Some(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_missing_older_or_too_new_is_refused_and_migrations_repeat_nothing() {
    let address = crate::common::empty("whimbrel_schema").await;
    assert!(said(connect(&address, None).await).contains("no schema of Whimbrel yet"));
    let access = Access::new(&address, None).unwrap();
    let both = tokio::join!(migrate(&access), migrate(&access));
    let (one, other) = (both.0.unwrap(), both.1.unwrap());
    assert_eq!(one.from + other.from, mysql_store::SCHEMA, "one of them found nothing to do");
    let records = connect(&address, None).await.unwrap();
    apply(&records, Vec::new(), vec![put(b"a", b"1")]).await.unwrap();
    assert_eq!(migrate(&access).await.unwrap().from, mysql_store::SCHEMA);
    assert!(get(&records, b"a").await.is_some());
    for (version, readable_from, says) in
        [(0, 0, Some("migrate it")), (99, 99, Some("install a newer one")), (99, 1, None)]
    {
        let state = format!("UPDATE schema_state SET version = {version}, readable_from = {readable_from}");
        number(&address, &state).await;
        match says {
            Some(says) => assert!(said(connect(&address, None).await).contains(says)),
            None => drop(connect(&address, None).await.unwrap()),
        }
    }
    assert!(said(migrate(&access).await).contains("install a newer one"));
    // One that was interrupted before it was noted.
    number(&address, "DELETE FROM schema_state").await;
    assert_eq!(migrate(&access).await.unwrap().from, 0);
    assert!(get(&records, b"a").await.is_some());
}
