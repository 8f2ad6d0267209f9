//! Retention that was shortened: until when messages of an app are kept that were appended before.

use std::sync::atomic::{AtomicBool, Ordering};

use fjall::Keyspace;
use hashbrown::HashMap;
use model::{Millis, SdkAppId, Seconds};
use parking_lot::RwLock;
use ports::{Cursor, Fault};

use crate::codec::fault;
use crate::layout::read_u64;

/// What keys in `meta` begin with: then the app (4), the newest entry at that time (8), the seconds (4).
const PREFIX: &[u8] = b"shortened:";

/// Messages appended up to `until` are kept so many seconds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    until: Cursor,
    keep_seconds: u32,
}

/// All of them, in memory; written down in `meta`.
#[derive(Default)]
pub(crate) struct Limits {
    by_app: RwLock<HashMap<SdkAppId, Vec<Limit>>>,
    is_any: AtomicBool,
}

fn key(app: SdkAppId, limit: Limit) -> Vec<u8> {
    let Limit { until, keep_seconds } = limit;
    [PREFIX, &app.0.to_be_bytes(), &until.0.to_be_bytes(), &keep_seconds.to_be_bytes()].concat()
}

impl Limits {
    /// Reads what was written down.
    pub(crate) fn open(meta: &Keyspace) -> Result<Self, Fault> {
        let limits = Self::default();
        for guard in meta.prefix(PREFIX) {
            let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
            let rest = key.get(PREFIX.len()..).unwrap_or_default();
            let read = || {
                let app = SdkAppId(u32::from_be_bytes(*rest.first_chunk()?));
                let keep_seconds = u32::from_be_bytes(*value.first_chunk()?);
                Some((app, Limit { until: Cursor(read_u64(rest, 4)?), keep_seconds }))
            };
            let (app, limit) = read().ok_or_else(|| Fault::Corrupt("a shortened retention".to_owned()))?;
            limits.remember(app, limit);
        }
        Ok(limits)
    }

    fn remember(&self, app: SdkAppId, limit: Limit) {
        self.by_app.write().entry(app).or_default().push(limit);
        self.is_any.store(true, Ordering::Release);
    }

    /// Adds one. It has to be synced before anybody is told.
    pub(crate) fn add(
        &self,
        meta: &Keyspace,
        app: SdkAppId,
        until: Cursor,
        keep_seconds: u32,
    ) -> Result<(), Fault> {
        meta.insert(key(app, Limit { until, keep_seconds }), keep_seconds.to_be_bytes())
            .map_err(|error| fault(&error))?;
        self.remember(app, Limit { until, keep_seconds });
        Ok(())
    }

    /// Forgets those that no entry is left for.
    pub(crate) fn prune(&self, meta: &Keyspace, oldest: Cursor) -> Result<(), Fault> {
        let mut by_app = self.by_app.write();
        for (app, limits) in by_app.iter_mut() {
            for limit in limits.extract_if(.., |limit| limit.until < oldest) {
                meta.remove(key(*app, limit)).map_err(|error| fault(&error))?;
            }
        }
        by_app.retain(|_, limits| !limits.is_empty());
        self.is_any.store(!by_app.is_empty(), Ordering::Release);
        Ok(())
    }

    /// The apps that have some.
    pub(crate) fn apps(&self) -> Vec<SdkAppId> {
        self.by_app.read().keys().copied().collect()
    }

    /// Whether a message is older than its app's shortened retention lets it become.
    pub(crate) fn is_over(&self, app: SdkAppId, cursor: Cursor, time: Seconds, now: Millis) -> bool {
        if !self.is_any.load(Ordering::Acquire) {
            return false;
        }
        let by_app = self.by_app.read();
        let limits = by_app.get(&app).map_or(&[][..], Vec::as_slice);
        limits.iter().any(|limit| cursor <= limit.until && now.seconds() >= time.plus(limit.keep_seconds))
    }
}
