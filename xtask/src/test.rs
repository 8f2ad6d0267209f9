//! `cargo xtask test`: everything that CI runs, in one order, from a fresh checkout.

use crate::counts::{Counts, Format};
use crate::failure::{During, Failure, Outcome};
use crate::shell::{self, Checkout};
use crate::{codegen, install, layers, leftovers, services, tidy};
use std::path::PathBuf;
use std::time::Instant;

/// How the task is called.
pub(crate) const USAGE: &str = "cargo xtask test [--only STEP]... [--cluster] [--list]

  --only STEP   run this step alone; may be given several times
  --cluster     run the steps alone that need the servers which a cluster stands on
  --list        list the steps

Ends at the first failure. The last line is the number of tests and checks that passed and failed.
A test that is skipped counts as a failure. Which programs are needed and missing is said first, by the
step `install`, which installs them where that needs no password.";

/// Lints on top of those in Cargo.toml: the limits of clippy.toml, and a reason for every exception.
const CLIPPY: &[&str] = &[
    "clippy",
    "--workspace",
    "--all-targets",
    "--",
    "-D",
    "warnings",
    "-D",
    "clippy::too_many_lines",
    "-D",
    "clippy::allow_attributes_without_reason",
];

/// The step that needs the servers which a cluster stands on.
const STORES: &str = "stores";

/// The adapters of real servers: the service that each needs, and its package.
const ADAPTERS: &[(&str, &str)] =
    &[("mysql", "mysql-store"), ("mongodb", "mongodb-store"), ("redis", "redis-store"), ("s3", "s3-store")];

/// What a step found, and whether the run may go on.
type Found = (Counts, Outcome);

/// One part of the run.
struct Step {
    name: &'static str,
    says: &'static str,
    run: fn(&Checkout) -> Found,
}

// The release build is not among them: it takes longer than all the rest, and the tests drive the debug binary,
// which also checks its own assertions.
const STEPS: &[Step] = &[
    Step {
        name: "install",
        says: "programs that the other steps need",
        run: |at| one(install::for_tests(at)),
    },
    Step { name: "fmt", says: "format of the Rust code", run: |at| cargo(at, &["fmt", "--all", "--check"]) },
    Step { name: "clippy", says: "lints, with the bans of clippy.toml", run: |at| cargo(at, CLIPPY) },
    Step { name: "tidy", says: "what `cargo xtask tidy` checks", run: |at| one(tidy::check(at)) },
    Step { name: "layers", says: "what `cargo xtask layers` checks", run: |at| one(layers::check(at)) },
    Step { name: "deny", says: "licences, bans and sources of dependencies", run: deny },
    Step {
        name: "advisories",
        says: "known vulnerabilities, where the database is reachable",
        run: advisories,
    },
    Step { name: "build", says: "the server's binary", run: |at| cargo(at, &["build", "-p", "server"]) },
    Step { name: "codegen", says: "api/ is what the code would write", run: |at| one(codegen::check(at)) },
    Step { name: "test", says: "all Rust tests", run: rust_tests },
    Step {
        name: "sdk",
        says: "scenarios with the official SDK and its sibling packages",
        run: |at| npm_tests(at, "tests/sdk", &["run", "test:full"]),
    },
    Step {
        name: "sdk-modular",
        says: "scenarios with the official SDK's build for bundlers",
        run: |at| npm_tests(at, "tests/sdk", &["run", "test:modular"]),
    },
    Step {
        name: "rest",
        says: "scenarios of the REST API",
        run: |at| npm_tests(at, "tests/rest", &["test"]),
    },
    Step { name: "page", says: "check and build the demo page", run: page },
    Step { name: "browser", says: "the demo page in a browser", run: browser },
    Step { name: STORES, says: "adapters of real servers, with these", run: stores },
    Step { name: "leftovers", says: "no program is left running", run: |at| one(leftovers::check(at)) },
];

