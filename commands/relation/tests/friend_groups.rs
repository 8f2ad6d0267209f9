//! Lists of friends: `sns/group_add`, `_delete`, `_get` and `sns.group_update`.

mod friendship;

use std::collections::BTreeMap;

use friendship::{befriend, codes, friends, heard, told, world};
use serde_json::{Value, json};
use testkit::World;

const GROUP: &str = "Tag_SNS_IM_Group";

fn add(names: &Value, members: &Value) -> Value {
    json!({"From_Account": "alice", "GroupName": names, "To_Account": members})
}

fn rename(former: &str, new: &str) -> Value {
    json!({"From_Account": "alice", "GroupOldName": former, "GroupNewName": new})
}

fn change(name: &str, member: &str, kind: &str) -> Value {
    let item = json!({"To_Account": member, "UpdateType": format!("Update_Type_{kind}")});
    json!({"From_Account": "alice", "GroupOldName": name, "UpdateGroupItem": [item]})
}

/// The lists of alice with their members.
async fn groups(world: &World) -> BTreeMap<String, Vec<String>> {
    let body = json!({"From_Account": "alice", "NeedFriend": "Need_Friend_Type_Yes"});
    let answer = world.rest("sns/group_get", body).await.ok();
    let mut found = BTreeMap::new();
    for group in answer.list("ResultItem") {
        let members = group["To_Account"].as_array().into_iter().flatten();
        let members: Vec<String> = members.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        assert_eq!(group["FriendNumber"], members.len(), "{group}");
        found.insert(group["GroupName"].as_str().unwrap_or_default().to_owned(), members);
    }
    found
}

/// Alice and bob are friends; alice and carol are not.
async fn with_bob() -> World {
    let world = world().await;
    befriend(&world, "alice", "bob").await;
    world
}

fn in_groups(names: &Value) -> Value {
    let up = json!({"Friend_Account": "bob", "SNS": [{"BytesTag": GROUP, "RptBytesValue": names}]});
    json!({"PushType": 6, "FriendUpInfo": [up]})
}

