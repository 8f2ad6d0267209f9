//! What a run found out.

use std::fs;
use std::io;
use std::time::Duration;

use serde::Serialize;

use crate::histogram::Quantiles;

/// The result of one run of load.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Measured {
    /// Connections, each an account of its own.
    pub(crate) connections: usize,
    /// Requests each of them kept in flight; 0 for a fixed rate.
    pub(crate) depth: usize,
    /// Length of the measured window.
    pub(crate) seconds: f64,
    /// Messages acknowledged in the window, per second.
    pub(crate) acknowledged_per_second: f64,
    /// Messages that arrived at their receivers in the window, per second.
    pub(crate) pushed_per_second: f64,
    /// From sending, or from the intended time of sending, to the acknowledgement.
    pub(crate) latency: Quantiles,
    /// User and system time of the server per acknowledged message, if its process was named.
    pub(crate) server_cpu_us: Option<f64>,
    /// The same of this process.
    pub(crate) own_cpu_us: f64,
    /// Messages sent in all, warm-up included.
    pub(crate) sent: u64,
    /// Messages acknowledged with error code 0 in all.
    pub(crate) acknowledged: u64,
    /// Answers with another code.
    pub(crate) refused: u64,
    /// The first other code that came.
    pub(crate) first_error: Option<i64>,
    /// Requests that were never answered.
    pub(crate) unanswered: u64,
    /// Messages that arrived in all.
    pub(crate) pushed: u64,
    /// Messages acknowledged that never arrived.
    pub(crate) missing: u64,
    /// Messages that arrived twice or behind a later one.
    pub(crate) repeated: u64,
    /// Connections the server closed.
    pub(crate) closed: u64,
}

impl Measured {
    /// Whether all that was sent was acknowledged, and arrived once and in order.
    pub(crate) fn is_clean(&self) -> bool {
        self.refused == 0
            && self.unanswered == 0
            && self.missing == 0
            && self.repeated == 0
            && self.closed == 0
    }

    /// One line for a terminal.
    pub(crate) fn summary(&self) -> String {
        let cpu = self.server_cpu_us.map_or_else(|| "?".to_owned(), |cpu| format!("{cpu:.2}"));
        format!(
            "{}x{} {:.0} acks/s, {:.0} pushes/s, ack p50 {:.0} p99 {:.0} p999 {:.0} us, cpu us/message: server {cpu}, \
             own {:.2}; refused {} (first error {:?}), unanswered {}, missing {}, repeated {}, closed {}",
            self.connections,
            self.depth,
            self.acknowledged_per_second,
            self.pushed_per_second,
            self.latency.p50_us,
            self.latency.p99_us,
            self.latency.p999_us,
            self.own_cpu_us,
            self.refused,
            self.first_error,
            self.unanswered,
            self.missing,
            self.repeated,
            self.closed,
        )
    }
}

/// User and system time that the process has used so far, in steps of a clock tick (10 ms).
pub(crate) fn cpu_time(process: u32) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let ticks = ticks(&text).ok_or_else(|| io::Error::other("cannot read the times of the process"))?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Ok(Duration::from_millis(ticks * 1000 / per_second))
}

fn ticks(stat: &str) -> Option<u64> {
    // The name in parentheses may contain anything; the times are the 12th and 13th field behind it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident memory of the process in bytes.
pub(crate) fn resident_bytes(process: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_ascii_whitespace().next())
        .and_then(|kib| kib.parse::<u64>().ok())
        .map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other("cannot read the memory of the process"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_an_odd_name() {
        let stat = "12 (a b) c) S 1 12 12 0 -1 4194304 100 0 0 0 7 5 0 0 20 0 3 0 100 1 1";
        assert_eq!(ticks(stat), Some(12));
    }

    #[test]
    fn this_process_has_memory_and_times() {
        assert!(resident_bytes(std::process::id()).unwrap() > 0);
        assert!(cpu_time(std::process::id()).is_ok());
    }
}
