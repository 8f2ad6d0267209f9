//! Profiles: `profile/portrait_set`, `profile/portrait_get` and `profile.portrait_get_all`.

use serde_json::{Value, json};
use testkit::World;

const NICK: &str = "Tag_Profile_IM_Nick";
const GENDER: &str = "Tag_Profile_IM_Gender";

async fn world() -> World {
    let world = World::new(profile::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

fn set(user: &str, fields: &[(&str, Value)]) -> Value {
    let fields: Vec<Value> = fields.iter().map(|(tag, value)| json!({"Tag": tag, "Value": value})).collect();
    json!({"From_Account": user, "ProfileItem": fields})
}

fn get(users: &[&str], tags: &[&str]) -> Value {
    json!({"To_Account": users, "TagList": tags})
}

#[tokio::test(start_paused = true)]
async fn the_other_instances_and_who_talks_to_the_account_are_told() {
    let world = world().await;
    world.send("alice", "bob", "hello").await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let (mut bob, mut carol) = (world.login("bob").await, world.login("carol").await);
    let fields = [(NICK, json!("Alice")), ("Tag_Profile_IM_BirthDay", json!(19_900_101))];
    alice.call("profile.portrait_set", set("alice", &fields)).await.ok();
    for client in [&mut second, &mut bob] {
        let push = client.pushed().await;
        assert_eq!(push.event(), 8);
        let expected = json!([{"PushType": 1, "Profile_Account": "alice", "ProfileList": [
            {"Tag": NICK, "ValueBytes": "Alice"}, {"Tag": "Tag_Profile_IM_BirthDay", "ValueNum": 19_900_101}]}]);
        assert_eq!(push.item("ProfileDataMod"), &expected);
    }
    alice.hears_nothing().await;
    carol.hears_nothing().await;
    let all = json!({"From_Account": "bob", "UserItem": [
        {"To_Account": "alice", "StandardSequence": 0, "CustomSequence": 0}, {"To_Account": "nobody"}]});
    let seen = bob.call("profile.portrait_get_all", all).await.ok();
    let profiles = seen.list("UserProfileItem");
    assert_eq!(profiles.len(), 1, "accounts that do not exist are left out");
    let expected =
        json!([{"Tag": "Tag_Profile_IM_BirthDay", "Value": 19_900_101}, {"Tag": NICK, "Value": "Alice"}]);
    assert_eq!(profiles[0]["ProfileItem"], expected);
}

#[tokio::test(start_paused = true)]
async fn a_back_end_writes_any_profile_and_everybody_concerned_is_told() {
    let world = world().await;
    world.set("custom_user_fields", "Test:string").await;
    let mut alice = world.login("alice").await;
    let forbid = "Tag_Profile_IM_AdminForbidType";
    let fields = [(forbid, json!("AdminForbid_Type_SendOut")), ("Tag_Profile_Custom_Test", json!("own"))];
    let answer = world.rest("profile/portrait_set", set("alice", &fields)).await.ok();
    assert_eq!(answer["ErrorDisplay"], "");
    assert_eq!(alice.pushed().await.item("ProfileDataMod")[0]["Profile_Account"], "alice");
    let tags = [forbid, "Tag_Profile_Custom_Test", NICK];
    let found = world.rest("profile/portrait_get", get(&["alice", "nobody", "bob"], &tags)).await.ok();
    let profiles = found.list("UserProfileItem");
    let expected = json!([{"Tag": forbid, "Value": "AdminForbid_Type_SendOut"},
        {"Tag": "Tag_Profile_Custom_Test", "Value": "own"}]);
    assert_eq!(profiles[0]["ProfileItem"], expected, "what was never set is left out");
    assert_eq!((&profiles[1]["To_Account"], &profiles[1]["ResultCode"]), (&json!("nobody"), &json!(40003)));
    assert_eq!((&profiles[2]["ResultCode"], &profiles[2]["ProfileItem"]), (&json!(0), &json!([])));
    assert_eq!(found["Fail_Account"], json!(["nobody"]));
    let found = world.rest("profile/portrait_get", get(&["alice"], &tags)).await.ok();
    assert!(!found.has("Fail_Account"), "present only if something failed");
}

#[tokio::test(start_paused = true)]
async fn an_account_writes_its_own_profile_only() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let foreign = set("bob", &[(NICK, json!("mine"))]);
    alice.call("profile.portrait_set", foreign).await.refused(40003, "From_Account");
    let found = world.rest("profile/portrait_get", get(&["bob"], &[NICK])).await.ok();
    assert_eq!(found.list("UserProfileItem")[0]["ProfileItem"], json!([]));
    alice.call("profile.portrait_get", get(&["bob"], &[NICK])).await.refused(40004, "");
    world.rest("profile/portrait_get_all", json!({"UserItem": []})).await.refused(60009, "");
}

#[tokio::test(start_paused = true)]
async fn fields_take_what_they_are_declared_to_take() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    for (tag, value, code) in [
        (NICK, json!("x".repeat(500)), 0),
        (NICK, json!("x".repeat(501)), 40601),
        (NICK, json!(7), 40610),
        (GENDER, json!("Gender_Type_Female"), 0),
        (GENDER, json!("Gender_Type_Other"), 40605),
        ("Tag_Profile_IM_Location", json!("x".repeat(17)), 40605),
        ("Tag_Profile_IM_Level", json!(4_294_967_295_u32), 0),
        ("Tag_Profile_IM_Level", json!(-1), 40610),
        ("Tag_Profile_IM_Level", json!("1"), 40610),
        ("Tag_Profile_IM_AllowType", json!("AllowType_Type_DenyAny"), 0),
        ("Tag_Profile_IM_Unknown", json!("x"), 40009),
        ("Tag_Profile_Custom_ninechars", json!("x"), 40009),
    ] {
        let over_rest = world.rest("profile/portrait_set", set("alice", &[(tag, value.clone())])).await;
        assert_eq!(over_rest.code(), code, "{tag} {value}: {over_rest:?}");
        let own = alice.call("profile.portrait_set", set("alice", &[(tag, value.clone())])).await;
        assert_eq!(own.code(), code, "{tag} {value}: {own:?}");
        assert!(code == 0 || code == 40009 || own.info().contains(tag), "{own:?}");
    }
    let forbid = set("alice", &[("Tag_Profile_IM_AdminForbidType", json!("AdminForbid_Type_None"))]);
    alice.call("profile.portrait_set", forbid).await.refused(40008, "Tag_Profile_IM_AdminForbidType");
}

