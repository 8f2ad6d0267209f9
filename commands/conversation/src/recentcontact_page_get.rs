//! `recentcontact.page_get`: the conversation list with everything that clients show.

use command::{Call, Callers, Command, Family, Spec};
use model::profile::{IMAGE, NICK};
use model::{AccountNumber, ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::paging::{Place, Row, WITH_PINNED, page};
use crate::wire::{GroupItem, groups_of, marks_text};

/// `LastMsgFlags` of a recalled message.
const RECALLED: u8 = 8;

/// Pages the conversation list: pinned ones, then the most recently active ones. A page has 100 conversations.
///
/// The last page's cursors, sent again after a reconnect, begin the whole list anew: what changed meanwhile is a part of it.
/// Of the request's further fields `OrderType` and `MsgAssistFlags` change nothing.
#[derive(Deserialize, JsonSchema)]
pub struct PageConversations {
    /// Whose; the caller.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// 0 at first, later as returned.
    #[serde(rename = "TimeStamp", default)]
    pub time: Seconds,
    /// 0 at first, later as returned.
    #[serde(rename = "StartIndex", default)]
    pub start: u64,
    /// As returned. At most 50 conversations are pinned and the first page holds them all, so nothing depends on it.
    #[serde(rename = "TopTimeStamp", default)]
    pub top_time: Seconds,
    /// The same.
    #[serde(rename = "TopStartIndex", default)]
    pub top_start: u64,
    /// The sum of: 1 pinned conversations come first, 2 conversations without a message are listed. 4 (pinned ones in pages)
    /// and others change nothing.
    #[serde(rename = "AssistFlags", default = "everything")]
    pub flags: u32,
}

/// What clients ask for.
const fn everything() -> u32 {
    31
}

/// The conversation list.
#[derive(Serialize, JsonSchema)]
pub struct Conversations {
    /// The conversations.
    #[serde(rename = "SessionItem")]
    pub items: Vec<Item>,
    /// 1: the end.
    #[serde(rename = "CompleteFlag")]
    pub complete: u8,
    /// For the next request.
    #[serde(rename = "TimeStamp")]
    pub time: Seconds,
    /// For the next request.
    #[serde(rename = "StartIndex")]
    pub start: u64,
    /// For the next request.
    #[serde(rename = "TopTimeStamp")]
    pub top_time: Seconds,
    /// For the next request.
    #[serde(rename = "TopStartIndex")]
    pub top_start: u64,
    /// All conversation groups of the caller.
    #[serde(rename = "GroupItem")]
    pub groups: Vec<GroupItem>,
}

/// A conversation.
#[derive(Serialize, JsonSchema)]
pub struct Item {
    /// 1: one-to-one.
    #[serde(rename = "Type")]
    pub kind: u8,
    /// The other side.
    #[serde(rename = "To_Account")]
    pub peer: UserId,
    /// The time of the last message.
    #[serde(rename = "MsgTimeStamp")]
    pub time: Seconds,
    /// Its sequence.
    #[serde(rename = "MsgSeq", skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    /// Its random number.
    #[serde(rename = "MsgRandom", skip_serializing_if = "Option::is_none")]
    pub random: Option<u32>,
    /// Its sender.
    #[serde(rename = "LastC2CMsgFrom_Account", skip_serializing_if = "Option::is_none")]
    pub from: Option<UserId>,
    /// 8 if it was recalled.
    #[serde(rename = "LastMsgFlags")]
    pub flags: u8,
    /// Its content.
    #[serde(rename = "LastMsg", skip_serializing_if = "Option::is_none")]
    pub last: Option<LastMessage>,
    /// Up to when the other side has read.
    #[serde(rename = "C2cPeerReadTime")]
    pub peer_read_time: Seconds,
    /// Unread messages.
    #[serde(rename = "UnreadMsgCount")]
    pub unread: u32,
    /// 1: pinned.
    #[serde(rename = "TopFlags")]
    pub pinned: u8,
    /// When it was pinned.
    #[serde(rename = "TopTimeStamp")]
    pub pinned_at: Seconds,
    /// The other side's nickname.
    #[serde(rename = "C2cNick")]
    pub nick: String,
    /// The other side's avatar.
    #[serde(rename = "C2cImage")]
    pub image: String,
    /// What the caller calls the other side, if that is a friend.
    #[serde(rename = "C2cRemark")]
    pub remark: String,
    /// How messages are announced.
    #[serde(rename = "MsgRecvOption")]
    pub remind: u8,
    /// Marks.
    #[serde(rename = "StandardMark")]
    pub marks: String,
    /// The app's own text.
    #[serde(rename = "CustomMark")]
    pub custom: String,
    /// Numbers of the conversation groups that it is in.
    #[serde(rename = "ContactGroupId")]
    pub groups: Vec<u32>,
}

/// The last message.
#[derive(Serialize, JsonSchema)]
pub struct LastMessage {
    /// Its elements; none if it was recalled.
    #[serde(rename = "MsgBody")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub body: Box<RawValue>,
    /// The app's own text.
    #[serde(rename = "CloudCustomData")]
    pub cloud_custom_data: String,
    /// Who recalled it.
    #[serde(rename = "RevokerInfo", skip_serializing_if = "Option::is_none")]
    pub revoker: Option<Revoker>,
}

/// Who recalled a message.
#[derive(Serialize, JsonSchema)]
pub struct Revoker {
    /// Who.
    #[serde(rename = "Revoker_Account")]
    pub user: UserId,
    /// Why: not given.
    #[serde(rename = "Reason")]
    pub reason: &'static str,
}

impl Command for PageConversations {
    const SPEC: Spec = Spec::new("recentcontact/page_get", Family::CONTACT)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::ContactAccountUnknown]);

    type Reply = Conversations;

    async fn run(self, call: &Call) -> Result<Conversations> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        let place = Place { time: self.time, start: self.start };
        let found = page(call, owner.number, place, self.flags).await?;
        let now = call.engine.context.clock.now().seconds();
        let next = found.next.unwrap_or(Place { time: now, start: 0 });
        let mut items = Vec::with_capacity(found.rows.len());
        for row in found.rows {
            items.push(item(call, owner.number, row, self.flags & WITH_PINNED != 0).await?);
        }
        Ok(Conversations {
            items,
            complete: found.next.is_none().into(),
            time: next.time,
            start: next.start,
            top_time: now,
            top_start: 0,
            groups: groups_of(call, &owner).await?,
        })
    }
}

