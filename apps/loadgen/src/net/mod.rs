//! Sockets and readiness, straight on the system calls.

pub(crate) mod connection;
pub(crate) mod dial;
pub(crate) mod poll;
