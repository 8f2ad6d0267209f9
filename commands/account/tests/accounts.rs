//! Accounts as an app's back end keeps them: import, check, delete.

use serde_json::{Value, json};
use testkit::{Device, World};

const IMPORT: &str = "im_open_login_svc/account_import";
const IMPORT_MANY: &str = "im_open_login_svc/multiaccount_import";
const CHECK: &str = "im_open_login_svc/account_check";
const DELETE: &str = "im_open_login_svc/account_delete";

async fn world() -> World {
    World::new(account::commands).await
}

async fn exists(world: &World, user: &str) -> bool {
    let answer = world.rest(CHECK, json!({"CheckItem": [{"UserID": user}]})).await.ok();
    answer.list("ResultItem")[0]["AccountStatus"] == "Imported"
}

async fn nick(world: &World, user: &str) -> String {
    let number = world.account(user).await.number;
    let profile = world.engine().profiles.of(world.app.id, number).await;
    profile.map(|profile| profile.text("Tag_Profile_IM_Nick").to_owned()).unwrap_or_default()
}

fn items(name: &str, users: &[&str]) -> Value {
    let items: Vec<Value> = users.iter().map(|user| json!({"UserID": user})).collect();
    json!({ name: items })
}

#[tokio::test(start_paused = true)]
async fn an_import_makes_an_account_and_a_second_one_changes_its_profile() {
    let world = world().await;
    assert!(!exists(&world, "alice").await);
    let body = json!({"UserID": "alice", "Nick": "Alice", "FaceUrl": "http://a/b"});
    world.rest(IMPORT, body).await.ok();
    assert!(exists(&world, "alice").await);
    let before = world.account("alice").await.number;
    world.rest(IMPORT, json!({"UserID": "alice", "Nick": "Other"})).await.ok();
    world.rest(IMPORT, json!({"Identifier": "alice"})).await.ok();
    assert_eq!(nick(&world, "alice").await, "Other");
    assert_eq!(world.account("alice").await.number, before);
    assert_eq!(world.login("alice").await.number, before.to_string());
}

#[tokio::test(start_paused = true)]
async fn many_are_imported_and_bad_ones_do_not_fail_the_others() {
    let world = world().await;
    let long = "x".repeat(33);
    let old = json!({"Accounts": ["a", "b", "", long, "a"]});
    let answer = world.rest(IMPORT_MANY, old).await.ok();
    assert_eq!(answer["FailAccounts"], json!(["", long]));
    let new = json!({"AccountList": [{"UserID": "c", "Nick": "C"}, {"UserID": "d", "Nick": "x".repeat(501)},
        {"UserID": "a", "Nick": "A"}]});
    let answer = world.rest(IMPORT_MANY, new).await.ok();
    assert_eq!(answer["FailAccounts"], json!(["d"]));
    for (user, expected) in [("a", "A"), ("b", ""), ("c", "C")] {
        assert!(exists(&world, user).await, "{user}");
        assert_eq!(nick(&world, user).await, expected);
    }
    assert!(!exists(&world, "d").await);
}

