//! Every key of the configuration, what it may be and what it means.

/// What a key's value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A whole number between these.
    Number(u64, u64),
    /// True or false.
    Switch,
    /// A text.
    Text,
    /// Texts; in the environment separated by commas.
    List,
}

/// A configuration key.
pub(crate) struct Key {
    /// Section and name, joined by a dot.
    pub(crate) name: &'static str,
    /// What it may be.
    pub(crate) kind: Kind,
    /// What it is if nothing is said.
    pub(crate) default: &'static str,
    /// What it means.
    pub(crate) meaning: &'static str,
}

const fn key(name: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Key {
    Key { name, kind, default, meaning }
}

/// Every key.
pub(crate) const KEYS: &[Key] = &[
    key("server.listen", Kind::Text, "127.0.0.1:8080", "Where to listen, if the command line does not say."),
    key(
        "server.public_address",
        Kind::Text,
        "",
        "Where the server is reached from outside, such as https://chat.example.com: what addresses of files in answers begin \
         with. Empty: `http://` and the Host that the request names.",
    ),
    key(
        "server.worker_threads",
        Kind::Number(0, 1024),
        "0",
        "Threads that serve connections; 0 means one fewer than the machine has, since the store's writer needs one.",
    ),
    key(
        "server.notice_seconds",
        Kind::Number(0, 3600),
        "0",
        "How long a stop waits in any case, while /readyz answers 503: balancers have to hear of it first. Three behind HAProxy.",
    ),
    key("server.drain_seconds", Kind::Number(0, 3600), "20", "How long a stop waits for clients to leave."),
    key(
        "server.metrics_public",
        Kind::Switch,
        "false",
        "Whether /metrics answers other addresses than this machine's own.",
    ),
    key(
        "server.proxies",
        Kind::List,
        "",
        "Addresses or networks (such as 10.0.0.0/8) of balancers. Each of their connections has to begin with the PROXY protocol, which \
         says who the client is; connections from elsewhere are taken as they are.",
    ),
    key("tls.listen", Kind::Text, "", "Where to listen for connections with TLS; empty: nowhere."),
    key(
        "tls.certificate",
        Kind::Text,
        "",
        "The certificate's file (PEM), with those between it and the root. A new one is taken within seconds, or at once on SIGHUP.",
    ),
    key("tls.key", Kind::Text, "", "The file of its private key (PEM)."),
    key(
        "storage.free_bytes_min",
        Kind::Number(0, u64::MAX),
        "268435456",
        "Below this much free space nothing new is stored (error 200002); reading, settings and deletions go on.",
    ),
    key(
        "keys.folder",
        Kind::Text,
        "",
        "The folder of the keyring, never inside the data folder; empty: the data folder's name with `.keys` behind it.",
    ),
    key(
        "keys.mirror",
        Kind::Text,
        "",
        "A second place for the keyring, on another disk or machine; empty: none. Without keyring nothing can be read.",
    ),
    key(
        "keys.generation_hours",
        Kind::Number(1, 24),
        "24",
        "How long recalled and expired content, and that of deleted accounts, can still be recovered by whoever has the keyring.",
    ),
    key(
        "floors.message_days",
        Kind::Number(0, 3650),
        "0",
        "For how many days a law demands that copies of messages be kept, whatever an app chose; 0: none does.",
    ),
    key(
        "floors.message_basis",
        Kind::Text,
        "",
        "That law, as receipts and documents name it. Without it a floor stops the start.",
    ),
    key("floors.profile_days", Kind::Number(0, 3650), "0", "The same for profiles, from each change on."),
    key("floors.profile_basis", Kind::Text, "", "That law."),
    key(
        "floors.log_days",
        Kind::Number(0, 3650),
        "0",
        "The same for the request log, from each request on. Only more than 7 days have an effect.",
    ),
    key("floors.log_basis", Kind::Text, "", "That law."),
    key("floors.apps", Kind::List, "", "The SDKAppIDs that floors apply to; empty: all."),
    key(
        "search.opened_bytes_max",
        Kind::Number(1 << 20, 1 << 40),
        "268435456",
        "Memory for indexes of messages that stay open. What is searched and does not fit is read from the disk each time.",
    ),
    key(
        "search.accounts_bytes_max",
        Kind::Number(1 << 20, 1 << 40),
        "268435456",
        "Memory for names and nicknames of accounts, of apps in which somebody searches them. Answers say what did not fit.",
    ),
    key("log.level", Kind::Text, "info", "What goes to standard error: error, warn, info, debug or trace."),
    key(
        "limits.connections_per_address_max",
        Kind::Number(1, 1_000_000),
        "10000",
        "Open connections of one address.",
    ),
    key(
        "limits.unauthenticated_per_address_max",
        Kind::Number(1, 1_000_000),
        "256",
        "Open connections of one address that have not logged in.",
    ),
    key(
        "limits.frame_bytes_max",
        Kind::Number(16_384, 1 << 26),
        "1048576",
        "Bytes of one frame from a client, inflated if it is compressed.",
    ),
    key(
        "limits.compress_bytes_min",
        Kind::Number(0, 1 << 26),
        "2048",
        "Frames to clients that can inflate are compressed from so many bytes on; 0: none is.",
    ),
    key(
        "limits.body_bytes_max",
        Kind::Number(16_384, 1 << 26),
        "2097152",
        "Bytes of the body of a REST call.",
    ),
    key(
        "limits.requests_in_flight_max",
        Kind::Number(13, 10_000),
        "32",
        "Requests of one connection that run at the same time; further ones wait. A client starts with 13.",
    ),
    key(
        "limits.outbox_bytes_max",
        Kind::Number(65_536, 1 << 30),
        "1048576",
        "Bytes that may wait for one client; beyond it the client is told to synchronise and closed.",
    ),
    key(
        "limits.header_seconds_max",
        Kind::Number(1, 600),
        "10",
        "How long the header of a request may take.",
    ),
    key("limits.body_seconds_max", Kind::Number(1, 600), "30", "How long the body of a REST call may take."),
    key(
        "limits.silence_seconds_max",
        Kind::Number(20, 3600),
        "75",
        "How long a client may be silent. Clients send a heartbeat after 10 seconds of silence.",
    ),
    key("limits.write_seconds_max", Kind::Number(1, 600), "10", "How long a write to a client may take."),
    key(
        "limits.origins",
        Kind::List,
        "",
        "Origins (https://example.com) from which browsers may connect; empty: any.",
    ),
];
