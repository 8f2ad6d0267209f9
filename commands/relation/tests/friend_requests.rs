//! Requests that wait for an answer: `sns.pendency_get`, `_report` and `_delete`, and `sns.friend_response`.

mod friendship;

use friendship::{befriend, codes, friends, heard, told, world};
use serde_json::{Value, json};
use testkit::{Answer, Client, World};

/// A world whose accounts want to be asked.
async fn asking() -> World {
    let world = world().await;
    world.set("default_allow_type", "need_confirm").await;
    world
}

/// Lets one account ask another, over REST.
async fn ask(world: &World, from: &str, to: &str) -> i64 {
    let item = json!({"To_Account": to, "AddSource": "AddSource_Type_Test", "AddWording": "hello",
        "Remark": "as I call you", "GroupName": "Sailors"});
    let answer = world.rest("sns/friend_add", json!({"From_Account": from, "AddFriendItem": [item]})).await;
    codes(&answer.ok())[0]
}

async fn pending(client: &mut Client, kind: &str) -> Answer {
    let body = json!({"From_Account": client.user, "PendencyType": format!("Pendency_Type_{kind}"),
        "StartTime": 0, "MaxLimited": 100, "LastSequence": 0});
    client.call("sns.pendency_get", body).await.ok()
}

fn who(answer: &Answer) -> Vec<&str> {
    answer.list("PendencyItem").iter().filter_map(|item| item["To_Account"].as_str()).collect()
}

async fn respond(client: &mut Client, to: &str, action: &str) -> Answer {
    let item = json!({"To_Account": to, "ResponseAction": format!("Response_Action_{action}"), "Remark": "mine",
        "TagName": "Work"});
    let body = json!({"From_Account": client.user, "ResponseFriendItem": [item]});
    client.call("sns.friend_response", body).await.ok()
}

async fn delete(client: &mut Client, kind: &str, other: &str) -> Vec<i64> {
    let body = json!({"From_Account": client.user, "PendencyType": format!("Pendency_Type_{kind}"),
        "To_Account": [other]});
    codes(&client.call("sns.pendency_delete", body).await.ok())
}

