//! Many connections that do nothing but stay alive.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::measured::resident_bytes;
use super::member::{self, Desk, Member, Target};

/// The SDK sends a heartbeat when nothing has come for so long.
const HEARTBEAT_PERIOD: Duration = Duration::from_secs(10);

/// How many heartbeats are under way side by side.
const SIDE_BY_SIDE: usize = 64;

/// What idle connections cost.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct IdleCost {
    /// Connections, each logged in as an account of its own.
    pub(crate) connections: usize,
    /// Resident memory of the server before the first of them.
    pub(crate) resident_before_bytes: u64,
    /// With all of them, each having had a heartbeat answered.
    pub(crate) resident_with_bytes: u64,
    /// The difference, per connection.
    pub(crate) bytes_per_connection: f64,
    /// How long opening and logging in took.
    pub(crate) log_in_seconds: f64,
}

/// Logs in `connections` accounts, keeps them for `hold` with heartbeats, and compares the server's memory.
pub(crate) fn run(target: &Target, connections: usize, hold: Duration, process: u32) -> io::Result<IdleCost> {
    let before = resident_bytes(process)?;
    let started = Instant::now();
    let mut members = member::log_in(target, 0..connections)?;
    let log_in_seconds = started.elapsed().as_secs_f64();
    let mut desk = Desk::new();
    let end = Instant::now() + hold;
    beat(&mut members, &mut desk)?;
    let mut next = Instant::now() + HEARTBEAT_PERIOD;
    while Instant::now() < end {
        thread::sleep(end.min(next).saturating_duration_since(Instant::now()));
        if Instant::now() >= next {
            beat(&mut members, &mut desk)?;
            next += HEARTBEAT_PERIOD;
        }
    }
    let with = resident_bytes(process)?;
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
    let bytes_per_connection = with.saturating_sub(before) as f64 / connections.max(1) as f64;
    Ok(IdleCost {
        connections,
        resident_before_bytes: before,
        resident_with_bytes: with,
        bytes_per_connection,
        log_in_seconds,
    })
}

fn beat(members: &mut [Member], desk: &mut Desk) -> io::Result<()> {
    for group in members.chunks_mut(SIDE_BY_SIDE) {
        for member in group.iter_mut() {
            member.post(desk, "heartbeat.alive", "{}")?;
        }
        for member in group {
            member.answer_frame(&mut desk.scratch)?;
        }
    }
    Ok(())
}
