//! `whimbrel_retention/apply`: changes the retention as it was proposed. A service of Whimbrel's own.

use command::{Call, Caller, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::Change;

/// Applies what was proposed within the last hour. When this is answered, what is too old by then is invisible.
#[derive(Deserialize, JsonSchema)]
pub struct ApplyRetention {
    /// As the proposal said.
    #[serde(rename = "Token")]
    pub token: String,
}

impl Command for ApplyRetention {
    const SPEC: Spec = Spec::new("whimbrel_retention/apply", Family::ACCOUNT)
        .per_second(10)
        .fails_with(&[ErrorCode::ProposalUnknown, ErrorCode::DiskFull]);

    type Reply = Change;

    async fn run(self, call: &Call) -> Result<Change> {
        let by = match &call.caller {
            Caller::Administrator(user) => user.as_str(),
            _ => "",
        };
        Ok(call.engine.apply_retention(call.app.id, &self.token, by).await?.into())
    }
}
