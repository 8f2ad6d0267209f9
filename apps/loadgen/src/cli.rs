//! The command line.

use std::io;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::bench::plan::{Part, Plan};
use crate::client::history::{self, Reading};
use crate::client::idle;
use crate::client::load::{self, Load};
use crate::client::lookup::{self, Case, Lookup};
use crate::client::member::Target;
use crate::client::populate::{self, Population};
use crate::client::search::{self, Searching};
use crate::client::traffic::{Extent, Pace, Pattern};
use crate::wire::request::Shape;
use crate::{baseline, bench};

/// Makes load in the client protocol, and carries the bare server that the load is compared with.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Runs the bare server: the sockets, frames and log of a chat server, and nothing else.
    Baseline {
        /// Where to listen; port 0 takes a free one and prints it.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// The log; it is overwritten.
        #[arg(long)]
        log: PathBuf,
        /// Size of the log in MiB. At its end the log starts over.
        #[arg(long, default_value_t = 256)]
        log_mib: u64,
    },
    /// Sends messages between pairs of accounts and measures.
    Run(RunArgs),
    /// Fills a server with messages as fast as it takes them.
    Fill(FillArgs),
    /// Reads pages of 20 messages of random conversations, one at a time.
    History {
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        store: StoreArgs,
        /// Pages to read.
        #[arg(long, default_value_t = 5_000)]
        pages: usize,
    },
    /// Fills a server with varied messages, if it is told to, and searches ten of them among all.
    Search {
        #[command(flatten)]
        target: TargetArgs,
        /// Messages that the server was, or is to be, filled with.
        #[arg(long, default_value_t = 1_000_000)]
        messages: u64,
        /// Searches.
        #[arg(long, default_value_t = 2_000)]
        searches: usize,
        /// Writes the messages first.
        #[arg(long)]
        fill: bool,
    },
    /// Logs in many idle connections and reports the server's memory for each.
    Idle {
        #[command(flatten)]
        target: TargetArgs,
        /// Connections, each an account of its own.
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
        /// Seconds to keep them, with heartbeats.
        #[arg(long, default_value_t = 2.0)]
        hold: f64,
    },
    /// Fills an empty store with accounts, lists of friends and conversations. The app must have
    /// rest_calls_per_second=1000000 and conversations=500.
    Populate {
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        population: PopulationArgs,
    },
    /// Looks up lists or profiles of what `populate` has made, on a fixed schedule.
    Lookup {
        #[command(flatten)]
        target: TargetArgs,
        #[command(flatten)]
        population: PopulationArgs,
        /// What, and over which way; all in turn, if absent.
        #[arg(long, value_enum)]
        case: Option<Case>,
        /// Reads the working set once beforehand.
        #[arg(long)]
        warm: bool,
        /// Requests a second.
        #[arg(long, default_value_t = 100.0)]
        rate: f64,
        /// Seconds to measure, after one that is not.
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
    },
    /// Runs the whole benchmark, the real server and the bare one in turn, and writes a report.
    Bench {
        /// The server's binary.
        #[arg(long)]
        server_binary: PathBuf,
        /// Where results.json, README.md and chart.svg go.
        #[arg(long)]
        out: PathBuf,
        /// Where servers keep their data meanwhile: a real disk. By default beside this binary.
        #[arg(long)]
        work: Option<PathBuf>,
        /// Shorter and smaller, within two minutes; for trying out, not for publishing.
        #[arg(long)]
        quick: bool,
        /// Runs one part alone; the others are reported as not measured.
        #[arg(long, value_enum)]
        only: Option<Part>,
        /// Accounts in the store in which lists and profiles are looked up.
        #[arg(long)]
        accounts: Option<usize>,
    },
    /// Runs a program that ends when its starter ends, however that happens.
    #[command(hide = true)]
    Guard {
        /// The program and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        program: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Connections, each an account of its own; an even number.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Requests each connection keeps in flight.
    #[arg(long, default_value_t = 1)]
    depth: usize,
    /// Instead of --depth: messages a second on a fixed schedule; latency counts from the intended time.
    #[arg(long)]
    rate: Option<f64>,
    /// Seconds before measuring.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Seconds to measure.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// What the message frames look like.
    #[arg(long, value_enum, default_value_t)]
    shape: Shape,
    /// Prints the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct FillArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Messages in all.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Requests each connection keeps in flight.
    #[arg(long, default_value_t = 4)]
    depth: usize,
}

impl RunArgs {
    fn load(&self) -> Load {
        let closed = Pace::Closed { depth: self.depth };
        Load {
            accounts: self.connections,
            pattern: Pattern::Pairs,
            pace: self.rate.map_or(closed, |per_second| Pace::Open { per_second }),
            extent: Extent::Timed {
                warm_up: Duration::from_secs_f64(self.warm_up),
                window: Duration::from_secs_f64(self.seconds),
            },
            shape: self.shape,
            server_process: self.target.server_pid,
        }
    }
}

impl FillArgs {
    fn load(&self) -> Load {
        Load {
            accounts: self.store.accounts(),
            pattern: self.store.pattern(),
            pace: Pace::Closed { depth: self.depth },
            extent: Extent::Counted { messages: self.messages, time_max: Duration::from_secs(600) },
            shape: Shape::Sdk,
            server_process: self.target.server_pid,
        }
    }
}

