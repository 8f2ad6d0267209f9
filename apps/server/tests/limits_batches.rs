//! Batches and lists: the documented length passes, one more does not.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests of the built program start it, talk to it and end by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::{World, code};

/// Names of which none need exist.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("user{number}")).collect()
}

fn items(count: usize) -> Vec<Value> {
    names(count).iter().map(|name| json!({ "UserID": name })).collect()
}

fn contacts(names: &[String]) -> Vec<Value> {
    names.iter().map(|name| json!({"Type": 1, "To_Account": name})).collect()
}

#[tokio::test]
async fn batches_over_rest_end_at_the_documented_length() {
    let world = World::start().await;
    world.accounts(&["alice"]).await;
    let text = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "to many"}}]);
    type Body = Box<dyn Fn(usize) -> Value>;
    let batch = text.clone();
    let batches: Vec<(&str, usize, i64, Body)> = vec![
        ("im_open_login_svc/multiaccount_import", 100, 70_206, Box::new(|n| json!({ "Accounts": names(n) }))),
        (
            "im_open_login_svc/multiaccount_import",
            100,
            70_206,
            Box::new(|n| json!({ "AccountList": items(n) })),
        ),
        ("im_open_login_svc/account_check", 100, 70_206, Box::new(|n| json!({ "CheckItem": items(n) }))),
        ("im_open_login_svc/account_delete", 100, 70_206, Box::new(|n| json!({ "DeleteItem": items(n) }))),
        ("openim/query_online_status", 500, 90_018, Box::new(|n| json!({ "To_Account": names(n) }))),
        (
            "openim/batchsendmsg",
            500,
            90_011,
            Box::new(
                move |n| json!({"From_Account": "alice", "To_Account": names(n), "MsgRandom": 1, "MsgBody": batch}),
            ),
        ),
        (
            "openim/get_c2c_unread_msg_num",
            10,
            90_018,
            Box::new(|n| json!({"To_Account": "alice", "Peer_Account": names(n)})),
        ),
        (
            "profile/portrait_get",
            100,
            40_001,
            Box::new(|n| json!({"To_Account": names(n), "TagList": ["Tag_Profile_IM_Nick"]})),
        ),
        (
            "profile/portrait_get",
            100,
            40_001,
            Box::new(|n| json!({"To_Account": ["alice"], "TagList": vec!["Tag_Profile_IM_Nick"; n]})),
        ),
        (
            "openim/delete_c2c_msg_ramble",
            30,
            90_054,
            Box::new(
                |n| json!({"Operator_Account": "alice", "Peer_Account": "user400", "MsgKeyList": vec!["1_2_3"; n]}),
            ),
        ),
    ];
    world.numbered_accounts(500).await;
    for (command, most, number, body) in batches {
        let answer = world.rest(command, &body(most)).await;
        assert_eq!(code(&answer), 0, "{command} with {most}: {answer}");
        let answer = world.rest(command, &body(most + 1)).await;
        assert_eq!(code(&answer), number, "{command} with {}: {answer}", most + 1);
    }
}

#[tokio::test]
async fn batches_over_the_socket_end_at_the_documented_length() {
    let world = World::start().await;
    let users = world.numbered_accounts(501).await;
    let mut alice = world.log_in("alice").await;
    let accounts = |count: usize| json!({ "To_Account": users[..count] });
    let marks = |count: usize| {
        let item = |contact: Value| json!({"OptType": 1, "ContactItem": contact, "SetMark": [0]});
        let marks: Vec<Value> = contacts(&users[..count]).into_iter().map(item).collect();
        json!({"From_Account": "alice", "MarkItem": marks})
    };
    let deletes = |count: usize| json!({"From_Account": "alice", "ContactItem": contacts(&users[..count]), "ClearRamble": 1});
    let keys = |count: usize| json!({"From_Account": "alice", "To_Account": "user1", "MsgKeyList": vec!["1_2_3"; count]});
    let mutes = |count: usize| json!({"Peer_Account": users[..count], "Mute_Notifications": 1});
    for (command, good, bad, number) in [
        ("im_open_status.ws_get_user_status", accounts(500), accounts(501), 70_402),
        ("im_open_status.ws_status_subscribe", accounts(100), accounts(101), 70_402),
        ("openim.get_peer_read_time", accounts(100), accounts(101), 90_018),
        ("openim.set_c2c_peer_mute_notifications", mutes(30), mutes(31), 90_018),
        ("openim.delete_c2c_msg_ramble", keys(30), keys(31), 90_054),
        ("recentcontact.mark_contact", marks(100), marks(101), 51_006),
        ("recentcontact.batch_delete", deletes(100), deletes(101), 51_006),
    ] {
        let answer = alice.request(command, &good).await;
        assert_eq!(code(&answer), 0, "{command}: {answer}");
        let answer = alice.request(command, &bad).await;
        assert_eq!(code(&answer), number, "{command}: {answer}");
    }
}

