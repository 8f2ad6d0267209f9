//! The table of friends: `sns/friend_import`, `_update`, `_delete`, `_delete_all`, `_check`, `_get`, `_get_list` and
//! `sns.friend_get_specified`.

mod friendship;

use friendship::{befriend, codes, friends, heard, told, world};
use serde_json::{Value, json};
use testkit::{Answer, World};

const REMARK: &str = "Tag_SNS_IM_Remark";
const GROUP: &str = "Tag_SNS_IM_Group";

fn item(to: &str) -> Value {
    json!({"To_Account": to, "AddSource": "AddSource_Type_Test"})
}

fn import(owner: &str, items: &[Value]) -> Value {
    json!({"From_Account": owner, "AddFriendItem": items})
}

fn update(friend: &str, tag: &str, value: &Value) -> Value {
    let fields = json!([{"Tag": tag, "Value": value}]);
    json!({"From_Account": "alice", "UpdateItem": [{"To_Account": friend, "SnsItem": fields}]})
}

/// A mistake in the only entry, told of the call or of the entry.
#[track_caller]
fn mistaken(answer: &Answer, code: i64, what: &str) {
    let found = if answer.code() == 0 { codes(answer) } else { vec![answer.code()] };
    assert_eq!(found, [code], "{what}: {answer:?}");
}

async fn names(world: &World, owner: &str) -> Vec<String> {
    friends(world, owner).await.into_keys().collect()
}

/// Bob lists alice; alice does not list bob.
async fn one_sided(world: &World) {
    world.rest("sns/friend_import", import("bob", &[item("alice")])).await.ok();
}

