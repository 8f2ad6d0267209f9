//! Attack A11: objects with operators where a text is expected, which some stores take for a question.
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
use support::{Client, World, code, text_message};

/// What attackers send in place of a text.
fn operators() -> [Value; 5] {
    [
        json!({"$ne": ""}),
        json!({"$regex": ".*"}),
        json!({"$gt": ""}),
        json!([{"$ne": ""}]),
        json!({"$where": "1"}),
    ]
}

/// The places of every text in a request.
fn texts_in(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(path.to_owned()),
        Value::Array(list) => {
            for (at, item) in list.iter().enumerate() {
                texts_in(item, &format!("{path}/{at}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                texts_in(field, &format!("{path}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// The request with something else in one place.
fn with(body: &Value, path: &str, value: Value) -> Value {
    let mut changed = body.clone();
    *changed.pointer_mut(path).expect("a place") = value;
    changed
}

/// Fields that clients send and the server never looks at, so that anything may stand there.
const UNREAD: &[(&str, &str)] = &[
    ("openim.msgreaded", "/C2CMsgReaded/Cookie"),
    ("openim.get_c2c_peer_mute_notifications", "/To_Account"),
    ("profile.portrait_get_all", "/From_Account"),
];

/// Good requests of the commands on accounts and profiles, texts in every field.
fn account_requests() -> Vec<(&'static str, Value)> {
    let pair = json!({"From_Account": "alice", "To_Account": ["bob"]});
    vec![
        ("im_open_login_svc/account_import", json!({"UserID": "carol", "Nick": "n", "FaceUrl": "f"})),
        ("im_open_login_svc/multiaccount_import", json!({"Accounts": ["carol"]})),
        (
            "im_open_login_svc/multiaccount_import",
            json!({"AccountList": [{"UserID": "carol", "Nick": "n", "FaceUrl": "f"}]}),
        ),
        ("im_open_login_svc/account_check", json!({"CheckItem": [{"UserID": "alice"}]})),
        ("im_open_login_svc/account_delete", json!({"DeleteItem": [{"UserID": "carol"}]})),
        ("im_open_login_svc/kick", json!({"UserID": "bob"})),
        ("profile/portrait_get", json!({"To_Account": ["alice"], "TagList": ["Tag_Profile_IM_Nick"]})),
        (
            "profile/portrait_set",
            json!({"From_Account": "alice", "ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": "n"}]}),
        ),
        ("sns/black_list_add", pair.clone()),
        (
            "sns/black_list_check",
            json!({"From_Account": "alice", "To_Account": ["bob"], "CheckType": "BlackCheckResult_Type_Both"}),
        ),
        ("sns/black_list_delete", pair),
        (
            "sns/black_list_get",
            json!({"From_Account": "alice", "StartIndex": 0, "MaxLimited": 10, "LastSequence": 0}),
        ),
        (
            "recentcontact/get_list",
            json!({"From_Account": "alice", "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0, "AssistFlags": 7}),
        ),
        ("recentcontact/delete", json!({"From_Account": "alice", "Type": 1, "To_Account": "bob"})),
    ]
}

/// Good requests of the commands on messages, texts in every field.
fn message_requests() -> Vec<(&'static str, Value)> {
    let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]);
    let full = json!({
        "From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 2, "MsgBody": body,
        "CloudCustomData": "data", "SendMsgControl": ["NoUnread"],
    });
    let mut import = full.clone();
    import["MsgTimeStamp"] = json!(support::now().0);
    import["SyncFromOldSystem"] = json!(5);
    let mut batch = full.clone();
    batch["To_Account"] = json!(["bob"]);
    vec![
        ("openim/query_online_status", json!({"To_Account": ["alice"]})),
        ("openim/sendmsg", full),
        ("openim/batchsendmsg", batch),
        ("openim/importmsg", import),
        (
            "openim/admin_getroammsg",
            json!({
                "Operator_Account": "alice", "Peer_Account": "bob", "MaxCnt": 10, "MinTime": 0,
                "MaxTime": u32::MAX, "LastMsgKey": "1_2_3",
            }),
        ),
        (
            "openim/admin_msgwithdraw",
            json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "1_2_3"}),
        ),
        ("openim/admin_set_msg_read", json!({"Report_Account": "alice", "Peer_Account": "bob"})),
        ("openim/get_c2c_unread_msg_num", json!({"To_Account": "alice", "Peer_Account": ["bob"]})),
        (
            "openim/delete_c2c_msg_ramble",
            json!({"Operator_Account": "alice", "Peer_Account": "bob", "MsgKeyList": ["1_2_3"]}),
        ),
    ]
}

/// Good requests of commands that exist over the socket only.
fn socket_requests() -> Vec<(&'static str, Value)> {
    let contact = json!({"Type": 1, "To_Account": "bob"});
    vec![
        ("openim.sendmsg", text_message("alice", "bob", 9, "hi")),
        ("openim.getroammsg", json!({"Peer_Account": "bob", "MaxCnt": 10, "MsgKey": "1_2_3"})),
        ("openim.getmsg", json!({"Cookie": ""})),
        (
            "openim.msgreaded",
            json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": [{"To_Account": "bob", "LastedMsgTime": 1, "Receipt": 1}]}}),
        ),
        ("openim.get_peer_read_time", json!({"To_Account": ["bob"]})),
        ("openim.get_c2c_peer_mute_notifications", json!({"To_Account": "alice", "Peer_Account": ["bob"]})),
        ("openim.set_c2c_peer_mute_notifications", json!({"Peer_Account": ["bob"], "Mute_Notifications": 1})),
        (
            "recentcontact.top",
            json!({"From_Account": "alice", "OperationType": 1, "RecentContactItem": [contact]}),
        ),
        (
            "recentcontact.mark_contact",
            json!({"From_Account": "alice", "MarkItem": [{"OptType": 2, "ContactItem": contact, "CustomMark": "m"}]}),
        ),
        (
            "recentcontact.batch_delete",
            json!({"From_Account": "alice", "ContactItem": [contact], "ClearRamble": 1}),
        ),
        ("recentcontact.clear_msg", json!({"From_Account": "alice", "To_Account": "bob", "Type": 1})),
        ("recentcontact.search_contact_group", json!({"From_Account": "alice", "ContactItem": [contact]})),
        (
            "recentcontact.create_contact_group",
            json!({"From_Account": "alice", "GroupContactItem": [{"GroupName": "g", "ContactItem": [contact]}]}),
        ),
        (
            "recentcontact.update_contact_group",
            json!({"From_Account": "alice", "UpdateType": 1, "UpdateGroup": {"UpdateGroupType": 1, "OldGroupName": "g", "NewGroupName": "g"}}),
        ),
        (
            "recentcontact.update_contact_group",
            json!({"From_Account": "alice", "UpdateType": 1, "UpdateGroup": {"UpdateGroupType": 2, "OldGroupName": "g", "ContactUpdateItem": [{"ContactOptType": 1, "ContactItem": contact}]}}),
        ),
        ("recentcontact.del_contact_group", json!({"From_Account": "alice", "GroupName": ["g"]})),
        ("im_msg_db_logic.ws_get_do_not_disturb", json!({"To_Account": "alice"})),
        (
            "profile.portrait_get_all",
            json!({"From_Account": "alice", "UserItem": [{"To_Account": "bob", "StandardSequence": 0, "CustomSequence": 0}]}),
        ),
        ("im_open_status.ws_get_user_status", json!({"To_Account": ["bob"]})),
        ("im_open_status.ws_status_subscribe", json!({"To_Account": ["bob"]})),
        ("im_open_status.ws_status_unsubscribe", json!({"To_Account": ["bob"]})),
        ("im_open_status.ws_set_custom_status", json!({"CustomStatus": "s"})),
        ("sns.black_list_get", json!({"From_Account": "alice", "StartIndex": 0, "MaxLimited": 1000})),
    ]
}

/// Says if the good request works and the changed ones do not.
async fn try_all(
    wrong: &mut Vec<String>,
    command: &str,
    body: &Value,
    mut ask: impl AsyncFnMut(Value) -> Value,
) {
    let good = ask(body.clone()).await;
    // 20022: there is no such message to recall.
    let is_good = matches!(code(&good), 0 | 20_022);
    if !is_good {
        wrong.push(format!("{command} does not work at all: {good}"));
    }
    let mut places = Vec::new();
    texts_in(body, "", &mut places);
    for place in places.iter().filter(|place| !UNREAD.contains(&(command, place))) {
        for operator in operators() {
            let changed = with(body, place, operator.clone());
            let answer = ask(changed).await;
            if code(&answer) == 0 {
                wrong.push(format!("{command} took {operator} at {place}: {answer}"));
            }
        }
    }
}

#[tokio::test]
async fn no_command_takes_an_operator_for_a_text() {
    let world = World::start().await;
    world.accounts(&["alice", "bob"]).await;
    let mut wrong = Vec::new();
    for (command, body) in account_requests().into_iter().chain(message_requests()) {
        try_all(&mut wrong, command, &body, async |body| world.rest(command, &body).await).await;
    }
    let mut alice = world.log_in("alice").await;
    for (command, body) in socket_requests() {
        try_all(&mut wrong, command, &body, async |body| alice.request(command, &body).await).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn no_login_takes_an_operator_for_a_text() {
    let world = World::start().await;
    let alice = world.log_in("alice").await;
    let mut client = Client::connect(world.server.address(), alice.identity.clone()).await;
    for field in ["a2", "identifier", "usersig", "servcmd"] {
        for operator in operators() {
            let mut head = client.head("im_open_status.wslogin");
            head[field] = operator.clone();
            let frame = json!({"head": head, "body": {}}).to_string();
            assert!(client.send_raw(frame.into_bytes().into()).await);
            let answer = client.answer(0).await.expect("an answer");
            assert_ne!(code(&answer), 0, "{field}: {answer}");
        }
    }
    for query in ["usersig[$ne]=", "usersig=%7B%22$ne%22:%22%22%7D", "usersig=.*"] {
        let target = format!("/v4/openim/sendmsg?sdkappid={}&identifier=administrator&{query}", world.app.id);
        let answer = support::rest::post(world.server.address(), &target, b"{}").await;
        let number = code(&answer);
        assert!(number == 60_005 || (70_000..70_100).contains(&number), "{query}: {answer}");
    }
}