#[tokio::test(start_paused = true)]
async fn errors_carry_the_documented_number_and_name_the_field() {
    let world = world().await;
    let many: Vec<String> = (0..101).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    for (command, body, code, field) in [
        (IMPORT, json!({}), 70402, "UserID"),
        (IMPORT, json!({"UserID": ""}), 70402, "UserID"),
        (IMPORT, json!({"UserID": "x".repeat(33)}), 70402, "UserID"),
        (IMPORT, json!({"UserID": "a\nb"}), 70402, "UserID"),
        (IMPORT, json!({"UserID": 7}), 70402, "UserID"),
        (IMPORT, json!({"UserID": "a", "Nick": "x".repeat(501)}), 40601, "Nick"),
        (IMPORT_MANY, json!({ "Accounts": many }), 70206, ""),
        (IMPORT_MANY, json!({}), 70206, ""),
        (CHECK, items("CheckItem", &names), 70206, "CheckItem"),
        (CHECK, items("CheckItem", &[]), 70206, "CheckItem"),
        (CHECK, json!({}), 70402, "CheckItem"),
        (CHECK, json!({"CheckItem": [{"Name": "a"}]}), 70402, "UserID"),
        (IMPORT_MANY, json!({"Accounts": "a"}), 70402, "Accounts"),
        (IMPORT_MANY, json!({"AccountList": [{"Nick": "a"}]}), 70402, "UserID"),
        (DELETE, items("DeleteItem", &names), 70206, "DeleteItem"),
        (DELETE, json!({"DeleteItem": [{"Name": "a"}]}), 70402, "UserID"),
    ] {
        world.rest(command, body).await.refused(code, field);
    }
    let mut alice = world.login("alice").await;
    for command in account::commands() {
        let spec = command.spec();
        let name = spec.name.replace('/', ".");
        let code = match spec.parts().0 {
            "openim" => 90009,
            "openconfigsvr" => 60010,
            "openim_robot_http_svc" => 10008,
            _ => 70403,
        };
        alice.call(&name, json!({"UserID": "bob", "Accounts": ["bob"]})).await.refused(code, "");
    }
    assert!(!exists(&world, "bob").await);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_account_is_gone_with_all_that_is_its_own() {
    let world = world().await;
    world.nick("alice", "Alice").await;
    world.send("alice", "bob", "kept by bob").await;
    world.block("alice", "carol").await;
    world.block("carol", "alice").await;
    let mut alice = world.login("alice").await;
    let answer = world.rest(DELETE, items("DeleteItem", &["alice", "nobody", ""])).await.ok();
    let results = answer.list("ResultItem");
    let codes: Vec<&Value> = results.iter().map(|item| &item["ResultCode"]).collect();
    assert_eq!(codes, [0, 70107, 70402]);
    assert_eq!(results[1]["ResultInfo"], "Err_TLS_PT_Open_Login_Account_Not_Exist");
    assert!(!exists(&world, "alice").await);
    assert_eq!(alice.pushed().await.kick(), 3);
    let mut again = world.reconnect(&alice, Device::WEB).await;
    again.log_in().await.refused(70001, "");
    let (former, app) = (alice.number, world.app.id);
    world.rest(IMPORT, json!({"UserID": "alice"})).await.ok();
    let fresh = world.account("alice").await.number;
    assert_ne!(fresh.to_string(), former, "whoever takes the name begins anew");
    assert_eq!(nick(&world, "alice").await, "");
    assert!(world.history("alice", "bob").await.is_empty());
    let carol = world.account("carol").await.number;
    let blocks = &world.engine().blocks;
    for (owner, other) in [(carol, fresh), (fresh, carol)] {
        assert_eq!(blocks.is_blocked(app, owner, other).await.ok(), Some(false));
    }
    again.log_in().await.refused(70001, "");
}

#[tokio::test(start_paused = true)]
async fn a_package_without_room_refuses_what_is_beyond_it_until_an_account_is_deleted() {
    let world = world().await;
    world.accounts(&["administrator"]).await;
    for number in 1..98 {
        world.account(&format!("user{number}")).await;
    }
    world.set("package", "trial").await;
    // Two places are left, of which one is taken here.
    world.rest(IMPORT, json!({"UserID": "first"})).await.ok();
    let answer = world.rest(IMPORT_MANY, json!({"Accounts": ["a", "b", "c"]})).await.ok();
    assert_eq!(answer["FailAccounts"], json!(["b", "c"]));
    assert!(exists(&world, "a").await && !exists(&world, "b").await);
    world.rest(IMPORT, json!({"UserID": "b"})).await.refused(70398, "");
    world.rest(IMPORT_MANY, json!({"Accounts": ["b", "c"]})).await.refused(70398, "");
    // One that is there is changed.
    world.rest(IMPORT, json!({"UserID": "a", "Nick": "A"})).await.ok();
    let robot = world.rest("openim_robot_http_svc/create_robot", json!({"UserID": "@RBT#one"})).await;
    robot.refused(10008, "");
    world.rest(DELETE, items("DeleteItem", &["first"])).await.ok();
    world.rest(IMPORT, json!({"UserID": "b"})).await.ok();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_has_the_number_of_its_family() {
    let world = world().await;
    world.accounts(&["administrator", "alice"]).await;
    // Calls until the administrator is known and what the store holds is not.
    world.rest(CHECK, items("CheckItem", &["administrator"])).await.ok();
    world.store.set_unavailable(true);
    for (command, body, code) in [
        (CHECK, items("CheckItem", &["bob"]), 70500),
        (IMPORT, json!({"UserID": "bob"}), 70500),
        ("openim_robot_http_svc/create_robot", json!({"UserID": "@RBT#one"}), 10002),
        ("openconfigsvr/getnospeaking", json!({"Get_Account": "bob"}), 130_014),
        ("openim/query_online_status", json!({"To_Account": ["bob"]}), 91000),
    ] {
        world.rest(command, body).await.refused(code, "");
    }
    let answer = world.rest(DELETE, items("DeleteItem", &["alice"])).await.ok();
    assert_eq!(answer.list("ResultItem")[0]["ResultCode"], 70500);
    world.store.set_unavailable(false);
    assert!(exists(&world, "alice").await);
}

#[tokio::test(start_paused = true)]
async fn a_trial_app_has_a_hundred_accounts() {
    let world = World::new(account::commands).await;
    world.account("administrator").await;
    world.set("package", "trial").await;
    for number in 1..=100 {
        let body = json!({"UserID": format!("user{number}")});
        let answer = world.rest("im_open_login_svc/account_import", body).await;
        assert_eq!(answer.code(), if number < 100 { 0 } else { 70398 }, "{number}");
    }
    let again = json!({"UserID": "user7"});
    world.rest("im_open_login_svc/account_import", again).await.ok();
}
