//! `whimbrel_export/create`: makes an export of everything that is kept of an account. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes an export: for 7 days everything that is kept of the account now and that it may see can be read.
#[derive(Deserialize, JsonSchema)]
pub struct CreateExport {
    /// Whose data.
    #[serde(rename = "UserID")]
    pub user: UserId,
}

/// An export.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Export {
    /// Names it.
    #[serde(rename = "ExportId")]
    pub id: String,
    /// When it was made.
    #[serde(rename = "MadeAt")]
    pub made_at: Seconds,
    /// Until when it can be read.
    #[serde(rename = "ReadableUntil")]
    pub until: Seconds,
}

impl Command for CreateExport {
    const SPEC: Spec =
        Spec::new("whimbrel_export/create", Family::ACCOUNT).fails_with(&[ErrorCode::AccountUnknown]);

    type Reply = Export;

    async fn run(self, call: &Call) -> Result<Export> {
        let fact = call.engine.begin_export(&call.app, &self.user).await?;
        Ok(Export { id: fact.token(), made_at: fact.made_at, until: fact.until })
    }
}
