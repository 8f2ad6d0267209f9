//! The measurements of the benchmark that start from an empty store.

use std::io;
use std::time::Duration;

use super::machine::{Machine, today};
use super::plan::Plan;
use super::results::{Results, Spread};
use super::server::{Running, Store};
use crate::client::idle::{self, IdleCost};
use crate::client::load::{self, Load};
use crate::client::measured::Measured;
use crate::client::member::Target;
use crate::client::traffic::{Extent, Pace, Pattern};
use crate::wire::request::Shape;

/// The benchmark as far as it has come.
pub(super) struct Bench<'a> {
    pub(super) plan: &'a Plan,
    pub(super) results: Results,
}

/// Which server a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Baseline,
    Whimbrel,
}

impl<'a> Bench<'a> {
    /// Describes the machine and measures its disk.
    pub(super) fn new(plan: &'a Plan) -> io::Result<Self> {
        let results = Results {
            date: today(),
            is_quick: plan.is_quick,
            machine: Machine::describe(&plan.work)?,
            stored_conversations: plan.stored_conversations,
            population: plan.population,
            lookups_per_second: plan.lookups_per_second,
            ..Results::default()
        };
        Ok(Self { plan, results })
    }

    /// The maximum of both servers, in turn.
    pub(super) fn throughput(&mut self) {
        for round in 1..=self.plan.rounds {
            for (accounts, depth) in [(64, 1), (1_000, 4)] {
                for side in [Side::Baseline, Side::Whimbrel] {
                    let what = format!("{side:?} {accounts}x{depth}, round {round}");
                    let measured = self.load(side, accounts, Pace::Closed { depth });
                    if let Some(measured) = self.keep(&what, measured) {
                        let comparison =
                            if depth == 1 { &mut self.results.few } else { &mut self.results.many };
                        side.of(comparison).push(measured);
                    }
                }
            }
        }
    }

    /// Both servers on a schedule of half the real one's maximum.
    pub(super) fn schedule(&mut self) {
        let rates = self.results.few.whimbrel.iter().map(|measured| measured.acknowledged_per_second);
        let Some(most) = Spread::of(rates) else { return };
        let per_second = (most.median / 2.0).max(1.0);
        self.results.schedule_per_second = per_second;
        for round in 1..=self.plan.rounds {
            for side in [Side::Baseline, Side::Whimbrel] {
                let what = format!("{side:?} at {per_second:.0}/s, round {round}");
                let measured = self.load(side, 64, Pace::Open { per_second });
                if let Some(measured) = self.keep(&what, measured) {
                    side.of(&mut self.results.schedule).push(measured);
                }
            }
        }
    }

    /// Memory of idle connections: once with accounts that the logins create, once with accounts that exist.
    pub(super) fn idle(&mut self) {
        match self.idle_costs() {
            Ok((first, again)) => {
                eprintln!("idle: {:.0} bytes per connection", again.bytes_per_connection);
                self.results.idle_first_login = Some(first);
                self.results.idle = Some(again);
            }
            Err(error) => self.fail("idle connections", &error),
        }
    }

    fn idle_costs(&self) -> io::Result<(IdleCost, IdleCost)> {
        let store = Store::create(&self.plan.server_binary, self.plan.work.join("idle"))?;
        let cost = || {
            let server = store.start()?;
            let target = store.target(server.address);
            let cost = idle::run(&target, self.plan.idle_connections, self.plan.idle_hold, server.process())?;
            server.stop()?;
            io::Result::Ok(cost)
        };
        Ok((cost()?, cost()?))
    }

    fn load(&mut self, side: Side, accounts: usize, pace: Pace) -> io::Result<Measured> {
        let plan = self.plan;
        let directory = plan.work.join("load");
        let run = |target: &Target, server: &Running| {
            let extent = Extent::Timed { warm_up: self.plan.warm_up, window: self.plan.window };
            let server_process = Some(server.process());
            let load =
                Load { accounts, pattern: Pattern::Pairs, pace, extent, shape: Shape::Sdk, server_process };
            load::run(target, &load)
        };
        match side {
            Side::Baseline => {
                let server = Running::baseline(&directory)?;
                let target = Target { server: server.address, sdkappid: 1_400_000_001, key: "none".into() };
                run(&target, &server)
            }
            Side::Whimbrel => {
                let store = Store::create(&plan.server_binary, directory)?;
                let server = store.start()?;
                let measured = run(&store.target(server.address), &server)?;
                if let Err(error) = server.stop() {
                    self.fail("stop after load", &error);
                }
                Ok(measured)
            }
        }
    }

    /// Reports a run; notes when it failed or was not clean.
    pub(super) fn keep(&mut self, what: &str, measured: io::Result<Measured>) -> Option<Measured> {
        match measured {
            Ok(measured) => {
                eprintln!("{what}: {}", measured.summary());
                if !measured.is_clean() {
                    self.results.failures.push(format!("{what} was not clean: {}", measured.summary()));
                }
                Some(measured)
            }
            Err(error) => {
                self.fail(what, &error);
                None
            }
        }
    }

    /// Notes what could not be measured.
    pub(super) fn fail(&mut self, what: &str, error: &io::Error) {
        eprintln!("{what}: {error}");
        self.results.failures.push(format!("{what}: {error}"));
    }

    /// The end.
    pub(super) fn into_results(self) -> Results {
        self.results
    }
}

impl Side {
    fn of(self, comparison: &mut super::results::Comparison) -> &mut Vec<Measured> {
        match self {
            Self::Baseline => &mut comparison.baseline,
            Self::Whimbrel => &mut comparison.whimbrel,
        }
    }
}

/// Milliseconds, for the report.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
