//! Erasure and receipts with the built program: said by it, verified by it on another machine with nothing else.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests of the built program look at its files and end by panicking"
)]

mod support;

use support::{World, code, run, run_well, text, text_message};

#[tokio::test]
async fn an_erasure_is_told_exported_and_verified_with_nothing_but_the_key() {
    let mut world = World::start().await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    for sequence in 1..=20 {
        let sent = alice.request("openim.sendmsg", &text_message("alice", "bob", sequence, "hello")).await;
        assert_eq!(code(&sent), 0);
    }
    let (data, app) = (world.data(), world.app.id.to_string());
    let data = text(&data);
    let erased = run_well(&["account", "erase", "--data", data, "--sdkappid", &app, "--user", "alice"]);
    assert!(erased.contains("receipt     1"), "{erased}");
    assert!(alice.push().await.is_some(), "its logins are told that they are over");
    let key = run_well(&["receipts", "key", "--data", data]);
    run_well(&["keys", "change", "--data", data]);
    assert!(world.server.stop().await.success());
    // Rows are deleted by then, or with the next start.
    let listed = run_well(&["receipts", "list", "--data", data]);
    for stage in ["hidden", "unrecoverable"] {
        assert!(listed.contains(stage), "{listed}");
    }
    let exported = run_well(&["receipts", "export", "--data", data]);
    let folder = world.server.folder();
    let file = folder.path().join("receipts.jsonl");
    std::fs::write(&file, &exported).unwrap();
    let good = run_well(&["receipts", "verify", text(&file), "--key", key.trim()]);
    assert!(good.contains("good: ") && good.contains("what they do not prove"), "{good}");
    std::fs::write(&file, exported.replacen("hidden", "deleted", 1)).unwrap();
    let bad = run(&["receipts", "verify", text(&file), "--key", key.trim()]);
    assert!(!bad.status.success());
    assert!(String::from_utf8_lossy(&bad.stderr).contains("the signature does not fit"));
    support::check(&world.data());
}
