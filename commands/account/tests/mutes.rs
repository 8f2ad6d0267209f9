//! Global mute: who may not write, until when, and that it acts on clients that are logged in already.

use serde_json::{Value, json};
use testkit::World;

const FOR_EVER: u64 = u32::MAX as u64;

async fn world() -> World {
    let world = World::new(account::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

async fn set(world: &World, body: Value) -> i64 {
    world.rest("openconfigsvr/setnospeaking", body).await.code()
}

async fn left(world: &World, user: &str) -> (u64, u64) {
    let answer = world.rest("openconfigsvr/getnospeaking", json!({"Get_Account": user})).await.ok();
    let number = |name: &str| answer[name].as_u64().unwrap_or(u64::MAX);
    (number("C2CmsgNospeakingTime"), number("GroupmsgNospeakingTime"))
}

#[tokio::test(start_paused = true)]
async fn a_mute_ends_by_itself_and_one_for_ever_does_not() {
    let mut world = world().await;
    assert_eq!(left(&world, "alice").await, (0, 0));
    assert_eq!(set(&world, json!({"Set_Account": "alice", "C2CmsgNospeakingTime": 60})).await, 0);
    assert_eq!(left(&world, "alice").await, (60, 0));
    world.advance_seconds(59).await;
    assert_eq!(left(&world, "alice").await, (1, 0));
    world.advance_seconds(1).await;
    assert_eq!(left(&world, "alice").await, (0, 0));
    // A time that is not given stays; for ever outlives a restart.
    let both =
        json!({"Set_Account": "alice", "C2CmsgNospeakingTime": FOR_EVER, "GroupmsgNospeakingTime": 30});
    assert_eq!(set(&world, both).await, 0);
    assert_eq!(set(&world, json!({"Set_Account": "alice", "GroupmsgNospeakingTime": 300_000})).await, 0);
    world.crash().await;
    world.advance_seconds(86_400).await;
    assert_eq!(left(&world, "alice").await, (FOR_EVER, 213_600));
    assert_eq!(set(&world, json!({"Set_Account": "alice", "C2CmsgNospeakingTime": 0})).await, 0);
    assert_eq!(left(&world, "alice").await, (0, 213_600));
    // Who takes the name of a deleted account is another person.
    world.delete_account("alice").await;
    world.accounts(&["alice"]).await;
    assert_eq!(left(&world, "alice").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn mistakes_have_the_documented_numbers() {
    let world = world().await;
    for (body, expected) in [
        (json!({"C2CmsgNospeakingTime": 1}), 130_004),
        (json!({"Set_Account": "", "C2CmsgNospeakingTime": 1}), 130_005),
        (json!({"Set_Account": "nobody", "C2CmsgNospeakingTime": 1}), 130_005),
        (json!({"Set_Account": "alice"}), 130_008),
        (json!({"Set_Account": "alice", "C2CmsgNospeakingTime": -1}), 130_001),
        (json!({"Set_Account": "alice", "C2CmsgNospeakingTime": 4_294_967_296_u64}), 130_001),
        (json!({"Set_Account": 7, "C2CmsgNospeakingTime": 1}), 130_005),
        (json!({"Set_Account": "alice", "C2CmsgNospeakingTime": "1"}), 130_001),
    ] {
        assert_eq!(set(&world, body.clone()).await, expected, "{body}");
    }
    for (body, expected) in [
        (json!({}), 130_004),
        (json!({"Get_Account": "nobody"}), 130_005),
        (json!({"Get_Account": ["alice"]}), 130_005),
    ] {
        assert_eq!(world.rest("openconfigsvr/getnospeaking", body).await.code(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_time_is_not_for_ever() {
    let world = world().await;
    let body = json!({"Set_Account": "alice", "C2CmsgNospeakingTime": 3_000_000_000_u64});
    assert_eq!(set(&world, body).await, 0);
    let (single, _) = left(&world, "alice").await;
    assert_eq!(single, FOR_EVER - 1 - u64::from(world.now().0));
}
