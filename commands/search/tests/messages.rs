//! `message_search.query`: who finds which messages.

use serde_json::{Value, json};
use testkit::{Answer, Client, Options, World, text};

async fn world() -> World {
    let world = World::new(search::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

async fn ask(client: &mut Client, body: Value) -> Answer {
    client.call("message_search.query", body).await
}

/// The texts that are found of a conversation.
async fn texts(client: &mut Client, mut body: Value) -> Vec<String> {
    if body.get("PeerAccount").is_none() {
        body["PeerAccount"] = json!("bob");
    }
    let answer = ask(client, body).await.ok();
    let found = answer.list("ConversationMsgs").iter();
    let messages = found.flat_map(|found| found["MsgList"].as_array().cloned().unwrap_or_default());
    messages
        .map(|message| message["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap_or("").to_owned())
        .collect()
}

fn words(words: &[&str]) -> Value {
    json!({"KeywordList": words})
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_found_by_both_sides_at_once_and_looks_as_in_history() {
    let world = world().await;
    world.nick("alice", "Alice").await;
    let sent = world.send("alice", "bob", "明天去北京大学开会").await;
    for (user, peer) in [("alice", "bob"), ("bob", "alice")] {
        let mut client = world.login(user).await;
        let answer = ask(&mut client, words(&["北京"])).await.ok();
        assert_eq!((&answer["TotalCount"], &answer["Cursor"]), (&json!(1), &json!("")));
        assert!(!answer.has("Incomplete"));
        let found = &answer.list("ConversationMsgs")[0];
        assert_eq!(found["UserID"], peer);
        assert_eq!((&found["Count"], &found["LastMsgTime"]), (&json!(1), &json!(sent.time.0)));
        let message = &found["MsgList"][0];
        assert_eq!(message["MsgBody"], text("明天去北京大学开会"));
        for (field, value) in [
            ("From_Account", json!("alice")),
            ("To_Account", json!("bob")),
            ("MsgTimeStamp", json!(sent.time.0)),
            ("MsgRandom", json!(sent.key.random)),
            ("From_AccountNick", json!("Alice")),
            ("MsgFlagBits", json!(0)),
        ] {
            assert_eq!(message[field], value, "{field}");
        }
    }
    let mut carol = world.login("carol").await;
    let answer = ask(&mut carol, words(&["北京"])).await.ok();
    assert_eq!((&answer["TotalCount"], &answer["ConversationMsgs"]), (&json!(0), &json!([])));
}

#[tokio::test(start_paused = true)]
async fn keywords_senders_types_and_times_narrow_a_search() {
    let world = world().await;
    let mut client = world.login("alice").await;
    for (from, to, text) in [
        ("alice", "bob", "Red fox"),
        ("bob", "alice", "red WOLF"),
        ("alice", "bob", "東京タワー"),
        ("bob", "alice", "서울에서 만나요"),
    ] {
        world.send(from, to, text).await;
        world.advance_seconds(10).await;
    }
    let start = world.now().0 - 40;
    let bodies = [
        (words(&["red"]), vec!["red WOLF", "Red fox"]),
        (words(&["ＲＥＤ fox"]), vec!["Red fox"]),
        (words(&["fox", "타"]), vec!["Red fox"]),
        (words(&["タワー", "서울"]), vec!["서울에서 만나요", "東京タワー"]),
        (json!({"KeywordList": ["red", "wolf"], "MatchType": "and"}), vec!["red WOLF"]),
        (json!({"KeywordList": ["red", "wolf"], "MatchType": "or"}), vec!["red WOLF", "Red fox"]),
        (json!({"KeywordList": ["re"]}), vec![]),
        (json!({"KeywordList": ["!!"]}), vec![]),
        (json!({"KeywordList": ["red"], "SendUserIDList": ["alice"]}), vec!["Red fox"]),
        (json!({"SendUserIDList": ["bob", "carol"]}), vec!["서울에서 만나요", "red WOLF"]),
        (json!({"SendUserIDList": ["nobody"]}), vec![]),
        (json!({"MsgTypeList": ["TIMTextElem"], "Count": 1}), vec!["서울에서 만나요"]),
        (json!({"MsgTypeList": ["TIMImageElem", "TIMGroupTipElem"]}), vec![]),
        (json!({"KeywordList": ["red"], "StartTime": start + 10}), vec!["red WOLF"]),
        (json!({"KeywordList": ["red"], "EndTime": start + 9}), vec!["Red fox"]),
        (
            json!({"KeywordList": ["red"], "StartTime": start, "EndTime": start + 10}),
            vec!["red WOLF", "Red fox"],
        ),
        (json!({"KeywordList": ["red"], "PeerAccount": "carol"}), vec![]),
        (json!({"KeywordList": ["red"], "PeerAccount": "nobody"}), vec![]),
        (json!({"KeywordList": ["red"], "GroupID": "@TGS#1"}), vec![]),
    ];
    for round in ["waiting", "stored"] {
        for (body, expected) in &bodies {
            assert_eq!(texts(&mut client, body.clone()).await, *expected, "{round}: {body}");
        }
        world.engine().search.tidy_now().await.unwrap();
        assert_eq!(world.engine().search.status().waiting, usize::from(round == "never"));
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_conversation_each_is_counted_and_shows_its_latest_message() {
    let world = world().await;
    world.send("alice", "carol", "cat one").await;
    world.advance_seconds(1).await;
    world.send("bob", "alice", "cat two").await;
    world.advance_seconds(1).await;
    world.send("alice", "bob", "cat three").await;
    world.send("bob", "carol", "cat of others").await;
    let mut alice = world.login("alice").await;
    let answer = ask(&mut alice, words(&["cat"])).await.ok();
    assert_eq!(answer["TotalCount"], 2);
    let shown = |answer: &Answer| -> Vec<(Value, Value, Value)> {
        let found = answer.list("ConversationMsgs").iter();
        found
            .map(|one| (one["UserID"].clone(), one["Count"].clone(), one["MsgList"][0]["MsgBody"].clone()))
            .collect()
    };
    let (bob, carol) =
        ((json!("bob"), json!(2), text("cat three")), (json!("carol"), json!(1), text("cat one")));
    assert_eq!(shown(&answer), [bob.clone(), carol.clone()]);
    let first = ask(&mut alice, json!({"KeywordList": ["cat"], "Count": 1})).await.ok();
    assert_eq!((shown(&first), &first["TotalCount"]), (vec![bob], &json!(2)));
    let next = json!({"KeywordList": ["cat"], "Count": 1, "Cursor": first.text("Cursor")});
    let second = ask(&mut alice, next).await.ok();
    assert_eq!((shown(&second), second.text("Cursor")), (vec![carol], String::new()));
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_conversation_follow_each_other_without_gaps() {
    let world = world().await;
    for number in 0..25 {
        world.send("alice", "bob", &format!("page {number}")).await;
    }
    let mut alice = world.login("alice").await;
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let body = json!({"KeywordList": ["page"], "PeerAccount": "bob", "Count": 10, "Cursor": cursor});
        let answer = ask(&mut alice, body.clone()).await.ok();
        assert_eq!(answer["TotalCount"], 25);
        seen.extend(texts(&mut alice, body).await);
        pages += 1;
        cursor = answer.text("Cursor");
        if cursor.is_empty() {
            break;
        }
    }
    let expected: Vec<String> = (0..25).rev().map(|number| format!("page {number}")).collect();
    assert_eq!((pages, seen), (3, expected));
}

#[tokio::test(start_paused = true)]
async fn more_hits_than_are_counted_are_reached_by_pages_and_by_times() {
    let mut options = Options::of(search::commands);
    options.engine.search.considered_max = 20;
    let world = World::with(options).await;
    world.accounts(&["alice", "bob"]).await;
    for number in 0..55 {
        world.send("alice", "bob", "again").await;
        if number == 30 {
            world.engine().search.tidy_now().await.unwrap();
        }
    }
    let mut alice = world.login("alice").await;
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let body = json!({"KeywordList": ["again"], "PeerAccount": "bob", "Count": 7, "Cursor": cursor});
        let answer = ask(&mut alice, body).await.ok();
        assert_eq!(answer["TotalCount"], 20);
        seen += answer["ConversationMsgs"][0]["MsgList"].as_array().unwrap().len();
        cursor = answer.text("Cursor");
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 55);
}

#[tokio::test(start_paused = true)]
async fn what_one_does_not_see_in_history_is_not_found() {
    for is_stored in [false, true] {
        let world = world().await;
        let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
        let recalled = world.send("alice", "bob", "secret recalled").await;
        world.send("alice", "bob", "secret deleted").await;
        world.send("bob", "alice", "secret kept").await;
        if is_stored {
            world.engine().search.tidy_now().await.unwrap();
        }
        assert_eq!(texts(&mut alice, words(&["secret"])).await.len(), 3);
        world.recall("alice", "bob", &recalled).await;
        let app = world.settings(&world.app).await;
        let (from, to) = (world.account("alice").await, world.account("bob").await);
        let engine = world.engine();
        assert_eq!(texts(&mut alice, words(&["secret"])).await, ["secret kept", "secret deleted"]);
        let found = ask(&mut alice, words(&["deleted"])).await.ok();
        let message = &found["ConversationMsgs"][0]["MsgList"][0];
        let key = format!("{}_{}_{}", message["MsgSeq"], message["MsgRandom"], message["MsgTimeStamp"]);
        engine.delete_messages(&app, &from, &to, &[key.parse().unwrap()], None).await.unwrap();
        assert_eq!(texts(&mut alice, words(&["secret"])).await, ["secret kept"]);
        let of_bob = json!({"KeywordList": ["secret"], "PeerAccount": "alice"});
        assert_eq!(texts(&mut bob, of_bob.clone()).await, ["secret kept", "secret deleted"]);
        engine.clear(&app, &from, &to, true, false, None).await.unwrap();
        assert_eq!(texts(&mut alice, words(&["secret"])).await, Vec::<String>::new());
        assert_eq!(ask(&mut alice, words(&["secret"])).await.ok()["TotalCount"], 0);
        assert_eq!(texts(&mut bob, of_bob.clone()).await.len(), 2);
        // Days later nothing of it is there.
        world.advance_seconds(7 * 86_400).await;
        let mut bob = world.login("bob").await;
        assert_eq!(texts(&mut bob, of_bob).await, Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_blocked_sender_believes_to_have_sent_is_found_by_the_sender_alone() {
    let world = world().await;
    world.send("alice", "bob", "hello before").await;
    let app = world.settings(&world.app).await;
    let mut outgoing = world.outgoing("alice", "bob", "hello into the void").await;
    outgoing.flags.sender_only = true;
    world.engine().send(&app, outgoing).await.unwrap();
    let (mut alice, mut bob) = (world.login("alice").await, world.login("bob").await);
    assert_eq!(texts(&mut alice, words(&["hello"])).await, ["hello into the void", "hello before"]);
    let body = json!({"KeywordList": ["hello"], "PeerAccount": "alice"});
    assert_eq!(texts(&mut bob, body).await, ["hello before"]);
}

#[tokio::test(start_paused = true)]
async fn conversations_with_who_is_gone_are_not_found() {
    let world = world().await;
    world.send("alice", "bob", "mine to bob").await;
    world.send("bob", "alice", "his to me").await;
    world.send("alice", "carol", "mine to carol").await;
    let mut alice = world.login("alice").await;
    world.delete_account("bob").await;
    let answer = ask(&mut alice, words(&["mine", "his"])).await.ok();
    let users: Vec<&Value> = answer.list("ConversationMsgs").iter().map(|one| &one["UserID"]).collect();
    assert_eq!((users, &answer["TotalCount"]), (vec![&json!("carol")], &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn bad_requests_are_refused_and_named() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let many = |text: &str, count: usize| json!(vec![text; count]);
    for (body, field) in [
        (json!({}), "KeywordList"),
        (json!({"KeywordList": []}), "KeywordList"),
        (json!({"KeywordList": many("a", 6)}), "KeywordList"),
        (json!({"KeywordList": [""]}), "KeywordList[0]"),
        (json!({"KeywordList": ["a", "x".repeat(201)]}), "KeywordList[1]"),
        (json!({"KeywordList": "a"}), "KeywordList"),
        (json!({"KeywordList": [1]}), "KeywordList"),
        (json!({"KeywordList": ["a"], "MatchType": "both"}), "MatchType"),
        (json!({"KeywordList": ["a"], "Count": 0}), "Count"),
        (json!({"KeywordList": ["a"], "Count": 101}), "Count"),
        (json!({"KeywordList": ["a"], "Cursor": "somewhere"}), "Cursor"),
        (json!({"KeywordList": ["a"], "MsgTypeList": ["TIMTextElem", "Text"]}), "MsgTypeList[1]"),
        (json!({"KeywordList": ["a"], "MsgTypeList": many("TIMTextElem", 21)}), "MsgTypeList"),
        (json!({"KeywordList": ["a"], "SendUserIDList": many("bob", 6)}), "SendUserIDList"),
        (json!({"KeywordList": ["a"], "StartTime": 10, "EndTime": 9}), "EndTime"),
        (json!({"KeywordList": ["a"], "StartTime": "now"}), "StartTime"),
        (json!({"KeywordList": ["a"], "PeerAccount": {"$ne": ""}}), "PeerAccount"),
    ] {
        ask(&mut alice, body).await.refused(90001, field);
    }
    let most = json!({"KeywordList": many("a", 5), "MsgTypeList": many("TIMTextElem", 20),
        "SendUserIDList": many("bob", 5), "Count": 100, "Cursor": ""});
    ask(&mut alice, most).await.ok();
    let answer = world.rest("message_search/query", words(&["a"])).await;
    assert_ne!(answer.code(), 0, "clients alone search");
}

#[tokio::test(start_paused = true)]
async fn an_app_without_cloud_search_keeps_no_index_and_gets_one_when_it_wants_it() {
    let world = world().await;
    world.send("alice", "bob", "hello there").await;
    world.engine().search.tidy_now().await.unwrap();
    assert_eq!(world.engine().search.status().indexes, 1);
    world.set("cloud_search", "false").await;
    let mut alice = world.login("alice").await;
    for command in
        ["message_search.query", "user_search.query", "group_search.query", "group_member_search.query"]
    {
        let body = json!({"KeywordList": ["hello"], "Keywords": ["hello"]});
        alice.call(command, body).await.refused(60020, "cloud_search");
    }
    world.advance_seconds(1).await;
    world.send("alice", "bob", "hello again").await;
    world.engine().search.tidy_now().await.unwrap();
    let status = world.engine().search.status();
    assert_eq!((status.indexes, status.waiting, world.blobs.len()), (0, 0, 0));
    world.set("cloud_search", "true").await;
    world.advance_seconds(1).await;
    assert_eq!(texts(&mut alice, words(&["hello"])).await, ["hello again", "hello there"]);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_stores_no_messages_has_nothing_to_be_found() {
    let world = world().await;
    world.keep(Some(0), None).await;
    let (mut alice, _bob) = (world.login("alice").await, world.login("bob").await);
    world.send("alice", "bob", "gone at once").await;
    assert_eq!(ask(&mut alice, words(&["gone"])).await.ok()["TotalCount"], 0);
    world.engine().search.tidy_now().await.unwrap();
    let status = world.engine().search.status();
    assert_eq!((status.indexes, status.waiting, world.blobs.len()), (0, 0, 0));
}
