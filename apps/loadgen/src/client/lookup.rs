//! Looking up lists and profiles at a fixed rate: friends, conversations, batches of profiles.

mod question;
mod reader;

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;

use self::reader::Reader;
use super::measured::cpu_time;
use super::member::{self, Target};
use super::populate::Population;
use crate::histogram::{Histogram, Quantiles};
use crate::net::connection::SCRATCH_BYTES;
use crate::net::dial;
use crate::net::poll::{Poll, Ready, Ticker};

pub(crate) use self::question::Case;

/// How often the schedule is looked at.
const TICK: Duration = Duration::from_micros(200);
const TICKER: u64 = u64::MAX;

/// Nothing may stay unanswered longer.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Connections that look up. One whose answer is missing is passed over, so so many may be under way.
const READERS_MAX: usize = 50;

/// What to look up, and how fast.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup {
    /// What.
    pub(crate) case: Case,
    /// What the store was filled with.
    pub(crate) population: Population,
    /// Requests a second, whatever the answers do.
    pub(crate) per_second: f64,
    /// Not measured.
    pub(crate) warm_up: Duration,
    /// Measured.
    pub(crate) window: Duration,
    /// Whose processor time is taken.
    pub(crate) server_process: Option<u32>,
}

/// What looking up took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Answers {
    /// From the time a request was meant to be sent to its complete answer.
    pub(crate) latency: Quantiles,
    /// Whole lists, pulled page by page by one client after the window; of profiles single batches.
    pub(crate) whole: Quantiles,
    /// Bytes of an answer on the average, heads included.
    pub(crate) bytes_mean: f64,
    /// User and system time of the server per answer, if its process was named. The window is short for it.
    pub(crate) server_cpu_us: Option<f64>,
    /// Answers in all, warm-up and whole lists included.
    pub(crate) answered: u64,
    /// Those with an error code.
    pub(crate) refused: u64,
    /// Those with fewer or more accounts than they should have.
    pub(crate) short: u64,
    /// Requests that were never answered.
    pub(crate) unanswered: u64,
}

impl Answers {
    /// Whether every request got the answer it should get.
    pub(crate) const fn is_clean(&self) -> bool {
        self.refused == 0 && self.short == 0 && self.unanswered == 0 && self.answered > 0
    }

    /// One line for a terminal.
    pub(crate) fn summary(&self) -> String {
        let cpu = self.server_cpu_us.map_or_else(|| "?".to_owned(), |cpu| format!("{cpu:.0}"));
        format!(
            "{} answers of {:.0} bytes, p50 {:.0} p99 {:.0} max {:.0} us, whole p50 {:.0} us, server cpu {cpu} us; \
             refused {}, short {}, unanswered {}",
            self.latency.count,
            self.bytes_mean,
            self.latency.p50_us,
            self.latency.p99_us,
            self.latency.max_us,
            self.whole.p50_us,
            self.refused,
            self.short,
            self.unanswered,
        )
    }
}

/// Looks up on a fixed schedule, then pulls whole lists one after the other.
pub(crate) fn run(target: &Target, lookup: &Lookup) -> io::Result<Answers> {
    let count = READERS_MAX.min(lookup.population.owners);
    dial::raise_open_files(count)?;
    let readers = if lookup.case.is_rest() {
        (0..count).map(|owner| Reader::rest(target, owner)).collect::<io::Result<Vec<_>>>()?
    } else {
        let members = member::log_in(target, 0..count)?.into_iter().enumerate();
        members.map(|(owner, member)| Reader::socket(member, owner)).collect::<io::Result<Vec<_>>>()?
    };
    let poll = Poll::new()?;
    for (index, reader) in readers.iter().enumerate() {
        poll.add(reader.connection().stream(), index as u64)?;
    }
    let ticker = Ticker::new(TICK)?;
    poll.add(&ticker, TICKER)?;
    let mut desk = Desk {
        lookup: *lookup,
        poll,
        ticker,
        idle: (0..readers.len()).collect(),
        readers,
        scratch: vec![0; SCRATCH_BYTES],
        answers: Answers::default(),
        bytes: 0,
        last: Instant::now(),
    };
    desk.on_schedule()?;
    desk.whole_lists()?;
    desk.answers.bytes_mean = to_f64(desk.bytes) / to_f64(desk.answers.answered.max(1));
    desk.answers.unanswered += desk.readers.iter().filter(|reader| reader.is_waiting()).count() as u64;
    Ok(desk.answers)
}

struct Desk {
    lookup: Lookup,
    poll: Poll,
    ticker: Ticker,
    readers: Vec<Reader>,
    /// Those without a request under way, the longest idle first.
    idle: VecDeque<usize>,
    scratch: Vec<u8>,
    answers: Answers,
    bytes: u64,
    last: Instant,
}

