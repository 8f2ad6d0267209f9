//! The audit of the built program: clean after everything was used, and not blind.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests of the built program look at its files and end by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::{World, code, run, run_well, text, text_message};

const CANARY: &str = "canary-in-every-field";

fn audit(data: &str, more: &[&str]) -> (bool, Value) {
    let output = run(&[&["audit", "--data", data, "--json"], more].concat());
    let report = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.success(), report)
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
    run_well(&["account", "erase", "--data", data, "--sdkappid", &app, "--user", "carol"]);
    run_well(&["keys", "change", "--data", data]);
    assert!(world.server.stop().await.success());
    let (is_clean, report) = audit(data, &["--search", CANARY]);
    assert!(is_clean, "{report}");
    assert_eq!((&report["unknown"], &report["found"]), (&json!([]), &json!([])));
    assert_eq!(report["classes"]["Message"]["items"], 30);
    assert_eq!(report["sealed"], json!({"items": 31, "keys_gone": 0}), "messages and a profile");
    for class in ["Message", "Account", "Configuration", "Profile", "Log", "Monitoring"] {
        assert!(report["classes"][class]["items"].as_u64() > Some(0), "{class}: {report}");
        assert_eq!(report["classes"][class]["overdue"], 0, "{class}");
    }
    // Names are not sealed: an audit that finds nothing would be blind.
    let (is_clean, report) = audit(data, &["--search", "administrator"]);
    assert!(!is_clean && report["found"][0]["form"] == "plain", "{report}");
    // A file and a segment that nobody knows, and one whose time is over.
    std::fs::write(format!("{data}/notes.txt"), CANARY).unwrap();
    std::fs::write(format!("{data}/segments/1-1-7"), b"").unwrap();
    std::fs::write(format!("{data}/segments/5-1-7"), b"").unwrap();
    let (is_clean, report) = audit(data, &["--search", CANARY]);
    assert!(!is_clean);
    assert_eq!(report["unknown"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(report["classes"]["Log"]["overdue"], 1);
    assert_eq!(report["found"], json!([{"text": 0, "form": "plain", "where": "notes.txt"}]));
}
