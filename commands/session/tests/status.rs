//! User status: asked for, set, subscribed to.

use serde_json::{Value, json};
use testkit::{Client, Device, World};

async fn world() -> World {
    let world = World::new(session::commands).await;
    world.accounts(&["alice", "bob", "carol"]).await;
    world
}

async fn subscribe(client: &mut Client, users: &[&str]) {
    let answer = client.call("im_open_status.ws_status_subscribe", json!({"To_Account": users})).await.ok();
    assert!(answer.list("ErrorList").is_empty());
}

/// What a client hears of others: who, and their status.
async fn heard(client: &mut Client) -> Vec<(String, i64)> {
    let pushes = client.rest().await;
    pushes
        .iter()
        .map(|push| {
            assert_eq!(push.event(), 17);
            let item = &push.item("UserStatusList")[0];
            let user = item["To_Account"].as_str().unwrap_or_default();
            (user.to_owned(), item["Status"].as_i64().unwrap_or_default())
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn watchers_hear_of_coming_and_going() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    subscribe(&mut alice, &["bob"]).await;
    let bob = world.login("bob").await;
    let _carol = world.login("carol").await;
    let of_bob = |status: i64| vec![("bob".to_owned(), status)];
    assert_eq!(heard(&mut alice).await, of_bob(1));
    let second = world.login("bob").await;
    drop(bob);
    assert_eq!(heard(&mut alice).await, [], "one of two connections is nothing to tell");
    let mut again = world.reconnect(&second, Device::WEB).await;
    drop(second);
    assert_eq!(heard(&mut alice).await, of_bob(2), "the connection is lost, the login goes on");
    again.log_in().await.ok();
    assert_eq!(heard(&mut alice).await, of_bob(1));
}

#[tokio::test(start_paused = true)]
async fn watchers_hear_of_a_logout() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    subscribe(&mut alice, &["bob"]).await;
    let mut bob = world.login("bob").await;
    bob.call("im_open_status.wslogout", json!({"wslogout_type": 0})).await.ok();
    assert_eq!(heard(&mut alice).await, [("bob".to_owned(), 1), ("bob".to_owned(), 3)]);
    drop(bob);
    assert_eq!(heard(&mut alice).await, []);
}

#[tokio::test(start_paused = true)]
async fn what_an_account_says_about_itself_is_pushed_in_base64() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut second = world.login("bob").await;
    subscribe(&mut alice, &["bob"]).await;
    let set = json!({"CustomStatus": "coding"});
    bob.call("im_open_status.ws_set_custom_status", set).await.ok();
    // The acting instance takes its own status from the push too.
    for client in [&mut alice, &mut bob, &mut second] {
        let push = client.pushed().await;
        let expected = json!([{"To_Account": "bob", "Status": 1, "CustomStatus": "Y29kaW5n"}]);
        assert_eq!(push.item("UserStatusList"), &expected);
    }
    let ask = json!({"To_Account": ["bob"]});
    let answer = alice.call("im_open_status.ws_get_user_status", ask.clone()).await.ok();
    assert_eq!(answer.list("UserStatusList")[0]["CustomStatus"], "Y29kaW5n");
    assert_eq!(world.login("bob").await.log_in().await.ok()["CustomStatus"], "Y29kaW5n");
    bob.call("im_open_status.ws_set_custom_status", json!({"CustomStatus": ""})).await.ok();
    let answer = alice.call("im_open_status.ws_get_user_status", ask).await.ok();
    assert_eq!(answer.list("UserStatusList")[0]["CustomStatus"], "");
    let fits = json!({"CustomStatus": "x".repeat(100)});
    bob.call("im_open_status.ws_set_custom_status", fits).await.ok();
    let long = json!({"CustomStatus": "x".repeat(101)});
    bob.call("im_open_status.ws_set_custom_status", long).await.refused(70402, "CustomStatus");
}

#[tokio::test(start_paused = true)]
async fn status_is_online_offline_or_logged_out() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let _bob = world.login("bob").await;
    drop(world.login("carol").await);
    world.account("dave").await;
    world.settle().await;
    let ask = json!({"To_Account": ["bob", "carol", "dave", "nobody"]});
    let answer = alice.call("im_open_status.ws_get_user_status", ask).await.ok();
    let statuses: Vec<&Value> = answer.list("UserStatusList").iter().map(|item| &item["Status"]).collect();
    assert_eq!(statuses, [1, 2, 3]);
    let error = &answer.list("ErrorList")[0];
    assert_eq!((&error["To_Account"], &error["ErrorCode"]), (&json!("nobody"), &json!(70107)));
    assert!(error["ErrorInfo"].is_string() && error["Invalid_Account"] == "");
    let many = json!({"To_Account": vec!["bob"; 501]});
    alice.call("im_open_status.ws_get_user_status", many).await.refused(70402, "To_Account");
}

