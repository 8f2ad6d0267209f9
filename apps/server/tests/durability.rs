//! Acknowledged means synced: with a slow disk the answer waits for the sync, with a failing one there is none.
//!
//! The page cache survives a kill, so only the system calls themselves show the difference. `strace` delays them or
//! lets them fail.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program measure the one time that matters and end by panicking"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use support::{App, Client, Options, Server, World, code, text_message, text_of};

/// How long a sync takes at least.
const DELAY: Duration = Duration::from_millis(300);

/// Runs the server under strace with one injection; what was injected goes to a file.
fn under_strace(trace: &Path, injection: &str) -> Vec<String> {
    let words = [
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-e",
        "trace=fdatasync,fsync",
        "-e",
        injection,
        "-e",
        "signal=none",
        "-o",
        support::text(trace),
    ];
    words.map(str::to_owned).to_vec()
}

#[tokio::test]
async fn no_acknowledgement_comes_before_the_sync() {
    let traces = tempfile::tempdir().unwrap();
    let options = Options {
        wrapper: under_strace(&traces.path().join("trace"), "inject=fdatasync:delay_exit=300000"),
        ..Options::default()
    };
    let world = World::with(options).await;
    world.accounts(&["bob"]).await;
    let mut alice = world.log_in("alice").await;
    for sequence in 1..=3 {
        let sent_at = Instant::now();
        let message = text_message("alice", "bob", sequence, "synced");
        let answer = alice.request("openim.sendmsg", &message).await;
        assert_eq!(code(&answer), 0, "{answer}");
        let waited = sent_at.elapsed();
        assert!(waited >= DELAY, "acknowledged after {waited:?}");
    }
    // Many at once share a sync, and all of them wait for it.
    let sent_at = Instant::now();
    for sequence in 10..30 {
        let message = text_message("alice", "bob", sequence, "synced together");
        alice.send("openim.sendmsg", &message).await.expect("a connection");
    }
    for _ in 10..30 {
        let (_, answer) = alice.any_answer().await.expect("an answer");
        assert_eq!(code(&answer), 0, "{answer}");
        let waited = sent_at.elapsed();
        assert!(waited >= DELAY, "acknowledged after {waited:?}");
    }
    for (command, body) in [
        ("openim/sendmsg", text_message("bob", "alice", 1, "from the back end")),
        ("im_open_login_svc/account_import", json!({"UserID": "carol"})),
        (
            "profile/portrait_set",
            json!({"From_Account": "bob", "ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": "Bob"}]}),
        ),
        ("sns/black_list_add", json!({"From_Account": "bob", "To_Account": ["alice"]})),
    ] {
        let sent_at = Instant::now();
        let answer = world.rest(command, &body).await;
        assert_eq!(code(&answer), 0, "{command}: {answer}");
        let waited = sent_at.elapsed();
        assert!(waited >= DELAY, "{command}: acknowledged after {waited:?}");
    }
}

/// How many syncs of the trace succeeded, and how many failed.
fn syncs(trace: &str) -> (usize, usize) {
    let of = |good: bool| {
        trace
            .lines()
            .filter(|line| line.contains("fdatasync(") || line.contains("fdatasync resumed"))
            .filter(|line| !line.contains("unfinished"))
            .filter(|line| line.contains("EIO") != good)
            .count()
    };
    (of(true), of(false))
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_acknowledged_and_the_next_start_recovers() {
    let traces = tempfile::tempdir().unwrap();
    let trace = traces.path().join("trace");
    let mut server = Server::start(Options {
        wrapper: under_strace(&trace, "inject=fdatasync:error=EIO:when=40+"),
        ..Options::default()
    })
    .await;
    let app = App::create(&server.data());
    let mut alice = Client::log_in(server.address(), &app, "alice").await;
    let mut bob = Client::log_in(server.address(), &app, "bob").await;
    let mut acknowledged = 0;
    for sequence in 1..100 {
        let message = text_message("alice", "bob", sequence, &format!("number {sequence}"));
        let Some(seq) = alice.send("openim.sendmsg", &message).await else {
            break;
        };
        // One at a time: every acknowledgement has its own sync.
        let Some(answer) = alice.answer(seq).await else {
            break;
        };
        if code(&answer) != 0 {
            assert!(alice.answer(u64::MAX).await.is_none(), "the server ends");
            break;
        }
        acknowledged = sequence;
    }
    assert!((1..99).contains(&acknowledged), "{acknowledged}: syncs began to fail");
    assert_eq!(bob.end().await, None, "the process ended, it did not close");
    let status = server.ended().await;
    assert_eq!(status.code(), Some(70), "{status}: {}", server.log());
    let log = server.log();
    let says_why = |line: &str| line.starts_with("whimbrel: the store failed and ends the process:");
    assert!(log.lines().any(says_why), "{log}");
    let (succeeded, failed) = syncs(&std::fs::read_to_string(&trace).unwrap());
    assert!(failed >= 1, "the injection was reached");
    assert!(succeeded >= usize::try_from(acknowledged).unwrap());

    support::check(&server.data());
    let server = Server::start_in(Arc::clone(&server.folder()), Options::default()).await;
    let mut alice = Client::come_back(server.address(), alice.identity.clone()).await;
    let mut bob = Client::come_back(server.address(), bob.identity.clone()).await;
    for (client, peer) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        let history = client.history(peer).await;
        let texts: Vec<&str> = history.iter().map(text_of).collect();
        let expected: Vec<String> = (1..=texts.len()).map(|number| format!("number {number}")).collect();
        assert_eq!(texts, expected);
        let surplus = texts.len() - usize::try_from(acknowledged).unwrap();
        assert!(surplus <= 1, "{surplus}: at most the one that got no answer");
    }
    let again = text_message("alice", "bob", acknowledged + 1, &format!("number {}", acknowledged + 1));
    assert_eq!(code(&alice.request("openim.sendmsg", &again).await), 0);
    let count = alice.history("bob").await.len();
    assert_eq!(count, usize::try_from(acknowledged).unwrap() + 1);
}

#[tokio::test]
async fn a_stop_that_cannot_flush_says_so_and_ends_all_the_same() {
    let mut world = World::start().await;
    world.accounts(&["bob"]).await;
    let answer = world.rest("openim/sendmsg", &text_message("bob", "bob", 1, "stored")).await;
    assert_eq!(code(&answer), 0, "{answer}");
    // No table can be made any more, as on a disk that went away.
    std::fs::remove_dir_all(world.data().join("store")).unwrap();
    let status = world.server.stop().await;
    assert!(!status.success(), "{status}");
    let log = world.server.log();
    assert!(log.lines().last().is_some_and(|line| line.starts_with("whimbrel: ")), "{log}");
}
