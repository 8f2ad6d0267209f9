//! Who follows whom: `follow/follow_add`, `_delete`, `_get`, `_check` and `_get_info`.

#![allow(clippy::unwrap_used, reason = "tests end by panicking")]

use std::sync::Arc;

use engine::facts::AccountFact;
use engine::follow::FOLLOWED_MAX;
use model::ErrorCode;
use serde_json::{Value, json};
use testkit::{Answer, Client, Push, World};

const COMMANDS: [&str; 5] = [
    "follow/follow_add",
    "follow/follow_check",
    "follow/follow_delete",
    "follow/follow_get",
    "follow/follow_get_info",
];

async fn world() -> World {
    let world = World::new(relation::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

/// A request that fits every one of the commands.
fn request(owner: &str, others: &[&str]) -> Value {
    let items: Vec<Value> = others.iter().map(|other| json!({"To_Account": other})).collect();
    json!({"From_Account": owner, "FollowItem": items, "To_Account": others, "FollowType": 1})
}

async fn follow(world: &World, owner: &str, others: &[&str]) {
    let answer = world.rest("follow/follow_add", request(owner, others)).await.ok();
    assert_eq!(codes(&answer), vec![0; others.len()], "{answer:?}");
}

async fn unfollow(world: &World, owner: &str, others: &[&str]) {
    let answer = world.rest("follow/follow_delete", request(owner, others)).await.ok();
    assert_eq!(codes(&answer), vec![0; others.len()], "{answer:?}");
}

fn codes(answer: &Answer) -> Vec<i64> {
    answer.list("ResultItem").iter().map(|item| item["ResultCode"].as_i64().unwrap()).collect()
}

/// How many follow an account, how many it follows, and how many are both.
async fn counts(world: &World, user: &str) -> (u64, u64, u64) {
    let answer = world.rest("follow/follow_get_info", request("alice", &[user])).await.ok();
    let item = &answer.list("FollowInfo")[0];
    assert_eq!((&item["To_Account"], &item["ResultCode"]), (&json!(user), &json!(0)));
    let count = |name: &str| item[name].as_u64().unwrap();
    (count("FollowerCount"), count("FollowingCount"), count("MutualFollowingCount"))
}

/// A whole list of an account, in pages of this many.
async fn listed(world: &World, owner: &str, kind: u8, limit: usize) -> Vec<String> {
    let (mut cursor, mut found) = (String::new(), Vec::new());
    loop {
        let body =
            json!({"From_Account": owner, "FollowType": kind, "StartCursor": cursor, "WantNum": limit});
        let answer = world.rest("follow/follow_get", body).await.ok();
        let items = answer.list("FollowItem");
        assert!(items.len() <= limit && (items.len() == limit || answer["NextCursor"] == ""));
        found.extend(items.iter().map(|item| item["To_Account"].as_str().unwrap().to_owned()));
        cursor = answer.text("NextCursor");
        if cursor.is_empty() {
            return found;
        }
    }
}

/// What a push says of the other account: who it is, whether it was added, and to or from which lists.
fn change(push: &Push) -> (String, bool, Vec<u64>) {
    assert_eq!(push.event(), 27);
    let entries = push.item("FollowChangeList").as_array().unwrap();
    assert_eq!(entries.len(), 1, "{entries:?}");
    let diffs = entries[0]["FollowDiffList"].as_array().unwrap();
    let is_added = diffs[0]["IsAdd"] == 1;
    assert!(diffs.iter().all(|diff| diff["IsAdd"] == u8::from(is_added)));
    let lists = diffs.iter().map(|diff| diff["FollowType"].as_u64().unwrap()).collect();
    (entries[0]["From_Account"].as_str().unwrap().to_owned(), is_added, lists)
}

async fn hears(client: &mut Client, other: &str, is_added: bool, lists: &[u64]) {
    let heard = change(&client.pushed().await);
    assert_eq!(heard, (other.to_owned(), is_added, lists.to_vec()), "{}", client.user);
}

#[tokio::test(start_paused = true)]
async fn every_instance_of_both_sides_hears_who_follows_the_acting_one_too() {
    let world = world().await;
    world.nick("alice", "Alice L.").await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let (mut bob, mut other, mut carol) =
        (world.login("bob").await, world.login("bob").await, world.login("carol").await);
    let answer = alice.call("follow.follow_add", request("alice", &["bob"])).await.ok();
    let item = json!({"To_Account": "bob", "ResultCode": 0, "ResultInfo": ""});
    assert_eq!(answer["ResultItem"], json!([item]));
    assert!(!answer.has("Fail_Account") && answer.has("ErrorDisplay"));
    for client in [&mut alice, &mut second] {
        hears(client, "bob", true, &[2]).await;
    }
    let entry = json!({"From_Account": "alice", "Nick": "Alice L.", "Image": "",
        "FollowDiffList": [{"IsAdd": 1, "FollowType": 1}]});
    for client in [&mut bob, &mut other] {
        assert_eq!(*client.pushed().await.item("FollowChangeList"), json!([entry]));
    }
    alice.call("follow.follow_delete", request("alice", &["bob"])).await.ok();
    for client in [&mut alice, &mut second] {
        hears(client, "bob", false, &[2]).await;
    }
    for client in [&mut bob, &mut other] {
        hears(client, "alice", false, &[1]).await;
    }
    for client in [&mut alice, &mut second, &mut bob, &mut other, &mut carol] {
        client.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn both_sides_hear_when_they_begin_and_cease_to_follow_each_other() {
    let world = world().await;
    follow(&world, "alice", &["bob"]).await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    bob.call("follow.follow_add", request("bob", &["alice"])).await.ok();
    hears(&mut bob, "alice", true, &[2, 3]).await;
    hears(&mut alice, "bob", true, &[1, 3]).await;
    assert_eq!(listed(&world, "alice", 3, 10).await, ["bob"]);
    assert_eq!(listed(&world, "bob", 3, 10).await, ["alice"]);
    alice.call("follow.follow_delete", request("alice", &["bob"])).await.ok();
    hears(&mut alice, "bob", false, &[2, 3]).await;
    hears(&mut bob, "alice", false, &[1, 3]).await;
    assert!(listed(&world, "alice", 3, 10).await.is_empty() && listed(&world, "bob", 3, 10).await.is_empty());
    assert_eq!(listed(&world, "bob", 2, 10).await, ["alice"], "he goes on following her");
    // Over REST, several at once: one push with an entry for each.
    follow(&world, "alice", &["carol", "bob"]).await;
    let push = alice.pushed().await;
    let entries = push.item("FollowChangeList").as_array().unwrap();
    let seen: Vec<(&Value, usize)> = entries
        .iter()
        .map(|entry| (&entry["From_Account"], entry["FollowDiffList"].as_array().unwrap().len()))
        .collect();
    assert_eq!(seen, [(&json!("carol"), 1), (&json!("bob"), 2)]);
    hears(&mut bob, "alice", true, &[1, 3]).await;
    for client in [&mut alice, &mut bob] {
        client.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn counts_and_types_follow_every_step() {
    let mut world = world().await;
    let steps = [
        ("alice", "bob", true, (0, 1, 0), (1, 0, 0), (2, 1)),
        ("alice", "bob", true, (0, 1, 0), (1, 0, 0), (2, 1)),
        ("bob", "alice", true, (1, 1, 1), (1, 1, 1), (3, 3)),
        ("alice", "bob", false, (1, 0, 0), (0, 1, 0), (1, 2)),
        ("alice", "bob", false, (1, 0, 0), (0, 1, 0), (1, 2)),
        ("alice", "bob", true, (1, 1, 1), (1, 1, 1), (3, 3)),
        ("bob", "alice", false, (0, 1, 0), (1, 0, 0), (2, 1)),
        ("alice", "bob", false, (0, 0, 0), (0, 0, 0), (0, 0)),
        ("bob", "alice", true, (1, 0, 0), (0, 1, 0), (1, 2)),
    ];
    for (place, (owner, other, begins, of_alice, of_bob, types)) in steps.into_iter().enumerate() {
        if begins {
            follow(&world, owner, &[other]).await;
        } else {
            unfollow(&world, owner, &[other]).await;
        }
        // What stands after a restart is what stood before.
        for _ in 0..2 {
            assert_eq!(counts(&world, "alice").await, of_alice, "step {place}");
            assert_eq!(counts(&world, "bob").await, of_bob, "step {place}");
            for (one, another, kind) in [("alice", "bob", types.0), ("bob", "alice", types.1)] {
                let answer = world.rest("follow/follow_check", request(one, &[another])).await.ok();
                assert_eq!(answer.list("ResultItem")[0]["FollowType"], kind, "step {place}: {one}");
            }
            world.crash().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_so_already_is_no_error_and_nobody_hears_of_it() {
    let world = world().await;
    follow(&world, "alice", &["bob"]).await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    for others in [&["bob"][..], &["bob", "bob"]] {
        let answer = alice.call("follow.follow_add", request("alice", others)).await.ok();
        assert_eq!(codes(&answer), vec![0; others.len()]);
    }
    let answer = alice.call("follow.follow_delete", request("alice", &["carol", "alice"])).await.ok();
    assert_eq!(codes(&answer), [0, 0]);
    alice.hears_nothing().await;
    bob.hears_nothing().await;
    assert_eq!(counts(&world, "alice").await, (0, 1, 0));
    unfollow(&world, "alice", &["bob", "bob"]).await;
    assert_eq!(counts(&world, "alice").await, (0, 0, 0));
    assert_eq!(counts(&world, "bob").await, (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn accounts_of_one_call_are_judged_one_by_one() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let others = ["bob", "nobody", "alice", "", "carol"];
    let answer = alice.call("follow.follow_add", request("alice", &others)).await.ok();
    assert_eq!(codes(&answer), [0, 30003, 30001, 30003, 0]);
    assert_eq!(answer["Fail_Account"], json!(["nobody", "alice", ""]));
    assert_eq!(counts(&world, "alice").await, (0, 2, 0));
    let answer = alice.call("follow.follow_delete", request("alice", &["nobody", "carol"])).await.ok();
    assert_eq!(codes(&answer), [30003, 0]);
    let answer = alice.call("follow.follow_check", request("alice", &["nobody", "bob", "alice"])).await.ok();
    assert_eq!(codes(&answer), [30003, 0, 0]);
    let types: Vec<&Value> = answer.list("ResultItem").iter().map(|item| &item["FollowType"]).collect();
    assert_eq!(types, [0, 2, 0]);
    assert_eq!(answer["Fail_Account"], json!(["nobody"]));
    let answer = alice.call("follow.follow_get_info", request("alice", &["bob", "nobody"])).await.ok();
    let items: Vec<(&Value, &Value)> =
        answer.list("FollowInfo").iter().map(|item| (&item["FollowerCount"], &item["ResultCode"])).collect();
    assert_eq!(items, [(&json!(1), &json!(0)), (&json!(0), &json!(30003))]);
    assert_eq!(answer["Fail_Account"], json!(["nobody"]));
}

#[tokio::test(start_paused = true)]
async fn a_block_keeps_both_sides_from_beginning_and_ends_nothing() {
    let world = world().await;
    follow(&world, "alice", &["carol"]).await;
    world.block("alice", "bob").await;
    world.block("alice", "carol").await;
    for (one, other, code) in [("alice", "bob", 30515), ("bob", "alice", 30525), ("carol", "alice", 30525)] {
        let answer = world.rest("follow/follow_add", request(one, &[other])).await.ok();
        assert_eq!(codes(&answer), [code], "{one} {other}");
    }
    assert_eq!(counts(&world, "alice").await, (0, 1, 0));
    unfollow(&world, "alice", &["carol"]).await;
    assert_eq!(counts(&world, "carol").await, (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_with_profiles() {
    let world = world().await;
    let peers: Vec<String> = (0..20).map(|number| format!("peer{number:02}")).collect();
    let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
    world.accounts(&peers).await;
    world.nick("peer00", "First").await;
    world.rest("follow/follow_add", request("alice", &peers[..15])).await.ok();
    let begun_at = world.now();
    world.advance_seconds(5).await;
    for peer in &peers[5..] {
        follow(&world, peer, &["alice"]).await;
    }
    for limit in [1, 4, 5, 10, 1000] {
        assert_eq!(listed(&world, "alice", 1, limit).await, peers[5..], "followers by {limit}");
        assert_eq!(listed(&world, "alice", 2, limit).await, peers[..15], "followed by {limit}");
        assert_eq!(listed(&world, "alice", 3, limit).await, peers[5..15], "both by {limit}");
    }
    let mut alice = world.login("alice").await;
    let body = json!({"From_Account": "alice", "FollowType": 2, "StartCursor": "", "WantNum": 1});
    let answer = alice.call("follow.follow_get", body).await.ok();
    let fields = json!([{"Tag": "Tag_Profile_IM_Nick", "Value": "First"}]);
    let expected = json!([{"To_Account": "peer00", "FollowTime": begun_at, "ProfileItem": fields}]);
    assert_eq!(answer["FollowItem"], expected);
    // A page goes on where it was, whatever became of its last entry.
    unfollow(&world, "alice", &["peer00"]).await;
    let body = json!({"From_Account": "alice", "FollowType": 2, "StartCursor": answer["NextCursor"]});
    let answer = alice.call("follow.follow_get", body).await.ok();
    let found: Vec<&Value> = answer.list("FollowItem").iter().map(|item| &item["To_Account"]).collect();
    assert_eq!((found.len(), found[0]), (14, &json!("peer01")), "100 where no number is given");
    assert_eq!(answer["NextCursor"], "");
}

#[tokio::test(start_paused = true)]
async fn an_account_follows_five_thousand_and_is_followed_without_limit() {
    let world = world().await;
    let mut others: Vec<Arc<AccountFact>> = Vec::new();
    for number in 0..=FOLLOWED_MAX {
        others.push(world.account(&format!("peer{number:04}")).await);
    }
    let (app, alice) = (world.settings(&world.app).await, world.account("alice").await);
    for part in others[..4999].chunks(500) {
        assert!(world.engine().follow(&app, &alice, part).await.unwrap().is_empty());
    }
    let refused = world.engine().follow(&app, &alice, &others[4999..]).await.unwrap();
    let refused: Vec<_> = refused.into_iter().map(|(number, error)| (number, error.code)).collect();
    assert_eq!(refused, [(others[5000].number, ErrorCode::FriendsFull)]);
    assert_eq!(counts(&world, "alice").await, (0, 5000, 0));
    let answer = world.rest("follow/follow_add", request("alice", &["peer0000", "peer5000"])).await.ok();
    assert_eq!(codes(&answer), [0, 30010]);
    unfollow(&world, "alice", &["peer0000"]).await;
    follow(&world, "alice", &["peer5000"]).await;
    assert_eq!(counts(&world, "alice").await, (0, 5000, 0));
    follow(&world, "peer0000", &["alice"]).await;
    assert_eq!(counts(&world, "alice").await, (1, 5000, 0));
    // An erasure takes them part by part.
    world.delete_account("alice").await;
    world.advance_seconds(5).await;
    for user in ["peer0000", "peer0001", "peer4999", "peer5000"] {
        let answer = world.rest("follow/follow_get_info", request("bob", &[user])).await.ok();
        let item = &answer.list("FollowInfo")[0];
        assert_eq!((&item["FollowerCount"], &item["FollowingCount"]), (&json!(0), &json!(0)), "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_erased_account_leaves_no_list_and_no_count() {
    let mut world = world().await;
    follow(&world, "alice", &["bob", "carol"]).await;
    follow(&world, "bob", &["alice", "carol"]).await;
    follow(&world, "carol", &["bob"]).await;
    let erased = world.account("bob").await.number;
    world.delete_account("bob").await;
    // Hidden at once, and nobody begins anything with it any more.
    assert_eq!(listed(&world, "alice", 2, 10).await, ["carol"]);
    let answer = world.rest("follow/follow_add", request("carol", &["bob"])).await.ok();
    assert_eq!(codes(&answer), [30003]);
    world.advance_seconds(5).await;
    world.accounts(&["bob"]).await;
    for _ in 0..2 {
        assert_eq!(counts(&world, "alice").await, (0, 1, 0));
        assert_eq!(counts(&world, "carol").await, (1, 0, 0));
        assert_eq!(counts(&world, "bob").await, (0, 0, 0), "another account of the same name");
        for kind in [1, 3] {
            assert!(listed(&world, "alice", kind, 10).await.is_empty());
        }
        let follows = &world.engine().follows;
        for kind in [1, 2, 3] {
            let list = engine::follow::FollowList::of(kind).unwrap();
            assert!(follows.page(world.app.id, erased, list, None, 10).await.unwrap().is_empty());
        }
        world.crash().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_acts_for_itself_and_asks_about_everybody() {
    let world = world().await;
    follow(&world, "alice", &["carol"]).await;
    let mut bob = world.login("bob").await;
    for command in COMMANDS {
        let command = command.replace('/', ".");
        bob.call(&command, request("alice", &["carol"])).await.refused(30003, "From_Account");
    }
    bob.hears_nothing().await;
    let answer = bob.call("follow.follow_get_info", request("bob", &["carol", "alice", "bob"])).await.ok();
    let seen: Vec<&Value> = answer.list("FollowInfo").iter().map(|item| &item["FollowerCount"]).collect();
    assert_eq!(seen, [1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn requests_are_bounded_and_errors_name_their_field() {
    let world = world().await;
    let list = |kind: Value, cursor: Value, limit: Value| json!({"From_Account": "alice", "FollowType": kind, "StartCursor": cursor, "WantNum": limit});
    let mut alice = world.login("alice").await;
    for (command, body, code, field) in [
        ("follow/follow_add", request("alice", &["bob"; 21]), 30001, "FollowItem"),
        ("follow/follow_add", request("alice", &[]), 30001, "FollowItem"),
        ("follow/follow_add", json!({"From_Account": "alice", "FollowItem": [{}]}), 30001, "FollowItem"),
        ("follow/follow_add", json!({"From_Account": "alice"}), 30001, "FollowItem"),
        ("follow/follow_add", json!({"FollowItem": [{"To_Account": "bob"}]}), 30001, "From_Account"),
        ("follow/follow_delete", request("alice", &["bob"; 21]), 30001, "To_Account"),
        ("follow/follow_delete", request("alice", &[]), 30001, "To_Account"),
        ("follow/follow_check", request("alice", &["bob"; 101]), 30001, "To_Account"),
        ("follow/follow_check", request("alice", &[]), 30001, "To_Account"),
        ("follow/follow_get_info", request("alice", &["bob"; 21]), 30001, "To_Account"),
        ("follow/follow_get_info", request("alice", &[]), 30001, "To_Account"),
        ("follow/follow_get", list(json!(0), json!(""), json!(1)), 30001, "FollowType"),
        ("follow/follow_get", list(json!(4), json!(""), json!(1)), 30001, "FollowType"),
        ("follow/follow_get", list(json!("1"), json!(""), json!(1)), 30001, "FollowType"),
        ("follow/follow_get", json!({"From_Account": "alice"}), 30001, "FollowType"),
        ("follow/follow_get", list(json!(1), json!(""), json!(0)), 30001, "WantNum"),
        ("follow/follow_get", list(json!(1), json!(""), json!(1001)), 30001, "WantNum"),
        ("follow/follow_get", list(json!(1), json!("next"), json!(1)), 30001, "StartCursor"),
        ("follow/follow_get", list(json!(1), json!("ffffffffffffffff"), json!(1)), 30001, "StartCursor"),
        ("follow/follow_get", list(json!(1), json!("f".repeat(5000)), json!(1)), 30001, "StartCursor"),
    ] {
        let answer = world.rest(command, body.clone()).await.refused(code, field);
        assert_eq!(answer["ErrorDisplay"], "");
        alice.call(&command.replace('/', "."), body).await.refused(code, field);
    }
    for command in COMMANDS {
        world.rest(command, request("nobody", &["bob"])).await.refused(30003, "From_Account");
    }
    for (command, most) in [("follow/follow_check", 100), ("follow/follow_get_info", 20)] {
        world.rest(command, request("alice", &vec!["bob"; most])).await.ok();
    }
    world.rest("follow/follow_add", request("alice", &["bob"; 20])).await.ok();
}

#[tokio::test(start_paused = true)]
async fn an_app_may_switch_it_off() {
    let world = world().await;
    follow(&world, "alice", &["bob"]).await;
    world.set("follow", "false").await;
    let mut alice = world.login("alice").await;
    for command in COMMANDS {
        world.rest(command, request("alice", &["bob"])).await.refused(30005, "");
        alice.call(&command.replace('/', "."), request("alice", &["bob"])).await.refused(30005, "");
    }
    world.set("follow", "true").await;
    assert_eq!(counts(&world, "alice").await, (0, 1, 0), "nothing is lost meanwhile");
}
