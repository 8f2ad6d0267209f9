//! What a back end does with logins: `kick` and `query_online_status`.

use serde_json::{Value, json};
use testkit::{Device, World};

const KICK: &str = "im_open_login_svc/kick";
const STATUS: &str = "openim/query_online_status";

async fn world() -> World {
    let world = World::new(account::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_kick_ends_every_login_and_every_earlier_signature() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let former = world.sign(&world.app, "alice");
    world.rest(KICK, json!({"UserID": "alice"})).await.ok();
    for client in [&mut alice, &mut second] {
        assert_eq!(client.pushed().await.kick(), 3);
        let answer = client.log_in().await;
        assert_eq!((answer.code(), &answer["KickType"]), (1002, &json!(3)));
        let mut again = world.reconnect(client, Device::WEB).await;
        assert_eq!(again.log_in().await["KickType"], 3);
    }
    bob.hears_nothing().await;
    let mut late = world.connect(&world.app, "alice", Device::WEB).await;
    late.signature = former;
    late.log_in().await.refused(70052, "");
    // The answer came with the next second: a signature made after it works at once.
    world.login("alice").await;
}

#[tokio::test(start_paused = true)]
async fn a_kick_outlives_the_server() {
    let mut world = world().await;
    let alice = world.login("alice").await;
    let former = world.sign(&world.app, "alice");
    world.rest(KICK, json!({"UserID": "alice"})).await.ok();
    world.crash().await;
    let mut again = world.reconnect(&alice, Device::WEB).await;
    assert_eq!(again.log_in().await.code(), 1002);
    let mut late = world.connect(&world.app, "alice", Device::WEB).await;
    late.signature = former;
    late.log_in().await.refused(70052, "");
}

#[tokio::test(start_paused = true)]
async fn a_kicked_client_hears_nothing_more() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    world.rest(KICK, json!({"UserID": "alice"})).await.ok();
    assert_eq!(alice.pushed().await.kick(), 3);
    world.send("bob", "alice", "secret").await;
    alice.hears_nothing().await;
    let revoked = world.rest_query(KICK, "sdkappid=1", json!({"UserID": "bob"})).await;
    assert_ne!(revoked.code(), 0);
    world.rest(KICK, json!({"UserID": "nobody"})).await.refused(70107, "");
    world.rest(KICK, json!({})).await.refused(70402, "UserID");
}

#[tokio::test(start_paused = true)]
async fn a_kicked_administrators_signature_is_worthless_over_rest_too() {
    let world = world().await;
    let signature = world.sign(&world.app, "administrator");
    let query = format!(
        "sdkappid={}&identifier=administrator&usersig={signature}&random=1&contenttype=json",
        world.app.id
    );
    world.rest_query(STATUS, &query, json!({"To_Account": ["alice"]})).await.ok();
    world.rest(KICK, json!({"UserID": "administrator"})).await.ok();
    world.rest_query(STATUS, &query, json!({"To_Account": ["alice"]})).await.refused(70052, "");
    world.rest(STATUS, json!({"To_Account": ["alice"]})).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_back_end_sees_who_is_online_and_where() {
    let world = world().await;
    let alice = world.login("alice").await;
    let phone = world.login_on("alice", Device::on(2)).await;
    let ask = json!({"To_Account": ["alice", "bob", "nobody", ""]});
    let answer = world.rest(STATUS, ask).await.ok();
    let expected =
        json!([{"To_Account": "alice", "Status": "Online"}, {"To_Account": "bob", "Status": "Offline"}]);
    assert_eq!(answer["QueryResult"], expected);
    let errors: Vec<&Value> = answer.list("ErrorList").iter().map(|error| &error["ErrorCode"]).collect();
    assert_eq!(errors, [70107, 70107]);
    let ask =
        json!({"To_Account": ["alice"], "IsNeedDetail": 1, "IsReturnInstid": 1, "IsReturnCustomStatus": 1});
    let answer = world.rest(STATUS, ask).await.ok();
    let found = &answer.list("QueryResult")[0];
    let mut detail: Vec<(&str, u64)> = found["Detail"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| {
            assert_eq!(item["Status"], "Online");
            (item["Platform"].as_str().unwrap_or_default(), item["Instid"].as_u64().unwrap_or_default())
        })
        .collect();
    detail.sort_unstable();
    assert_eq!(detail, [("Android", phone.instance), ("Web", alice.instance)]);
    assert_eq!(found["CustomStatus"], "");
    drop((alice, phone));
    world.settle().await;
    let answer = world.rest(STATUS, json!({"To_Account": ["alice"]})).await.ok();
    assert_eq!(answer.list("QueryResult")[0]["Status"], "Offline");
    for (body, code, field) in [
        (json!({"To_Account": vec!["alice"; 501]}), 90018, "To_Account"),
        (json!({"To_Account": []}), 90003, "To_Account"),
        (json!({"To_Account": "alice"}), 90003, "To_Account"),
        (json!({}), 90003, "To_Account"),
    ] {
        world.rest(STATUS, body).await.refused(code, field);
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_signature_stays_revoked_when_the_account_is_made_anew() {
    let world = world().await;
    let former = world.sign(&world.app, "alice");
    world.rest(KICK, json!({"UserID": "alice"})).await.ok();
    let delete = json!({"DeleteItem": [{"UserID": "alice"}]});
    world.rest("im_open_login_svc/account_delete", delete).await.ok();
    world.rest("im_open_login_svc/account_import", json!({"UserID": "alice"})).await.ok();
    let mut late = world.connect(&world.app, "alice", Device::WEB).await;
    late.signature = former;
    late.log_in().await.refused(70052, "");
}

#[tokio::test(start_paused = true)]
async fn every_platform_has_a_name_and_what_an_account_says_is_told_as_it_said_it() {
    let world = world().await;
    for (platform, name) in [
        (1, "PC"),
        (2, "Android"),
        (3, "iPhone"),
        (4, "Mac"),
        (5, "PC"),
        (7, "Web"),
        (8, "Web"),
        (9, "iPad"),
        (15, "Web"),
    ] {
        let user = format!("user{platform}");
        world.accounts(&[&user]).await;
        let client = world.login_on(&user, Device::on(platform)).await;
        // The numbers of the logins alone come with details as well.
        let answer = world.rest(STATUS, json!({"To_Account": [user], "IsReturnInstid": 1})).await.ok();
        let detail = &answer["QueryResult"][0]["Detail"][0];
        assert_eq!((&detail["Platform"], &detail["Instid"]), (&json!(name), &json!(client.instance)));
    }
    world.custom_status("alice", "busy").await;
    let ask = json!({"To_Account": ["alice"], "IsReturnCustomStatus": 1});
    assert_eq!(world.rest(STATUS, ask).await.ok()["QueryResult"][0]["CustomStatus"], "busy");
    world.rest(STATUS, json!({"To_Account": ["alice"], "IsNeedDetail": "x"})).await.refused(90001, "");
}
