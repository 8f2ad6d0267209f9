//! `im_open_speech.ws_sentence_recognition`: writes speech down. Nothing here does.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::im_open_translate_ws_batch_trans_text::not_here;

/// Is refused: this server does not recognise speech. Clients hear it where they look for it, in `CmdErrorCode`.
#[derive(Deserialize, JsonSchema)]
pub struct Recognise {}

impl Command for Recognise {
    const SPEC: Spec = Spec::new("im_open_speech/ws_sentence_recognition", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::FeatureMissing]);

    type Reply = Done;

    async fn run(self, _: &Call) -> Result<Done> {
        Err(not_here())
    }
}
