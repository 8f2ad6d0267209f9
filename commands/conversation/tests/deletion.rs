//! Deleting conversations and clearing histories, on one side.

use serde_json::{Value, json};
use testkit::{Answer, Client, World};

async fn world() -> World {
    let world = World::new(conversation::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    for content in ["1", "2"] {
        world.send("bob", "alice", content).await;
    }
    world
}

fn contact(peer: &str) -> Value {
    json!({"Type": 1, "To_Account": peer})
}

async fn listed(client: &mut Client) -> Vec<String> {
    let answer: Answer = client.call("recentcontact.page_get", json!({})).await.ok();
    let items = answer.list("SessionItem").iter();
    items.filter_map(|item| item["To_Account"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_deleted_conversation_leaves_the_list_of_every_instance() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let body = json!({"From_Account": "alice", "ClearRamble": 0, "ContactItem": [contact("bob"), contact("nobody")]});
    let answer = alice.call("recentcontact.batch_delete", body).await.ok();
    let results = answer.list("ResultItem");
    assert_eq!((&results[0]["To_Account"], &results[0]["ResultCode"]), (&json!("bob"), &json!(0)));
    assert_eq!((&results[1]["To_Account"], &results[1]["ResultCode"]), (&json!("nobody"), &json!(50001)));
    let push = second.pushed().await;
    assert_eq!(push.event(), 102);
    let change = &push.item("RecentContactMod")[0];
    assert_eq!(change["PushType"], 1);
    let expected = json!([{"Type": 1, "UserId": "bob", "Peer_Account": "bob"}]);
    assert_eq!(change["RecentContactDeleteItem"]["RecentContactList"], expected);
    alice.hears_nothing().await;
    bob.hears_nothing().await;
    assert!(listed(&mut alice).await.is_empty());
    assert_eq!(listed(&mut bob).await, ["alice"]);
    assert_eq!(world.history("alice", "bob").await.len(), 2, "the history was kept");
    world.send("bob", "alice", "3").await;
    assert_eq!(listed(&mut alice).await, ["bob"], "it comes back with the next message");
}

#[tokio::test(start_paused = true)]
async fn an_app_may_keep_deletions_from_the_other_instances() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let delete = json!({"ContactItem": [contact("bob")]});
    let by_back_end = json!({"From_Account": "alice", "Type": 1, "To_Account": "bob"});
    for (setting, pushes) in [("false", 0), ("true", 1)] {
        world.set("sync_conversation_deletion", setting).await;
        for is_back_end in [false, true] {
            world.send("bob", "alice", "3").await;
            for client in [&mut alice, &mut second] {
                client.forget().await;
            }
            let expected = if is_back_end {
                world.rest("recentcontact/delete", by_back_end.clone()).await.ok();
                (1, 1)
            } else {
                alice.call("recentcontact.batch_delete", delete.clone()).await.ok();
                (0, pushes)
            };
            let heard = (alice.rest().await.len(), second.rest().await.len());
            assert_eq!(heard, expected, "{setting}, by the back end: {is_back_end}");
            assert!(listed(&mut second).await.is_empty(), "the list is the same in any case");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_its_history_only_one_side_loses_it() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let body = json!({"ClearRamble": 1, "ContactItem": [contact("bob")]});
    alice.call("recentcontact.batch_delete", body).await.ok();
    assert!(world.history("alice", "bob").await.is_empty());
    assert_eq!(world.history("bob", "alice").await.len(), 2);
    assert_eq!(world.unread("alice", "bob").await, 0);
    world.send("alice", "bob", "3").await;
    assert_eq!(world.history("alice", "bob").await.len(), 1);
    let many = json!({"ContactItem": vec![contact("bob"); 101]});
    alice.call("recentcontact.batch_delete", many).await.refused(51006, "");
    alice.call("recentcontact.batch_delete", json!({"ContactItem": []})).await.refused(51006, "");
    let foreign = json!({"From_Account": "bob", "ContactItem": [contact("alice")]});
    alice.call("recentcontact.batch_delete", foreign).await.refused(50001, "From_Account");
    assert_eq!(world.history("bob", "alice").await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn clearing_keeps_the_conversation_on_the_list() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let body = json!({"From_Account": "alice", "Type": 1, "To_Account": "bob"});
    alice.call("recentcontact.clear_msg", body).await.ok();
    assert_eq!(listed(&mut second).await, ["bob"]);
    assert!(world.history("alice", "bob").await.is_empty());
    assert_eq!(world.history("bob", "alice").await.len(), 2);
    assert_eq!(world.unread("alice", "bob").await, 0);
    second.hears_nothing().await;
    for (body, code, field) in [
        (json!({"Type": 1, "To_Account": "nobody"}), 50001, "To_Account"),
        (json!({"Type": 1}), 50002, "To_Account"),
        (json!({"Type": 2, "ToGroupid": "g"}), 50002, "Type"),
        (json!({"To_Account": "bob"}), 50002, "Type"),
        (json!({"From_Account": "bob", "Type": 1, "To_Account": "alice"}), 50001, "From_Account"),
    ] {
        alice.call("recentcontact.clear_msg", body).await.refused(code, field);
    }
}

#[tokio::test(start_paused = true)]
async fn a_back_end_deletes_one_sides_conversation() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let body = json!({"From_Account": "alice", "Type": 1, "To_Account": "bob", "ClearRamble": 0});
    world.rest("recentcontact/delete", body.clone()).await.ok();
    let push = alice.pushed().await;
    assert_eq!(push.item("RecentContactMod")[0]["PushType"], 1);
    assert!(listed(&mut alice).await.is_empty());
    assert_eq!(listed(&mut bob).await, ["alice"]);
    assert_eq!(world.history("alice", "bob").await.len(), 2);
    let mut with_history = body.clone();
    with_history["ClearRamble"] = json!(1);
    world.rest("recentcontact/delete", with_history).await.ok();
    assert!(world.history("alice", "bob").await.is_empty());
    for (body, code, field) in [
        (json!({"Type": 1, "To_Account": "bob"}), 50002, "From_Account"),
        (json!({"From_Account": "nobody", "Type": 1, "To_Account": "bob"}), 50001, "From_Account"),
        (json!({"From_Account": "alice", "Type": 1, "To_Account": "nobody"}), 50001, "To_Account"),
        (json!({"From_Account": "alice", "To_Account": "bob"}), 50002, "Type"),
    ] {
        world.rest("recentcontact/delete", body).await.refused(code, field);
    }
    alice.call("recentcontact.delete", body).await.refused(50003, "");
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_erased_for_both_is_gone_from_lists_and_pages_and_new_messages_begin_anew() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let ask = |from: &str, to: &str| json!({"From_Account": from, "To_Account": to});
    world.rest("whimbrel_conversation/erase", ask("alice", "nobody")).await.refused(70_107, "");
    world.rest("whimbrel_conversation/erase", ask("", "bob")).await.refused(50_002, "From_Account");
    let erased = world.rest("whimbrel_conversation/erase", ask("alice", "bob")).await.ok();
    assert_eq!((erased.text("Commitment").len(), erased.text("Salt").len()), (64, 32));
    assert!(erased["Receipt"].as_u64() > Some(0));
    for (viewer, peer) in [("alice", "bob"), ("bob", "alice")] {
        assert!(world.history(viewer, peer).await.is_empty(), "{viewer}");
        assert_eq!(world.unread(viewer, peer).await, 0, "{viewer}");
    }
    assert!(listed(&mut alice).await.is_empty());
    world.send("bob", "alice", "later").await;
    assert_eq!(listed(&mut alice).await, ["bob"]);
    assert_eq!(world.history("alice", "bob").await.len(), 1);
}
