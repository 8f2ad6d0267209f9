//! Conversation groups, over both transports.
#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

use serde_json::{Value, json};
use testkit::{Answer, Client, World};

const CREATE: &str = "recentcontact.create_contact_group";
const UPDATE: &str = "recentcontact.update_contact_group";
const DELETE: &str = "recentcontact.del_contact_group";

async fn world() -> World {
    let world = World::new(conversation::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol", "dave"]).await;
    world
}

fn contact(peer: &str) -> Value {
    json!({"Type": 1, "To_Account": peer})
}

fn pushed(peer: &str) -> Value {
    json!({"Type": 1, "UserId": peer, "Peer_Account": peer})
}

fn create(name: &str, peers: &[&str]) -> Value {
    let contacts: Vec<Value> = peers.iter().map(|peer| contact(peer)).collect();
    json!({"From_Account": "alice", "GroupContactItem": [{"GroupName": name, "ContactItem": contacts}]})
}

fn change(name: &str, items: &[(u8, &str)]) -> Value {
    let items: Vec<Value> = items
        .iter()
        .map(|(kind, peer)| json!({"ContactOptType": kind, "ContactItem": contact(peer)}))
        .collect();
    json!({"From_Account": "alice", "UpdateType": 1, "UpdateGroup": {"UpdateGroupType": 2, "OldGroupName": name,
        "ContactUpdateItem": items}})
}

fn rename(name: &str, new_name: &str) -> Value {
    json!({"From_Account": "alice", "UpdateType": 1, "UpdateGroup": {"UpdateGroupType": 1, "OldGroupName": name,
        "NewGroupName": new_name}})
}

fn delete(name: &str) -> Value {
    json!({"From_Account": "alice", "GroupName": [name]})
}

/// Calls over the socket, or over REST without a client.
async fn call(world: &World, client: Option<&mut Client>, command: &str, body: Value) -> Answer {
    match client {
        Some(client) => client.call(command, body).await,
        None => world.rest(&command.replace('.', "/"), body).await,
    }
}

/// What is in which group, as the back end reads it: `name: members`.
async fn groups(world: &World) -> Vec<String> {
    let body = json!({"From_Account": "alice", "StartIndex": 0});
    let answer = world.rest("recentcontact/get_contact_group", body).await.ok();
    let groups = answer.list("GroupItem").iter().map(|group| {
        let is_in = |item: &&Value| item["ContactGroupId"].as_array().unwrap().contains(&group["GroupId"]);
        let members = answer.list("ContactItem").iter().filter(is_in);
        let members: Vec<&str> = members.filter_map(|item| item["To_Account"].as_str()).collect();
        format!("{}: {}", group["GroupName"].as_str().unwrap(), members.join(" "))
    });
    groups.collect()
}

/// The content of a push that tells a change of this kind.
fn item<'a>(push: &'a testkit::Push, kind: u8, name: &str) -> &'a Value {
    assert_eq!(push.event(), 102);
    let change = &push.item("RecentContactMod")[0];
    assert_eq!(change["PushType"], kind);
    &change[name]
}

