//! Databases of their own on the server of the tests, a clock that a test moves, and short words for records.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{DataClass, Expiry, Millis, SdkAppId, Stamp, Subject};
use mysql_store::{Access, MySqlRecords, migrate};
use ports::records::{Found, RawRecord, Write};
use ports::{Clock, Condition, Fault, Kind, Records as _, Stamped, Transaction};
use sqlx::{Connection as _, Executor as _, MySqlConnection};

pub(crate) const APP: SdkAppId = SdkAppId(1_400_000_001);
pub(crate) const KIND: Kind = Kind { id: 60_000, name: "test record", class: DataClass::Account };
pub(crate) const NOW: u32 = 1_795_298_242;

/// The server, with user, password and the database `whimbrel`.
pub(crate) fn server() -> String {
    std::env::var("WHIMBREL_TEST_MYSQL").unwrap()
}

/// The address of another database of this server.
pub(crate) fn address_of(database: &str) -> String {
    format!("{}/{database}", server().rsplit_once('/').unwrap().0)
}

/// A connection of the test's own.
pub(crate) async fn connection(address: &str) -> MySqlConnection {
    MySqlConnection::connect(address).await.unwrap()
}

/// Runs a statement, and returns the number of its first row and column, if it has one.
pub(crate) async fn number(address: &str, statement: &str) -> Option<i64> {
    let mut connection = connection(address).await;
    let rows = connection.fetch_all(statement).await.unwrap();
    rows.first().map(|row| sqlx::Row::try_get(row, 0).unwrap())
}

/// An empty database without tables.
pub(crate) async fn empty(database: &str) -> String {
    let statements =
        format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} COLLATE utf8mb4_bin");
    number(&server(), &statements).await;
    address_of(database)
}

/// An empty database with the schema.
pub(crate) async fn fresh(database: &str) -> String {
    let address = empty(database).await;
    migrate(&Access::new(&address, None).unwrap()).await.unwrap();
    address
}

/// Records in a new database, with a clock that stands.
pub(crate) async fn records(database: &str) -> (Arc<MySqlRecords>, Arc<Watch>, String) {
    let (address, clock) = (fresh(database).await, Arc::new(Watch::at(NOW)));
    let access = Access::new(&address, None).unwrap();
    (Arc::new(MySqlRecords::connect(access, clock.clone()).await.unwrap()), clock, address)
}

/// A clock that stands until it is set. Who waits by it lets others go first, no longer.
pub(crate) struct Watch(AtomicU64);

impl Watch {
    pub(crate) fn at(seconds: u32) -> Self {
        Self(AtomicU64::new(u64::from(seconds) * 1000))
    }

    pub(crate) fn set(&self, seconds: u32) {
        self.0.store(u64::from(seconds) * 1000, Ordering::SeqCst);
    }
}

impl Clock for Watch {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }

    fn elapsed_micros(&self) -> u64 {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        COUNT.fetch_add(377, Ordering::SeqCst)
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::task::yield_now())
    }
}

pub(crate) fn raw(key: &[u8], value: &[u8], indexes: &[&[u8]]) -> RawRecord {
    let indexes = indexes.iter().map(|entry| (1, entry.to_vec())).collect();
    RawRecord { kind: KIND, key: key.to_vec(), indexes, value: value.to_vec().into() }
}

pub(crate) fn stamped(raw: RawRecord, expiry: Expiry) -> Write {
    let class = raw.kind.class;
    Write::Put(Stamped::new(Stamp { app: APP, class, subject: Subject::Nobody, expiry }, raw))
}

pub(crate) fn put(key: &[u8], value: &[u8]) -> Write {
    stamped(raw(key, value, &[]), Expiry::WithOwner)
}

pub(crate) fn absent(key: &[u8]) -> Condition {
    Condition::Absent(KIND, key.to_vec())
}

pub(crate) async fn apply(
    records: &MySqlRecords,
    conditions: Vec<Condition>,
    writes: Vec<Write>,
) -> Result<(), Fault> {
    records.apply(APP, Transaction { conditions, writes }).await
}

pub(crate) async fn get(records: &MySqlRecords, key: &[u8]) -> Option<Found> {
    records.get(APP, KIND, key).await.unwrap()
}
