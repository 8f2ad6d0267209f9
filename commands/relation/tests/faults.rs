//! When the store fails, or somebody else always comes first: the documented numbers, nothing by halves, and what is done stays done.

mod friendship;

use friendship::{befriend, codes, friends, heard, told, world};
use serde_json::{Value, json};
use testkit::World;

fn add(from: &str, to: &str) -> Value {
    json!({"From_Account": from, "AddFriendItem": [{"To_Account": to, "AddSource": "AddSource_Type_Test"}]})
}

/// A change of each kind that alice's relations can have, over REST.
fn changes() -> [(&'static str, Value); 8] {
    let of = |field: &str, value: Value| json!({"From_Account": "alice", field: value});
    let remark = json!([{"To_Account": "bob", "SnsItem": [{"Tag": "Tag_SNS_IM_Remark", "Value": "x"}]}]);
    let import = json!([{"To_Account": "carol", "AddSource": "AddSource_Type_Test"}]);
    [
        ("sns/friend_add", add("alice", "carol")),
        ("sns/friend_import", of("AddFriendItem", import)),
        ("sns/friend_update", of("UpdateItem", remark)),
        ("sns/friend_delete", of("To_Account", json!(["bob"]))),
        ("sns/friend_delete_all", json!({"From_Account": "alice"})),
        ("sns/group_add", of("GroupName", json!(["Sea"]))),
        ("sns/group_delete", of("GroupName", json!(["Work"]))),
        ("sns/black_list_add", of("To_Account", json!(["carol"]))),
    ]
}

async fn relation(world: &World, one: &str, other: &str) -> Value {
    let body = json!({"From_Account": one, "To_Account": [other], "CheckType": "CheckResult_Type_Both"});
    world.rest("sns/friend_check", body).await.ok().list("InfoItem")[0]["Relation"].clone()
}

async fn with_bob() -> World {
    let world = world().await;
    befriend(&world, "alice", "bob").await;
    world.rest("sns/group_add", json!({"From_Account": "alice", "GroupName": ["Work"]})).await.ok();
    world
}

#[tokio::test(start_paused = true)]
async fn changes_for_which_others_always_come_first_are_refused_and_change_nothing() {
    let world = with_bob().await;
    let before = friends(&world, "alice").await;
    world.store.set_contended(true);
    for (command, body) in changes() {
        world.rest(command, body).await.refused(30008, "");
    }
    world.store.set_contended(false);
    assert_eq!(friends(&world, "alice").await, before);
    for (command, body) in changes() {
        world.rest(command, body).await.ok();
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_an_internal_error_of_relations() {
    let world = with_bob().await;
    world.store.fail_after(Some(0));
    for (command, body) in changes() {
        world.rest(command, body).await.refused(30006, "");
    }
    let ask = json!({"From_Account": "alice", "To_Account": ["bob"], "CheckType": "CheckResult_Type_Both"});
    world.rest("sns/friend_get", json!({"From_Account": "alice", "StartIndex": 0})).await.refused(30006, "");
    world.rest("sns/group_get", json!({"From_Account": "alice"})).await.refused(30006, "");
    world.store.fail_after(None);
    world.rest("sns/friend_check", ask).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_block_is_told_at_once_and_ends_the_friendship_when_it_is_asked_for_again() {
    let world = with_bob().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let body = json!({"From_Account": "alice", "To_Account": ["bob"]});
    world.store.fail_after(Some(1));
    world.rest("sns/black_list_add", body.clone()).await.refused(30006, "");
    world.store.fail_after(None);
    told(&heard(&mut alice).await, &json!({"BlackListAdd_Account": ["bob"]}));
    assert_eq!(relation(&world, "alice", "bob").await, "CheckResult_Type_BothWay");
    assert_eq!(codes(&world.rest("sns/black_list_add", body).await.ok()), [30001], "it is blocked");
    assert_eq!(relation(&world, "alice", "bob").await, "CheckResult_Type_NoRelation");
    told(&heard(&mut alice).await, &json!({"PushType": 2, "FriendDel_Account": ["bob"]}));
    told(&heard(&mut bob).await, &json!({"PushType": 2, "FriendDel_Account": ["alice"]}));
}

#[tokio::test(start_paused = true)]
async fn what_is_done_is_answered_as_done_though_nobody_can_be_told() {
    let world = with_bob().await;
    world.set("default_allow_type", "need_confirm").await;
    let (mut alice, _bob) = (world.login("alice").await, world.login("bob").await);
    let carol = world.login("carol").await;
    // Profiles that are shown in pushes are read anew.
    world.advance_seconds(3600).await;
    let rename = json!({"From_Account": "alice", "GroupName": ["Work"]});
    for (command, body, code) in [
        ("sns/friend_add", add("carol", "alice"), Some(30539)),
        ("sns/group_delete", rename, None),
        (
            "follow/follow_add",
            json!({"From_Account": "alice", "FollowItem": [{"To_Account": "bob"}]}),
            Some(0),
        ),
    ] {
        alice.forget().await;
        world.store.fail_after(Some(1));
        let answer = world.rest(command, body).await.ok();
        world.store.fail_after(None);
        if let Some(code) = code {
            assert_eq!(codes(&answer), [code], "{command}");
        }
    }
    assert_eq!(
        world.rest("sns/group_get", json!({"From_Account": "alice"})).await.ok().list("ResultItem").len(),
        0
    );
    drop(carol);
}