#[tokio::test(start_paused = true)]
async fn both_sides_hear_of_a_request_and_list_it() {
    let world = asking().await;
    world.nick("alice", "Alice").await;
    world.nick("bob", "Bob").await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let (mut bob, mut other) = (world.login("bob").await, world.login("bob").await);
    let mut carol = world.login("carol").await;
    let now = world.now();
    let item = json!({"To_Account": "bob", "AddSource": "AddSource_Type_Test", "AddWording": "hello"});
    let body = json!({"From_Account": "alice", "AddFriendItem": [item]});
    assert_eq!(codes(&alice.call("sns.friend_add", body).await.ok()), [30539]);
    let entry = |account: &str, nick: &str| {
        let added = json!({"PendencyAdd_Account": account, "ProfileImNick": nick, "ProfileImImage": "",
            "AddTime": now, "AddSource": "AddSource_Type_Test", "AddWording": "hello"});
        json!({"PushType": 3, "From_Account": "alice", "PendencyAdd": [added]})
    };
    for client in [&mut bob, &mut other] {
        told(&heard(client).await, &entry("alice", "Alice"));
    }
    for client in [&mut alice, &mut second] {
        told(&heard(client).await, &entry("bob", "Bob"));
    }
    carol.hears_nothing().await;
    for (client, peer, nick, kind, unread) in
        [(&mut bob, "alice", "Alice", "ComeIn", 1), (&mut alice, "bob", "Bob", "SendOut", 0)]
    {
        for asked in ["Both", kind] {
            let answer = pending(client, asked).await;
            let item = json!({"To_Account": peer, "Nick": nick, "AddTime": now, "AddWording": "hello",
                "AddSource": "AddSource_Type_Test", "PendencyType": format!("Pendency_Type_{kind}")});
            told(answer.list("PendencyItem"), &item);
            assert_eq!(answer.list("PendencyItem").len(), 1);
            assert!(answer.has("CurrentSequence") && answer.has("StartTime"));
        }
        assert_eq!(pending(client, "Both").await["UnreadPendencyCount"], unread, "{peer}");
    }
    assert!(who(&pending(&mut bob, "SendOut").await).is_empty());
    assert!(who(&pending(&mut alice, "ComeIn").await).is_empty());
    assert!(friends(&world, "alice").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_agrees_and_adds_has_a_friend_and_is_one() {
    let world = asking().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut other = world.login("bob").await;
    assert_eq!(ask(&world, "alice", "bob").await, 30539);
    for client in [&mut alice, &mut bob, &mut other] {
        client.forget().await;
    }
    let answer = respond(&mut bob, "alice", "AgreeAndAdd").await;
    assert_eq!(answer["ResultItem"], json!([{"To_Account": "alice", "ResultCode": 0, "ResultInfo": ""}]));
    told(&heard(&mut alice).await, &json!({"PushType": 1, "FriendAdd_Account": ["bob"]}));
    for client in [&mut bob, &mut other] {
        told(&heard(client).await, &json!({"PushType": 1, "FriendAdd_Account": ["alice"]}));
    }
    for client in [&mut alice, &mut bob] {
        assert!(who(&pending(client, "Both").await).is_empty());
    }
    let (of_alice, of_bob) = (friends(&world, "alice").await, friends(&world, "bob").await);
    let expected = json!({"Tag_SNS_IM_Remark": "as I call you", "Tag_SNS_IM_Group": ["Sailors"]});
    told(&[of_alice["bob"].clone()], &expected);
    let expected = json!({"Tag_SNS_IM_Remark": "mine", "Tag_SNS_IM_Group": ["Work"]});
    told(&[of_bob["alice"].clone()], &expected);
    assert_eq!(codes(&respond(&mut bob, "alice", "AgreeAndAdd").await), [30614], "it is answered");
}

#[tokio::test(start_paused = true)]
async fn who_only_agrees_is_a_friend_and_has_none() {
    let world = asking().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    ask(&world, "alice", "bob").await;
    for client in [&mut alice, &mut bob] {
        client.forget().await;
    }
    assert_eq!(codes(&respond(&mut bob, "alice", "Agree").await), [0]);
    told(&heard(&mut alice).await, &json!({"PushType": 1, "FriendAdd_Account": ["bob"]}));
    let entries = heard(&mut bob).await;
    told(&entries, &json!({"PushType": 4, "FrienPencydDel_Account": ["alice"]}));
    assert!(entries.iter().all(|entry| entry.get("FriendAdd_Account").is_none()), "{entries:?}");
    assert_eq!(friends(&world, "alice").await.into_keys().collect::<Vec<_>>(), ["bob"]);
    assert!(friends(&world, "bob").await.is_empty());
    assert!(who(&pending(&mut bob, "Both").await).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rejected_request_is_gone_and_can_be_made_again() {
    let world = asking().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let mut other = world.login("bob").await;
    for _ in 0..2 {
        assert_eq!(ask(&world, "alice", "bob").await, 30539);
        for client in [&mut alice, &mut bob, &mut other] {
            client.forget().await;
        }
        assert_eq!(codes(&respond(&mut bob, "alice", "Reject").await), [0]);
        for (client, peer) in [(&mut bob, "alice"), (&mut other, "alice"), (&mut alice, "bob")] {
            told(&heard(client).await, &json!({"PushType": 4, "FrienPencydDel_Account": [peer]}));
            assert!(who(&pending(client, "Both").await).is_empty(), "{peer}");
        }
        assert!(friends(&world, "alice").await.is_empty());
        assert!(friends(&world, "bob").await.is_empty());
    }
    assert_eq!(codes(&respond(&mut bob, "alice", "Reject").await), [30614]);
}

#[tokio::test(start_paused = true)]
async fn only_what_was_asked_can_be_answered() {
    let world = asking().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    ask(&world, "alice", "bob").await;
    for action in ["Agree", "AgreeAndAdd", "Reject"] {
        assert_eq!(codes(&respond(&mut alice, "bob", action).await), [30614], "her own request");
        assert_eq!(codes(&respond(&mut bob, "carol", action).await), [30614], "{action}");
        let unknown = codes(&respond(&mut bob, "nobody", action).await);
        assert!([vec![30614], vec![30003]].contains(&unknown), "{action}: {unknown:?}");
    }
    assert!(friends(&world, "alice").await.is_empty(), "nobody answers his own request");
    let item = json!({"To_Account": "alice", "ResponseAction": "Response_Action_Agree"});
    let foreign = json!({"From_Account": "bob", "ResponseFriendItem": [item]});
    alice.call("sns.friend_response", foreign).await.refused(30003, "From_Account");
    assert!(friends(&world, "alice").await.is_empty());
    let item = json!({"To_Account": "alice", "ResponseAction": "Response_Action_Maybe"});
    let body = json!({"From_Account": "bob", "ResponseFriendItem": [item]});
    let answer = bob.call("sns.friend_response", body).await;
    assert!(answer.code() == 30001 || codes(&answer) == [30001], "{answer:?}");
    assert_eq!(who(&pending(&mut bob, "Both").await), ["alice"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_repeated_exists_once() {
    let world = asking().await;
    let mut bob = world.login("bob").await;
    for _ in 0..3 {
        assert_eq!(ask(&world, "alice", "bob").await, 30539);
        world.advance_seconds(10).await;
    }
    let answer = pending(&mut bob, "Both").await;
    assert_eq!((who(&answer), &answer["UnreadPendencyCount"]), (vec!["alice"], &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn only_a_request_that_says_something_new_is_told() {
    let world = asking().await;
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    let first = world.now();
    let request = |source: &str, wording: &str, remark: &str| {
        let item = json!({"To_Account": "bob", "AddSource": source, "AddWording": wording, "Remark": remark});
        json!({"From_Account": "alice", "AddFriendItem": [item]})
    };
    for (source, wording, remark, is_told) in [
        ("AddSource_Type_Web", "hello", "Bob", true),
        ("AddSource_Type_Web", "hello", "Bob", false),
        ("AddSource_Type_Web", "hello", "Bobby", false),
        ("AddSource_Type_Web", "please", "Bobby", true),
        ("AddSource_Type_App", "please", "Bobby", true),
        ("AddSource_Type_App", "please", "Bobby", false),
    ] {
        let answer = world.rest("sns/friend_add", request(source, wording, remark)).await;
        assert_eq!(codes(&answer.ok()), [30539]);
        for (client, other) in [(&mut alice, "bob"), (&mut bob, "alice")] {
            let entries = heard(client).await;
            assert_eq!(entries.len(), usize::from(is_told), "{source} {wording} {remark}: {entries:?}");
            let added = json!({"PendencyAdd_Account": other, "AddWording": wording, "AddSource": source});
            entries.iter().for_each(|entry| told(&entry["PendencyAdd"].as_array().unwrap().clone(), &added));
        }
        world.advance_seconds(10).await;
    }
    // The last one that was told stands there, with its time; what it asked for in silence holds.
    let listed = pending(&mut bob, "Both").await;
    assert_eq!(listed.list("PendencyItem")[0]["AddTime"], first.plus(40).0);
    // Who deleted it hears of it again.
    assert_eq!(delete(&mut bob, "ComeIn", "alice").await, [0]);
    bob.forget().await;
    let again = world.rest("sns/friend_add", request("AddSource_Type_App", "please", "Bobby")).await;
    assert_eq!((codes(&again.ok()), heard(&mut bob).await.len()), (vec![30539], 1));
    assert_eq!(codes(&respond(&mut bob, "alice", "AgreeAndAdd").await), [0]);
    assert_eq!(friends(&world, "alice").await["bob"]["Tag_SNS_IM_Remark"], "Bobby");
}

#[tokio::test(start_paused = true)]
async fn what_was_read_on_one_instance_is_read_on_the_others() {
    let world = asking().await;
    let (mut bob, mut other) = (world.login("bob").await, world.login("bob").await);
    ask(&world, "alice", "bob").await;
    world.advance_seconds(10).await;
    ask(&world, "carol", "bob").await;
    for client in [&mut bob, &mut other] {
        client.forget().await;
    }
    assert_eq!(pending(&mut bob, "Both").await["UnreadPendencyCount"], 2);
    let report = |time: u32| json!({"From_Account": "bob", "LatestPendencyTimeStamp": time});
    let now = world.now().0;
    bob.call("sns.pendency_report", report(now - 5)).await.ok();
    assert_eq!(pending(&mut bob, "Both").await["UnreadPendencyCount"], 1, "carol's came later");
    other.forget().await;
    bob.call("sns.pendency_report", report(now)).await.ok();
    told(&heard(&mut other).await, &json!({"PushType": 7, "ReportTime": now}));
    for client in [&mut bob, &mut other] {
        let answer = pending(client, "Both").await;
        assert_eq!((who(&answer).len(), &answer["UnreadPendencyCount"]), (2, &json!(0)));
    }
    world.account("dave").await;
    world.advance_seconds(10).await;
    ask(&world, "dave", "bob").await;
    assert_eq!(pending(&mut bob, "Both").await["UnreadPendencyCount"], 1);
    let foreign = json!({"From_Account": "alice", "LatestPendencyTimeStamp": now});
    bob.call("sns.pendency_report", foreign).await.refused(30003, "From_Account");
}

#[tokio::test(start_paused = true)]
async fn a_request_can_be_deleted_by_either_side_from_its_own_list() {
    let world = asking().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let (mut bob, mut other) = (world.login("bob").await, world.login("bob").await);
    ask(&world, "alice", "bob").await;
    assert_ne!(delete(&mut alice, "ComeIn", "bob").await, [0], "bob never asked");
    assert_eq!(who(&pending(&mut alice, "Both").await), ["bob"]);
    for client in [&mut alice, &mut second, &mut bob, &mut other] {
        client.forget().await;
    }
    assert_eq!(delete(&mut bob, "ComeIn", "alice").await, [0]);
    for client in [&mut bob, &mut other] {
        told(&heard(client).await, &json!({"PushType": 4, "FrienPencydDel_Account": ["alice"]}));
        assert!(who(&pending(client, "Both").await).is_empty());
    }
    assert_ne!(delete(&mut bob, "ComeIn", "alice").await, [0], "it is gone");
    assert_eq!(codes(&respond(&mut bob, "alice", "AgreeAndAdd").await), [30614]);
    ask(&world, "alice", "bob").await;
    assert_eq!(who(&pending(&mut bob, "ComeIn").await), ["alice"], "and can be made again");
    second.forget().await;
    assert_eq!(delete(&mut alice, "SendOut", "bob").await, [0]);
    told(&heard(&mut second).await, &json!({"PushType": 4, "FrienPencydDel_Account": ["bob"]}));
    assert!(who(&pending(&mut alice, "Both").await).is_empty());
    let body = json!({"From_Account": "alice", "PendencyType": "Pendency_Type_ComeIn", "To_Account": ["x"]});
    bob.call("sns.pendency_delete", body).await.refused(30003, "From_Account");
}

#[tokio::test(start_paused = true)]
async fn the_list_comes_in_pages() {
    let world = asking().await;
    let mut bob = world.login("bob").await;
    let peers: Vec<String> = (0..5).map(|number| format!("peer{number}")).collect();
    for peer in &peers {
        world.account(peer).await;
        ask(&world, peer, "bob").await;
        world.advance_seconds(10).await;
    }
    let (mut found, mut start, mut sizes) = (Vec::new(), json!(0), Vec::new());
    for _ in 0..10 {
        let body = json!({"From_Account": "bob", "PendencyType": "Pendency_Type_ComeIn", "StartTime": start,
            "MaxLimited": 2, "LastSequence": 0});
        let answer = bob.call("sns.pendency_get", body).await.ok();
        assert_eq!(answer["UnreadPendencyCount"], 5);
        sizes.push(answer.list("PendencyItem").len());
        found.extend(who(&answer).into_iter().map(str::to_owned));
        start = answer["StartTime"].clone();
        if start == 0 || answer.list("PendencyItem").is_empty() {
            break;
        }
    }
    assert!(sizes.iter().all(|size| *size <= 2), "{sizes:?}");
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, peers);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_requests_wait_for_an_account() {
    let world = asking().await;
    let mut bob = world.login("bob").await;
    for number in 0..101 {
        let peer = format!("peer{number:03}");
        world.account(&peer).await;
        let code = ask(&world, &peer, "bob").await;
        assert_eq!(code, if number < 100 { 30539 } else { 30012 }, "{number}");
    }
    assert_eq!(who(&pending(&mut bob, "ComeIn").await).len(), 100);
    assert_eq!(codes(&respond(&mut bob, "peer000", "Reject").await), [0]);
    assert_eq!(ask(&world, "peer100", "bob").await, 30539, "there is room again");
}

#[tokio::test(start_paused = true)]
async fn who_has_no_room_for_a_friend_cannot_agree_and_the_request_waits_on() {
    let world = asking().await;
    world.set("friends_max", "1").await;
    world.accounts(&["dave", "erin"]).await;
    let mut bob = world.login("bob").await;
    ask(&world, "alice", "bob").await;
    ask(&world, "erin", "bob").await;
    befriend(&world, "alice", "carol").await;
    assert_eq!(codes(&respond(&mut bob, "alice", "AgreeAndAdd").await), [30014]);
    befriend(&world, "bob", "dave").await;
    assert_eq!(codes(&respond(&mut bob, "erin", "AgreeAndAdd").await), [30010]);
    let mut waiting: Vec<String> =
        who(&pending(&mut bob, "Both").await).into_iter().map(str::to_owned).collect();
    waiting.sort_unstable();
    assert_eq!(waiting, ["alice", "erin"]);
    assert_eq!(friends(&world, "bob").await.into_keys().collect::<Vec<_>>(), ["dave"]);
}

#[tokio::test(start_paused = true)]
async fn requests_survive_a_crash_and_end_with_their_account() {
    let mut world = asking().await;
    ask(&world, "alice", "bob").await;
    ask(&world, "bob", "carol").await;
    world.crash().await;
    let mut bob = world.login("bob").await;
    assert_eq!(who(&pending(&mut bob, "ComeIn").await), ["alice"]);
    assert_eq!(who(&pending(&mut bob, "SendOut").await), ["carol"]);
    for gone in ["alice", "carol"] {
        world.delete_account(gone).await;
        world.account(gone).await;
    }
    let answer = pending(&mut bob, "Both").await;
    assert_eq!((who(&answer).len(), &answer["UnreadPendencyCount"]), (0, &json!(0)));
    assert_eq!(codes(&respond(&mut bob, "alice", "AgreeAndAdd").await), [30614]);
}

#[tokio::test(start_paused = true)]
async fn requests_are_checked_and_errors_name_their_field() {
    let world = asking().await;
    let mut bob = world.login("bob").await;
    let get = |kind: &str, most: Value| json!({"From_Account": "bob", "PendencyType": kind, "StartTime": 0, "MaxLimited": most, "LastSequence": 0});
    for (command, body, code, field) in [
        ("sns.pendency_get", get("Pendency_Type_None", json!(10)), 30001, "PendencyType"),
        (
            "sns.pendency_delete",
            json!({"From_Account": "bob", "PendencyType": "x", "To_Account": ["alice"]}),
            30001,
            "PendencyType",
        ),
        (
            "sns.friend_response",
            json!({"From_Account": "bob", "ResponseFriendItem": []}),
            30001,
            "ResponseFriendItem",
        ),
        ("sns.pendency_report", json!({"From_Account": "bob"}), 30001, "LatestPendencyTimeStamp"),
        (
            "sns.pendency_get",
            json!({"From_Account": "alice", "PendencyType": "Pendency_Type_Both", "StartTime": 0, "MaxLimited": 10, "LastSequence": 0}),
            30003,
            "From_Account",
        ),
    ] {
        bob.call(command, body).await.refused(code, field);
    }
}