/// Runs the steps, or those that were asked for.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Outcome {
    let mut only: Vec<String> = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("list") => {
                STEPS.iter().for_each(|step| println!("{:12}{}", step.name, step.says));
                return Ok(());
            }
            lexopt::Arg::Long("cluster") => only.push(STORES.to_owned()),
            lexopt::Arg::Long("only") => {
                only.push(arguments.value()?.into_string().map_err(lexopt::Error::from)?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let steps = choose(&only)?;
    let checkout = Checkout::find()?;
    let (total, failure) = run_steps(&checkout, &steps);
    if let Some(text) = &failure {
        println!("\n{text}");
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if failure.is_some() { Err(Failure::told()) } else { Ok(()) }
}

/// The named steps in their usual order; all of them for no name.
fn choose(only: &[String]) -> Outcome<Vec<&'static Step>> {
    if let Some(unknown) = only.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(Failure::new(format!("no step is called `{unknown}`; `--list` lists them")));
    }
    let wanted = |step: &&Step| only.is_empty() || only.iter().any(|name| name == step.name);
    Ok(STEPS.iter().filter(wanted).collect())
}

/// Runs steps until one fails; returns the sum and, after a failure, what to print about it.
fn run_steps(checkout: &Checkout, steps: &[&Step]) -> (Counts, Option<String>) {
    let begun = Instant::now();
    let mut total = Counts::default();
    for step in steps {
        println!("\n== {}: {}", step.name, step.says);
        let step_begun = Instant::now();
        let (counts, outcome) = judge((step.run)(checkout));
        total += counts;
        let seconds = step_begun.elapsed().as_secs_f64();
        if let Err(failure) = outcome {
            println!("== {}: FAILED after {seconds:.1} s", step.name);
            let text = failure.untold().unwrap_or_default();
            let name = step.name;
            return (
                total,
                Some(format!("{name} failed: {text}\nAgain, alone: cargo xtask test --only {name}")),
            );
        }
        let ok = if counts == Counts::default() { "nothing checked" } else { "ok" };
        println!("== {}: {ok}, {} passed, {seconds:.1} s", step.name, counts.passed);
    }
    println!("\nall of it took {:.0} s", begun.elapsed().as_secs_f64());
    (total, None)
}

/// Turns skipped tests into a failure, and makes a failure that no test reported count as one.
fn judge((mut counts, mut outcome): Found) -> Found {
    if outcome.is_ok() && counts.failed > 0 {
        outcome = Err(Failure::new(format!("{} tests failed", counts.failed)));
    }
    if outcome.is_ok() && counts.skipped > 0 {
        counts.failed += counts.skipped;
        outcome = Err(Failure::new(format!("{} tests were skipped; every test must run", counts.skipped)));
    }
    if outcome.is_err() && counts.failed == 0 {
        counts.failed = 1;
    }
    (counts, outcome)
}

/// A check that is not made of tests.
fn one(outcome: Outcome) -> Found {
    let counts = if outcome.is_ok() { Counts::ONE } else { Counts::default() };
    (counts, outcome)
}

fn cargo(checkout: &Checkout, arguments: &[&str]) -> Found {
    one(shell::run(&mut checkout.cargo(arguments)))
}

