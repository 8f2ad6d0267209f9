//! Block lists: `sns/black_list_add`, `_delete`, `_get` and `_check`.

use serde_json::{Value, json};
use testkit::{Client, World};

async fn world() -> World {
    let world = World::new(relation::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

fn names(owner: &str, others: &Value) -> Value {
    json!({"From_Account": owner, "To_Account": others})
}

async fn listed(client: &mut Client) -> Vec<String> {
    let body = json!({"From_Account": client.user, "StartIndex": 0, "MaxLimited": 1000});
    let answer = client.call("sns.black_list_get", body).await.ok();
    assert_eq!(answer["StartIndex"], 0, "anything else and the client asks for ever");
    let entries = answer.list("BlackListItem").iter();
    entries.filter_map(|entry| entry["To_Account"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_caller_hears_of_its_list_before_the_answer_and_the_other_instances_too() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    for (command, field) in
        [("sns.black_list_add", "BlackListAdd_Account"), ("sns.black_list_delete", "BlackListDel_Account")]
    {
        let answer = alice.call(command, names("alice", &json!(["bob", "carol"]))).await.ok();
        let codes: Vec<&Value> = answer.list("ResultItem").iter().map(|item| &item["ResultCode"]).collect();
        assert_eq!(codes, [0, 0]);
        assert!(!answer.has("Fail_Account"));
        // It came before the answer, or it would not be here yet.
        let before = alice.waiting();
        assert_eq!(before.len(), 1, "once");
        for push in [&before[0], &second.pushed().await] {
            assert_eq!(push.event(), 7);
            assert_eq!(push.item("FriendListMod")[0][field], json!(["bob", "carol"]));
        }
    }
    for client in [&mut alice, &mut second, &mut bob] {
        client.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn entries_are_added_and_removed_one_by_one() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let others = json!(["bob", "nobody", "bob", "alice", ""]);
    let answer = alice.call("sns.black_list_add", names("alice", &others)).await.ok();
    let codes: Vec<&Value> = answer.list("ResultItem").iter().map(|item| &item["ResultCode"]).collect();
    assert_eq!(codes, [0, 30003, 30001, 30001, 30003]);
    assert_eq!(answer["Fail_Account"], json!(["nobody", "bob", "alice", ""]));
    assert_eq!(alice.waiting()[0].item("FriendListMod")[0]["BlackListAdd_Account"], json!(["bob"]));
    let again = alice.call("sns.black_list_add", names("alice", &json!(["bob"]))).await.ok();
    assert_eq!(again.list("ResultItem")[0]["ResultCode"], 30001);
    assert_eq!(listed(&mut alice).await, ["bob"]);
    let answer = alice.call("sns.black_list_delete", names("alice", &json!(["carol", "bob"]))).await.ok();
    let codes: Vec<&Value> = answer.list("ResultItem").iter().map(|item| &item["ResultCode"]).collect();
    assert_eq!(codes, [30001, 0]);
    assert!(listed(&mut alice).await.is_empty());
    alice.forget().await;
    alice.call("sns.black_list_delete", names("alice", &json!(["bob"]))).await.ok();
    alice.hears_nothing().await;
}

/// A name given twice in one call is one entry; the second is not listed any more when it is looked at.
#[tokio::test(start_paused = true)]
async fn an_entry_is_removed_once() {
    let world = world().await;
    world.block("alice", "bob").await;
    let twice = names("alice", &json!(["bob", "bob"]));
    let answer = world.rest("sns/black_list_delete", twice).await.ok();
    let codes: Vec<&Value> = answer.list("ResultItem").iter().map(|item| &item["ResultCode"]).collect();
    assert_eq!(codes, [0, 30001]);
}

#[tokio::test(start_paused = true)]
async fn a_back_end_keeps_any_list_and_the_account_follows() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    world.rest("sns/black_list_add", names("alice", &json!(["bob"]))).await.ok();
    let push = alice.pushed().await;
    assert_eq!(push.item("FriendListMod")[0]["BlackListAdd_Account"], json!(["bob"]));
    let body = json!({"From_Account": "alice", "StartIndex": 0, "MaxLimited": 10, "LastSequence": 0});
    let answer = world.rest("sns/black_list_get", body).await.ok();
    let expected = json!([{"To_Account": "bob", "AddBlackTimeStamp": world.now()}]);
    assert_eq!(answer["BlackListItem"], expected);
    for name in ["CurruentSequence", "CurrentSequence", "ErrorDisplay"] {
        assert!(answer.has(name), "{name}");
    }
    world.rest("sns/black_list_delete", names("alice", &json!(["bob"]))).await.ok();
    assert_eq!(alice.pushed().await.item("FriendListMod")[0]["BlackListDel_Account"], json!(["bob"]));
}

#[tokio::test(start_paused = true)]
async fn the_list_comes_in_pages() {
    let world = world().await;
    let peers: Vec<String> = (0..25).map(|number| format!("peer{number:02}")).collect();
    for peer in &peers {
        world.account(peer).await;
    }
    world.rest("sns/black_list_add", names("alice", &json!(peers))).await.ok();
    let (mut start, mut found) = (json!(0), Vec::new());
    loop {
        let body = json!({"From_Account": "alice", "StartIndex": start, "MaxLimited": 10});
        let answer = world.rest("sns/black_list_get", body).await.ok();
        let entries = answer.list("BlackListItem").iter();
        found.extend(entries.filter_map(|entry| entry["To_Account"].as_str().map(str::to_owned)));
        start = answer["StartIndex"].clone();
        if start == 0 {
            break;
        }
    }
    assert_eq!(found, peers);
}

#[tokio::test(start_paused = true)]
async fn who_blocks_whom_is_told_in_one_or_both_directions() {
    let world = world().await;
    world.block("alice", "bob").await;
    world.block("carol", "alice").await;
    let ask = |owner: &str, other: &str, kind: &str| json!({"From_Account": owner, "To_Account": [other], "CheckType": format!("BlackCheckResult_Type_{kind}")});
    for (owner, other, kind, relation) in [
        ("alice", "bob", "Single", "AWithB"),
        ("alice", "bob", "Both", "AWithB"),
        ("bob", "alice", "Single", "NO"),
        ("bob", "alice", "Both", "BWithA"),
        ("alice", "carol", "Both", "BWithA"),
        ("bob", "carol", "Both", "NO"),
    ] {
        let answer = world.rest("sns/black_list_check", ask(owner, other, kind)).await.ok();
        let found = &answer.list("BlackListCheckItem")[0]["Relation"];
        assert_eq!(*found, format!("BlackCheckResult_Type_{relation}"), "{owner} {other} {kind}");
    }
    world.block("bob", "alice").await;
    let answer = world.rest("sns/black_list_check", ask("alice", "bob", "Both")).await.ok();
    assert_eq!(answer.list("BlackListCheckItem")[0]["Relation"], "BlackCheckResult_Type_BothWay");
    let answer = world.rest("sns/black_list_check", ask("alice", "nobody", "Both")).await.ok();
    assert_eq!(answer.list("BlackListCheckItem")[0]["ResultCode"], 30003);
    assert_eq!(answer["Fail_Account"], json!(["nobody"]));
}

#[tokio::test(start_paused = true)]
async fn a_list_belongs_to_its_account() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    for command in ["sns.black_list_add", "sns.black_list_delete", "sns.black_list_get"] {
        let body =
            json!({"From_Account": "alice", "To_Account": ["carol"], "StartIndex": 0, "MaxLimited": 10});
        bob.call(command, body).await.refused(30003, "From_Account");
    }
    let body =
        json!({"From_Account": "bob", "To_Account": ["carol"], "CheckType": "BlackCheckResult_Type_Both"});
    bob.call("sns.black_list_check", body).await.refused(30004, "");
    bob.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn requests_are_bounded_and_errors_name_their_field() {
    let world = world().await;
    let many = json!(vec!["bob"; 1001]);
    for (command, body, code, field) in [
        ("sns/black_list_add", names("alice", &many), 30001, "To_Account"),
        ("sns/black_list_add", names("alice", &json!([])), 30001, "To_Account"),
        ("sns/black_list_add", names("nobody", &json!(["bob"])), 30003, "From_Account"),
        ("sns/black_list_add", json!({"To_Account": ["bob"]}), 30001, "From_Account"),
        ("sns/black_list_delete", names("alice", &many), 30001, "To_Account"),
        ("sns/black_list_delete", names("nobody", &json!(["bob"])), 30003, "From_Account"),
        ("sns/black_list_get", json!({"From_Account": "nobody", "MaxLimited": 1}), 30003, "From_Account"),
        ("sns/black_list_get", json!({"From_Account": "alice"}), 30001, "MaxLimited"),
        ("sns/black_list_check", names("alice", &json!(["bob"])), 30001, "CheckType"),
        (
            "sns/black_list_check",
            json!({"From_Account": "alice", "To_Account": ["bob"], "CheckType": "x"}),
            30001,
            "CheckType",
        ),
    ] {
        let answer = world.rest(command, body).await.refused(code, field);
        assert_eq!(answer["ErrorDisplay"], "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_has_a_thousand_entries() {
    let world = world().await;
    let peers: Vec<String> = (0..1001).map(|number| format!("peer{number:04}")).collect();
    for peer in &peers {
        world.account(peer).await;
    }
    world.rest("sns/black_list_add", names("alice", &json!(peers[..999]))).await.ok();
    let answer = world.rest("sns/black_list_add", names("alice", &json!(peers[999..]))).await.ok();
    let codes: Vec<&Value> = answer.list("ResultItem").iter().map(|item| &item["ResultCode"]).collect();
    assert_eq!(codes, [0, 30013]);
    world.rest("sns/black_list_delete", names("alice", &json!(peers[..1]))).await.ok();
    let answer = world.rest("sns/black_list_add", names("alice", &json!(peers[1000..]))).await.ok();
    assert_eq!(answer.list("ResultItem")[0]["ResultCode"], 0);
}
