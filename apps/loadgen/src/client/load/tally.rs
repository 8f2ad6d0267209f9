//! Counting, and the phases of a run: warm-up, window, drain.

use std::io;
use std::time::{Duration, Instant};

use super::actor::Actor;
use super::{Extent, Load, Pace, to_f64};
use crate::client::measured::{Measured, cpu_time};
use crate::histogram::Histogram;

/// A moment with the counts and processor times at it.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    acknowledged: u64,
    pushed: u64,
    server: Option<Duration>,
    own: Duration,
}

/// Counts of a run.
#[derive(Debug)]
pub(super) struct Tally {
    extent: Extent,
    server_process: Option<u32>,
    started: Instant,
    /// The measured window begins.
    from: Option<Mark>,
    /// It ends, and so does sending.
    until: Option<Mark>,
    last_progress: Instant,
    latencies: Histogram,
    pub(super) sent: u64,
    acknowledged: u64,
    refused: u64,
    first_error: Option<i64>,
    pushed: u64,
    pub(super) repeated: u64,
}

impl Tally {
    pub(super) fn new(load: &Load) -> io::Result<Self> {
        let now = Instant::now();
        Ok(Self {
            extent: load.extent,
            server_process: load.server_process,
            started: now,
            from: None,
            until: None,
            last_progress: now,
            latencies: Histogram::new(),
            sent: 0,
            acknowledged: 0,
            refused: 0,
            first_error: None,
            pushed: 0,
            repeated: 0,
        })
    }

    /// The first message is about to be sent.
    pub(super) fn start(&mut self, now: Instant) -> io::Result<()> {
        self.started = now;
        if let Extent::Counted { .. } = self.extent {
            self.from = Some(self.mark(now)?);
        }
        Ok(())
    }

    /// Whether more may be sent.
    pub(super) fn may_send(&self) -> bool {
        self.until.is_none()
    }

    /// Requests under way.
    pub(super) fn unanswered(&self) -> u64 {
        self.sent - self.acknowledged - self.refused
    }

    /// One message was answered.
    pub(super) fn answered(&mut self, error: i64, sent: Instant, now: Instant) {
        self.last_progress = now;
        if error == 0 {
            self.acknowledged += 1;
        } else {
            self.refused += 1;
            self.first_error.get_or_insert(error);
        }
        let in_window = match self.extent {
            Extent::Timed { warm_up, .. } => sent >= self.started + warm_up,
            Extent::Counted { .. } => true,
        };
        if in_window {
            self.latencies.record(now.saturating_duration_since(sent));
        }
    }

    /// One message arrived.
    pub(super) fn pushed(&mut self) {
        self.pushed += 1;
    }

    /// Begins and ends the window when its time has come.
    pub(super) fn advance(&mut self, now: Instant) -> io::Result<()> {
        match self.extent {
            Extent::Timed { warm_up, window } => {
                if self.from.is_none() && now >= self.started + warm_up {
                    self.from = Some(self.mark(now)?);
                }
                if self.until.is_none() && self.from.is_some_and(|from| now >= from.at + window) {
                    self.until = Some(self.mark(now)?);
                }
            }
            Extent::Counted { messages, time_max } => {
                let is_done = self.acknowledged + self.refused >= messages || now >= self.started + time_max;
                if self.until.is_none() && is_done {
                    self.until = Some(self.mark(now)?);
                }
            }
        }
        Ok(())
    }

    /// Whether all has arrived after the end of sending, or nothing comes any more.
    pub(super) fn is_over(&self, now: Instant, silence_max: Duration) -> bool {
        let is_silent = now.saturating_duration_since(self.last_progress) > silence_max;
        let is_complete = self.until.is_some() && self.unanswered() == 0 && self.pushed >= self.acknowledged;
        is_complete || is_silent
    }

    fn mark(&self, at: Instant) -> io::Result<Mark> {
        let server = self.server_process.map(cpu_time).transpose()?;
        let own = cpu_time(std::process::id())?;
        Ok(Mark { at, acknowledged: self.acknowledged, pushed: self.pushed, server, own })
    }

    /// The result. A run that ended before its window did is measured up to now.
    pub(super) fn finish(&self, actors: &[Actor], load: &Load) -> io::Result<Measured> {
        let now = self.mark(Instant::now())?;
        let from = self.from.unwrap_or(now);
        let until = self.until.unwrap_or(now);
        let seconds = until.at.saturating_duration_since(from.at).as_secs_f64().max(1e-9);
        let acknowledged = to_f64((until.acknowledged - from.acknowledged).max(1));
        let per_message =
            |from: Duration, until: Duration| until.saturating_sub(from).as_secs_f64() * 1e6 / acknowledged;
        Ok(Measured {
            connections: load.accounts,
            depth: match load.pace {
                Pace::Closed { depth } => depth,
                Pace::Open { .. } => 0,
            },
            seconds,
            acknowledged_per_second: to_f64(until.acknowledged - from.acknowledged) / seconds,
            pushed_per_second: to_f64(until.pushed - from.pushed) / seconds,
            latency: self.latencies.quantiles(),
            server_cpu_us: from.server.zip(until.server).map(|(from, until)| per_message(from, until)),
            own_cpu_us: per_message(from.own, until.own),
            sent: self.sent,
            acknowledged: self.acknowledged,
            refused: self.refused,
            first_error: self.first_error,
            unanswered: actors.iter().map(|actor| actor.unanswered() as u64).sum(),
            pushed: self.pushed,
            missing: self.acknowledged.saturating_sub(self.pushed),
            repeated: self.repeated,
            closed: actors.iter().filter(|actor| actor.is_closed).count() as u64,
        })
    }
}
