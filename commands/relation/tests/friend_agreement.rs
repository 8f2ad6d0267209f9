//! What agreeing to a friendship brings each side: what it wished, and nothing by halves.

mod friendship;

use friendship::{befriend, codes, friends, heard, told, world};
use serde_json::{Value, json};
use testkit::{Answer, Client, World};

const REMARK: &str = "Tag_SNS_IM_Remark";
const GROUP: &str = "Tag_SNS_IM_Group";

/// A world whose accounts want to be asked.
async fn asking() -> World {
    let world = world().await;
    world.set("default_allow_type", "need_confirm").await;
    world
}

/// Lets one account add another, over REST: of one kind, with a remark and a list.
async fn add(world: &World, from: &str, to: &str, kind: &str, remark: &str, list: &str) -> i64 {
    let item =
        json!({"To_Account": to, "AddSource": "AddSource_Type_Test", "Remark": remark, "GroupName": list});
    let body = json!({"From_Account": from, "AddFriendItem": [item], "AddType": format!("Add_Type_{kind}")});
    codes(&world.rest("sns/friend_add", body).await.ok())[0]
}

async fn respond(client: &mut Client, to: &str, action: &str, list: &str) -> Answer {
    let item = json!({"To_Account": to, "ResponseAction": format!("Response_Action_{action}"), "Remark": "mine",
        "TagName": list});
    let body = json!({"From_Account": client.user, "ResponseFriendItem": [item]});
    client.call("sns.friend_response", body).await.ok()
}

/// With whom an account has applications.
async fn pending(client: &mut Client) -> Vec<String> {
    let body = json!({"From_Account": client.user, "PendencyType": "Pendency_Type_Both", "StartTime": 0,
        "MaxLimited": 100, "LastSequence": 0});
    let answer = client.call("sns.pendency_get", body).await.ok();
    let names = answer.list("PendencyItem").iter().filter_map(|item| item["To_Account"].as_str());
    names.map(str::to_owned).collect()
}

fn has(friend: &Value, remark: &str, groups: &Value) {
    assert_eq!((&friend[REMARK], &friend[GROUP]), (&json!(remark), groups), "{friend}");
}

#[tokio::test(start_paused = true)]
async fn who_has_no_room_for_a_list_cannot_agree_and_both_sides_keep_the_request() {
    let world = asking().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let names: Vec<String> = (0..32).map(|number| format!("list{number}")).collect();
    world.rest("sns/group_add", json!({"From_Account": "bob", "GroupName": names})).await.ok();
    assert_eq!(add(&world, "alice", "bob", "Both", "", "").await, 30539);
    for client in [&mut alice, &mut bob] {
        client.forget().await;
    }
    let answer = respond(&mut bob, "alice", "AgreeAndAdd", "one more").await;
    assert_eq!(codes(&answer), [30011]);
    assert_eq!(
        (pending(&mut alice).await, pending(&mut bob).await),
        (vec!["bob".to_owned()], vec!["alice".to_owned()])
    );
    alice.hears_nothing().await;
    assert!(friends(&world, "alice").await.is_empty() && friends(&world, "bob").await.is_empty());
    assert_eq!(codes(&respond(&mut bob, "alice", "AgreeAndAdd", "list7").await), [0]);
    has(&friends(&world, "bob").await["alice"], "mine", &json!(["list7"]));
}

