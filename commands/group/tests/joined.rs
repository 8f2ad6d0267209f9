//! There are no groups yet, and clients are told so.

use serde_json::json;
use testkit::World;

#[tokio::test(start_paused = true)]
async fn an_account_is_in_no_group() {
    let world = World::new(group::commands).await;
    let mut alice = world.login("alice").await;
    for service in ["group_open_http_svc", "million_group_open_http_svc"] {
        let ask = json!({"Member_Account": "alice", "Limit": 50, "Offset": 0});
        let answer = alice.call(&format!("{service}.get_joined_group_list"), ask.clone()).await.ok();
        assert_eq!((&answer["TotalCount"], &answer["GroupIdList"]), (&json!(0), &json!([])));
        world.rest(&format!("{service}/get_joined_group_list"), ask).await.refused(60009, "");
        let mut nobody = world.connect(&world.app, "alice", testkit::Device::WEB).await;
        nobody.signature.clear();
        let answer = nobody.call(&format!("{service}.get_joined_group_list"), json!({})).await;
        answer.refused(200_004, "");
    }
}
