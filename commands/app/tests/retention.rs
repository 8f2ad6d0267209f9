//! `whimbrel_retention`: what is kept for how long, changed in two steps.

use serde_json::{Value, json};
use testkit::{Answer, World};

const DAY: u64 = 86_400;

async fn world() -> World {
    let world = World::new(app::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

async fn propose(world: &World, days: Value) -> Answer {
    world.rest("whimbrel_retention/propose", days).await
}

async fn apply(world: &World, proposal: &Answer) -> Answer {
    world.rest("whimbrel_retention/apply", json!({"Token": proposal["Token"]})).await
}

async fn seen(world: &World) -> usize {
    world.history("bob", "alice").await.len()
}

#[tokio::test(start_paused = true)]
async fn a_change_says_first_what_it_deletes_and_then_deletes_it_at_once() {
    let world = world().await;
    world.nick("alice", "Alice").await;
    for _ in 0..3 {
        world.send("alice", "bob", "hello").await;
        world.advance_seconds(2 * DAY).await;
    }
    let proposal = propose(&world, json!({"MessageDays": 3})).await.ok();
    assert_eq!(proposal["From"], json!({"MessageDays": 7, "ProfileDays": 7}));
    assert_eq!(proposal["To"], json!({"MessageDays": 3, "ProfileDays": 7}));
    assert_eq!(proposal["Deletes"], json!({"Messages": 2, "Profiles": 0}));
    assert_eq!(seen(&world).await, 3, "nothing has changed yet");
    let asked_at = world.now().0;
    let change = apply(&world, &proposal).await.ok();
    assert_eq!((&change["By"], &change["Time"]), (&json!("administrator"), &json!(asked_at)));
    assert_eq!(seen(&world).await, 1);
    // What was sent before the change follows it to the second.
    let taken = u64::from(world.now().0 - asked_at);
    world.advance_seconds(DAY - 1 - taken).await;
    assert_eq!(seen(&world).await, 1);
    world.advance_seconds(1).await;
    assert_eq!(seen(&world).await, 0);
    let current = world.rest("whimbrel_retention/get", json!({})).await.ok();
    assert_eq!(current["Retention"], json!({"MessageDays": 3, "ProfileDays": 7}));
    assert_eq!(current.list("Changes").len(), 1);
    assert_eq!(current.list("Changes")[0]["Deletes"]["Messages"], 2);
}

#[tokio::test(start_paused = true)]
async fn raising_a_limit_revives_nothing_and_prolongs_nothing() {
    let world = world().await;
    world.send("alice", "bob", "old").await;
    world.keep(Some(2), None).await;
    world.advance_seconds(DAY).await;
    let proposal = propose(&world, json!({"MessageDays": 30})).await.ok();
    assert_eq!(proposal["Deletes"], json!({"Messages": 0, "Profiles": 0}));
    apply(&world, &proposal).await.ok();
    world.send("alice", "bob", "new").await;
    world.advance_seconds(DAY).await;
    assert_eq!(world.history("bob", "alice").await.len(), 1);
    world.advance_seconds(29 * DAY - 1).await;
    assert_eq!(seen(&world).await, 1);
    world.advance_seconds(1).await;
    assert_eq!(seen(&world).await, 0);
}

#[tokio::test(start_paused = true)]
async fn only_the_last_proposal_counts_for_an_hour_and_once() {
    let world = world().await;
    let first = propose(&world, json!({"MessageDays": 3})).await.ok();
    let second = propose(&world, json!({"MessageDays": 4})).await.ok();
    assert_eq!(apply(&world, &first).await.code(), 200_009);
    apply(&world, &second).await.ok();
    assert_eq!(apply(&world, &second).await.code(), 200_009);
    let late = propose(&world, json!({"MessageDays": 5})).await.ok();
    world.advance_seconds(3600).await;
    assert_eq!(apply(&world, &late).await.code(), 200_009);
    for days in
        [json!({"MessageDays": 3651}), json!({"ProfileDays": 3651}), json!({}), json!({"MessageDays": 4})]
    {
        assert_eq!(propose(&world, days.clone()).await.code(), 200_006, "{days}");
    }
    assert_ne!(propose(&world, json!({"MessageDays": -1})).await.code(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_profile_ends_with_the_hour_after_its_days_and_every_use_begins_them_anew() {
    let world = world().await;
    world.nick("alice", "Alice").await;
    let nick = async || {
        let number = world.account("alice").await.number;
        let profile = world.engine().profiles.of(world.app.id, number).await;
        profile.map(|profile| profile.text(model::profile::NICK).to_owned())
    };
    let end = |used: u32| (used + 7 * 86_400).next_multiple_of(3600);
    let mut used = world.now().0;
    for use_it in ["message", "import", "login"] {
        world.advance_seconds(u64::from(end(used) - world.now().0) - 1).await;
        assert_eq!(nick().await, Ok("Alice".to_owned()), "before the {use_it}");
        match use_it {
            "message" => drop(world.send("alice", "bob", "hello").await),
            "import" => {
                let imported = json!({"UserID": "alice"});
                drop(world.rest("im_open_login_svc/account_import", imported).await);
                // This world has no such command: what it does to the profile.
                let (app, number) = (world.settings(&world.app).await, world.account("alice").await.number);
                let stamps = promise::Stamps::of(app.id, &app.settings);
                assert_eq!(world.engine().profiles.renew(stamps, app.id, number).await, Ok(()));
            }
            _ => drop(world.login("alice").await),
        }
        world.settle().await;
        used = world.now().0;
    }
    world.advance_seconds(u64::from(end(used) - world.now().0) - 1).await;
    assert_eq!(nick().await, Ok("Alice".to_owned()));
    world.advance_seconds(1).await;
    assert_eq!(nick().await, Ok(String::new()));
}

#[tokio::test(start_paused = true)]
async fn shortening_takes_profiles_too() {
    let world = world().await;
    world.nick("alice", "Alice").await;
    world.advance_seconds(3 * DAY).await;
    world.nick("bob", "Bob").await;
    let proposal = propose(&world, json!({"ProfileDays": 2})).await.ok();
    assert_eq!(proposal["Deletes"], json!({"Messages": 0, "Profiles": 1}));
    apply(&world, &proposal).await.ok();
    let nick = async |user: &str| {
        let number = world.account(user).await.number;
        let profile = world.engine().profiles.of(world.app.id, number).await;
        profile.map(|profile| profile.text(model::profile::NICK).to_owned())
    };
    assert_eq!((nick("alice").await, nick("bob").await), (Ok(String::new()), Ok("Bob".to_owned())));
    world.advance_seconds(2 * DAY + 3600).await;
    assert_eq!(nick("bob").await, Ok(String::new()));
}
