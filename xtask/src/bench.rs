//! `cargo xtask bench`: the server and a bare baseline, measured in one go.

use crate::failure::Outcome;
use crate::shell::{self, Checkout};

/// How the task is called.
pub(crate) const USAGE: &str = "cargo xtask bench [--quick]

  --quick   a short run that proves the benchmark works; its figures are not for publication";

/// Builds server and load generator for speed, and lets the load generator write docs/benchmarks/.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Outcome {
    let mut quick = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("quick") => quick = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let checkout = Checkout::find()?;
    shell::run(&mut checkout.cargo(&["build", "--release", "-p", "server", "-p", "loadgen"]))?;
    let release = checkout.target.join("release");
    let mut command = checkout.command(release.join("loadgen"));
    command.args(["bench", "--server-binary"]).arg(release.join("whimbrel"));
    command.args(["--out", "docs/benchmarks"]);
    if quick {
        command.arg("--quick");
    }
    shell::run(&mut command)
}
