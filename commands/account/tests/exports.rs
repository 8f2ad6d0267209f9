//! Exports: everything that an account may see, nothing else, for seven days, and never what was erased meanwhile.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::World;

async fn world() -> World {
    let world = World::new(account::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

async fn begin(world: &World, user: &str) -> String {
    world.rest("whimbrel_export/create", json!({"UserID": user})).await.ok().text("ExportId")
}

/// Every line of an export.
async fn read(world: &World, export: &str) -> Vec<Value> {
    let (mut lines, mut next) = (Vec::new(), String::new());
    loop {
        let page = world.rest("whimbrel_export/get", json!({"ExportId": export, "Next": next})).await.ok();
        let of_page = page.list("Lines").iter();
        lines.extend(of_page.map(|line| serde_json::from_str::<Value>(line.as_str().unwrap()).unwrap()));
        if !page.has("Next") {
            return lines;
        }
        next = page.text("Next");
    }
}

fn texts(lines: &[Value]) -> Vec<&str> {
    let messages = lines.iter().filter(|line| line["type"] == "message");
    messages.map(|line| line["elements"][0]["MsgContent"]["Text"].as_str().unwrap_or("(gone)")).collect()
}

#[tokio::test(start_paused = true)]
async fn an_export_holds_everything_that_the_account_may_see_and_nothing_else() {
    let world = world().await;
    world.nick("alice", "Alice L.").await;
    world.block("alice", "carol").await;
    for number in 0..520 {
        world.send("alice", "bob", &format!("number {number}")).await;
    }
    world.send("bob", "alice", "answer").await;
    world.send("bob", "carol", "of others").await;
    let cleared = world.account("carol").await;
    world.send("alice", "carol", "cleared").await;
    let (app, alice) = (world.settings(&world.app).await, world.account("alice").await);
    world.engine().clear(&app, &alice, &cleared, true, false, None).await.unwrap();
    let export = begin(&world, "alice").await;
    world.send("alice", "bob", "after it was made").await;
    let lines = read(&world, &export).await;
    let found = texts(&lines);
    assert_eq!((found.len(), found[0], found[519], found[520]), (521, "number 0", "number 519", "answer"));
    let types: std::collections::BTreeSet<&str> =
        lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    for expected in ["about", "account", "profile", "blocked", "conversation", "message"] {
        assert!(types.contains(expected), "{expected}");
    }
    let profile = lines.iter().find(|line| line["type"] == "profile").unwrap();
    assert_eq!(profile["fields"]["Tag_Profile_IM_Nick"], "Alice L.");
    let answer = lines.iter().rfind(|line| line["type"] == "message").unwrap();
    assert_eq!((&answer["direction"], &answer["from"]), (&json!("received"), &json!("bob")));
    assert!(!format!("{lines:?}").contains("of others"));
}

#[tokio::test(start_paused = true)]
async fn whom_an_account_follows_and_who_follows_it_is_in_its_export() {
    let world = world().await;
    let app = world.settings(&world.app).await;
    let (alice, bob) = (world.account("alice").await, world.account("bob").await);
    for (one, other) in [("alice", "bob"), ("bob", "alice"), ("carol", "bob")] {
        let (one, other) = (world.account(one).await, world.account(other).await);
        world.engine().follow(&app, &one, &[other]).await.unwrap();
    }
    let mut fans = Vec::new();
    for number in 0..501 {
        let fan = world.account(&format!("fan{number:03}")).await;
        world.engine().follow(&app, &fan, &[Arc::clone(&alice)]).await.unwrap();
        fans.push(fan.user.as_str().to_owned());
    }
    let lines = read(&world, &begin(&world, "alice").await).await;
    let follows: Vec<&Value> = lines.iter().filter(|line| line["type"] == "follow").collect();
    let expected = json!({"type": "follow", "user": bob.user, "since": world.now(), "follows_back": true});
    assert_eq!(follows, [&expected]);
    let followers = lines.iter().filter(|line| line["type"] == "follower");
    let followers: Vec<&str> = followers.map(|line| line["user"].as_str().unwrap()).collect();
    assert_eq!(followers[0], "bob");
    assert_eq!(followers[1..], fans, "page by page");
}

#[tokio::test(start_paused = true)]
async fn what_is_recalled_erased_or_expired_meanwhile_is_not_in_it_and_it_ends() {
    let world = world().await;
    let sent = world.send("alice", "bob", "recalled").await;
    world.send("carol", "alice", "of one who leaves").await;
    world.send("bob", "alice", "stays").await;
    let export = begin(&world, "alice").await;
    world.recall("alice", "bob", &sent).await;
    world.delete_account("carol").await;
    world.advance_seconds(10).await;
    assert_eq!(texts(&read(&world, &export).await), ["(gone)", "(gone)", "stays"]);
    let unknown = |export: &str| json!({"ExportId": export});
    for export in ["", "x", "é".repeat(16).as_str(), "0".repeat(32).as_str()] {
        world.rest("whimbrel_export/get", unknown(export)).await.refused(200_011, "");
    }
    let forged = json!({"ExportId": export, "Next": "zz"});
    world.rest("whimbrel_export/get", forged).await.refused(70_402, "Next");
    world.advance_seconds(7 * 86_400 - 20).await;
    assert!(!read(&world, &export).await.is_empty(), "to its last second");
    world.advance_seconds(20).await;
    world.rest("whimbrel_export/get", unknown(&export)).await.refused(200_011, "");
    world.rest("whimbrel_export/create", json!({"UserID": "nobody"})).await.refused(70_107, "");
}

#[tokio::test(start_paused = true)]
async fn an_export_of_an_erased_account_is_gone_with_it() {
    let world = world().await;
    world.send("alice", "bob", "hello").await;
    let export = begin(&world, "alice").await;
    world.delete_account("alice").await;
    world.rest("whimbrel_export/get", json!({"ExportId": export})).await.refused(200_011, "");
    world.accounts(&["alice"]).await;
    world.rest("whimbrel_export/get", json!({"ExportId": export})).await.refused(200_011, "");
}

#[tokio::test(start_paused = true)]
async fn an_export_holds_the_accounts_own_reactions() {
    let world = world().await;
    let sent = world.send("alice", "bob", "hello").await;
    let other = world.send("bob", "alice", "hello").await;
    world.react(("alice", "bob"), &sent, "+1").await;
    world.react(("bob", "alice"), &other, "of bob").await;
    let export = begin(&world, "alice").await;
    let lines = read(&world, &export).await;
    let reactions: Vec<&Value> = lines.iter().filter(|line| line["type"] == "reaction").collect();
    assert_eq!(reactions.len(), 1);
    assert_eq!(reactions[0]["reaction"], "+1");
    assert_eq!(reactions[0]["message"], json!(sent.key));
    assert_eq!(reactions[0]["between"], json!(["alice", "bob"]));
    world.recall("alice", "bob", &sent).await;
    assert!(read(&world, &export).await.iter().all(|line| line["type"] != "reaction"));
}

#[tokio::test(start_paused = true)]
async fn merged_messages_that_are_stored_apart_are_in_it() {
    let world = world().await;
    let (app, alice, bob) =
        (world.settings(&world.app).await, world.account("alice").await, world.account("bob").await);
    for number in 0..20 {
        let list = json!([{"MsgBody": [number]}]).to_string().into_bytes();
        let author = if number == 7 { &bob } else { &alice };
        world.engine().store_merged(&app, author, list).await.unwrap();
    }
    let export = begin(&world, "alice").await;
    world.advance_seconds(1).await;
    world.engine().store_merged(&app, &alice, b"[]".to_vec()).await.unwrap();
    let lines = read(&world, &export).await;
    let merged = lines.iter().filter(|line| line["type"] == "merged messages");
    let mut numbers: Vec<u64> =
        merged.map(|line| line["messages"][0]["MsgBody"][0].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..20).filter(|number| *number != 7).collect::<Vec<u64>>());
}

#[tokio::test(start_paused = true)]
async fn an_export_says_who_decides_about_the_data_and_on_what_basis() {
    let world = world().await;
    let first = read(&world, &begin(&world, "alice").await).await;
    assert_eq!(
        (&first[0]["type"], &first[0]["controller"]),
        (&json!("about"), &json!("test")),
        "the app's name"
    );
    world.set("controller_name", "Harbour Ltd.").await;
    world.set("controller_contact", "privacy@harbour.test").await;
    world.set("legal_bases", "message:contract").await;
    let later = read(&world, &begin(&world, "bob").await).await;
    assert_eq!(later[0]["controller"], "Harbour Ltd.");
    assert_eq!(later[0]["controller_contact"], "privacy@harbour.test");
    assert_eq!(later[0]["legal_bases"], json!(["message:contract"]));
}
