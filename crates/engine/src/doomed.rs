//! What is recalled is noted beside the keys a moment later, for whoever restores older data.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use promise::keys::Destroyed;
use tokio::sync::Notify;

use crate::Engine;

/// How long notes are collected before they are written: nobody waits for them.
const EVERY: Duration = Duration::from_millis(100);

/// How soon notes that could not be written are tried again.
const RETRY: Duration = Duration::from_secs(10);

/// Notes that wait at most. What is beyond is left to the next generation alone.
const WAITING_MAX: usize = 100_000;

/// Notes that wait to be written.
#[derive(Default)]
pub(crate) struct Doomed {
    waiting: Mutex<Vec<Destroyed>>,
    added: Arc<Notify>,
}

impl Doomed {
    /// Notes soon what is certain to be destroyed.
    pub(crate) fn add(&self, what: Destroyed) {
        let mut waiting = self.waiting.lock();
        if waiting.len() < WAITING_MAX {
            waiting.push(what);
            self.added.notify_one();
        }
    }
}

impl Engine {
    /// Writes the notes that wait; those that cannot be written wait on.
    pub(crate) async fn write_doomed(&self) -> model::Result<()> {
        let waiting = std::mem::take(&mut *self.doomed.waiting.lock());
        let written = self.keyring.doom(&waiting).await;
        if written.is_err() {
            self.doomed.waiting.lock().extend(waiting);
        }
        Ok(written?)
    }
}

/// Writes notes for as long as the engine lives.
pub(crate) fn start(engine: &Arc<Engine>) {
    let (weak, clock) = (Arc::downgrade(engine), Arc::clone(&engine.context.clock));
    let added = Arc::clone(&engine.doomed.added);
    engine.context.spawner.spawn(Box::pin(async move {
        loop {
            added.notified().await;
            clock.sleep(EVERY).await;
            let Some(engine) = weak.upgrade() else { return };
            if let Err(error) = engine.write_doomed().await {
                tracing::error!(
                    cause = error.cause.as_deref().unwrap_or_default(),
                    "cannot note beside the keys"
                );
                added.notify_one();
                drop(engine);
                clock.sleep(RETRY).await;
            }
        }
    }));
}
