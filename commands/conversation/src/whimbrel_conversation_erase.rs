//! `whimbrel_conversation/erase`: erases what two accounts said to each other, for both. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Erases the history of a conversation so far, for both sides. Hidden when this is answered, emptied within a minute,
/// unrecoverable with the next generation of keys. The conversation itself goes on.
#[derive(Deserialize, JsonSchema)]
pub struct EraseConversation {
    /// One side.
    #[serde(rename = "From_Account")]
    pub from: UserId,
    /// The other side.
    #[serde(rename = "To_Account")]
    pub to: UserId,
}

/// What shows the erasure in receipts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Erased {
    /// The number of the receipt that it is hidden.
    #[serde(rename = "Receipt")]
    pub receipt: u64,
    /// What names the conversation in receipts: SHA-256 over salt, SDKAppID (4 bytes, big endian) and both UserIDs, the
    /// smaller one first, joined by a line feed.
    #[serde(rename = "Commitment")]
    pub commitment: String,
    /// The salt, in hexadecimal; kept nowhere.
    #[serde(rename = "Salt")]
    pub salt: String,
}

impl Command for EraseConversation {
    const SPEC: Spec = Spec::new("whimbrel_conversation/erase", Family::CONTACT)
        .fails_with(&[ErrorCode::AccountUnknown, ErrorCode::DiskFull]);

    type Reply = Erased;

    async fn run(self, call: &Call) -> Result<Erased> {
        let erasure = call.engine.erase_conversation(&call.app, &self.from, &self.to).await?;
        let engine::conversation_erasure::ConversationErasure { salt, commitment, receipt } = erasure;
        Ok(Erased { receipt, commitment, salt })
    }
}