#[tokio::test(start_paused = true)]
async fn subscriptions_end_when_asked_to() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    subscribe(&mut alice, &["bob", "carol"]).await;
    let command = "im_open_status.ws_status_unsubscribe";
    let answer = alice.call(command, json!({"To_Account": ["bob", "nobody"]})).await.ok();
    assert_eq!(answer.list("ErrorList")[0]["To_Account"], "nobody");
    drop(world.login("bob").await);
    drop(world.login("carol").await);
    let found = heard(&mut alice).await;
    assert!(!found.is_empty() && found.iter().all(|(user, _)| user == "carol"), "{found:?}");
    alice.call(command, json!({"UnsubscribeAll": 1})).await.ok();
    drop(world.login("carol").await);
    assert_eq!(heard(&mut alice).await, []);
    let many = json!({"To_Account": vec!["bob"; 101]});
    alice.call(command, many).await.refused(70402, "To_Account");
}

#[tokio::test(start_paused = true)]
async fn an_account_watches_two_hundred_others() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let peers: Vec<String> = (0..201).map(|number| format!("peer{number}")).collect();
    let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
    world.accounts(&peers).await;
    subscribe(&mut alice, &peers[..100]).await;
    subscribe(&mut alice, &peers[100..200]).await;
    subscribe(&mut alice, &peers[..100]).await;
    let command = "im_open_status.ws_status_subscribe";
    alice.call(command, json!({"To_Account": [peers[200]]})).await.refused(90018, "To_Account");
    alice.call(command, json!({"To_Account": peers[..101]})).await.refused(70402, "To_Account");
    let answer = alice.call(command, json!({"To_Account": ["nobody"]})).await.ok();
    assert_eq!(answer.list("ErrorList")[0]["ErrorCode"], 70107);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_named_twice_is_watched_once() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let peers: Vec<String> = (0..200).map(|number| format!("peer{number}")).collect();
    let peers: Vec<&str> = peers.iter().map(String::as_str).collect();
    world.accounts(&peers).await;
    subscribe(&mut alice, &peers[..100]).await;
    subscribe(&mut alice, &peers[100..199]).await;
    subscribe(&mut alice, &[peers[199], peers[199], peers[199]]).await;
    drop(world.login(peers[199]).await);
    assert_eq!(heard(&mut alice).await[0], (peers[199].to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn watchers_hear_nothing_once_the_app_has_no_user_status_any_more() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    subscribe(&mut alice, &["bob"]).await;
    world.set("user_status", "false").await;
    alice.forget().await;
    drop(world.login("bob").await);
    alice.hears_nothing().await;
    world.set("user_status", "true").await;
    alice.forget().await;
    drop(world.login("bob").await);
    assert_eq!(heard(&mut alice).await, [("bob".to_owned(), 1), ("bob".to_owned(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn what_an_account_says_about_itself_goes_with_it() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    bob.call("im_open_status.ws_set_custom_status", json!({"CustomStatus": "coding"})).await.ok();
    let number = world.account("bob").await.number;
    let presence = &world.engine().presence;
    assert_eq!(presence.custom_status(world.app.id, number).await.unwrap_or_default(), "Y29kaW5n");
    world.delete_account("bob").await;
    world.advance_seconds(60).await;
    assert_eq!(presence.custom_status(world.app.id, number).await.unwrap_or_default(), "");
}

#[tokio::test(start_paused = true)]
async fn an_app_without_user_status_says_so() {
    let world = world().await;
    world.set("user_status", "false").await;
    let mut alice = world.login("alice").await;
    for command in ["ws_get_user_status", "ws_status_subscribe", "ws_status_unsubscribe"] {
        let body = json!({"To_Account": ["bob"]});
        alice.call(&format!("im_open_status.{command}"), body).await.refused(72001, "");
    }
    let body = json!({"CustomStatus": "coding"});
    alice.call("im_open_status.ws_set_custom_status", body).await.refused(72001, "");
}
