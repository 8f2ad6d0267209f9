//! Two apps with the same account names on one server: neither sees anything of the other.

use serde_json::{Value, json};
use testkit::{Device, TestApp, World, text};

/// A back end's call to an app.
async fn rest(world: &World, app: &TestApp, command: &str, body: Value) -> testkit::Answer {
    world.rest_as(app, "administrator", command, body).await
}

/// Two apps; in the first alice and bob know each other, in the second they have never met.
async fn two_apps() -> (World, TestApp, TestApp) {
    let world = World::new(simulator::commands).await;
    let (one, two) = (world.app.clone(), world.new_app("two").await);
    for app in [&one, &two] {
        for user in ["alice", "bob"] {
            let body = json!({"UserID": user, "Nick": format!("{user} of {}", app.id)});
            rest(&world, app, "im_open_login_svc/account_import", body).await.ok();
        }
    }
    let only = json!({"UserID": "carol"});
    rest(&world, &one, "im_open_login_svc/account_import", only).await.ok();
    (world, one, two)
}

fn hello(random: u32) -> Value {
    json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": random, "MsgRandom": random,
        "MsgBody": text("secret")})
}

#[tokio::test(start_paused = true)]
async fn accounts_and_profiles_belong_to_one_app() {
    let (world, one, two) = two_apps().await;
    let check = json!({"CheckItem": [{"UserID": "alice"}, {"UserID": "carol"}]});
    let found = rest(&world, &two, "im_open_login_svc/account_check", check).await.ok();
    assert_eq!(found.list("ResultItem")[0]["AccountStatus"], "Imported");
    assert_eq!(found.list("ResultItem")[1]["AccountStatus"], "NotImported");
    let get = json!({"To_Account": ["alice", "carol"], "TagList": ["Tag_Profile_IM_Nick"]});
    for app in [&one, &two] {
        let found = rest(&world, app, "profile/portrait_get", get.clone()).await.ok();
        let nick = &found.list("UserProfileItem")[0]["ProfileItem"][0]["Value"];
        assert_eq!(*nick, format!("alice of {}", app.id));
        assert_eq!(found.has("Fail_Account"), app.id == two.id);
    }
    let (alice, stranger) =
        (world.login_to(&one, "alice", Device::WEB).await, world.login_to(&two, "alice", Device::WEB).await);
    assert_ne!(alice.number, stranger.number, "two accounts, not one");
}

#[tokio::test(start_paused = true)]
async fn messages_pushes_and_counts_stay_in_their_app() {
    let (world, one, two) = two_apps().await;
    let mut bob = world.login_to(&one, "bob", Device::WEB).await;
    let mut stranger = world.login_to(&two, "bob", Device::WEB).await;
    let sent = rest(&world, &one, "openim/sendmsg", hello(1)).await.ok();
    assert_eq!(bob.pushed().await.item("C2cMsgArray")[0]["MsgKey"], sent["MsgKey"]);
    stranger.hears_nothing().await;
    let page =
        json!({"Peer_Account": "alice", "MaxCnt": 20, "LastMsgTime": 0, "MsgKey": "", "GetDirection": 0});
    let seen = bob.call("openim.getroammsg", page.clone()).await.ok();
    assert_eq!(seen.list("MsgList").len(), 1);
    let seen = stranger.call("openim.getroammsg", page).await.ok();
    assert!(seen.list("MsgList").is_empty());
    let list = json!({"From_Account": "bob", "TimeStamp": 0, "StartIndex": 0});
    let seen = stranger.call("recentcontact.page_get", list).await.ok();
    assert!(seen.list("SessionItem").is_empty());
    let missed = stranger.call("openim.getmsg", json!({"Cookie": "", "SyncFlag": 0})).await.ok();
    assert!(missed.list("MsgList").is_empty() && missed.list("C2CPairUnreadCount").is_empty());
    let unread = json!({"To_Account": "bob"});
    let count = rest(&world, &two, "openim/get_c2c_unread_msg_num", unread).await.ok();
    assert_eq!(count["AllC2CUnreadMsgNum"], 0);
}