#[derive(Debug, Args)]
struct TargetArgs {
    /// The server's address.
    #[arg(long)]
    server: SocketAddr,
    /// The app.
    #[arg(long, default_value_t = 1_400_000_001)]
    sdkappid: u64,
    /// The app's key text. The bare server takes any.
    #[arg(long, default_value = "none")]
    key: String,
    /// The server's process, to measure its time and memory.
    #[arg(long)]
    server_pid: Option<u32>,
}

impl TargetArgs {
    fn target(&self) -> Target {
        Target { server: self.server, sdkappid: self.sdkappid, key: self.key.clone() }
    }
}

#[derive(Debug, Args)]
struct StoreArgs {
    /// Conversations in all.
    #[arg(long, default_value_t = 10_000)]
    conversations: usize,
    /// Each account talks with so many neighbours on either side.
    #[arg(long, default_value_t = 10)]
    fan: usize,
}

impl StoreArgs {
    fn accounts(&self) -> usize {
        self.conversations.div_ceil(self.fan.max(1))
    }

    fn pattern(&self) -> Pattern {
        Pattern::Ring { fan: self.fan.max(1) }
    }
}

#[derive(Debug, Args)]
struct PopulationArgs {
    /// Accounts in all.
    #[arg(long, default_value_t = 1_000_000)]
    accounts: usize,
    /// Accounts in use.
    #[arg(long, default_value_t = 10_000)]
    working_set: usize,
    /// Accounts with long lists.
    #[arg(long, default_value_t = 50)]
    owners: usize,
    /// Friends on such a list.
    #[arg(long, default_value_t = 3_000)]
    friends: usize,
    /// Conversations on such a list.
    #[arg(long, default_value_t = 500)]
    conversations: usize,
}

impl PopulationArgs {
    const fn population(&self) -> Population {
        let Self { accounts, working_set, owners, friends, conversations } = *self;
        Population { accounts, working_set, owners, friends, conversations }
    }
}

/// Looks up one case or all in turn, printing a line for each.
fn look_up(target: &TargetArgs, cases: &[Case], lookup: &Lookup) -> io::Result<()> {
    for case in cases {
        let answers = lookup::run(&target.target(), &Lookup { case: *case, ..*lookup })?;
        print_line(&format!("{}: {}", case.command(), answers.summary()))?;
    }
    Ok(())
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> io::Result<()> {
    match Cli::parse().task {
        Task::Baseline { listen, log, log_mib } => baseline::serve(listen, &log, log_mib * 1024 * 1024),
        Task::Run(run) => {
            let measured = load::run(&run.target.target(), &run.load())?;
            if run.json { print_json(&measured) } else { print_line(&measured.summary()) }
        }
        Task::Fill(fill) => print_line(&load::run(&fill.target.target(), &fill.load())?.summary()),
        Task::History { target, store, pages } => {
            let reading = Reading {
                accounts: store.accounts(),
                pattern: store.pattern(),
                readers: 100,
                pages,
                time_max: Duration::from_secs(60),
            };
            print_json(&history::run(&target.target(), &reading)?)
        }
        Task::Search { target, messages, searches, fill } => {
            let searching = Searching { messages, searches, time_max: Duration::from_secs(600) };
            let target = target.target();
            if fill {
                print_line(&format!("filled in {:.1} s", search::fill(&target, searching)?.as_secs_f64()))?;
            }
            print_json(&search::run(&target, searching)?)
        }
        Task::Idle { target, connections, hold } => {
            let process = target.server_pid.ok_or_else(|| io::Error::other("idle needs --server-pid"))?;
            print_json(&idle::run(&target.target(), connections, Duration::from_secs_f64(hold), process)?)
        }
        Task::Populate { target, population } => {
            print_json(&populate::run(&target.target(), &population.population())?)
        }
        Task::Lookup { target, population, case, warm, rate, seconds } => {
            let population = population.population();
            if warm {
                populate::warm(&target.target(), &population)?;
            }
            let lookup = Lookup {
                case: Case::FriendsSocket,
                population,
                per_second: rate,
                warm_up: Duration::from_secs(1),
                window: Duration::from_secs_f64(seconds),
                server_process: target.server_pid,
            };
            look_up(&target, case.as_ref().map_or(&Case::ALL[..], std::slice::from_ref), &lookup)
        }
        Task::Bench { server_binary, out, work, quick, only, accounts } => {
            let plan = Plan::new(server_binary, out, work, quick)?;
            let accounts = accounts.unwrap_or(plan.population.accounts);
            bench::run(&Plan { only, population: Population { accounts, ..plan.population }, ..plan })
        }
        Task::Guard { program } => guard(&program),
    }
}

fn guard(program: &[PathBuf]) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let Some((program, arguments)) = program.split_first() else {
        return Ok(());
    };
    Err(Command::new(program).args(arguments).exec())
}

fn print_line(line: &str) -> io::Result<()> {
    println!("{line}");
    Ok(())
}

fn print_json(value: &impl serde::Serialize) -> io::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
