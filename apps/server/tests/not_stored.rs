//! An app that stores no messages: not one byte of them at rest, during and after many of them.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests of the built program look at its files and end by panicking"
)]

mod support;

use std::path::Path;

use serde_json::json;
use support::{World, code, run_well, soon, text, text_message};

const MESSAGES: u32 = 100_000;

/// As many as may run at once on a connection.
const AT_ONCE: u32 = 32;

const CANARY: &str = "canary-that-is-not-stored";
/// Its base64, where it begins a text.
const CANARY_BASE64: &str = "Y2FuYXJ5LXRoYXQtaXMtbm90LXN0b3Jl";

/// How many files below a folder hold one of these texts.
fn holding(folder: &Path, needles: &[&str]) -> usize {
    let mut count = 0;
    for item in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = item.path();
        let kind = item.file_type().unwrap();
        if kind.is_dir() {
            count += holding(&path, needles);
        } else if kind.is_file() {
            // One that the engine deletes meanwhile holds nothing.
            let bytes = std::fs::read(&path).unwrap_or_default();
            let holds = |needle: &&str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            count += usize::from(needles.iter().any(holds));
        }
    }
    count
}

/// Changes the retention of messages, as an operator does.
fn keep_messages(world: &World, days: &str) {
    let (data, app) = (world.data(), world.app.id.to_string());
    let target = ["app", "retention", "--data", text(&data), "--sdkappid", &app];
    let proposal = run_well(&[&target[..], &["--message-days", days]].concat());
    let token = proposal.trim().rsplit(' ').next().unwrap().to_owned();
    let applied = run_well(&[&target[..], &["--apply", &token]].concat());
    assert!(applied.contains("in effect"), "{applied}");
    let shown = run_well(&target);
    assert!(shown.contains("operator  from messages 7 days"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_messages_leave_nothing_on_the_disk() {
    let mut world = World::start().await;
    world.accounts(&["bob"]).await;
    // The needle finds what is there: the same text, stored unsealed in a place that is not.
    let probe = world.server.folder().path().join("probe");
    std::fs::write(&probe, CANARY).unwrap();
    let needles = [CANARY, CANARY_BASE64];
    assert_eq!(holding(world.server.folder().path(), &needles), 1);
    std::fs::remove_file(&probe).unwrap();
    keep_messages(&world, "0");
    let mut alice = world.log_in("alice").await;
    let nobody = alice.request("openim.sendmsg", &text_message("alice", "bob", 1, CANARY)).await;
    assert_eq!(code(&nobody), 200_008, "{nobody}");
    let mut bob = world.log_in("bob").await;
    let reader = tokio::spawn(async move {
        for _ in 0..MESSAGES {
            bob.push().await.unwrap();
        }
        bob
    });
    let mut during = 0;
    for wave in 0..MESSAGES / AT_ONCE {
        let mut asked = Vec::new();
        for number in 0..AT_ONCE {
            let number = 2 + wave * AT_ONCE + number;
            let mut message = text_message("alice", "bob", number, &format!("{CANARY} {number}"));
            message["CloudCustomData"] = json!(CANARY);
            asked.push(alice.send("openim.sendmsg", &message).await.unwrap());
        }
        for seq in asked {
            let answer = alice.answer(seq).await.unwrap();
            assert_eq!(code(&answer), 0, "{answer}");
        }
        if wave % 500 == 250 {
            during += holding(world.server.folder().path(), &needles);
        }
    }
    let mut bob = soon("every push", reader).await.unwrap();
    assert_eq!(during, 0);
    assert_eq!(bob.history("alice").await.len(), 0);
    assert!(world.server.stop().await.success());
    assert_eq!(holding(world.server.folder().path(), &needles), 0);
    assert!(!world.server.log().contains(CANARY));
}
