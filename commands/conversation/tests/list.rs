//! The list of conversations: `recentcontact.page_get` and `recentcontact/get_list`.

use serde_json::{Value, json};
use testkit::{Answer, Client, World, text};

async fn world() -> World {
    let world = World::new(conversation::commands).await;
    world.accounts(&["administrator", "alice", "bob", "carol", "dave"]).await;
    world
}

async fn list(client: &mut Client) -> Answer {
    let body = json!({"From_Account": client.user, "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0,
        "TopStartIndex": 0, "OrderType": 1, "MsgAssistFlags": 15, "AssistFlags": 31});
    let answer = client.call("recentcontact.page_get", body).await.ok();
    assert_eq!(answer["CompleteFlag"], 1, "anything else and the client asks for ever");
    answer
}

fn peers(answer: &Answer) -> Vec<&str> {
    answer.list("SessionItem").iter().filter_map(|item| item["To_Account"].as_str()).collect()
}

fn top(peer: &str, operation: u8) -> Value {
    json!({"OperationType": operation, "RecentContactItem": [{"Type": 1, "To_Account": peer}]})
}

#[tokio::test(start_paused = true)]
async fn conversations_come_with_everything_that_clients_show() {
    let world = world().await;
    world.nick("bob", "Bob").await;
    let sent = world.send("alice", "bob", "question").await;
    world.read("bob", "alice").await;
    world.advance_seconds(1).await;
    let answered = world.send("bob", "alice", "answer").await;
    let mut alice = world.login("alice").await;
    let answer = list(&mut alice).await;
    assert_eq!(peers(&answer), ["bob"]);
    let item = &answer.list("SessionItem")[0];
    for (name, value) in [
        ("Type", json!(1)),
        ("MsgTimeStamp", json!(answered.time)),
        ("MsgSeq", json!(answered.key.sequence)),
        ("MsgRandom", json!(answered.key.random)),
        ("LastC2CMsgFrom_Account", json!("bob")),
        ("LastMsgFlags", json!(0)),
        ("LastMsg", json!({"MsgBody": text("answer"), "CloudCustomData": ""})),
        ("C2cPeerReadTime", json!(sent.time)),
        ("TopFlags", json!(0)),
        ("C2cNick", json!("Bob")),
        ("C2cImage", json!("")),
        ("C2cRemark", json!("")),
        ("MsgRecvOption", json!(0)),
        ("StandardMark", json!("0".repeat(64))),
        ("CustomMark", json!("")),
        ("ContactGroupId", json!([])),
    ] {
        assert_eq!(item[name], value, "{name}");
    }
    let mut carol = world.login("carol").await;
    assert!(peers(&list(&mut carol).await).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_most_recent_comes_first_after_the_pinned_ones_which_are_there_in_any_case() {
    let world = world().await;
    for peer in ["bob", "carol"] {
        world.send(peer, "alice", "hello").await;
        world.advance_seconds(1).await;
    }
    let mut alice = world.login("alice").await;
    assert_eq!(peers(&list(&mut alice).await), ["carol", "bob"]);
    alice.call("recentcontact.top", top("dave", 1)).await.ok();
    alice.call("recentcontact.top", top("bob", 1)).await.ok();
    let answer = list(&mut alice).await;
    assert_eq!(peers(&answer), ["bob", "dave", "carol"]);
    let pinned: Vec<&Value> = answer.list("SessionItem").iter().map(|item| &item["TopFlags"]).collect();
    assert_eq!(pinned, [1, 1, 0]);
    let dave = &answer.list("SessionItem")[1];
    assert_eq!((dave.get("LastMsg"), dave.get("MsgSeq")), (None, None), "nothing was ever said");
    alice.call("recentcontact.top", top("dave", 2)).await.ok();
    assert_eq!(peers(&list(&mut alice).await), ["bob", "carol"]);
}

#[tokio::test(start_paused = true)]
async fn marks_and_custom_data_show_in_the_list() {
    let world = world().await;
    world.send("bob", "alice", "hello").await;
    let mut alice = world.login("alice").await;
    let mark = json!({"MarkItem": [{"OptType": 3, "ContactItem": {"Type": 1, "To_Account": "bob"},
        "SetMark": [0, 63], "CustomMark": "mine"}]});
    alice.call("recentcontact.mark_contact", mark).await.ok();
    let mute = json!({"Peer_Account": ["bob"], "Mute_Notifications": 2});
    alice.call("openim.set_c2c_peer_mute_notifications", mute).await.ok();
    let answer = list(&mut alice).await;
    let item = &answer.list("SessionItem")[0];
    assert_eq!(item["StandardMark"], format!("1{}1", "0".repeat(62)));
    assert_eq!((&item["CustomMark"], &item["MsgRecvOption"]), (&json!("mine"), &json!(2)));
}

#[tokio::test(start_paused = true)]
async fn a_recalled_last_message_shows_who_recalled_it_and_no_content() {
    let world = world().await;
    let sent = world.send("bob", "alice", "secret").await;
    world.recall("bob", "alice", &sent).await;
    let mut alice = world.login("alice").await;
    let answer = list(&mut alice).await;
    let item = &answer.list("SessionItem")[0];
    assert_eq!(item["LastMsgFlags"], 8);
    assert_eq!(item["LastMsg"]["RevokerInfo"]["Revoker_Account"], "bob");
    assert!(!answer.0.to_string().contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn a_conversation_with_a_deleted_account_is_not_listed() {
    let world = world().await;
    world.send("bob", "alice", "hello").await;
    world.send("carol", "alice", "hello").await;
    world.delete_account("bob").await;
    let mut alice = world.login("alice").await;
    assert_eq!(peers(&list(&mut alice).await), ["carol"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_reads_anothers_list() {
    let world = world().await;
    let mut alice = world.login("alice").await;
    let body = json!({"From_Account": "bob"});
    alice.call("recentcontact.page_get", body.clone()).await.refused(50001, "From_Account");
    world.rest("recentcontact/page_get", body.clone()).await.refused(60009, "");
    alice.call("recentcontact.get_list", body).await.refused(50003, "");
}

fn page(flags: u32) -> Value {
    json!({"From_Account": "alice", "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0,
        "AssistFlags": flags})
}

#[tokio::test(start_paused = true)]
async fn a_back_end_sees_pins_and_with_its_flag_marks() {
    let world = world().await;
    world.send("bob", "alice", "hello").await;
    let mut alice = world.login("alice").await;
    alice.call("recentcontact.top", top("bob", 1)).await.ok();
    let answer = world.rest("recentcontact/get_list", page(15)).await.ok();
    let item = &answer.list("SessionItem")[0];
    assert_eq!((&item["TopFlag"], &item["MsgTime"]), (&json!(1), &json!(world.now())));
    assert_eq!(item.get("StandardMark"), None);
    let answer = world.rest("recentcontact/get_list", page(63)).await.ok();
    assert_eq!(answer.list("SessionItem")[0]["StandardMark"], "0".repeat(64));
    let nobody = json!({"From_Account": "nobody", "TimeStamp": 0, "StartIndex": 0, "AssistFlags": 15});
    world.rest("recentcontact/get_list", nobody).await.refused(50001, "From_Account");
    world.rest("recentcontact/get_list", json!({})).await.refused(50002, "From_Account");
}
