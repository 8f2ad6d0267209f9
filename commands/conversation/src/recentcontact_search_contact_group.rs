//! `recentcontact.search_contact_group`: marks and custom data of given conversations.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::recentcontact_get_contact_group::MarkedContact;
use crate::wire::{Contact, marks_text};

/// The most conversations of one call.
pub const CONVERSATIONS_MAX: usize = 300;

/// Gets marks and custom data of given conversations.
#[derive(Deserialize, JsonSchema)]
pub struct SearchMarked {
    /// The caller.
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
    /// Conversation groups: there are none yet.
    #[serde(rename = "GroupItem")]
    pub groups: Vec<()>,
}

impl Command for SearchMarked {
    const SPEC: Spec = Spec::new("recentcontact/search_contact_group", Family::CONTACT)
        .callers(Callers::ACCOUNT)
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
            let Ok(peer) = contact.peer(call).await else {
                continue;
            };
            let settings = call.engine.contacts.of(call.app.id, owner.number, peer.number).await?;
            contacts.push(MarkedContact {
                kind: 1,
                to: peer.user.as_str().to_owned(),
                marks: marks_text(&settings),
                custom: settings.custom,
                groups: Vec::new(),
            });
        }
        Ok(SearchResult { contacts, groups: Vec::new() })
    }
}