#[tokio::test(start_paused = true)]
async fn groups_are_made_changed_and_deleted_and_the_other_instances_follow() {
    let world = world().await;
    let mut bob = world.login("bob").await;
    for over_rest in [false, true] {
        let (mut alice, mut second) = (world.login("alice").await, world.login("alice").await);
        let id = if over_rest { 2 } else { 1 };
        for (command, body) in [
            (CREATE, create("work", &["bob", "carol"])),
            (UPDATE, change("work", &[(1, "dave"), (2, "bob"), (1, "carol")])),
            (UPDATE, rename("work", "office")),
            (DELETE, delete("office")),
        ] {
            let client = (!over_rest).then_some(&mut alice);
            call(&world, client, command, body).await.ok();
        }
        let push = second.pushed().await;
        let created = &item(&push, 5, "RecentContactCreateContactGroup")["MsgContactGroupContactItem"][0];
        assert_eq!(created["MsgGroupItem"], json!({"GroupId": id, "GroupName": "work"}));
        assert_eq!(created["MsgRecentContactItem"], json!([pushed("bob"), pushed("carol")]));
        let push = second.pushed().await;
        let updated = item(&push, 7, "RecentContactUpdateContactGroup");
        let items: Vec<Value> = [(1, "dave"), (2, "bob"), (1, "carol")]
            .iter()
            .map(|(kind, peer)| json!({"ContactOptType": kind, "RecentContactItem": pushed(peer)}))
            .collect();
        let expected = json!({"UpdateType": 1, "MsgUpdateGroup": {"UpdateGroupType": 2, "GroupId": id,
            "OldGroupName": "work", "RecentContactUpdateGroupItem": items}});
        assert_eq!(updated, &expected);
        let push = second.pushed().await;
        let renamed = item(&push, 7, "RecentContactUpdateContactGroup");
        let expected = json!({"UpdateType": 1, "MsgUpdateGroup": {"UpdateGroupType": 1, "GroupId": id,
            "GroupName": "office", "OldGroupName": "work"}});
        assert_eq!(renamed, &expected);
        let push = second.pushed().await;
        let deleted = item(&push, 6, "RecentContactDelContactGroup");
        assert_eq!(deleted["MsgGroupItem"], json!([{"GroupId": id, "GroupName": "office"}]));
        second.hears_nothing().await;
        let heard = alice.rest().await.len();
        assert_eq!(heard, if over_rest { 4 } else { 0 }, "who does it needs no push");
    }
    bob.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn answers_name_the_group_and_each_conversation() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    for over_rest in [false, true] {
        let mut ask = async |command: &str, body: Value| {
            let client = (!over_rest).then_some(&mut alice);
            call(&world, client, command, body).await.ok()
        };
        let id = if over_rest { 2 } else { 1 };
        let mut body = create("work", &["bob", "nobody"]);
        let contacts = body["GroupContactItem"][0]["ContactItem"].as_array_mut().unwrap();
        contacts.push(json!({"Type": 2, "ToGroupId": "g"}));
        let answer = ask(CREATE, body).await;
        assert_eq!(answer["ErrorDisplay"], "");
        let created = &answer.list("GroupResultItem")[0];
        assert_eq!(created["GroupItem"], json!({"GroupName": "work", "GroupId": id}));
        let results = created["ResultItem"].as_array().unwrap();
        let codes: Vec<&Value> = results.iter().map(|item| &item["ResultCode"]).collect();
        assert_eq!(codes, [0, 50001, 51007]);
        assert_eq!(results[2]["ContactItem"], json!({"Type": 2, "ToGroupId": "g"}));
        assert_eq!(results[0]["ContactItem"], contact("bob"));
        assert_eq!(groups(&world).await, ["work: bob"]);

        let answer = ask(UPDATE, change("work", &[(1, "carol"), (3, "dave"), (2, "bob"), (2, "dave")])).await;
        assert_eq!(answer["UpdateType"], 1);
        let updated = &answer["UpdateGroupResult"];
        for (name, value) in [
            ("UpdateGroupType", json!(2)),
            ("GroupName", json!("work")),
            ("OldGroupName", json!("work")),
            ("GroupId", json!(id)),
        ] {
            assert_eq!(updated[name], value, "{name}");
        }
        let results = updated["ContactResultItem"].as_array().unwrap();
        let codes: Vec<(&Value, &Value)> =
            results.iter().map(|item| (&item["ContactOptType"], &item["ResultCode"])).collect();
        let expected = [(1, 0), (3, 50002), (2, 0), (2, 0)].map(|(kind, code)| (json!(kind), json!(code)));
        assert_eq!(codes, expected.each_ref().map(|(kind, code)| (kind, code)));
        assert_eq!(groups(&world).await, ["work: carol"]);

        let answer = ask(UPDATE, rename("work", "office")).await;
        let renamed = &answer["UpdateGroupResult"];
        assert_eq!((&renamed["GroupName"], &renamed["OldGroupName"]), (&json!("office"), &json!("work")));
        assert_eq!((&renamed["UpdateGroupType"], &renamed["GroupId"]), (&json!(1), &json!(id)));
        ask(UPDATE, rename("office", "office")).await;
        assert_eq!(groups(&world).await, ["office: carol"]);

        let answer = ask(DELETE, delete("office")).await;
        assert_eq!(answer["GroupItem"], json!([{"GroupName": "office", "GroupId": id}]));
        assert!(groups(&world).await.is_empty());
    }
}

