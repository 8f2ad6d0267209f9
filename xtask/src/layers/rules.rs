//! The table of the architecture: who stands where, and what may never depend on what.

/// A crate, by the place it has in the architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Model,
    Ports,
    Promise,
    Fulltext,
    Engine,
    Command,
    Commands,
    Gateway,
    Testkit,
    Fuzzing,
    Simulator,
    Adapters,
    Apps,
    Xtask,
}

use Layer::{
    Adapters, Apps, Command, Commands, Engine, Fulltext, Fuzzing, Gateway, Model, Ports, Promise, Simulator,
    Testkit, Xtask,
};

/// Everything of ours.
const ALL: &[Layer] = &[
    Model, Ports, Promise, Fulltext, Engine, Command, Commands, Gateway, Testkit, Simulator, Adapters, Apps,
    Xtask,
];
/// Everything above the ports.
const ENGINE_AND_UP: &[Layer] =
    &[Engine, Command, Commands, Gateway, Testkit, Simulator, Adapters, Apps, Xtask];

/// Speaks HTTP or WebSocket.
const HTTP: &[&str] = &[
    "actix-web",
    "axum",
    "http",
    "http-body-util",
    "hyper",
    "hyper-util",
    "reqwest",
    "tiny_http",
    "tokio-tungstenite",
    "tower-http",
    "tungstenite",
    "ureq",
    "warp",
];

/// Speaks to one kind of store; each belongs to one adapter.
pub(super) const DRIVERS: &[&str] = &[
    "aws-sdk-s3",
    "fjall",
    "fred",
    "mongodb",
    "mysql_async",
    "opendal",
    "rdkafka",
    "redb",
    "redis",
    "rocksdb",
    "rusqlite",
    "sqlx",
];

/// An adapter whose store speaks HTTP, with what it may speak it by.
pub(super) const OVER_HTTP: &[(&str, &[&str])] = &[("adapters/s3", &["http", "reqwest"])];

/// A row of the table.
pub(super) struct Rule {
    /// Whom it binds.
    pub(super) of: Layer,
    /// Crates of ours that it may not depend on.
    pub(super) never: &'static [Layer],
    /// Crates of others that it may not depend on, by kind.
    pub(super) never_outside: &'static [&'static [&'static str]],
    /// Said to whoever breaks it.
    pub(super) because: &'static str,
}

/// The whole table: one row for every layer.
pub(super) const RULES: &[Rule] = &[
    Rule {
        of: Model,
        never: ALL,
        never_outside: &[&["tokio"], HTTP, DRIVERS],
        because: "model is pure data and rules: nothing of ours, no runtime, no driver",
    },
    Rule {
        of: Ports,
        never: ENGINE_AND_UP,
        never_outside: &[HTTP, DRIVERS],
        because: "ports names what is needed from outside, and knows nobody who needs it",
    },
    Rule {
        of: Promise,
        never: ENGINE_AND_UP,
        never_outside: &[HTTP, DRIVERS],
        because: "promise stands below the engine",
    },
    Rule {
        of: Fulltext,
        never: ALL,
        never_outside: &[&["tokio"], HTTP, DRIVERS],
        because: "words and indexes are pure: nothing of ours, no runtime, no driver",
    },
    Rule {
        of: Engine,
        never: &[Command, Commands, Gateway, Testkit, Simulator, Adapters, Apps, Xtask],
        never_outside: &[HTTP, DRIVERS],
        because: "the engine holds rules; it is called by commands and jobs and reaches out by ports",
    },
    Rule {
        of: Command,
        never: &[Commands, Gateway, Testkit, Simulator, Adapters, Apps, Xtask],
        never_outside: &[HTTP, DRIVERS],
        because: "the pipeline knows no command and no transport",
    },
    Rule {
        of: Commands,
        never: &[Commands, Gateway, Testkit, Simulator, Adapters, Apps, Xtask],
        never_outside: &[HTTP, DRIVERS],
        because: "what two commands share belongs to the engine, and a command knows no transport and no store",
    },
    Rule {
        of: Gateway,
        never: &[Commands, Testkit, Simulator, Adapters, Apps, Xtask],
        never_outside: &[DRIVERS],
        because: "the gateway gets a table of commands and knows none of them",
    },
    Rule {
        of: Adapters,
        never: &[Engine, Command, Commands, Gateway, Testkit, Simulator, Adapters, Apps, Xtask],
        never_outside: &[HTTP],
        because: "an adapter fulfils ports and stands alone",
    },
    Rule {
        of: Testkit,
        never: &[Commands, Simulator, Apps, Xtask],
        never_outside: &[DRIVERS],
        because: "commands test with the test kit over stores in memory; it must not bring in another command",
    },
    Rule {
        of: Fuzzing,
        never: ALL,
        never_outside: &[HTTP, DRIVERS],
        because: "tests of every layer use it, so it knows none of them",
    },
    Rule {
        of: Simulator,
        never: &[Apps, Xtask],
        never_outside: &[DRIVERS],
        because: "the simulator runs the real code over simulated stores",
    },
    Rule {
        of: Apps,
        never: &[Testkit, Simulator, Apps, Xtask],
        never_outside: &[DRIVERS],
        because: "an app is what one runs: it carries no test code, and nothing builds on it",
    },
    Rule { of: Xtask, never: ALL, never_outside: &[DRIVERS], because: "the developer's tool stands outside" },
];

/// Who may see both commands and adapters.
pub(super) const SEE_BOTH: &[&str] = &["apps/server", "crates/simulator"];

/// Where a folder stands; a crate that stands nowhere is itself a violation.
pub(super) fn layer(folder: &str) -> Option<Layer> {
    let table = [
        ("crates/model", Model),
        ("crates/ports", Ports),
        ("crates/promise", Promise),
        ("crates/fulltext", Fulltext),
        ("crates/engine", Engine),
        ("crates/command", Command),
        ("crates/gateway", Gateway),
        ("crates/testkit", Testkit),
        ("crates/fuzzing", Fuzzing),
        ("crates/simulator", Simulator),
        ("xtask", Xtask),
    ];
    let inside = [("commands/", Commands), ("adapters/", Adapters), ("apps/", Apps)];
    table
        .iter()
        .find(|(path, _)| *path == folder)
        .or_else(|| inside.iter().find(|(path, _)| folder.starts_with(path)))
        .map(|(_, layer)| *layer)
}
