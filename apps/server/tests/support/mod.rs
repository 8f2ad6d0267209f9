//! What the tests of the built program share: a server on a folder of its own, a REST client, a socket client.
//!
//! Every wait has a bound, and everything that was started ends when it is dropped, also after a failed assertion.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests of the built program start it, talk to it and end by panicking; none of them uses everything"
)]

pub(crate) mod process;
pub(crate) mod rest;
pub(crate) mod socket;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::usersig::{self, SecretKey};
use model::{SdkAppId, Seconds, UserId};
use serde_json::{Value, json};

pub(crate) use process::{Options, Server};
pub(crate) use socket::Client;

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_whimbrel"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

/// Runs the program to its end; it must succeed. Returns what it printed.
pub(crate) fn run_well(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Verifies a stopped store, which must be sound.
pub(crate) fn check(data: &Path) {
    let output = run(&["check", "--data", text(data)]);
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "the store is not sound: {found}{errors}");
}

/// A path as text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The time of the system, in seconds.
pub(crate) fn now() -> Seconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Seconds(u32::try_from(since.as_secs()).expect("before 2106"))
}

/// An app as its back end knows it.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) id: u32,
    pub(crate) key: String,
    pub(crate) administrator: String,
}

impl App {
    /// Creates an app, through the running server if there is one.
    pub(crate) fn create(data: &Path) -> Self {
        let printed = run_well(&["app", "create", "--data", text(data), "--name", "test", "--json"]);
        let created: Value = serde_json::from_str(&printed).expect("JSON");
        let field = |name: &str| created[name].as_str().expect(name).to_owned();
        Self {
            id: u32::try_from(created["SDKAppID"].as_u64().expect("SDKAppID")).expect("32 bits"),
            key: field("Key"),
            administrator: field("Administrator"),
        }
    }

    /// Changes a setting.
    pub(crate) fn set(&self, data: &Path, setting: &str) {
        let app = self.id.to_string();
        run_well(&["app", "set", "--data", text(data), "--sdkappid", &app, setting]);
    }

    /// A valid signature for an account.
    pub(crate) fn sign(&self, user: &str) -> String {
        self.sign_at(user, now(), 86_400)
    }

    /// A signature made at a time, for a time.
    pub(crate) fn sign_at(&self, user: &str, made_at: Seconds, expire_seconds: u32) -> String {
        let key = SecretKey::new(self.key.clone());
        let user = UserId::new(user).expect("a UserID");
        usersig::sign(SdkAppId(self.id), &key, &user, made_at, expire_seconds).expect("a signature")
    }
}

/// A server with one app whose back end may call as often as it likes.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) app: App,
}

impl World {
    /// Starts with the default configuration.
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// Starts with options.
    pub(crate) async fn with(options: Options) -> Self {
        let server = Server::start(options).await;
        let app = App::create(&server.data());
        app.set(&server.data(), "rest_calls_per_second=1000000");
        Self { server, app }
    }

    /// Makes accounts.
    pub(crate) async fn accounts(&self, names: &[&str]) {
        for part in names.chunks(100) {
            let answer =
                self.rest("im_open_login_svc/multiaccount_import", &json!({ "Accounts": part })).await;
            assert_eq!(answer["ErrorCode"], 0, "{answer}");
            assert_eq!(answer["FailAccounts"], json!([]), "{answer}");
        }
    }

    /// Makes numbered accounts; returns their names.
    pub(crate) async fn numbered_accounts(&self, count: usize) -> Vec<String> {
        let names: Vec<String> = (0..count).map(|number| format!("user{number}")).collect();
        let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
        self.accounts(&borrowed).await;
        names
    }

    /// Calls a command as the administrator.
    pub(crate) async fn rest(&self, command: &str, body: &Value) -> Value {
        rest::call(self.server.address(), &self.app, command, body).await
    }

    /// Connects an account and logs it in.
    pub(crate) async fn log_in(&self, user: &str) -> Client {
        Client::log_in(self.server.address(), &self.app, user).await
    }

    /// The folder of the data.
    pub(crate) fn data(&self) -> PathBuf {
        self.server.data()
    }
}

/// The number of an error, 0 for success.
pub(crate) fn code(answer: &Value) -> i64 {
    answer["ErrorCode"].as_i64().unwrap_or_else(|| panic!("no ErrorCode: {answer}"))
}

/// A message of one text.
pub(crate) fn text_message(from: &str, to: &str, sequence: u32, content: &str) -> Value {
    json!({
        "From_Account": from,
        "To_Account": to,
        "MsgSeq": sequence,
        "MsgRandom": sequence.wrapping_mul(2_654_435_761),
        "MsgClientTime": now().0,
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": content}}],
    })
}

/// The text of a message as it comes back.
pub(crate) fn text_of(message: &Value) -> &str {
    message["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap_or_else(|| panic!("no text: {message}"))
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice that always fall the same way.
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}
