//! What the machine must have, and how it gets there.
//!
//! Debian packages are installed when that needs no password; otherwise the task ends and says which commands to run.

use crate::failure::{During, Failure, Outcome};
use crate::shell::{self, Checkout};
use std::path::PathBuf;
use std::process::Command;

/// The version that `deny.toml` is written for.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// What the demo page's build tool runs on.
const NODE_VERSIONS: &str = "Node.js 20.19, 22.12 or later";
const NODE_PROBE: &str = "const [major, minor] = process.versions.node.split('.').map(Number); \
    process.exit(major > 22 || (major == 22 && minor >= 12) || (major == 20 && minor >= 19) ? 0 : 1)";

/// Installed below the target folder where the system's own is too old, as on Debian 12.
const NODE_VERSION: &str = "22.23.3";
const NPM_VERSION: &str = "10.9.9";

/// A program that a task cannot do without.
struct Need {
    name: &'static str,
    why: &'static str,
    /// It is there when one of these commands succeeds.
    probes: &'static [&'static [&'static str]],
    source: Source,
}

/// Where a missing program comes from.
enum Source {
    Debian(&'static [&'static str]),
    Rustup(&'static str),
}

/// Runs the SDK, and builds the page. Any version: [`node`] sees to a newer one.
const NODE: Need = Need {
    name: "Node.js",
    why: "to run the SDK and to build the demo page",
    probes: &[&["node", "--version"]],
    source: Source::Debian(&["nodejs"]),
};

/// Fetches the SDK.
const NPM: Need = Need {
    name: "npm",
    why: "to fetch the SDK",
    probes: &[&["npm", "--version"]],
    source: Source::Debian(&["npm"]),
};

/// Stands in front of nodes.
const HAPROXY: Need = Need {
    name: "HAProxy",
    why: "to balance over nodes, with the configuration that is delivered",
    probes: &[&["haproxy", "-v"], &["/usr/sbin/haproxy", "-v"]],
    source: Source::Debian(&["haproxy"]),
};

/// All that `cargo xtask test` needs.
const FOR_TESTS: &[Need] = &[
    NODE,
    NPM,
    HAPROXY,
    Need {
        name: "git",
        why: "to list the files of the checkout",
        probes: &[&["git", "--version"]],
        source: Source::Debian(&["git"]),
    },
    Need {
        name: "strace",
        why: "to delay and fail the disk's sync in a test",
        probes: &[&["strace", "--version"]],
        source: Source::Debian(&["strace"]),
    },
    Need {
        name: "libfaketime",
        why: "to move the clock of the server in a test",
        probes: &[&["faketime", "--version"]],
        source: Source::Debian(&["faketime"]),
    },
    Need {
        name: "Chromium",
        why: "to use the demo page as a person would",
        probes: &[
            &["chromium", "--version"],
            &["chromium-browser", "--version"],
            &["google-chrome", "--version"],
        ],
        source: Source::Debian(&["chromium", "fonts-liberation"]),
    },
    Need {
        name: "the headers of OpenSSL",
        why: "to build the third-party REST client that a test drives",
        probes: &[&["pkg-config", "--exists", "openssl"]],
        source: Source::Debian(&["pkg-config", "libssl-dev"]),
    },
    Need {
        name: "rustfmt",
        why: "to check the format",
        probes: &[&["cargo", "fmt", "--version"]],
        source: Source::Rustup("rustfmt"),
    },
    Need {
        name: "clippy",
        why: "to run the lints",
        probes: &[&["cargo", "clippy", "--version"]],
        source: Source::Rustup("clippy"),
    },
];

/// All that `cargo xtask services` needs from Debian. MariaDB's core has the server without the system's own service.
/// Each with the services that need it.
const FOR_SERVICES: &[(&[&str], Need)] = &[
    (
        &["mysql"],
        Need {
            name: "MariaDB",
            why: "to keep records in MySQL's protocol",
            probes: &[&["mariadbd", "--version"], &["/usr/sbin/mariadbd", "--version"]],
            source: Source::Debian(&["mariadb-server-core", "mariadb-client-core"]),
        },
    ),
    (
        &["redis"],
        Need {
            name: "Redis",
            why: "to keep what may vanish",
            probes: &[&["redis-server", "--version"]],
            source: Source::Debian(&["redis-server"]),
        },
    ),
    (
        &["kafka"],
        Need {
            name: "Java",
            why: "to run Kafka",
            probes: &[&["java", "-version"]],
            source: Source::Debian(&["default-jre-headless"]),
        },
    ),
    (
        &["kafka"],
        Need {
            name: "Maven",
            why: "to fetch Kafka",
            probes: &[&["mvn", "--version"]],
            source: Source::Debian(&["maven"]),
        },
    ),
    (
        &["s3", "mongodb"],
        Need {
            name: "Python's environments",
            why: "to fetch SeaweedFS, and Go where there is none",
            probes: &[&["python3", "-m", "venv", "--help"]],
            source: Source::Debian(&["python3-venv"]),
        },
    ),
];

/// Who may install packages here.
#[derive(Clone, Copy)]
enum Right {
    Root,
    Sudo,
    None,
}

/// Installs whatever `cargo xtask test` needs, or fails with the commands that a person has to run.
pub(crate) fn for_tests(checkout: &Checkout) -> Outcome {
    ensure(&FOR_TESTS.iter().collect::<Vec<_>>())?;
    node(checkout)
}

/// Installs whatever services need from Debian, all of them for no name, or fails with the commands that a person has to run.
pub(crate) fn for_services(names: &[String]) -> Outcome {
    let is_wanted =
        |of: &[&str]| names.is_empty() || of.iter().any(|service| names.iter().any(|name| name == service));
    let needs: Vec<&Need> =
        FOR_SERVICES.iter().filter(|(of, _)| is_wanted(of)).map(|(_, need)| need).collect();
    ensure(&needs)
}

/// Installs what is missing, or fails with the commands that a person has to run.
fn ensure(needs: &[&Need]) -> Outcome {
    let missing = absent(needs);
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        println!("{} is missing ({})", need.name, need.why);
    }
    let right = right();
    for command in commands(&missing, right) {
        match command.split_first() {
            Some((program, _)) if program == "sudo" && matches!(right, Right::None) => {}
            Some((program, arguments)) => attempt(program, arguments),
            None => {}
        }
    }
    let missing = absent(needs);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(explain(&missing, right)))
}

