//! Logins: `wslogin`, `wshello`, `wslogout`, the heartbeat, and how many logins an app allows.

use serde_json::{Value, json};
use testkit::{Answer, Client, Device, World};

async fn world() -> World {
    World::new(session::commands).await
}

async fn hello(client: &mut Client) -> Answer {
    client.call("im_open_status.wshello", json!({"is_web_uniapp": 0})).await
}

fn kick_type(answer: &Answer) -> &Value {
    assert_eq!(answer.code(), 1002, "{answer:?}");
    assert!(answer.has("NewInstInfo"));
    &answer["KickType"]
}

#[tokio::test(start_paused = true)]
async fn a_login_answers_what_the_client_needs_and_makes_the_account() {
    let world = world().await;
    let mut alice = world.connect(&world.app, "alice", Device::WEB).await;
    let answer = alice.log_in().await.ok();
    assert!(!answer.text("A2Key").is_empty());
    assert!(answer.text("TinyId").parse::<u64>().is_ok(), "a number, as text");
    assert_ne!(answer["InstId"], 0);
    assert_eq!(answer["TimeStamp"], json!(world.now()));
    assert_eq!(answer["HelloInterval"], 15);
    assert_eq!(answer["PurchaseBits"], "1".repeat(64));
    assert_eq!(answer["CustomStatus"], "");
    hello(&mut alice).await.ok();
    let again = world.login("alice").await;
    assert_eq!(again.number, alice.number, "one number for ever");
    assert_ne!(again.instance, alice.instance);
    assert_ne!(world.login("bob").await.number, alice.number);
}

#[tokio::test(start_paused = true)]
async fn files_need_no_key() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let answer = alice.call("openim.authkey", json!({})).await.ok();
    assert!(!answer.has("AuthKey"));
}

#[tokio::test(start_paused = true)]
async fn bad_signatures_are_refused_by_their_numbers_and_the_next_try_may_be_good() {
    let world = world().await;
    let good = world.sign(&world.app, "alice");
    let bobs = world.sign(&world.app, "bob");
    let other = world.new_app("other").await;
    let others = world.sign(&other, "alice");
    let mut alice = world.connect(&world.app, "alice", Device::WEB).await;
    for (signature, code) in
        [("", 70002), ("x", 70003), (&*good.replace('e', "f"), 70003), (&*others, 70009), (&*bobs, 70013)]
    {
        signature.clone_into(&mut alice.signature);
        alice.log_in().await.refused(code, "");
        hello(&mut alice).await.refused(if signature.is_empty() { 200_004 } else { code }, "");
    }
    alice.signature = good;
    alice.log_in().await.ok();
    world.advance_seconds(86_401).await;
    let mut late = world.connect(&world.app, "alice", Device::WEB).await;
    late.signature.clone_from(&alice.signature);
    late.log_in().await.refused(70001, "");
    hello(&mut alice).await.refused(70001, "");
    let mut nobody = world.connect(&world.app, "alice", Device::WEB).await;
    nobody.user = "x".repeat(33);
    nobody.log_in().await.refused(70402, "identifier");
}

#[tokio::test(start_paused = true)]
async fn frames_carry_their_login_or_do_nothing() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let token = alice.token.clone();
    for bad in ["", "x", "<a2key>", &"A".repeat(500)] {
        alice.token = Some(bad.to_owned());
        hello(&mut alice).await.refused(200_004, "");
    }
    alice.token = None;
    alice.signature.clear();
    hello(&mut alice).await.refused(200_004, "");
    // Neither the heartbeat nor a logout asks who calls.
    alice.call("heartbeat.alive", json!({})).await.ok();
    alice.token = token;
    hello(&mut alice).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_reconnect_carries_the_login_on_and_kicks_nobody() {
    let mut world = world().await;
    world.set("web_instances", "1").await;
    let first = world.login("alice").await;
    let mut again = world.reconnect(&first, Device::WEB).await;
    let answer = again.log_in().await.ok();
    assert_eq!(
        (answer["InstId"].as_u64(), answer.text("TinyId")),
        (Some(first.instance), first.number.clone())
    );
    let mut first = first;
    first.hears_nothing().await;
    hello(&mut first).await.ok();
    // Keys outlive the server.
    world.crash().await;
    let mut again = world.reconnect(&first, Device::WEB).await;
    again.log_in().await.ok();
    hello(&mut again).await.ok();
    assert_eq!(again.instance, first.instance);
}

#[tokio::test(start_paused = true)]
async fn a_logout_ends_the_login_and_the_connection_serves_the_next() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let mut second = world.login("alice").await;
    let former = alice.token.clone();
    alice.call("im_open_status.wslogout", json!({"wslogout_type": 0})).await.ok();
    hello(&mut alice).await.refused(70001, "");
    alice.call("im_open_status.wslogout", json!({"wslogout_type": 1})).await.ok();
    hello(&mut second).await.ok();
    alice.token = None;
    alice.user = "bob".to_owned();
    alice.signature = world.sign(&world.app, "bob");
    alice.log_in().await.ok();
    assert_ne!(alice.token, former);
    hello(&mut alice).await.ok();
}

