//! `cargo xtask layers`: what may never depend on what.
//!
//! The table stands in [`rules`]. Edges are read from `cargo metadata`; build dependencies count as
//! normal ones. A development dependency obeys the same table for crates of ours, except that everything may test with
//! the test kit and, whatever its layer, with what varies inputs.

mod rules;

use crate::failure::{Failure, Outcome};
use crate::shell::Checkout;
use rules::Layer::{self, Adapters, Commands, Fuzzing, Testkit, Xtask};
use rules::{DRIVERS, OVER_HTTP, RULES, Rule, SEE_BOTH, layer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A crate of the workspace: its folder and the names of what it depends on.
#[derive(Clone, Debug, Default)]
struct Crate {
    folder: String,
    normal: BTreeSet<String>,
    development: BTreeSet<String>,
}

type Crates = BTreeMap<String, Crate>;

/// Fails if a crate depends on what it may not.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Outcome {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    check(&Checkout::find()?)
}

/// Fails if a crate of this checkout depends on what it may not.
pub(crate) fn check(checkout: &Checkout) -> Outcome {
    let crates = crates(&checkout.metadata, &checkout.root)?;
    let violations = violations(&crates);
    if violations.is_empty() {
        println!("{} crates keep to their layers", crates.len());
        return Ok(());
    }
    Err(Failure::new(format!("{} edges are not allowed:\n  {}", violations.len(), violations.join("\n  "))))
}

fn crates(metadata: &Value, root: &Path) -> Outcome<Crates> {
    let unreadable = || Failure::new("cargo metadata has no packages in the expected form");
    let mut crates = Crates::new();
    for package in metadata["packages"].as_array().ok_or_else(unreadable)? {
        let name = package["name"].as_str().ok_or_else(unreadable)?;
        let manifest = package["manifest_path"].as_str().ok_or_else(unreadable)?;
        let folder = Path::new(manifest).parent().and_then(|folder| folder.strip_prefix(root).ok());
        let mut found = Crate {
            folder: folder.ok_or_else(unreadable)?.to_string_lossy().into_owned(),
            ..Crate::default()
        };
        for dependency in package["dependencies"].as_array().ok_or_else(unreadable)? {
            let on = dependency["name"].as_str().ok_or_else(unreadable)?.to_owned();
            let development = dependency["kind"].as_str() == Some("dev");
            if development {
                found.development.insert(on)
            } else {
                found.normal.insert(on)
            };
        }
        crates.insert(name.to_owned(), found);
    }
    Ok(crates)
}

/// A line for every edge that is not allowed.
fn violations(crates: &Crates) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, found) in crates {
        let Some(rule) = layer(&found.folder).and_then(|layer| RULES.iter().find(|rule| rule.of == layer))
        else {
            lines.push(format!(
                "{}: has no place in the architecture; give it one in layers.rs",
                found.folder
            ));
            continue;
        };
        for on in &found.normal {
            if is_forbidden(crates, rule, on, false) && !speaks_by(&found.folder, on) {
                lines.push(format!("{} depends on {on}: {}", found.folder, rule.because));
            }
        }
        for on in &found.development {
            if is_forbidden(crates, rule, on, true) {
                lines.push(format!("{} tests with {on}: {}", found.folder, rule.because));
            }
        }
        if !SEE_BOTH.contains(&found.folder.as_str()) && sees_both(crates, name) {
            lines.push(format!(
                "{} sees commands and adapters: only {} may",
                found.folder,
                SEE_BOTH.join(", ")
            ));
        }
    }
    lines.extend(shared_drivers(crates));
    lines
}

fn is_forbidden(crates: &Crates, rule: &Rule, on: &str, in_tests: bool) -> bool {
    match crates.get(on).and_then(|found| layer(&found.folder)) {
        Some(Testkit) if in_tests => rule.of == Xtask,
        Some(Fuzzing) => !in_tests,
        // The stores in memory are the oracle of the others.
        Some(Adapters) if in_tests && rule.of == Adapters => false,
        Some(layer) => rule.never.contains(&layer),
        None => !in_tests && rule.never_outside.iter().any(|names| names.contains(&on)),
    }
}

/// Whether an adapter's store is spoken to by this.
fn speaks_by(folder: &str, on: &str) -> bool {
    OVER_HTTP.iter().any(|(adapter, names)| *adapter == folder && names.contains(&on))
}

/// Whether a crate reaches both a command and an adapter, over any number of edges.
fn sees_both(crates: &Crates, name: &str) -> bool {
    let mut reached = BTreeSet::new();
    let mut next = vec![name];
    while let Some(name) = next.pop() {
        if let Some(found) = crates.get(name)
            && reached.insert(name)
        {
            next.extend(found.normal.iter().map(String::as_str));
        }
    }
    let reaches = |wanted: Layer| {
        reached.iter().any(|name| crates.get(*name).and_then(|found| layer(&found.folder)) == Some(wanted))
    };
    reaches(Commands) && reaches(Adapters)
}

