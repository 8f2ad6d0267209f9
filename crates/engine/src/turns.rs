//! Turns of apps: what an app does one after the other keeps no other app waiting.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::SdkAppId;
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// A lock for every app that somebody holds or waits for.
#[derive(Default)]
pub(crate) struct Turns {
    locks: Mutex<BTreeMap<SdkAppId, Lock>>,
}

impl Turns {
    /// Waits for an app's turn, which lasts until the guard is dropped.
    pub(crate) async fn of(&self, app: SdkAppId) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock();
            // Those that nobody holds or waits for are in this map alone.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry(app).or_default())
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn app(number: u32) -> SdkAppId {
        SdkAppId(number)
    }

    #[tokio::test]
    async fn an_app_waits_for_itself_alone() {
        let turns = Turns::default();
        let first = turns.of(app(1)).await;
        drop(turns.of(app(2)).await);
        let mut second = Box::pin(turns.of(app(1)));
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(first);
        drop(second.await);
        drop(turns.of(app(3)).await);
        assert_eq!(turns.locks.lock().len(), 1, "those that are done are forgotten");
    }
}
