//! `openconfigsvr/getappinfo`: what an app did each day, counted without keeping who did it.

use engine::statistics::DailyFact;
use ports::Record as _;
use ports::records::Range;
use serde_json::{Value, json};
use testkit::{Device, World};

const DAY: u64 = 86_400;

async fn world() -> World {
    let world = World::new(app::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

/// The days of the app, the oldest first.
async fn days(world: &World) -> Vec<Value> {
    world.rest("openconfigsvr/getappinfo", json!({})).await.ok().list("Result").to_vec()
}

/// Counts of a day.
fn counts<const N: usize>(day: &Value, names: [&str; N]) -> [String; N] {
    names.map(|name| day[name].as_str().unwrap_or("no text").to_owned())
}

const USERS: [&str; 6] = [
    "RegistUserNumOneDay",
    "RegistUserNumTotal",
    "LoginTimes",
    "LoginUserNum",
    "ActiveUserNum",
    "MaxOnlineNum",
];
const MESSAGES: [&str; 6] =
    ["UpMsgNum", "DownMsgNum", "SendMsgUserNum", "C2CUpMsgNum", "C2CDownMsgNum", "C2CSendMsgUserNum"];

#[tokio::test(start_paused = true)]
async fn users_and_messages_are_counted_and_outlive_a_crash_but_for_the_last_minute() {
    let mut world = world().await;
    let (alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let phone = world.login_on("alice", Device::on(21)).await;
    for number in 0..3 {
        world.send("alice", "bob", &number.to_string()).await;
        bob.pushed().await;
    }
    world.send("bob", "administrator", "who is not online").await;
    let [.., today] = &days(&world).await[..] else { unreachable!("there are days") };
    assert_eq!(counts(today, USERS), ["3", "3", "3", "2", "2", "2"]);
    assert_eq!(counts(today, MESSAGES), ["4", "3", "2", "4", "3", "2"]);
    drop((alice, bob, phone));
    world.settle().await;
    world.send("alice", "bob", "soon written down").await;
    world.advance_seconds(61).await;
    world.send("alice", "bob", "lost to the crash").await;
    world.crash().await;
    let mut again = world.login("alice").await;
    world.send("bob", "alice", "after it").await;
    again.pushed().await;
    world.accounts(&["carol"]).await;
    world.delete_account("bob").await;
    let [.., today] = &days(&world).await[..] else { unreachable!("there are days") };
    assert_eq!(counts(today, USERS), ["4", "3", "4", "2", "2", "2"]);
    assert_eq!(counts(today, MESSAGES), ["6", "4", "2", "6", "4", "2"]);
}

#[tokio::test(start_paused = true)]
async fn a_day_is_one_of_beijing_and_is_kept_for_thirty_without_who_was_active() {
    let world = world().await;
    // 16:53 in Beijing.
    let client = world.login("alice").await;
    let first = days(&world).await;
    assert_eq!(first.len(), 30);
    assert_eq!((&first[29]["Date"], &first[0]["Date"]), (&json!("20251009"), &json!("20250910")));
    assert_eq!(counts(&first[28], USERS), ["0"; 6], "before the first count nothing is known");
    world.advance_seconds(7 * 3600 + 399).await;
    assert_eq!(days(&world).await[29]["Date"], "20251009");
    world.advance_seconds(1).await;
    drop(client);
    world.delete_account("bob").await;
    let second = days(&world).await;
    assert_eq!((&second[29]["Date"], &second[28]["Date"]), (&json!("20251010"), &json!("20251009")));
    assert_eq!(counts(&second[28], USERS), ["3", "3", "1", "1", "1", "1"]);
    assert_eq!(counts(&second[29], ["RegistUserNumOneDay", "RegistUserNumTotal"]), ["0", "2"]);
    // Of a day that is over only numbers are left.
    let kept = async |world: &World| {
        let range = Range { kind: DailyFact::KIND, index: None, prefix: Vec::new(), after: None, limit: 100 };
        let found = world.engine().context.records.scan(world.app.id, range).await.unwrap_or_default();
        let texts = found.iter().map(|record| String::from_utf8_lossy(&record.value).into_owned());
        texts.map(|text| text.contains(r#""sketches":null"#)).collect::<Vec<bool>>()
    };
    assert_eq!(kept(&world).await, [true, false]);
    // Days on which nothing happened say how many accounts there were.
    world.advance_seconds(28 * DAY).await;
    let later = days(&world).await;
    assert_eq!(counts(&later[0], USERS), ["3", "3", "1", "1", "1", "1"]);
    for quiet in &later[2..] {
        assert_eq!(counts(quiet, ["RegistUserNumTotal", "LoginTimes"]), ["2", "0"]);
    }
    world.advance_seconds(3 * DAY).await;
    assert_eq!(kept(&world).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_day_has_all_documented_fields_as_texts_or_those_that_are_asked_for() {
    let world = world().await;
    let [.., today] = &days(&world).await[..] else { unreachable!("there are days") };
    let Some(fields) = today.as_object() else { unreachable!("a day is an object") };
    assert_eq!(fields.len(), 32);
    assert!(fields.values().all(Value::is_string), "{today}");
    let app = world.app.id.to_string();
    assert_eq!(
        (&today["AppId"], &today["AppName"], &today["Company"]),
        (&json!(app), &json!("test"), &json!(""))
    );
    for none in
        ["APNSMsgNum", "GroupUpMsgNum", "GroupAllGroupNum", "CallBackReq", "ChainIncrease", "ChainDecrease"]
    {
        assert_eq!(today[none], "0", "{none}");
    }
    let asked = json!({"RequestField": ["ChainIncrease", "Date", "no such field"]});
    let some = world.rest("openconfigsvr/getappinfo", asked).await.ok();
    assert_eq!(some.list("Result").len(), 30);
    assert_eq!(some.list("Result")[29], json!({"ChainIncrease": "0", "Date": "20251009"}));
    let empty = world.rest("openconfigsvr/getappinfo", json!({"RequestField": []})).await.ok();
    assert_eq!(empty.list("Result")[29].as_object().map(serde_json::Map::len), Some(32));
    for bad in [json!({"RequestField": "Date"}), json!({"RequestField": [7]}), json!([])] {
        world.rest("openconfigsvr/getappinfo", bad).await.refused(130_001, "");
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_onto_a_list_of_friends_and_who_goes_is_counted() {
    let mut world = world().await;
    let chain = ["ChainIncrease", "ChainDecrease"];
    world.befriend("alice", "bob").await;
    world.befriend("bob", "alice").await;
    // Who is there already comes no second time.
    world.befriend("alice", "bob").await;
    assert_eq!(counts(&days(&world).await[29], chain), ["2", "0"]);
    world.crash().await;
    world.befriend("alice", "administrator").await;
    world.delete_account("bob").await;
    assert_eq!(counts(&days(&world).await[29], chain), ["3", "1"], "alice has lost bob");
}

#[tokio::test(start_paused = true)]
async fn apps_are_counted_apart() {
    let world = world().await;
    let other = world.new_app("other").await;
    let _there = world.login_to(&other, "alice", Device::WEB).await;
    let _here = world.login("alice").await;
    let _second = world.login("bob").await;
    let [.., today] = &days(&world).await[..] else { unreachable!("there are days") };
    assert_eq!(counts(today, USERS), ["3", "3", "2", "2", "2", "2"]);
    let there = world.engine().daily_statistics(other.id).await.unwrap_or_default();
    let today = there.last().map(|day| (day.accounts, day.logged_in, day.online_most));
    assert_eq!(today, Some((1, 1, 1)));
}
