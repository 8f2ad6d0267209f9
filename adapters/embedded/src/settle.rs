//! Answers committed batches where connections are served, not on the writer's thread.
//!
//! The writer wakes one task for a batch, however many wait for it. The task tells followers and answers in one go, so
//! that what one client gets from a batch (answers and pushes) leaves in one write to its socket.

use std::sync::Arc;

use ports::{Appended, Entry, Fault};
use tokio::sync::mpsc;

use crate::follow::Followers;
use crate::inbox::Asker;

/// Who waits for a batch, and what they are told when it is durable.
pub(crate) enum Waiting {
    Append(Asker<Appended>, Appended),
    Apply(Asker<()>),
}

/// What the writer has finished. Every asker in it holds a place of the inbox, which bounds how many there are.
pub(crate) enum Settled {
    /// A batch that is durable and visible.
    Batch { waiting: Vec<Waiting>, entries: Vec<Arc<Entry>> },
    /// The store is flushed, or could not be: nothing comes after it.
    Closed(Asker<()>, Result<(), Fault>),
}

/// Settles until the writer is gone.
pub(crate) async fn run(mut settled: mpsc::UnboundedReceiver<Settled>, followers: Arc<Followers>) {
    while let Some(settled) = settled.recv().await {
        match settled {
            Settled::Batch { waiting, entries } => {
                // Followers are woken first: their pushes lie ready when the answers wake the connections.
                followers.publish(entries);
                for waiting in waiting {
                    match waiting {
                        Waiting::Append(answer, appended) => answer.answer(Ok(appended)),
                        Waiting::Apply(answer) => answer.answer(Ok(())),
                    }
                }
            }
            Settled::Closed(answer, flushed) => {
                followers.close();
                answer.answer(flushed);
            }
        }
    }
}
