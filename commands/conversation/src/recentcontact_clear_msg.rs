//! `recentcontact.clear_msg`: clears the history of a conversation in the caller's view.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::Contact;

/// Clears the history of a conversation in the caller's view; the conversation stays on the list.
#[derive(Deserialize, JsonSchema)]
pub struct ClearHistory {
    /// The caller.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// 1 one-to-one, 2 group.
    #[serde(rename = "Type")]
    pub kind: u8,
    /// The other side.
    #[serde(rename = "To_Account", default)]
    pub to: Option<String>,
    /// The group.
    #[serde(rename = "ToGroupid", default)]
    pub group: Option<String>,
}

impl Command for ClearHistory {
    const SPEC: Spec = Spec::new("recentcontact/clear_msg", Family::CONTACT)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::ContactAccountUnknown, ErrorCode::DiskFull]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        let peer = Contact { kind: self.kind, to: self.to, group: self.group }.peer(call).await?;
        call.engine.clear(&call.app, &owner, &peer, true, false, call.instance()).await?;
        Ok(Done {})
    }
}