#[tokio::test(start_paused = true)]
async fn one_bad_field_changes_nothing() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let fields = [(NICK, json!("new")), (GENDER, json!("no such"))];
    alice.call("profile.portrait_set", set("alice", &fields)).await.refused(40605, GENDER);
    let found = world.rest("profile/portrait_get", get(&["alice"], &[NICK])).await.ok();
    assert_eq!(found.list("UserProfileItem")[0]["ProfileItem"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn requests_are_bounded_and_errors_name_their_field() {
    let world = world().await;
    let many: Vec<String> = (0..101).map(|number| format!("user{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (command, body, code, field) in [
        ("profile/portrait_get", get(&many, &[NICK]), 40001, "To_Account"),
        ("profile/portrait_get", get(&[], &[NICK]), 40002, "To_Account"),
        ("profile/portrait_get", json!({"TagList": [NICK]}), 40002, "To_Account"),
        ("profile/portrait_get", json!({"To_Account": ["alice"]}), 40001, "TagList"),
        ("profile/portrait_get", get(&["alice"], &[NICK, "Tag_Other"]), 40009, "TagList[1]"),
        ("profile/portrait_set", set("nobody", &[(NICK, json!("x"))]), 40003, "From_Account"),
        ("profile/portrait_set", set("alice", &[]), 40001, "ProfileItem"),
        ("profile/portrait_set", set("alice", &vec![(NICK, json!("x")); 101]), 40001, "ProfileItem"),
        (
            "profile/portrait_set",
            json!({"From_Account": "alice", "ProfileItem": [{"Tag": NICK}]}),
            40001,
            "Value",
        ),
    ] {
        let answer = world.rest(command, body).await.refused(code, field);
        assert_eq!(answer["ErrorDisplay"], "");
    }
    let mut alice = world.login("alice").await;
    let users: Vec<Value> = many.iter().map(|user| json!({"To_Account": user})).collect();
    let body = json!({ "UserItem": users });
    alice.call("profile.portrait_get_all", body).await.refused(40001, "UserItem");
}

#[tokio::test(start_paused = true)]
async fn an_own_field_is_declared_first_and_written_by_whom_the_app_lets() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let own = |name: &str, value: Value| set("alice", &[(&format!("Tag_Profile_Custom_{name}"), value)]);
    world.rest("profile/portrait_set", own("Rank", json!(1))).await.refused(40009, "Tag");
    world
        .set("custom_user_fields", "Test:string,Rank:integer:stranger:administrator,Own:bytes:owner:owner")
        .await;
    for (name, value, rest, account) in [
        ("Test", json!("x"), 0, 0),
        ("Test", json!(1), 40610, 40610),
        ("Test", json!("x".repeat(501)), 40601, 40601),
        ("Rank", json!(u64::MAX), 0, 40008),
        ("Rank", json!("1"), 40610, 40008),
        ("Own", json!("bytes"), 40008, 0),
        ("Other", json!("x"), 40009, 40009),
    ] {
        let answer = world.rest("profile/portrait_set", own(name, value.clone())).await;
        assert_eq!(answer.code(), rest, "{name} {value}: {answer:?}");
        let answer = alice.call("profile.portrait_set", own(name, value.clone())).await;
        assert_eq!(answer.code(), account, "{name} {value}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_own_field_is_read_by_whom_the_app_lets() {
    let world = world().await;
    let fields = "All:string,Near:string:owner+friend:owner,Secret:string:administrator:administrator+owner";
    world.set("custom_user_fields", fields).await;
    // Alice and bob are friends; carol only talked to her.
    world.send("alice", "carol", "hello").await;
    world.befriend("alice", "bob").await;
    world.befriend("bob", "alice").await;
    let mut clients = [world.login("alice").await, world.login("bob").await, world.login("carol").await];
    let mut second = world.login("alice").await;
    let values = ["All", "Near", "Secret"].map(|name| (format!("Tag_Profile_Custom_{name}"), json!("x")));
    let values: Vec<(&str, Value)> =
        values.iter().map(|(tag, value)| (tag.as_str(), value.clone())).collect();
    clients[0].call("profile.portrait_set", set("alice", &values)).await.ok();
    for (client, names) in clients.iter_mut().zip([vec!["All", "Near"], vec!["All", "Near"], vec!["All"]]) {
        let who = client.user.clone();
        let all = json!({"From_Account": who, "UserItem": [{"To_Account": "alice"}]});
        let seen = client.call("profile.portrait_get_all", all).await.ok();
        let expected: Vec<Value> = names
            .iter()
            .map(|name| json!({"Tag": format!("Tag_Profile_Custom_{name}"), "Value": "x"}))
            .collect();
        assert_eq!(seen.list("UserProfileItem")[0]["ProfileItem"], json!(expected), "{who}");
        let pushed = if who == "alice" { second.pushed().await } else { client.pushed().await };
        let told = pushed.item("ProfileDataMod")[0]["ProfileList"].as_array().map(Vec::len);
        assert_eq!(told, Some(names.len()), "{who}");
    }
    let tags = ["Tag_Profile_Custom_Secret", "Tag_Profile_Custom_Near"];
    world.rest("profile/portrait_get", get(&["alice"], &tags[..1])).await.ok();
    world.rest("profile/portrait_get", get(&["alice"], &tags)).await.refused(40007, "TagList[1]");
}

#[tokio::test(start_paused = true)]
async fn what_the_app_stores_no_more_is_gone_at_once() {
    let world = world().await;
    world.set("custom_user_fields", "Test:string").await;
    let fields = [
        (NICK, json!("Alice")),
        (GENDER, json!("Gender_Type_Male")),
        ("Tag_Profile_Custom_Test", json!("x")),
    ];
    world.rest("profile/portrait_set", set("alice", &fields)).await.ok();
    world.set("profile_tags", NICK).await;
    world.set("custom_user_fields", "").await;
    world
        .rest("profile/portrait_set", set("alice", &[(GENDER, json!("Gender_Type_Male"))]))
        .await
        .refused(40009, "Tag");
    world.rest("profile/portrait_get", get(&["alice"], &[GENDER])).await.refused(40009, "TagList[0]");
    let mut bob = world.login("bob").await;
    let all = json!({"From_Account": "bob", "UserItem": [{"To_Account": "alice"}]});
    let seen = bob.call("profile.portrait_get_all", all).await.ok();
    assert_eq!(seen.list("UserProfileItem")[0]["ProfileItem"], json!([{"Tag": NICK, "Value": "Alice"}]));
    // The next write leaves it out; an own field waits for who declares it.
    world.rest("profile/portrait_set", set("alice", &[(NICK, json!("Alice"))])).await.ok();
    world.set("custom_user_fields", "Test:string").await;
    world.set("profile_tags", &format!("{NICK},{GENDER}")).await;
    let found = world.rest("profile/portrait_get", get(&["alice"], &[GENDER])).await.ok();
    assert_eq!(found.list("UserProfileItem")[0]["ProfileItem"], json!([]));
    let found = world.rest("profile/portrait_get", get(&["alice"], &["Tag_Profile_Custom_Test"])).await.ok();
    assert_eq!(
        found.list("UserProfileItem")[0]["ProfileItem"],
        json!([{"Tag": "Tag_Profile_Custom_Test", "Value": "x"}])
    );
}

#[tokio::test(start_paused = true)]
async fn a_profile_ends_with_its_days_unless_its_account_comes_back() {
    let world = world().await;
    for user in ["alice", "bob"] {
        world.rest("profile/portrait_set", set(user, &[(NICK, json!("shown"))])).await.ok();
    }
    world.advance_seconds(6 * 86_400).await;
    world.login("alice").await;
    world.advance_seconds(2 * 86_400).await;
    let found = world.rest("profile/portrait_get", get(&["alice", "bob"], &[NICK])).await.ok();
    let profiles = found.list("UserProfileItem");
    assert_eq!(profiles[0]["ProfileItem"][0]["Value"], "shown", "renewed by the login");
    assert_eq!(profiles[1]["ProfileItem"], json!([]), "seven days are over");
}

#[tokio::test(start_paused = true)]
async fn an_app_that_stores_no_profiles_answers_what_is_online() {
    let world = world().await;
    world.keep(None, Some(0)).await;
    let mut alice = world.login("alice").await;
    alice.call("profile.portrait_set", set("alice", &[(NICK, json!("Alice"))])).await.ok();
    let nick = async |world: &World| {
        let answer = world.rest("profile/portrait_get", get(&["alice"], &[NICK])).await.ok();
        answer.list("UserProfileItem")[0].clone()
    };
    assert_eq!(nick(&world).await["ProfileItem"][0]["Value"], "Alice");
    // What the app stores no more is told no more, of them too.
    world.set("custom_user_fields", "Test:string").await;
    alice.call("profile.portrait_set", set("alice", &[("Tag_Profile_Custom_Test", json!("x"))])).await.ok();
    let mut bob = world.login("bob").await;
    let all = json!({"From_Account": "bob", "UserItem": [{"To_Account": "alice"}]});
    let mut count = async || {
        let seen = bob.call("profile.portrait_get_all", all.clone()).await.ok();
        seen.list("UserProfileItem")[0]["ProfileItem"].as_array().map(Vec::len)
    };
    assert_eq!(count().await, Some(2));
    world.set("custom_user_fields", "").await;
    assert_eq!(count().await, Some(1));
    world.set("profile_tags", GENDER).await;
    assert_eq!(count().await, Some(0));
    world.set("profile_tags", NICK).await;
    assert_eq!(count().await, Some(1));
    drop(alice);
    world.settle().await;
    assert_eq!(nick(&world).await["ProfileItem"], json!([]));
    let offline = world.rest("profile/portrait_set", set("alice", &[(NICK, json!("Alice"))])).await;
    assert_eq!(offline.code(), 200_007);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_an_internal_error_of_profiles() {
    let world = world().await;
    world.advance_seconds(61).await;
    // Until who asks is known.
    world.rest("profile/portrait_get", get(&["bob"], &[NICK])).await.ok();
    world.store.fail_after(Some(0));
    world.rest("profile/portrait_set", set("alice", &[(NICK, json!("Alice"))])).await.refused(40006, "");
    world.rest("profile/portrait_get", get(&["alice"], &[NICK])).await.refused(40006, "");
    world.store.fail_after(None);
    world.store.set_contended(true);
    world.rest("profile/portrait_set", set("alice", &[(NICK, json!("Alice"))])).await.refused(40006, "");
    world.store.set_contended(false);
    world.rest("profile/portrait_set", set("alice", &[(NICK, json!("Alice"))])).await.ok();
}

#[tokio::test(start_paused = true)]
async fn nobody_reads_whole_profiles_in_another_name() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    let body = json!({"From_Account": "alice", "UserItem": [{"To_Account": "alice"}]});
    bob.call("profile.portrait_get_all", body).await.refused(40003, "From_Account");
}
