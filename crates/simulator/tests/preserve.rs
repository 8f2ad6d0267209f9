//! What law keeps: copies that outlive recalls, erasures, retention and the app, and nothing else than what is covered.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use engine::preserve::{Copied, Cover, Floor, Floors, HOLDS_MAX, Hold, HoldQuery};
use model::{ErrorCode, UserId};
use promise::receipts::{Receipt, Scope, Stage};
use serde_json::json;
use testkit::{Options, World};

const DAY: u64 = 86_400;
const LAW: &str = "Example Act, section 7";

async fn world() -> World {
    let world = World::new(simulator::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

async fn world_with_floor(days: u32) -> World {
    let mut options = Options::of(simulator::commands);
    let floor = Floor { days, basis: LAW.to_owned() };
    options.engine.floors = Floors { message: floor.clone(), profile: floor, ..Floors::default() };
    let world = World::with(options).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

fn asked(user: &str, peer: Option<&str>) -> HoldQuery {
    HoldQuery {
        user: UserId::new(user).unwrap(),
        peer: peer.map(|peer| UserId::new(peer).unwrap()),
        reason: "a dispute".to_owned(),
        reference: "CASE-1".to_owned(),
    }
}

async fn hold(world: &World, user: &str, peer: Option<&str>) -> model::Result<std::sync::Arc<Hold>> {
    let app = world.settings(&world.app).await;
    world.engine().begin_hold(&app, asked(user, peer)).await
}

/// What is kept for a hold or a floor: texts of messages, and names in profiles.
async fn kept(world: &World, cover: Cover) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = world.engine().read_preserved(cover, ("tester", "a test"), after, 2).await.unwrap();
        all.extend(page.copies.into_iter().map(|copied| match copied {
            Copied::Message { from, to, changed_by, body, .. } => {
                let changed_by = changed_by.map(|by| format!(" (changed by {by})")).unwrap_or_default();
                format!("{from} to {to}{changed_by}: {}", body[0]["MsgContent"]["Text"].as_str().unwrap())
            }
            Copied::Profile { user, fields, .. } => format!("{user}: {}", fields.text(model::profile::NICK)),
            Copied::Merged { user, messages, .. } => format!("{user} merged: {}", messages[0]["MsgBody"]),
        }));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn receipts(world: &World) -> Vec<Receipt> {
    let found = world.engine().receipts(None, 1000).await.unwrap();
    found.iter().rev().map(|fact| Receipt::parse(&fact.line).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_hold_keeps_what_was_there_and_what_comes_while_everything_else_is_erased() {
    let mut world = world().await;
    world.nick("alice", "Alice L.").await;
    world.send("alice", "bob", "before").await;
    world.send("bob", "alice", "answer").await;
    world.send("bob", "carol", "of others").await;
    let began = hold(&world, "alice", None).await.unwrap();
    assert!(began.is_complete);
    let sent = world.send("alice", "bob", "after").await;
    world.nick("alice", "Alice M.").await;
    world.recall("alice", "bob", &sent).await;
    world.delete_account("alice").await;
    world.advance_seconds(DAY + 10).await;
    world.crash().await;
    let expected = [
        "alice to bob: before",
        "bob to alice: answer",
        "alice: Alice L.",
        "alice to bob: after",
        "alice: Alice M.",
    ];
    let mut found = kept(&world, began.cover).await;
    found.sort();
    let mut sorted = expected.map(str::to_owned);
    sorted.sort();
    assert_eq!(found, sorted, "whatever its keys and rows became");
    let said = receipts(&world).await;
    let of_account: Vec<_> = said.iter().filter(|said| said.statement.scope == Scope::Account).collect();
    assert_eq!(of_account.len(), 3);
    for receipt in of_account {
        assert_eq!(receipt.statement.preserved, ["4 copies under legal hold CASE-1"], "of what alice wrote");
    }
    // The list of who read it says so before anything is read.
    let accesses = world.engine().accesses().await.unwrap();
    assert_eq!((accesses.len(), accesses[0].cover, accesses[0].by.as_str()), (1, began.cover, "tester"));
    // It ends when somebody ends it.
    let listed = world.engine().holds();
    assert_eq!((listed.len(), listed[0].user.as_str(), listed[0].reason.as_str()), (1, "alice", "a dispute"));
    assert_eq!(world.engine().end_hold(began.cover).await.unwrap(), 5);
    assert!(kept(&world, began.cover).await.is_empty() && world.engine().holds().is_empty());
    let place = began.cover.place();
    assert!(world.engine().keyring.holds_author(place.app, place.author));
    world.engine().change_generation().await.unwrap();
    assert!(!world.engine().keyring.holds_author(place.app, place.author));
    let told = world.engine().end_hold(began.cover).await.unwrap_err();
    assert_eq!(told.code, ErrorCode::HoldUnknown);
    let stages: Vec<Stage> = receipts(&world)
        .await
        .into_iter()
        .filter(|said| said.statement.scope == Scope::Hold)
        .map(|said| said.statement.stage)
        .collect();
    assert_eq!(stages, [Stage::Preserved, Stage::Deleted]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_a_conversation_keeps_nothing_else() {
    let world = world().await;
    world.nick("alice", "Alice L.").await;
    for (from, to) in [("alice", "bob"), ("bob", "alice"), ("alice", "carol"), ("carol", "bob")] {
        world.send(from, to, "old").await;
    }
    let began = hold(&world, "alice", Some("bob")).await.unwrap();
    for (from, to) in [("alice", "bob"), ("alice", "carol"), ("carol", "bob")] {
        world.send(from, to, "new").await;
    }
    world.nick("alice", "Alice M.").await;
    let mut found = kept(&world, began.cover).await;
    found.sort();
    assert_eq!(found, ["alice to bob: new", "alice to bob: old", "bob to alice: old"]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_comes_too_late_for_what_is_erased_and_says_what_it_needs() {
    let world = world().await;
    world.send("alice", "bob", "hello").await;
    world.delete_account("alice").await;
    assert_eq!(hold(&world, "alice", None).await.unwrap_err().code, ErrorCode::AccountUnknown);
    assert_eq!(hold(&world, "bob", Some("alice")).await.unwrap_err().code, ErrorCode::AccountUnknown);
    let app = world.settings(&world.app).await;
    for (reason, reference) in [("", "CASE-1"), ("a dispute", " "), (&"x".repeat(1001), "CASE-1")] {
        let query =
            HoldQuery { reason: reason.to_owned(), reference: reference.to_owned(), ..asked("bob", None) };
        let refused = world.engine().begin_hold(&app, query).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::SettingInvalid);
    }
    let nobody = world.engine().read_preserved(Cover(1), ("tester", ""), None, 10).await.unwrap_err();
    assert_eq!(nobody.code, ErrorCode::SettingInvalid, "without a reason nobody reads");
    assert!(world.engine().accesses().await.unwrap().is_empty() && world.engine().holds().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_the_middle_of_copying_loses_nothing_and_an_erasure_waits_for_it() {
    let mut world = world().await;
    for number in 0..600 {
        world.send("alice", "bob", &format!("number {number}")).await;
    }
    let engine = world.engine().clone();
    let app = world.settings(&world.app).await;
    let spawner = engine.context.spawner.clone();
    spawner.spawn(Box::pin(async move { drop(engine.begin_hold(&app, asked("alice", None)).await) }));
    world.settle().await;
    assert!(!world.engine().holds()[0].is_complete);
    world.delete_account("alice").await;
    world.crash().await;
    world.advance_seconds(DAY + 60).await;
    let began = world.engine().holds().remove(0);
    assert!(began.is_complete);
    let found = kept(&world, began.cover).await;
    let messages = found.iter().filter(|copied| copied.contains("number")).count();
    assert_eq!(messages, 600);
    let stages: Vec<Stage> = receipts(&world)
        .await
        .into_iter()
        .filter(|said| said.statement.scope == Scope::Account)
        .map(|said| said.statement.stage)
        .collect();
    assert_eq!(stages, [Stage::Hidden, Stage::Deleted, Stage::Unrecoverable]);
}

#[tokio::test(start_paused = true)]
async fn holds_have_a_limit() {
    let world = world().await;
    for _ in 0..HOLDS_MAX {
        hold(&world, "alice", Some("bob")).await.unwrap();
    }
    assert_eq!(hold(&world, "alice", None).await.unwrap_err().code, ErrorCode::SettingInvalid);
    let first = world.engine().holds().remove(0);
    world.engine().end_hold(first.cover).await.unwrap();
    assert!(hold(&world, "alice", None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_floor_goes_before_not_stored_before_recall_and_before_erasure_to_the_second() {
    let mut world = world_with_floor(30).await;
    let cover = Cover::floor(world.app.id);
    world.keep(Some(0), Some(0)).await;
    let bob = world.login("bob").await;
    let alice = world.login("alice").await;
    world.send("alice", "bob", "not stored").await;
    let at = u64::from(world.now().0);
    drop((alice, bob));
    world.keep(Some(7), Some(7)).await;
    let sent = world.send("alice", "bob", "recalled").await;
    world.modify(("alice", "bob"), &sent, "bob", "changed").await;
    world.recall("alice", "bob", &sent).await;
    world.nick("alice", "Alice L.").await;
    world.delete_account("alice").await;
    world.advance_seconds(DAY + 10).await;
    let all = [
        "alice to bob: not stored",
        "alice to bob: recalled",
        "alice to bob (changed by bob): changed",
        "alice: Alice L.",
    ];
    assert_eq!(kept(&world, cover).await, all);
    assert!(world.history("bob", "alice").await.is_empty(), "no command sees it");
    let said = receipts(&world).await;
    let deleted = said.iter().find(|said| said.statement.stage == Stage::Deleted).unwrap();
    let law = format!("copies of messages for 30 days: {LAW}");
    assert!(deleted.statement.preserved.contains(&law), "{:?}", deleted.statement.preserved);
    world.crash().await;
    let left = at + 30 * DAY - u64::from(world.now().0);
    world.advance_seconds(left - 1).await;
    assert_eq!(kept(&world, cover).await, all, "one second before");
    world.advance_seconds(1).await;
    assert!(!kept(&world, cover).await.contains(&all[0].to_owned()));
    world.advance_seconds(120).await;
    assert!(kept(&world, cover).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_floor_outlives_its_app() {
    let world = world_with_floor(365).await;
    let cover = Cover::floor(world.app.id);
    world.send("alice", "bob", "of a former app").await;
    world.engine().terminate_app(world.app.id).await.unwrap();
    world.advance_seconds(63 * DAY).await;
    let app = world.engine().apps.find(world.app.id).await.unwrap();
    assert!(app.is_none());
    assert_eq!(kept(&world, cover).await, ["alice to bob: of a former app"]);
    let said = receipts(&world).await;
    let erased = said.iter().find(|said| said.statement.scope == Scope::App).unwrap();
    assert!(erased.statement.preserved.iter().any(|kept| kept.contains(LAW)));
    let message = json!({"To_Account": "bob", "MsgRandom": 1, "MsgBody": []});
    assert_ne!(world.rest("openim/sendmsg", message).await.code(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_floor_for_the_log_keeps_copies_of_it_and_nothing_shows_them_but_who_asks_for_them() {
    use engine::requests::{LogPlace, LogQuery};
    let mut options = Options::of(simulator::commands);
    let log = Floor { days: 180, basis: LAW.to_owned() };
    options.engine.floors = Floors { log, ..Floors::default() };
    let mut world = World::with(options).await;
    world.accounts(&["administrator", "alice"]).await;
    world.rest("im_open_login_svc/account_check", json!({"CheckItem": [{"UserID": "alice"}]})).await.ok();
    world.engine().write_requests().await.unwrap();
    let written = u64::from(world.now().0);
    let query = LogQuery {
        since: model::Seconds(0),
        until: model::Seconds(u32::MAX),
        only_failures: false,
        from: LogPlace::default(),
        limit: 100,
    };
    let app = world.app.id;
    let nobody = world.engine().preserved_log(app, ("tester", " "), query).await.unwrap_err();
    assert_eq!(nobody.code, ErrorCode::SettingInvalid);
    world.advance_seconds(8 * DAY).await;
    world.crash().await;
    assert!(world.engine().request_log(app, query).await.unwrap().requests.is_empty());
    let kept = world.engine().preserved_log(app, ("tester", "a test"), query).await.unwrap();
    assert_eq!(kept.requests.len(), 1);
    assert_eq!(kept.requests[0].command, "im_open_login_svc/account_check");
    assert_eq!(world.engine().accesses().await.unwrap().len(), 1);
    // It ends with the hour in which it was written, 180 days later.
    let end = (written / 3600 + 1) * 3600 + 180 * DAY;
    world.advance_seconds(end - u64::from(world.now().0) - 1).await;
    for expected in [1, 0] {
        let kept = world.engine().preserved_log(app, ("tester", "a test"), query).await.unwrap();
        assert_eq!(kept.requests.len(), expected, "one second before its end, and then");
        world.advance_seconds(1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_import_that_is_older_than_the_floor_is_taken_and_not_copied() {
    let world = world_with_floor(30).await;
    world.keep(Some(365), None).await;
    for (random, days) in [(1, 60), (2, 20)] {
        let import = json!({
            "SyncFromOldSystem": 5, "From_Account": "alice", "To_Account": "bob", "MsgRandom": random,
            "MsgTimeStamp": u64::from(world.now().0) - days * DAY,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": format!("{days} days old")}}],
        });
        world.rest("openim/importmsg", import).await.ok();
    }
    assert_eq!(world.history("bob", "alice").await.len(), 2);
    assert_eq!(kept(&world, Cover::floor(world.app.id)).await, ["alice to bob: 20 days old"]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_ended_stays_ended_whatever_older_data_say() {
    for changes_keys in [false, true] {
        let mut world = world().await;
        world.send("alice", "bob", "held").await;
        let began = hold(&world, "alice", None).await.unwrap();
        let backup = world.store.backup();
        world.engine().end_hold(began.cover).await.unwrap();
        if changes_keys {
            world.engine().change_generation().await.unwrap();
        }
        world.store.restore(backup);
        world.crash().await;
        world.engine().forget_destroyed().await.unwrap();
        assert!(world.engine().holds().is_empty(), "keys changed before: {changes_keys}");
        assert!(kept(&world, began.cover).await.is_empty());
        world.crash().await;
        assert!(world.engine().holds().is_empty());
        world.send("alice", "bob", "later").await;
        assert!(kept(&world, began.cover).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_ends_while_it_copies_is_over() {
    let world = world().await;
    world.send("alice", "bob", "held").await;
    let (engine, app) = (world.engine().clone(), world.settings(&world.app).await);
    let spawner = engine.context.spawner.clone();
    spawner.spawn(Box::pin(async move { drop(engine.begin_hold(&app, asked("alice", None)).await) }));
    world.settle().await;
    let cover = world.engine().holds().remove(0).cover;
    world.engine().end_hold(cover).await.unwrap();
    world.advance_seconds(700).await;
    assert!(world.engine().holds().is_empty() && kept(&world, cover).await.is_empty());
    let said = receipts(&world).await;
    let stages: Vec<Stage> = said
        .iter()
        .filter(|said| said.statement.scope == Scope::Hold)
        .map(|said| said.statement.stage)
        .collect();
    assert_eq!(stages, [Stage::Deleted]);
}

#[tokio::test(start_paused = true)]
async fn what_others_erase_or_recall_while_a_hold_copies_is_kept() {
    let world = world().await;
    let sent = world.send("bob", "alice", "recalled meanwhile").await;
    world.send("bob", "alice", "of one who leaves meanwhile").await;
    let changed = world.send("bob", "alice", "before").await;
    let (engine, app) = (world.engine().clone(), world.settings(&world.app).await);
    let spawner = engine.context.spawner.clone();
    spawner.spawn(Box::pin(async move { drop(engine.begin_hold(&app, asked("alice", None)).await) }));
    world.settle().await;
    assert!(!world.engine().holds()[0].is_complete);
    world.recall("bob", "alice", &sent).await;
    world.modify(("bob", "alice"), &changed, "alice", "after").await;
    world.delete_account("bob").await;
    world.engine().change_generation().await.unwrap();
    world.advance_seconds(DAY + 700).await;
    let cover = world.engine().holds().remove(0).cover;
    let found = kept(&world, cover).await;
    assert!(found.contains(&"bob to alice: recalled meanwhile".to_owned()), "{found:?}");
    assert!(found.contains(&"bob to alice: of one who leaves meanwhile".to_owned()), "{found:?}");
    for text in ["bob to alice: before", "bob to alice (changed by alice): after"] {
        assert!(found.contains(&text.to_owned()), "{text}: {found:?}");
    }
    let stages: Vec<Stage> = receipts(&world)
        .await
        .into_iter()
        .filter(|said| said.statement.scope == Scope::Account)
        .map(|said| said.statement.stage)
        .collect();
    assert_eq!(stages, [Stage::Hidden, Stage::Deleted, Stage::Unrecoverable], "late, not never");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_refused_leaves_no_copy() {
    let world = world().await;
    let sent = world.send("bob", "alice", "before").await;
    world.modify(("bob", "alice"), &sent, "alice", "first").await;
    let cover = hold(&world, "alice", None).await.unwrap().cover;
    assert_eq!(kept(&world, cover).await, ["alice: ", "bob to alice (changed by alice): first"]);
    let app = world.settings(&world.app).await;
    let (from, to) = (world.account("bob").await, world.account("alice").await);
    let text = |text: &str| {
        let body = testkit::text(text).to_string();
        engine::modify::Change { body: Some((body.into(), model::Medium::Text)), cloud_custom_data: None }
    };
    // Of two at once one is refused, and tries again.
    let maker = |account: &engine::facts::AccountFact| engine::annotations::Maker {
        number: account.number,
        origin: None,
    };
    let (one, other) = (text("second"), text("third"));
    let engine = world.engine();
    let (one, other) = tokio::join!(
        engine.modify(&app, (&from, &to), sent.key, maker(&from), Some(1), &one),
        engine.modify(&app, (&from, &to), sent.key, maker(&to), Some(1), &other),
    );
    assert_eq!([one.unwrap().is_done, other.unwrap().is_done], [true, false]);
    let copies = kept(&world, cover).await;
    assert_eq!(copies, ["alice: ", "bob to alice (changed by alice): first", "bob to alice: second"]);
}

#[tokio::test(start_paused = true)]
async fn merged_messages_are_kept_like_the_message_that_names_them() {
    let merge = async |world: &World, user: &str, text: &str| {
        let mut client = world.login(user).await;
        let body = json!({"MsgList": [{"MsgBody": [text]}]});
        client.call("im_long_msg.save_relay_json_msg", body).await.ok();
    };
    let world = world_with_floor(30).await;
    merge(&world, "alice", "one").await;
    world.delete_account("alice").await;
    world.advance_seconds(20 * DAY).await;
    assert_eq!(kept(&world, Cover::floor(world.app.id)).await, [r#"alice merged: ["one"]"#]);
    let world = self::world().await;
    merge(&world, "alice", "before").await;
    merge(&world, "carol", "of another").await;
    let began = hold(&world, "alice", Some("bob")).await.unwrap();
    merge(&world, "alice", "after").await;
    let expected = ["before", "after"].map(|text| format!(r#"alice merged: ["{text}"]"#));
    assert_eq!(kept(&world, began.cover).await, expected);
}
