//! Becoming friends: `sns/friend_add`, whom it is refused, what each side hears, and what ends a friendship by itself.

mod friendship;

use friendship::{befriend, codes, friends, heard, told, world};
use serde_json::{Value, json};
use testkit::{Answer, World};

const ALLOW: &str = "Tag_Profile_IM_AllowType";

fn item(to: &str) -> Value {
    json!({"To_Account": to, "AddSource": "AddSource_Type_Test"})
}

fn add(from: &str, items: &[Value]) -> Value {
    json!({"From_Account": from, "AddFriendItem": items})
}

/// A mistake in the only entry, told of the call or of the entry.
#[track_caller]
fn mistaken(answer: &Answer, code: i64, field: &str) {
    if answer.code() == 0 {
        assert_eq!(codes(answer), [code], "{field}: {answer:?}");
    } else {
        answer.clone().refused(code, field);
    }
}

fn is_unset(value: &Value) -> bool {
    value.is_null() || *value == "" || *value == json!([])
}

async fn relation(world: &World, one: &str, other: &str) -> Value {
    let body = json!({"From_Account": one, "To_Account": [other], "CheckType": "CheckResult_Type_Both"});
    let answer = world.rest("sns/friend_check", body).await.ok();
    answer.list("InfoItem")[0]["Relation"].clone()
}

#[tokio::test(start_paused = true)]
async fn who_lets_everybody_is_a_friend_at_once_and_every_instance_of_both_hears_of_it() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let (mut bob, mut carol) = (world.login("bob").await, world.login("carol").await);
    let now = world.now();
    let body = json!({"From_Account": "alice", "AddType": "Add_Type_Both", "AddFriendItem": [{
        "To_Account": "bob", "AddSource": "AddSource_Type_Test", "AddWording": "from the pier",
        "Remark": "Bobby", "GroupName": "Sailors"}]});
    let answer = alice.call("sns.friend_add", body).await.ok();
    assert_eq!(answer["ResultItem"], json!([{"To_Account": "bob", "ResultCode": 0, "ResultInfo": ""}]));
    assert!(!answer.has("Fail_Account"));
    for client in [&mut alice, &mut second] {
        told(&heard(client).await, &json!({"PushType": 1, "FriendAdd_Account": ["bob"]}));
    }
    told(&heard(&mut bob).await, &json!({"PushType": 1, "FriendAdd_Account": ["alice"]}));
    carol.hears_nothing().await;
    let of_alice = friends(&world, "alice").await;
    assert_eq!(of_alice.len(), 1);
    let expected = json!({
        "Tag_SNS_IM_AddSource": "AddSource_Type_Test",
        "Tag_SNS_IM_AddTime": now,
        "Tag_SNS_IM_AddWording": "from the pier",
        "Tag_SNS_IM_Group": ["Sailors"],
        "Tag_SNS_IM_Remark": "Bobby",
    });
    told(&[of_alice["bob"].clone()], &expected);
    let of_bob = friends(&world, "bob").await;
    assert_eq!(of_bob.len(), 1);
    for tag in ["Tag_SNS_IM_Remark", "Tag_SNS_IM_Group"] {
        assert!(is_unset(&of_bob["alice"][tag]), "{tag} is what alice noted for herself");
    }
}

#[tokio::test(start_paused = true)]
async fn a_back_end_adds_for_anybody_with_a_result_for_each() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    befriend(&world, "alice", "carol").await;
    alice.forget().await;
    let items = ["bob", "nobody", "carol", "alice"].map(item);
    let answer = world.rest("sns/friend_add", add("alice", &items)).await.ok();
    assert_eq!(codes(&answer), [0, 30003, 30001, 30001]);
    assert_eq!(answer["Fail_Account"], json!(["nobody", "carol", "alice"]));
    assert_eq!(answer["ErrorDisplay"], "");
    told(&heard(&mut alice).await, &json!({"PushType": 1, "FriendAdd_Account": ["bob"]}));
    told(&heard(&mut bob).await, &json!({"PushType": 1, "FriendAdd_Account": ["alice"]}));
    assert_eq!(relation(&world, "alice", "bob").await, "CheckResult_Type_BothWay", "both are the default");
    let again = alice.call("sns.friend_add", add("alice", &[item("bob")])).await.ok();
    assert_eq!(codes(&again), [30001]);
    alice.hears_nothing().await;
    bob.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_friend_can_be_added_on_one_side_only() {
    let world = world().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut body = add("alice", &[item("bob")]);
    body["AddType"] = json!("Add_Type_Single");
    assert_eq!(codes(&alice.call("sns.friend_add", body).await.ok()), [0]);
    told(&heard(&mut alice).await, &json!({"PushType": 1, "FriendAdd_Account": ["bob"]}));
    bob.hears_nothing().await;
    assert_eq!(relation(&world, "alice", "bob").await, "CheckResult_Type_AWithB");
    assert_eq!(relation(&world, "bob", "alice").await, "CheckResult_Type_BWithA");
    assert!(friends(&world, "bob").await.is_empty());
    // Who has a new entry hears of it, nobody else.
    assert_eq!(codes(&bob.call("sns.friend_add", add("bob", &[item("alice")])).await.ok()), [0]);
    told(&heard(&mut bob).await, &json!({"PushType": 1, "FriendAdd_Account": ["alice"]}));
    alice.hears_nothing().await;
    assert_eq!(relation(&world, "alice", "bob").await, "CheckResult_Type_BothWay");
}

