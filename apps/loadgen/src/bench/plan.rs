//! How long and how large the benchmark is.

use std::env;
use std::io;
use std::path::{self, PathBuf};
use std::process;
use std::time::Duration;

use crate::client::populate::Population;

/// A part of the benchmark that can be run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Throughput and latency of messages.
    Load,
    /// Memory of idle connections.
    Idle,
    /// Starting on a full store.
    Restart,
    /// Lists and profiles in a large store.
    Lookups,
    /// Searches in a large store.
    Search,
}

/// Sizes and durations of one benchmark.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The server's binary.
    pub(crate) server_binary: PathBuf,
    /// Where the report goes.
    pub(crate) out: PathBuf,
    /// Where servers keep their data; removed at the end.
    pub(crate) work: PathBuf,
    /// Whether sizes are cut.
    pub(crate) is_quick: bool,
    /// How often each comparison is repeated.
    pub(crate) rounds: usize,
    /// Load before a window.
    pub(crate) warm_up: Duration,
    /// What is measured.
    pub(crate) window: Duration,
    /// Connections of the memory measurement.
    pub(crate) idle_connections: usize,
    /// How long they stay.
    pub(crate) idle_hold: Duration,
    /// Messages in the store that is restarted.
    pub(crate) stored_messages: u64,
    /// Conversations in it.
    pub(crate) stored_conversations: usize,
    /// Conversations of one account in it, on either side.
    pub(crate) fan: usize,
    /// History pages read after a start.
    pub(crate) pages: usize,
    /// The store that is looked up in.
    pub(crate) population: Population,
    /// Requests a second of each lookup.
    pub(crate) lookups_per_second: f64,
    /// How long each lookup is measured: at this rate a second has few answers.
    pub(crate) lookup_window: Duration,
    /// The only part to run; all if `None`.
    pub(crate) only: Option<Part>,
    /// The whole may not take longer.
    pub(crate) time_max: Duration,
}

impl Plan {
    /// The full plan, or a short one for trying out.
    pub(crate) fn new(
        server_binary: PathBuf,
        out: PathBuf,
        work: Option<PathBuf>,
        is_quick: bool,
    ) -> io::Result<Self> {
        let beside = env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
        let work = work.unwrap_or(beside).join(format!("bench-data-{}", process::id()));
        let full = Self {
            server_binary: path::absolute(server_binary)?,
            out,
            work: path::absolute(work)?,
            is_quick,
            rounds: 3,
            warm_up: Duration::from_secs(1),
            window: Duration::from_secs(3),
            idle_connections: 10_000,
            idle_hold: Duration::from_secs(3),
            stored_messages: 1_000_000,
            stored_conversations: 10_000,
            fan: 10,
            pages: 4_000,
            population: Population {
                accounts: 1_000_000,
                working_set: 10_000,
                owners: 50,
                friends: 3_000,
                conversations: 500,
            },
            lookups_per_second: 100.0,
            lookup_window: Duration::from_secs(10),
            only: None,
            time_max: Duration::from_secs(55 * 60),
        };
        if !is_quick {
            return Ok(full);
        }
        Ok(Self {
            rounds: 2,
            warm_up: Duration::from_millis(300),
            window: Duration::from_millis(1_000),
            idle_connections: 1_000,
            idle_hold: Duration::from_millis(500),
            stored_messages: 50_000,
            stored_conversations: 1_000,
            pages: 500,
            population: Population {
                accounts: 10_000,
                working_set: 1_000,
                owners: 5,
                friends: 500,
                conversations: 200,
            },
            lookup_window: Duration::from_secs(1),
            time_max: Duration::from_secs(240),
            ..full
        })
    }

    /// Whether a part is to be run.
    pub(crate) fn includes(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }

    /// Accounts of the store that is restarted.
    pub(crate) fn stored_accounts(&self) -> usize {
        self.stored_conversations.div_ceil(self.fan)
    }
}
