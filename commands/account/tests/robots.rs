//! Robots: made, changed, listed, deleted, at most twenty of an app.

use serde_json::{Value, json};
use testkit::World;

const CREATE: &str = "openim_robot_http_svc/create_robot";
const DELETE: &str = "openim_robot_http_svc/delete_robot";
const LIST: &str = "openim_robot_http_svc/get_all_robots";
const ONE: &str = "@RBT#one";
const TAGS: [&str; 3] = ["Tag_Profile_IM_Nick", "Tag_Profile_IM_Image", "Tag_Profile_IM_SelfSignature"];

async fn world() -> World {
    World::new(account::commands).await
}

async fn create(world: &World, user: &str) -> i64 {
    world.rest(CREATE, json!({"UserID": user})).await.code()
}

async fn listed(world: &World) -> Value {
    world.rest(LIST, json!({})).await.ok()["Robot_Account"].clone()
}

async fn profile(world: &World, user: &str) -> [String; 3] {
    let number = world.account(user).await.number;
    let profile = world.engine().profiles.of(world.app.id, number).await.unwrap_or_default();
    TAGS.map(|tag| profile.text(tag).to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_robot_is_an_account_with_a_mark_and_creating_it_again_changes_what_is_given() {
    let mut world = world().await;
    world.accounts(&["alice"]).await;
    let full = json!({"UserID": ONE, "Nick": "One", "FaceUrl": "http://a/b", "SelfSignature": "I help"});
    let answer = world.rest(CREATE, full).await.ok();
    assert_eq!(answer.0, json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""}));
    assert_eq!(profile(&world, ONE).await, ["One", "http://a/b", "I help"]);
    let number = world.account(ONE).await.number;
    world.rest(CREATE, json!({"UserID": ONE, "Nick": "First"})).await.ok();
    assert_eq!(create(&world, ONE).await, 0);
    assert_eq!(profile(&world, ONE).await, ["First", "http://a/b", "I help"]);
    assert_eq!(world.account(ONE).await.number, number);
    assert_eq!(listed(&world).await, json!([ONE]));
    let alice = world.account("alice").await.number;
    for _ in 0..2 {
        let engine = world.engine();
        assert_eq!(engine.is_robot(world.app.id, number).await, Ok(true));
        assert_eq!(engine.is_robot(world.app.id, alice).await, Ok(false));
        world.crash().await;
    }
    assert_eq!(listed(&world).await, json!([ONE]));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_robots_follows_every_change() {
    let world = world().await;
    let plain = world.account("alice").await.number;
    assert_eq!(world.engine().is_robot(world.app.id, plain).await, Ok(false));
    assert_eq!(create(&world, ONE).await, 0);
    let number = world.account(ONE).await.number;
    assert_eq!(world.engine().is_robot(world.app.id, number).await, Ok(true));
    // Another app has robots of its own.
    let other = world.new_app("other").await;
    assert_eq!(world.engine().is_robot(other.id, number).await, Ok(false));
    assert_eq!(world.rest_as(&other, "administrator", LIST, json!({})).await["Robot_Account"], json!([]));
    world.rest(DELETE, json!({"Robot_Account": ONE})).await.ok();
    assert_eq!(world.engine().is_robot(world.app.id, number).await, Ok(false));
    assert_eq!(listed(&world).await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_robot_is_erased_as_any_account_and_its_name_is_free() {
    let mut world = world().await;
    world.rest(CREATE, json!({"UserID": ONE, "Nick": "One"})).await.ok();
    world.accounts(&["alice"]).await;
    world.send(ONE, "alice", "hello").await;
    let former = world.account(ONE).await.number;
    let deleted = world.rest(DELETE, json!({"Robot_Account": ONE})).await.ok();
    assert!(deleted["Receipt"].as_u64().is_some_and(|number| number > 0));
    assert_eq!(deleted.text("Salt").len(), 32);
    assert!(!deleted.text("Commitment").is_empty());
    assert_eq!(listed(&world).await, json!([]));
    world.rest(DELETE, json!({"Robot_Account": ONE})).await.refused(10004, "Robot_Account");
    world.advance_seconds(10).await;
    world.crash().await;
    assert_eq!(create(&world, ONE).await, 0);
    assert_ne!(world.account(ONE).await.number, former);
    assert_eq!(profile(&world, ONE).await, ["", "", ""]);
    assert!(world.history(ONE, "alice").await.is_empty());
    // The other way to delete it leaves no mark behind either.
    let items = json!({"DeleteItem": [{"UserID": ONE}]});
    let answer = world.rest("im_open_login_svc/account_delete", items).await.ok();
    assert_eq!(answer.list("ResultItem")[0]["ResultCode"], 0);
    assert_eq!(listed(&world).await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn an_app_has_twenty_robots_and_a_place_becomes_free() {
    let world = world().await;
    for number in 0..20 {
        assert_eq!(create(&world, &format!("@RBT#{number}")).await, 0, "{number}");
    }
    world.rest(CREATE, json!({"UserID": "@RBT#more"})).await.refused(10008, "20");
    let check = json!({"CheckItem": [{"UserID": "@RBT#more"}]});
    let checked = world.rest("im_open_login_svc/account_check", check).await.ok();
    assert_eq!(checked.list("ResultItem")[0]["AccountStatus"], "NotImported", "nothing is left of it");
    assert_eq!(create(&world, "@RBT#7").await, 0, "one that is there is no further one");
    world.rest(DELETE, json!({"Robot_Account": "@RBT#7"})).await.ok();
    assert_eq!(create(&world, "@RBT#more").await, 0);
    assert_eq!(create(&world, "@RBT#7").await, 10008);
    assert_eq!(listed(&world).await.as_array().map(Vec::len), Some(20));
}

#[tokio::test(start_paused = true)]
async fn mistakes_have_the_documented_numbers() {
    let world = world().await;
    world.accounts(&["alice"]).await;
    let long = format!("@RBT#{}", "x".repeat(28));
    let named = |field: &str, value: Value| json!({"UserID": ONE, field: value});
    for (command, body, field) in [
        (CREATE, json!({}), "UserID"),
        (CREATE, json!({"UserID": ""}), "UserID"),
        (CREATE, json!({"UserID": 7}), "UserID"),
        (CREATE, json!({"UserID": "alice"}), "UserID"),
        (CREATE, json!({"UserID": "@rbt#one"}), "UserID"),
        (CREATE, json!({"UserID": "@RBT#"}), "UserID"),
        (CREATE, json!({ "UserID": long }), "UserID"),
        (CREATE, named("Nick", json!("x".repeat(501))), "Nick"),
        (CREATE, named("FaceUrl", json!("x".repeat(501))), "FaceUrl"),
        (CREATE, named("SelfSignature", json!("x".repeat(501))), "SelfSignature"),
        (CREATE, named("Nick", json!({"$ne": ""})), "Nick"),
        (DELETE, json!({}), "Robot_Account"),
        (DELETE, json!({"Robot_Account": "alice"}), "Robot_Account"),
        (DELETE, json!({"Robot_Account": "@RBT#nobody"}), "Robot_Account"),
    ] {
        world.rest(command, body).await.refused(10004, field);
    }
    assert_eq!(listed(&world).await, json!([]));
    let limit = "x".repeat(500);
    let full = json!({"UserID": &long[..32], "Nick": limit, "FaceUrl": limit, "SelfSignature": limit});
    world.rest(CREATE, full).await.ok();
    let mut alice = world.login("alice").await;
    for command in [CREATE, DELETE, LIST] {
        alice.call(&command.replace('/', "."), json!({"UserID": ONE})).await.refused(10008, "");
    }
}

#[tokio::test(start_paused = true)]
async fn names_of_robots_are_made_in_no_other_way() {
    let world = world().await;
    let import = "im_open_login_svc/account_import";
    world.rest(import, json!({"UserID": ONE})).await.refused(70402, "UserID");
    let many = json!({"AccountList": [{"UserID": ONE}, {"UserID": "alice"}]});
    let answer = world.rest("im_open_login_svc/multiaccount_import", many).await.ok();
    assert_eq!(answer["FailAccounts"], json!([ONE]));
    let mut client = world.connect(&world.app, ONE, testkit::Device::WEB).await;
    client.log_in().await.refused(70402, "UserID");
    // Once it is there it is an account as any other.
    assert_eq!(create(&world, ONE).await, 0);
    world.rest(import, json!({"UserID": ONE, "Nick": "One"})).await.ok();
    assert_eq!(profile(&world, ONE).await[0], "One");
    world.login(ONE).await;
    assert_eq!(listed(&world).await, json!([ONE]));
}

#[tokio::test(start_paused = true)]
async fn an_app_that_stores_no_profiles_has_robots_without_one() {
    let world = world().await;
    world.keep(None, Some(0)).await;
    world.rest(CREATE, json!({"UserID": ONE, "Nick": "One"})).await.ok();
    assert_eq!(profile(&world, ONE).await, ["", "", ""]);
    assert_eq!(listed(&world).await, json!([ONE]));
}
