//! `recentcontact/delete`: takes a conversation off an account's list, as an administrator.

use command::scalar::Flag;
use command::{Call, Command, Done, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::Contact;

/// Takes a conversation off one side's list, with `ClearRamble` its history too. It is pinned no more.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteConversation {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// 1 one-to-one, 2 group.
    #[serde(rename = "Type")]
    pub kind: u8,
    /// The other side.
    #[serde(rename = "To_Account", default)]
    pub to: Option<String>,
    /// The group.
    #[serde(rename = "ToGroupid", default)]
    pub group: Option<String>,
    /// 1: the owner's history too.
    #[serde(rename = "ClearRamble", default)]
    pub with_history: Flag,
}

impl Command for DeleteConversation {
    const SPEC: Spec = Spec::new("recentcontact/delete", Family::CONTACT)
        .fails_with(&[ErrorCode::ContactAccountUnknown, ErrorCode::DiskFull]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let owner = call.account("From_Account", &self.owner, ErrorCode::ContactAccountUnknown).await?;
        let peer = Contact { kind: self.kind, to: self.to, group: self.group }.peer(call).await?;
        call.engine.delete_conversation(&call.app, &owner, &peer, self.with_history.0, None).await?;
        Ok(Done {})
    }
}
