//! Lists and profiles looked up in a large store: the real server and the bare one in turn.

use std::io;

use super::results::{LookupRuns, Populating};
use super::server::{Running, Store};
use super::steps::{Bench, Side};
use crate::client::lookup::{self, Answers, Case, Lookup};
use crate::client::measured::resident_bytes;
use crate::client::member::Target;
use crate::client::populate;

/// What filling and looking up need of an app: more REST calls a second than is documented, and the longest list of
/// conversations.
const SETTINGS: [&str; 2] = ["rest_calls_per_second=1000000", "conversations=500"];

impl Bench<'_> {
    /// Fills a store, starts its server anew, warms it, and looks up.
    pub(super) fn lookups(&mut self) {
        if let Err(error) = self.lookup_rounds() {
            self.fail("lookups", &error);
        }
    }

    fn lookup_rounds(&mut self) -> io::Result<()> {
        let plan = self.plan;
        let store = Store::create(&plan.server_binary, plan.work.join("lookups"))?;
        store.set(&SETTINGS)?;
        let server = store.start()?;
        let populated = populate::run(&store.target(server.address), &plan.population)?;
        eprintln!("populated: {populated:?}");
        server.stop()?;
        let server = store.start()?;
        let target = store.target(server.address);
        let warmed = populate::warm(&target, &plan.population)?;
        self.results.populating = Some(Populating {
            populated,
            warm_seconds: warmed.as_secs_f64(),
            resident_bytes: resident_bytes(server.process())?,
        });
        let bare = Running::baseline(&plan.work.join("bare"))?;
        let bare_target = Target { server: bare.address, sdkappid: 1_400_000_001, key: "none".into() };
        for case in Case::ALL {
            self.results.lookups.push(LookupRuns::of(case));
        }
        for round in 1..=plan.rounds {
            for (at, case) in Case::ALL.into_iter().enumerate() {
                for side in [Side::Baseline, Side::Whimbrel] {
                    let (target, process) = match side {
                        Side::Baseline => (&bare_target, bare.process()),
                        Side::Whimbrel => (&target, server.process()),
                    };
                    let lookup = self.lookup(case, process);
                    let answers = lookup::run(target, &lookup);
                    let what = format!("{side:?} {}, round {round}", case.command());
                    if let Some(answers) = self.keep_answers(&what, answers) {
                        self.results.lookups[at].of_side(side).push(answers);
                    }
                }
            }
        }
        server.stop()
    }

    fn lookup(&self, case: Case, process: u32) -> Lookup {
        let plan = self.plan;
        Lookup {
            case,
            population: plan.population,
            per_second: plan.lookups_per_second,
            warm_up: plan.warm_up,
            window: plan.lookup_window,
            server_process: Some(process),
        }
    }

    fn keep_answers(&mut self, what: &str, answers: io::Result<Answers>) -> Option<Answers> {
        match answers {
            Ok(answers) => {
                eprintln!("{what}: {}", answers.summary());
                if !answers.is_clean() {
                    self.results.failures.push(format!("{what} was not clean: {}", answers.summary()));
                }
                Some(answers)
            }
            Err(error) => {
                self.fail(what, &error);
                None
            }
        }
    }
}

impl LookupRuns {
    fn of_side(&mut self, side: Side) -> &mut Vec<Answers> {
        match side {
            Side::Baseline => &mut self.baseline,
            Side::Whimbrel => &mut self.whimbrel,
        }
    }
}