async fn item(call: &Call, owner: AccountNumber, row: Row, with_pins: bool) -> Result<Item> {
    let Row { peer, view, settings } = row;
    let (engine, app) = (&call.engine, call.app.id);
    let profile = engine.profiles.of(app, peer.number).await?;
    let friend = engine.relations.friend(app, owner, peer.number).await?;
    let last = view.last.as_ref();
    let content = match last {
        Some(found) => {
            let text = String::from_utf8_lossy(engine::push::body_of(&found.message)).into_owned();
            let body = RawValue::from_string(text)
                .map_err(|error| model::Error::from(ErrorCode::ContactInternal).caused_by(error))?;
            Some(LastMessage {
                body,
                cloud_custom_data: found.message.content.cloud_custom_data.to_string(),
                revoker: found.revoker.clone().map(|user| Revoker { user, reason: "" }),
            })
        }
        None => None,
    };
    let pinned_at = settings.pinned_at.filter(|_| with_pins);
    Ok(Item {
        kind: 1,
        time: last.map_or(view.active_at, |found| found.at.time),
        sequence: last.map(|found| found.message.sequence),
        random: last.map(|found| found.message.random),
        from: last.map(|found| found.message.from.clone()),
        flags: if last.is_some_and(|found| found.revoker.is_some()) { RECALLED } else { 0 },
        last: content,
        peer_read_time: view.peer_read_to.time,
        unread: engine.unread(app, owner, peer.number).await?,
        pinned: pinned_at.is_some().into(),
        pinned_at: pinned_at.unwrap_or_default(),
        nick: profile.text(NICK).to_owned(),
        image: profile.text(IMAGE).to_owned(),
        remark: friend.map(|friend| friend.remark.clone()).unwrap_or_default(),
        remind: settings.remind,
        marks: marks_text(&settings),
        custom: settings.custom,
        groups: settings.groups,
        peer: peer.user.clone(),
    })
}
