//! `recentcontact.top`: pins and unpins conversations.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::Contact;

/// The most conversations of one call.
pub const CONVERSATIONS_MAX: usize = 100;

/// Pins or unpins conversations of an account; at most 50 are pinned.
#[derive(Deserialize, JsonSchema)]
pub struct Pin {
    /// Whose list; over the socket the caller's.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// 1 pin, 2 unpin.
    #[serde(rename = "OperationType")]
    pub operation: u8,
    /// Which.
    #[serde(rename = "RecentContactItem")]
    pub contacts: Vec<Contact>,
}

impl Command for Pin {
    const SPEC: Spec =
        Spec::new("recentcontact/top", Family::CONTACT).callers(Callers::ACCOUNT).fails_with(&[
            ErrorCode::ContactAccountUnknown,
            ErrorCode::TooManyConversations,
            ErrorCode::TooManyPinned,
            ErrorCode::DiskFull,
        ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        if self.contacts.is_empty() || self.contacts.len() > CONVERSATIONS_MAX {
            return Err(ErrorCode::TooManyConversations.into());
        }
        let pins = match self.operation {
            1 => true,
            2 => false,
            _ => return Err(ErrorCode::ContactBadParameter.because("OperationType: 1 or 2")),
        };
        let now = call.engine.context.clock.now().seconds();
        let mut peers = Vec::with_capacity(self.contacts.len());
        for contact in &self.contacts {
            let peer = contact.peer(call).await?;
            let change = |settings: &mut engine::facts::ContactSettings| {
                settings.pinned_at = if pins { settings.pinned_at.or(Some(now)) } else { None };
            };
            let contacts = &call.engine.contacts;
            contacts.change(call.stamps(), call.app.id, owner.number, peer.number, change).await?;
            peers.push(peer.user.clone());
        }
        let frame = engine::push::pinned(&peers, pins);
        call.engine.hub.push(call.app.id, owner.number, &frame, call.instance());
        Ok(Done {})
    }
}
