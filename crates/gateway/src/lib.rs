//! The edge: turns bytes into calls and answers into bytes, over REST and over the socket.
//!
//! It knows HTTP and WebSockets and a table of commands, and takes connections from whoever has them: a listener in
//! production, a pair of pipes in a test.

mod addresses;
mod download;
pub mod frame;
pub mod http;
pub mod limits;
mod packing;
mod query;
mod request;
mod rest;
mod socket;
mod upgrade;
mod websocket;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use command::Pipeline;
use engine::Engine;

use addresses::Addresses;
pub use http::{serve_connection, serve_opening};
pub use limits::Limits;
use packing::Packer;

/// The edge of one node.
pub struct Gateway {
    pub(crate) pipeline: Pipeline,
    pub(crate) limits: Limits,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) packer: Packer,
    is_draining: AtomicBool,
    /// REST calls that are not answered yet.
    pub(crate) calls: AtomicUsize,
}

impl Gateway {
    /// The edge in front of a table of commands.
    #[must_use]
    pub fn new(pipeline: Pipeline, limits: Limits) -> Arc<Self> {
        let addresses = Arc::new(Addresses::default());
        let packer = Packer::new(limits.compress_bytes_min);
        Arc::new(Self {
            pipeline,
            limits,
            addresses,
            packer,
            is_draining: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
        })
    }

    /// The engine behind it.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        self.pipeline.engine()
    }

    /// The commands and their counts.
    #[must_use]
    pub const fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Whether it is going down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Acquire)
    }

    /// Whether a client is connected or a call is being answered.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.engine().hub.connections() > 0 || self.calls.load(Ordering::Acquire) > 0
    }

    /// Says that it is not ready any more and asks every client to come back elsewhere or later. What runs is
    /// finished first.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Release);
        self.engine().hub.end_all();
    }
}
