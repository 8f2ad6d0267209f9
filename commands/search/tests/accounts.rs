//! `user_search.query`, and what there is of `group_search.query` and `group_member_search.query`.

use model::profile::{FieldValue, NICK};
use promise::Stamps;
use serde_json::{Value, json};
use testkit::{Answer, Client, Options, World};

async fn world() -> World {
    let world = World::new(search::commands).await;
    world.accounts(&["alice", "bob", "carol", "dave_77"]).await;
    world.nick("bob", "小明 Bobby").await;
    world.nick("carol", "小红").await;
    world
}

async fn ask(client: &mut Client, body: Value) -> Answer {
    client.call("user_search.query", body).await
}

async fn names(client: &mut Client, body: Value) -> Vec<String> {
    let answer = ask(client, body).await.ok();
    assert!(!answer.has("Incomplete"), "{answer:?}");
    answer.list("Users").iter().filter_map(|user| user["UserID"].as_str().map(str::to_owned)).collect()
}

fn words(words: &[&str]) -> Value {
    json!({"Keywords": words, "KeywordMatchType": 0, "Count": 100})
}

async fn set(world: &World, user: &str, tag: &str, value: FieldValue) {
    let app = world.settings(&world.app).await;
    let account = world.account(user).await;
    let stamps = Stamps::of(app.id, &app.settings);
    let fields = vec![(tag.to_owned(), value)];
    let set = world.engine().profiles.set(stamps, app.id, &account, fields, None).await;
    assert!(set.is_ok(), "a profile can be written");
}

#[tokio::test(start_paused = true)]
async fn accounts_are_found_by_name_and_nickname() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    for (body, expected) in [
        (words(&["小明"]), vec!["bob"]),
        (words(&["小"]), vec!["bob", "carol"]),
        (words(&["BOBBY"]), vec!["bob"]),
        (words(&["bob"]), vec!["bob"]),
        (words(&["dave_77"]), vec!["dave_77"]),
        (words(&["77", "alice"]), vec!["alice", "dave_77"]),
        (words(&["nobody"]), vec![]),
        (words(&["!"]), vec![]),
        (json!({"Keywords": ["小", "bobby"], "KeywordMatchType": 1}), vec!["bob"]),
        (json!({"Keywords": ["小", "bobby"]}), vec!["bob", "carol"]),
    ] {
        assert_eq!(names(&mut alice, body.clone()).await, expected, "{body}");
    }
    let answer = ask(&mut alice, words(&["小明"])).await.ok();
    assert_eq!((&answer["TotalCount"], &answer["Cursor"]), (&json!(1), &json!("")));
    assert_eq!(
        answer["Users"],
        json!([{"UserID": "bob", "ProfileItems": [{"Tag": NICK, "StrValue": "小明 Bobby"}]}])
    );
}

