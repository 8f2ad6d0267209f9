//! `im_open_status.ws_set_custom_status`: sets what the caller says about itself.

use command::{Call, Callers, Command, Done, Family, Spec};
use engine::presence::CUSTOM_STATUS_BYTES_MAX;
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::status_is_on;

/// Sets what the caller says about itself, at most 100 bytes; empty to say nothing.
#[derive(Deserialize, JsonSchema)]
pub struct SetCustomStatus {
    /// Plain text here, base64 wherever it is read.
    #[serde(rename = "CustomStatus", default)]
    pub text: String,
}

impl Command for SetCustomStatus {
    const SPEC: Spec = Spec::new("im_open_status/ws_set_custom_status", Family::ACCOUNT)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::StatusOff]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        status_is_on(call)?;
        if self.text.len() > CUSTOM_STATUS_BYTES_MAX {
            return Err(ErrorCode::AccountBadParameter
                .because(format!("CustomStatus: at most {CUSTOM_STATUS_BYTES_MAX} bytes")));
        }
        let account = call.actor("From_Account", None, ErrorCode::AccountBadParameter).await?;
        call.engine.presence.set_custom_status(call.stamps(), call.app.id, &account, &self.text).await?;
        Ok(Done {})
    }
}