/// A request, the number of its refusal and the field that it names.
type Refused = (&'static str, Value, i64, &'static str);

async fn refused(world: &World, requests: Vec<Refused>) {
    world.contact_group("alice", "work", &["bob"]).await;
    world.contact_group("alice", "home", &["bob"]).await;
    let mut alice = world.login("alice").await;
    for (command, body, code, field) in requests {
        alice.call(command, body.clone()).await.refused(code, field);
        world.rest(&command.replace('.', "/"), body).await.refused(code, field);
    }
    assert_eq!(groups(world).await, ["work: bob", "home: bob"], "nothing was changed");
}

#[tokio::test(start_paused = true)]
async fn groups_that_cannot_be_made_or_deleted_are_refused() {
    let mut two = create("new", &["bob"]);
    let items = two["GroupContactItem"].as_array_mut().unwrap();
    items.push(items[0].clone());
    let requests = vec![
        (CREATE, create("new", &[]), 51006, ""),
        (CREATE, create("new", &["bob"; 101]), 51006, ""),
        (CREATE, create("", &["bob"]), 51011, "GroupName"),
        (CREATE, create(&"x".repeat(33), &["bob"]), 51011, "GroupName"),
        // 17 characters of 2 bytes.
        (CREATE, create(&"\u{e9}".repeat(17), &["bob"]), 51011, "GroupName"),
        (CREATE, two, 50002, "GroupContactItem"),
        (CREATE, json!({"From_Account": "alice", "GroupContactItem": []}), 50002, "GroupContactItem"),
        (CREATE, json!({"From_Account": "alice"}), 50002, "GroupContactItem"),
        (DELETE, delete("nothing"), 51009, ""),
        (DELETE, json!({"From_Account": "alice", "GroupName": []}), 50002, "GroupName"),
        (DELETE, json!({"From_Account": "alice", "GroupName": ["work", "home"]}), 50002, "GroupName"),
        (DELETE, json!({"From_Account": "alice", "GroupName": "work"}), 50002, "GroupName"),
    ];
    refused(&world().await, requests).await;
}

#[tokio::test(start_paused = true)]
async fn changes_that_cannot_be_made_are_refused() {
    let with = |place: &str, value: Value| {
        let mut body = rename("work", "new");
        *body.pointer_mut(place).unwrap() = value;
        body
    };
    let nameless = json!({"From_Account": "alice", "UpdateType": 1,
        "UpdateGroup": {"UpdateGroupType": 1, "OldGroupName": "work"}});
    let requests = vec![
        (UPDATE, rename("work", &"x".repeat(33)), 51011, "NewGroupName"),
        (UPDATE, rename("work", ""), 51011, "NewGroupName"),
        (UPDATE, rename("work", "home"), 50002, "NewGroupName"),
        (UPDATE, rename("nothing", "new"), 51009, ""),
        (UPDATE, nameless, 50002, "NewGroupName"),
        (UPDATE, with("/UpdateType", json!(2)), 50002, "UpdateType"),
        (UPDATE, with("/UpdateGroup", json!(1)), 50002, "UpdateGroup"),
        (UPDATE, with("/UpdateGroup/UpdateGroupType", json!(3)), 50002, "UpdateGroupType"),
        (UPDATE, change("nothing", &[(1, "bob")]), 51009, ""),
        (UPDATE, change("work", &[]), 51006, ""),
        (UPDATE, change("work", &[(1, "bob"); 101]), 51006, ""),
    ];
    refused(&world().await, requests).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_changes_anothers_groups_and_a_back_end_names_whose() {
    let world = world().await;
    world.contact_group("alice", "work", &["bob"]).await;
    let mut alice = world.login("alice").await;
    for (command, body) in
        [(CREATE, create("new", &["bob"])), (UPDATE, rename("work", "new")), (DELETE, delete("work"))]
    {
        let of = |name: Value| {
            let mut changed = body.clone();
            changed["From_Account"] = name;
            changed
        };
        alice.call(command, of(json!("bob"))).await.refused(50001, "From_Account");
        let command = command.replace('.', "/");
        world.rest(&command, of(json!("nobody"))).await.refused(50001, "From_Account");
        world.rest(&command, of(json!("no name \u{e9}"))).await.refused(50002, "From_Account");
        world.rest(&command, of(Value::Null)).await.refused(50002, "From_Account");
    }
    assert_eq!(groups(&world).await, ["work: bob"]);
}

#[tokio::test(start_paused = true)]
async fn an_account_has_at_most_20_groups_and_each_gets_a_new_number() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    for number in 0..20 {
        alice.call(CREATE, create(&format!("group {number}"), &["bob"])).await.ok();
    }
    alice.call(CREATE, create("one more", &["bob"])).await.refused(51010, "");
    let again = alice.call(CREATE, create("group 3", &["carol"])).await.ok();
    let found = &again.list("GroupResultItem")[0]["GroupItem"];
    assert_eq!(found, &json!({"GroupName": "group 3", "GroupId": 4}), "it is there already");
    assert!(groups(&world).await.contains(&"group 3: bob carol".to_owned()));
    alice.call(DELETE, delete("group 19")).await.ok();
    let answer = alice.call(CREATE, create(&"x".repeat(32), &["bob"])).await.ok();
    assert_eq!(answer.list("GroupResultItem")[0]["GroupItem"]["GroupId"], 21);
    let mut bob = world.login("bob").await;
    let mut own = create("of bob", &["alice"]);
    own["From_Account"] = json!("bob");
    bob.call(CREATE, own).await.ok();
}

