//! What Whimbrel needs from outside: kinds of store, a clock, dice and a way to run tasks.
//!
//! [`Records`], [`Timeline`], [`Ephemeral`], [`Bus`], [`Segments`] and [`Blobs`] hold data; [`Vault`] stands beside them and
//! holds keys. Every call names the app first. Every write takes
//! [`Stamped`] values only, so nothing can be stored without class, subject and expiry. `suite` (feature `suite`)
//! holds the behaviour that every adapter shows.

pub mod blobs;
pub mod bus;
pub mod context;
pub mod ephemeral;
pub mod fault;
pub mod period;
pub mod records;
pub mod segments;
pub mod stamped;
#[cfg(feature = "suite")]
pub mod suite;
pub mod timeline;
pub mod vault;

pub use blobs::{BlobName, Blobs};
pub use bus::{Bus, Follower};
pub use context::{Clock, Random, Spawner};
pub use ephemeral::{Ephemeral, Route};
pub use fault::{Answer, Fault};
pub use records::{Condition, Kind, Record, Records, Transaction};
pub use segments::Segments;
pub use stamped::Stamped;
pub use timeline::{Appended, Cursor, Draft, Entry, Event, Timeline};
pub use vault::{Generation, Vault};
