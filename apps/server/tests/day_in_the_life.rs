//! A day in the life, and the months after it: texts in every field that is stored, then everything that ends them, each step
//! followed by an audit and by a scan of all bytes that knows nothing of the program.
//!
//! The program runs on a clock that the test moves (Debian's libfaketime): nobody waits.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program look at its files and end by panicking"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use serde_json::{Value, json};
use support::{App, Client, Options, PATIENCE, Server, code, text};

const DAY: u32 = 86_400;

/// What a sealed field holds: on no disk at any time, in no form.
const SEALED: &[&str] = &[
    "sealed-text-of-alice",
    "sealed-custom-data",
    "sealed-push-title",
    "sealed-image-address",
    "sealed-file-name",
    "sealed-sound-address",
    "sealed-video-address",
    "sealed-place",
    "sealed-face-data",
    "sealed-merged-title",
    "sealed-batch-text",
    "sealed-imported-text",
    "sealed-recalled-text",
    "sealed-nick",
    "sealed-signature",
    "sealed-own-field",
    "sealed-text-of-bob",
    "sealed-text-of-another-app",
    "sealed-hold-reason",
    "sealed-imported-nick",
    "sealed-face-address",
    "sealed-custom-status",
];

/// What lies there as it is while its account exists: names, and what an account set for its conversations.
const OPEN: &[&str] = &["open-name-of-alice", "open-contact-custom", "open-client-name"];

/// The names of the accounts.
const ALICE: &str = "open-name-of-alice";
const BOB: &str = "name-of-bob";

/// Servers on one folder, one after the other, on a clock that the test moves.
struct Life {
    root: Arc<tempfile::TempDir>,
    server: Option<Server>,
    config: String,
    /// How far the clock is ahead of the real one, in seconds.
    ahead: u32,
}

impl Life {
    async fn begin() -> Self {
        let root = Arc::new(tempfile::tempdir().unwrap());
        let mirror = root.path().join("mirror");
        let config = format!("[keys]\nmirror = \"{}\"\n", text(&mirror));
        let mut life = Self { root, server: None, config, ahead: 0 };
        life.set_clock();
        life.start().await;
        life
    }

    fn clock_file(&self) -> PathBuf {
        self.root.path().join("clock")
    }