/// A line for every driver that two adapters share.
fn shared_drivers(crates: &Crates) -> Vec<String> {
    let users = |driver: &str| {
        let uses = |found: &&Crate| found.folder.starts_with("adapters/") && found.normal.contains(driver);
        crates.values().filter(uses).map(|found| found.folder.as_str()).collect::<Vec<_>>()
    };
    let shared = DRIVERS.iter().map(|driver| (driver, users(driver))).filter(|(_, users)| users.len() > 1);
    shared
        .map(|(driver, users)| format!("{driver} belongs to one adapter, not to {}", users.join(" and ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A house in order: every crate with the edges it may have.
    const HOUSE: &[(&str, &[&str], &[&str])] = &[
        ("crates/fuzzing", &["bolero"], &[]),
        ("crates/model", &["serde"], &["fuzzing"]),
        ("crates/ports", &["model"], &[]),
        ("crates/promise", &["model", "ports"], &[]),
        ("crates/engine", &["promise", "tokio"], &["testkit"]),
        ("crates/command", &["engine"], &[]),
        ("crates/gateway", &["command", "hyper"], &["testkit"]),
        ("crates/testkit", &["gateway"], &[]),
        ("crates/simulator", &["testkit", "message"], &[]),
        ("commands/account", &["command"], &["testkit"]),
        ("commands/message", &["command"], &["testkit", "tokio"]),
        ("adapters/embedded", &["ports", "fjall"], &["tempfile", "fuzzing"]),
        ("adapters/redis", &["ports", "fred"], &["testkit"]),
        ("adapters/s3", &["ports", "opendal", "reqwest"], &[]),
        ("apps/server", &["message", "embedded", "hyper"], &[]),
        ("apps/loadgen", &["model", "hyper"], &[]),
        ("xtask", &["tiny_http"], &[]),
    ];

    fn house() -> Crates {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let found = |(folder, normal, development): &(&str, &[&str], &[&str])| {
            let name = folder.rsplit('/').next().unwrap_or(folder).to_owned();
            (name, Crate { folder: (*folder).into(), normal: set(normal), development: set(development) })
        };
        HOUSE.iter().map(found).collect()
    }

    #[test]
    fn a_house_in_order_passes() {
        assert_eq!(violations(&house()), Vec::<String>::new());
    }

    #[test]
    fn every_planted_edge_is_found() {
        let planted = [
            ("model", "ports"),
            ("model", "tokio"),
            ("ports", "engine"),
            ("promise", "gateway"),
            ("engine", "command"),
            ("engine", "hyper"),
            ("engine", "fjall"),
            ("engine", "embedded"),
            ("command", "account"),
            ("message", "account"),
            ("message", "gateway"),
            ("message", "embedded"),
            ("message", "axum"),
            ("message", "testkit"),
            ("gateway", "message"),
            ("gateway", "embedded"),
            ("embedded", "engine"),
            ("embedded", "redis"),
            ("redis", "fjall"),
            ("redis", "reqwest"),
            ("s3", "hyper"),
            ("testkit", "message"),
            ("loadgen", "server"),
            ("server", "testkit"),
            ("xtask", "model"),
            ("fuzzing", "model"),
            ("promise", "fuzzing"),
            ("server", "fuzzing"),
        ];
        for (from, to) in planted {
            let mut crates = house();
            if let Some(found) = crates.get_mut(from) {
                found.normal.insert(to.into());
            }
            let found = violations(&crates);
            assert!(
                found.iter().any(|line| line.contains(to) || line.contains("sees")),
                "{from} to {to}: {found:?}"
            );
        }
    }

    #[test]
    fn tests_may_use_the_test_kit_and_nothing_else_from_above() {
        for (to, good) in
            [("testkit", true), ("fuzzing", true), ("hyper", true), ("account", false), ("embedded", false)]
        {
            let mut crates = house();
            if let Some(found) = crates.get_mut("message") {
                found.development.insert(to.into());
            }
            assert_eq!(violations(&crates).is_empty(), good, "{to}");
        }
    }

    #[test]
    fn only_two_see_commands_and_adapters_also_by_a_detour() {
        let mut crates = house();
        if let Some(found) = crates.get_mut("loadgen") {
            found.normal.extend(["message".into(), "embedded".into()]);
        }
        assert!(violations(&crates).iter().any(|line| line.contains("loadgen sees commands and adapters")));
    }

    #[test]
    fn a_crate_without_a_place_is_refused() {
        let mut crates = house();
        crates.insert("util".into(), Crate { folder: "crates/util".into(), ..Crate::default() });
        assert!(violations(&crates).iter().any(|line| line.contains("crates/util: has no place")));
    }

    #[test]
    fn reads_what_cargo_says() {
        let metadata = serde_json::json!({"packages": [{
            "name": "engine", "manifest_path": "/house/crates/engine/Cargo.toml",
            "dependencies": [
                {"name": "promise", "kind": null}, {"name": "testkit", "kind": "dev"}, {"name": "cc", "kind": "build"},
            ],
        }]});
        let crates = crates(&metadata, Path::new("/house")).unwrap_or_default();
        let engine = &crates["engine"];
        assert_eq!(engine.folder, "crates/engine");
        assert!(engine.normal.contains("cc") && engine.normal.contains("promise"));
        assert!(engine.development.contains("testkit"));
    }
}
