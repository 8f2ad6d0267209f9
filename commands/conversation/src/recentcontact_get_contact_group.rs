//! `recentcontact.get_contact_group`: conversation groups, and conversations with marks, custom data or groups.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::paging::{PAGE, offset};
use crate::wire::{GroupItem, MarkedContact, groups_of};

/// Pages an account's conversations that carry marks or custom data or are in conversation groups; 100 a page.
#[derive(Deserialize, JsonSchema)]
pub struct GetMarked {
    /// Whose; over the socket the caller's.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// 0 at first, later as returned.
    #[serde(rename = "StartIndex", default)]
    pub start: u64,
}

/// A page of marked conversations.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MarkedPage {
    /// The conversations.
    #[serde(rename = "ContactItem")]
    pub contacts: Vec<MarkedContact>,
    /// All conversation groups of the account.
    #[serde(rename = "GroupItem")]
    pub groups: Vec<GroupItem>,
    /// 1: the end.
    #[serde(rename = "CompleteFlag")]
    pub complete: u8,
    /// For the next request; 0 at the end.
    #[serde(rename = "NextStartIndex")]
    pub next: u64,
}

impl Command for GetMarked {
    const SPEC: Spec = Spec::new("recentcontact/get_contact_group", Family::CONTACT)
        .callers(Callers::BOTH)
        .fails_with(&[ErrorCode::ContactAccountUnknown]);

    type Reply = MarkedPage;

    async fn run(self, call: &Call) -> Result<MarkedPage> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        // In the order of the accounts' numbers: where a page begins does not depend on what happens to those before it.
        let mut marked = call.engine.contacts.all(call.app.id, owner.number).await?;
        marked.retain(|fact| fact.settings.is_marked() && offset(fact.peer) > self.start);
        let complete = marked.len() <= PAGE;
        marked.truncate(PAGE);
        let next = marked.last().filter(|_| !complete).map_or(0, |fact| offset(fact.peer));
        let mut contacts = Vec::with_capacity(marked.len());
        for fact in marked {
            if let Some(peer) = call.engine.accounts.with_number(call.app.id, fact.peer).await? {
                contacts.push(MarkedContact::with(&peer.user, fact.settings));
            }
        }
        let groups = groups_of(call, &owner).await?;
        Ok(MarkedPage { contacts, groups, complete: complete.into(), next })
    }
}
