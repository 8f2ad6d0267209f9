//! `whimbrel_config`: what an app is set to, changed as a whole, with who and when.

use serde_json::{Value, json};
use testkit::{Answer, World};

async fn world() -> World {
    let world = World::new(app::commands).await;
    world.accounts(&["administrator", "alice"]).await;
    world
}

async fn set(world: &World, settings: Value) -> Answer {
    world.rest("whimbrel_config/set", json!({ "Settings": settings })).await
}

#[tokio::test(start_paused = true)]
async fn what_is_set_is_told_with_its_version_and_who_changed_what_from_what() {
    let world = world().await;
    let before = world.rest("whimbrel_config/get", json!({})).await.ok();
    assert_eq!(
        (&before["Version"], &before["Status"], &before["Keys"]),
        (&json!(0), &json!("active"), &json!(1))
    );
    assert!(!before.0.to_string().contains(world.app.key.reveal()), "keys are not shown");
    let fields = json!(["Level:integer", "Note:string:owner:owner"]);
    let after = set(&world, json!({"recall_seconds": 300, "custom_user_fields": fields})).await.ok();
    assert_eq!((&after["Version"], &after["Settings"]["recall_seconds"]), (&json!(1), &json!(300)));
    assert_eq!(after["Settings"]["custom_user_fields"], fields);
    assert_eq!(set(&world, json!({"recall_seconds": 300})).await.ok()["Version"], 1, "nothing has changed");
    world.set("name", "renamed").await;
    let history = world.rest("whimbrel_config/history", json!({})).await.ok();
    let told: Vec<(&Value, &Value)> =
        history.list("Changes").iter().map(|change| (&change["Version"], &change["By"])).collect();
    assert_eq!(told, [(&json!(2), &json!("operator")), (&json!(1), &json!("administrator"))]);
    let first = &history.list("Changes")[1]["Settings"];
    assert_eq!(first.as_array().map(Vec::len), Some(2));
    assert_eq!(first[1], json!({"Name": "recall_seconds", "From": 120, "To": 300}));
    let page = world.rest("whimbrel_config/history", json!({"Limit": 1})).await.ok();
    assert_eq!((page.list("Changes").len(), &page["CompleteFlag"]), (1, &json!(0)));
    let next = world.rest("whimbrel_config/history", json!({"Before": 2})).await.ok();
    assert_eq!((next.list("Changes").len(), &next["CompleteFlag"]), (1, &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn all_that_is_given_changes_or_nothing_does() {
    let world = world().await;
    for (settings, code, field) in [
        (json!({"recall_seconds": 300, "web_instances": 11}), 200_006, "web_instances"),
        (json!({"recall_seconds": 300, "shoe_size": 1}), 200_005, "no setting"),
        (json!({"recall_seconds": "300"}), 200_006, "recall_seconds"),
        (json!({"message_retention_days": 3}), 200_006, "retention"),
        (json!({"package": "trial"}), 200_006, "operator"),
        (json!({"suspended": true}), 200_006, "operator"),
        (json!({"administrators": []}), 200_006, "administrators"),
        (json!({"legal_bases": ["message:love"]}), 200_006, "legal_bases"),
        (json!({}), 200_006, "1 to 100"),
    ] {
        set(&world, settings).await.refused(code, field);
    }
    let many: serde_json::Map<String, Value> =
        (0..101).map(|number| (format!("s{number}"), json!(1))).collect();
    set(&world, Value::Object(many)).await.refused(200_006, "1 to 100");
    let after = world.rest("whimbrel_config/get", json!({})).await.ok();
    assert_eq!((&after["Version"], &after["Settings"]["recall_seconds"]), (&json!(0), &json!(120)));
}

#[tokio::test(start_paused = true)]
async fn who_read_an_older_version_changes_nothing_by_mistake() {
    let world = world().await;
    let body =
        |version: u64| json!({"Settings": {"recall_seconds": 60 + version}, "ExpectedVersion": version});
    world.rest("whimbrel_config/set", body(0)).await.ok();
    world.rest("whimbrel_config/set", body(0)).await.refused(200_012, "ExpectedVersion");
    world.rest("whimbrel_config/set", body(1)).await.ok();
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_thousand_changes_are_remembered() {
    let world = world().await;
    for round in 0..1003 {
        world.set("recall_seconds", if round % 2 == 0 { "1" } else { "2" }).await;
    }
    let oldest = world.rest("whimbrel_config/history", json!({"Before": 5})).await.ok();
    assert_eq!(oldest.list("Changes").len(), 1);
    assert_eq!(oldest.list("Changes")[0]["Version"], 4);
}

#[tokio::test(start_paused = true)]
async fn connected_clients_hear_what_they_may_do_and_a_suspended_app_is_refused() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    set(&world, json!({"ability_bits": "101"})).await.ok();
    let push = alice.pushed().await;
    assert_eq!(push.servcmd, "im_sdk_config_mgr.push_imsdk_purchase_bitsv2");
    assert_eq!(push.body["str_purchase_bits"], "101");
    set(&world, json!({"telemetry": true})).await.ok();
    let push = alice.pushed().await;
    assert_eq!(
        (push.servcmd.as_str(), &push.body["str_json_config"]),
        ("im_sdk_config_mgr.push_configv2", &json!("{}"))
    );
    world.set("ability_bits", &"1".repeat(64)).await;
    alice.pushed().await;
    world.set("package", "standard").await;
    assert_eq!(
        alice.pushed().await.body["str_purchase_bits"].as_str().map(|bits| &bits[63 - 9..=63 - 8]),
        Some("01")
    );
    world.set("suspended", "true").await;
    world.rest("whimbrel_config/get", json!({})).await.refused(60016, "");
    let mut other = world.connect(&world.app, "alice", testkit::Device::WEB).await;
    other.log_in().await.refused(60016, "");
    world.set("suspended", "false").await;
    world.rest("whimbrel_config/get", json!({})).await.ok();
}

#[tokio::test(start_paused = true)]
async fn an_own_field_keeps_its_type() {
    let world = world().await;
    world.set("custom_user_fields", "Level:integer").await;
    world.set("custom_friend_fields", "Rank:integer").await;
    let user = |text: &str| json!({ "custom_user_fields": [text] });
    set(&world, user("Level:string")).await.refused(200_006, "custom_user_fields");
    set(&world, json!({"custom_friend_fields": ["Rank:bytes"]}))
        .await
        .refused(200_006, "custom_friend_fields");
    set(&world, user("Level:integer:owner:administrator")).await.ok();
    set(&world, json!({"custom_user_fields": [], "custom_friend_fields": []})).await.ok();
}
