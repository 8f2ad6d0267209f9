//! The drill: the data disk is lost, and everything but what was erased comes back from backup and mirror.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests of the built program look at its files and end by panicking"
)]

mod support;

use serde_json::json;
use support::{App, Client, Options, Server, World, code, run, run_well, text, text_message, text_of};

/// Everything but what was recalled and erased is there.
async fn assert_what_came_back(server: &Server, app: &App) {
    let mut bob = Client::log_in(server.address(), app, "bob").await;
    let history = bob.history("alice").await;
    assert_eq!(history.iter().filter(|message| text_of(message) == "kept").count(), 19);
    assert_eq!(history.len(), 20, "the recalled one keeps its place, without its text");
    let check = json!({"CheckItem": [{"UserID": "carol"}, {"UserID": "alice"}]});
    let known = support::rest::call(server.address(), app, "im_open_login_svc/account_check", &check).await;
    let states: Vec<&str> = known["ResultItem"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["AccountStatus"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["NotImported", "Imported"]);
}

#[tokio::test]
async fn a_lost_data_disk_comes_back_from_backup_and_mirror_without_what_was_erased_since() {
    let mirrors = tempfile::tempdir().unwrap();
    let mirror = mirrors.path().join("mirror");
    let config = format!("[keys]\nmirror = \"{}\"\n", text(&mirror));
    let mut world = World::with(Options::config(&config)).await;
    world.accounts(&["bob", "carol"]).await;
    let (mut alice, mut carol) = (world.log_in("alice").await, world.log_in("carol").await);
    let mut recalled = json!(null);
    for sequence in 1..=20 {
        let sent = alice.request("openim.sendmsg", &text_message("alice", "bob", sequence, "kept")).await;
        assert_eq!(code(&sent), 0);
        recalled = sent["MsgKey"].clone();
    }
    let secret = text_message("carol", "bob", 1, "to be erased");
    assert_eq!(code(&carol.request("openim.sendmsg", &secret).await), 0);
    let data = world.data();
    let config_file = mirrors.path().join("c.toml");
    std::fs::write(&config_file, &config).unwrap();
    let (data, config_path) = (text(&data), text(&config_file));
    let backup = mirrors.path().join("backup");
    let said = run_well(&["backup", text(&backup), "--data", data, "--config", config_path]);
    assert!(said.contains("no keys"), "{said}");
    let again = run(&["backup", text(&backup), "--data", data, "--config", config_path]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"));
    // What happens after the backup: a recall, an erasure, and messages that will be lost with the disk.
    let recall = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": recalled});
    assert_eq!(code(&world.rest("openim/admin_msgwithdraw", &recall).await), 0);
    let app = world.app.id.to_string();
    run_well(&[
        "account",
        "erase",
        "--data",
        data,
        "--config",
        config_path,
        "--sdkappid",
        &app,
        "--user",
        "carol",
    ]);
    run_well(&["keys", "change", "--data", data, "--config", config_path]);
    assert!(world.server.stop().await.success());
    let folder = world.server.folder();
    std::fs::remove_dir_all(data).unwrap();
    std::fs::remove_dir_all(format!("{data}.keys")).unwrap();
    let restored = run_well(&["restore", "--from", text(&backup), "--data", data, "--config", config_path]);
    assert!(restored.contains("1 accounts that were erased since are erased again"), "{restored}");
    let twice = run(&["restore", "--from", text(&backup), "--data", data, "--config", config_path]);
    assert!(String::from_utf8_lossy(&twice.stderr).contains("is there already"));
    support::check(std::path::Path::new(data));
    let server = Server::start_in(folder, Options::config(&config)).await;
    assert_what_came_back(&server, &world.app).await;
}

#[tokio::test]
async fn a_backup_without_a_mirror_is_refused_unless_the_loss_is_accepted() {
    let world = World::start().await;
    let data = world.data();
    let to = data.with_file_name("backup");
    let refused = run(&["backup", text(&to), "--data", text(&data)]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("keys.mirror"));
    assert!(!to.exists());
    run_well(&["backup", text(&to), "--data", text(&data), "--without-mirror"]);
    // A file that was cut, or changed, is none.
    let store = to.join("store.backup");
    let whole = std::fs::read(&store).unwrap();
    let other = data.with_file_name("other");
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    std::fs::create_dir_all(data.with_file_name("other.keys")).unwrap();
    for bad in [&whole[..whole.len() - 1], &whole[..whole.len() / 2], &changed, b"nothing"] {
        std::fs::write(&store, bad).unwrap();
        let refused = run(&["restore", "--from", text(&to), "--data", text(&other)]);
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && why.contains("the backup"), "{why}");
        std::fs::remove_dir_all(&other).unwrap();
    }
}