    /// Writes what libfaketime reads at every look at the clock. The new file is there at once, whole.
    fn set_clock(&self) {
        let beside = self.root.path().join("clock.new");
        std::fs::write(&beside, format!("+{}s\n", self.ahead)).unwrap();
        std::fs::rename(beside, self.clock_file()).unwrap();
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", library()),
            ("FAKETIME_TIMESTAMP_FILE", text(&self.clock_file()).to_owned()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
    }

    async fn start(&mut self) {
        let options =
            Options { config: self.config.clone(), environment: self.environment(), ..Options::default() };
        self.server = Some(Server::start_in(self.root.clone(), options).await);
    }

    async fn stop(&mut self) {
        let mut server = self.server.take().unwrap();
        assert!(server.stop().await.success());
    }

    async fn crash(&mut self) {
        self.server.take().unwrap().kill().await;
    }

    async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// The time that the server sees.
    fn now(&self) -> u32 {
        support::now().0 + self.ahead
    }

    /// Moves the clock to a second; a running server sees it at once.
    fn move_to(&mut self, second: u32) {
        self.ahead += second.checked_sub(self.now()).expect("the clock goes forward");
        self.set_clock();
    }

    /// Moves it to the beginning of the next day.
    fn move_to_midnight(&mut self) {
        self.move_to((self.now() / DAY + 1) * DAY);
    }

    /// Waits until a receipt says so.
    async fn settle(&self, receipt: &str) {
        let began = Instant::now();
        while !self.run(&["receipts", "list"]).contains(receipt) {
            assert!(began.elapsed() < PATIENCE, "rows are not deleted");
            tokio::task::yield_now().await;
        }
    }

    fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// Runs a command line on the data, on the same clock.
    fn command(&self, words: &[&str]) -> std::process::Output {
        let (data, config) = (self.data(), self.root.path().join("whimbrel.toml"));
        std::process::Command::new(env!("CARGO_BIN_EXE_whimbrel"))
            .args(words)
            .args(["--data", text(&data), "--config", text(&config)])
            .envs(self.environment())
            .output()
            .unwrap()
    }

    fn run(&self, words: &[&str]) -> String {
        let output = self.command(words);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {errors}{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).unwrap()
    }

    fn create_app(&self, name: &str, more: &[&str]) -> App {
        let printed = self.run(&[&["app", "create", "--name", name, "--json"], more].concat());
        let created: Value = serde_json::from_str(&printed).unwrap();
        let app = App {
            id: u32::try_from(created["SDKAppID"].as_u64().unwrap()).unwrap(),
            key: created["Key"].as_str().unwrap().to_owned(),
            administrator: created["Administrator"].as_str().unwrap().to_owned(),
        };
        let id = app.id.to_string();
        let settings = ["rest_calls_per_second=1000000", "custom_user_fields=Test:string"];
        self.run(&[&["app", "set", "--sdkappid", &id], &settings[..]].concat());
        app
    }

    /// A REST call, with a signature of the server's time.
    async fn rest(&self, app: &App, command: &str, body: Value) -> Value {
        let signature = app.sign_at(&app.administrator, model::Seconds(self.now()), DAY);
        let query = support::rest::query(app, &app.administrator, &signature);
        let target = format!("/v4/{command}?{query}");
        support::rest::post(self.server().address(), &target, body.to_string().as_bytes()).await
    }

    async fn rest_well(&self, app: &App, command: &str, body: Value) -> Value {
        let answer = self.rest(app, command, body).await;
        assert_eq!(code(&answer), 0, "{command}: {answer}");
        answer
    }

    async fn log_in(&self, app: &App, user: &str) -> Client {
        let signature = app.sign_at(user, model::Seconds(self.now()), DAY);
        Client::log_in_with(self.server().address(), app, user, &signature, "open-client-name").await
    }

    /// How many messages a back end sees between two accounts.
    async fn history(&self, app: &App, one: &str, other: &str) -> usize {
        let asked = json!({
            "Operator_Account": one, "Peer_Account": other, "MaxCnt": 100, "MinTime": 0, "MaxTime": u32::MAX,
        });
        let answer = self.rest_well(app, "openim/admin_getroammsg", asked).await;
        answer["MsgList"].as_array().unwrap().len()
    }

    /// The audit is clean, and so is a scan that knows nothing of the program: nothing of what is sealed is there in any
    /// form, nor is any of `gone`. What is `left` is found, so neither is blind.
    fn assert_clean(&self, when: &str, gone: &[&str], left: &[&str]) -> Value {
        let searches: Vec<&str> = SEALED.iter().chain(gone).flat_map(|text| ["--search", text]).collect();
        let output = self.command(&[&["audit", "--json"], &searches[..]].concat());
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{when}: {error} {}", String::from_utf8_lossy(&output.stderr)));
        assert!(output.status.success(), "{when}: {report}");
        assert_eq!((&report["unknown"], &report["found"]), (&json!([]), &json!([])), "{when}");
        let found = self.holding(&[SEALED, gone].concat());
        assert!(found.is_empty(), "{when}: {found:?}");
        let found = self.holding(left);
        let missing: Vec<&&str> = left.iter().filter(|text| !found.contains_key(**text)).collect();
        assert!(missing.is_empty(), "{when}: {missing:?} should be there");
        report
    }

    /// Waits until the files hold none of these any more: a purge works beside everything else.
    fn wait_until_gone(&self, when: &str, gone: &[&str]) {
        let began = Instant::now();
        while !self.holding(gone).is_empty() {
            let where_they_are = self.holding(gone);
            let log = self.server.as_ref().map(Server::log).unwrap_or_default();
            // A purge rests a while after the one before.
            assert!(began.elapsed() < PATIENCE * 4, "{when}: {where_they_are:?} stay\n{log}");
            std::thread::yield_now();
        }
    }

    /// Waits until the audit says that no removal is left in the files. The files' times are real, the clock is not: a stopped
    /// store would seem to have waited for days.
    fn wait_until_purged(&self) {
        let began = Instant::now();
        loop {
            let report: Value = serde_json::from_str(&self.run(&["audit", "--json"])).unwrap();
            if report["purge_due"].is_null() {
                return;
            }
            assert!(began.elapsed() < PATIENCE * 4, "{report}");
            std::thread::yield_now();
        }
    }

    /// Which of these texts the files of data, keys and logs hold, as they are, in base64 or in UTF-16, and where.
    fn holding<'a>(&self, needles: &[&'a str]) -> BTreeMap<&'a str, BTreeSet<PathBuf>> {
        let forms: Vec<(&str, Vec<u8>)> =
            needles.iter().flat_map(|needle| forms(needle).into_iter().map(|form| (*needle, form))).collect();
        let patterns = AhoCorasick::new(forms.iter().map(|(_, form)| form)).unwrap();
        let mut found: BTreeMap<&str, BTreeSet<PathBuf>> = BTreeMap::new();
        for path in files(self.root.path()) {
            let bytes = std::fs::read(&path).unwrap_or_default();
            for hit in patterns.find_overlapping_iter(&bytes) {
                found.entry(forms[hit.pattern().as_usize()].0).or_default().insert(path.clone());
            }
        }
        found
    }
}

