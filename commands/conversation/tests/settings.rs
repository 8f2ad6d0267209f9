//! What an account sets for its conversations: pins, marks, custom data, how messages are announced.

use engine::facts::{ContactFact, ContactSettings};
use model::AccountNumber;
use ports::records::{Range, RawRecord, Write};
use ports::{Record as _, Stamped, Transaction};
use serde_json::{Value, json};
use testkit::World;

async fn world() -> World {
    let world = World::new(conversation::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

fn contact(peer: &str) -> Value {
    json!({"Type": 1, "To_Account": peer})
}

fn pin(operation: u8, peers: &[&str]) -> Value {
    let contacts: Vec<Value> = peers.iter().map(|peer| contact(peer)).collect();
    json!({"OperationType": operation, "RecentContactItem": contacts})
}

fn mark(kind: u8, peer: &str, set: &Value, clear: &Value, custom: &str) -> Value {
    json!({"MarkItem": [{"OptType": kind, "ContactItem": contact(peer), "SetMark": set, "ClearMark": clear,
        "CustomMark": custom}]})
}

#[tokio::test(start_paused = true)]
async fn the_other_instances_follow_pins() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let mut bob = world.login("bob").await;
    for (operation, push_type) in [(1, 2), (2, 3)] {
        alice.call("recentcontact.top", pin(operation, &["bob", "carol"])).await.ok();
        let push = second.pushed().await;
        assert_eq!(push.event(), 102);
        let change = &push.item("RecentContactMod")[0];
        assert_eq!(change["PushType"], push_type);
        let expected = json!([{"Type": 1, "UserId": "bob", "Peer_Account": "bob"}, {"Type": 1, "UserId": "carol", "Peer_Account": "carol"}]);
        assert_eq!(change["RecentContactTopItem"]["RecentContactList"], expected);
    }
    alice.hears_nothing().await;
    bob.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn pins_have_limits_and_named_errors() {
    let world = world().await;
    let peers: Vec<String> = (0..101).map(|number| format!("peer{number}")).collect();
    let names: Vec<&str> = peers.iter().map(String::as_str).collect();
    world.accounts(&names).await;
    let mut alice = world.login("alice").await;
    for (body, code, field) in [
        (pin(1, &names), 51006, ""),
        (pin(1, &[]), 51006, ""),
        (pin(3, &["bob"]), 50002, "OperationType"),
        (pin(1, &["nobody"]), 50001, "To_Account"),
        (json!({"OperationType": 1, "RecentContactItem": [{"Type": 2, "GroupId": "g"}]}), 50002, "Type"),
        (json!({"OperationType": 1, "RecentContactItem": [{"Type": 1}]}), 50002, "To_Account"),
        (
            json!({"From_Account": "bob", "OperationType": 1, "RecentContactItem": [contact("carol")]}),
            50001,
            "From_Account",
        ),
    ] {
        alice.call("recentcontact.top", body).await.refused(code, field);
    }
    alice.call("recentcontact.top", pin(1, &names[..50])).await.ok();
    alice.call("recentcontact.top", pin(1, &names[..50])).await.ok();
    alice.call("recentcontact.top", pin(1, &["bob"])).await.refused(51012, "");
    alice.call("recentcontact.top", pin(2, &names[..1])).await.ok();
    alice.call("recentcontact.top", pin(1, &["bob"])).await.ok();
}

#[tokio::test(start_paused = true)]
async fn the_other_instances_follow_marks() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let steps = [
        (mark(1, "bob", &json!([0, 2]), &json!([]), ""), 1, "101", ""),
        (mark(1, "bob", &json!([1]), &json!([0]), ""), 1, "110", ""),
        (mark(2, "bob", &json!([]), &json!([]), "text"), 2, "110", "text"),
        (mark(3, "bob", &json!([]), &json!([1, 2]), "other"), 3, "000", "other"),
    ];
    for (body, kind, marks, custom) in steps {
        let answer = alice.call("recentcontact.mark_contact", body).await.ok();
        let result = &answer.list("ResultItem")[0];
        assert_eq!((&result["ResultCode"], &result["ContactItem"]), (&json!(0), &contact("bob")));
        let push = second.pushed().await;
        let change = &push.item("RecentContactMod")[0];
        assert_eq!(change["PushType"], 4);
        let item = &change["RecentContactMarkContact"]["RecentContactMarkContactItem"][0];
        let expected = json!({"OptType": kind, "RecentContactItem": {"Type": 1, "UserId": "bob", "Peer_Account": "bob"},
            "StandardMark": format!("{}{marks}", "0".repeat(61)), "CustomMark": custom});
        assert_eq!(item, &expected);
    }
    alice.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_item_does_not_fail_the_others() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let items = [
        (json!({"OptType": 1, "ContactItem": contact("nobody"), "SetMark": [0]}), 50001),
        (json!({"OptType": 1, "ContactItem": contact("bob"), "SetMark": [64]}), 50002),
        (json!({"OptType": 4, "ContactItem": contact("bob")}), 50002),
        (json!({"OptType": 2, "ContactItem": contact("bob"), "CustomMark": "x".repeat(257)}), 50002),
        (json!({"OptType": 2, "ContactItem": contact("bob"), "CustomMark": "x".repeat(256)}), 0),
        (json!({"OptType": 1, "ContactItem": contact("carol"), "SetMark": [63]}), 0),
    ];
    let list: Vec<&Value> = items.iter().map(|(item, _)| item).collect();
    let answer = alice.call("recentcontact.mark_contact", json!({ "MarkItem": list })).await.ok();
    let codes: Vec<&Value> = answer.list("ResultItem").iter().map(|item| &item["ResultCode"]).collect();
    let expected: Vec<i64> = items.iter().map(|(_, code)| *code).collect();
    assert_eq!(json!(codes), json!(expected));
    let none = json!({"MarkItem": []});
    alice.call("recentcontact.mark_contact", none).await.refused(51006, "");
    let foreign = json!({"From_Account": "bob", "MarkItem": [items[5].0]});
    alice.call("recentcontact.mark_contact", foreign).await.refused(50001, "From_Account");
}

#[tokio::test(start_paused = true)]
async fn marked_conversations_are_found_by_page_and_by_name() {
    let world = world().await;
    let peers: Vec<String> = (0..130).map(|number| format!("peer{number:03}")).collect();
    let mut alice = world.login("alice").await;
    for peer in &peers {
        world.account(peer).await;
        let body = mark(1, peer, &json!([5]), &json!([]), "");
        alice.call("recentcontact.mark_contact", body).await.ok();
    }
    let first = alice.call("recentcontact.get_contact_group", json!({"StartIndex": 0})).await.ok();
    assert_eq!((first["CompleteFlag"].clone(), first.list("ContactItem").len()), (json!(0), 100));
    let next = json!({"From_Account": "alice", "StartIndex": first["NextStartIndex"]});
    let second = alice.call("recentcontact.get_contact_group", next).await.ok();
    assert_eq!((second["CompleteFlag"].clone(), second.list("ContactItem").len()), (json!(1), 30));
    assert!(second.list("GroupItem").is_empty());
    assert_eq!(second["NextStartIndex"], 0);
    let item = &second.list("ContactItem")[0];
    assert_eq!((&item["ContactGroupId"], &item["Timestamp"]), (&json!([]), &json!(world.now())));
    let search = json!({"ContactItem": [contact("peer000"), contact("nobody"), contact("bob")]});
    let found = alice.call("recentcontact.search_contact_group", search).await.ok();
    let marks: Vec<(&Value, bool)> = found
        .list("ContactResultItem")
        .iter()
        .map(|item| (&item["To_Account"], item["StandardMark"] == "0".repeat(64)))
        .collect();
    assert_eq!(marks, [(&json!("peer000"), false), (&json!("bob"), true)]);
    let many = json!({"ContactItem": vec![contact("bob"); 301]});
    alice.call("recentcontact.search_contact_group", many).await.refused(51006, "ContactItem");
    for command in ["recentcontact.search_contact_group", "recentcontact.get_contact_group"] {
        let foreign = json!({"From_Account": "bob", "ContactItem": []});
        alice.call(command, foreign).await.refused(50001, "From_Account");
    }
    let mut bob = world.login("bob").await;
    let own = bob.call("recentcontact.get_contact_group", json!({"StartIndex": 0})).await.ok();
    assert!(own.list("ContactItem").is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_other_instances_follow_how_messages_are_announced() {
    let world = world().await;
    let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
    let set = |remind: u8, peers: Value| json!({"Peer_Account": peers, "Mute_Notifications": remind});
    let command = "openim.set_c2c_peer_mute_notifications";
    let answer = alice.call(command, set(2, json!(["bob", "nobody"]))).await.ok();
    assert_eq!(answer["ErrorList"], json!([{"Peer_Account": "nobody", "ErrorCode": 70107}]));
    let push = second.pushed().await;
    let expected = json!({"To_Account": "bob", "MuteNotifications": 2});
    assert_eq!(push.notice("MuteNotificationsSync"), &expected);
    second.hears_nothing().await;
    alice.hears_nothing().await;
    let get = json!({"To_Account": "alice", "Peer_Account": ["carol", "bob", "nobody"]});
    let answer = alice.call("openim.get_c2c_peer_mute_notifications", get).await.ok();
    let reminds: Vec<&Value> =
        answer.list("MuteNotificationsList").iter().map(|item| &item["MuteNotifications"]).collect();
    assert_eq!(reminds, [0, 2, 0]);
    // Who names nobody is told all that are not as usual.
    let answer = alice.call("openim.get_c2c_peer_mute_notifications", json!({"UpdateSeq": 0})).await.ok();
    let expected = json!([{"Peer_Account": "bob", "MuteNotifications": 2}]);
    assert_eq!((&answer["MuteNotificationsList"], &answer["UpdateSeq"]), (&expected, &json!(1)));
    alice.call(command, set(3, json!(["bob"]))).await.refused(90001, "Mute_Notifications");
    alice.call(command, set(0, json!(vec!["bob"; 31]))).await.refused(90018, "Peer_Account");
    let many = json!({"Peer_Account": vec!["bob"; 101]});
    alice.call("openim.get_c2c_peer_mute_notifications", many).await.refused(90018, "Peer_Account");
}

#[tokio::test(start_paused = true)]
async fn up_to_when_others_have_read_is_given_in_the_order_of_the_question() {
    let world = world().await;
    world.send("alice", "bob", "hello").await;
    world.advance_seconds(3).await;
    let second = world.send("alice", "bob", "hello").await;
    world.advance_seconds(3).await;
    world.read("bob", "alice").await;
    let mut alice = world.login("alice").await;
    let ask = json!({"To_Account": ["nobody", "bob", "carol"]});
    let answer = alice.call("openim.get_peer_read_time", ask).await.ok();
    assert_eq!(answer["ReadTime"], json!([0, second.time, 0]));
    let mut bob = world.login("bob").await;
    let answer = bob.call("openim.get_peer_read_time", json!({"To_Account": ["alice"]})).await.ok();
    assert_eq!(answer["ReadTime"], json!([0]), "the other's cursor, not the own");
    let many = json!({"To_Account": vec!["bob"; 101]});
    alice.call("openim.get_peer_read_time", many).await.refused(90018, "To_Account");
}

/// How many conversations of an account have settings.
async fn kept(world: &World, user: &str) -> usize {
    let prefix = world.account(user).await.number.0.to_be_bytes().to_vec();
    let range = Range { kind: ContactFact::KIND, index: None, prefix, after: None, limit: 20_000 };
    world.engine().context.records.scan(world.app.id, range).await.unwrap_or_default().len()
}

#[tokio::test(start_paused = true)]
async fn of_settings_that_are_taken_back_nothing_is_kept() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let remind = |kind: u8| json!({"Peer_Account": ["bob"], "Mute_Notifications": kind});
    let set = json!([3]);
    for (command, done, undone) in [
        ("recentcontact.top", pin(1, &["bob"]), pin(2, &["bob"])),
        ("openim.set_c2c_peer_mute_notifications", remind(2), remind(0)),
        (
            "recentcontact.mark_contact",
            mark(3, "bob", &set, &json!([]), "x"),
            mark(3, "bob", &json!([]), &set, ""),
        ),
    ] {
        alice.call(command, done).await.ok();
        assert_eq!(kept(&world, "alice").await, 1, "{command}");
        alice.call(command, undone).await.ok();
        assert_eq!(kept(&world, "alice").await, 0, "{command}");
    }
    world.contact_group("alice", "Work", &["bob", "carol"]).await;
    assert_eq!(kept(&world, "alice").await, 2);
    alice.call("recentcontact.del_contact_group", json!({"GroupName": ["Work"]})).await.ok();
    assert_eq!(kept(&world, "alice").await, 0);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_conversations_have_settings() {
    let world = world().await;
    let (mut alice, owner) = (world.login("alice").await, world.account("alice").await.number);
    let remind = |kind: u8| json!({"Peer_Account": ["bob"], "Mute_Notifications": kind});
    let command = "openim.set_c2c_peer_mute_notifications";
    alice.call(command, remind(2)).await.ok();
    let (records, prefix) = (&world.engine().context.records, owner.0.to_be_bytes().to_vec());
    let range = Range { kind: ContactFact::KIND, index: None, prefix, after: None, limit: 1 };
    let stamp = records.scan(world.app.id, range).await.unwrap()[0].stamp;
    alice.call(command, remind(0)).await.ok();
    let settings = ContactSettings { remind: 2, ..ContactSettings::default() };
    for chunk in 0..5 {
        let numbers = (chunk * 2000..(chunk + 1) * 2000).map(AccountNumber);
        let facts = numbers.map(|peer| ContactFact { owner, peer, settings: settings.clone() });
        let writes =
            facts.map(|fact| Write::Put(Stamped::new(stamp, RawRecord::of(&fact).unwrap()))).collect();
        let transaction = Transaction { conditions: Vec::new(), writes };
        records.apply(world.app.id, transaction).await.unwrap();
    }
    alice.call(command, remind(2)).await.refused(90018, "10000");
    alice.call(command, remind(0)).await.ok();
    world
        .rest(
            "recentcontact/top",
            json!({"From_Account": "alice", "OperationType": 1,
        "RecentContactItem": [contact("bob")]}),
        )
        .await;
    assert_eq!(kept(&world, "alice").await, 10_000);
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_how_messages_are_announced_to_another() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let command = "openim.get_c2c_peer_mute_notifications";
    let body = |owner: &str| json!({"To_Account": owner, "Peer_Account": ["carol"]});
    alice.call(command, body("alice")).await.ok();
    alice.call(command, body("bob")).await.refused(90012, "To_Account");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_fails_the_whole_call_as_an_internal_error_of_conversations() {
    let world = world().await;
    let item = json!({"OptType": 1, "ContactItem": contact("bob"), "SetMark": [3]});
    let of = |field: &str, value: Value| json!({"From_Account": "alice", field: value});
    let mut group =
        of("GroupContactItem", json!([{"GroupName": "Work", "ContactItem": [contact("nobody")]}]));
    group["UpdateType"] = json!(1);
    let calls = [
        ("recentcontact/mark_contact", of("MarkItem", json!([item]))),
        ("recentcontact/search_contact_group", of("ContactItem", json!([contact("nobody")]))),
        ("recentcontact/create_contact_group", group),
    ];
    // Until who asks is known.
    world.rest("recentcontact/get_contact_group", json!({"From_Account": "alice"})).await.ok();
    world.store.fail_after(Some(0));
    for (command, body) in &calls {
        world.rest(command, body.clone()).await.refused(50004, "");
    }
    world.store.fail_after(None);
    world.store.set_contended(true);
    let answer = world.rest("recentcontact/mark_contact", calls[0].1.clone()).await;
    assert!(answer.code() == 50004 || answer.list("ResultItem")[0]["ResultCode"] == 50004, "{answer:?}");
    world.store.set_contended(false);
    for (command, body) in calls {
        world.rest(command, body).await.ok();
    }
}
