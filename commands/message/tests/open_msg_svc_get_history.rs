//! Archives: what an hour's file holds, who gets it, and for how long.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test ends by panicking")]

use std::io::Read as _;
use std::time::Duration;

use engine::archive::{MAKERS_PER_APP_MAX, PART_BYTES_MAX, READING};
use engine::requests::{LogPlace, LogQuery};
use md5::{Digest as _, Md5};
use model::Seconds;
use serde_json::{Value, json};
use testkit::{Answer, World};

/// Worlds begin at 16:53:20 in Beijing.
const HOUR: &str = "2025100916";
const SECONDS_LEFT: u64 = 400;

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

async fn list(world: &World, hour: &str) -> Answer {
    world.rest("open_msg_svc/get_history", json!({"ChatType": "C2C", "MsgTime": hour})).await
}

/// The one file of an hour that is over.
async fn file(world: &World, hour: &str) -> Value {
    let answer = list(world, hour).await.ok();
    let [file] = answer.list("File") else { panic!("one file: {}", answer.0) };
    file.clone()
}

fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unpack(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

/// Reads the file as it is now; its text.
async fn read(world: &World, file: &Value) -> String {
    let reader = world.reader(file["URL"].as_str().unwrap()).await;
    assert_eq!(reader.status, 200);
    unpack(&reader.whole().await.unwrap())
}

fn texts(text: &str) -> Vec<String> {
    let file: Value = serde_json::from_str(text).unwrap();
    let messages = file["MsgList"].as_array().unwrap().iter();
    messages.map(|line| line["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap().to_owned()).collect()
}

/// A text that compression makes no shorter than three quarters.
fn noise(mut seed: u32, length: usize) -> String {
    let mut step = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(seed >> 26) as usize])
    };
    (0..length).map(|_| step()).collect()
}

/// More than the server, the pipe and the client hold of a file together.
async fn send_much(world: &World) {
    for seed in 0..150 {
        world.send("alice", "bob", &noise(seed, 11_000)).await;
    }
}

/// How the reading of files ended, by the request log: numbers and causes.
async fn readings(world: &World) -> Vec<(i64, String)> {
    let query = LogQuery {
        since: Seconds(0),
        until: Seconds(u32::MAX),
        only_failures: false,
        from: LogPlace::default(),
        limit: 1000,
    };
    world.advance_seconds(1).await;
    let page = world.engine().request_log(world.app.id, query).await.unwrap();
    let of_files = page.requests.into_iter().filter(|request| request.command == READING);
    of_files.map(|request| (request.code, request.cause.unwrap_or_default().into())).collect()
}

