//! Frames that the server sends by itself; section 12 of the protocol reference lists their shapes.

mod annotations;
mod contacts;
pub mod relations;
mod streams;

use bytes::Bytes;
use model::settings::App;
use model::{AccountNumber, InstanceId, Message, MessageKey, Seconds, UserId};
use serde_json::{Value, json};

pub use annotations::{Named, extensions_changed, extensions_cleared, reacted, reacted_elsewhere};
pub use contacts::{
    deleted, do_not_disturb, group_created, group_deleted, group_members, group_renamed, marked, pinned,
};

pub use streams::stream_piece;

/// The name under which most frames are pushed.
pub const MSG_PUSH: &str = "im_open_push.msg_push";

fn frame(servcmd: &str, body: &Value) -> Bytes {
    json!({"head": {"servcmd": servcmd, "seq": 0}, "body": body}).to_string().into()
}

/// A frame with one item.
#[must_use]
pub fn event(item: &Value) -> Bytes {
    frame(MSG_PUSH, &json!({ "EventArray": [item] }))
}

fn notice(event_number: u32, notice: &Value) -> Bytes {
    event(&json!({"Event": event_number, "C2cNotifyMsgArray": [notice]}))
}

/// Tells a client to fetch what it missed.
#[must_use]
pub fn resync() -> Bytes {
    frame(MSG_PUSH, &json!({"EventArray": [], "Flag": 1}))
}

/// Ends the login of an instance: 1 another login on the same platform, 2 on another one, 3 by the app's back end.
#[must_use]
pub fn kick(kind: u8, instance: InstanceId) -> Bytes {
    // `lite-chat` obeys only where it is named.
    let kick = json!({
        "KickType": kind,
        "Instid": instance,
        "NewInstInfo": {"InstType": 0, "Platform": "Web"},
    });
    let item = json!({"Event": 10, "NotifySeq": 1, "C2cNotifyMsgArray": [{"NoticeSeq": 1, "KickoutMsgNotify": kick}]});
    frame("im_open_status.stat_forceoffline", &json!({ "EventArray": [item] }))
}

/// Seconds until clients ask for their configuration again.
pub const CONFIG_SECONDS: u32 = 3600;

/// What clients of an app may do: the answer to their question, and the push when it changes.
#[must_use]
pub fn abilities_body(bits: &str) -> Value {
    json!({"int32_error_code": 0, "str_purchase_bits": bits, "uint32_expired_time": CONFIG_SECONDS})
}

/// Tells the clients of an app what they may do from now on.
#[must_use]
pub fn abilities(bits: &str) -> Bytes {
    frame("im_sdk_config_mgr.push_imsdk_purchase_bitsv2", &abilities_body(bits))
}

/// The settings that clients apply by themselves: the answer to their question, and the push when they change.
#[must_use]
pub fn client_config_body(app: &App) -> Value {
    let config = if app.settings.telemetry {
        json!({})
    } else {
        let own = app.id.to_string();
        json!({"evt_rpt_sdkappid_bl": own, "q_rpt_sdkappid_bl": own})
    };
    // Never 0, which is the version that a client holds before it has asked.
    let version = app.version + 1;
    json!({
        "int32_error_code": 0,
        "str_json_config": config.to_string(),
        "uint64_version": version,
        "uint32_expired_time": CONFIG_SECONDS,
    })
}

/// Tells the clients of an app their settings.
#[must_use]
pub fn client_config(app: &App) -> Bytes {
    frame("im_sdk_config_mgr.push_configv2", &client_config_body(app))
}

/// The names shown with a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// The sender's nickname.
    pub nick: &'a str,
    /// The address of the sender's avatar.
    pub image: &'a str,
}

