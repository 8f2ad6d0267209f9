//! `recentcontact/get_list`: pages an account's conversation list, as an administrator.

use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::paging::{Place, Row, WITH_MARKS, WITH_PINNED, page};
use crate::wire::{GroupItem, groups_of, marks_text};

/// Pages the conversation list of an account: pinned ones, then the most recently active ones. A page has 100 conversations.
#[derive(Deserialize, JsonSchema)]
pub struct ListConversations {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// 0 at first, later as returned.
    #[serde(rename = "TimeStamp")]
    pub time: Seconds,
    /// 0 at first, later as returned.
    #[serde(rename = "StartIndex")]
    pub start: u64,
    /// As returned. At most 50 conversations are pinned and the first page holds them all, so nothing depends on it.
    #[serde(rename = "TopTimeStamp", default)]
    pub top_time: Seconds,
    /// The same.
    #[serde(rename = "TopStartIndex", default)]
    pub top_start: u64,
    /// The sum of: 1 pinned conversations come first, 2 conversations without a message are listed, 32 marks, custom data and
    /// conversation groups are told. 4 (pinned ones in pages) and others change nothing.
    #[serde(rename = "AssistFlags")]
    pub flags: u32,
}

/// A page of a conversation list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConversationList {
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
    /// The conversation groups of the account, with `AssistFlags` 32.
    #[serde(rename = "GroupItem", skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<GroupItem>>,
}

/// A conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Item {
    /// 1: one-to-one.
    #[serde(rename = "Type")]
    pub kind: u8,
    /// The other side.
    #[serde(rename = "To_Account")]
    pub peer: UserId,
    /// When it was last active; 0: never.
    #[serde(rename = "MsgTime")]
    pub time: Seconds,
    /// 1: pinned.
    #[serde(rename = "TopFlag")]
    pub pinned: u8,
    /// Marks.
    #[serde(rename = "StandardMark", skip_serializing_if = "Option::is_none")]
    pub marks: Option<String>,
    /// The app's own text.
    #[serde(rename = "CustomMark", skip_serializing_if = "Option::is_none")]
    pub custom: Option<String>,
    /// Numbers of the conversation groups that it is in.
    #[serde(rename = "ContactGroupId", skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<u32>>,
}

impl Command for ListConversations {
    const SPEC: Spec =
        Spec::new("recentcontact/get_list", Family::CONTACT).fails_with(&[ErrorCode::ContactAccountUnknown]);

    type Reply = ConversationList;

    async fn run(self, call: &Call) -> Result<ConversationList> {
        let owner = call.account("From_Account", &self.owner, ErrorCode::ContactAccountUnknown).await?;
        let place = Place { time: self.time, start: self.start };
        let found = page(call, owner.number, place, self.flags).await?;
        let now = call.engine.context.clock.now().seconds();
        let next = found.next.unwrap_or(Place { time: now, start: 0 });
        let groups = match self.flags & WITH_MARKS {
            0 => None,
            _ => Some(groups_of(call, &owner).await?),
        };
        Ok(ConversationList {
            items: found.rows.into_iter().map(|row| item(row, self.flags)).collect(),
            complete: found.next.is_none().into(),
            time: next.time,
            start: next.start,
            top_time: now,
            top_start: 0,
            groups,
        })
    }
}

fn item(row: Row, flags: u32) -> Item {
    let Row { peer, view, settings } = row;
    let with_marks = flags & WITH_MARKS != 0;
    Item {
        kind: 1,
        peer: peer.user.clone(),
        time: view.active_at,
        pinned: (flags & WITH_PINNED != 0 && settings.pinned_at.is_some()).into(),
        marks: with_marks.then(|| marks_text(&settings)),
        custom: with_marks.then(|| settings.custom.clone()),
        groups: with_marks.then_some(settings.groups),
    }
}