#[tokio::test]
async fn an_account_watches_at_most_200_others() {
    let world = World::start().await;
    let users = world.numbered_accounts(201).await;
    let mut alice = world.log_in("alice").await;
    let command = "im_open_status.ws_status_subscribe";
    for part in [&users[..100], &users[100..200], &users[..100]] {
        let answer = alice.request(command, &json!({ "To_Account": part })).await;
        assert_eq!(code(&answer), 0, "{answer}");
    }
    let one_more = json!({ "To_Account": users[200..] });
    let answer = alice.request(command, &one_more).await;
    assert_eq!(code(&answer), 90_018, "{answer}");
    let fewer = json!({ "To_Account": users[..1] });
    let answer = alice.request("im_open_status.ws_status_unsubscribe", &fewer).await;
    assert_eq!(code(&answer), 0, "{answer}");
    assert_eq!(code(&alice.request(command, &one_more).await), 0);
}

#[tokio::test]
async fn a_block_list_has_at_most_1000_entries() {
    let world = World::start().await;
    let users = world.numbered_accounts(1001).await;
    world.accounts(&["alice"]).await;
    let block = |others: &[String]| json!({"From_Account": "alice", "To_Account": others});
    let answer = world.rest("sns/black_list_add", &block(&users)).await;
    assert_eq!(code(&answer), 30_001, "{answer}");
    let answer = world.rest("sns/black_list_add", &block(&users[..1000])).await;
    assert_eq!(code(&answer), 0);
    assert!(answer.get("Fail_Account").is_none(), "{}", answer["Fail_Account"]);
    let answer = world.rest("sns/black_list_add", &block(&users[1000..])).await;
    assert_eq!(answer["ResultItem"][0]["ResultCode"], 30_013, "{answer}");
    assert_eq!(answer["Fail_Account"], json!(["user1000"]));
    let list = json!({"From_Account": "alice", "StartIndex": 0, "MaxLimited": 1_000_000, "LastSequence": 0});
    let page = world.rest("sns/black_list_get", &list).await;
    assert_eq!(page["BlackListItem"].as_array().expect("a list").len(), 1000);
    let answer = world.rest("sns/black_list_delete", &block(&users[..1])).await;
    assert_eq!(code(&answer), 0, "{answer}");
    let answer = world.rest("sns/black_list_add", &block(&users[1000..])).await;
    assert_eq!(answer["ResultItem"][0]["ResultCode"], 0, "{answer}");
}

#[tokio::test]
async fn an_account_pins_at_most_50_conversations() {
    let world = World::start().await;
    let users = world.numbered_accounts(101).await;
    let mut alice = world.log_in("alice").await;
    let pin = |operation: u32, some: &[String]| json!({"From_Account": "alice", "OperationType": operation, "RecentContactItem": contacts(some)});
    assert_eq!(code(&alice.request("recentcontact.top", &pin(1, &users[..50])).await), 0);
    let answer = alice.request("recentcontact.top", &pin(1, &users[50..51])).await;
    assert_eq!(code(&answer), 51_012, "{answer}");
    assert_eq!(code(&alice.request("recentcontact.top", &pin(1, &users[..50])).await), 0, "the same ones");
    let answer = alice.request("recentcontact.top", &pin(1, &users)).await;
    assert_eq!(code(&answer), 51_006, "{answer}");
    assert_eq!(code(&alice.request("recentcontact.top", &pin(2, &users[..1])).await), 0);
    assert_eq!(code(&alice.request("recentcontact.top", &pin(1, &users[50..51])).await), 0);
}

#[tokio::test]
async fn pinning_beyond_50_in_one_call_pins_none_of_them() {
    let world = World::start().await;
    let users = world.numbered_accounts(51).await;
    let mut alice = world.log_in("alice").await;
    let pin = json!({"From_Account": "alice", "OperationType": 1, "RecentContactItem": contacts(&users)});
    let answer = alice.request("recentcontact.top", &pin).await;
    assert_eq!(code(&answer), 51_012, "{answer}");
    let page = json!({
        "From_Account": "alice", "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0,
        "OrderType": 1, "MsgAssistFlags": 15, "AssistFlags": 31,
    });
    let list = alice.request("recentcontact.page_get", &page).await;
    let items = list["SessionItem"].as_array().expect("SessionItem");
    let pinned = items.iter().filter(|item| item["TopFlags"] == 1).count();
    assert_eq!(pinned, 0, "a call that was refused changes nothing");
}