/// A frame with one message, as its receiver gets it, or as the sender's other instances do.
#[must_use]
pub fn message(message: &Message, time: Seconds, shown: Shown<'_>, copy: Copy, online_only: bool) -> Bytes {
    let mut out = Vec::with_capacity(512 + message.content.counted_bytes());
    out.extend_from_slice(br#"{"head":{"servcmd":"im_open_push.msg_push","seq":0},"body":{"EventArray":[{"Event":9,"C2cMsgArray":["#);
    write_message(&mut out, message, time, shown, copy);
    if online_only {
        // Inside the message object, before its closing brace.
        out.pop();
        out.extend_from_slice(br#","MsgLifeTime":0}"#);
    }
    out.extend_from_slice(b"]}]}}");
    out.into()
}

/// For whom a message is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copy {
    /// The receiver, and everybody who reads a history.
    Original,
    /// The sender's other instances: sender and receiver exchanged, `IsSyncMsg` set.
    OfSender,
}

/// Writes the JSON object of a message, with the fields that pushes, sync and history share.
pub fn write_message(out: &mut Vec<u8>, message: &Message, time: Seconds, shown: Shown<'_>, copy: Copy) {
    let (from, to) = match copy {
        Copy::Original => (&message.from, &message.to),
        Copy::OfSender => (&message.to, &message.from),
    };
    out.extend_from_slice(br#"{"From_Account":"#);
    write_text(out, from.as_str());
    out.extend_from_slice(br#","To_Account":"#);
    write_text(out, to.as_str());
    write_number(out, "MsgSeq", message.sequence.into());
    write_number(out, "MsgRandom", message.random.into());
    write_number(out, "MsgTimeStamp", time.0.into());
    write_number(out, "MsgClientTime", message.client_time.0.into());
    write_number(out, "ClientSeq", message.sequence.into());
    out.extend_from_slice(br#","TinyId":""#);
    out.extend_from_slice(message.author.to_string().as_bytes());
    out.extend_from_slice(br#"","From_AccountNick":"#);
    write_text(out, shown.nick);
    out.extend_from_slice(br#","From_AccountHeadurl":"#);
    write_text(out, shown.image);
    out.extend_from_slice(br#","MsgBody":"#);
    out.extend_from_slice(body_of(message));
    out.extend_from_slice(br#","CloudCustomData":"#);
    write_text(out, &message.content.cloud_custom_data);
    let flags = message.flags;
    write_number(out, "IsNeedReadReceipt", flags.needs_receipt.into());
    // The answer of a sync is read by this spelling alone.
    write_number(out, "NeedReadReceipt", flags.needs_receipt.into());
    write_number(out, "SupportMessageExtension", flags.supports_extension.into());
    if flags.relayed {
        write_number(out, "IsRelayMsg", 1);
    }
    if flags.uncounted || flags.not_last {
        out.extend_from_slice(br#","SendMsgControl":{"#);
        let names = [("NoUnread", flags.uncounted), ("NoLastMsg", flags.not_last)];
        let set: Vec<String> =
            names.iter().filter(|(_, on)| *on).map(|(name, _)| format!("\"{name}\":1")).collect();
        out.extend_from_slice(set.join(",").as_bytes());
        out.push(b'}');
    }
    if message.version() > 0 {
        write_number(out, "MsgVersion", message.version().into());
    }
    if copy == Copy::OfSender {
        write_number(out, "IsSyncMsg", 1);
    }
    out.extend_from_slice(br#","MsgKey":""#);
    out.extend_from_slice(message.key(time).to_string().as_bytes());
    out.extend_from_slice(b"\"}");
}

/// `MsgBody` on the wire. A recalled message has lost its own; clients drop a message without any element, so it
/// shows an empty text.
#[must_use]
pub fn body_of(message: &Message) -> &[u8] {
    if message.content.body.is_empty() {
        br#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":""}}]"#
    } else {
        &message.content.body
    }
}

/// Writes a JSON string.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    if serde_json::to_writer(&mut *out, text).is_err() {
        // Writing to memory does not fail; an empty text keeps the frame whole if it ever did.
        out.extend_from_slice(b"\"\"");
    }
}

fn write_number(out: &mut Vec<u8>, name: &str, number: u64) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    out.extend_from_slice(number.to_string().as_bytes());
}

/// What clients need to find a recalled message.
#[derive(Clone, Copy, Debug)]
pub struct Recalled<'a> {
    /// Who had sent it.
    pub from: &'a UserId,
    /// To whom.
    pub to: &'a UserId,
    /// The sender's number.
    pub author: AccountNumber,
    /// The message.
    pub key: MessageKey,
    /// The sender's clock.
    pub client_time: Seconds,
    /// Who recalled it.
    pub revoker: &'a UserId,
}

/// The item of a recall, as it stands in pushes and in the list of a sync. Carries ids, never content.
#[must_use]
pub fn recall_item(recalled: Recalled<'_>) -> Value {
    let info = json!({
        "From_Account": recalled.from,
        "To_Account": recalled.to,
        "MsgSeq": recalled.key.sequence,
        "MsgRandom": recalled.key.random,
        // What `lite-chat` calls it here.
        "MsgRand": recalled.key.random,
        "MsgTimeStamp": recalled.key.time,
        "MsgClientTime": recalled.client_time,
        "TinyId": recalled.author.to_string(),
        "RevokerInfo": {"Revoker_Account": recalled.revoker, "Reason": ""},
    });
    let notify = json!({"WithdrawC2cMsgNotify": {"C2cWithdrawInfoArray": [info]}});
    json!({"Event": 10, "C2cNotifyMsgArray": [notify]})
}

/// The item that tells what a changed message says now.
#[must_use]
pub fn modified_item(message: &Message, time: Seconds) -> Value {
    let body: Value = serde_json::from_slice(body_of(message)).unwrap_or_default();
    let modified = json!({
        "From_Account": message.from,
        "To_Account": message.to,
        "MsgSeq": message.sequence,
        "MsgRandom": message.random,
        "MsgTimeStamp": time,
        "MsgClientTime": message.client_time,
        "TinyId": message.author.to_string(),
        "MsgBody": body,
        "CloudCustomData": message.content.cloud_custom_data,
        "MsgVersion": message.version(),
    });
    json!({"Event": 15, "C2cMsgModNotifys": [modified]})
}

/// Tells the sender that the other side has read up to a time.
#[must_use]
pub fn read_by_peer(reader: &UserId, up_to: Seconds) -> Bytes {
    let read = json!({"To_Account": reader, "UinPairReadArray": [{"LastReadTime": up_to}]});
    notice(10, &json!({ "C2cReadedReceipt": read }))
}

/// The item that tells the reader's other instances up to where it has read.
#[must_use]
pub fn read_item(peer: &UserId, up_to: Seconds) -> Value {
    let read = json!({"UinPairReadArray": [{"From_Account": peer, "LastReadTime": up_to}]});
    json!({"Event": 10, "C2cNotifyMsgArray": [{ "ReadC2cMsgNotify": read }]})
}

/// Tells the sender which messages got a read receipt.
#[must_use]
pub fn receipts(
    reader: &UserId,
    at: Seconds,
    author: AccountNumber,
    messages: &[ports::timeline::ReceiptTarget],
) -> Bytes {
    let info: Vec<Value> = messages
        .iter()
        .map(|target| {
            json!({
                "TinyId": author.to_string(),
                "MsgClientTime": target.client_time,
                "MsgRandom": target.random,
                "MsgSeq": target.sequence,
                "MsgTime": target.at.time,
            })
        })
        .collect();
    event(&json!({"Event": 16, "Peer_Account": reader, "PeerReadTime": at, "C2cMsgInfo": info}))
}

/// Tells that profile fields changed.
#[must_use]
pub fn profile_changed(user: &UserId, fields: &[(String, model::profile::FieldValue)]) -> Bytes {
    use model::profile::FieldValue;
    let list: Vec<Value> = fields
        .iter()
        .map(|(tag, value)| match value {
            FieldValue::Number(number) => json!({"Tag": tag, "ValueNum": number}),
            FieldValue::Text(text) => json!({"Tag": tag, "ValueBytes": text}),
        })
        .collect();
    let change = json!({"PushType": 1, "Profile_Account": user, "ProfileList": list});
    event(&json!({"Event": 8, "ProfileDataMod": [change]}))
}

/// Tells an account's instances that its block list grew.
#[must_use]
pub fn blocked(users: &[UserId]) -> Bytes {
    event(&json!({"Event": 7, "FriendListMod": [{"PushType": 5, "BlackListAdd_Account": users}]}))
}

/// Tells an account's instances that its block list shrank.
#[must_use]
pub fn unblocked(users: &[UserId]) -> Bytes {
    event(&json!({"Event": 7, "FriendListMod": [{"PushType": 6, "BlackListDel_Account": users}]}))
}

/// One entry of a change of follow lists: the other account as it is shown, and which of the receiver's lists it joined or
/// left: 1 followers, 2 whom it follows, 3 both.
#[must_use]
pub fn follow_change(other: &UserId, shown: Shown<'_>, lists: &[u8], is_added: bool) -> Value {
    let change = |list: &u8| json!({"IsAdd": u8::from(is_added), "FollowType": list});
    json!({
        "From_Account": other,
        "Nick": shown.nick,
        "Image": shown.image,
        "FollowDiffList": lists.iter().map(change).collect::<Vec<_>>(),
    })
}

/// Tells an account's instances how its follow lists changed.
#[must_use]
pub fn follows_changed(changes: &[Value]) -> Bytes {
    event(&json!({"Event": 27, "FollowChangeList": changes}))
}

/// Tells somebody's status; the custom status travels in base64.
#[must_use]
pub fn status(user: &UserId, status: u8, custom_base64: &str) -> Bytes {
    let item = json!({"To_Account": user, "Status": status, "CustomStatus": custom_base64});
    event(&json!({"Event": 17, "UserStatusList": [item]}))
}

/// Tells an account's instances how a conversation is announced from now on.
#[must_use]
pub fn remind_type(peer: &UserId, remind: u8) -> Bytes {
    notice(10, &json!({"MuteNotificationsSync": {"To_Account": peer, "MuteNotifications": remind}}))
}

/// Tells an account's instances that all its conversations are read.
#[must_use]
pub fn all_read() -> Bytes {
    event(&json!({"Event": 14, "C2CReadAllMsg": 1, "GroupReadInfoArray": []}))
}

/// The instance that caused a push and needs none itself.
pub type Cause = Option<InstanceId>;

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Message {
        Message {
            from: ports_name("bob"),
            to: ports_name("alice"),
            author: AccountNumber(144_115_000_000_000_002),
            sequence: 1,
            random: 2,
            client_time: Seconds(3),
            content: model::Content {
                body: Bytes::from_static(br#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"\"hi\""}}]"#),
                cloud_custom_data: "{\"a\":1}".into(),
                offline_push_info: None,
            },
            flags: model::message::MessageFlags {
                uncounted: true,
                needs_receipt: true,
                ..Default::default()
            },
            modification: None,
        }
    }

    fn ports_name(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    #[test]
    fn a_message_frame_is_json_with_the_fields_that_make_its_identity() {
        let shown = Shown { nick: "B \"o\" b", image: "" };
        let frame = message(&sample(), Seconds(9), shown, Copy::Original, true);
        let frame: Value = serde_json::from_slice(&frame).unwrap();
        let item = &frame["body"]["EventArray"][0]["C2cMsgArray"][0];
        assert_eq!(item["From_Account"], "bob");
        assert_eq!(item["TinyId"], "144115000000000002");
        assert_eq!(item["MsgKey"], "1_2_9");
        assert_eq!(item["MsgBody"][0]["MsgContent"]["Text"], "\"hi\"");
        assert_eq!(item["From_AccountNick"], "B \"o\" b");
        assert_eq!(item["MsgLifeTime"], 0);
        assert_eq!(item["SendMsgControl"], json!({"NoUnread": 1}));
        assert_eq!(item["IsNeedReadReceipt"], 1);
    }

    #[test]
    fn the_senders_copy_has_both_sides_exchanged() {
        let frame = message(&sample(), Seconds(9), Shown::default(), Copy::OfSender, false);
        let frame: Value = serde_json::from_slice(&frame).unwrap();
        let item = &frame["body"]["EventArray"][0]["C2cMsgArray"][0];
        assert_eq!((&item["From_Account"], &item["To_Account"]), (&json!("alice"), &json!("bob")));
        assert_eq!(item["IsSyncMsg"], 1);
    }

    #[test]
    fn a_recall_carries_no_content() {
        let (bob, alice) = (ports_name("bob"), ports_name("alice"));
        let key = sample().key(Seconds(9));
        let author = AccountNumber(2);
        let item = recall_item(Recalled {
            from: &bob,
            to: &alice,
            author,
            key,
            client_time: Seconds(3),
            revoker: &bob,
        });
        assert!(!item.to_string().contains("MsgBody"));
    }
}
