//! Merged messages that are stored apart: `im_long_msg.save_relay_json_msg` and `get_relay_json_msg`.

use engine::merged::{BYTES_A_DAY_MAX, LIST_BYTES_MAX};
use serde_json::{Value, json};
use testkit::{Answer, Client, Device, World, text};

const DAY: u64 = 86_400;

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

async fn save(client: &mut Client, list: Value) -> Answer {
    client.call("im_long_msg.save_relay_json_msg", json!({"MsgList": list})).await
}

async fn read(client: &mut Client, key: &str) -> Answer {
    client.call("im_long_msg.get_relay_json_msg", json!({"JsonMsgKey": key})).await
}

fn entry(content: &str) -> Value {
    json!({"From_Account": "bob", "MsgSeq": 1, "Id": "144115000000000002-1795298242-7", "MsgBody": text(content)})
}

#[tokio::test(start_paused = true)]
async fn whoever_has_the_key_reads_the_list_and_whose_each_message_was() {
    let mut world = world().await;
    let mut alice = world.login("alice").await;
    let mut kept = entry("with a number");
    kept["TinyId"] = json!("9");
    let odd = json!({"Id": ["144115000000000002"], "MsgBody": [], "own": {"b": 1.50, "a": null}});
    let foreign = json!({"Id": "\u{fc}-1-2", "MsgBody": []});
    let stored = save(&mut alice, json!([entry("one"), kept, odd, foreign])).await.ok();
    let key = stored.text("JsonMsgKey");
    assert_eq!((stored.text("PbMsgKey"), key.len()), (key.clone(), 32));
    let other = save(&mut alice, json!([entry("one")])).await.ok();
    assert_ne!(other.text("JsonMsgKey"), key);
    world.crash().await;
    let mut with_number = entry("one");
    with_number["TinyId"] = json!("144115000000000002");
    for (user, device) in [("bob", Device::WEB), ("bob", Device::on(21)), ("alice", Device::WEB)] {
        let mut client = world.login_on(user, device).await;
        let found = read(&mut client, &key).await.ok();
        assert_eq!(found["MsgList"], json!([with_number, kept, odd, foreign]), "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn lists_have_limits_and_their_messages_a_form() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let short = json!({"MsgBody": []});
    save(&mut alice, json!(vec![short.clone(); 300])).await.ok();
    save(&mut alice, json!(vec![short.clone(); 301])).await.refused(90_010, "MsgList: 1 to 300");
    save(&mut alice, json!([])).await.refused(90_010, "MsgList");
    let sized = |bytes: usize| {
        let frame = json!([{"MsgBody": [""]}]).to_string().len();
        json!([{"MsgBody": ["x".repeat(bytes - frame)]}])
    };
    let stored = save(&mut alice, sized(LIST_BYTES_MAX)).await.ok();
    assert_eq!(read(&mut alice, &stored.text("JsonMsgKey")).await.ok()["MsgList"], sized(LIST_BYTES_MAX));
    save(&mut alice, sized(LIST_BYTES_MAX + 1)).await.refused(80_002, "MsgList");
    for (bad, field) in [
        (json!("text"), "MsgList"),
        (json!([short, []]), "MsgList[1]"),
        (json!([short, "text"]), "MsgList[1]"),
        (json!([short, null]), "MsgList[1]"),
        (json!([{}]), "MsgList[0]"),
        (json!([{"MsgBody": "text"}]), "MsgList[0].MsgBody"),
        (json!([{"MsgBody": null}]), "MsgList[0].MsgBody"),
    ] {
        save(&mut alice, bad).await.refused(90_001, field);
    }
    alice.call("im_long_msg.save_relay_json_msg", json!({})).await.refused(90_001, "MsgList");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_no_list_of_the_app_has_reads_nothing() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let key = save(&mut alice, json!([entry("one")])).await.ok().text("JsonMsgKey");
    let zeros = "0".repeat(32);
    let long = "0".repeat(100_000);
    for other in ["", "x", &zeros, &long, &key[1..], &format!("{key}0"), &"\u{fc}".repeat(16)] {
        read(&mut alice, other).await.refused(90_054, "JsonMsgKey");
    }
    for bad in [json!({}), json!({"JsonMsgKey": 7}), json!({"JsonMsgKey": {"$ne": ""}})] {
        alice.call("im_long_msg.get_relay_json_msg", bad).await.refused(90_054, "JsonMsgKey");
    }
    let app = world.new_app("other").await;
    let mut stranger = world.login_to(&app, "alice", Device::WEB).await;
    read(&mut stranger, &key).await.refused(90_054, "JsonMsgKey");
    // Administrators have other ways to read messages, and these commands are none of theirs.
    for command in ["im_long_msg/save_relay_json_msg", "im_long_msg/get_relay_json_msg"] {
        let body = json!({"JsonMsgKey": key, "MsgList": [entry("one")]});
        world.rest(command, body).await.refused(60_009, "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_kept_as_long_as_messages_are() {
    let world = world().await;
    let mut alice = world.login_on("alice", Device::on(21)).await;
    let key = save(&mut alice, json!([entry("one")])).await.ok().text("JsonMsgKey");
    world.advance_seconds(DAY - 10).await;
    read(&mut alice, &key).await.ok();
    let mut again = world.login("alice").await;
    let younger = save(&mut again, json!([entry("two")])).await.ok().text("JsonMsgKey");
    // A shorter retention acts on what is stored, at once and for good.
    world.advance_seconds(10).await;
    world.keep(Some(1), None).await;
    world.keep(Some(7), None).await;
    let mut again = world.login("alice").await;
    read(&mut again, &key).await.refused(90_054, "");
    read(&mut again, &younger).await.ok();
    world.advance_seconds(DAY).await;
    let mut again = world.login("alice").await;
    read(&mut again, &younger).await.refused(90_054, "");
    let week = save(&mut again, json!([entry("three")])).await.ok().text("JsonMsgKey");
    world.advance_seconds(7 * DAY - 1).await;
    read(&mut world.login("bob").await, &week).await.ok();
    world.advance_seconds(1).await;
    read(&mut world.login("bob").await, &week).await.refused(90_054, "");
    world.keep(Some(0), None).await;
    save(&mut world.login("bob").await, json!([entry("four")])).await.refused(200_007, "");
}

#[tokio::test(start_paused = true)]
async fn an_account_stores_so_much_a_day_and_no_more() {
    let mut world = world().await;
    // Just after the beginning of a day.
    world.advance_seconds(DAY - u64::from(world.now().0) % DAY).await;
    let (app, author) = (world.settings(&world.app).await, world.account("alice").await);
    let list = || vec![b' '; LIST_BYTES_MAX];
    for _ in 0..BYTES_A_DAY_MAX / LIST_BYTES_MAX as u64 {
        world.engine().store_merged(&app, &author, list()).await.unwrap();
    }
    let refused = world.engine().store_merged(&app, &author, list()).await;
    assert_eq!(refused.map_err(|error| error.code), Err(model::ErrorCode::CommandTooOften));
    // What is left takes short lists, each counted as a KiB.
    let left = BYTES_A_DAY_MAX % LIST_BYTES_MAX as u64;
    let mut alice = world.login("alice").await;
    for _ in 0..left / 1024 {
        save(&mut alice, json!([entry("short")])).await.ok();
    }
    save(&mut alice, json!([entry("short")]))
        .await
        .refused(60_007, "MsgList: an account stores at most 32 MiB");
    save(&mut world.login("bob").await, json!([entry("of another")])).await.ok();
    world.crash().await;
    let mut alice = world.login("alice").await;
    save(&mut alice, json!([entry("after a restart")])).await.refused(60_007, "MsgList");
    world.advance_seconds(DAY).await;
    let mut alice = world.login("alice").await;
    save(&mut alice, json!([entry("on the next day")])).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_list_goes_with_who_merged_it() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut keys = Vec::new();
    for number in 0..20 {
        keys.push(save(&mut alice, json!([entry(&number.to_string())])).await.ok().text("JsonMsgKey"));
    }
    let of_bob = save(&mut bob, json!([entry("of bob")])).await.ok().text("JsonMsgKey");
    world.delete_account("alice").await;
    world.advance_seconds(10).await;
    for key in &keys {
        read(&mut bob, key).await.refused(90_054, "");
    }
    read(&mut bob, &of_bob).await.ok();
}
