//! The clients: what many SDK instances would do, in one thread.

pub(crate) mod history;
pub(crate) mod idle;
pub(crate) mod load;
pub(crate) mod lookup;
pub(crate) mod measured;
pub(crate) mod member;
pub(crate) mod populate;
pub(crate) mod rest;
pub(crate) mod search;
pub(crate) mod traffic;
