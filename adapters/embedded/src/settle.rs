//! Answers committed batches where connections are served, not on the writer's thread.
//!
//! The writer wakes one task for a batch, however many wait for it. The task tells followers and answers in one go, so
//! that what one client gets from a batch (answers and pushes) leaves in one write to its socket.

use std::sync::Arc;

use ports::{Appended, Entry, Fault};
use tokio::sync::{mpsc, oneshot};

use crate::follow::Followers;

/// Who waits for a batch, and what they are told when it is durable.
pub(crate) enum Waiting {
    Append(oneshot::Sender<Result<Appended, Fault>>, Appended),
    Apply(oneshot::Sender<Result<(), Fault>>),
}

/// What the writer has finished. Whoever waits for an answer asked through a bounded queue, and waits, so there are
/// never more of these than that queue holds requests.
pub(crate) enum Settled {
    /// A batch that is durable and visible.
    Batch { waiting: Vec<Waiting>, entries: Vec<Arc<Entry>> },
    /// The store is flushed, or could not be: nothing comes after it.
    Closed(oneshot::Sender<Result<(), Fault>>, Result<(), Fault>),
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
                        Waiting::Append(answer, appended) => drop(answer.send(Ok(appended))),
                        Waiting::Apply(answer) => drop(answer.send(Ok(()))),
                    }
                }
            }
            Settled::Closed(answer, flushed) => {
                followers.close();
                drop(answer.send(flushed));
            }
        }
    }
}