#[tokio::test(start_paused = true)]
async fn a_list_is_made_with_friends_and_the_other_instances_hear_of_it() {
    let world = with_bob().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let answer = alice.call("sns.group_add", add(&json!(["Work"]), &json!(["bob", "carol"]))).await.ok();
    assert_eq!(codes(&answer), [0, 32216]);
    assert_eq!(answer.list("ResultItem")[0]["To_Account"], "bob");
    assert_eq!(answer["Fail_Account"], json!(["carol"]));
    let first = answer["CurrentSequence"].clone();
    told(&heard(&mut second).await, &in_groups(&json!(["Work"])));
    bob.hears_nothing().await;
    assert_eq!(friends(&world, "alice").await["bob"][GROUP], json!(["Work"]));
    let answer =
        world.rest("sns/group_add", json!({"From_Account": "alice", "GroupName": ["Sea", "Land"]})).await;
    let answer = answer.ok();
    assert_ne!(answer["CurrentSequence"], first);
    assert!(!answer.has("Fail_Account"));
    assert_eq!(answer["ErrorDisplay"], "");
    let expected = [("Land", vec![]), ("Sea", vec![]), ("Work", vec!["bob"])];
    let found = groups(&world).await;
    let found: Vec<(&str, Vec<&str>)> = found
        .iter()
        .map(|(name, members)| (name.as_str(), members.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(found, expected);
    assert!(friends(&world, "bob").await["alice"][GROUP] != json!(["Work"]), "the list is alice's");
}

#[tokio::test(start_paused = true)]
async fn lists_are_told_with_or_without_members_all_or_some() {
    let world = with_bob().await;
    let mut alice = world.login("alice").await;
    for name in ["Sea", "Work"] {
        world.rest("sns/group_add", add(&json!([name]), &json!(["bob"]))).await.ok();
    }
    let without = json!({"From_Account": "alice"});
    for answer in
        [world.rest("sns/group_get", without.clone()).await, alice.call("sns.group_get", without).await]
    {
        let answer = answer.ok();
        assert_eq!(answer.list("ResultItem").len(), 2);
        for group in answer.list("ResultItem") {
            assert_eq!(group["FriendNumber"], 1);
            assert!(group["To_Account"].as_array().is_none_or(Vec::is_empty), "{group}");
        }
        assert!(answer.has("CurrentSequence"));
    }
    let start_up = json!({"From_Account": "alice", "LastSequence": 0, "NeedFriend": "Need_Friend_Type_Yes"});
    let answer = alice.call("sns.group_get", start_up).await.ok();
    for group in answer.list("ResultItem") {
        assert_eq!(group["To_Account"], json!(["bob"]));
    }
    let some = json!({"From_Account": "alice", "GroupName": ["Work"]});
    let answer = world.rest("sns/group_get", some).await.ok();
    let names: Vec<&Value> = answer.list("ResultItem").iter().map(|group| &group["GroupName"]).collect();
    assert_eq!(names, ["Work"]);
}

#[tokio::test(start_paused = true)]
async fn who_holds_the_former_numbers_is_told_what_became_of_lists() {
    let world = with_bob().await;
    let mut alice = world.login("alice").await;
    let (mut standard, mut of_lists) = (json!(0), json!(0));
    world.rest("sns/group_add", add(&json!(["Work"]), &json!(["bob"]))).await.ok();
    let rename = json!({"From_Account": "alice", "GroupOldName": "Work", "GroupNewName": "Job"});
    let delete = json!({"From_Account": "alice", "GroupName": ["Job"]});
    let make = add(&json!(["Sea"]), &json!(["bob"]));
    let leave = json!({"From_Account": "alice", "To_Account": ["bob"]});
    for (command, body, friends, lists) in [
        (
            "sns.group_get",
            json!({"From_Account": "alice"}),
            json!(["bob", ["Work"]]),
            json!(["Work", ["bob"]]),
        ),
        ("sns.group_update", rename, json!(["bob", ["Job"]]), json!(["Job", ["bob"]])),
        ("sns.group_delete", delete, json!(["bob", null]), json!([null, null])),
        ("sns.group_add", make, json!(["bob", ["Sea"]]), json!(["Sea", ["bob"]])),
        ("sns.friend_delete", leave, json!([null, null]), json!(["Sea", []])),
    ] {
        alice.call(command, body).await.ok();
        let body = json!({"From_Account": "alice", "StartIndex": 0, "StandardSequence": standard,
            "CustomSequence": 0});
        let answer = alice.call("sns.friend_get", body).await.ok();
        assert_ne!(answer["StandardSequence"], standard, "{command}");
        standard = answer["StandardSequence"].clone();
        let friend = &answer["UserDataItem"][0];
        let fields = friend["ValueItem"].as_array().into_iter().flatten();
        let mut groups = fields.filter(|field| field["Tag"] == GROUP).map(|field| field["Value"].clone());
        let groups = groups.rfind(|names| *names != json!([]));
        assert_eq!(json!([friend["To_Account"], groups]), friends, "{command}");
        let body =
            json!({"From_Account": "alice", "LastSequence": of_lists, "NeedFriend": "Need_Friend_Type_Yes"});
        let answer = alice.call("sns.group_get", body).await.ok();
        assert_ne!(answer["CurrentSequence"], of_lists, "{command}");
        of_lists = answer["CurrentSequence"].clone();
        let list = &answer["ResultItem"][0];
        assert_eq!(json!([list["GroupName"], list["To_Account"]]), lists, "{command}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_deleted_and_its_friends_remain() {
    let world = with_bob().await;
    world.rest("sns/group_add", add(&json!(["Sea", "Work"]), &json!(["bob"]))).await.ok();
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let body = |name: &str| json!({"From_Account": "alice", "GroupName": [name]});
    let answer = alice.call("sns.group_delete", body("Work")).await.ok();
    assert!(answer.has("CurrentSequence"));
    told(&heard(&mut second).await, &in_groups(&json!(["Sea"])));
    assert_eq!(friends(&world, "alice").await["bob"][GROUP], json!(["Sea"]));
    assert_eq!(groups(&world).await.into_keys().collect::<Vec<_>>(), ["Sea"]);
    world.rest("sns/group_delete", body("Sea")).await.ok();
    assert!(groups(&world).await.is_empty());
    let left = &friends(&world, "alice").await["bob"][GROUP];
    assert!(left.is_null() || *left == json!([]), "{left}");
}

#[tokio::test(start_paused = true)]
async fn a_list_gets_another_name_and_keeps_its_friends() {
    let world = with_bob().await;
    world.rest("sns/group_add", add(&json!(["Work"]), &json!(["bob"]))).await.ok();
    world.rest("sns/group_add", add(&json!(["Sea"]), &json!([]))).await.ok();
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    alice.call("sns.group_update", rename("Work", "Harbour")).await.ok();
    told(&heard(&mut second).await, &in_groups(&json!(["Harbour"])));
    assert_eq!(friends(&world, "alice").await["bob"][GROUP], json!(["Harbour"]));
    assert_eq!(groups(&world).await["Harbour"], ["bob"]);
    for (former, new) in [
        ("Work", "Office"),
        ("Harbour", "Sea"),
        ("Harbour", ""),
        ("Harbour", "x23456789012345678901234567890123"),
    ] {
        let answer = alice.call("sns.group_update", rename(former, new)).await;
        assert_ne!(answer.code(), 0, "{former} {new}");
    }
    assert_eq!(groups(&world).await.into_keys().collect::<Vec<_>>(), ["Harbour", "Sea"]);
}

#[tokio::test(start_paused = true)]
async fn friends_are_put_into_lists_and_taken_out() {
    let world = with_bob().await;
    world.rest("sns/group_add", add(&json!(["Sea", "Work"]), &json!([]))).await.ok();
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    for (name, kind, expected) in [
        ("Work", "Add", json!(["Work"])),
        ("Sea", "Add", json!(["Sea", "Work"])),
        ("Work", "Delete", json!(["Sea"])),
        ("Sea", "Delete", json!([])),
    ] {
        let answer = alice.call("sns.group_update", change(name, "bob", kind)).await.ok();
        let item = json!({"To_Account": "bob", "UpdateType": format!("Update_Type_{kind}"), "ResultCode": 0});
        told(answer.list("ResultItem"), &item);
        let entries = heard(&mut second).await;
        let told_names = |entry: &Value| {
            let names = entry["FriendUpInfo"][0]["SNS"][0]["RptBytesValue"].as_array().cloned();
            sorted(names.unwrap_or_default())
        };
        assert!(
            entries.iter().any(|entry| entry["PushType"] == 6 && json!(told_names(entry)) == expected),
            "{entries:?}"
        );
        let found = friends(&world, "alice").await["bob"][GROUP].as_array().cloned();
        assert_eq!(json!(sorted(found.unwrap_or_default())), expected);
    }
    let stranger = alice.call("sns.group_update", change("Work", "carol", "Add")).await;
    assert!(stranger.code() == 32216 || codes(&stranger) == [32216], "{stranger:?}");
    let nowhere = alice.call("sns.group_update", change("Nowhere", "bob", "Add")).await;
    assert!(nowhere.code() != 0 || codes(&nowhere) != [0], "{nowhere:?}");
    let wrong = alice.call("sns.group_update", change("Work", "bob", "Swap")).await;
    assert!(wrong.code() == 30001 || codes(&wrong) == [30001], "{wrong:?}");
    assert!(groups(&world).await.values().all(Vec::is_empty));
}

fn sorted(names: Vec<Value>) -> Vec<String> {
    let mut names: Vec<String> =
        names.into_iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    names.sort_unstable();
    names
}

#[tokio::test(start_paused = true)]
async fn who_is_no_friend_any_more_is_on_no_list() {
    let world = with_bob().await;
    world.rest("sns/group_add", add(&json!(["Work"]), &json!(["bob"]))).await.ok();
    world.rest("sns/friend_delete", json!({"From_Account": "alice", "To_Account": ["bob"]})).await.ok();
    assert_eq!(groups(&world).await["Work"], [""; 0]);
    befriend(&world, "alice", "carol").await;
    world.rest("sns/group_add", add(&json!(["Sea"]), &json!(["carol"]))).await.ok();
    world.delete_account("carol").await;
    assert_eq!(groups(&world).await["Sea"], [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn there_are_thirty_two_lists() {
    let world = with_bob().await;
    let names: Vec<String> = (0..33).map(|number| format!("list{number:02}")).collect();
    let add_all = |names: &[String]| world.rest("sns/group_add", add(&json!(names), &json!([])));
    add_all(&names[..]).await.refused(30001, "GroupName");
    assert!(groups(&world).await.is_empty());
    add_all(&names[..32]).await.ok();
    add_all(&names[32..]).await.refused(30011, "");
    let item = json!({"To_Account": "carol", "AddSource": "AddSource_Type_Test", "GroupName": "list32"});
    let body = json!({"From_Account": "alice", "AddFriendItem": [item]});
    assert_eq!(codes(&world.rest("sns/friend_add", body).await.ok()), [30011]);
    assert_eq!(groups(&world).await.len(), 32);
    world.rest("sns/group_delete", json!({"From_Account": "alice", "GroupName": &names[..1]})).await.ok();
    add_all(&names[32..]).await.ok();
}

#[tokio::test(start_paused = true)]
async fn names_are_checked_and_errors_name_their_field() {
    let world = with_bob().await;
    let mut bob = world.login("bob").await;
    world.rest("sns/group_add", add(&json!(["Work"]), &json!([]))).await.ok();
    let long = |length: usize| json!(["x".repeat(length)]);
    let of = |owner: &str, names: Value| json!({"From_Account": owner, "GroupName": names});
    for (command, body, code, field) in [
        ("sns/group_add", of("alice", long(31)), 30001, "GroupName"),
        ("sns/group_add", of("alice", json!([""])), 30001, "GroupName"),
        ("sns/group_add", of("alice", json!([])), 30001, "GroupName"),
        ("sns/group_add", of("alice", json!(["Work"])), 32207, ""),
        ("sns/group_add", of("nobody", json!(["Sea"])), 30003, "From_Account"),
        ("sns/group_add", add(&json!(["Sea"]), &json!(vec!["bob"; 1001])), 30001, "To_Account"),
        ("sns/group_add", json!({"GroupName": ["Sea"]}), 30001, "From_Account"),
        ("sns/group_delete", of("alice", json!([])), 30001, "GroupName"),
        ("sns/group_delete", of("alice", json!(vec!["x"; 33])), 30001, "GroupName"),
        ("sns/group_delete", of("nobody", json!(["Sea"])), 30003, "From_Account"),
        ("sns/group_get", of("nobody", json!([])), 30003, "From_Account"),
        ("sns/group_get", of("alice", json!(vec!["x"; 33])), 30001, "GroupName"),
    ] {
        let answer = world.rest(command, body).await.refused(code, field);
        assert_eq!(answer["ErrorDisplay"], "");
    }
    world.rest("sns/group_add", of("alice", long(30))).await.ok();
    let before = groups(&world).await;
    for (command, body) in [
        ("sns.group_add", of("alice", json!(["Sea"]))),
        ("sns.group_delete", of("alice", json!(["Work"]))),
        ("sns.group_get", of("alice", json!([]))),
        ("sns.group_update", rename("Work", "Sea")),
    ] {
        bob.call(command, body).await.refused(30003, "From_Account");
    }
    assert_eq!(groups(&world).await, before);
}
