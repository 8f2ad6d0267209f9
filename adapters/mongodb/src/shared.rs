//! What the store, its tasks and its followers share.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use model::{Millis, SdkAppId, Seconds};
use mongodb::bson::doc;
use ports::{Cursor, Entry, Event, Fault, Random};
use tokio::sync::watch;

use crate::codec;
use crate::database::{Database, Find};
use crate::keys;
use crate::names::LIMITS;
use crate::sweep::Sweeper;

/// How often something is read again that changed while it was read.
const READS_MAX: usize = 8;

/// What all parts of the store use.
pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) random: Arc<dyn Random>,
    /// The newest cursor that this node knows of.
    pub(crate) end: AtomicU64,
    /// Told whenever that grows.
    pub(crate) grown: watch::Sender<()>,
    /// For how long files of the server may hold what was removed.
    pub(crate) settle_seconds: u32,
    /// What the next sweep removes.
    pub(crate) sweeper: tokio::sync::Mutex<Sweeper>,
}

/// Messages appended up to `until` are kept so many seconds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) until: Cursor,
    pub(crate) keep_seconds: u32,
}

/// The shortened retention of an app.
pub(crate) struct Limits(pub(crate) Vec<Limit>);

impl Limits {
    pub(crate) async fn load(database: &Database, app: SdkAppId) -> Result<Self, Fault> {
        let find = Find { filter: doc! { "app": i64::from(app.0) }, ..Find::default() };
        let documents = database.find(LIMITS, find).await?;
        let read = |document| {
            let seconds = codec::number(document, "keep")?;
            let keep_seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            Ok(Limit { until: Cursor(codec::number(document, "until")?), keep_seconds })
        };
        Ok(Self(documents.iter().map(read).collect::<Result<_, Fault>>()?))
    }

    /// Whether an entry is absent for every read.
    pub(crate) fn is_over(&self, entry: &Entry, now: Millis) -> bool {
        if entry.stamp.expiry.is_over(now) {
            return true;
        }
        let is_message = matches!(entry.event, Event::Message(_));
        let is_old = |limit: &Limit| {
            entry.cursor <= limit.until && now.seconds() >= entry.time.plus(limit.keep_seconds)
        };
        is_message && self.0.iter().any(is_old)
    }

    /// The filters of what is over by these.
    pub(crate) fn filters(&self, now: Seconds) -> Vec<mongodb::bson::Document> {
        let of = |limit: &Limit| {
            doc! {
                "_id": { "$lte": keys::cursor(limit.until) },
                "tm": { "$lte": keys::seconds(now) - i64::from(limit.keep_seconds) },
            }
        };
        self.0.iter().map(of).collect()
    }
}

/// Reads, and reads again what changed meanwhile.
pub(crate) async fn again<T, F>(mut read: impl FnMut() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    for _ in 0..READS_MAX {
        match read().await {
            Err(Fault::Conflict) => {}
            other => return other,
        }
    }
    Err(Fault::Corrupt("what is stored does not fit together".to_owned()))
}
