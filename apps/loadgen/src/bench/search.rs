//! Searching ten messages among all of a full store, right after it was filled and after a start.

use std::io;
use std::time::Duration;

use super::results::Spread;
use super::server::Store;
use super::steps::Bench;
use super::verdict::{Figure, Goal};
use crate::client::search::{self, SearchLatency, Searching};

/// Filling, and each round of searches, may take so long.
const TIME_MAX: Duration = Duration::from_secs(300);

impl Bench<'_> {
    /// Fills a store, searches, starts the server anew and searches again.
    pub(super) fn search(&mut self) {
        match self.search_rounds() {
            Ok(rounds) => {
                for round in &rounds {
                    eprintln!("search: {round:?}");
                    if round.wrong > 0 {
                        self.results.failures.push(format!("search: {} answers were wrong", round.wrong));
                    }
                }
                self.results.search = rounds;
            }
            Err(error) => self.fail("search", &error),
        }
    }

    fn search_rounds(&self) -> io::Result<Vec<SearchLatency>> {
        let plan = self.plan;
        let searching =
            Searching { messages: plan.stored_messages, searches: plan.pages, time_max: TIME_MAX };
        let store = Store::create(&plan.server_binary, plan.work.join("search"))?;
        let server = store.start()?;
        let target = store.target(server.address);
        let fill_seconds = search::fill(&target, searching)?.as_secs_f64();
        let first = SearchLatency { fill_seconds, ..search::run(&target, searching)? };
        server.stop()?;
        let server = store.start()?;
        let again = search::run(&store.target(server.address), searching)?;
        server.stop()?;
        Ok(vec![first, again])
    }
}

/// The figures of the report.
pub(super) fn figures(figures: &mut Vec<Figure>, rounds: &[SearchLatency]) {
    let messages = rounds.first().map_or(0, |round| round.messages);
    let p99 = Spread::of(rounds.iter().map(|round| round.latency.p99_us / 1e3));
    let p50 = Spread::of(rounds.iter().map(|round| round.latency.p50_us / 1e3));
    let mut figure = |what: &str, goal, measured| {
        let what = format!("10 hits among {messages} messages: {what}");
        figures.push(Figure { what, unit: "ms", goal, measured });
    };
    figure("answer p99", Goal::AtMost(50.0), p99);
    figure("answer p50", Goal::None, p50);
}
