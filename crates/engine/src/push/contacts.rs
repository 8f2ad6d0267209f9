//! Frames about the list of conversations: item 102, and item 24.

use bytes::Bytes;
use model::UserId;
use serde_json::{Value, json};

use super::event;
use crate::contact_groups::ContactGroup;
use crate::do_not_disturb::Times;

fn contacts(kind: u8, field: &str, content: &Value) -> Bytes {
    event(&json!({"Event": 102, "RecentContactMod": [{"PushType": kind, field: content}]}))
}

/// The SDK reads either name, `lite-chat` the second alone.
fn contact(peer: &UserId) -> Value {
    json!({"Type": 1, "UserId": peer, "Peer_Account": peer})
}

fn contact_list(peers: &[UserId]) -> Value {
    let list: Vec<Value> = peers.iter().map(contact).collect();
    json!({ "RecentContactList": list })
}

/// Tells an account's instances that conversations were deleted from its list.
#[must_use]
pub fn deleted(peers: &[UserId]) -> Bytes {
    contacts(1, "RecentContactDeleteItem", &contact_list(peers))
}

/// Tells an account's instances that conversations were pinned or unpinned.
#[must_use]
pub fn pinned(peers: &[UserId], is_pinned: bool) -> Bytes {
    contacts(if is_pinned { 2 } else { 3 }, "RecentContactTopItem", &contact_list(peers))
}

/// Tells an account's instances marks and custom data of a conversation.
#[must_use]
pub fn marked(peer: &UserId, kind: u8, standard: &str, custom: &str) -> Bytes {
    let item = json!({
        "OptType": kind,
        "RecentContactItem": contact(peer),
        "StandardMark": standard,
        "CustomMark": custom,
    });
    contacts(4, "RecentContactMarkContact", &json!({ "RecentContactMarkContactItem": [item] }))
}

fn group_item(group: &ContactGroup) -> Value {
    json!({"GroupId": group.id, "GroupName": group.name})
}

/// Tells an account's instances that there is a conversation group, and which conversations were put into it.
#[must_use]
pub fn group_created(group: &ContactGroup, peers: &[UserId]) -> Bytes {
    let members: Vec<Value> = peers.iter().map(contact).collect();
    let created = json!({"MsgGroupItem": group_item(group), "MsgRecentContactItem": members});
    contacts(5, "RecentContactCreateContactGroup", &json!({ "MsgContactGroupContactItem": [created] }))
}

/// Tells an account's instances that a conversation group is gone.
#[must_use]
pub fn group_deleted(group: &ContactGroup) -> Bytes {
    contacts(6, "RecentContactDelContactGroup", &json!({ "MsgGroupItem": [group_item(group)] }))
}

fn group_updated(change: &Value) -> Bytes {
    contacts(7, "RecentContactUpdateContactGroup", &json!({"UpdateType": 1, "MsgUpdateGroup": change}))
}

/// Tells an account's instances the new name of a conversation group.
#[must_use]
pub fn group_renamed(group: &ContactGroup, old_name: &str) -> Bytes {
    group_updated(&json!({
        "UpdateGroupType": 1,
        "GroupId": group.id,
        "GroupName": group.name,
        "OldGroupName": old_name,
    }))
}

/// Tells an account's instances which conversations were put into a conversation group (`true`) or taken out.
#[must_use]
pub fn group_members(group: &ContactGroup, changes: &[(UserId, bool)]) -> Bytes {
    let item = |(peer, is_in): &(UserId, bool)| {
        let kind = if *is_in { 1 } else { 2 };
        json!({"ContactOptType": kind, "RecentContactItem": contact(peer)})
    };
    let items: Vec<Value> = changes.iter().map(item).collect();
    group_updated(&json!({
        "UpdateGroupType": 2,
        "GroupId": group.id,
        "OldGroupName": group.name,
        "RecentContactUpdateGroupItem": items,
    }))
}

/// Tells an account's instances when it does not want to be disturbed.
#[must_use]
pub fn do_not_disturb(times: Times) -> Bytes {
    event(&json!({
        "Event": 24,
        "Level": times.level,
        "StartTime": times.start,
        "EndTime": times.end,
        "IsRepeated": u8::from(times.is_repeated),
    }))
}
