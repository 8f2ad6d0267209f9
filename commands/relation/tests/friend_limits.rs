//! Limits of friends, lists and applications, and what errors say of them.

mod friendship;

use friendship::{befriend, codes, friends, heard, told, world};
use serde_json::{Value, json};
use testkit::World;

const GROUP: &str = "Tag_SNS_IM_Group";

/// Alice has bob, and thirty-one lists.
async fn with_lists() -> World {
    let world = world().await;
    befriend(&world, "alice", "bob").await;
    let names: Vec<String> = (0..31).map(|number| format!("list{number}")).collect();
    world.rest("sns/group_add", json!({"From_Account": "alice", "GroupName": names})).await.ok();
    world
}

async fn lists(world: &World) -> usize {
    world.rest("sns/group_get", json!({"From_Account": "alice"})).await.ok().list("ResultItem").len()
}

#[tokio::test(start_paused = true)]
async fn of_lists_for_which_there_is_no_room_none_is_made() {
    let world = with_lists().await;
    let two = json!(["new", "newer"]);
    let import = |groups: &Value| {
        let item = json!({"To_Account": "carol", "AddSource": "AddSource_Type_Test", "GroupName": groups});
        json!({"From_Account": "alice", "AddFriendItem": [item]})
    };
    let update = |groups: &Value| {
        let item = json!({"To_Account": "bob", "SnsItem": [{"Tag": GROUP, "Value": groups}]});
        json!({"From_Account": "alice", "UpdateItem": [item]})
    };
    assert_eq!(codes(&world.rest("sns/friend_import", import(&two)).await.ok()), [30011]);
    assert_eq!(codes(&world.rest("sns/friend_update", update(&two)).await.ok()), [30011]);
    assert_eq!(lists(&world).await, 31);
    assert!(!friends(&world, "alice").await.contains_key("carol"));
    for (command, body) in [
        ("sns/friend_update", update(&json!(["new", "list3", "new"]))),
        ("sns/friend_import", import(&json!(["new", "list4"]))),
    ] {
        assert_eq!(codes(&world.rest(command, body).await.ok()), [0], "{command}");
    }
    assert_eq!(lists(&world).await, 32);
}

#[tokio::test(start_paused = true)]
async fn errors_name_a_list_by_its_place_and_never_by_its_name() {
    let world = with_lists().await;
    for (command, code, place) in [("sns/group_add", 32207, 1), ("sns/group_delete", 30001, 0)] {
        let names = json!(["my secret", "list5"]);
        let answer = world.rest(command, json!({"From_Account": "alice", "GroupName": names})).await;
        let answer = answer.refused(code, "GroupName");
        assert!(answer.info().contains(&format!("entry {place}")), "{}", answer.info());
        assert!(!answer.info().contains("secret") && !answer.info().contains("list5"), "{}", answer.info());
    }
    assert_eq!(lists(&world).await, 31, "nothing is made, nothing is deleted");
    let mut alice = world.login("alice").await;
    for (body, code) in [
        (json!({"From_Account": "alice", "GroupOldName": "my secret", "GroupNewName": "x"}), 30001),
        (json!({"From_Account": "alice", "GroupOldName": "list3", "GroupNewName": "list5"}), 32207),
    ] {
        let answer = alice.call("sns.group_update", body).await.refused(code, "");
        assert!(!answer.info().contains("secret") && !answer.info().contains("list5"), "{}", answer.info());
    }
}

#[tokio::test(start_paused = true)]
async fn an_own_field_that_its_owner_may_not_read_is_not_told_to_it() {
    let world = world().await;
    let fields = "Note:string,Rank:integer:administrator:administrator";
    world.set("custom_friend_fields", fields).await;
    befriend(&world, "alice", "bob").await;
    let mut alice = world.login("alice").await;
    let update = |fields: Value| json!({"From_Account": "alice", "UpdateItem": [{"To_Account": "bob", "SnsItem": fields}]});
    let rank = json!({"Tag": "Tag_SNS_Custom_Rank", "Value": 7});
    let note = json!({"Tag": "Tag_SNS_Custom_Note", "Value": "hello"});
    assert_eq!(codes(&world.rest("sns/friend_update", update(json!([rank]))).await.ok()), [0]);
    alice.hears_nothing().await;
    assert_eq!(codes(&world.rest("sns/friend_update", update(json!([rank, note]))).await.ok()), [0]);
    let entries = heard(&mut alice).await;
    let fields = json!([{"BytesTag": "Tag_SNS_Custom_Note", "BytesValue": "hello"}]);
    assert_eq!(entries.len(), 1);
    told(&entries, &json!({"PushType": 6, "FriendUpInfo": [{"Friend_Account": "bob", "SNS": fields}]}));
}

