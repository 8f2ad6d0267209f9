//! What the benchmark found, as it is written to results.json.

use serde::Serialize;

use super::machine::Machine;
use crate::client::history::PageLatency;
use crate::client::idle::IdleCost;
use crate::client::lookup::{Answers, Case};
use crate::client::measured::Measured;
use crate::client::populate::{Populated, Population};
use crate::client::search::SearchLatency;

/// Several values of one measure.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Spread {
    /// The middle one; of an even number, the mean of the two in the middle.
    pub(crate) median: f64,
    /// The lowest.
    pub(crate) min: f64,
    /// The highest.
    pub(crate) max: f64,
}

impl Spread {
    /// The spread of `values`; `None` of none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            (values.get(middle - 1)? + values.get(middle)?) / 2.0
        } else {
            *values.get(middle)?
        };
        Some(Self { median, min, max })
    }
}

/// One comparison of both servers, round by round.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Comparison {
    /// The bare server.
    pub(crate) baseline: Vec<Measured>,
    /// The real one.
    pub(crate) whimbrel: Vec<Measured>,
}

/// What happened at one start of the filled store.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Start {
    /// From starting the process to its ready line.
    pub(crate) ready_ms: f64,
    /// Pages read right after it.
    pub(crate) pages: PageLatency,
}

/// One kind of lookup on both servers, round by round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LookupRuns {
    /// What was looked up.
    pub(crate) case: Case,
    /// The bare server.
    pub(crate) baseline: Vec<Answers>,
    /// The real one.
    pub(crate) whimbrel: Vec<Answers>,
}

impl LookupRuns {
    /// No runs yet.
    pub(crate) const fn of(case: Case) -> Self {
        Self { case, baseline: Vec::new(), whimbrel: Vec::new() }
    }
}

/// How the store was filled that is looked up in.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Populating {
    /// Filling.
    pub(crate) populated: Populated,
    /// Reading of the working set, after a new start.
    pub(crate) warm_seconds: f64,
    /// Resident memory of the server then.
    pub(crate) resident_bytes: u64,
}

/// Everything.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Results {
    /// The day, UTC.
    pub(crate) date: String,
    /// Whether sizes were cut.
    pub(crate) is_quick: bool,
    /// Where it ran.
    pub(crate) machine: Machine,
    /// 64 connections with one message in flight each.
    pub(crate) few: Comparison,
    /// 1,000 connections with four.
    pub(crate) many: Comparison,
    /// 64 connections on a fixed schedule.
    pub(crate) schedule: Comparison,
    /// Messages a second of that schedule.
    pub(crate) schedule_per_second: f64,
    /// Idle connections whose accounts existed before.
    pub(crate) idle: Option<IdleCost>,
    /// The same when the logins create the accounts.
    pub(crate) idle_first_login: Option<IdleCost>,
    /// The filling of the store that is restarted.
    pub(crate) fill: Option<Measured>,
    /// Conversations in it.
    pub(crate) stored_conversations: usize,
    /// Starts after a clean stop.
    pub(crate) after_stop: Vec<Start>,
    /// Starts after SIGKILL.
    pub(crate) after_kill: Vec<Start>,
    /// The store that is looked up in.
    pub(crate) population: Population,
    /// Requests a second of each lookup.
    pub(crate) lookups_per_second: f64,
    /// The filling of that store.
    pub(crate) populating: Option<Populating>,
    /// Lists and profiles looked up.
    pub(crate) lookups: Vec<LookupRuns>,
    /// Searches of ten messages among all: after filling, and after a start.
    pub(crate) search: Vec<SearchLatency>,
    /// What could not be measured, or was measured but not clean.
    pub(crate) failures: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_middle_and_both_ends() {
        let odd = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        let even = Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap();
        assert!((even.median - 2.5).abs() < f64::EPSILON);
        assert!(Spread::of([]).is_none());
    }
}
