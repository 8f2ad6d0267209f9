//! `whimbrel_log` and `whimbrel_monitoring`: what was asked, for as long as promised.

use serde_json::{Value, json};
use testkit::{Answer, World};

const DAY: u64 = 86_400;

async fn world() -> World {
    let world = World::new(app::commands).await;
    world.accounts(&["administrator", "alice"]).await;
    world
}

async fn log(world: &World, asked: Value) -> Answer {
    world.rest("whimbrel_log/get", asked).await.ok()
}

fn commands(page: &Answer) -> Vec<String> {
    page.list("Items").iter().map(|item| item["Command"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_request_is_logged_with_address_time_code_and_cause_and_nothing_of_what_it_said() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    alice.call("im_sdk_config_mgr.fetch_config", json!({"uint64_version": "secret"})).await;
    alice.call("no_such.command", json!({})).await;
    world.rest("whimbrel_retention/apply", json!({"Token": "secret"})).await;
    world.rest_as(&world.app, "alice", "whimbrel_retention/get", json!({})).await;
    let page = log(&world, json!({})).await;
    let items = page.list("Items");
    let seen: Vec<(&str, i64)> = items
        .iter()
        .map(|item| (item["Command"].as_str().unwrap_or_default(), item["Code"].as_i64().unwrap_or(-1)))
        .collect();
    let retention = ("whimbrel_retention/apply", 200_009);
    assert!(seen.contains(&("im_open_status/wslogin", 0)), "{seen:?}");
    assert!(seen.contains(&("unknown", 60009)), "{seen:?}");
    assert!(seen.contains(&retention), "{seen:?}");
    assert!(seen.contains(&("whimbrel_retention/get", 60010)), "{seen:?}");
    for item in items {
        assert_eq!(item["Address"], "127.0.0.1");
        assert_eq!(item["Time"].as_u64().map(|millis| millis / 1000), Some(world.now().0.into()));
        assert_eq!(item["Cause"] == "", item["Code"] == 0, "{item}");
    }
    assert!(!page.0.to_string().contains("secret"));
    let failures = log(&world, json!({"OnlyFailures": 1})).await;
    assert!(failures.list("Items").iter().all(|item| item["Code"] != 0));
}

#[tokio::test(start_paused = true)]
async fn pages_go_on_where_the_last_one_ended_over_hours() {
    let world = world().await;
    for _ in 0..3 {
        for _ in 0..3 {
            world.rest("whimbrel_retention/get", json!({})).await.ok();
        }
        world.advance_seconds(3600).await;
    }
    let until = world.now().0 - 1;
    let mut seen = Vec::new();
    let mut next = json!("");
    loop {
        let page = log(&world, json!({"Limit": 2, "Next": next, "Until": until})).await;
        assert!(page.list("Items").len() <= 2);
        seen.extend(commands(&page));
        if !page.has("Next") {
            break;
        }
        next = page["Next"].clone();
    }
    assert_eq!(seen.iter().filter(|name| *name == "whimbrel_retention/get").count(), 9);
    let since = log(&world, json!({"Since": until - 3599, "Until": until})).await;
    assert_eq!(commands(&since), ["whimbrel_retention/get"; 3]);
    for (bad, field) in
        [(json!({"Limit": 0}), "Limit"), (json!({"Limit": 1001}), "Limit"), (json!({"Next": "x"}), "Next")]
    {
        world.rest("whimbrel_log/get", bad).await.refused(70402, field);
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_ends_after_seven_days_and_monitoring_after_two_and_neither_before() {
    let world = world().await;
    world.rest("whimbrel_retention/get", json!({})).await.ok();
    let began = world.now().0;
    let is_logged = async |world: &World| {
        commands(&log(world, json!({"Until": began + 1})).await)
            .contains(&"whimbrel_retention/get".to_owned())
    };
    let is_monitored = async |world: &World| {
        let asked = json!({"Until": began, "Command": "whimbrel_retention/get"});
        !world.rest("whimbrel_monitoring/get", asked).await.ok().list("Points").is_empty()
    };
    assert!(is_logged(&world).await && is_monitored(&world).await);
    world.advance_seconds(2 * DAY - 1).await;
    assert!(is_monitored(&world).await);
    world.advance_seconds(61).await;
    assert!(!is_monitored(&world).await && is_logged(&world).await);
    world.advance_seconds(5 * DAY - 62).await;
    assert!(is_logged(&world).await);
    world.advance_seconds(3).await;
    assert!(!is_logged(&world).await);
    // An hour later nothing of it is at rest.
    world.advance_seconds(3600 + 61).await;
    let segments = world.engine().context.segments.list().await;
    assert!(segments.is_ok_and(|segments| segments.iter().all(|segment| segment.hour > began / 3600)));
}

#[tokio::test(start_paused = true)]
async fn monitoring_counts_by_minute_and_command() {
    let world = world().await;
    let minute = |world: &World| world.now().0 / 60 * 60;
    let first = minute(&world);
    for _ in 0..3 {
        world.rest("whimbrel_retention/get", json!({})).await.ok();
    }
    world.rest("whimbrel_retention/apply", json!({"Token": ""})).await;
    world.advance_seconds(120).await;
    world.rest("whimbrel_retention/get", json!({})).await.ok();
    let points = world.rest("whimbrel_monitoring/get", json!({"Since": first})).await.ok();
    let point = |at: u32, command: &str| {
        let found =
            points.list("Points").iter().find(|point| point["Minute"] == at && point["Command"] == command);
        found.map(|point| (point["Succeeded"].clone(), point["Failed"].clone()))
    };
    assert_eq!(point(first, "whimbrel_retention/get"), Some((json!(3), json!(0))));
    assert_eq!(point(first, "whimbrel_retention/apply"), Some((json!(0), json!(1))));
    assert_eq!(point(minute(&world), "whimbrel_retention/get"), Some((json!(1), json!(0))));
    assert!(points.list("Points").iter().all(|point| point["MeanMicros"].is_u64()));
}