fn absent<'need>(needs: &[&'need Need]) -> Vec<&'need Need> {
    needs.iter().copied().filter(|need| !need.probes.iter().any(|probe| shell::succeeds(probe))).collect()
}

fn right() -> Right {
    if !shell::succeeds(&["apt-get", "--version"]) {
        return Right::None;
    }
    if rustix::process::geteuid().is_root() {
        return Right::Root;
    }
    if shell::succeeds(&["sudo", "-n", "true"]) { Right::Sudo } else { Right::None }
}

/// The commands that install what is missing, for who may run them.
fn commands(missing: &[&Need], right: Right) -> Vec<Vec<String>> {
    let mut packages: Vec<&str> = Vec::new();
    let mut components: Vec<&str> = Vec::new();
    for need in missing {
        match need.source {
            Source::Debian(names) => packages.extend(names),
            Source::Rustup(name) => components.push(name),
        }
    }
    let words = |before: &[&str], names: &[&str]| -> Vec<String> {
        before.iter().chain(names).map(|word| (*word).to_owned()).collect()
    };
    let mut commands = Vec::new();
    if !packages.is_empty() {
        let install = ["apt-get", "install", "-y", "--no-install-recommends"];
        for (tail, names) in [(&["apt-get", "update"][..], &[][..]), (&install[..], &packages[..])] {
            let mut command = words(tail, names);
            if !matches!(right, Right::Root) {
                command.insert(0, "sudo".into());
            }
            commands.push(command);
        }
    }
    if !components.is_empty() {
        commands.push(words(&["rustup", "component", "add"], &components));
    }
    commands
}

