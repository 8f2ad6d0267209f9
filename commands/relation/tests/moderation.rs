//! Keywords of an app in applications for friendship and in remarks.

mod friendship;

use friendship::{befriend, codes, friends, heard, told, world};
use serde_json::{Value, json};
use testkit::{Client, World};

/// A world that refuses one word and replaces another, and whose accounts want to be asked.
async fn moderated() -> World {
    let world = world().await;
    world.set("default_allow_type", "need_confirm").await;
    world.keyword("bad", None).await;
    world.keyword("darn", Some("****")).await;
    world
}

fn item(wording: &str, remark: &str) -> Value {
    json!({"To_Account": "bob", "AddSource": "AddSource_Type_Web", "AddWording": wording, "Remark": remark,
        "GroupName": "bad names are one's own"})
}

/// Changes what an account calls another; the result, and the field that it names.
async fn call_it(client: &mut Client, friend: &str, remark: &str) -> (i64, String) {
    let fields = json!([{"Tag": "Tag_SNS_IM_Remark", "Value": remark}]);
    let body =
        json!({"From_Account": client.user, "UpdateItem": [{"To_Account": friend, "SnsItem": fields}]});
    let answer = client.call("sns.friend_update", body).await.ok();
    let info = answer["ResultItem"][0]["ResultInfo"].as_str().unwrap_or_default().to_owned();
    (codes(&answer)[0], info)
}

#[tokio::test(start_paused = true)]
async fn an_application_with_a_refused_word_reaches_nobody() {
    let world = moderated().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    for (wording, remark, field) in [("so BAD", "", "AddWording"), ("fine", "bad Bob", "Remark")] {
        let body = json!({"From_Account": "alice", "AddFriendItem": [item(wording, remark)]});
        let answer = alice.call("sns.friend_add", body).await.ok();
        assert_eq!(codes(&answer), [30005]);
        let info = answer["ResultItem"][0]["ResultInfo"].as_str().unwrap();
        assert!(info.starts_with(field), "{info}");
    }
    bob.hears_nothing().await;
    let body = json!({"From_Account": "alice", "AddFriendItem": [item("darn hello", "darn Bob")]});
    assert_eq!(codes(&alice.call("sns.friend_add", body).await.ok()), [30539]);
    told(&heard(&mut bob).await, &json!({"PendencyAdd": [{"AddWording": "**** hello"}]}));
    // Who agrees writes a remark, too.
    let response = |remark: &str| {
        let item =
            json!({"To_Account": "alice", "ResponseAction": "Response_Action_AgreeAndAdd", "Remark": remark});
        json!({"From_Account": "bob", "ResponseFriendItem": [item]})
    };
    assert_eq!(codes(&bob.call("sns.friend_response", response("bad Alice")).await.ok()), [30005]);
    assert_eq!(codes(&bob.call("sns.friend_response", response("darn Alice")).await.ok()), [0]);
    assert_eq!(friends(&world, "alice").await["bob"]["Tag_SNS_IM_Remark"], "**** Bob");
    assert_eq!(friends(&world, "bob").await["alice"]["Tag_SNS_IM_Remark"], "**** Alice");
}

#[tokio::test(start_paused = true)]
async fn what_back_ends_write_is_not_looked_at() {
    let world = moderated().await;
    let mut bob = world.login("bob").await;
    let body = json!({"From_Account": "alice", "AddFriendItem": [item("bad", "bad")]});
    assert_eq!(codes(&world.rest("sns/friend_add", body).await.ok()), [30539]);
    told(&heard(&mut bob).await, &json!({"PendencyAdd": [{"AddWording": "bad"}]}));
}

#[tokio::test(start_paused = true)]
async fn a_remark_is_refused_or_replaced_and_then_told_to_the_instance_that_set_it_too() {
    let world = moderated().await;
    befriend(&world, "alice", "bob").await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let (code, info) = call_it(&mut alice, "bob", "bad").await;
    assert!(code == 30005 && info.starts_with("Tag_SNS_IM_Remark"), "{code} {info}");
    assert_eq!(call_it(&mut alice, "bob", "fine").await.0, 0);
    assert_eq!((heard(&mut alice).await.len(), heard(&mut second).await.len()), (0, 1));
    assert_eq!(call_it(&mut alice, "bob", "darn").await.0, 0);
    let remark = json!([{"BytesTag": "Tag_SNS_IM_Remark", "BytesValue": "****"}]);
    for client in [&mut alice, &mut second] {
        told(&heard(client).await, &json!({"FriendUpInfo": [{"Friend_Account": "bob", "SNS": remark}]}));
    }
    // What replaces a word may be too long.
    world.keyword("y", Some("1234")).await;
    assert_eq!(call_it(&mut alice, "bob", &"y".repeat(24)).await.0, 0);
    assert_eq!(call_it(&mut alice, "bob", &"y".repeat(25)).await.0, 30001);
}
