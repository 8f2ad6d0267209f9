//! `recentcontact.search_contact_group`: marks, custom data and groups of given conversations.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Contact, GroupItem, MarkedContact, groups_of};

/// The most conversations of one call.
pub const CONVERSATIONS_MAX: usize = 300;

/// Gets marks, custom data and groups of given conversations.
#[derive(Deserialize, JsonSchema)]
pub struct SearchMarked {
    /// Whose; over the socket the caller's.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// Which.
    #[serde(rename = "ContactItem")]
    pub contacts: Vec<Contact>,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SearchResult {
    /// The conversations.
    #[serde(rename = "ContactResultItem")]
    pub contacts: Vec<MarkedContact>,
    /// All conversation groups of the account.
    #[serde(rename = "GroupItem")]
    pub groups: Vec<GroupItem>,
}

impl Command for SearchMarked {
    const SPEC: Spec = Spec::new("recentcontact/search_contact_group", Family::CONTACT)
        .callers(Callers::BOTH)
        .fails_with(&[ErrorCode::ContactAccountUnknown, ErrorCode::TooManyConversations]);

    type Reply = SearchResult;

    async fn run(self, call: &Call) -> Result<SearchResult> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        if self.contacts.len() > CONVERSATIONS_MAX {
            return Err(ErrorCode::TooManyConversations
                .because(format!("ContactItem: at most {CONVERSATIONS_MAX} conversations")));
        }
        let mut contacts = Vec::new();
        for contact in self.contacts {
            // Conversations that do not exist have no marks; they do not fail the others.
            let peer = match contact.marked_peer(call).await {
                Ok(peer) => peer,
                Err(error) if error.cause.is_none() => continue,
                Err(error) => return Err(error),
            };
            let settings = call.engine.contacts.of(call.app.id, owner.number, peer.number).await?;
            contacts.push(MarkedContact::with(&peer.user, settings));
        }
        Ok(SearchResult { contacts, groups: groups_of(call, &owner).await? })
    }
}
