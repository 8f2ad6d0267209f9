//! `recentcontact.mark_contact`: sets marks and custom data of conversations.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Contact, ContactResult, check_count, marks_text};

/// The most bytes of custom data.
pub const CUSTOM_BYTES_MAX: usize = 256;

/// Sets marks (64 bits) and custom data of conversations. At most 1000 carry them or are in conversation groups.
#[derive(Deserialize, JsonSchema)]
pub struct Mark {
    /// Whose view; over the socket the caller's.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// What to set.
    #[serde(rename = "MarkItem")]
    pub items: Vec<MarkItem>,
}

/// What to set for one conversation.
#[derive(Deserialize, JsonSchema)]
pub struct MarkItem {
    /// 1 marks, 2 custom data, 3 both.
    #[serde(rename = "OptType")]
    pub kind: u8,
    /// Which conversation.
    #[serde(rename = "ContactItem")]
    pub contact: Contact,
    /// Bits to set, 0 to 63.
    #[serde(rename = "SetMark", default)]
    pub set: Vec<u8>,
    /// Bits to clear, 0 to 63.
    #[serde(rename = "ClearMark", default)]
    pub clear: Vec<u8>,
    /// The app's own text.
    #[serde(rename = "CustomMark", default)]
    pub custom: Option<String>,
}

/// One result per conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Marked {
    /// In the order of the request.
    #[serde(rename = "ResultItem")]
    pub items: Vec<MarkedItem>,
}

/// A conversation's result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MarkedItem {
    /// What was set: 1 marks, 2 custom data, 3 both.
    #[serde(rename = "OptType")]
    pub kind: u8,
    /// Which conversation, and whether it was done.
    #[serde(flatten)]
    pub result: ContactResult,
}

impl MarkItem {
    fn check(&self) -> Result<()> {
        if !(1..=3).contains(&self.kind) {
            return Err(ErrorCode::ContactBadParameter.because("OptType: 1, 2 or 3"));
        }
        if self.set.iter().chain(&self.clear).any(|bit| *bit > 63) {
            return Err(ErrorCode::ContactBadParameter.because("SetMark, ClearMark: bits 0 to 63"));
        }
        if self.custom.as_ref().is_some_and(|text| text.len() > CUSTOM_BYTES_MAX) {
            return Err(ErrorCode::ContactBadParameter
                .because(format!("CustomMark: at most {CUSTOM_BYTES_MAX} bytes")));
        }
        Ok(())
    }

    async fn apply(&self, call: &Call, owner: &engine::facts::AccountFact) -> Result<()> {
        self.check()?;
        let peer = self.contact.marked_peer(call).await?;
        let bits = |list: &[u8]| list.iter().fold(0_u64, |bits, bit| bits | 1 << bit);
        let (set, clear) = (bits(&self.set), bits(&self.clear));
        let change = |settings: &mut engine::facts::ContactSettings| {
            if self.kind != 2 {
                settings.marks = settings.marks & !clear | set;
            }
            if self.kind != 1 {
                settings.custom = self.custom.clone().unwrap_or_default();
            }
        };
        let contacts = &call.engine.contacts;
        let now = contacts.change(call.stamps(), call.app.id, owner.number, peer.number, change).await?;
        let frame = engine::push::marked(&peer.user, self.kind, &marks_text(&now), &now.custom);
        call.engine.hub.push(call.app.id, owner.number, &frame, call.instance());
        Ok(())
    }
}

impl Command for Mark {
    const SPEC: Spec =
        Spec::new("recentcontact/mark_contact", Family::CONTACT).callers(Callers::BOTH).fails_with(&[
            ErrorCode::ContactAccountUnknown,
            ErrorCode::TooManyConversations,
            ErrorCode::GroupConversationMissing,
            ErrorCode::TooManyMarkedConversations,
            ErrorCode::DiskFull,
        ]);

    type Reply = Marked;

    async fn run(self, call: &Call) -> Result<Marked> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        check_count(self.items.len())?;
        let mut items = Vec::with_capacity(self.items.len());
        for item in self.items {
            let outcome = item.apply(call, &owner).await;
            items.push(MarkedItem { kind: item.kind, result: item.contact.result(outcome)? });
        }
        Ok(Marked { items })
    }
}
