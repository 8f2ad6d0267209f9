//! Keywords of an app in nicknames and self signatures.

use serde_json::{Value, json};
use testkit::World;

const NICK: &str = "Tag_Profile_IM_Nick";
const SIGNATURE: &str = "Tag_Profile_IM_SelfSignature";

async fn world() -> World {
    let world = World::new(profile::commands).await;
    world.accounts(&["administrator", "alice", "bob"]).await;
    world.set("custom_user_fields", "Test:string").await;
    world.keyword("bad", None).await;
    world.keyword("darn", Some("****")).await;
    world
}

fn set(fields: &[(&str, &str)]) -> Value {
    let fields: Vec<Value> = fields.iter().map(|(tag, value)| json!({"Tag": tag, "Value": value})).collect();
    json!({"From_Account": "alice", "ProfileItem": fields})
}

async fn stored(world: &World, tag: &str) -> String {
    let number = world.account("alice").await.number;
    let profile = world.engine().profiles.of(world.app.id, number).await;
    profile.map(|profile| profile.text(tag).to_owned()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_refused_value_changes_nothing() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    for tag in [NICK, SIGNATURE] {
        let fields = set(&[("Tag_Profile_Custom_Test", "fine"), (tag, "so BAD")]);
        alice.call("profile.portrait_set", fields).await.refused(40005, tag);
        assert_eq!(stored(&world, tag).await, "");
    }
    assert_eq!(stored(&world, "Tag_Profile_Custom_Test").await, "");
    second.hears_nothing().await;
    // Other fields are not looked at, and back ends are not.
    let others = set(&[("Tag_Profile_Custom_Test", "bad"), ("Tag_Profile_IM_Image", "http://bad/")]);
    alice.call("profile.portrait_set", others).await.ok();
    world.rest("profile/portrait_set", set(&[(NICK, "bad")])).await.ok();
    assert_eq!(stored(&world, NICK).await, "bad");
}

#[tokio::test(start_paused = true)]
async fn a_replaced_value_is_told_to_the_instance_that_set_it_too() {
    let world = world().await;
    world.send("alice", "bob", "hello").await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    alice.call("profile.portrait_set", set(&[(NICK, "Darn it"), (SIGNATURE, "fine")])).await.ok();
    for client in [&mut alice, &mut second, &mut bob] {
        let push = client.pushed().await;
        let list = &push.item("ProfileDataMod")[0]["ProfileList"];
        assert_eq!(list[0], json!({"Tag": NICK, "ValueBytes": "**** it"}));
    }
    assert_eq!(stored(&world, NICK).await, "**** it");
    // What stays as it is, its own instance is not told.
    alice.call("profile.portrait_set", set(&[(NICK, "fine")])).await.ok();
    assert_eq!((second.rest().await.len(), bob.rest().await.len()), (1, 1));
    alice.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_value_that_becomes_too_long_is_refused_as_such() {
    let world = world().await;
    world.keyword("y", Some("12345")).await;
    let mut alice = world.login("alice").await;
    alice.call("profile.portrait_set", set(&[(NICK, &"y".repeat(100))])).await.ok();
    alice.call("profile.portrait_set", set(&[(NICK, &"y".repeat(101))])).await.refused(40601, NICK);
}