#[tokio::test(start_paused = true)]
async fn who_wants_to_be_asked_is_asked_and_who_refuses_is_left_alone() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    for (allow, code) in
        [("AllowAny", 0), ("NeedConfirm", 30539), ("DenyAny", 30516), ("NeedConfirm", 30539), ("AllowAny", 0)]
    {
        for (peer, is_rest) in [("bob", true), ("carol", false)] {
            world.profile_text(peer, ALLOW, &format!("AllowType_Type_{allow}")).await;
            let body = add("alice", &[item(peer)]);
            let answer = if is_rest {
                world.rest("sns/friend_add", body).await
            } else {
                alice.call("sns.friend_add", body).await
            };
            assert_eq!(codes(&answer.ok()), [code], "{allow} {peer}");
            let is_friend = friends(&world, "alice").await.contains_key(peer);
            assert_eq!(is_friend, code == 0, "{allow} {peer}");
            let gone =
                json!({"From_Account": "alice", "To_Account": [peer], "DeleteType": "Delete_Type_Both"});
            world.rest("sns/friend_delete", gone).await.ok();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_decides_for_who_never_said_whether_to_ask() {
    let world = world().await;
    for (default, code) in [("need_confirm", 30539), ("deny_any", 30516), ("allow_any", 0)] {
        world.set("default_allow_type", default).await;
        let answer = world.rest("sns/friend_add", add("alice", &[item("bob")])).await.ok();
        assert_eq!(codes(&answer), [code], "{default}");
    }
    world.set("default_allow_type", "deny_any").await;
    world.profile_text("carol", ALLOW, "AllowType_Type_AllowAny").await;
    let answer = world.rest("sns/friend_add", add("alice", &[item("carol")])).await.ok();
    assert_eq!(codes(&answer), [0], "carol has said so");
}

#[tokio::test(start_paused = true)]
async fn only_a_back_end_can_force_it() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    for (peer, allow) in [("bob", "NeedConfirm"), ("carol", "DenyAny")] {
        world.profile_text(peer, ALLOW, &format!("AllowType_Type_{allow}")).await;
        let mut body = add("alice", &[item(peer)]);
        body["ForceAddFlags"] = json!(1);
        alice.call("sns.friend_add", body.clone()).await;
        assert!(friends(&world, peer).await.is_empty(), "{allow}");
        assert!(friends(&world, "alice").await.is_empty(), "{allow}");
        assert_eq!(codes(&world.rest("sns/friend_add", body).await.ok()), [0], "{allow}");
        assert_eq!(relation(&world, peer, "alice").await, "CheckResult_Type_BothWay");
        let all = json!({"From_Account": "alice", "DeleteType": "Delete_Type_Both"});
        world.rest("sns/friend_delete_all", all).await.ok();
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_befriends_across_a_block() {
    let world = world().await;
    world.block("alice", "bob").await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let by_alice = alice.call("sns.friend_add", add("alice", &[item("bob")])).await.ok();
    assert_eq!(codes(&by_alice), [30515]);
    assert_eq!(by_alice["Fail_Account"], json!(["bob"]));
    let by_bob = bob.call("sns.friend_add", add("bob", &[item("alice")])).await.ok();
    assert_eq!(codes(&by_bob), [30525]);
    let by_rest = world.rest("sns/friend_add", add("bob", &[item("alice"), item("carol")])).await.ok();
    assert_eq!(codes(&by_rest), [30525, 0]);
    alice.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_may_not_send_requests_sends_none() {
    let world = world().await;
    let forbid = "Tag_Profile_IM_AdminForbidType";
    world.profile_text("alice", forbid, "AdminForbid_Type_SendOut").await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    mistaken(&alice.call("sns.friend_add", add("alice", &[item("bob")])).await, 30009, "");
    mistaken(&world.rest("sns/friend_add", add("alice", &[item("bob")])).await, 30009, "");
    bob.hears_nothing().await;
    assert!(friends(&world, "alice").await.is_empty());
    world.profile_text("alice", forbid, "AdminForbid_Type_None").await;
    assert_eq!(codes(&alice.call("sns.friend_add", add("alice", &[item("bob")])).await.ok()), [0]);
}

#[tokio::test(start_paused = true)]
async fn texts_have_their_lengths_and_forms() {
    let world = world().await;
    let long = |length: usize| json!("x".repeat(length));
    for (field, value) in [
        ("AddSource", json!("AddSource_Type_Abcdefgh")),
        ("Remark", long(96)),
        ("Remark", json!("ü".repeat(48))),
        ("GroupName", long(30)),
        ("AddWording", long(120)),
    ] {
        let mut good = item("bob");
        good[field] = value;
        assert_eq!(codes(&world.rest("sns/friend_add", add("alice", &[good])).await.ok()), [0], "{field}");
        world.rest("sns/friend_delete_all", json!({"From_Account": "alice"})).await.ok();
        world.rest("sns/friend_delete_all", json!({"From_Account": "bob"})).await.ok();
    }
    for (field, value) in [
        ("AddSource", Value::Null),
        ("AddSource", json!("")),
        ("AddSource", json!("Test")),
        ("AddSource", json!("AddSource_Type_")),
        ("AddSource", json!("AddSource_Type_Abcdefghi")),
        ("AddSource", json!("AddSource_Type_a b")),
        ("Remark", long(97)),
        ("Remark", json!("ü".repeat(49))),
        ("GroupName", long(31)),
        ("AddWording", long(257)),
    ] {
        let mut bad = item("bob");
        bad[field] = value.clone();
        if value.is_null() {
            bad = json!({"To_Account": "bob"});
        }
        mistaken(&world.rest("sns/friend_add", add("alice", &[bad])).await, 30001, field);
        assert!(friends(&world, "alice").await.is_empty(), "{field} {value}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_name_their_field_and_nobody_acts_for_others() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let mut kind = add("alice", &[item("bob")]);
    kind["AddType"] = json!("Add_Type_Triple");
    for (body, code, field) in [
        (json!({"AddFriendItem": [item("bob")]}), 30001, "From_Account"),
        (add("nobody", &[item("bob")]), 30003, "From_Account"),
        (add("alice", &[]), 30001, "AddFriendItem"),
        (json!({"From_Account": "alice"}), 30001, "AddFriendItem"),
        (kind, 30001, "AddType"),
    ] {
        let answer = world.rest("sns/friend_add", body).await.refused(code, field);
        assert_eq!(answer["ErrorDisplay"], "");
    }
    bob.call("sns.friend_add", add("alice", &[item("bob")])).await.refused(30003, "From_Account");
    bob.hears_nothing().await;
    assert!(friends(&world, "alice").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_account_has_as_many_friends_as_the_app_allows() {
    let world = world().await;
    world.set("friends_max", "3").await;
    let peers: Vec<String> = (0..5).map(|number| format!("peer{number}")).collect();
    for peer in &peers {
        world.account(peer).await;
    }
    let items: Vec<Value> = peers.iter().map(|peer| item(peer)).collect();
    let answer = world.rest("sns/friend_add", add("alice", &items)).await.ok();
    assert_eq!(codes(&answer), [0, 0, 0, 30010, 30010]);
    let mut bob = world.login("bob").await;
    let full = bob.call("sns.friend_add", add("bob", &[item("alice"), item("carol")])).await.ok();
    assert_eq!(codes(&full), [30014, 0]);
    assert_eq!(friends(&world, "alice").await.len(), 3);
    assert!(!friends(&world, "bob").await.contains_key("alice"));
    let one = json!({"From_Account": "alice", "To_Account": ["peer0"], "DeleteType": "Delete_Type_Both"});
    world.rest("sns/friend_delete", one).await.ok();
    let answer = world.rest("sns/friend_add", add("alice", &[item("bob")])).await.ok();
    assert_eq!(codes(&answer), [0], "there is room again");
}

#[tokio::test(start_paused = true)]
async fn blocking_a_friend_ends_the_friendship_on_both_sides() {
    let world = world().await;
    befriend(&world, "alice", "bob").await;
    befriend(&world, "alice", "carol").await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    let body = json!({"From_Account": "alice", "To_Account": ["bob"]});
    alice.call("sns.black_list_add", body).await.ok();
    for client in [&mut alice, &mut second] {
        let entries = heard(client).await;
        told(&entries, &json!({"PushType": 2, "FriendDel_Account": ["bob"]}));
        told(&entries, &json!({"BlackListAdd_Account": ["bob"]}));
    }
    let entries = heard(&mut bob).await;
    told(&entries, &json!({"PushType": 2, "FriendDel_Account": ["alice"]}));
    assert!(entries.iter().all(|entry| entry.get("BlackListAdd_Account").is_none()), "{entries:?}");
    assert_eq!(relation(&world, "alice", "bob").await, "CheckResult_Type_NoRelation");
    assert_eq!(friends(&world, "alice").await.into_keys().collect::<Vec<_>>(), ["carol"]);
    let body = json!({"From_Account": "alice", "To_Account": ["bob"]});
    alice.call("sns.black_list_delete", body).await.ok();
    assert_eq!(
        relation(&world, "alice", "bob").await,
        "CheckResult_Type_NoRelation",
        "it does not come back"
    );
}

#[tokio::test(start_paused = true)]
async fn an_app_may_keep_friendships_of_who_blocks() {
    let world = world().await;
    world.set("friendship_after_block", "keep").await;
    befriend(&world, "alice", "bob").await;
    let mut bob = world.login("bob").await;
    let body = json!({"From_Account": "alice", "To_Account": ["bob"]});
    world.rest("sns/black_list_add", body).await.ok();
    bob.hears_nothing().await;
    assert_eq!(relation(&world, "alice", "bob").await, "CheckResult_Type_BothWay");
}

/// A client that hears of the end of a friendship it never knew loses the rest of the frame.
#[tokio::test(start_paused = true)]
async fn who_has_no_entry_hears_of_no_end() {
    let world = world().await;
    let mut body = add("bob", &[item("alice")]);
    body["AddType"] = json!("Add_Type_Single");
    world.rest("sns/friend_add", body).await.ok();
    let mut alice = world.login("alice").await;
    let body = json!({"From_Account": "alice", "To_Account": ["bob", "carol"]});
    alice.call("sns.black_list_add", body).await.ok();
    let entries = heard(&mut alice).await;
    assert!(entries.iter().all(|entry| entry.get("FriendDel_Account").is_none()), "{entries:?}");
}

#[tokio::test(start_paused = true)]
async fn friendships_are_there_after_a_crash() {
    let mut world = world().await;
    befriend(&world, "alice", "bob").await;
    world.crash().await;
    assert_eq!(relation(&world, "alice", "bob").await, "CheckResult_Type_BothWay");
    assert_eq!(friends(&world, "bob").await.into_keys().collect::<Vec<_>>(), ["alice"]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_account_is_nobodys_friend_and_neither_is_who_takes_its_name() {
    let world = world().await;
    befriend(&world, "alice", "bob").await;
    befriend(&world, "bob", "carol").await;
    world.delete_account("bob").await;
    for owner in ["alice", "carol"] {
        assert!(friends(&world, owner).await.is_empty(), "{owner}");
    }
    world.account("bob").await;
    assert!(friends(&world, "bob").await.is_empty());
    assert_eq!(relation(&world, "alice", "bob").await, "CheckResult_Type_NoRelation");
    befriend(&world, "alice", "bob").await;
}

#[tokio::test(start_paused = true)]
async fn friends_hear_of_each_others_profiles() {
    let world = world().await;
    befriend(&world, "alice", "bob").await;
    let (mut alice, mut carol) = (world.login("alice").await, world.login("carol").await);
    world.nick("bob", "Bob of the bay").await;
    let push = alice.pushed().await;
    assert_eq!(push.item("ProfileDataMod")[0]["Profile_Account"], "bob");
    carol.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_outlives_its_account_writes_nothing() {
    let world = world().await;
    let app = world.settings(&world.app).await;
    // Both were found before one of them was erased.
    let (alice, bob) = (world.account("alice").await, world.account("bob").await);
    world.engine().erase_account(&app, &bob.user).await.unwrap();
    world.advance_seconds(10).await;
    let how = engine::relations::Adding { both: true, force: true };
    let add = |other| engine::relations::AddFriend {
        other,
        source: "AddSource_Type_Test".to_owned(),
        wording: String::new(),
        remark: String::new(),
        group: None,
    };
    let engine = world.engine();
    let late = engine.add_friends(&app, &alice, &[add(bob.clone())], how).await.unwrap();
    assert_eq!(late[0].as_ref().map_err(|error| error.code), Err(model::ErrorCode::RelationAccountUnknown));
    let late = engine.add_friends(&app, &bob, &[add(alice.clone())], how).await;
    assert_eq!(late.map(drop).map_err(|error| error.code), Err(model::ErrorCode::RelationAccountUnknown));
    for owner in [&alice, &bob] {
        assert_eq!(engine.relations.of(app.id, owner.number).await.unwrap().friends, 0);
    }
}
