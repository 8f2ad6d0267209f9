//! Many who follow one account at the same moment: each of them is counted, once.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Client, World, code};

const FANS: usize = 30;

/// Followers, followed and both, of an account.
async fn counts(world: &World, user: &str) -> [u64; 3] {
    let body = json!({"From_Account": user, "To_Account": [user]});
    let answer = world.rest("follow/follow_get_info", &body).await;
    let item = &answer["FollowInfo"][0];
    ["FollowerCount", "FollowingCount", "MutualFollowingCount"].map(|name| item[name].as_u64().unwrap())
}

async fn ask(client: &mut Client, command: &str, others: &[String]) -> Value {
    let items: Vec<Value> = others.iter().map(|other| json!({"To_Account": other})).collect();
    let user = client.identity.user.clone();
    let body = json!({"From_Account": user, "FollowItem": items, "To_Account": others});
    client.request(command, &body).await
}

#[tokio::test]
async fn many_who_follow_one_account_at_the_same_moment_are_counted_exactly() {
    let world = World::start().await;
    let users = world.numbered_accounts(FANS).await;
    let star = ["star".to_owned()];
    let mut of_star = world.log_in("star").await;
    let mut fans = Vec::new();
    for user in &users {
        fans.push(world.log_in(user).await);
    }
    let begin = join_all(fans.iter_mut().map(|fan| ask(fan, "follow.follow_add", &star)));
    let (answers, back) = tokio::join!(begin, ask(&mut of_star, "follow.follow_add", &users[..20]));
    for answer in answers.iter().chain([&back]) {
        assert_eq!(code(answer), 0, "{answer}");
        assert!(answer.get("Fail_Account").is_none(), "{answer}");
    }
    assert_eq!(counts(&world, "star").await, [30, 20, 20]);
    assert_eq!(counts(&world, &users[0]).await, [1, 1, 1]);
    assert_eq!(counts(&world, &users[29]).await, [0, 1, 0]);
    let end = join_all(fans.iter_mut().map(|fan| ask(fan, "follow.follow_delete", &star)));
    let (answers, back) = tokio::join!(end, ask(&mut of_star, "follow.follow_delete", &users[..10]));
    for answer in answers.iter().chain([&back]) {
        assert_eq!(code(answer), 0, "{answer}");
    }
    assert_eq!(counts(&world, "star").await, [0, 10, 0]);
    assert_eq!(counts(&world, &users[0]).await, [0, 0, 0]);
    assert_eq!(counts(&world, &users[10]).await, [1, 0, 0]);
}
