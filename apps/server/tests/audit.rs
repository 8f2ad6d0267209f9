//! The audit of the built program, running and stopped: clean after everything was used, and not blind.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests of the built program look at its files and end by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::{Options, World, code, run, run_well, text, text_message};

const CANARY: &str = "canary-in-every-field";

fn audit(data: &str, more: &[&str]) -> (bool, Value) {
    let output = run(&[&["audit", "--data", data, "--json"], more].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.success(), report)
}

fn is_clean(report: &Value) -> bool {
    let nothing = json!([]);
    report["clean"] == true && report["unknown"] == nothing && report["found"] == nothing
}

/// The names of everything in a report.
fn names(report: &Value) -> Vec<&String> {
    report.as_object().unwrap().keys().collect()
}

#[tokio::test]
async fn an_audit_knows_everything_that_is_at_rest_and_finds_what_should_not_be() {
    let mut world = World::start().await;
    world.accounts(&["bob", "carol"]).await;
    let mut alice = world.log_in("alice").await;
    for sequence in 1..=30 {
        let mut message = text_message("alice", "bob", sequence, CANARY);
        message["CloudCustomData"] = json!(CANARY);
        assert_eq!(code(&alice.request("openim.sendmsg", &message).await), 0);
    }
    let nick = json!([{"Tag": "Tag_Profile_IM_Nick", "Value": CANARY}]);
    let profile = json!({"From_Account": "alice", "ProfileItem": nick});
    assert_eq!(code(&alice.request("profile.portrait_set", &profile).await), 0);
    let block = json!({"From_Account": "alice", "To_Account": ["carol"]});
    assert_eq!(code(&alice.request("sns.black_list_add", &block).await), 0);
    let (data, app) = (world.data(), world.app.id.to_string());
    let data = text(&data);
    // The running server says the same of itself as its folder does later.
    let (is_good, running) = audit(data, &["--search", CANARY]);
    assert!(is_good && is_clean(&running), "{running}");
    assert_eq!(running["classes"]["message text"]["items"], 30);
    assert_eq!(running["sealed"]["keys_gone"], 0);
    assert!(running["sealed"]["items"].as_u64() >= Some(31), "messages and a profile: {running}");
    let (is_good, found) = audit(data, &["--search", "administrator"]);
    assert!(!is_good && found["found"][0]["form"] == "plain", "{found}");
    run_well(&["account", "erase", "--data", data, "--sdkappid", &app, "--user", "carol"]);
    run_well(&["keys", "change", "--data", data]);
    assert!(world.server.stop().await.success());
    let (is_good, report) = audit(data, &["--search", CANARY]);
    assert!(is_good && is_clean(&report), "{report}");
    assert_eq!(names(&report), names(&running));
    assert_eq!(report["classes"]["message text"]["items"], 30);
    assert_eq!(report["sealed"]["keys_gone"], 0);
    assert!(report["sealed"]["items"].as_u64() >= Some(31), "messages and a profile: {report}");
    assert!(report["sealed"]["blocks"].as_u64() >= Some(2), "of the log and of minutes: {report}");
    for class in ["message text", "account", "configuration", "profile", "log", "monitoring"] {
        assert!(report["classes"][class]["items"].as_u64() > Some(0), "{class}: {report}");
        assert_eq!(report["classes"][class]["overdue"], 0, "{class}");
    }
    // Names are not sealed: an audit that finds nothing would be blind.
    let (is_good, report) = audit(data, &["--search", "administrator"]);
    assert!(!is_good && report["found"][0]["form"] == "plain", "{report}");
    // A file and a segment that nobody knows, and one whose time is over.
    std::fs::write(format!("{data}/notes.txt"), CANARY).unwrap();
    std::fs::write(format!("{data}/segments/1-1-7"), b"").unwrap();
    std::fs::write(format!("{data}/segments/5-1-7"), b"").unwrap();
    let (is_good, report) = audit(data, &["--search", CANARY]);
    assert!(!is_good);
    assert_eq!(report["unknown"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(report["classes"]["log"]["overdue"], 1);
    assert_eq!(report["found"], json!([{"text": 0, "form": "plain", "where": "notes.txt"}]));
}

#[tokio::test]
async fn a_running_server_is_audited_in_words_and_finds_what_does_not_belong_there() {
    let world = World::start().await;
    let data = world.data();
    let data = text(&data);
    let said = run_well(&["audit", "--data", data]);
    assert!(said.lines().any(|line| line.starts_with("keyring: generation ")), "{said}");
    assert!(said.lines().any(|line| line == "unknown: 0"), "{said}");
    let packed = lz4_flex::block::compress_prepend_size(CANARY.repeat(20).as_bytes());
    std::fs::write(format!("{data}/notes.lz4"), packed).unwrap();
    let (is_good, report) = audit(data, &["--search", CANARY]);
    assert!(!is_good);
    assert_eq!(report["unknown"], json!(["file notes.lz4"]));
    let found = json!({"text": 0, "form": "plain", "where": "notes.lz4, packed"});
    assert!(report["found"].as_array().unwrap().contains(&found), "{report}");
    // Neither a text that is found anywhere nor another keyring is looked at.
    let too_short = run(&["audit", "--data", data, "--search", "short"]);
    assert!(String::from_utf8_lossy(&too_short.stderr).contains("at least 6 bytes"));
    let elsewhere = world.data().with_file_name("elsewhere");
    let other = run(&["audit", "--data", data, "--keyring", text(&elsewhere)]);
    assert!(String::from_utf8_lossy(&other.stderr).contains("not that of the running server"));
}

#[tokio::test]
async fn both_places_of_the_keyring_are_looked_at_and_compared() {
    let mirrors = tempfile::tempdir().unwrap();
    let mirror = mirrors.path().join("mirror");
    let config = format!("[keys]\nmirror = {:?}\n", text(&mirror));
    let mut world = World::with(Options::config(&config)).await;
    let config_file = mirrors.path().join("c.toml");
    std::fs::write(&config_file, &config).unwrap();
    let data = world.data();
    let (data, config) = (text(&data), ["--config", text(&config_file)]);
    let generations = |report: &Value| {
        let places = report["keyring"].as_array().unwrap().iter();
        places.map(|place| place["generation"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let (is_good, report) = audit(data, &config);
    assert!(is_good && report["same_generation"] == true, "{report}");
    let former = generations(&report);
    assert_eq!(former.len(), 2);
    let without = run(&["audit", "--data", data, "--json"]);
    assert!(!without.status.success(), "the mirror is not left out");
    assert!(String::from_utf8_lossy(&without.stderr).contains("keys.mirror"));
    // A copy of the mirror comes back after its keys were destroyed.
    let kept: Vec<_> = ["key.0", "key.1", "ring.0", "ring.1"]
        .into_iter()
        .filter_map(|name| Some((mirror.join(name), std::fs::read(mirror.join(name)).ok()?)))
        .collect();
    assert!(world.server.stop().await.success());
    run_well(&["keys", "change", "--data", data, "--config", config[1]]);
    std::fs::remove_dir_all(&mirror).unwrap();
    std::fs::create_dir(&mirror).unwrap();
    for (path, bytes) in kept {
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::write(mirror.join("old.key"), b"").unwrap();
    let (is_good, report) = audit(data, &config);
    assert!(!is_good && report["same_generation"] == false, "{report}");
    let now = generations(&report);
    assert!(now[0] > former[0] && now[1] == former[1], "{former:?} {now:?}");
    assert_eq!(report["unknown"], json!(["file old.key of the keyring's mirror"]));
}
