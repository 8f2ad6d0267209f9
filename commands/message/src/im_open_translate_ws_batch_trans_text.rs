//! `im_open_translate.ws_batch_trans_text`: translates texts. Nothing here translates.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{Error, ErrorCode, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// Is refused: this server has no translation. Clients hear it where they look for it, in `CmdErrorCode`.
#[derive(Deserialize, JsonSchema)]
pub struct Translate {}

/// The refusal of a service that clients ask for and that is not here: they look for its number in `CmdErrorCode` only.
pub(crate) fn not_here() -> Error {
    let code = ErrorCode::FeatureMissing;
    let told = serde_json::json!({"ErrorCode": code.number(), "ErrorInfo": code.sentence()});
    Error::from(code).with_details(format!("\"CmdErrorCode\":{told}"))
}

impl Command for Translate {
    const SPEC: Spec = Spec::new("im_open_translate/ws_batch_trans_text", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::FeatureMissing]);

    type Reply = Done;

    async fn run(self, _: &Call) -> Result<Done> {
        Err(not_here())
    }
}
