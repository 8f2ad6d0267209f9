//! `whimbrel_log` and `whimbrel_monitoring`: what was asked, for as long as promised.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use engine::requests::{
    APP_WAITING_MAX, LogPlace, LogQuery, NOT_LOGGED, POINTS_MAX, PointsQuery, ROWS_LOOKED_AT_MAX, Request,
};
use engine::{Context, Engine};
use model::{SdkAppId, Sealed, Seconds};
use ports::segments::{Block, BlockPlace, SegmentId};
use ports::{Fault, Segments, Stamped};
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

fn request(app: SdkAppId, command: &'static str, code: i64) -> Request {
    let cause = (code != 0).then(|| "refused".into());
    Request { app, address: IpAddr::V4(Ipv4Addr::LOCALHOST), command, code, cause, micros: 5 }
}

/// Command, code and cause of a request.
type Row = (String, i64, Option<Box<str>>);

fn call() -> Row {
    ("a/call".to_owned(), 0, None)
}

/// What an app's log says of each request.
async fn logged(engine: &Engine, app: SdkAppId) -> Vec<Row> {
    let until = Seconds(u32::MAX);
    let from = LogPlace::default();
    let query = LogQuery { since: Seconds(0), until, only_failures: false, from, limit: 1000 };
    let Ok(page) = engine.request_log(app, query).await else { unreachable!("the log can be read") };
    assert_eq!(page.next, None);
    page.requests.into_iter().map(|logged| (logged.command, logged.code, logged.cause)).collect()
}

/// Segments that take a while and tell how many read at the same time; they may be full.
struct Watched {
    inner: Arc<dyn Segments>,
    readers: AtomicUsize,
    readers_most: AtomicUsize,
    is_full: AtomicBool,
}

impl Segments for Watched {
    fn add(&self, segment: SegmentId, block: Stamped<Sealed>) -> ports::Answer<'_, ()> {
        if self.is_full.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Fault::Full) });
        }
        let added = self.inner.add(segment, block);
        Box::pin(async move {
            tokio::task::yield_now().await;
            added.await
        })
    }

    fn blocks(&self, segment: SegmentId, from: BlockPlace, limit: usize) -> ports::Answer<'_, Vec<Block>> {
        Box::pin(async move {
            let readers = self.readers.fetch_add(1, Ordering::SeqCst) + 1;
            self.readers_most.fetch_max(readers, Ordering::SeqCst);
            tokio::task::yield_now().await;
            let found = self.inner.blocks(segment, from, limit).await;
            self.readers.fetch_sub(1, Ordering::SeqCst);
            found
        })
    }

    fn list(&self) -> ports::Answer<'_, Vec<SegmentId>> {
        self.inner.list()
    }

    fn remove(&self, segment: SegmentId) -> ports::Answer<'_, ()> {
        self.inner.remove(segment)
    }
}