#[tokio::test(start_paused = true)]
async fn keys_and_cookies_of_another_app_open_nothing() {
    let (world, one, two) = two_apps().await;
    let sent = rest(&world, &one, "openim/sendmsg", hello(1)).await.ok();
    let key = sent.text("MsgKey");
    let withdraw = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": key});
    rest(&world, &two, "openim/admin_msgwithdraw", withdraw).await.refused(20022, "");
    let page = json!({"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 20, "MinTime": 0,
        "MaxTime": world.now(), "LastMsgKey": key});
    let seen = rest(&world, &two, "openim/admin_getroammsg", page.clone()).await.ok();
    assert_eq!((seen["MsgCnt"].clone(), seen["Complete"].clone()), (json!(0), json!(1)));
    let mut stranger = world.login_to(&two, "bob", Device::WEB).await;
    let older = json!({"Peer_Account": "alice", "MaxCnt": 20, "MsgKey": key, "LastMsgTime": world.now()});
    let seen = stranger.call("openim.getroammsg", older).await.ok();
    assert!(seen.list("MsgList").is_empty());
    let seen = stranger.call("openim.getmsg", json!({"Cookie": "c:0", "SyncFlag": 0})).await.ok();
    assert!(seen.list("MsgList").is_empty(), "a cookie counts the whole store, and shows the own part");
    let delete = json!({"From_Account": "bob", "To_Account": "alice", "MsgKeyList": [key]});
    stranger.call("openim.delete_c2c_msg_ramble", delete).await.ok();
    let page = json!({"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 20, "MinTime": 0,
        "MaxTime": world.now()});
    let seen = rest(&world, &one, "openim/admin_getroammsg", page).await.ok();
    assert_eq!(seen["MsgCnt"], 1, "the message is where it was");
    assert_eq!(seen.list("MsgList")[0]["MsgFlagBits"], 0);
}

#[tokio::test(start_paused = true)]
async fn blocks_kicks_status_and_deletions_stay_in_their_app() {
    let (world, one, two) = two_apps().await;
    let mut stranger = world.login_to(&two, "alice", Device::WEB).await;
    let mut watcher = world.login_to(&two, "bob", Device::WEB).await;
    let watch = json!({"To_Account": ["alice"]});
    watcher.call("im_open_status.ws_status_subscribe", watch).await.ok();
    let block = json!({"From_Account": "bob", "To_Account": ["alice"]});
    rest(&world, &one, "sns/black_list_add", block).await.ok();
    stranger.call("openim.sendmsg", hello(1)).await.ok();
    assert_eq!(watcher.pushed().await.event(), 9);
    let alice = world.login_to(&one, "alice", Device::WEB).await;
    rest(&world, &one, "im_open_login_svc/kick", json!({"UserID": "alice"})).await.ok();
    let gone = json!({"DeleteItem": [{"UserID": "alice"}]});
    rest(&world, &one, "im_open_login_svc/account_delete", gone).await.ok();
    drop(alice);
    world.settle().await;
    watcher.hears_nothing().await;
    stranger.hears_nothing().await;
    stranger.call("openim.sendmsg", hello(2)).await.ok();
}

/// The same numbers and content in two apps are two messages, not one sent twice.
#[tokio::test(start_paused = true)]
async fn a_resend_is_one_within_its_app_only() {
    let (world, one, two) = two_apps().await;
    for app in [&one, &two] {
        let mut bob = world.login_to(app, "bob", Device::WEB).await;
        rest(&world, app, "openim/sendmsg", hello(1)).await.ok();
        assert_eq!(bob.pushed().await.event(), 9);
    }
}

#[tokio::test(start_paused = true)]
async fn signatures_open_their_own_app_only() {
    let (world, one, two) = two_apps().await;
    let mut client = world.connect(&one, "alice", Device::WEB).await;
    client.signature = world.sign(&two, "alice");
    client.log_in().await.refused(70009, "");
    // Frames that name another app than their connection are refused whoever sends them.
    let mut client = world.login_to(&one, "alice", Device::WEB).await;
    client.app = two.id;
    client.call("openim.getmsg", json!({"Cookie": ""})).await.refused(60006, "head.sdkappid");
    let forged = TestApp { id: one.id, key: two.key.clone() };
    let call = rest(&world, &forged, "openim/sendmsg", hello(1)).await;
    call.refused(70009, "");
}