fn deny(checkout: &Checkout) -> Found {
    one(install::cargo_deny(checkout).and_then(|program| {
        let what = ["check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
        shell::run(checkout.command(program).args(what))
    }))
}

/// The database is a git repository elsewhere; a machine that only reaches the registries cannot have it.
fn advisories(checkout: &Checkout) -> Found {
    let program = match install::cargo_deny(checkout) {
        Ok(program) => program,
        Err(failure) => return one(Err(failure)),
    };
    let mut fetch = checkout.command("timeout");
    fetch.arg("120").arg(&program).args(["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0");
    if shell::output(&mut fetch).is_err() {
        println!("NOT CHECKED: the advisory database cannot be fetched from this machine");
        return (Counts::default(), Ok(()));
    }
    one(shell::run(checkout.command(program).args(["check", "--disable-fetch", "advisories"])))
}

fn rust_tests(checkout: &Checkout) -> Found {
    at_least_one(shell::run_tests(&mut checkout.cargo(&["test", "--workspace"]), Format::Cargo))
}

/// The tests of adapters that need their servers.
fn stores(checkout: &Checkout) -> Found {
    let services: Vec<&str> = ADAPTERS.iter().map(|(service, _)| *service).collect();
    let mut arguments = vec!["test", "--features", "real-server"];
    arguments.extend(ADAPTERS.iter().flat_map(|(_, package)| ["-p", *package]));
    let tested = services::around(checkout, &services, |variables| {
        let mut tests = checkout.cargo(&arguments);
        shell::run_tests(tests.envs(variables.iter().copied()), Format::Cargo)
    });
    match tested {
        Ok(found) => at_least_one(found),
        Err(failure) => one(Err(failure)),
    }
}

/// Installs what the lock file names and runs these tests of npm against the debug binary.
fn npm_tests(checkout: &Checkout, folder: &str, tests: &[&str]) -> Found {
    if let Err(failure) = shell::run(&mut checkout.npm(folder, &["ci"])) {
        return one(Err(failure));
    }
    let mut command = checkout.npm(folder, tests);
    command.env("WHIMBREL_BIN", binary(checkout)).env("WHIMBREL_PAGE", checkout.root.join("apps/demo/dist"));
    match std::env::current_exe().during(|| "cannot find this program".into()) {
        Ok(program) => command.env("WHIMBREL_XTASK", program),
        Err(failure) => return one(Err(failure)),
    };
    at_least_one(shell::run_tests(&mut command, Format::Node))
}

/// The binary that the step `build` makes.
fn binary(checkout: &Checkout) -> PathBuf {
    checkout.target.join("debug/whimbrel")
}

/// A run that reports no test at all has not tested anything.
fn at_least_one((counts, outcome): Found) -> Found {
    let outcome = match outcome {
        Ok(()) if counts == Counts::default() => Err(Failure::new("no test ran")),
        other => other,
    };
    (counts, outcome)
}

fn page(checkout: &Checkout) -> Found {
    let steps: [&[&str]; 3] = [&["ci"], &["run", "check"], &["run", "build"]];
    for arguments in steps {
        if let Err(failure) = shell::run(&mut checkout.npm("apps/demo", arguments)) {
            return one(Err(failure));
        }
    }
    one(Ok(()))
}

fn browser(checkout: &Checkout) -> Found {
    if checkout.root.join("tests/browser").exists() {
        return npm_tests(checkout, "tests/browser", &["test"]);
    }
    println!("there is no tests/browser");
    (Counts::default(), Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn skipped_and_absent_tests_are_failures() {
        let broken = || Err(Failure::new("it broke"));
        let table = [
            (judge((counts(3, 0, 0), Ok(()))), counts(3, 0, 0), true),
            (judge((counts(3, 0, 1), Ok(()))), counts(3, 1, 1), false),
            (judge((counts(3, 2, 0), Ok(()))), counts(3, 2, 0), false),
            (judge((counts(3, 2, 0), broken())), counts(3, 2, 0), false),
            (judge((counts(0, 0, 0), broken())), counts(0, 1, 0), false),
            (judge(at_least_one((counts(0, 0, 0), Ok(())))), counts(0, 1, 0), false),
        ];
        for ((found, outcome), expected, good) in table {
            assert_eq!((found, outcome.is_ok()), (expected, good));
        }
    }

    #[test]
    fn steps_run_in_their_order_and_unknown_names_are_refused() {
        let names = |steps: Vec<&Step>| steps.iter().map(|step| step.name).collect::<Vec<_>>();
        let chosen = choose(&["tidy".into(), "fmt".into()]).map(names);
        assert_eq!(chosen.ok(), Some(vec!["fmt", "tidy"]));
        assert_eq!(choose(&[]).map(|all| all.len()).ok(), Some(STEPS.len()));
        assert!(choose(&["tydi".into()]).is_err());
    }

    #[test]
    fn the_run_ends_at_the_first_failure() {
        let checkout =
            Checkout { root: PathBuf::new(), target: PathBuf::new(), metadata: serde_json::Value::Null };
        let good = Step { name: "good", says: "", run: |_| (counts(2, 0, 0), Ok(())) };
        let bad = Step { name: "bad", says: "", run: |_| (counts(1, 1, 0), Err(Failure::new("it broke"))) };
        let (total, failure) = run_steps(&checkout, &[&good, &bad, &good]);
        assert_eq!(total, counts(3, 1, 0));
        assert_eq!(
            failure.unwrap_or_default(),
            "bad failed: it broke\nAgain, alone: cargo xtask test --only bad"
        );
    }
}
