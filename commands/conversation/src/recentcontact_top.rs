//! `recentcontact.top`: pins and unpins conversations.

use std::collections::BTreeSet;

use command::{Call, Callers, Command, Done, Family, Spec};
use engine::contacts::PINNED_MAX;
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::{Contact, check_count};

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
    const SPEC: Spec = Spec::new("recentcontact/top", Family::CONTACT).callers(Callers::BOTH).fails_with(&[
        ErrorCode::ContactAccountUnknown,
        ErrorCode::TooManyConversations,
        ErrorCode::TooManyPinned,
        ErrorCode::DiskFull,
    ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        check_count(self.contacts.len())?;
        let pins = match self.operation {
            1 => true,
            2 => false,
            _ => return Err(ErrorCode::ContactBadParameter.because("OperationType: 1 or 2")),
        };
        let mut peers = Vec::with_capacity(self.contacts.len());
        for contact in &self.contacts {
            peers.push(contact.peer(call).await?);
        }
        let contacts = &call.engine.contacts;
        if pins {
            // All or none: a call that is refused changes nothing.
            let all = contacts.all(call.app.id, owner.number).await?;
            let pinned = all.iter().filter(|fact| fact.settings.pinned_at.is_some()).map(|fact| fact.peer);
            let together: BTreeSet<_> = pinned.chain(peers.iter().map(|peer| peer.number)).collect();
            if together.len() > PINNED_MAX {
                return Err(ErrorCode::TooManyPinned.into());
            }
        }
        let now = call.engine.context.clock.now().seconds();
        for peer in &peers {
            let change = |settings: &mut engine::facts::ContactSettings| {
                settings.pinned_at = if pins { settings.pinned_at.or(Some(now)) } else { None };
            };
            contacts.change(call.stamps(), call.app.id, owner.number, peer.number, change).await?;
        }
        let peers: Vec<UserId> = peers.iter().map(|peer| peer.user.clone()).collect();
        let frame = engine::push::pinned(&peers, pins);
        call.engine.hub.push(call.app.id, owner.number, &frame, call.instance());
        Ok(Done {})
    }
}
