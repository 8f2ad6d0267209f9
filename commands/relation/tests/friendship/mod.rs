//! What the tests of friends share.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Answer, Client, World};

/// Alice, bob and carol, who are not friends yet.
pub(crate) async fn world() -> World {
    let world = World::new(relation::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol"]).await;
    world
}

/// Makes two accounts friends of each other, whatever they want themselves.
pub(crate) async fn befriend(world: &World, one: &str, other: &str) {
    let item = json!({"To_Account": other, "AddSource": "AddSource_Type_Test"});
    let body =
        json!({"From_Account": one, "AddFriendItem": [item], "AddType": "Add_Type_Both", "ForceAddFlags": 1});
    assert_eq!(codes(&world.rest("sns/friend_add", body).await.ok()), [0]);
}

/// The results of a batch.
pub(crate) fn codes(answer: &Answer) -> Vec<i64> {
    answer.list("ResultItem").iter().map(|item| item["ResultCode"].as_i64().unwrap_or(-1)).collect()
}

/// The friends on an account's list, each with its fields by tag.
pub(crate) async fn friends(world: &World, owner: &str) -> BTreeMap<String, Value> {
    let (mut found, mut start, mut is_complete) = (BTreeMap::new(), json!(0), false);
    for _ in 0..100 {
        let body =
            json!({"From_Account": owner, "StartIndex": start, "StandardSequence": 0, "CustomSequence": 0});
        let page = world.rest("sns/friend_get", body).await.ok();
        for item in page.list("UserDataItem") {
            let fields = item["ValueItem"].as_array().into_iter().flatten();
            let fields = fields.map(|field| (text(&field["Tag"]), field["Value"].clone()));
            let former = found.insert(text(&item["To_Account"]), fields.collect::<Value>());
            assert_eq!(former, None, "a friend is listed once: {item}");
        }
        is_complete = page["CompleteFlag"] != 0;
        if is_complete {
            break;
        }
        start = page["NextStartIndex"].clone();
    }
    assert!(is_complete, "the list ends");
    found
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The entries about relations that a client has heard when nothing more comes.
pub(crate) async fn heard(client: &mut Client) -> Vec<Value> {
    let mut entries = Vec::new();
    for push in client.rest().await {
        for item in push.body["EventArray"].as_array().into_iter().flatten() {
            if let Some(list) = item["FriendListMod"].as_array() {
                assert_eq!(item["Event"], 7, "{item}");
                entries.extend(list.iter().cloned());
            }
        }
    }
    entries
}

/// Whether a value has everything that is expected of it; it may have more fields.
fn fits(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            expected.iter().all(|(name, expected)| value.get(name).is_some_and(|value| fits(value, expected)))
        }
        (Value::Array(value), Value::Array(expected)) => {
            value.len() == expected.len()
                && value.iter().zip(expected).all(|(value, expected)| fits(value, expected))
        }
        _ => value == expected,
    }
}

/// There is such an entry.
#[track_caller]
pub(crate) fn told(entries: &[Value], expected: &Value) {
    assert!(entries.iter().any(|entry| fits(entry, expected)), "{expected} is not in {entries:?}");
}
