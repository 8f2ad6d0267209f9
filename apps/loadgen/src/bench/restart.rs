//! Starting on a full store: after a clean stop and after SIGKILL, and reading its history then.

use std::io;
use std::time::Duration;

use super::results::Start;
use super::server::{Running, Store};
use super::steps::{Bench, milliseconds};
use crate::client::history::{self, Reading};
use crate::client::load::{self, Load};
use crate::client::measured::Measured;
use crate::client::traffic::{Extent, Pace, Pattern};
use crate::wire::request::Shape;

/// Filling may take so long.
const FILL_TIME_MAX: Duration = Duration::from_secs(300);

impl Bench<'_> {
    /// Fills a store, kills its server at once, and then stops and kills it in turn.
    pub(super) fn restart(&mut self) {
        if let Err(error) = self.restart_rounds() {
            self.fail("restart of a full store", &error);
        }
    }

    fn restart_rounds(&mut self) -> io::Result<()> {
        let plan = self.plan;
        let store = Store::create(&plan.server_binary, plan.work.join("full"))?;
        let server = store.start()?;
        let filled = self.send(&store, &server, plan.stored_accounts(), plan.stored_messages)?;
        self.results.fill = self.keep("fill", Ok(filled));
        server.kill();
        let mut server = store.start()?;
        let start = self.started(&store, &server)?;
        self.results.after_kill.push(start);
        for _ in 0..plan.rounds {
            server.stop()?;
            server = store.start()?;
            let start = self.started(&store, &server)?;
            self.results.after_stop.push(start);
            // Something must lie in the log that the store has not yet sorted in.
            let burst = self.send(&store, &server, plan.stored_accounts(), plan.stored_messages / 50)?;
            self.keep("burst", Ok(burst));
            server.kill();
            server = store.start()?;
            let start = self.started(&store, &server)?;
            self.results.after_kill.push(start);
        }
        server.stop()
    }

    fn send(&self, store: &Store, server: &Running, accounts: usize, messages: u64) -> io::Result<Measured> {
        let load = Load {
            accounts,
            pattern: self.pattern(),
            pace: Pace::Closed { depth: 4 },
            extent: Extent::Counted { messages, time_max: FILL_TIME_MAX },
            shape: Shape::Sdk,
            server_process: Some(server.process()),
        };
        let measured = load::run(&store.target(server.address), &load)?;
        if measured.acknowledged < messages {
            let acknowledged = measured.acknowledged;
            return Err(io::Error::other(format!(
                "only {acknowledged} of {messages} messages were acknowledged"
            )));
        }
        Ok(measured)
    }

    fn started(&mut self, store: &Store, server: &Running) -> io::Result<Start> {
        let reading = Reading {
            accounts: self.plan.stored_accounts(),
            pattern: self.pattern(),
            readers: 50,
            pages: self.plan.pages,
            time_max: Duration::from_secs(20),
        };
        let pages = history::run(&store.target(server.address), &reading)?;
        let ready_ms = milliseconds(server.ready_after);
        eprintln!("start: ready after {ready_ms:.0} ms; pages: {pages:?}");
        if pages.refused > 0 || pages.short > 0 {
            let failure = format!("history: {} pages refused, {} short", pages.refused, pages.short);
            self.results.failures.push(failure);
        }
        Ok(Start { ready_ms, pages })
    }

    fn pattern(&self) -> Pattern {
        Pattern::Ring { fan: self.plan.fan }
    }
}