#[tokio::test(start_paused = true)]
async fn an_hour_is_one_file_that_is_what_its_list_says() {
    let world = world().await;
    let first = world.send("alice", "bob", "one").await;
    world.send("bob", "carol", "three").await;
    world.advance_seconds(5).await;
    let body = json!([{"MsgType": "TIMFaceElem", "MsgContent": {"Index": 1, "Data": "two\nlines"}}]);
    let body =
        json!({"From_Account": "bob", "To_Account": "alice", "MsgRandom": 7, "MsgSeq": 8, "MsgBody": body});
    world.rest("openim/sendmsg", body).await.ok();
    let only = json!({"From_Account": "bob", "To_Account": "alice", "MsgRandom": 9, "OnlineOnlyFlag": 1,
        "MsgBody": testkit::text("not stored")});
    world.rest("openim/sendmsg", only).await.ok();
    world.advance_seconds(SECONDS_LEFT).await;
    world.send("alice", "bob", "of the next hour").await;
    let file = file(&world, HOUR).await;
    // 17:00:05 and an hour more.
    assert_eq!(file["ExpireTime"], "2025-10-09 18:00:05");
    let reader = world.reader(file["URL"].as_str().unwrap()).await;
    assert_eq!(
        (reader.status, &*reader.disposition),
        (200, "attachment; filename=\"C2C-2025100916.json.gz\"")
    );
    let packed = reader.whole().await.unwrap();
    let text = unpack(&packed);
    assert_eq!((&file["GzipSize"], &file["GzipMD5"]), (&json!(packed.len()), &json!(md5(&packed))));
    assert_eq!((&file["FileSize"], &file["FileMD5"]), (&json!(text.len()), &json!(md5(text.as_bytes()))));
    let lines: Vec<&str> = text.lines().collect();
    let head =
        format!(r#"{{"SdkAppId":{},"ChatType":"C2C","MsgTime":"2025100916","MsgList":["#, world.app.id);
    assert_eq!((lines.len(), lines[0], lines[4]), (5, &*head, "]}"));
    let line: Value = serde_json::from_str(lines[1].trim_end_matches(',')).unwrap();
    assert_eq!(
        line,
        json!({"From_Account": "alice", "To_Account": "bob", "MsgTimestamp": first.time,
            "MsgSeq": first.key.sequence, "MsgRandom": first.key.random, "MsgBody": testkit::text("one")})
    );
    assert!(lines[2].contains(r#""MsgRandom":7,"MsgBody":[{"MsgType":"TIMFaceElem""#), "{}", lines[2]);
    assert!(lines[3].contains("three"));
    assert!(serde_json::from_str::<Value>(&text).is_ok());
    assert_eq!(readings(&world).await, [(0, String::new())]);
}

#[tokio::test(start_paused = true)]
async fn only_an_hour_of_the_last_seven_days_has_an_archive() {
    let world = world().await;
    world.send("alice", "bob", "hi").await;
    let bad = |field: &'static str| (1002, field);
    for (chat, hour, (code, field)) in [
        ("C2C", "2025100916", (1004, "")),
        ("C2C", "2025100917", (1004, "")),
        ("C2C", "2099010100", (1004, "")),
        ("C2C", "2025100915", (1004, "")),
        ("Group", "2025100915", (1004, "")),
        ("C2C", "2025100216", (1004, "")),
        ("C2C", "2025100215", (1005, "")),
        ("Group", "2025100215", (1005, "")),
        ("C2C", "1970010108", (1005, "")),
        ("c2c", "2025100915", bad("ChatType")),
        ("", "2025100915", bad("ChatType")),
        ("C2C", "", bad("MsgTime")),
        ("C2C", "20251009", bad("MsgTime")),
        ("C2C", "2025100924", bad("MsgTime")),
        ("C2C", "2025103200", bad("MsgTime")),
        ("C2C", "2025-10-09", bad("MsgTime")),
    ] {
        let body = json!({"ChatType": chat, "MsgTime": hour});
        world.rest("open_msg_svc/get_history", body).await.refused(code, field);
        world.advance_seconds(1).await;
    }
    for (body, field) in [
        (json!({"MsgTime": HOUR}), "ChatType"),
        (json!({"ChatType": "C2C"}), "MsgTime"),
        (json!({"ChatType": "C2C", "MsgTime": 2_025_100_916_u32}), "MsgTime"),
    ] {
        world.rest("open_msg_svc/get_history", body).await.refused(1002, field);
    }
    world.advance_seconds(SECONDS_LEFT).await;
    file(&world, HOUR).await;
    // The last moment at which something of the hour can be there.
    world.advance_seconds(6 * 86_400 + 86_000).await;
    list(&world, HOUR).await.refused(1004, "");
    world.advance_seconds(86_400).await;
    list(&world, HOUR).await.refused(1005, "");
}

#[tokio::test(start_paused = true)]
async fn an_archive_is_for_the_administrator_of_its_app() {
    let world = world().await;
    world.send("alice", "bob", "hi").await;
    world.advance_seconds(SECONDS_LEFT).await;
    let body = json!({"ChatType": "C2C", "MsgTime": HOUR});
    world.rest_as(&world.app, "alice", "open_msg_svc/get_history", body.clone()).await.refused(60010, "");
    let mut alice = world.login("alice").await;
    alice.call("open_msg_svc.get_history", body.clone()).await.refused(60010, "");
    let other = world.new_app("other").await;
    world.rest_as(&other, "administrator", "open_msg_svc/get_history", body.clone()).await.refused(1004, "");
    for _ in 0..10 {
        file(&world, HOUR).await;
    }
    world.rest("open_msg_svc/get_history", body).await.refused(60007, "");
}

#[tokio::test(start_paused = true)]
async fn what_goes_after_the_list_is_in_no_file_and_the_rest_is() {
    let world = world().await;
    world.send("alice", "bob", "first").await;
    let recalled = world.send("bob", "alice", "recalled").await;
    world.send("carol", "bob", "erased with carol").await;
    world.send("bob", "carol", "to carol").await;
    world.advance_seconds(SECONDS_LEFT).await;
    let listed = file(&world, HOUR).await;
    let whole = read(&world, &listed).await;
    assert_eq!(texts(&whole), ["first", "recalled", "erased with carol", "to carol"]);
    // What is sent and imported later is no part of it.
    let import = json!({"SyncFromOldSystem": 2, "From_Account": "alice", "To_Account": "bob", "MsgRandom": 5,
        "MsgTimeStamp": world.now().0 - 500, "MsgBody": testkit::text("imported")});
    world.rest("openim/importmsg", import).await.ok();
    assert_eq!(read(&world, &listed).await, whole);
    world.recall("bob", "alice", &recalled).await;
    assert_eq!(texts(&read(&world, &listed).await), ["first", "erased with carol", "to carol"]);
    world.delete_account("carol").await;
    world.advance_seconds(60).await;
    let left = read(&world, &listed).await;
    assert_eq!(texts(&left), ["first", "to carol"]);
    assert!(!left.contains(r#""carol""#), "an erased account has no name: {left}");
    let again = file(&world, HOUR).await;
    assert_eq!(texts(&read(&world, &again).await), ["imported", "first", "to carol"]);
    assert_ne!(again["FileMD5"], listed["FileMD5"]);
}

#[tokio::test(start_paused = true)]
async fn an_address_ends_and_nobody_can_make_one() {
    let mut world = world().await;
    world.send("alice", "bob", "hi").await;
    world.advance_seconds(SECONDS_LEFT).await;
    let listed = file(&world, HOUR).await;
    let address = listed["URL"].as_str().unwrap().to_owned();
    assert!(address.starts_with("http://whimbrel.test/archives/"), "{address}");
    world.crash().await;
    assert_eq!(texts(&read(&world, &listed).await), ["hi"], "a restart changes nothing");
    let alice = world.login("alice").await;
    let token = alice.token.clone().unwrap();
    let mut forged = address.clone().into_bytes();
    let last = forged.len() - 5;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for bad in
        [&*forged, "/archives/", "/archives/x", &*format!("/archives/{token}"), &*format!("{address}?x")]
    {
        let reader = world.reader(bad).await;
        let is_same = bad.ends_with("?x");
        assert_eq!(reader.status, if is_same { 200 } else { 404 }, "{bad}");
        let body = reader.whole().await.unwrap();
        if !is_same {
            let answer: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&answer["ErrorCode"], &answer["ActionStatus"]), (&json!(1001), &json!("FAIL")));
        }
    }
    world.advance_seconds(3598).await;
    assert_eq!(world.reader(&address).await.status, 200);
    world.advance_seconds(2).await;
    let reader = world.reader(&address).await;
    assert_eq!(reader.status, 410);
    let answer: Value = serde_json::from_slice(&reader.whole().await.unwrap()).unwrap();
    assert_eq!(answer["ErrorCode"], 1005);
    let logged = readings(&world).await;
    assert_eq!(logged.iter().map(|(code, _)| *code).collect::<Vec<_>>(), [0, 0, 0, 1005]);
    let listed = file(&world, HOUR).await;
    world.set("suspended", "true").await;
    assert_eq!(world.reader(listed["URL"].as_str().unwrap()).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn readers_are_limited_and_those_that_do_not_read_are_given_up() {
    let world = world().await;
    send_much(&world).await;
    world.advance_seconds(SECONDS_LEFT).await;
    let listed = file(&world, HOUR).await;
    let address = listed["URL"].as_str().unwrap();
    let mut stuck = Vec::new();
    for _ in 0..MAKERS_PER_APP_MAX {
        let mut reader = world.reader(address).await;
        assert_eq!(reader.status, 200);
        assert!(reader.part().await.is_some());
        stuck.push(reader);
    }
    world.settle().await;
    let refused = world.reader(address).await;
    assert_eq!(refused.status, 503);
    let answer: Value = serde_json::from_slice(&refused.whole().await.unwrap()).unwrap();
    assert_eq!(answer["ErrorCode"], 1003);
    list(&world, HOUR).await.refused(1003, "2 archives");
    // One goes away, the other reads on after a while.
    stuck.remove(0);
    world.settle().await;
    world.advance_seconds(5).await;
    let mut slow = stuck.remove(0);
    assert!(slow.part().await.is_some());
    let third = world.reader(address).await;
    assert_eq!(
        (third.status, third.whole().await.map(|whole| json!(whole.len()))),
        (200, Some(listed["GzipSize"].clone()))
    );
    world.advance_seconds(11).await;
    assert_eq!(slow.whole().await, None, "a file that breaks off does not look whole");
    assert_eq!(world.reader(address).await.status, 200);
    let mut causes: Vec<String> = readings(&world).await.into_iter().map(|(_, cause)| cause).collect();
    causes.sort_unstable();
    assert!(causes.contains(&"the reader took nothing for too long".to_owned()), "{causes:?}");
    assert!(causes.contains(&"the reader went away".to_owned()), "{causes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_reads_slowly_all_the_time_gets_everything() {
    let world = world().await;
    send_much(&world).await;
    world.advance_seconds(SECONDS_LEFT).await;
    let listed = file(&world, HOUR).await;
    let mut reader = world.reader(listed["URL"].as_str().unwrap()).await;
    let mut whole = Vec::new();
    while let Some(part) = reader.part().await {
        whole.extend_from_slice(&part);
        world.advance(Duration::from_millis(300)).await;
    }
    assert_eq!(listed["GzipMD5"], md5(&whole));
}

#[tokio::test(start_paused = true)]
async fn many_messages_are_each_in_the_file_once_and_few_at_a_time_in_memory() {
    let world = world().await;
    for number in 0..420 {
        let (from, to) = [("alice", "bob"), ("bob", "alice"), ("carol", "bob")][number % 3];
        world.send(from, to, &format!("{number} {}", noise(7, 500))).await;
    }
    world.advance_seconds(SECONDS_LEFT).await;
    let listed = file(&world, HOUR).await;
    let text = read(&world, &listed).await;
    let mut numbers: Vec<usize> =
        texts(&text).iter().map(|text| text.split(' ').next().unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..420));
    let engine = world.engine();
    let token = listed["URL"].as_str().unwrap().rsplit('/').next().unwrap();
    let mut archive = engine.read_archive(engine.archive_address(token).unwrap()).await.unwrap();
    let mut bytes = 0;
    while let Some(part) = archive.next().await.unwrap() {
        assert!(part.len() <= PART_BYTES_MAX, "{}", part.len());
        bytes += part.len();
    }
    assert_eq!(listed["GzipSize"], bytes);
}
