//! The Bus port: what happened, in order, at least once.

use std::sync::Arc;

use crate::fault::Answer;
use crate::timeline::{Cursor, Entry};

/// Tells followers what was appended to the Timeline.
///
/// Order: entries of one conversation come in the order of their positions. Repetition: after a fault or a restart
/// a follower may see an entry again, never miss one. Nothing is told before it is durable.
pub trait Bus: Send + Sync {
    /// Follows what is appended after `after`; `None` means from now on.
    fn follow(&self, after: Option<Cursor>) -> Box<dyn Follower>;
}

/// A place in what happened.
pub trait Follower: Send {
    /// Waits for at least one entry and returns up to `limit` of them in order. An empty list means that the store
    /// is closed and nothing more will come.
    fn next(&mut self, limit: usize) -> Answer<'_, Vec<Arc<Entry>>>;
}
