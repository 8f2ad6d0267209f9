//! Every stage of an erasure has a receipt, whatever crashes in between, and none names anybody.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use promise::receipts::{Receipt, Scope, Stage, commitment, verify};
use serde_json::json;
use testkit::World;

const DAY: u64 = 86_400;

async fn world() -> World {
    let world = World::new(simulator::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

async fn receipts(world: &World) -> Vec<Receipt> {
    let mut found = world.engine().receipts(None, 1000).await.unwrap();
    found.reverse();
    let lines: Vec<String> = found.into_iter().map(|receipt| receipt.line).collect();
    for name in ["alice", "bob"] {
        assert!(!lines.iter().any(|line| line.contains(name)));
    }
    verify(&lines.join("\n"), &world.engine().receipt_public_key()).unwrap().receipts
}

/// The stages that an account's receipts tell of.
async fn stages(world: &World, subject: &str) -> Vec<Stage> {
    let found = receipts(world).await.into_iter().map(|receipt| receipt.statement);
    found.filter(|said| said.subject == subject).map(|said| said.stage).collect()
}

async fn erase(world: &World, user: &str) -> serde_json::Value {
    let asked = json!({"DeleteItem": [{"UserID": user}]});
    let answer = world.rest("im_open_login_svc/account_delete", asked).await.ok();
    answer.list("ResultItem")[0].clone()
}

#[tokio::test(start_paused = true)]
async fn an_erased_account_goes_through_every_stage_in_time() {
    let world = world().await;
    for _ in 0..3 {
        world.send("alice", "bob", "hello").await;
    }
    world.send("bob", "alice", "hello").await;
    let erased = erase(&world, "alice").await;
    let subject = erased["Commitment"].as_str().unwrap();
    // Who has the salt can show whom it is about.
    let salt: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&erased["Salt"].as_str().unwrap()[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    assert_eq!(commitment(&salt.try_into().unwrap(), world.app.id.0, "alice"), subject);
    world.settle().await;
    assert_eq!(stages(&world, subject).await, [Stage::Hidden, Stage::Deleted]);
    let told = receipts(&world).await;
    assert_eq!(u64::from(told[0].time), u64::from(world.now().0));
    assert_eq!(
        told.iter().find(|receipt| receipt.statement.stage == Stage::Deleted).unwrap().statement.counts["message"],
        3
    );
    world.advance_seconds(DAY + 1).await;
    assert_eq!(stages(&world, subject).await, [Stage::Hidden, Stage::Deleted, Stage::Unrecoverable]);
    world.advance_seconds(6 * DAY).await;
    assert_eq!(stages(&world, subject).await.len(), 3, "its last ciphertext is still there");
    world.advance_seconds(3 * DAY).await;
    let all = stages(&world, subject).await;
    assert_eq!(all, [Stage::Hidden, Stage::Deleted, Stage::Unrecoverable, Stage::AgedOut]);
    let unrecoverable = receipts(&world).await.into_iter().map(|receipt| receipt.statement);
    let unrecoverable = unrecoverable.filter(|said| said.stage == Stage::Unrecoverable);
    for said in unrecoverable {
        let (from, to) = said.generations.unwrap();
        assert_eq!(from + 1, to);
        assert!(said.destruction.unwrap().contains("forgotten in memory"), "no more than was done");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_the_answer_puts_nothing_off() {
    let mut world = world().await;
    world.send("alice", "bob", "hello").await;
    let erased = erase(&world, "alice").await;
    world.crash().await;
    world.settle().await;
    let subject = erased["Commitment"].as_str().unwrap();
    let stages = stages(&world, subject).await;
    assert_eq!(stages, [Stage::Hidden, Stage::Deleted]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_again_is_another_person() {
    let world = world().await;
    let former = world.account("alice").await.number;
    world.send("alice", "bob", "old").await;
    erase(&world, "alice").await;
    world.accounts(&["alice"]).await;
    let (number, bob) = (world.account("alice").await.number, world.account("bob").await.number);
    assert_ne!(number, former);
    world.send("alice", "bob", "new").await;
    world.settle().await;
    assert_eq!(world.history("bob", "alice").await.len(), 1);
    // What the former one wrote keeps its place, without content and name.
    let conversation = model::ConversationId::between(former, bob);
    let query = ports::timeline::HistoryQuery {
        viewer: bob,
        after: model::HistoryKey::START,
        before: model::HistoryKey::END,
        direction: ports::timeline::Direction::Forwards,
        limit: 10,
    };
    let page = world.engine().context.timeline.history(world.app.id, conversation, query).await.unwrap();
    let [found] = &page.messages[..] else { panic!("one message") };
    assert_eq!((found.message.content.bytes.len(), &found.message.from), (0, &model::UserId::erased()));
}

#[tokio::test(start_paused = true)]
async fn changes_of_generation_and_of_retention_have_receipts() {
    let world = world().await;
    let sent = world.send("alice", "bob", "hello").await;
    world.recall("alice", "bob", &sent).await;
    world.send("alice", "bob", "old").await;
    world.advance_seconds(10).await;
    world.engine().change_generation().await.unwrap();
    world.advance_seconds(DAY + 1).await;
    world.keep(Some(1), None).await;
    let told = receipts(&world).await;
    let of = |scope: Scope| told.iter().filter(move |receipt| receipt.statement.scope == scope);
    assert_eq!(of(Scope::RecalledAndExpired).next().unwrap().statement.counts["recalled message"], 1);
    assert_eq!(of(Scope::Retention).next().unwrap().statement.counts["message"], 2);
    // Another one at the same time has its own place in the chain.
    let (one, other) = tokio::join!(erase(&world, "alice"), erase(&world, "bob"));
    assert_ne!(one["Receipt"], other["Receipt"]);
    receipts(&world).await;
}