#[tokio::test(start_paused = true)]
async fn nobody_agrees_across_a_block_but_may_reject() {
    for (owner, other, code) in [("bob", "alice", 30515), ("alice", "bob", 30525)] {
        let world = asking().await;
        let mut bob = world.login("bob").await;
        assert_eq!(add(&world, "alice", "bob", "Both", "", "").await, 30539);
        world.block(owner, other).await;
        for action in ["Agree", "AgreeAndAdd"] {
            assert_eq!(codes(&respond(&mut bob, "alice", action, "").await), [code], "{owner} {action}");
        }
        assert_eq!(pending(&mut bob).await, ["alice"]);
        assert!(friends(&world, "alice").await.is_empty() && friends(&world, "bob").await.is_empty());
        assert_eq!(codes(&respond(&mut bob, "alice", "Reject", "").await), [0]);
        assert!(pending(&mut bob).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn who_adds_an_applicant_on_one_side_agrees_with_it_all_the_same() {
    let world = asking().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    assert_eq!(add(&world, "alice", "bob", "Both", "as I call you", "Sailors").await, 30539);
    for client in [&mut alice, &mut bob] {
        client.forget().await;
    }
    assert_eq!(add(&world, "bob", "alice", "Single", "mine", "Work").await, 0);
    for (client, peer) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        let entries = heard(client).await;
        told(&entries, &json!({"PushType": 1, "FriendAdd_Account": [peer]}));
        told(&entries, &json!({"PushType": 4, "FrienPencydDel_Account": [peer]}));
        assert!(pending(client).await.is_empty());
    }
    has(&friends(&world, "alice").await["bob"], "as I call you", &json!(["Sailors"]));
    has(&friends(&world, "bob").await["alice"], "mine", &json!(["Work"]));
}

#[tokio::test(start_paused = true)]
async fn who_adds_an_applicant_that_has_no_room_is_refused_and_the_request_waits_on() {
    let world = asking().await;
    world.set("friends_max", "1").await;
    assert_eq!(add(&world, "alice", "bob", "Both", "", "").await, 30539);
    befriend(&world, "alice", "carol").await;
    assert_eq!(add(&world, "bob", "alice", "Single", "", "").await, 30014);
    let mut bob = world.login("bob").await;
    assert_eq!(pending(&mut bob).await, ["alice"]);
    assert!(friends(&world, "bob").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_friend_of_one_side_gets_the_remark_and_the_list_that_come_with_adding_it_again() {
    let world = world().await;
    assert_eq!(add(&world, "alice", "bob", "Single", "former", "Sailors").await, 0);
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    assert_eq!(add(&world, "alice", "bob", "Both", "new", "Work").await, 0);
    let fields = json!([{"BytesTag": REMARK, "BytesValue": "new"},
        {"BytesTag": GROUP, "RptBytesValue": ["Sailors", "Work"]}]);
    let entries = heard(&mut alice).await;
    told(&entries, &json!({"PushType": 6, "FriendUpInfo": [{"Friend_Account": "bob", "SNS": fields}]}));
    assert!(entries.iter().all(|entry| entry.get("FriendAdd_Account").is_none()), "{entries:?}");
    told(&heard(&mut bob).await, &json!({"PushType": 1, "FriendAdd_Account": ["alice"]}));
    has(&friends(&world, "alice").await["bob"], "new", &json!(["Sailors", "Work"]));
    // Nothing given changes nothing.
    world.rest("sns/friend_delete_all", json!({"From_Account": "bob"})).await.ok();
    alice.forget().await;
    assert_eq!(add(&world, "alice", "bob", "Both", "", "").await, 0);
    alice.hears_nothing().await;
    has(&friends(&world, "alice").await["bob"], "new", &json!(["Sailors", "Work"]));
}

#[tokio::test(start_paused = true)]
async fn an_addressee_that_lists_the_applicant_already_changes_its_remark_and_list_by_agreeing() {
    for action in ["Agree", "AgreeAndAdd"] {
        let world = asking().await;
        world.befriend("bob", "alice").await;
        assert_eq!(add(&world, "alice", "bob", "Both", "as I call you", "Sailors").await, 30539, "{action}");
        let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
        assert_eq!(codes(&respond(&mut bob, "alice", action, "Work").await), [0], "{action}");
        let fields = json!([{"BytesTag": REMARK, "BytesValue": "mine"}, {"BytesTag": GROUP, "RptBytesValue": ["Work"]}]);
        let entries = heard(&mut bob).await;
        told(&entries, &json!({"PushType": 6, "FriendUpInfo": [{"Friend_Account": "alice", "SNS": fields}]}));
        told(&heard(&mut alice).await, &json!({"PushType": 1, "FriendAdd_Account": ["bob"]}));
        has(&friends(&world, "alice").await["bob"], "as I call you", &json!(["Sailors"]));
        has(&friends(&world, "bob").await["alice"], "mine", &json!(["Work"]));
    }
}