#[tokio::test(start_paused = true)]
async fn at_most_1000_conversations_are_marked_or_grouped() {
    let world = world().await;
    let names: Vec<String> = (0..1001).map(|number| format!("peer{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.accounts(&names).await;
    let mut alice = world.login("alice").await;
    for (number, part) in names[..1000].chunks(100).enumerate() {
        alice.call(CREATE, create(&format!("group {number}"), part)).await.ok();
    }
    let answer = alice.call(UPDATE, change("group 0", &[(1, names[1000]), (1, names[999])])).await.ok();
    let codes = |answer: &Answer| -> Vec<i64> {
        let results = answer["UpdateGroupResult"]["ContactResultItem"].as_array().unwrap();
        results.iter().map(|item| item["ResultCode"].as_i64().unwrap()).collect()
    };
    assert_eq!(codes(&answer), [51008, 0], "one that is counted already may be in more groups");
    let mark = json!({"MarkItem": [{"OptType": 1, "ContactItem": contact(names[1000]), "SetMark": [0]}]});
    let answer = alice.call("recentcontact.mark_contact", mark).await.ok();
    assert_eq!(answer.list("ResultItem")[0]["ResultCode"], 51008);
    // One goes, one comes.
    let answer = alice.call(UPDATE, change("group 0", &[(2, names[0]), (1, names[1000])])).await.ok();
    assert_eq!(codes(&answer), [0, 0]);
    let (mut start, mut count) = (json!(0), 0);
    loop {
        let body = json!({"From_Account": "alice", "StartIndex": start});
        let page = world.rest("recentcontact/get_contact_group", body).await.ok();
        count += page.list("ContactItem").len();
        assert_eq!(page.list("GroupItem").len(), 10, "on every page");
        if page["CompleteFlag"] == 1 {
            break;
        }
        assert_eq!(page.list("ContactItem").len(), 100);
        start = page["NextStartIndex"].clone();
    }
    assert_eq!(count, 1000);
    alice.call(DELETE, delete("group 5")).await.ok();
    let answer = alice.call(UPDATE, change("group 0", &[(1, names[0])])).await.ok();
    assert_eq!(codes(&answer), [0], "the members of a deleted group are counted no more");
}

#[tokio::test(start_paused = true)]
async fn lists_and_searches_show_groups() {
    let world = world().await;
    world.send("bob", "alice", "hello").await;
    world.contact_group("alice", "work", &["bob", "carol"]).await;
    world.contact_group("alice", "home", &["bob"]).await;
    let items = json!([{"GroupName": "work", "GroupId": 1}, {"GroupName": "home", "GroupId": 2}]);
    let mut alice = world.login("alice").await;
    let list = alice.call("recentcontact.page_get", json!({})).await.ok();
    assert_eq!(list["GroupItem"], items);
    assert_eq!(list.list("SessionItem")[0]["ContactGroupId"], json!([1, 2]));
    let search = json!({"From_Account": "alice", "ContactItem": [contact("bob"), contact("carol"), contact("dave"),
        {"Type": 2, "ToGroupId": "g"}]});
    for client in [Some(&mut alice), None] {
        let found = call(&world, client, "recentcontact.search_contact_group", search.clone()).await.ok();
        assert_eq!(found["GroupItem"], items);
        let ids: Vec<&Value> =
            found.list("ContactResultItem").iter().map(|item| &item["ContactGroupId"]).collect();
        assert_eq!(ids, [&json!([1, 2]), &json!([1]), &json!([])]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_back_end_marks_conversations_and_pins_them_and_every_instance_follows() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let mark = json!({"From_Account": "alice", "MarkItem": [
        {"OptType": 3, "ContactItem": contact("bob"), "SetMark": [1], "CustomMark": "mine"},
        {"OptType": 1, "ContactItem": {"Type": 2, "ToGroupId": "g"}, "SetMark": [1]},
    ]});
    let answer = world.rest("recentcontact/mark_contact", mark.clone()).await.ok();
    let codes: Vec<&Value> = answer.list("ResultItem").iter().map(|item| &item["ResultCode"]).collect();
    assert_eq!(codes, [0, 51007]);
    assert_eq!(alice.pushed().await.item("RecentContactMod")[0]["PushType"], 4);
    let top = json!({"From_Account": "alice", "OperationType": 1, "RecentContactItem": [contact("bob")]});
    world.rest("recentcontact/top", top).await.ok();
    assert_eq!(alice.pushed().await.item("RecentContactMod")[0]["PushType"], 2);
    let mut of_nobody = mark;
    of_nobody["From_Account"] = json!("nobody");
    world.rest("recentcontact/mark_contact", of_nobody).await.refused(50001, "From_Account");
}

#[tokio::test(start_paused = true)]
async fn groups_outlive_a_crash_and_go_with_their_accounts() {
    let mut world = world().await;
    world.contact_group("alice", "work", &["bob", "carol"]).await;
    world.contact_group("bob", "of bob", &["alice"]).await;
    let (alice, bob) = (world.account("alice").await.number, world.account("bob").await.number);
    world.crash().await;
    assert_eq!(groups(&world).await, ["work: bob carol"]);
    world.delete_account("bob").await;
    assert_eq!(groups(&world).await, ["work: carol"]);
    world.advance_seconds(60).await;
    let engine = world.engine();
    let left = engine.contacts.all(world.app.id, alice).await.unwrap();
    assert!(left.iter().all(|fact| fact.peer != bob), "nothing is left of the other side");
    assert!(engine.contacts.all(world.app.id, bob).await.unwrap().is_empty());
    assert!(engine.contact_groups.of(world.app.id, bob).await.unwrap().is_empty());
    world.account("bob").await;
    assert_eq!(groups(&world).await, ["work: carol"], "the new account of the name is another one");
}

#[tokio::test(start_paused = true)]
async fn changes_at_the_same_time_are_all_done() {
    let world = world().await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(world.login("alice").await);
    }
    let mut waiting = Vec::new();
    for (number, client) in clients.iter_mut().enumerate() {
        waiting.push((CREATE, client.send(CREATE, create(&format!("group {number}"), &["bob"])).await));
    }
    for (client, (command, seq)) in clients.iter_mut().zip(waiting) {
        client.answer_or_end(command, seq).await.unwrap().ok();
    }
    let mut found = groups(&world).await;
    found.sort();
    assert_eq!(found, ["group 0: bob", "group 1: bob", "group 2: bob", "group 3: bob"]);
}
