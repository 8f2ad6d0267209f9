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
async fn clients_with_a_word_filter_of_their_own_get_no_words() {
    let world = World::new(app::commands).await;
    let mut alice = world.login("alice").await;
    let asked = json!({"uint64_version": 0, "str_device_id": "", "uint64_start_index": 0});
    let words = alice.call("im_msg_audit_mgr.get_local_words", asked.clone()).await.ok();
    assert_eq!(words["msg_cmd_error_code"], json!({"uint32_code": 0, "str_err_msg": ""}));
    assert_eq!(words["uint64_complete_flag"], 1);
    assert_eq!(words["rpt_msg_dirty_word"], json!([]));
    for field in ["uint64_version", "uint64_expired_time"] {
        assert!(words[field].as_u64().is_some_and(|number| number > 0), "{field}");
    }
    let mut nobody = world.connect(&world.app, "alice", Device::WEB).await;
    nobody.user.clear();
    nobody.signature.clear();
    nobody.call("im_msg_audit_mgr.get_local_words", asked).await.refused(200_004, "");
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
    for command in app::commands().iter().filter(|command| !command.spec().callers.administrator) {
        let answer = world.rest(command.spec().name, json!({})).await;
        answer.refused(60009, "");
    }
}
