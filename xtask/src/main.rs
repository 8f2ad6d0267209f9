//! `cargo xtask`: everything a developer does with this repository, as one program.
//!
//! A task is a file here and a row of [`TASKS`].
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a developer's tool runs outside the simulated world: real files, processes and clocks"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a terminal")]

mod bench;
mod codegen;
mod counts;
mod demo;
mod failure;
mod install;
mod layers;
mod leftovers;
mod scratch;
mod services;
mod shell;
mod stop;
mod test;
mod tidy;

use crate::failure::Outcome;
use std::ffi::OsString;
use std::process::ExitCode;

/// One thing this program can do.
struct Task {
    name: &'static str,
    says: &'static str,
    usage: &'static str,
    run: fn(lexopt::Parser) -> Outcome,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        says: "run everything that CI runs, from nothing",
        usage: test::USAGE,
        run: test::run,
    },
    Task {
        name: "demo",
        says: "build everything, start a server with two people in it, and print the page's address",
        usage: demo::USAGE,
        run: demo::run,
    },
    Task {
        name: "services",
        says: "start real servers for tests: MySQL, MongoDB's protocol, Redis, Kafka, S3",
        usage: services::USAGE,
        run: services::run,
    },
    Task {
        name: "tidy",
        says: "check what no compiler checks: length, leftovers, links, paths of one machine",
        usage: "cargo xtask tidy",
        run: tidy::run,
    },
    Task {
        name: "layers",
        says: "check that no crate depends on what it may not see",
        usage: "cargo xtask layers",
        run: layers::run,
    },
    Task {
        name: "codegen",
        says: "write api/ from the code, or check that it is not stale",
        usage: codegen::USAGE,
        run: codegen::run,
    },
    Task {
        name: "bench",
        says: "measure server and baseline, and write docs/benchmarks/",
        usage: bench::USAGE,
        run: bench::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(text) = failure.untold() {
                eprintln!("error: {text}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Runs the task that the first argument names; without one, lists the tasks.
fn dispatch(arguments: &[OsString]) -> Outcome {
    let Some(name) = arguments.first().map(|name| name.to_string_lossy()) else {
        print!("{}", list());
        return Ok(());
    };
    if matches!(name.as_ref(), "help" | "--help" | "-h") {
        print!("{}", list());
        return Ok(());
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        return Err(failure::Failure::new(format!("no task is called `{name}`\n\n{}", list())));
    };
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{}: {}\n\n{}", task.name, task.says, task.usage);
        return Ok(());
    }
    (task.run)(lexopt::Parser::from_args(arguments[1..].iter().cloned()))
}

/// The tasks, a line each.
fn list() -> String {
    let mut text = String::from("cargo xtask TASK\n\n");
    for task in TASKS {
        text += &format!("  {:8} {}\n", task.name, task.says);
    }
    text + "\n`cargo xtask TASK --help` says what a task can be told.\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_listed_with_its_own_name_in_its_usage() {
        for task in TASKS {
            assert!(list().contains(task.says));
            assert!(task.usage.starts_with(&format!("cargo xtask {}", task.name)), "{}", task.usage);
        }
    }

    #[test]
    fn an_unknown_task_is_refused_with_the_list() {
        let failure = dispatch(&["tset".into()]).unwrap_err();
        let text = failure.untold().unwrap_or_default();
        assert!(text.contains("`tset`") && text.contains("cargo xtask TASK"), "{text}");
    }
}