impl Desk {
    fn on_schedule(&mut self) -> io::Result<()> {
        let Lookup { warm_up, window, per_second, .. } = self.lookup;
        let started = Instant::now();
        let (from, until) = (started + warm_up, started + warm_up + window);
        let mut latencies = Histogram::new();
        let (mut scheduled, mut cpu_from) = (0, None);
        loop {
            for (due, at) in self.wait()? {
                if due >= from {
                    latencies.record(at.saturating_duration_since(due));
                }
            }
            let now = Instant::now();
            if cpu_from.is_none() && now >= from {
                cpu_from = self.server_time()?;
            }
            loop {
                let due = started + Duration::from_secs_f64(to_f64(scheduled) / per_second);
                if due > now || due >= until {
                    break;
                }
                // When nobody is idle it waits, and the time lost counts as latency.
                let Some(index) = self.idle.pop_front() else { break };
                self.ask(index, due)?;
                scheduled += 1;
            }
            let is_complete = now >= until && self.idle.len() == self.readers.len();
            if is_complete || self.last.elapsed() > SILENCE_MAX {
                break;
            }
        }
        self.answers.latency = latencies.quantiles();
        let answered = to_f64(self.answers.latency.count.max(1));
        self.answers.server_cpu_us = cpu_from
            .zip(self.server_time()?)
            .map(|(from, until)| until.saturating_sub(from).as_secs_f64() * 1e6 / answered);
        Ok(())
    }

    /// Each reader pulls its list from the beginning to the end, alone.
    fn whole_lists(&mut self) -> io::Result<()> {
        let mut times = Histogram::new();
        for index in 0..self.readers.len() {
            if self.readers[index].is_waiting() {
                continue;
            }
            self.readers[index].start_over();
            let started = Instant::now();
            for _ in 0..self.lookup.case.pages(&self.lookup.population) {
                self.idle.retain(|idle| *idle != index);
                self.ask(index, Instant::now())?;
                while self.readers[index].is_waiting() {
                    if self.last.elapsed() > SILENCE_MAX {
                        return Ok(());
                    }
                    self.wait()?;
                }
            }
            times.record(started.elapsed());
        }
        self.answers.whole = times.quantiles();
        Ok(())
    }

    fn ask(&mut self, index: usize, due: Instant) -> io::Result<()> {
        let is_first = self.idle.len() + 1 == self.readers.len();
        if is_first {
            self.last = Instant::now();
        }
        self.readers[index].ask(&self.lookup, due);
        self.flush(index)
    }

    /// Waits for what comes next; when each request that was answered was due, and when its answer was complete.
    fn wait(&mut self) -> io::Result<Vec<(Instant, Instant)>> {
        let ready: Vec<Ready> = self.poll.wait(Some(Duration::from_millis(10)))?.collect();
        let mut answered = Vec::new();
        for event in ready {
            if event.token == TICKER {
                self.ticker.reset()?;
                continue;
            }
            let index = usize::try_from(event.token).unwrap_or(usize::MAX);
            let Some(reader) = self.readers.get_mut(index) else { continue };
            if event.readable
                && let Some(answer) = reader.receive(&self.lookup, &mut self.scratch)?
            {
                self.last = answer.at;
                self.bytes += answer.bytes as u64;
                self.answers.answered += 1;
                self.answers.refused += u64::from(answer.is_refused);
                self.answers.short += u64::from(answer.is_short);
                self.idle.push_back(index);
                answered.push((answer.due, answer.at));
            }
            self.flush(index)?;
        }
        Ok(answered)
    }

    fn flush(&mut self, index: usize) -> io::Result<()> {
        let connection = self.readers[index].connection_mut();
        let is_blocked = !connection.flush()?;
        if is_blocked != connection.awaits_room {
            connection.awaits_room = is_blocked;
            self.poll.want_writable(connection.stream(), index as u64, is_blocked)?;
        }
        Ok(())
    }

    fn server_time(&self) -> io::Result<Option<Duration>> {
        self.lookup.server_process.map(cpu_time).transpose()
    }
}

#[expect(clippy::cast_precision_loss, reason = "these counts are far below 2^52")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Server;

    #[test]
    fn the_bare_server_answers_every_case_in_full() {
        let log = std::env::temp_dir().join(format!("loadgen-lookup-{}", std::process::id()));
        let (sender, receiver) = std::sync::mpsc::channel();
        let path = log.clone();
        // It serves until the test's process ends.
        std::thread::spawn(move || {
            let mut server = Server::bind(([127, 0, 0, 1], 0).into(), &path, 64 * 1024).unwrap();
            sender.send(server.address().unwrap()).unwrap();
            server.run()
        });
        let target = Target { server: receiver.recv().unwrap(), sdkappid: 1_400_000_001, key: "none".into() };
        let population =
            Population { accounts: 1_000, working_set: 400, owners: 3, friends: 300, conversations: 200 };
        for case in Case::ALL {
            let lookup = Lookup {
                case,
                population,
                per_second: 500.0,
                warm_up: Duration::ZERO,
                window: Duration::from_millis(50),
                server_process: None,
            };
            let answers = run(&target, &lookup).unwrap();
            assert!(answers.is_clean(), "{case:?}: {}", answers.summary());
            assert_eq!((answers.latency.count, answers.whole.count), (25, 3), "{case:?}");
        }
        std::fs::remove_file(log).unwrap();
    }
}