/// The library that moves the clock of a program.
fn library() -> String {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(Result::unwrap);
    let library = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = library.filter(|path| path.exists()).map(|path| text(&path).to_owned()).next();
    found.expect("libfaketime (Debian's package faketime); cargo xtask test installs it")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(items) = std::fs::read_dir(folder) else { return found };
    for item in items.filter_map(Result::ok) {
        let path = item.path();
        match item.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&path)),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    found
}

fn forms(needle: &str) -> Vec<Vec<u8>> {
    let wide = |bytes: fn(u16) -> [u8; 2]| needle.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let mut forms = vec![needle.as_bytes().to_vec(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
    for shift in 0..3 {
        // Without the letters that depend on what stands around it.
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&needle.as_bytes()[shift..]);
        forms.push(encoded.as_bytes()[..encoded.len() - 2].to_vec());
    }
    forms
}

fn element(kind: &str, content: Value) -> Value {
    json!({"MsgType": kind, "MsgContent": content})
}

fn text_element(content: &str) -> Value {
    element("TIMTextElem", json!({"Text": content}))
}

/// A message of every kind, with a text in every field.
fn messages() -> Vec<Value> {
    let image =
        json!({"Type": 1, "Size": 1, "Width": 1, "Height": 1, "URL": "https://a/sealed-image-address"});
    vec![
        text_element("sealed-text-of-alice"),
        element("TIMImageElem", json!({"UUID": "u", "ImageFormat": 1, "ImageInfoArray": [image]})),
        element("TIMFileElem", json!({"FileName": "sealed-file-name", "Url": "https://a/f"})),
        element("TIMSoundElem", json!({"Url": "https://a/sealed-sound-address", "Second": 1})),
        element("TIMVideoFileElem", json!({"VideoUrl": "https://a/sealed-video-address"})),
        element("TIMLocationElem", json!({"Desc": "sealed-place", "Latitude": 1.0, "Longitude": 1.0})),
        element("TIMFaceElem", json!({"Index": 1, "Data": "sealed-face-data"})),
        element("TIMRelayElem", json!({"Title": "sealed-merged-title", "MsgList": []})),
    ]
}

fn outgoing(from: &str, to: &str, random: u32, element: &Value) -> Value {
    json!({
        "From_Account": from, "To_Account": to, "MsgSeq": random, "MsgRandom": random,
        "MsgBody": [element], "CloudCustomData": "sealed-custom-data",
        "OfflinePushInfo": {"PushFlag": 0, "Title": "sealed-push-title"},
    })
}

/// Texts in every field of every command that stores something. Returns the key of the message that will be recalled.
async fn use_everything(life: &Life, app: &App) -> Value {
    life.rest_well(app, "im_open_login_svc/multiaccount_import", json!({"Accounts": [ALICE, BOB]})).await;
    let import =
        json!({"UserID": BOB, "Nick": "sealed-imported-nick", "FaceUrl": "https://a/sealed-face-address"});
    life.rest_well(app, "im_open_login_svc/account_import", import).await;
    for (random, element) in (1..).zip(messages()) {
        life.rest_well(app, "openim/sendmsg", outgoing(ALICE, BOB, random, &element)).await;
    }
    let recalled = outgoing(ALICE, BOB, 100, &text_element("sealed-recalled-text"));
    let recalled = life.rest_well(app, "openim/sendmsg", recalled).await["MsgKey"].clone();
    life.rest_well(app, "openim/sendmsg", outgoing(BOB, ALICE, 101, &text_element("sealed-text-of-bob")))
        .await;
    let mut batch = outgoing(ALICE, BOB, 102, &text_element("sealed-batch-text"));
    batch["To_Account"] = json!([BOB]);
    life.rest_well(app, "openim/batchsendmsg", batch).await;
    let mut import = outgoing(ALICE, BOB, 103, &text_element("sealed-imported-text"));
    import["SyncFromOldSystem"] = json!(5);
    import["MsgTimeStamp"] = json!(life.now() - 3600);
    life.rest_well(app, "openim/importmsg", import).await;
    let fields = [
        ("Tag_Profile_IM_Nick", "sealed-nick"),
        ("Tag_Profile_IM_SelfSignature", "sealed-signature"),
        ("Tag_Profile_Custom_Test", "sealed-own-field"),
    ];
    let items: Vec<Value> = fields.iter().map(|(tag, value)| json!({"Tag": tag, "Value": value})).collect();
    life.rest_well(app, "profile/portrait_set", json!({"From_Account": ALICE, "ProfileItem": items})).await;
    let mut alice = life.log_in(app, ALICE).await;
    let item = json!({"Type": 1, "To_Account": BOB});
    let mark = json!({"OptType": 3, "ContactItem": item, "CustomMark": "open-contact-custom"});
    let marked = alice
        .request("recentcontact.mark_contact", &json!({"From_Account": ALICE, "MarkItem": [mark]}))
        .await;
    assert_eq!(code(&marked), 0, "{marked}");
    let status = json!({"CustomStatus": "sealed-custom-status"});
    let said = alice.request("im_open_status.ws_set_custom_status", &status).await;
    assert_eq!(code(&said), 0, "{said}");
    let block = json!({"From_Account": BOB, "To_Account": [ALICE]});
    life.rest_well(app, "sns/black_list_add", block.clone()).await;
    life.rest_well(app, "sns/black_list_delete", block).await;
    let watch = json!({"Operator_Account": ALICE, "To_Account": [BOB]});
    let watched = alice.request("im_open_status.ws_status_subscribe", &watch).await;
    assert!(watched["ErrorCode"].is_i64(), "{watched}");
    let read = json!({"Report_Account": BOB, "Peer_Account": ALICE});
    life.rest_well(app, "openim/admin_set_msg_read", read).await;
    recalled
}

/// A legal hold, a recall, a change of keys, and a crash. Returns what names the hold.
async fn hold_recall_and_crash(life: &mut Life, app: &App, recalled: &Value) -> String {
    let id = app.id.to_string();
    let words = ["hold", "begin", "--sdkappid", &id, "--user", BOB];
    let why = ["--reason", "sealed-hold-reason", "--reference", "CASE-1"];
    let hold: Value = serde_json::from_str(&life.run(&[&words[..], &why].concat())).unwrap();
    let recall = json!({"From_Account": ALICE, "To_Account": BOB, "MsgKey": recalled});
    life.rest_well(app, "openim/admin_msgwithdraw", recall).await;
    life.run(&["keys", "change"]);
    let report = life.assert_clean("after a recall", &[], OPEN);
    // The recalled message is emptied a moment later; until then its key is gone.
    let [items, gone] = ["items", "keys_gone"].map(|name| report["sealed"][name].as_u64().unwrap());
    assert_eq!(items - gone, 28, "{report}");
    assert_eq!((&report["holds"], &report["preserved_copies"]), (&json!(1), &json!(13)), "{report}");
    life.crash().await;
    life.assert_clean("after a crash", &[], OPEN);
    life.start().await;
    assert_eq!(life.history(app, BOB, ALICE).await, 12);
    hold["hold"].as_str().unwrap().to_owned()
}

/// A backup, then an erasure whose keys are still there when the disk is lost, then a restore.
async fn erase_and_restore(life: &mut Life, app: &App) {
    let aside = tempfile::tempdir().unwrap();
    let backup = aside.path().join("backup");
    life.run(&["backup", text(&backup)]);
    life.run(&["account", "erase", "--sdkappid", &app.id.to_string(), "--user", ALICE]);
    let told = life.run(&["receipts", "export"]);
    assert!(told.contains("copies under legal hold CASE-1") && !told.contains(ALICE), "{told}");
    // What was removed one by one leaves the files when the day is over.
    life.settle("deleted  account").await;
    life.move_to_midnight();
    life.wait_until_gone("after an erasure", OPEN);
    life.assert_clean("after an erasure", OPEN, &[BOB]);
    life.stop().await;
    std::fs::remove_dir_all(life.data()).unwrap();
    life.run(&["restore", "--from", text(&backup)]);
    life.start().await;
    life.settle("deleted  account").await;
    life.move_to_midnight();
    life.wait_until_gone("after a restore", OPEN);
    life.assert_clean("after a restore", OPEN, &[BOB]);
    let known = json!({"CheckItem": [{"UserID": ALICE}, {"UserID": BOB}]});
    let known = life.rest_well(app, "im_open_login_svc/account_check", known).await;
    assert_eq!(known["ResultItem"][0]["AccountStatus"], "NotImported", "{known}");
    assert_eq!(known["ResultItem"][1]["AccountStatus"], "Imported", "{known}");
}

/// What the hold keeps is read by who asks for it, until it ends.
fn end_hold(life: &Life, hold: &str) {
    let copies = life.run(&["hold", "read", "--hold", hold, "--reason", "a test"]);
    for kept in ["sealed-text-of-alice", "sealed-text-of-bob", "sealed-file-name"] {
        assert!(copies.contains(kept), "{kept}: {copies}");
    }
    assert!(life.run(&["hold", "accesses"]).contains("a test"));
    life.run(&["hold", "end", "--hold", hold]);
    life.run(&["keys", "change"]);
    life.assert_clean("after the hold", OPEN, &[BOB]);
    let nothing = life.run(&["hold", "read", "--hold", hold, "--reason", "a test"]);
    assert_eq!(nothing, "");
}

/// Seven days: never a minute early, and an hour after its bucket's end nothing of it is overdue.
async fn live_seven_days(life: &mut Life, other: &App, began: u32) {
    life.move_to(began + 7 * DAY - 60);
    life.restart().await;
    assert!(life.history(other, "x", "other-account").await > 0, "a minute before");
    life.move_to(began + 7 * DAY + 60);
    assert_eq!(life.history(other, "x", "other-account").await, 0);
    life.move_to(began / DAY * DAY + 8 * DAY + 3600);
    life.restart().await;
    let report = life.assert_clean("after seven days", OPEN, &[BOB]);
    for medium in ["text", "photo", "file", "audio", "video"] {
        assert!(report["classes"][format!("message {medium}")].is_null(), "{medium}: {report}");
    }
}

/// An app that is terminated is gone two calendar months later; its receipts stay.
async fn terminate(life: &mut Life, other: &App) {
    life.run(&["app", "terminate", "--sdkappid", &other.id.to_string(), "--name", "terminated"]);
    life.restart().await;
    life.move_to(life.now() + 62 * DAY);
    life.restart().await;
    life.settle("unrecoverable  app").await;
    life.move_to_midnight();
    life.wait_until_gone("after a termination", &["other-account"]);
    life.assert_clean("after a termination", &["other-account"], &[BOB]);
    let file = life.root.path().join("receipts.jsonl");
    std::fs::write(&file, life.run(&["receipts", "export"])).unwrap();
    let key = life.run(&["receipts", "key"]);
    let good = support::run_well(&["receipts", "verify", text(&file), "--key", key.trim()]);
    assert!(good.contains("good:"), "{good}");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_in_every_field_go_when_they_are_promised_to_and_not_before() {
    let mut life = Life::begin().await;
    let (app, other) = (life.create_app("first", &[]), life.create_app("terminated", &[]));
    let began = life.now();
    let recalled = use_everything(&life, &app).await;
    let accounts = json!({"Accounts": ["other-account", "x"]});
    life.rest_well(&other, "im_open_login_svc/multiaccount_import", accounts).await;
    let message = outgoing("other-account", "x", 1, &text_element("sealed-text-of-another-app"));
    life.rest_well(&other, "openim/sendmsg", message).await;
    life.assert_clean("after everything was used", &[], OPEN);
    let hold = hold_recall_and_crash(&mut life, &app, &recalled).await;
    erase_and_restore(&mut life, &app).await;
    end_hold(&life, &hold);
    live_seven_days(&mut life, &other, began).await;
    terminate(&mut life, &other).await;
    life.wait_until_purged();
    life.stop().await;
    life.assert_clean("after the last stop", &["other-account"], &[BOB]);
}
