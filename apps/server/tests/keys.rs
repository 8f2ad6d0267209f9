//! The keyring of the built program: nothing readable on the disk, no start without it, and a mirror that stands in.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program look at its files and end by panicking"
)]

mod support;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use support::{App, Client, Options, Server, World, code, run, run_well, text, text_message, text_of};

const CANARY: &str = "canary-in-the-coal-mine";

/// Every file below a folder that holds these bytes.
fn holding(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(holding(&path, needle));
        } else if kind.is_file()
            && std::fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle)
        {
            found.push(path.display().to_string());
        }
    }
    found
}

fn canary_message(sequence: u32) -> Value {
    let mut message = text_message("alice", "bob", sequence, CANARY);
    message["CloudCustomData"] = json!(format!("custom {CANARY}"));
    message["OfflinePushInfo"] = json!({"PushFlag": 0, "Title": CANARY, "Desc": CANARY});
    message
}

#[tokio::test]
async fn no_content_stands_readable_on_the_disk_and_a_recalled_key_is_destroyed_on_demand() {
    let mut world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    for sequence in 1..=50 {
        let answer = alice.request("openim.sendmsg", &canary_message(sequence)).await;
        assert_eq!(code(&answer), 0, "{answer}");
    }
    let sent = alice.request("openim.sendmsg", &canary_message(51)).await;
    let recall = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": sent["MsgKey"]});
    assert_eq!(code(&world.rest("openim/admin_msgwithdraw", &recall).await), 0);
    let data = world.data();
    let shown = run_well(&["keys", "show", "--data", text(&data)]);
    assert!(shown.contains("generation  1"), "{shown}");
    let old = world.server.folder().path().join("old.keys");
    let copied =
        std::process::Command::new("cp").arg("-r").arg(data.with_file_name("data.keys")).arg(&old).status();
    assert!(copied.unwrap().success());
    let changed = run_well(&["keys", "change", "--data", text(&data)]);
    assert!(changed.contains("generation 2: the keys of 1 recalled messages"), "{changed}");
    let is_empty = |message: &&Value| text_of(message).is_empty();
    assert_eq!(alice.history("bob").await.iter().filter(is_empty).count(), 1, "recalled");
    assert!(world.server.stop().await.success());
    let root = world.server.folder();
    assert_eq!(holding(root.path(), CANARY.as_bytes()), Vec::<String>::new());
    // The key of the first generation was overwritten where it stood.
    let keys = root.path().join("data.keys");
    let key = |slot: u8| std::fs::read(keys.join(format!("key.{slot}"))).unwrap();
    assert!(key(1).iter().all(|byte| *byte == 0) && key(0).iter().any(|byte| *byte != 0));
    // An older copy, in which the recalled message's key lives, is not taken.
    let current = root.path().join("current.keys");
    std::fs::rename(&keys, &current).unwrap();
    std::fs::rename(&old, &keys).unwrap();
    let refused = run(&["app", "list", "--data", text(&data)]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("older than the data"), "{why}");
    std::fs::remove_dir_all(&keys).unwrap();
    std::fs::rename(&current, &keys).unwrap();
    let server = Server::start_in(root, Options::default()).await;
    let mut alice = Client::log_in(server.address(), &world.app, "alice").await;
    let history = alice.history("bob").await;
    assert_eq!(history.iter().filter(|message| text_of(message) == CANARY).count(), 50);
}

#[tokio::test]
async fn a_start_without_the_keyring_refuses_and_makes_none() {
    let mut world = World::start().await;
    world.accounts(&["alice"]).await;
    assert!(world.server.stop().await.success());
    let data = world.data();
    let keys = data.with_file_name("data.keys");
    let away = data.with_file_name("elsewhere");
    std::fs::rename(&keys, &away).unwrap();
    for _ in 0..2 {
        let refused = run(&["serve", "--data", text(&data), "--listen", "127.0.0.1:0"]);
        assert!(!refused.status.success());
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(why.contains("no keyring"), "{why}");
    }
    // That of other data is none either.
    let other = data.with_file_name("other");
    App::create(&other);
    std::fs::remove_dir_all(&keys).unwrap();
    std::fs::rename(data.with_file_name("other.keys"), &keys).unwrap();
    let refused = run(&["app", "list", "--data", text(&data)]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("belongs to other data"), "{why}");
    // And new data do not take what lies there.
    let new = data.with_file_name("new");
    std::fs::rename(&keys, data.with_file_name("new.keys")).unwrap();
    let refused = run(&["app", "list", "--data", text(&new)]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("belongs to other data"), "{why}");
    std::fs::rename(&away, &keys).unwrap();
    assert!(run_well(&["app", "list", "--data", text(&data)]).contains("1400000001"));
}

#[tokio::test]
async fn the_mirror_brings_back_what_the_keys_folder_held() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mirror = folder.path().join("mirror");
    let config = format!("[keys]\nmirror = {:?}\n", text(&mirror));
    let server = Server::start_in(folder.clone(), Options::config(&config)).await;
    let app = App::create(&server.data());
    let mut alice = Client::log_in(server.address(), &app, "alice").await;
    let message = text_message("alice", "alice", 1, CANARY);
    assert_eq!(code(&alice.request("openim.sendmsg", &message).await), 0);
    let folder = server.kill().await;
    std::fs::remove_dir_all(folder.path().join("data.keys")).unwrap();
    let server = Server::start_in(folder, Options::config(&config)).await;
    let mut alice = Client::log_in(server.address(), &app, "alice").await;
    assert_eq!(text_of(&alice.history("alice").await[0]), CANARY);
}

#[tokio::test]
async fn keys_never_lie_inside_the_data_and_the_outer_key_wraps_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let config = folder.path().join("whimbrel.toml");
    for (key, place) in [("folder", "data/keys"), ("mirror", "data")] {
        let place = folder.path().join(place);
        std::fs::write(&config, format!("[keys]\n{key} = {:?}\n", text(&place))).unwrap();
        let refused = run(&["app", "list", "--data", text(&data), "--config", text(&config)]);
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && why.contains("inside the data folder"), "{why}");
    }
    let outer = "0123456789abcdef".repeat(4);
    let with = |outer: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_whimbrel"));
        command.args(["app", "list", "--data", text(&data)]).env_remove("WHIMBREL_OUTER_KEY");
        if let Some(outer) = outer {
            command.env("WHIMBREL_OUTER_KEY", outer);
        }
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(with(Some(&outer)).0);
    assert!(with(Some(&outer)).0);
    let (opened, why) = with(None);
    assert!(!opened && why.contains("wrapped by an outer key"), "{why}");
    let (opened, why) = with(Some(&outer.replace('0', "1")));
    assert!(!opened && why.contains("another one"), "{why}");
    let (opened, why) = with(Some("short"));
    assert!(!opened && why.contains("64 hexadecimal digits") && !why.contains("short"), "{why}");
}

#[tokio::test]
async fn the_process_leaves_no_core_dump() {
    let world = World::start().await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", world.server.process())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
}