#[tokio::test(start_paused = true)]
async fn an_import_takes_over_everything_asks_nobody_and_has_one_side() {
    let world = world().await;
    world.set("custom_friend_fields", "Test:string,Num:integer").await;
    world.profile_text("bob", "Tag_Profile_IM_AllowType", "AllowType_Type_DenyAny").await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let full = json!({"To_Account": "bob", "AddSource": "AddSource_Type_Old", "Remark": "Bobby",
        "RemarkTime": 1_500_000_000, "GroupName": ["Sailors", "Work"], "AddWording": "from before",
        "AddTime": 1_500_000_001, "CustomItem": [
            {"Tag": "Tag_SNS_Custom_Test", "Value": "own"}, {"Tag": "Tag_SNS_Custom_Num", "Value": 7}]});
    let items = [full, item("nobody"), item("alice")];
    let answer = world.rest("sns/friend_import", import("alice", &items)).await.ok();
    assert_eq!(codes(&answer), [0, 30003, 30001]);
    assert_eq!(answer["Fail_Account"], json!(["nobody", "alice"]));
    told(&heard(&mut alice).await, &json!({"PushType": 1, "FriendAdd_Account": ["bob"]}));
    bob.hears_nothing().await;
    let found = friends(&world, "alice").await;
    let expected = json!({
        "Tag_SNS_IM_AddSource": "AddSource_Type_Old", "Tag_SNS_IM_AddTime": 1_500_000_001,
        "Tag_SNS_IM_AddWording": "from before", GROUP: ["Sailors", "Work"], REMARK: "Bobby",
        "Tag_SNS_Custom_Test": "own", "Tag_SNS_Custom_Num": 7,
    });
    told(&[found["bob"].clone()], &expected);
    assert!(friends(&world, "bob").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_import_is_bounded_and_for_back_ends_only() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    alice.call("sns.friend_import", import("alice", &[item("bob")])).await.refused(30004, "");
    assert!(friends(&world, "alice").await.is_empty());
    let many = vec![item("bob"); 1001];
    world.rest("sns/friend_import", import("alice", &many)).await.refused(30001, "AddFriendItem");
    world.rest("sns/friend_import", import("nobody", &[item("bob")])).await.refused(30003, "From_Account");
    for (field, value) in [
        ("Remark", json!("x".repeat(97))),
        ("GroupName", json!(["x".repeat(31)])),
        ("AddWording", json!("x".repeat(257))),
        ("AddSource", json!("Old")),
        ("CustomItem", json!([{"Tag": "Tag_SNS_Custom_Test", "Value": "not declared"}])),
    ] {
        let mut bad = item("bob");
        bad[field] = value;
        mistaken(&world.rest("sns/friend_import", import("alice", &[bad])).await, 30001, field);
        assert!(friends(&world, "alice").await.is_empty(), "{field}");
    }
    world.set("friends_max", "1").await;
    let two = import("alice", &[item("bob"), item("carol")]);
    assert_eq!(codes(&world.rest("sns/friend_import", two).await.ok()), [0, 30010]);
}

#[tokio::test(start_paused = true)]
async fn what_an_account_notes_of_a_friend_changes_at_its_other_instances_and_nowhere_else() {
    let world = world().await;
    world.set("custom_friend_fields", "Test:string,Num:integer").await;
    befriend(&world, "alice", "bob").await;
    world.rest("sns/group_add", json!({"From_Account": "alice", "GroupName": ["Work"]})).await.ok();
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    for (tag, value, field) in [
        (REMARK, json!("Bobby"), "BytesValue"),
        (GROUP, json!(["Work"]), "RptBytesValue"),
        ("Tag_SNS_Custom_Test", json!("own"), "BytesValue"),
        (REMARK, json!(""), "BytesValue"),
        (REMARK, json!("x".repeat(96)), "BytesValue"),
    ] {
        let answer = alice.call("sns.friend_update", update("bob", tag, &value)).await.ok();
        assert_eq!(answer["ResultItem"], json!([{"To_Account": "bob", "ResultCode": 0, "ResultInfo": ""}]));
        let up = json!({"Friend_Account": "bob", "SNS": [{"BytesTag": tag, field: value}]});
        told(&heard(&mut second).await, &json!({"PushType": 6, "FriendUpInfo": [up]}));
        let found = &friends(&world, "alice").await["bob"][tag];
        assert!(*found == value || value == "" && found.is_null(), "{tag}: {found}");
    }
    let number = world.rest("sns/friend_update", update("bob", "Tag_SNS_Custom_Num", &json!(u64::MAX))).await;
    assert_eq!(codes(&number.ok()), [0]);
    assert_eq!(friends(&world, "alice").await["bob"]["Tag_SNS_Custom_Num"], json!(u64::MAX));
    for client in [&mut alice, &mut second] {
        client.forget().await;
    }
    world.rest("sns/friend_update", update("bob", REMARK, &json!("by the back end"))).await.ok();
    for client in [&mut alice, &mut second] {
        let up =
            json!({"Friend_Account": "bob", "SNS": [{"BytesTag": REMARK, "BytesValue": "by the back end"}]});
        told(&heard(client).await, &json!({"PushType": 6, "FriendUpInfo": [up]}));
    }
    bob.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_note_of_a_friend_is_refused_and_changes_nothing() {
    let world = world().await;
    world.set("custom_friend_fields", "Test:string,Num:integer").await;
    befriend(&world, "alice", "bob").await;
    let before = friends(&world, "alice").await;
    for (friend, tag, value) in [
        ("carol", REMARK, json!("Carrie")),
        ("bob", REMARK, json!("x".repeat(97))),
        ("bob", REMARK, json!(7)),
        ("bob", GROUP, json!(["x".repeat(31)])),
        ("bob", GROUP, json!([""])),
        ("bob", "Tag_SNS_IM_AddSource", json!("AddSource_Type_Test")),
        ("bob", "Tag_SNS_IM_AddTime", json!(1)),
        ("bob", "Tag_SNS_IM_Nothing", json!("x")),
        ("bob", "Tag_Profile_IM_Nick", json!("Bobby")),
        ("bob", "Tag_SNS_Custom_Other", json!("not declared")),
        ("bob", "Tag_SNS_Custom_Test", json!("x".repeat(501))),
        ("bob", "Tag_SNS_Custom_Test", json!(7)),
        ("bob", "Tag_SNS_Custom_Num", json!("7")),
    ] {
        let answer = world.rest("sns/friend_update", update(friend, tag, &value)).await;
        mistaken(&answer, 30001, tag);
        assert_eq!(friends(&world, "alice").await, before, "{friend} {tag}");
    }
    let unknown = update("nobody", REMARK, &json!("x"));
    let answer = world.rest("sns/friend_update", unknown).await.ok();
    assert_ne!(codes(&answer), [0]);
    assert_eq!(answer["Fail_Account"], json!(["nobody"]));
    let empty = json!({"From_Account": "alice", "UpdateItem": []});
    world.rest("sns/friend_update", empty).await.refused(30001, "UpdateItem");
    let mut bob = world.login("bob").await;
    let foreign = update("carol", REMARK, &json!("x"));
    bob.call("sns.friend_update", foreign).await.refused(30003, "From_Account");
}

#[tokio::test(start_paused = true)]
async fn a_friend_is_deleted_on_one_side_or_both() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    for (kind, left) in [(None, 1), (Some("Delete_Type_Single"), 1), (Some("Delete_Type_Both"), 0)] {
        world.rest("sns/friend_delete_all", json!({"From_Account": "bob"})).await.ok();
        befriend(&world, "alice", "bob").await;
        for client in [&mut alice, &mut second, &mut bob] {
            client.forget().await;
        }
        let mut body = json!({"From_Account": "alice", "To_Account": ["bob"]});
        if let Some(kind) = kind {
            body["DeleteType"] = json!(kind);
        }
        let answer = alice.call("sns.friend_delete", body).await.ok();
        assert_eq!(answer["ResultItem"], json!([{"To_Account": "bob", "ResultCode": 0, "ResultInfo": ""}]));
        for client in [&mut alice, &mut second] {
            told(&heard(client).await, &json!({"PushType": 2, "FriendDel_Account": ["bob"]}));
        }
        if left == 0 {
            told(&heard(&mut bob).await, &json!({"PushType": 2, "FriendDel_Account": ["alice"]}));
        } else {
            bob.hears_nothing().await;
        }
        assert!(friends(&world, "alice").await.is_empty());
        assert_eq!(friends(&world, "bob").await.len(), left, "{kind:?}");
    }
}

/// A client that hears of the end of a friendship it never knew loses the rest of the frame.
#[tokio::test(start_paused = true)]
async fn only_who_loses_an_entry_hears_of_it() {
    let world = world().await;
    one_sided(&world).await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let answer = world
        .rest("sns/friend_delete", json!({"From_Account": "alice", "To_Account": ["bob", "carol", "nobody"]}))
        .await
        .ok();
    let refusals = [30001, 30003, 31704, 31804];
    assert!(codes(&answer).iter().all(|code| refusals.contains(code)), "{answer:?}");
    assert_eq!(answer["Fail_Account"], json!(["bob", "carol", "nobody"]));
    let both = json!({"From_Account": "bob", "To_Account": ["alice"], "DeleteType": "Delete_Type_Both"});
    assert_eq!(codes(&bob.call("sns.friend_delete", both).await.ok()), [0]);
    told(&heard(&mut bob).await, &json!({"PushType": 2, "FriendDel_Account": ["alice"]}));
    alice.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn all_friends_are_deleted_on_one_side_or_both() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    for (kind, left) in [(None, 1), (Some("Delete_Type_Single"), 1), (Some("Delete_Type_Both"), 0)] {
        for peer in ["bob", "carol"] {
            world.rest("sns/friend_delete_all", json!({"From_Account": peer})).await.ok();
            befriend(&world, "alice", peer).await;
        }
        let mut alice = world.login("alice").await;
        bob.forget().await;
        let mut body = json!({"From_Account": "alice"});
        if let Some(kind) = kind {
            body["DeleteType"] = json!(kind);
        }
        let answer = world.rest("sns/friend_delete_all", body).await.ok();
        assert_eq!(answer["ErrorDisplay"], "");
        let entries = heard(&mut alice).await;
        let lists = entries.iter().filter_map(|entry| entry["FriendDel_Account"].as_array());
        let mut gone: Vec<&str> = lists.flatten().filter_map(Value::as_str).collect();
        gone.sort_unstable();
        assert_eq!(gone, ["bob", "carol"], "{entries:?}");
        assert_eq!(heard(&mut bob).await.len(), 1 - left, "{kind:?}");
        assert!(friends(&world, "alice").await.is_empty());
        assert_eq!(friends(&world, "bob").await.len(), left);
        assert_eq!(friends(&world, "carol").await.len(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_whose_friend_is_told_in_one_or_both_directions() {
    let world = world().await;
    befriend(&world, "alice", "carol").await;
    one_sided(&world).await;
    let mut clients = [world.login("alice").await, world.login("bob").await];
    let ask = |owner: &str, other: &str, kind: &str| json!({"From_Account": owner, "To_Account": [other], "CheckType": format!("CheckResult_Type_{kind}")});
    for (owner, other, kind, relation) in [
        ("alice", "bob", "Single", "NoRelation"),
        ("alice", "bob", "Both", "BWithA"),
        ("bob", "alice", "Single", "AWithB"),
        ("bob", "alice", "Both", "AWithB"),
        ("alice", "carol", "Single", "AWithB"),
        ("alice", "carol", "Both", "BothWay"),
        ("bob", "carol", "Single", "NoRelation"),
        ("bob", "carol", "Both", "NoRelation"),
    ] {
        let client = &mut clients[usize::from(owner == "bob")];
        let by_rest = world.rest("sns/friend_check", ask(owner, other, kind)).await.ok();
        let by_client = client.call("sns.friend_check", ask(owner, other, kind)).await.ok();
        for answer in [by_rest, by_client] {
            let found = &answer.list("InfoItem")[0];
            assert_eq!((&found["To_Account"], &found["ResultCode"]), (&json!(other), &json!(0)));
            assert_eq!(found["Relation"], format!("CheckResult_Type_{relation}"), "{owner} {other} {kind}");
        }
    }
    let answer = world.rest("sns/friend_check", ask("alice", "nobody", "Both")).await.ok();
    assert_eq!(answer.list("InfoItem")[0]["ResultCode"], 30003);
    assert_eq!(answer["Fail_Account"], json!(["nobody"]));
}

#[tokio::test(start_paused = true)]
async fn the_list_comes_in_pages() {
    let world = world().await;
    let peers: Vec<String> = (0..250).map(|number| format!("peer{number:03}")).collect();
    for peer in &peers {
        world.account(peer).await;
    }
    let items: Vec<Value> = peers.iter().map(|peer| item(peer)).collect();
    world.rest("sns/friend_import", import("alice", &items)).await.ok();
    assert_eq!(names(&world, "alice").await, peers);
    let mut alice = world.login("alice").await;
    let (mut start, mut count, mut pages) = (json!(0), 0, 0);
    loop {
        let body =
            json!({"From_Account": "alice", "StartIndex": start, "StandardSequence": 0, "CustomSequence": 0});
        let page = alice.call("sns.friend_get", body).await.ok();
        assert_eq!(page["FriendNum"], 250);
        assert!(page.list("UserDataItem").len() <= 100);
        count += page.list("UserDataItem").len();
        pages += 1;
        assert!(pages < 10, "the list ends");
        if page["CompleteFlag"] != 0 {
            break;
        }
        start = page["NextStartIndex"].clone();
    }
    assert_eq!(count, 250);
}

/// Every tag that an answer has.
fn tags(answer: &Answer) -> Vec<&str> {
    let items = answer.list("UserDataItem").iter();
    let fields = items.filter_map(|item| item["ValueItem"].as_array()).flatten();
    fields.filter_map(|field| field["Tag"].as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_has_not_changed_is_left_out() {
    let world = world().await;
    world.set("custom_friend_fields", "Test:string").await;
    befriend(&world, "alice", "bob").await;
    world.rest("sns/friend_update", update("bob", REMARK, &json!("Bobby"))).await.ok();
    world.rest("sns/friend_update", update("bob", "Tag_SNS_Custom_Test", &json!("own"))).await.ok();
    let get = |standard: &Value, custom: &Value| {
        let body = json!({"From_Account": "alice", "StartIndex": 0, "StandardSequence": standard, "CustomSequence": custom});
        world.rest("sns/friend_get", body)
    };
    let first = get(&json!(0), &json!(0)).await.ok();
    assert_eq!(first["FriendNum"], 1);
    assert_ne!(first["CompleteFlag"], 0);
    let (standard, custom) = (first["StandardSequence"].clone(), first["CustomSequence"].clone());
    assert!(tags(&first).contains(&REMARK) && tags(&first).contains(&"Tag_SNS_Custom_Test"));
    assert!(tags(&first).iter().all(|tag| tag.starts_with("Tag_SNS_")), "no profiles: {first:?}");
    let same = get(&standard, &custom).await.ok();
    assert!(tags(&same).is_empty(), "{same:?}");
    assert_eq!((&same["StandardSequence"], &same["CustomSequence"]), (&standard, &custom));
    let of_custom = get(&standard, &json!(0)).await.ok();
    assert_eq!(tags(&of_custom), ["Tag_SNS_Custom_Test"]);
    let of_standard = get(&json!(0), &custom).await.ok();
    assert!(tags(&of_standard).contains(&REMARK) && !tags(&of_standard).contains(&"Tag_SNS_Custom_Test"));
    world.rest("sns/friend_update", update("bob", REMARK, &json!("Rob"))).await.ok();
    let later = get(&standard, &custom).await.ok();
    assert!(tags(&later).contains(&REMARK), "{later:?}");
    assert_ne!(later["StandardSequence"], standard);
    let standard = later["StandardSequence"].clone();
    world.rest("sns/friend_update", update("bob", "Tag_SNS_Custom_Test", &json!("changed"))).await.ok();
    let later = get(&standard, &custom).await.ok();
    assert!(tags(&later).contains(&"Tag_SNS_Custom_Test"), "{later:?}");
    befriend(&world, "alice", "carol").await;
    let more = get(&standard, &custom).await.ok();
    assert_eq!((&more["FriendNum"], more.list("UserDataItem").len()), (&json!(2), 2));
}

/// Clients ask for the next page with the sequences of the one before.
#[tokio::test(start_paused = true)]
async fn later_pages_are_whole_whatever_sequences_they_are_asked_with() {
    let world = world().await;
    world.set("custom_friend_fields", "Test:string").await;
    let peers: Vec<String> = (0..120).map(|number| format!("peer{number:03}")).collect();
    let mut items = Vec::new();
    for peer in &peers {
        world.account(peer).await;
        let mut one = item(peer);
        one["Remark"] = json!(peer);
        one["CustomItem"] = json!([{"Tag": "Tag_SNS_Custom_Test", "Value": peer}]);
        items.push(one);
    }
    world.rest("sns/friend_import", import("alice", &items)).await.ok();
    let mut alice = world.login("alice").await;
    let mut body =
        json!({"From_Account": "alice", "StartIndex": 0, "StandardSequence": 0, "CustomSequence": 0});
    let (mut remarks, mut own) = (0, 0);
    for _ in 0..10 {
        let page = alice.call("sns.friend_get", body.clone()).await.ok();
        remarks += tags(&page).iter().filter(|tag| **tag == REMARK).count();
        own += tags(&page).iter().filter(|tag| **tag == "Tag_SNS_Custom_Test").count();
        if page["CompleteFlag"] != 0 {
            break;
        }
        body["StartIndex"] = page["NextStartIndex"].clone();
        for name in ["StandardSequence", "CustomSequence"] {
            body[name] = page[name].clone();
        }
    }
    assert_eq!((remarks, own), (120, 120));
}

#[tokio::test(start_paused = true)]
async fn chosen_friends_are_told_with_notes_and_profile() {
    let world = world().await;
    befriend(&world, "alice", "bob").await;
    world.nick("bob", "Bob").await;
    world.profile_text("bob", "Tag_Profile_IM_SelfSignature", "at sea").await;
    world.rest("sns/friend_update", update("bob", REMARK, &json!("Bobby"))).await.ok();
    let tags = json!(["Tag_Profile_IM_Nick", REMARK]);
    let body = json!({"From_Account": "alice", "To_Account": ["bob", "carol"], "TagList": tags});
    let answer = world.rest("sns/friend_get_list", body).await.ok();
    let [bob, carol] = answer.list("InfoItem") else { panic!("{answer:?}") };
    assert_eq!((&bob["To_Account"], &bob["ResultCode"]), (&json!("bob"), &json!(0)));
    let fields = bob["SnsProfileItem"].as_array().unwrap();
    assert_eq!(fields.len(), 2, "those that were asked for");
    assert!(fields.contains(&json!({"Tag": "Tag_Profile_IM_Nick", "Value": "Bob"})), "{bob}");
    assert!(fields.contains(&json!({"Tag": REMARK, "Value": "Bobby"})), "{bob}");
    assert_eq!(carol["ResultCode"], 30001);
    assert_eq!(answer["Fail_Account"], json!(["carol"]));

    let mut alice = world.login("alice").await;
    let body = json!({"From_Account": "alice", "To_Account": ["bob", "carol"]});
    let answer = alice.call("sns.friend_get_specified", body).await.ok();
    let [bob, carol] = answer.list("InfoItem") else { panic!("{answer:?}") };
    let fields = bob["SnsProfileItem"].as_array().unwrap();
    for (tag, value) in [
        ("Tag_Profile_IM_Nick", json!("Bob")),
        ("Tag_Profile_IM_SelfSignature", json!("at sea")),
        ("Tag_SNS_IM_AddSource", json!("AddSource_Type_Test")),
        (REMARK, json!("Bobby")),
    ] {
        assert!(fields.contains(&json!({"Tag": tag, "Value": value})), "{tag}: {bob}");
    }
    assert_ne!(carol["ResultCode"], 0);
}

#[tokio::test(start_paused = true)]
async fn requests_are_bounded_and_errors_name_their_field() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let many = json!({"From_Account": "alice", "To_Account": vec!["bob"; 1001],
        "CheckType": "CheckResult_Type_Both"});
    let unknown = json!({"From_Account": "nobody", "To_Account": ["bob"], "StartIndex": 0, "TagList": [REMARK],
        "CheckType": "CheckResult_Type_Both"});
    let wrong = json!({"From_Account": "alice", "To_Account": ["bob"], "CheckType": "x", "DeleteType": "x"});
    let none = json!({"To_Account": ["bob"], "StartIndex": 0, "CheckType": "CheckResult_Type_Both",
        "TagList": [REMARK]});
    for (command, body, code, field) in [
        ("sns/friend_delete", &many, 30001, "To_Account"),
        ("sns/friend_delete", &wrong, 30001, "DeleteType"),
        ("sns/friend_delete", &unknown, 30003, "From_Account"),
        ("sns/friend_delete", &none, 30001, "From_Account"),
        ("sns/friend_delete_all", &wrong, 30001, "DeleteType"),
        ("sns/friend_delete_all", &unknown, 30003, "From_Account"),
        ("sns/friend_delete_all", &none, 30001, "From_Account"),
        ("sns/friend_check", &many, 30001, "To_Account"),
        ("sns/friend_check", &wrong, 30001, "CheckType"),
        ("sns/friend_check", &unknown, 30003, "From_Account"),
        ("sns/friend_check", &none, 30001, "From_Account"),
        ("sns/friend_get", &unknown, 30003, "From_Account"),
        ("sns/friend_get", &none, 30001, "From_Account"),
        ("sns/friend_get_list", &unknown, 30003, "From_Account"),
        ("sns/friend_get_list", &none, 30001, "From_Account"),
    ] {
        let answer = world.rest(command, body.clone()).await.refused(code, field);
        assert_eq!(answer["ErrorDisplay"], "");
    }
    let foreign = json!({"From_Account": "alice", "To_Account": ["carol"], "StartIndex": 0,
        "CheckType": "CheckResult_Type_Both"});
    for command in ["friend_delete", "friend_check", "friend_get", "friend_get_specified"] {
        bob.call(&format!("sns.{command}"), foreign.clone()).await.refused(30003, "From_Account");
    }
}