#[tokio::test(start_paused = true)]
async fn an_account_asks_a_hundred_others() {
    let world = world().await;
    world.set("default_allow_type", "need_confirm").await;
    let mut items = Vec::new();
    for number in 0..101 {
        let peer = format!("peer{number:03}");
        world.account(&peer).await;
        items.push(json!({"To_Account": peer, "AddSource": "AddSource_Type_Test"}));
    }
    let body = json!({"From_Account": "alice", "AddFriendItem": items});
    let found = codes(&world.rest("sns/friend_add", body.clone()).await.ok());
    assert!(found[..100].iter().all(|code| *code == 30539), "{found:?}");
    assert_eq!(found[100], 30012);
    let again = codes(&world.rest("sns/friend_add", body).await.ok());
    assert_eq!((again[0], again[100]), (30539, 30012), "who is asked again takes no more room");
}

#[tokio::test(start_paused = true)]
async fn batches_and_names_have_their_limits() {
    let world = with_lists().await;
    let mut alice = world.login("alice").await;
    let many = |count: usize| (0..count).map(|number| format!("x{number}")).collect::<Vec<_>>();
    let list = |count: usize| json!({"From_Account": "alice", "To_Account": many(count), "TagList": ["Tag_SNS_IM_Remark"]});
    world.rest("sns/friend_get_list", list(0)).await.refused(30001, "To_Account");
    world.rest("sns/friend_get_list", list(101)).await.refused(30001, "To_Account");
    assert_eq!(world.rest("sns/friend_get_list", list(100)).await.ok().list("InfoItem").len(), 100);
    let members = |count: usize| {
        let items =
            many(count).into_iter().map(|name| json!({"To_Account": name, "UpdateType": "Update_Type_Add"}));
        json!({"From_Account": "alice", "GroupOldName": "list1", "UpdateGroupItem": items.collect::<Vec<_>>()})
    };
    alice.call("sns.group_update", members(101)).await.refused(30001, "UpdateGroupItem");
    let nowhere = json!({"From_Account": "alice", "GroupOldName": "none",
        "UpdateGroupItem": [{"To_Account": "bob", "UpdateType": "Update_Type_Add"}]});
    alice.call("sns.group_update", nowhere).await.refused(30001, "GroupName");
    let pending = |names: Vec<String>| json!({"From_Account": "alice", "PendencyType": "Pendency_Type_Both", "To_Account": names});
    assert_eq!(
        codes(&alice.call("sns.pendency_delete", pending(vec!["bob".to_owned()])).await.ok()),
        [30614]
    );
    alice.call("sns.pendency_delete", pending(many(101))).await.refused(30001, "To_Account");
    let item = |name: &str| json!({"To_Account": name, "ResponseAction": "Response_Action_Agree"});
    let answers: Vec<Value> = many(1001).iter().map(|name| item(name)).collect();
    let body = json!({"From_Account": "alice", "ResponseFriendItem": answers});
    alice.call("sns.friend_response", body).await.refused(30001, "ResponseFriendItem");
    let remark = json!([{"Tag": "Tag_SNS_IM_Remark", "Value": "x"}]);
    let items =
        json!([{"To_Account": "nobody", "SnsItem": remark}, {"To_Account": "carol", "SnsItem": remark}]);
    let body = json!({"From_Account": "alice", "UpdateItem": items});
    assert_eq!(codes(&world.rest("sns/friend_update", body).await.ok()), [30003, 30001]);
    let body = json!({"From_Account": "alice", "To_Account": ["carol", "nobody", "bob"]});
    assert_eq!(codes(&world.rest("sns/friend_delete", body).await.ok()), [31704, 30003, 0]);
}

#[tokio::test(start_paused = true)]
async fn in_a_trial_an_account_has_twenty_friends() {
    let world = world().await;
    world.set("package", "trial").await;
    let mut items = Vec::new();
    for number in 0..21 {
        let peer = format!("peer{number:03}");
        world.account(&peer).await;
        items.push(json!({"To_Account": peer, "AddSource": "AddSource_Type_Test"}));
    }
    let body = json!({"From_Account": "alice", "AddFriendItem": items});
    let found = codes(&world.rest("sns/friend_add", body).await.ok());
    assert!(found[..20].iter().all(|code| *code == 0), "{found:?}");
    assert_eq!(found[20], 30010);
}

#[tokio::test(start_paused = true)]
async fn a_block_list_begins_anywhere() {
    let world = world().await;
    world.block("alice", "bob").await;
    for (start, count) in [(0, 1), (u64::MAX, 0), (u64::MAX - 1, 0)] {
        let body = json!({"From_Account": "alice", "StartIndex": start, "MaxLimited": 10, "LastSequence": 0});
        let answer = world.rest("sns/black_list_get", body).await.ok();
        assert_eq!(answer.list("BlackListItem").len(), count, "{start}");
    }
}
