//! Frames about friends; section 15 of the second part of the protocol reference lists their shapes.

use bytes::Bytes;
use model::profile::FieldValue;
use model::{Seconds, UserId};
use serde_json::{Value, json};

use super::event;

fn changed(entry: &Value) -> Bytes {
    event(&json!({"Event": 7, "FriendListMod": [entry]}))
}

/// Tells an account's instances that it has new friends.
#[must_use]
pub fn added(users: &[UserId]) -> Bytes {
    changed(&json!({"PushType": 1, "FriendAdd_Account": users}))
}

/// Tells an account's instances that friends are gone. Only for those that were on its list: clients fail on any other.
#[must_use]
pub fn removed(users: &[UserId]) -> Bytes {
    changed(&json!({"PushType": 2, "FriendDel_Account": users}))
}

/// An application, as its addressee and its applicant are told of it.
#[derive(Clone, Copy, Debug)]
pub struct Application<'a> {
    /// Who made it.
    pub applicant: &'a UserId,
    /// The side that is not told: the applicant for the addressee, the addressee for the applicant.
    pub other: &'a UserId,
    /// The other side's nickname.
    pub nick: &'a str,
    /// The address of the other side's avatar.
    pub image: &'a str,
    /// When.
    pub at: Seconds,
    /// How the addressee was found.
    pub source: &'a str,
    /// What it says.
    pub wording: &'a str,
}

/// Tells an account's instances of an application that it made or got.
#[must_use]
pub fn applied(application: Application<'_>) -> Bytes {
    let pending = json!({
        "PendencyAdd_Account": application.other,
        "ProfileImNick": application.nick,
        "ProfileImImage": application.image,
        "AddTime": application.at,
        "AddSource": application.source,
        "AddWording": application.wording,
    });
    changed(&json!({"PushType": 3, "From_Account": application.applicant, "PendencyAdd": [pending]}))
}

/// Tells an account's instances that applications are settled or deleted.
#[must_use]
pub fn settled(users: &[UserId]) -> Bytes {
    // The misspelling is what clients read.
    changed(&json!({"PushType": 4, "FrienPencydDel_Account": users}))
}

/// What changed of a friend: texts, numbers or lists of texts, by tag.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A text or number.
    Value(FieldValue),
    /// The names of lists.
    Names(Vec<String>),
}

/// Tells an account's instances what changed of friends.
#[must_use]
pub fn updated<'a>(friends: impl IntoIterator<Item = (&'a UserId, Vec<(String, Shown)>)>) -> Bytes {
    let friends = friends.into_iter();
    let list: Vec<Value> = friends.map(|(friend, fields)| updated_item(friend, &fields)).collect();
    changed(&json!({"PushType": 6, "FriendUpInfo": list}))
}

fn updated_item(friend: &UserId, fields: &[(String, Shown)]) -> Value {
    let list: Vec<Value> = fields
        .iter()
        .map(|(tag, value)| match value {
            Shown::Value(FieldValue::Text(text)) => json!({"BytesTag": tag, "BytesValue": text}),
            Shown::Value(FieldValue::Number(number)) => {
                json!({"BytesTag": tag, "BytesValue": number.to_string()})
            }
            Shown::Names(names) => json!({"BytesTag": tag, "RptBytesValue": names}),
        })
        .collect();
    json!({"Friend_Account": friend, "SNS": list})
}

/// Tells an account's instances that applications up to a time were seen.
#[must_use]
pub fn requests_read(up_to: Seconds) -> Bytes {
    changed(&json!({"PushType": 7, "ReportTime": up_to}))
}
