//! `whimbrel_receipts/get`: receipts of what was erased. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use engine::receipts::RECEIPTS_MAX;
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads receipts, a part of the chain at a time, the newest part first.
#[derive(Deserialize, JsonSchema)]
pub struct GetReceipts {
    /// Only receipts before this number: `Before` of the answer before. Absent: up to the newest.
    #[serde(rename = "Before", default)]
    pub before: Option<u64>,
    /// At most this many: 1 to 1000; 100, if absent.
    #[serde(rename = "Limit", default)]
    pub limit: Option<usize>,
}

/// A part of the chain.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReceiptPart {
    /// Lines for `whimbrel receipts verify`, the oldest first. Of receipts of other apps only number and hash are there.
    #[serde(rename = "Lines")]
    pub lines: Vec<String>,
    /// What verifies them, in hexadecimal (Ed25519).
    #[serde(rename = "PublicKey")]
    pub public_key: String,
    /// What asks for the part before this one; absent at the beginning of the chain.
    #[serde(rename = "Before", skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

impl Command for GetReceipts {
    const SPEC: Spec = Spec::new("whimbrel_receipts/get", Family::ACCOUNT)
        .per_second(20)
        .fails_with(&[ErrorCode::AccountBadParameter]);

    type Reply = ReceiptPart;

    async fn run(self, call: &Call) -> Result<ReceiptPart> {
        let limit = self.limit.unwrap_or(100);
        if !(1..=RECEIPTS_MAX).contains(&limit) {
            return Err(ErrorCode::AccountBadParameter.because("Limit: 1 to 1000"));
        }
        let (lines, before) = call.engine.receipts_for(call.app.id, self.before, limit).await?;
        Ok(ReceiptPart { lines, public_key: call.engine.receipt_public_key(), before })
    }
}
