//! Whole-server runs: clients that send, read, recall, lose their connections and resend, over a store that
//! crashes and loses what it had not synced.
//!
//! A seed gives one run. After it a checker looks whether every acknowledged message is in both histories, once and
//! in order; a second run of the seed must say and hear the same, byte by byte.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

#[path = "run/actor.rs"]
mod actor;
#[path = "run/checker.rs"]
mod checker;

use std::time::Duration;

use actor::{Actor, Sent};
use ports::Random as _;
use simulated::SeededRandom;
use testkit::{Options, World};

const SEEDS: &str = include_str!("../seeds.txt");
const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];
const STEPS: usize = 400;

/// How long the store takes to sync: a crash comes often in between.
const SYNC_MILLIS: u64 = 20;

/// A server, its clients, and the dice that decide what happens next.
pub(crate) struct Run {
    pub(crate) world: World,
    pub(crate) actors: Vec<Actor>,
    /// Everything that was ever sent, in the order of the first sending.
    pub(crate) sent: Vec<Sent>,
    dice: SeededRandom,
    /// Counts steps; orders what clients know.
    pub(crate) step: usize,
    crashes: usize,
}

impl Run {
    async fn begin(seed: u64) -> Self {
        let options = Options { seed, sync_millis: SYNC_MILLIS, ..Options::of(simulator::commands) };
        let world = World::with(options).await;
        let mut actors = Vec::new();
        for user in USERS {
            actors.push(Actor::log_in(&world, user).await);
        }
        Self { world, actors, sent: Vec::new(), dice: SeededRandom::new(seed), step: 0, crashes: 0 }
    }

    /// A number below `end`.
    fn below(&self, end: usize) -> usize {
        self.dice.next_u32() as usize % end
    }

    /// Two different users.
    fn pair(&self) -> (usize, usize) {
        let one = self.below(USERS.len());
        let other = (one + 1 + self.below(USERS.len() - 1)) % USERS.len();
        (one, other)
    }

    async fn step(&mut self) {
        self.step += 1;
        match self.below(100) {
            0..55 => self.send().await,
            55..63 => self.resend().await,
            63..71 => self.read().await,
            71..76 => self.recall().await,
            76..82 => {
                let one = self.below(USERS.len());
                self.actors[one].reconnect(&self.world, &mut self.sent, self.step).await;
            }
            82..85 => self.crash().await,
            _ => {}
        }
        let pause = self.below(9) as u64;
        self.world.advance(Duration::from_millis(pause)).await;
        for actor in &mut self.actors {
            actor.listen(&mut self.sent, self.step).await;
        }
    }

    async fn send(&mut self) {
        let (from, to) = self.pair();
        let number = u32::try_from(self.sent.len()).unwrap() + 1;
        self.sent.push(Sent::new(USERS[from], USERS[to], number, self.step));
        let place = self.sent.len() - 1;
        self.actors[from].send(&self.sent, place).await;
    }

    /// Sends something once more that may have been answered long ago.
    async fn resend(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let place = self.below(self.sent.len());
        let from = USERS.iter().position(|user| *user == self.sent[place].from).unwrap();
        self.actors[from].send(&self.sent, place).await;
    }

    async fn read(&mut self) {
        let (reader, peer) = self.pair();
        let (step, now) = (self.step, self.world.now());
        self.actors[reader].read(USERS[peer], now, step).await;
    }

    async fn recall(&mut self) {
        let known: Vec<usize> =
            (0..self.sent.len()).filter(|place| self.sent[*place].may_be_recalled()).collect();
        if !known.is_empty() {
            let place = known[self.below(known.len())];
            let from = USERS.iter().position(|user| *user == self.sent[place].from).unwrap();
            self.actors[from].recall(&mut self.sent[place]).await;
        }
    }

    async fn crash(&mut self) {
        self.crashes += 1;
        self.world.crash().await;
        for actor in &mut self.actors {
            // What the server had written before it went down arrives all the same.
            actor.listen(&mut self.sent, self.step).await;
            actor.reconnect(&self.world, &mut self.sent, self.step).await;
        }
    }

    /// Lets everything come to its end: every client is connected and has its answers.
    async fn end(&mut self) {
        for actor in &mut self.actors {
            actor.reconnect(&self.world, &mut self.sent, self.step).await;
        }
        self.world.advance_seconds(1).await;
        self.step += 1;
        for actor in &mut self.actors {
            actor.listen(&mut self.sent, self.step).await;
            actor.synchronise().await;
        }
    }
}

/// Runs a seed and checks it; returns everything that was said and heard.
async fn run(seed: u64) -> Vec<String> {
    let mut run = Run::begin(seed).await;
    for _ in 0..STEPS {
        run.step().await;
    }
    run.end().await;
    assert!(run.crashes > 0 && run.sent.len() > STEPS / 4, "seed {seed} does too little");
    checker::check(&mut run).await;
    run.world.trace.lines()
}

#[tokio::test(start_paused = true)]
async fn nothing_acknowledged_is_lost_doubled_or_disordered() {
    let seeds = SEEDS.lines().filter(|line| !line.starts_with('#'));
    for seed in seeds.map(|line| line.parse().unwrap()) {
        // Shown with a failure: the seed that replays it.
        println!("seed {seed}");
        run(seed).await;
    }
}

fn trace_of(seed: u64) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(run(seed))
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, other) = (trace_of(1), trace_of(1));
    for (line, (one, other)) in one.iter().zip(&other).enumerate() {
        assert_eq!(one, other, "line {line}");
    }
    assert_eq!(one.len(), other.len());
    assert_ne!(one, trace_of(2));
}