#[tokio::test(start_paused = true)]
async fn the_oldest_login_gives_way_and_learns_it_however_it_comes_back() {
    let world = world().await;
    world.set("web_instances", "2").await;
    let mut logins = Vec::new();
    for _ in 0..2 {
        logins.push(world.login("alice").await);
        world.advance_seconds(1).await;
    }
    let mut third = world.login("alice").await;
    let [first, second] = &mut logins[..] else { unreachable!("two logged in") };
    let push = first.pushed().await;
    assert_eq!(push.kick(), 1);
    let kick = &push.body["EventArray"][0]["C2cNotifyMsgArray"][0]["KickoutMsgNotify"];
    assert_eq!(kick["Instid"], json!(first.instance), "it is named");
    second.hears_nothing().await;
    third.hears_nothing().await;
    assert_eq!(kick_type(&hello(first).await), 1);
    // The SDK says goodbye, and some come back with their key before it: nobody is kicked for that.
    first.call("im_open_status.wslogout", json!({"wslogout_type": 1})).await.ok();
    let mut again = world.reconnect(first, Device::WEB).await;
    assert_eq!(kick_type(&again.log_in().await), 1);
    hello(second).await.ok();
    hello(&mut third).await.ok();
    // A fresh signature is a new login.
    let mut fourth = world.login("alice").await;
    assert_eq!(second.pushed().await.kick(), 1);
    hello(&mut fourth).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_device_that_logs_in_anew_takes_its_own_place() {
    let world = world().await;
    world.set("web_instances", "1").await;
    let device = Device::WEB.named("0123456789abcdef0123456789abcdef");
    let mut first = world.login_on("alice", device.clone()).await;
    let second = world.login_on("alice", device).await;
    assert_eq!(second.instance, first.instance);
    assert!(first.rest().await.iter().all(|push| push.servcmd != "im_open_status.stat_forceoffline"));
}

#[tokio::test(start_paused = true)]
async fn the_login_policy_says_which_devices_stay() {
    let (web, android, iphone, windows) = (7, 2, 3, 1);
    for (policy, former, new, kick) in [
        ("multi", android, web, None),
        ("multi", android, iphone, None),
        ("multi", android, android, Some(1)),
        ("single", android, web, Some(2)),
        ("single", web, web, Some(1)),
        ("dual", android, web, None),
        ("dual", android, windows, Some(2)),
        ("dual", android, iphone, Some(2)),
        ("triple", android, windows, None),
        ("triple", android, iphone, Some(2)),
        ("triple", windows, web, None),
    ] {
        let world = world().await;
        world.set("login_policy", policy).await;
        let mut first = world.login_on("alice", Device::on(former)).await;
        let mut second = world.login_on("alice", Device::on(new)).await;
        let pushes = first.rest().await;
        let found = pushes.first().map(testkit::Push::kick);
        assert_eq!(found, kick, "{policy}: {new} after {former}");
        hello(&mut second).await.ok();
        assert_eq!(hello(&mut first).await.code(), if kick.is_some() { 1002 } else { 0 });
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_says_how_many_instances_of_a_platform_stay_and_of_single_ones_instead() {
    let (android, iphone) = (2, 3);
    for (settings, platform, count) in [
        (vec![("native_instances", "2")], android, 2),
        (vec![("native_instances", "3")], iphone, 3),
        (vec![("native_instances", "2"), ("platform_instances", "android:1")], android, 1),
        (vec![("native_instances", "2"), ("platform_instances", "android:1")], iphone, 2),
        (vec![("platform_instances", "iphone:3")], iphone, 3),
    ] {
        let world = world().await;
        for (name, value) in &settings {
            world.set(name, value).await;
        }
        let mut first = world.login_on("alice", Device::on(platform)).await;
        for number in 2..=count + 1 {
            let _next = world.login_on("alice", Device::on(platform)).await;
            world.advance_seconds(1).await;
            let is_kicked = !first.rest().await.is_empty();
            assert_eq!(is_kicked, number > count, "{settings:?} on {platform}: number {number}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_says_how_long_clients_wait_between_hellos() {
    let world = world().await;
    world.set("hello_interval_seconds", "30").await;
    let mut alice = world.connect(&world.app, "alice", Device::WEB).await;
    assert_eq!(alice.log_in().await.ok()["HelloInterval"], 30);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_worth_nothing_in_another_name() {
    let world = world().await;
    let alice = world.login("alice").await;
    let mut bob = world.login("bob").await;
    bob.token.clone_from(&alice.token);
    // Whoever holds the key is alice; that it was sent over bob's connection makes nobody bob.
    let answer = bob.call("im_open_status.ws_set_custom_status", json!({"CustomStatus": "x"})).await.ok();
    assert_eq!(answer.code(), 0);
    let mut carol = world.login("carol").await;
    let ask = json!({"To_Account": ["alice", "bob"]});
    let answer = carol.call("im_open_status.ws_get_user_status", ask).await.ok();
    let statuses: Vec<&Value> =
        answer.list("UserStatusList").iter().map(|item| &item["CustomStatus"]).collect();
    assert_eq!(statuses, ["eA==", ""]);
}

#[tokio::test(start_paused = true)]
async fn back_ends_do_not_log_in() {
    let world = world().await;
    for command in session::commands() {
        world.rest(command.spec().name, json!({})).await.refused(60009, "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_repeated_is_the_same_login() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    for _ in 0..2 {
        let answer = alice.call("im_open_status.wslogin", json!({"State": "Online"})).await.ok();
        assert_eq!(answer["InstId"], json!(alice.instance));
        assert_eq!(answer.text("TinyId"), alice.number);
    }
    alice.hears_nothing().await;
    hello(&mut alice).await.ok();
}
