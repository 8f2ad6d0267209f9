//! Lists of conversations that fill more than one page, over both transports, and what the flags of a request do.
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use serde_json::{Value, json};
use testkit::{Answer, Client, World};

const CURSORS: [&str; 4] = ["TimeStamp", "StartIndex", "TopTimeStamp", "TopStartIndex"];

async fn world() -> World {
    let world = World::new(conversation::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol", "dave"]).await;
    world.set("conversations", "500").await;
    world
}

/// A page after an answer, or the first one.
fn request(flags: u32, after: Option<&Answer>) -> Value {
    let mut body =
        json!({"From_Account": "alice", "OrderType": 1, "MsgAssistFlags": 15, "AssistFlags": flags});
    for name in CURSORS {
        body[name] = after.map_or(json!(0), |answer| answer[name].clone());
    }
    body
}

/// Who asks.
enum Asking<'a> {
    Account(&'a mut Client),
    BackEnd(&'a World),
}

impl Asking<'_> {
    async fn page(&mut self, flags: u32, after: Option<&Answer>) -> Answer {
        let body = request(flags, after);
        match self {
            Self::Account(client) => client.call("recentcontact.page_get", body).await.ok(),
            Self::BackEnd(world) => world.rest("recentcontact/get_list", body).await.ok(),
        }
    }

    /// Every page.
    async fn pages(&mut self, flags: u32) -> Vec<Answer> {
        let mut pages: Vec<Answer> = Vec::new();
        loop {
            let page = self.page(flags, pages.last()).await;
            let is_last = page["CompleteFlag"] == 1;
            pages.push(page);
            if is_last {
                return pages;
            }
            assert!(pages.len() < 20, "it never ends");
        }
    }
}

fn peers(pages: &[Answer]) -> Vec<String> {
    let items = pages.iter().flat_map(|page| page.list("SessionItem"));
    items.map(|item| item["To_Account"].as_str().unwrap().to_owned()).collect()
}

fn pin(peers: &[&str]) -> Value {
    let contacts: Vec<Value> = peers.iter().map(|peer| json!({"Type": 1, "To_Account": peer})).collect();
    json!({"From_Account": "alice", "OperationType": 1, "RecentContactItem": contacts})
}

#[tokio::test(start_paused = true)]
async fn pages_hold_100_conversations_and_each_comes_once_in_its_order() {
    let world = world().await;
    let names: Vec<String> = (0..230).map(|number| format!("peer{number:03}")).collect();
    for (number, name) in names.iter().enumerate() {
        world.send(name, "alice", "hello").await;
        // Many of one second, and more than one second.
        if number % 70 == 0 {
            world.advance_seconds(1).await;
        }
    }
    let mut alice = world.login("alice").await;
    for mut asking in [Asking::Account(&mut alice), Asking::BackEnd(&world)] {
        let pages = asking.pages(15).await;
        let sizes: Vec<usize> = pages.iter().map(|page| page.list("SessionItem").len()).collect();
        assert_eq!(sizes, [100, 100, 30]);
        assert!(pages.iter().all(|page| page["ErrorDisplay"] == ""));
        let found = peers(&pages);
        let mut sorted = found.clone();
        sorted.sort();
        assert_eq!(sorted, names, "each once");
        let second = |name: &String| names.iter().position(|other| other == name).map(|at| at.div_ceil(70));
        assert!(found.windows(2).all(|pair| second(&pair[0]) >= second(&pair[1])), "the newest first");
        let first = asking.page(15, pages.last()).await;
        assert_eq!(peers(&[first]), found[..100], "the last cursors begin anew");
    }
    world.set("conversations", "100").await;
    let pages = Asking::BackEnd(&world).pages(15).await;
    assert_eq!((pages.len(), peers(&pages).len()), (1, 100));
}

#[tokio::test(start_paused = true)]
async fn what_happens_between_two_pages_hides_no_conversation() {
    let world = world().await;
    let names: Vec<String> = (0..150).map(|number| format!("peer{number:03}")).collect();
    for name in &names {
        world.send(name, "alice", "hello").await;
        world.advance_seconds(1).await;
    }
    let first = Asking::BackEnd(&world).page(15, None).await;
    let last_of_first = peers(std::slice::from_ref(&first))[99].clone();
    assert_eq!(last_of_first, "peer050");
    // The place itself moves to the top, and something before it goes.
    world.send(&last_of_first, "alice", "again").await;
    let gone = json!({"From_Account": "alice", "Type": 1, "To_Account": "peer100", "ClearRamble": 1});
    world.rest("recentcontact/delete", gone).await.ok();
    let second = Asking::BackEnd(&world).page(15, Some(&first)).await;
    assert_eq!(second["CompleteFlag"], 1);
    let expected: Vec<&String> = names[..50].iter().rev().collect();
    assert_eq!(peers(&[second]).iter().collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_first_page_holds_all_pinned_conversations_and_they_come_beside_the_recent_ones() {
    let world = world().await;
    let names: Vec<String> = (0..550).map(|number| format!("peer{number:03}")).collect();
    for name in &names {
        world.send(name, "alice", "hello").await;
        world.advance_seconds(1).await;
    }
    // Half of them would not be on the list any more.
    let pinned: Vec<&str> = names[25..75].iter().map(String::as_str).collect();
    world.rest("recentcontact/top", pin(&pinned)).await.ok();
    let mut alice = world.login("alice").await;
    for mut asking in [Asking::Account(&mut alice), Asking::BackEnd(&world)] {
        let pages = asking.pages(31).await;
        let found = peers(&pages);
        assert_eq!((pages.len(), found.len()), (6, 525));
        assert_eq!(pages[0].list("SessionItem").len(), 100);
        assert_eq!(found[..50], pinned, "pinned at one moment: in the order in which the accounts were made");
        let expected: Vec<&String> = names[75..].iter().rev().collect();
        assert_eq!(found[50..].iter().collect::<Vec<_>>(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn many_recent_conversations_that_are_not_listed_do_not_hide_the_older_ones() {
    let world = world().await;
    let names: Vec<String> = (0..180).map(|number| format!("peer{number:03}")).collect();
    for name in &names {
        world.send(name, "alice", "hello").await;
        world.advance_seconds(1).await;
    }
    let mut alice = world.login("alice").await;
    for name in &names[50..] {
        alice.call("recentcontact.clear_msg", json!({"Type": 1, "To_Account": name})).await.ok();
    }
    for mut asking in [Asking::Account(&mut alice), Asking::BackEnd(&world)] {
        let pages = asking.pages(1).await;
        let expected: Vec<&String> = names[..50].iter().rev().collect();
        assert_eq!(peers(&pages).iter().collect::<Vec<_>>(), expected);
        let sizes: Vec<usize> =
            asking.pages(3).await.iter().map(|page| page.list("SessionItem").len()).collect();
        assert_eq!(sizes, [100, 80]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_flags_say_what_is_listed_and_told() {
    let world = world().await;
    world.send("bob", "alice", "hello").await;
    world.advance_seconds(1).await;
    world.send("carol", "alice", "hello").await;
    world.rest("recentcontact/top", pin(&["dave"])).await.ok();
    world.rest("recentcontact/top", pin(&["bob"])).await.ok();
    let mut alice = world.login("alice").await;
    let clear = json!({"Type": 1, "To_Account": "carol"});
    alice.call("recentcontact.clear_msg", clear).await.ok();
    world.contact_group("alice", "friends", &["bob"]).await;
    for (flags, expected) in [
        (0, vec!["bob"]),
        (1, vec!["bob"]),
        (2, vec!["carol", "bob"]),
        (3, vec!["bob", "dave", "carol"]),
        (7, vec!["bob", "dave", "carol"]),
        (4, vec!["bob"]),
        (63, vec!["bob", "dave", "carol"]),
    ] {
        for mut asking in [Asking::Account(&mut alice), Asking::BackEnd(&world)] {
            let page = asking.page(flags, None).await;
            assert_eq!(peers(std::slice::from_ref(&page)), expected, "{flags}");
            let name = if matches!(asking, Asking::Account(_)) { "TopFlags" } else { "TopFlag" };
            let bob = page.list("SessionItem").iter().find(|item| item["To_Account"] == "bob").unwrap();
            assert_eq!(bob[name], flags & 1, "{flags}");
            // Clients are always told; back ends where they ask.
            let tells = name == "TopFlags" || flags & 32 != 0;
            let told = bob.get("ContactGroupId").cloned();
            assert_eq!(told, tells.then(|| json!([1])), "{flags}");
            let groups = page.0.get("GroupItem").cloned();
            let friends = json!([{"GroupName": "friends", "GroupId": 1}]);
            assert_eq!(groups, tells.then_some(friends), "{flags}");
        }
    }
    let bad = json!({"From_Account": "alice", "TimeStamp": 0, "StartIndex": 0, "TopStartIndex": "x", "AssistFlags": 7});
    alice.call("recentcontact.page_get", bad.clone()).await.refused(50002, "TopStartIndex");
    world.rest("recentcontact/get_list", bad).await.refused(50002, "TopStartIndex");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_conversation_is_pinned_no_more_but_keeps_marks_and_groups() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    for (delete, by_account) in [
        (json!({"From_Account": "alice", "ContactItem": [{"Type": 1, "To_Account": "bob"}]}), true),
        (json!({"From_Account": "alice", "Type": 1, "To_Account": "bob"}), false),
    ] {
        world.send("bob", "alice", "hello").await;
        world.rest("recentcontact/top", pin(&["bob"])).await.ok();
        world.contact_group("alice", "friends", &["bob"]).await;
        if by_account {
            alice.call("recentcontact.batch_delete", delete).await.ok();
        } else {
            world.rest("recentcontact/delete", delete).await.ok();
        }
        let page = Asking::BackEnd(&world).page(63, None).await;
        assert!(page.list("SessionItem").is_empty());
        world.send("bob", "alice", "again").await;
        let page = Asking::BackEnd(&world).page(63, None).await;
        let bob = &page.list("SessionItem")[0];
        assert_eq!((&bob["TopFlag"], &bob["ContactGroupId"]), (&json!(0), &json!([1])));
    }
}
