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
    world.advance_seconds(3).await;
    assert_eq!(stages(&world, subject).await, [Stage::Hidden, Stage::Deleted]);
    let told = receipts(&world).await;
    assert_eq!(u64::from(told[0].time) + 3, u64::from(world.now().0));
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
    world.advance_seconds(3).await;
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
    world.advance_seconds(3).await;
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
    let of_keys =
        |stage: Stage| of(Scope::RecalledAndExpired).filter(move |receipt| receipt.statement.stage == stage);
    assert_eq!(of_keys(Stage::Unrecoverable).next().unwrap().statement.counts["recalled message"], 1);
    // Each day that is over has one that says that nothing which ended before it is in any file.
    let days: Vec<&str> = of_keys(Stage::AgedOut).map(|receipt| receipt.statement.reason.as_str()).collect();
    let midnight = u64::from(world.now().0) / DAY * DAY;
    assert!(days.last().unwrap().contains(&midnight.to_string()), "{days:?}");
    assert_eq!(days.len(), 1, "once for each day after the first: {days:?}");
    assert_eq!(of(Scope::Retention).next().unwrap().statement.counts["message"], 2);
    // Another one at the same time has its own place in the chain.
    let (one, other) = tokio::join!(erase(&world, "alice"), erase(&world, "bob"));
    assert_ne!(one["Receipt"], other["Receipt"]);
    receipts(&world).await;
}

#[tokio::test(start_paused = true)]
async fn an_app_gets_its_receipts_and_the_places_of_those_of_others() {
    let mut world = world().await;
    let own = world.app.clone();
    erase(&world, "alice").await;
    world.app = world.new_app("other").await;
    world.accounts(&["administrator", "carol"]).await;
    erase(&world, "carol").await;
    world.app = own.clone();
    erase(&world, "bob").await;
    world.advance_seconds(3).await;
    let (mut lines, mut before) = (Vec::new(), json!(null));
    loop {
        let part = world.rest("whimbrel_receipts/get", json!({"Before": before, "Limit": 2})).await.ok();
        let of_part: Vec<String> =
            part.list("Lines").iter().map(|line| line.as_str().unwrap().to_owned()).collect();
        lines = [of_part, lines].concat();
        assert_eq!(part.text("PublicKey"), world.engine().receipt_public_key());
        if !part.has("Before") {
            break;
        }
        before = part["Before"].clone();
    }
    let verified = verify(&lines.join("\n"), &world.engine().receipt_public_key()).unwrap();
    assert_eq!(verified.omitted, 2, "hidden and deleted, of the other app");
    assert!(verified.receipts.iter().all(|receipt| [0, own.id.0].contains(&receipt.statement.app)));
    assert_eq!(verified.receipts.iter().filter(|receipt| receipt.statement.app == own.id.0).count(), 4);
    for limit in [0, 1001] {
        world.rest("whimbrel_receipts/get", json!({"Limit": limit})).await.refused(70_402, "Limit");
    }
}
