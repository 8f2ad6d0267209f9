//! `recentcontact.batch_delete`: takes conversations off the caller's list.

use command::scalar::Flag;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Contact, check_count};

/// Takes conversations off the caller's list, with `ClearRamble` their history too. They are pinned no more.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteConversations {
    /// The caller.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// Which.
    #[serde(rename = "ContactItem")]
    pub contacts: Vec<Contact>,
    /// 1: the caller's history too.
    #[serde(rename = "ClearRamble", default)]
    pub with_history: Flag,
}

/// One result per conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    /// In the order of the request.
    #[serde(rename = "ResultItem")]
    pub items: Vec<DeletedItem>,
}

/// A conversation's result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedItem {
    /// Which.
    #[serde(flatten)]
    pub contact: Contact,
    /// 0, or why not.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

impl Command for DeleteConversations {
    const SPEC: Spec = Spec::new("recentcontact/batch_delete", Family::CONTACT)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::TooManyConversations, ErrorCode::DiskFull]);

    type Reply = Deleted;

    async fn run(self, call: &Call) -> Result<Deleted> {
        check_count(self.contacts.len())?;
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        let mut items = Vec::with_capacity(self.contacts.len());
        for contact in self.contacts {
            let outcome = match contact.peer(call).await {
                Ok(peer) => {
                    let (history, origin) = (self.with_history.0, call.instance());
                    call.engine.delete_conversation(&call.app, &owner, &peer, history, origin).await
                }
                Err(error) => Err(error),
            };
            let result = contact.result(outcome)?;
            items.push(DeletedItem { contact: result.contact, code: result.code, info: result.info });
        }
        Ok(Deleted { items })
    }
}
