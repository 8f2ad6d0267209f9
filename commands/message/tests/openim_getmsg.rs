//! `openim.getmsg`: what was missed comes once, and nothing is lost between two cookies.

use serde_json::{Value, json};
use testkit::{Answer, Client, Device, World};

async fn world() -> World {
    let world = World::new(message::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

async fn sync(client: &mut Client, cookie: &Value) -> Answer {
    let body = json!({"Cookie": cookie, "SyncFlag": 0, "NeedAbstract": 1, "IsOnlineSync": 0});
    let answer = client.call("openim.getmsg", body).await.ok();
    assert_ne!(answer["Cookie"], "", "an empty cookie would end the sync");
    answer
}

fn bodies(answer: &Answer) -> Vec<String> {
    let list = answer.list("MsgList").iter();
    list.filter_map(|item| item["MsgBody"][0]["MsgContent"]["Text"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_sync_counts_what_is_unread() {
    let world = world().await;
    for number in 0..12 {
        world.send("alice", "bob", &number.to_string()).await;
    }
    world.send("carol", "bob", "c").await;
    world.send("bob", "carol", "own").await;
    let mut bob = world.login("bob").await;
    let first = sync(&mut bob, &json!("")).await;
    assert_eq!(first["SyncFlag"], 2);
    let mut counts: Vec<(String, i64)> = first
        .list("C2CPairUnreadCount")
        .iter()
        .map(|count| (count["From_Account"].to_string(), count["UnreadCount"].as_i64().unwrap_or(-1)))
        .collect();
    counts.sort();
    assert_eq!(counts, [("\"alice\"".to_owned(), 12), ("\"carol\"".to_owned(), 1)]);
    assert!(!bodies(&first).contains(&"own".to_owned()));
    assert!(first.list("EventArray").is_empty());
    let next = sync(&mut bob, &first["Cookie"]).await;
    assert!(next.list("MsgList").is_empty(), "nothing since then");
    assert_eq!(next["SyncFlag"], 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_reconnect_everything_after_the_cookie_comes_in_order() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    world.send("alice", "bob", "before").await;
    let cookie = sync(&mut bob, &json!("")).await["Cookie"].clone();
    let former = bob;
    let mut bob = world.reconnect(&former, Device::WEB).await;
    drop(former);
    for (from, to, content) in
        [("alice", "bob", "1"), ("carol", "bob", "2"), ("bob", "alice", "3"), ("alice", "carol", "x")]
    {
        world.send(from, to, content).await;
    }
    bob.log_in().await.ok();
    let missed = sync(&mut bob, &cookie).await;
    assert_eq!(bodies(&missed), ["1", "2", "3"]);
    // An own message is recognised by its sender, both sides in their places.
    let own = &missed.list("MsgList")[2];
    assert_eq!((&own["From_Account"], &own["To_Account"]), (&json!("bob"), &json!("alice")));
    assert_eq!(own["TinyId"], json!(bob.number));
    assert!(sync(&mut bob, &missed["Cookie"]).await.list("MsgList").is_empty());
    // The same cookie again gives the same again.
    assert_eq!(bodies(&sync(&mut bob, &cookie).await), ["1", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn missed_recalls_and_reads_are_told() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let gone = world.send("alice", "bob", "secret").await;
    let cookie = sync(&mut bob, &json!("")).await["Cookie"].clone();
    let recall = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": gone.key.to_string()});
    world.rest("openim/admin_msgwithdraw", recall).await.ok();
    let both = world.send("alice", "bob", "also secret").await;
    let recall = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": both.key.to_string()});
    world.rest("openim/admin_msgwithdraw", recall).await.ok();
    world.send("alice", "bob", "stays").await;
    let read = json!({"Report_Account": "bob", "Peer_Account": "alice"});
    world.rest("openim/admin_set_msg_read", read).await.ok();
    let missed = sync(&mut bob, &cookie).await;
    assert_eq!(bodies(&missed), ["stays"]);
    assert!(!missed.0.to_string().contains("secret"));
    let notices: Vec<&Value> = missed
        .list("MsgList")
        .iter()
        .filter(|item| item.get("EventArray").is_some())
        .map(|item| &item["EventArray"][0]["C2cNotifyMsgArray"][0])
        .collect();
    let recalled =
        |notice: &Value| notice["WithdrawC2cMsgNotify"]["C2cWithdrawInfoArray"][0]["MsgSeq"].clone();
    assert_eq!(recalled(notices[0]), json!(gone.key.sequence));
    assert_eq!(recalled(notices[1]), json!(both.key.sequence));
    assert_eq!(notices[2]["ReadC2cMsgNotify"]["UinPairReadArray"][0]["From_Account"], "alice");
    assert_eq!(notices.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn much_comes_in_pages() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let mut cookie = sync(&mut bob, &json!("")).await["Cookie"].clone();
    let all: Vec<String> = (0..250).map(|number| number.to_string()).collect();
    for content in &all {
        world.send("alice", "bob", content).await;
    }
    let (mut found, mut flags) = (Vec::new(), Vec::new());
    loop {
        let answer = sync(&mut bob, &cookie).await;
        found.extend(bodies(&answer));
        flags.push(answer["SyncFlag"].as_i64());
        cookie = answer["Cookie"].clone();
        if answer["SyncFlag"] == 2 {
            break;
        }
    }
    assert_eq!(found, all);
    assert_eq!(flags, [Some(1), Some(1), Some(2)]);
}

#[tokio::test(start_paused = true)]
async fn what_an_account_does_not_keep_is_not_missed() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let body = json!({"From_Account": "alice", "To_Account": "bob", "MsgRandom": 1, "SyncOtherMachine": 2,
        "MsgBody": testkit::text("one-sided")});
    world.rest("openim/sendmsg", body).await.ok();
    let kept = world.send("alice", "bob", "kept").await;
    let delete = json!({"From_Account": "bob", "To_Account": "alice", "MsgKeyList": [kept.key.to_string()]});
    bob.call("openim.delete_c2c_msg_ramble", delete).await.ok();
    assert_eq!(bodies(&sync(&mut alice, &json!("c:0")).await), ["kept"]);
    assert_eq!(bodies(&sync(&mut bob, &json!("c:0")).await), ["one-sided"]);
}

#[tokio::test(start_paused = true)]
async fn a_cookie_of_another_make_is_refused() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    for cookie in [json!("x"), json!("c:"), json!("c:-1"), json!("c:99999999999999999999"), json!(7)] {
        let answer = bob.call("openim.getmsg", json!({ "Cookie": cookie })).await;
        answer.refused(90001, "Cookie");
    }
    let beyond = sync(&mut bob, &json!("c:999999")).await;
    assert!(beyond.list("MsgList").is_empty());
    world.rest("openim/getmsg", json!({"Cookie": ""})).await.refused(60009, "");
    bob.call("openim.ws_msg_push_ack", json!({"SessionData": "x"})).await.ok();
    world.rest("openim/ws_msg_push_ack", json!({"SessionData": "x"})).await.refused(60009, "");
}
