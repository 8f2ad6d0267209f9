//! `recentcontact/get_list`: pages an account's conversation list, as an administrator.

use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::marks_text;

/// Conversations of one page.
pub const PAGE: usize = 100;

/// `AssistFlags`: marks and custom data are listed.
const WITH_MARKS: u32 = 32;

/// Pages the conversation list of an account, the most recently active first.
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
    pub start: u32,
    /// Which details: 15, or 63 with marks.
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
    pub start: u32,
    /// For the next request.
    #[serde(rename = "TopTimeStamp")]
    pub top_time: Seconds,
    /// For the next request.
    #[serde(rename = "TopStartIndex")]
    pub top_start: u32,
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
    /// When it was last active.
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
    /// Conversation groups that it is in: there are none yet.
    #[serde(rename = "ContactGroupId", skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<()>>,
}

impl Command for ListConversations {
    const SPEC: Spec =
        Spec::new("recentcontact/get_list", Family::CONTACT).fails_with(&[ErrorCode::ContactAccountUnknown]);

    type Reply = ConversationList;

    async fn run(self, call: &Call) -> Result<ConversationList> {
        let owner = call.account("From_Account", &self.owner, ErrorCode::ContactAccountUnknown).await?;
        let (engine, app) = (&call.engine, call.app.id);
        let limit = usize::try_from(call.app.settings.conversations_allowed()).unwrap_or(usize::MAX);
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let views = engine.conversations(app, owner.number, limit).await?;
        let complete = start.saturating_add(PAGE) >= views.len();
        let mut items = Vec::new();
        for view in views.into_iter().skip(start).take(PAGE) {
            let Some(peer) = engine.accounts.with_number(app, view.peer).await? else {
                continue;
            };
            let settings = engine.contacts.of(app, owner.number, view.peer).await?;
            let with_marks = self.flags & WITH_MARKS != 0;
            items.push(Item {
                kind: 1,
                peer: peer.user.clone(),
                time: view.active_at,
                pinned: settings.pinned_at.is_some().into(),
                marks: with_marks.then(|| marks_text(&settings)),
                custom: with_marks.then(|| settings.custom.clone()),
                groups: with_marks.then(Vec::new),
            });
        }
        let next =
            if complete { 0 } else { self.start.saturating_add(u32::try_from(PAGE).unwrap_or(u32::MAX)) };
        let time = items.last().map_or(self.time, |item| item.time);
        Ok(ConversationList {
            items,
            complete: complete.into(),
            time,
            start: next,
            top_time: Seconds(0),
            top_start: 0,
        })
    }
}