/// Another engine on the stores of a world, but for its segments, which are watched.
async fn watched(world: &World) -> (Arc<Watched>, Arc<Engine>) {
    let context = world.engine().context.clone();
    let segments = Arc::new(Watched {
        inner: Arc::clone(&context.segments),
        readers: AtomicUsize::new(0),
        readers_most: AtomicUsize::new(0),
        is_full: AtomicBool::new(false),
    });
    let context = Context { segments: segments.clone(), ..context };
    let Ok(engine) = Engine::start(context, engine::Options::default()).await else {
        unreachable!("the engine starts")
    };
    (segments, engine)
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

#[tokio::test(start_paused = true)]
async fn where_more_comes_for_an_app_than_may_wait_its_log_says_what_is_missing_and_others_lose_nothing() {
    let world = world().await;
    let (app, other) = (world.app.id, world.new_app("other").await.id);
    let engine = world.engine();
    assert!(engine.write_requests().await.is_ok());
    for _ in 0..APP_WAITING_MAX + 3 {
        engine.requests.note(request(app, "a/flood", 0));
    }
    engine.requests.note(request(other, "a/call", 0));
    // Those that are missing may have failed, so whoever asks for failures is told.
    let failures = log(&world, json!({"OnlyFailures": 1})).await;
    let [row] = failures.list("Items") else { unreachable!("one row: {failures:?}") };
    assert_eq!((&row["Command"], &row["Code"]), (&json!(NOT_LOGGED), &json!(0)));
    let cause = "3 requests were not logged, the last of them 0 ms after the first";
    assert_eq!(row["Cause"], cause);
    assert_eq!(logged(engine, other).await, [call()]);
    let points = world.rest("whimbrel_monitoring/get", json!({"Command": "a/flood"})).await.ok();
    assert_eq!(points.list("Points").len(), 1);
    assert_eq!(points.list("Points")[0]["Succeeded"], json!(APP_WAITING_MAX + 3));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_looked_at_enough_is_short_and_the_next_ones_show_the_rest_once() {
    let world = world().await;
    let engine = world.engine();
    let mut failed = Vec::new();
    for number in 0..ROWS_LOOKED_AT_MAX + 20_000 {
        let code = if number % 1000 == 0 { 70402 } else { 0 };
        let reference = engine.requests.note(request(world.app.id, "a/call", code));
        if code != 0 {
            failed.push(json!(format!("{reference:x}")));
        }
        if (number + 1) % 20_000 == 0 {
            assert!(engine.write_requests().await.is_ok());
        }
    }
    for limit in [1000, 30] {
        let (mut seen, mut next, mut pages) = (Vec::new(), json!(""), 0);
        loop {
            let page = log(&world, json!({"OnlyFailures": 1, "Limit": limit, "Next": next})).await;
            let items = page.list("Items");
            assert!(items.len() <= limit && items.len() < failed.len());
            seen.extend(items.iter().map(|item| item["Reference"].clone()));
            pages += 1;
            if !page.has("Next") {
                break;
            }
            next = page["Next"].clone();
        }
        assert!(pages > 1);
        assert_eq!(seen, failed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_next_that_no_page_gave_shows_nothing_or_is_refused() {
    let world = world().await;
    world.rest("whimbrel_retention/get", json!({})).await.ok();
    let hour = world.now().0 / 3600;
    assert!(!log(&world, json!({})).await.list("Items").is_empty());
    for (hour, block) in
        [(hour, 1), (hour, 1_u64 << 63), (hour, u64::MAX), (hour + 1, 0), (u32::MAX, u64::MAX)]
    {
        for row in [0, u64::MAX] {
            let page = log(&world, json!({"Next": format!("{hour}.{block}.{row}")})).await;
            assert!(page.list("Items").is_empty() && !page.has("Next"), "{page:?}");
        }
    }
    world.advance_seconds(1).await;
    let page = log(&world, json!({"Next": format!("{hour}.0.{}", u64::MAX)})).await;
    assert!(!commands(&page).contains(&"whimbrel_retention/get".to_owned()));
    for bad in ["x.0.0", "1.2", "1.2.3.4", "-1.0.0", "4294967296.0.0", "1.18446744073709551616.0"] {
        world.rest("whimbrel_log/get", json!({"Next": bad})).await.refused(70402, "Next");
    }
}

#[tokio::test(start_paused = true)]
async fn of_more_points_than_fit_the_oldest_come_and_the_rest_from_the_last_minute_on() {
    let world = world().await;
    let engine = world.engine();
    world.advance_seconds(60).await;
    let first = world.now().0 / 60 * 60;
    let leak = |number: u32| -> &'static str { Box::leak(format!("a/{number:03}").into_boxed_str()) };
    let names: Vec<&'static str> = (0..101).map(leak).collect();
    for _ in 0..100 {
        for &name in &names {
            engine.requests.note(request(world.app.id, name, 0));
        }
        world.advance_seconds(60).await;
    }
    let points = world.rest("whimbrel_monitoring/get", json!({"Since": first})).await.ok();
    let points = points.list("Points");
    assert_eq!(points.len(), POINTS_MAX);
    assert!(points.iter().all(|point| point["Succeeded"] == 1));
    // 99 minutes are whole, of the next one there is a point.
    let last = points.last().map(|point| (point["Minute"].clone(), point["Command"].clone()));
    assert_eq!(last, Some((json!(first + 99 * 60), json!("a/000"))));
    let asked = json!({"Since": first + 99 * 60, "Until": first + 99 * 60});
    let rest = world.rest("whimbrel_monitoring/get", asked).await.ok();
    let rest: Vec<&str> = rest.list("Points").iter().filter_map(|point| point["Command"].as_str()).collect();
    assert_eq!(rest, names);
}

#[tokio::test(start_paused = true)]
async fn two_read_at_the_same_time_and_others_wait_for_their_turn() {
    let world = world().await;
    let (segments, engine) = watched(&world).await;
    let app = world.new_app("other").await.id;
    engine.requests.note(request(app, "a/call", 0));
    assert!(engine.write_requests().await.is_ok());
    let query = PointsQuery { since: Seconds(0), until: Seconds(u32::MAX), command: None };
    let (first, second, third, fourth, points, more) = tokio::join!(
        logged(&engine, app),
        logged(&engine, app),
        logged(&engine, app),
        logged(&engine, app),
        engine.monitoring(app, &query),
        engine.monitoring(app, &query),
    );
    for found in [first, second, third, fourth] {
        assert_eq!(found, [call()]);
    }
    for found in [points, more] {
        assert!(found.is_ok_and(|points| points.len() == 1));
    }
    assert_eq!(segments.readers_most.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_said_in_the_log_once_it_can_be() {
    let world = world().await;
    let (segments, engine) = watched(&world).await;
    let app = world.new_app("other").await.id;
    segments.is_full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        engine.requests.note(request(app, "a/call", 0));
    }
    assert!(engine.write_requests().await.is_err());
    // Reads go on.
    assert!(logged(&engine, app).await.is_empty());
    segments.is_full.store(false, Ordering::SeqCst);
    engine.requests.note(request(app, "a/later", 0));
    let found = logged(&engine, app).await;
    let cause = "3 requests were not logged, the last of them 0 ms after the first";
    let expected: [Row; 2] =
        [("a/later".to_owned(), 0, None), (NOT_LOGGED.to_owned(), 0, Some(cause.into()))];
    assert_eq!(found, expected);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_goes_away_takes_nothing_along_that_waits() {
    let world = world().await;
    let (_, engine) = watched(&world).await;
    let apps = [world.new_app("one").await.id, world.new_app("other").await.id];
    for app in apps {
        engine.requests.note(request(app, "a/call", 0));
    }
    tokio::select! {
        biased;
        _ = logged(&engine, apps[0]) => unreachable!("it waits for the segments"),
        () = std::future::ready(()) => {}
    }
    for app in apps {
        assert_eq!(logged(&engine, app).await, [call()]);
    }
}
