//! `recentcontact.get_contact_group`: conversations with marks or custom data.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::marks_text;

/// Conversations of one page.
pub const PAGE: usize = 100;

/// Pages the caller's conversations that carry marks or custom data.
#[derive(Deserialize, JsonSchema)]
pub struct GetMarked {
    /// The caller.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// 0 at first, later as returned.
    #[serde(rename = "StartIndex", default)]
    pub start: u32,
}

/// A page of marked conversations.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MarkedPage {
    /// The conversations.
    #[serde(rename = "ContactItem")]
    pub contacts: Vec<MarkedContact>,
    /// Conversation groups: there are none yet.
    #[serde(rename = "GroupItem")]
    pub groups: Vec<()>,
    /// 1: the end.
    #[serde(rename = "CompleteFlag")]
    pub complete: u8,
    /// For the next request.
    #[serde(rename = "NextStartIndex")]
    pub next: u32,
}

/// A conversation's marks and custom data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MarkedContact {
    /// 1: one-to-one.
    #[serde(rename = "Type")]
    pub kind: u8,
    /// The other side.
    #[serde(rename = "To_Account")]
    pub to: String,
    /// Marks.
    #[serde(rename = "StandardMark")]
    pub marks: String,
    /// The app's own text.
    #[serde(rename = "CustomMark")]
    pub custom: String,
    /// Conversation groups that it is in.
    #[serde(rename = "ContactGroupId")]
    pub groups: Vec<()>,
}

impl Command for GetMarked {
    const SPEC: Spec = Spec::new("recentcontact/get_contact_group", Family::CONTACT)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::ContactAccountUnknown]);

    type Reply = MarkedPage;

    async fn run(self, call: &Call) -> Result<MarkedPage> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        let mut marked = call.engine.contacts.all(call.app.id, owner.number).await?;
        marked.retain(|fact| fact.settings.is_marked());
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let complete = start.saturating_add(PAGE) >= marked.len();
        let mut contacts = Vec::new();
        for fact in marked.into_iter().skip(start).take(PAGE) {
            let Some(peer) = call.engine.accounts.with_number(call.app.id, fact.peer).await? else {
                continue;
            };
            contacts.push(MarkedContact {
                kind: 1,
                to: peer.user.as_str().to_owned(),
                marks: marks_text(&fact.settings),
                custom: fact.settings.custom,
                groups: Vec::new(),
            });
        }
        let next =
            if complete { 0 } else { self.start.saturating_add(u32::try_from(PAGE).unwrap_or(u32::MAX)) };
        Ok(MarkedPage { contacts, groups: Vec::new(), complete: complete.into(), next })
    }
}