/// Runs an installing command; whether it helped is seen afterwards, by looking for the program.
fn attempt(program: &str, arguments: &[String]) {
    let mut command = Command::new(program);
    if program == "sudo" {
        command.args(["-n", "DEBIAN_FRONTEND=noninteractive"]);
    }
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    if let Err(failure) = shell::run(&mut command) {
        println!("{}", failure.untold().unwrap_or_default());
    }
}

fn explain(missing: &[&Need], right: Right) -> String {
    let mut text = String::from("this machine lacks:\n");
    for need in missing {
        text += &format!("  {} ({})\n", need.name, need.why);
    }
    text += "On Debian, install it with:\n";
    for command in commands(missing, right) {
        text += &format!("  {}\n", command.join(" "));
    }
    text.trim_end().to_owned()
}

/// Sees to Node.js and npm; where the system's are too old, newer ones go below the target folder.
pub(crate) fn node(checkout: &Checkout) -> Outcome {
    ensure(&[&NODE, &NPM])?;
    let is_new = || shell::output(checkout.command("node").args(["-e", NODE_PROBE])).is_ok();
    if is_new() {
        return Ok(());
    }
    println!("this machine's Node.js is too old; installing {NODE_VERSION} below the target folder");
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => {
            return Err(Failure::new(format!("{NODE_VERSIONS} is missing, and none is known for {other}")));
        }
    };
    shell::run(
        checkout
            .command("npm")
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(checkout.node_folder())
            .arg(format!("node@npm:node-linux-{architecture}@{NODE_VERSION}"))
            .arg(format!("npm@{NPM_VERSION}")),
    )?;
    if is_new() { Ok(()) } else { Err(Failure::new(format!("this machine lacks {NODE_VERSIONS}"))) }
}

/// The pinned cargo-deny, installed below the target folder so that nothing outside the checkout changes.
pub(crate) fn cargo_deny(checkout: &Checkout) -> Outcome<PathBuf> {
    let tools = checkout.target.join("tools");
    let program = tools.join("bin/cargo-deny");
    let found = shell::output(Command::new(&program).arg("--version")).unwrap_or_default();
    if found.split_whitespace().last() == Some(CARGO_DENY_VERSION) {
        return Ok(program);
    }
    println!("building cargo-deny {CARGO_DENY_VERSION} once; this takes some minutes");
    let build = tools.join("build");
    shell::run(
        checkout
            .cargo(&["install", "--locked", "--force", "--version", CARGO_DENY_VERSION, "cargo-deny"])
            .arg("--root")
            .arg(&tools)
            .arg("--target-dir")
            .arg(&build),
    )?;
    std::fs::remove_dir_all(&build).during(|| format!("cannot remove {}", build.display()))?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Need = Need {
        name: "a tool that nobody has",
        why: "to miss it",
        probes: &[&["whimbrel-no-such-program"]],
        source: Source::Debian(&["whimbrel-no-such-package"]),
    };

    #[test]
    fn what_is_missing_is_explained_with_commands_to_copy() {
        let lint = Need { source: Source::Rustup("clippy"), ..ABSENT };
        let needs = [&ABSENT, &lint];
        let text = explain(&absent(&needs), Right::None);
        for part in [
            "a tool that nobody has (to miss it)",
            "sudo apt-get update",
            "sudo apt-get install -y --no-install-recommends whimbrel-no-such-package",
            "rustup component add clippy",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!explain(&absent(&needs), Right::Root).contains("sudo"));
    }

    #[test]
    fn one_working_probe_is_enough() {
        let need = Need { probes: &[&["whimbrel-no-such-program"], &["true"]], ..ABSENT };
        assert!(absent(&[&need]).is_empty());
    }
}
