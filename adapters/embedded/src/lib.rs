//! The stores of one machine, in one folder: Records, Timeline and Bus over the engine fjall, Segments and Blobs
//! as files, Ephemeral in memory.
//!
//! Read `layout` for what lies where, `committer` for how a write becomes durable, `state` and `behind` for what
//! follows from the log, `walk` and `history` for how it is read.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "adapters do the I/O that ports promise"
)]

mod audit;
mod backup;
mod behind;
mod blobs;
mod bucket;
mod check;
mod codec;
mod committer;
mod empty;
mod ephemeral;
mod erase;
mod expiry;
mod follow;
mod forget;
mod head;
mod history;
mod inbox;
mod layout;
mod limits;
mod period;
mod purge;
mod records;
mod room;
mod segments;
mod settle;
mod spaces;
mod stage;
mod state;
mod store;
mod sweep;
mod vault;
mod walk;

pub use audit::{Census, Count, Item, Look, Shortened, Standing, kept_generation};
pub use blobs::{BlobFile, FolderBlobs};
pub use check::Report;
pub use ephemeral::MemoryEphemeral;
pub use segments::FolderSegments;
pub use store::{EmbeddedStore, Options};
pub use vault::{FolderVault, Outer, VaultOptions};
