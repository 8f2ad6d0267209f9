//! The ports in memory, written to be obviously right rather than fast, with crashes that lose unsynced writes.
//!
//! Tests run on it, and it is the oracle for the stores that are built for speed: everything is derived by looking
//! at the whole log.
#![expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is sent to")]

mod blobs;
mod clock;
mod records;
mod segments;
mod take;
mod timeline;
mod vault;
mod view;

pub use blobs::MemoryBlobs;
pub use clock::{SeededRandom, SimulatedClock};
pub use segments::MemorySegments;
pub use timeline::{Backup, SimulatedStore};
pub use vault::MemoryVault;
