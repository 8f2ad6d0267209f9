//! Keys that die: content is sealed under keys that can be made underivable one by one, and by the day.
//!
//! The key of a piece of content follows from three leaves, and dies with any of them:
//!
//! * of the tree of *contents*: its bucket (the day of its expiry), then its index, a number that is used once;
//! * of the tree of *authors*: its app, then its author's number;
//! * of the tree of *times*: its app and class, then the second in which it was sealed.
//!
//! So a recall, an expired day, an erased account, a shortened retention and a terminated app are punctures of different depths, and no sealing
//! needs a write. Decision record 8 has the whole construction and what it does not protect against.

mod doomed;
mod ring;
mod state;
mod tree;

pub use ring::{Destroyed, Expected, Keyring, Place};
