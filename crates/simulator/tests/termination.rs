//! An app that is terminated: refused at once, erased two calendar months later, never a number again.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use model::{ConversationId, SdkAppId};
use promise::receipts::{Scope, Stage, verify};
use serde_json::json;
use testkit::{Device, World};

const DAY: u64 = 86_400;

async fn world() -> World {
    let world = World::new(simulator::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world.send("alice", "bob", "hello").await;
    world.nick("alice", "Alice").await;
    world
}

#[tokio::test(start_paused = true)]
async fn it_is_refused_at_once_and_back_when_that_is_taken_back() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    world.engine().terminate_app(world.app.id).await.unwrap();
    world
        .rest("im_open_login_svc/account_check", json!({"CheckItem": [{"UserID": "alice"}]}))
        .await
        .refused(60016, "");
    let seq = alice.send("openim.getmsg", json!({})).await;
    assert!(alice.answer_or_end("openim.getmsg", seq).await.is_none_or(|answer| answer.code() == 60016));
    let mut nobody = world.connect(&world.app, "bob", Device::WEB).await;
    nobody.log_in().await.refused(60016, "");
    world.engine().resume_app(world.app.id).await.unwrap();
    world.login("bob").await;
    assert_eq!(world.history("bob", "alice").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_two_calendar_months_nothing_is_left_but_a_tombstone_and_receipts() {
    let mut world = world().await;
    let app = world.app.id;
    let other = world.new_app("other").await;
    let alice = world.account("alice").await.number;
    let end = promise::calendar::two_months_after(world.now());
    world.engine().terminate_app(app).await.unwrap();
    // It would have been erased twice as often if a second termination began anew.
    world.advance_seconds(DAY).await;
    world.engine().terminate_app(app).await.unwrap();
    world.advance_seconds(u64::from(end.0 - world.now().0) - 1).await;
    assert_eq!(world.engine().erase_terminated().await, Ok(0), "not a second early");
    assert!(world.engine().apps.find(app).await.unwrap().is_some());
    world.advance_seconds(1).await;
    assert!(world.engine().resume_app(app).await.is_err(), "its erasure may have begun");
    world.advance_seconds(600).await;
    world.settle().await;
    assert!(world.engine().apps.find(app).await.unwrap().is_none());
    assert!(world.engine().apps.find(other.id).await.unwrap().is_some());
    let context = &world.engine().context;
    for kind in engine::facts::kinds() {
        let range = ports::records::Range { kind, index: None, prefix: Vec::new(), after: None, limit: 10 };
        assert_eq!(context.records.scan(app, range).await.unwrap().len(), 0, "{}", kind.name);
    }
    let pair = ConversationId::between(alice, model::AccountNumber(alice.0 + 1));
    assert_eq!(context.timeline.conversation(app, alice, pair).await, Ok(None));
    assert!(!world.engine().keyring.holds_author(app, alice));
    assert!(context.segments.list().await.unwrap().iter().all(|segment| segment.app != app));
    // The number is never given out again, not even as the highest one.
    world.engine().terminate_app(other.id).await.unwrap();
    world.advance_seconds(63 * DAY).await;
    world.settle().await;
    let next = world.new_app("next").await.id;
    assert!(next > other.id, "{next}");
    let lines: Vec<String> = world
        .engine()
        .receipts(None, 1000)
        .await
        .unwrap()
        .into_iter()
        .rev()
        .map(|receipt| receipt.line)
        .collect();
    let verified = verify(&lines.join("\n"), &world.engine().receipt_public_key()).unwrap();
    let of_apps =
        verified.receipts.iter().map(|receipt| &receipt.statement).filter(|said| said.scope == Scope::App);
    let stages: Vec<Stage> = of_apps.map(|said| said.stage).collect();
    let each = [Stage::Deleted, Stage::Unrecoverable, Stage::AgedOut];
    assert_eq!(stages, [each, each].concat());
    assert!(
        !lines.iter().any(|line| line.contains(&app.to_string())),
        "a tombstone does not tell the number"
    );
    world.crash().await;
    assert!(world.engine().apps.find(SdkAppId(app.0)).await.unwrap().is_none());
}
