//! The Bus port over the same log: a follower reads what lies after the place where it is, woken by this node's appends and looking
//! from time to time for those of others.
//!
//! Cursors are dense when they are given out, so whoever sees one knows that everything before it is there.

use std::sync::{Arc, Weak};
use std::time::Duration;

use ports::{Answer, Cursor, Entry, Fault, Follower};
use tokio::sync::watch;

use crate::shared::Shared;
use crate::streams;

/// How often other nodes' appends are looked for.
const LOOK: Duration = Duration::from_millis(200);

/// A place in what was appended.
pub(crate) struct Place {
    pub(crate) store: Weak<Shared>,
    pub(crate) grown: watch::Receiver<()>,
    pub(crate) seen: Cursor,
}

impl Follower for Place {
    fn next(&mut self, limit: usize) -> Answer<'_, Vec<Arc<Entry>>> {
        Box::pin(self.wait(limit))
    }
}

impl Place {
    async fn wait(&mut self, limit: usize) -> Result<Vec<Arc<Entry>>, Fault> {
        loop {
            self.grown.mark_unchanged();
            let Some(store) = self.store.upgrade() else { return Ok(Vec::new()) };
            let (entries, read_to) = streams::follow(&store.database, self.seen, limit).await?;
            store.saw(read_to);
            self.seen = self.seen.max(read_to);
            if !entries.is_empty() {
                return Ok(entries);
            }
            let look = store.database.clock().sleep(LOOK);
            drop(store);
            tokio::select! {
                changed = self.grown.changed() => if changed.is_err() { return Ok(Vec::new()) },
                () = look => {}
            }
        }
    }
}
