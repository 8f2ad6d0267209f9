//! What clients fetch about their app before and after the login.

use serde_json::{Value, json};
use testkit::{Device, World};

#[tokio::test(start_paused = true)]
async fn anybody_fetches_settings_and_abilities() {
    let world = World::new(app::commands).await;
    let nobody = {
        let mut client = world.connect(&world.app, "alice", Device::WEB).await;
        client.user.clear();
        client.signature.clear();
        client
    };
    for mut client in [nobody, world.login("alice").await] {
        let config = client.call("im_sdk_config_mgr.fetch_config", json!({"uint64_version": 0})).await.ok();
        assert_eq!(config["int32_error_code"], 0);
        assert_ne!(config["uint64_version"], 0, "the version of a client that has not asked");
        let own = world.app.id.to_string();
        let content: Value = serde_json::from_str(&config.text("str_json_config")).unwrap_or_default();
        assert_eq!(content, json!({"evt_rpt_sdkappid_bl": own, "q_rpt_sdkappid_bl": own}), "no telemetry");
        let bits = client.call("im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2", json!({})).await.ok();
        assert_eq!(bits["str_purchase_bits"], "1".repeat(64), "no editions");
        client.call("imopenstat.tim_web_report_v2", json!({"rpt_x": [1, {"any": "thing"}]})).await.ok();
    }
}

#[tokio::test(start_paused = true)]
async fn settings_that_change_reach_clients_under_a_new_version() {
    let world = World::new(app::commands).await;
    let mut alice = world.login("alice").await;
    let before = alice.call("im_sdk_config_mgr.fetch_config", json!({})).await.ok();
    world.set("telemetry", "true").await;
    world.set("ability_bits", "101").await;
    let after = alice.call("im_sdk_config_mgr.fetch_config", json!({})).await.ok();
    assert_eq!(after.text("str_json_config"), "{}");
    assert_ne!(after["uint64_version"], before["uint64_version"]);
    let bits = alice.call("im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2", json!({})).await.ok();
    assert_eq!(bits["str_purchase_bits"], "101");
}

#[tokio::test(start_paused = true)]
async fn back_ends_have_no_use_for_them() {
    let world = World::new(app::commands).await;
    let ours = |name: &str| name.starts_with("whimbrel_");
    for command in app::commands().iter().filter(|command| !ours(command.spec().name)) {
        let answer = world.rest(command.spec().name, json!({})).await;
        answer.refused(60009, "");
    }
}
