//! What everything in the engine stands on: the ports, the time, the dice, the tasks.

use std::sync::Arc;

use ports::{Blobs, Bus, Clock, Ephemeral, Random, Records, Segments, Spawner, Timeline, Vault};

/// The world outside, as far as the engine knows it.
#[derive(Clone)]
pub struct Context {
    /// Durable facts.
    pub records: Arc<dyn Records>,
    /// Conversations.
    pub timeline: Arc<dyn Timeline>,
    /// What happened.
    pub bus: Arc<dyn Bus>,
    /// What may vanish.
    pub ephemeral: Arc<dyn Ephemeral>,
    /// What is kept by the hour.
    pub segments: Arc<dyn Segments>,
    /// Whole objects.
    pub blobs: Arc<dyn Blobs>,
    /// Keys.
    pub vault: Arc<dyn Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub random: Arc<dyn Random>,
    /// Tasks.
    pub spawner: Arc<dyn Spawner>,
}
