//! The load itself: many accounts sending, in one thread that waits for all their sockets.

mod actor;
mod tally;

use std::io;
use std::time::{Duration, Instant};

use self::actor::{Actor, Writer};
use self::tally::Tally;
use super::measured::Measured;
use super::member::{self, Target};
use super::traffic::{Extent, Pace, Pattern};
use crate::net::connection::SCRATCH_BYTES;
use crate::net::poll::{Poll, Ready, Ticker};
use crate::wire::request::Shape;

/// How often a fixed schedule is looked at. Finer would take the server's processor time.
const TICK: Duration = Duration::from_micros(200);
const TICKER: u64 = u64::MAX;

/// A fixed schedule stops sending while so many answers are missing; the time lost counts as latency.
const UNANSWERED_MAX: u64 = 200_000;

/// After the end, answers and pushes may stay away so long before they count as missing.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// What load to make.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// Connections, each an account of its own.
    pub(crate) accounts: usize,
    /// Who writes to whom.
    pub(crate) pattern: Pattern,
    /// How fast.
    pub(crate) pace: Pace,
    /// How long.
    pub(crate) extent: Extent,
    /// What the frames look like.
    pub(crate) shape: Shape,
    /// Whose processor time is taken.
    pub(crate) server_process: Option<u32>,
}

/// Logs the accounts in, makes the load, waits for what is under way, and says what happened.
pub(crate) fn run(target: &Target, load: &Load) -> io::Result<Measured> {
    check(load)?;
    let members = member::log_in(target, 0..load.accounts)?;
    let poll = Poll::new()?;
    for (index, member) in members.iter().enumerate() {
        member.set_nonblocking()?;
        poll.add(member.connection.stream(), index as u64)?;
    }
    let ticker = match load.pace {
        Pace::Open { .. } => {
            let ticker = Ticker::new(TICK)?;
            poll.add(&ticker, TICKER)?;
            Some(ticker)
        }
        Pace::Closed { .. } => None,
    };
    let mut engine = Engine {
        poll,
        ticker,
        actors: members.into_iter().map(Actor::new).collect(),
        writer: Writer::new(load),
        tally: Tally::new(load)?,
        load: load.clone(),
        scheduled: 0,
        started: Instant::now(),
    };
    engine.run()?;
    engine.tally.finish(&engine.actors, &engine.load)
}

fn check(load: &Load) -> io::Result<()> {
    let is_possible = match load.pattern {
        Pattern::Pairs => load.accounts >= 2 && load.accounts.is_multiple_of(2),
        Pattern::Ring { fan } => fan >= 1 && load.accounts > 2 * fan,
    };
    if is_possible {
        Ok(())
    } else {
        Err(io::Error::other(
            "cannot pair these accounts: an even number, or more than twice the neighbours, is needed",
        ))
    }
}

struct Engine {
    poll: Poll,
    ticker: Option<Ticker>,
    actors: Vec<Actor>,
    writer: Writer,
    tally: Tally,
    load: Load,
    scheduled: u64,
    started: Instant,
}

impl Engine {
    fn run(&mut self) -> io::Result<()> {
        let mut scratch = vec![0; SCRATCH_BYTES];
        let mut ready: Vec<Ready> = Vec::new();
        self.started = Instant::now();
        self.tally.start(self.started)?;
        if let Pace::Closed { depth } = self.load.pace {
            for index in 0..self.actors.len() {
                for _ in 0..depth {
                    self.writer.compose(&mut self.actors[index], index, self.started, &mut self.tally);
                }
                self.flush(index)?;
            }
        }
        loop {
            ready.clear();
            ready.extend(self.poll.wait(Some(Duration::from_millis(10)))?);
            for event in &ready {
                if event.token == TICKER {
                    self.send_due()?;
                } else {
                    self.serve(usize::try_from(event.token).unwrap_or(usize::MAX), *event, &mut scratch)?;
                }
            }
            let now = Instant::now();
            self.writer.note_time();
            self.tally.advance(now)?;
            if self.tally.is_over(now, SILENCE_MAX) {
                return Ok(());
            }
        }
    }

    fn serve(&mut self, index: usize, event: Ready, scratch: &mut [u8]) -> io::Result<()> {
        let actor = &mut self.actors[index];
        if event.readable {
            let answered = actor.receive(scratch, &mut self.tally, self.load.pattern)?;
            if let Pace::Closed { .. } = self.load.pace {
                let now = Instant::now();
                for _ in 0..answered {
                    self.writer.compose(actor, index, now, &mut self.tally);
                }
            }
        }
        self.flush(index)
    }

    /// Sends all messages whose time has come.
    fn send_due(&mut self) -> io::Result<()> {
        if let Some(ticker) = &self.ticker {
            ticker.reset()?;
        }
        let Pace::Open { per_second } = self.load.pace else {
            return Ok(());
        };
        let now = Instant::now();
        let first = self.scheduled;
        while self.tally.unanswered() < UNANSWERED_MAX && self.tally.may_send() {
            let due = self.started + Duration::from_secs_f64(to_f64(self.scheduled) / per_second);
            if due > now {
                break;
            }
            let index = self.actor_of(self.scheduled);
            self.writer.compose(&mut self.actors[index], index, due, &mut self.tally);
            self.scheduled += 1;
        }
        let accounts = self.actors.len() as u64;
        for scheduled in first..self.scheduled.min(first + accounts) {
            let index = self.actor_of(scheduled);
            self.flush(index)?;
        }
        Ok(())
    }

    fn actor_of(&self, scheduled: u64) -> usize {
        usize::try_from(scheduled % self.actors.len() as u64).unwrap_or(0)
    }

    fn flush(&mut self, index: usize) -> io::Result<()> {
        let actor = &mut self.actors[index];
        if actor.is_closed {
            return Ok(());
        }
        let connection = &mut actor.member.connection;
        let is_blocked = match connection.flush() {
            Ok(went) => !went,
            Err(_) => {
                actor.close();
                return Ok(());
            }
        };
        if is_blocked != connection.awaits_room {
            connection.awaits_room = is_blocked;
            self.poll.want_writable(connection.stream(), index as u64, is_blocked)?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of messages is far below 2^52")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Server;

    #[test]
    fn everything_sent_to_the_bare_server_arrives_once() {
        let log = std::env::temp_dir().join(format!("loadgen-load-{}", std::process::id()));
        let (sender, receiver) = std::sync::mpsc::channel();
        let path = log.clone();
        // It serves until the test's process ends.
        std::thread::spawn(move || {
            let mut server = Server::bind(([127, 0, 0, 1], 0).into(), &path, 64 * 1024).unwrap();
            sender.send(server.address().unwrap()).unwrap();
            server.run()
        });
        let target = Target { server: receiver.recv().unwrap(), sdkappid: 1_400_000_001, key: "none".into() };
        let extent = Extent::Counted { messages: 301, time_max: Duration::from_secs(60) };
        let paces = [Pace::Closed { depth: 3 }, Pace::Open { per_second: 10_000.0 }];
        for (pattern, pace) in [Pattern::Pairs, Pattern::Ring { fan: 2 }].into_iter().zip(paces) {
            let load = Load { accounts: 6, pattern, pace, extent, shape: Shape::Sdk, server_process: None };
            let measured = run(&target, &load).unwrap();
            assert!(measured.is_clean(), "{}", measured.summary());
            assert!(measured.sent >= 301 && measured.pushed == measured.sent, "{}", measured.summary());
        }
        std::fs::remove_file(log).unwrap();
    }
}