#[tokio::test(start_paused = true)]
async fn gender_and_birthday_narrow_a_search() {
    let world = world().await;
    set(&world, "bob", "Tag_Profile_IM_Gender", FieldValue::Text("Gender_Type_Male".to_owned())).await;
    set(&world, "bob", "Tag_Profile_IM_BirthDay", FieldValue::Number(19_900_615)).await;
    let mut alice = world.login("alice").await;
    let with = |more: Value| {
        let mut body = words(&["小"]);
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (more, expected) in [
        (json!({"UserGenderType": "Gender_Type_Male"}), vec!["bob"]),
        (json!({"UserGenderType": 1}), vec!["bob"]),
        (json!({"UserGenderType": 2}), vec![]),
        (json!({"UserGenderType": "Gender_Type_Unknown"}), vec!["carol"]),
        (json!({"UserBirthStart": 19_900_101, "UserBirthEnd": 19_901_231}), vec!["bob"]),
        (json!({"UserBirthStart": 19_900_615}), vec!["bob"]),
        (json!({"UserBirthEnd": 19_900_614}), vec![]),
        (json!({"UserBirthStart": 0, "UserBirthEnd": 4_294_967_295_u32}), vec!["bob"]),
    ] {
        assert_eq!(names(&mut alice, with(more.clone())).await, expected, "{more}");
    }
    let answer = ask(&mut alice, with(json!({"UserGenderType": 1}))).await.ok();
    let birthday = json!({"Tag": "Tag_Profile_IM_BirthDay", "IntValue": 19_900_615});
    assert!(answer["Users"][0]["ProfileItems"].as_array().unwrap().contains(&birthday));
}

#[tokio::test(start_paused = true)]
async fn changes_new_accounts_and_deletions_are_seen_at_once() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    assert_eq!(names(&mut alice, words(&["小"])).await, ["bob", "carol"]);
    world.nick("bob", "Robert").await;
    world.accounts(&["erin"]).await;
    world.nick("erin", "小李").await;
    world.delete_account("carol").await;
    assert_eq!(names(&mut alice, words(&["小"])).await, ["erin"]);
    assert_eq!(names(&mut alice, words(&["robert"])).await, ["bob"]);
    assert_eq!(names(&mut alice, words(&["carol"])).await, Vec::<String>::new());
    // A new account of that name is another one.
    world.accounts(&["carol"]).await;
    assert_eq!(names(&mut alice, words(&["carol"])).await, ["carol"]);
    assert_eq!(names(&mut alice, words(&["小红"])).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn who_has_blocked_the_caller_is_not_found_and_fields_are_shown_to_whom_they_are_for() {
    let world = world().await;
    world.set("custom_user_fields", "Secret:string:owner:owner,Open:string").await;
    for tag in ["Tag_Profile_Custom_Secret", "Tag_Profile_Custom_Open"] {
        world.profile_text("bob", tag, "x").await;
    }
    world.block("carol", "alice").await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    assert_eq!(names(&mut alice, words(&["小"])).await, ["bob"]);
    assert_eq!(names(&mut bob, words(&["小"])).await, ["bob", "carol"]);
    let tags = |answer: &Answer| -> Vec<String> {
        let items = answer["Users"][0]["ProfileItems"].as_array().unwrap().iter();
        items.map(|item| item["Tag"].as_str().unwrap().to_owned()).collect()
    };
    let (open, secret) = ("Tag_Profile_Custom_Open".to_owned(), "Tag_Profile_Custom_Secret".to_owned());
    let seen = tags(&ask(&mut alice, words(&["小明"])).await.ok());
    assert!(seen.contains(&open) && !seen.contains(&secret), "{seen:?}");
    let own = tags(&ask(&mut bob, words(&["小明"])).await.ok());
    assert!(own.contains(&open) && own.contains(&secret), "{own:?}");
}

#[tokio::test(start_paused = true)]
async fn pages_follow_each_other_and_profiles_that_are_over_are_not_found() {
    let world = world().await;
    for number in 0..23 {
        let name = format!("member{number}");
        world.accounts(&[&name]).await;
        world.nick(&name, "team").await;
    }
    let mut alice = world.login("alice").await;
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let body = json!({"Keywords": ["team"], "Count": 10, "Cursor": cursor});
        let answer = ask(&mut alice, body.clone()).await.ok();
        assert_eq!(answer["TotalCount"], 23);
        seen.extend(names(&mut alice, body).await);
        pages += 1;
        cursor = answer.text("Cursor");
        if cursor.is_empty() {
            break;
        }
    }
    let expected: Vec<String> = (0..23).map(|number| format!("member{number}")).collect();
    assert_eq!((pages, seen), (3, expected));
    world.advance_seconds(9 * 86_400).await;
    let mut alice = world.login("alice").await;
    assert_eq!(names(&mut alice, words(&["team"])).await, Vec::<String>::new());
    assert_eq!(names(&mut alice, words(&["member7"])).await, ["member7"]);
}

#[tokio::test(start_paused = true)]
async fn accounts_for_which_there_is_no_room_are_said_to_be_missing() {
    let mut options = Options::of(search::commands);
    options.engine.search.people_bytes_max = 2000;
    let world = World::with(options).await;
    for number in 0..50 {
        world.accounts(&[&format!("member-{number}")]).await;
    }
    let mut client = world.login("member-0").await;
    let answer = ask(&mut client, words(&["member"])).await.ok();
    assert_eq!(answer["Incomplete"], 1);
    let count = answer["TotalCount"].as_u64().unwrap();
    assert!((1..50).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn accounts_are_forgotten_when_nobody_searches() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    assert_eq!(names(&mut alice, words(&["bob"])).await, ["bob"]);
    world.advance_seconds(1000).await;
    assert_eq!(names(&mut alice, words(&["bob"])).await, ["bob"]);
}

#[tokio::test(start_paused = true)]
async fn bad_requests_are_refused_and_named() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    for (body, field) in [
        (json!({}), "Keywords"),
        (json!({"Keywords": []}), "Keywords"),
        (json!({"Keywords": vec!["a"; 6]}), "Keywords"),
        (json!({"Keywords": [" "]}), "Keywords[0]"),
        (json!({"Keywords": ["a"], "KeywordMatchType": 2}), "KeywordMatchType"),
        (json!({"Keywords": ["a"], "Count": 101}), "Count"),
        (json!({"Keywords": ["a"], "Cursor": "1-2"}), "Cursor"),
    ] {
        ask(&mut alice, body.clone()).await.refused(90001, field);
        if field != "Cursor" {
            for command in ["group_search.query", "group_member_search.query"] {
                alice.call(command, body.clone()).await.refused(90001, field);
            }
        }
    }
    for (body, field) in [
        (json!({"Keywords": ["a"], "UserGenderType": 3}), "UserGenderType"),
        (json!({"Keywords": ["a"], "UserGenderType": "man"}), "UserGenderType"),
        (json!({"Keywords": ["a"], "UserBirthStart": 2, "UserBirthEnd": 1}), "UserBirthEnd"),
    ] {
        ask(&mut alice, body).await.refused(90001, field);
    }
    let body = json!({"Keywords": ["a"], "GroupIdList": vec!["@TGS#1"; 101]});
    alice.call("group_member_search.query", body).await.refused(90001, "GroupIdList");
    assert_ne!(world.rest("user_search/query", words(&["a"])).await.code(), 0, "clients alone search");
}

#[tokio::test(start_paused = true)]
async fn of_groups_nothing_is_found() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let answer = alice.call("group_search.query", words(&["team"])).await.ok();
    assert_eq!(
        (&answer["Groups"], &answer["TotalCount"], &answer["Cursor"]),
        (&json!([]), &json!(0), &json!(""))
    );
    let body = json!({"Keywords": ["team"], "GroupIdList": ["@TGS#1"]});
    let answer = alice.call("group_member_search.query", body).await.ok();
    assert_eq!((&answer["GroupMembers"], &answer["TotalCount"]), (&json!([]), &json!(0)));
}
