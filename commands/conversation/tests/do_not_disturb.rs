//! When an account does not want to be disturbed: `im_msg_db_logic`.

use serde_json::{Value, json};
use testkit::World;

const SET: &str = "im_msg_db_logic.ws_set_do_not_disturb";
const GET: &str = "im_msg_db_logic.ws_get_do_not_disturb";

async fn world() -> World {
    let world = World::new(conversation::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

fn times(level: i64, start: i64, end: i64, is_repeated: i64) -> Value {
    json!({"Level": level, "StartTime": start, "EndTime": end, "IsRepeated": is_repeated})
}

#[tokio::test(start_paused = true)]
async fn the_other_instances_follow_and_later_logins_and_starts_read_it() {
    let mut world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let answer = alice.call(GET, json!({"To_Account": "alice"})).await.ok();
    for (name, value) in times(0, 0, 0, 0).as_object().unwrap() {
        assert_eq!(&answer[name.as_str()], value, "{name}: never set");
    }
    for body in [times(2, 1_760_000_000, 1_760_030_000, 1), times(1, 5, 500_000, 0), times(0, 7, 7, 1)] {
        alice.call(SET, body.clone()).await.ok();
        let push = second.pushed().await;
        let item = &push.body["EventArray"][0];
        assert_eq!(item["Event"], 24);
        let answer = second.call(GET, json!({})).await.ok();
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&item[name], value, "{name} in the push");
            assert_eq!(&answer[name.as_str()], value, "{name} in the answer");
        }
    }
    alice.hears_nothing().await;
    bob.hears_nothing().await;
    world.crash().await;
    let mut later = world.login("alice").await;
    assert_eq!(later.call(GET, json!({"To_Account": "alice"})).await.ok()["EndTime"], 7);
    let mut bob = world.login("bob").await;
    assert_eq!(bob.call(GET, json!({"To_Account": "bob"})).await.ok()["EndTime"], 0);
}

#[tokio::test(start_paused = true)]
async fn bad_times_are_refused_by_the_name_of_the_field() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let good = times(2, 100, 200, 1);
    alice.call(SET, good.clone()).await.ok();
    for (body, field) in [
        (times(3, 100, 200, 0), "Level"),
        (times(-1, 100, 200, 0), "Level"),
        (times(2, 200, 199, 0), "EndTime"),
        (times(2, 100, 100 + 86_401, 1), "EndTime"),
        (times(2, -1, 200, 0), "StartTime"),
        (times(2, 100, 4_294_967_296, 0), "EndTime"),
        (times(2, 100, 200, 2), "IsRepeated"),
        (json!({"StartTime": 1, "EndTime": 2, "IsRepeated": 0}), "Level"),
        (json!({"Level": 2, "EndTime": 2, "IsRepeated": 0}), "StartTime"),
        (json!({"Level": 2, "StartTime": 1, "IsRepeated": 0}), "EndTime"),
        (json!({"Level": 2, "StartTime": 1, "EndTime": 2}), "IsRepeated"),
    ] {
        alice.call(SET, body).await.refused(90001, field);
    }
    alice.call(GET, json!({"To_Account": "bob"})).await.refused(90012, "To_Account");
    assert_eq!(alice.call(GET, json!({})).await.ok()["EndTime"], 200);
    alice.call(SET, times(2, 100, 100 + 86_400, 1)).await.ok();
    for command in [SET, GET] {
        world.rest(&command.replace('.', "/"), good.clone()).await.refused(60009, "");
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_may_switch_it_off() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    alice.call(SET, times(2, 100, 200, 0)).await.ok();
    world.set("global_do_not_disturb", "false").await;
    alice.call(SET, times(1, 100, 200, 0)).await.refused(72011, "");
    alice.call(GET, json!({})).await.refused(72011, "");
    world.set("global_do_not_disturb", "true").await;
    assert_eq!(alice.call(GET, json!({})).await.ok()["Level"], 2, "it is kept");
}

#[tokio::test(start_paused = true)]
async fn it_goes_with_its_account() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    alice.call(SET, times(2, 100, 200, 1)).await.ok();
    let number = world.account("alice").await.number;
    world.delete_account("alice").await;
    world.advance_seconds(60).await;
    let left = world.engine().do_not_disturb.of(world.app.id, number).await.unwrap();
    assert_eq!(left, engine::do_not_disturb::Times::default());
}
