//! `openim_msg_ext_http_svc/get_key_values`: the extensions of a one-to-one message.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::openim_msg_ext_http_svc_set_key_values::Extension;
use crate::target::{FIELD_ERRORS, Sides};

/// Lists the extensions of a one-to-one message, 200 at a time, in the order of their sequences.
#[derive(Deserialize, JsonSchema)]
pub struct GetExtensions {
    /// Who sent the message. The caller, if absent.
    #[serde(rename = "From_Account", default)]
    pub from: Option<UserId>,
    /// To whom it was sent.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Which message.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
    /// Only what has this sequence or a later one; then also keys that were deleted since, with empty values.
    #[serde(rename = "StartSeq", alias = "startSeq", default)]
    pub start: Option<u64>,
}

/// A page of extensions.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExtensionPage {
    /// Keys and values.
    #[serde(rename = "ExtensionList")]
    pub list: Vec<Extension>,
    /// 1: there are no more; 0: go on after the last sequence.
    #[serde(rename = "CompleteFlag")]
    pub is_complete: u8,
    /// The sequence of the last change of the message's extensions.
    #[serde(rename = "LatestSeq")]
    pub latest: u64,
    /// What has this sequence or an earlier one was cleared.
    #[serde(rename = "ClearSeq")]
    pub cleared: u64,
}

impl Command for GetExtensions {
    const SPEC: Spec = Spec::new("openim_msg_ext_http_svc/get_key_values", Family::MESSAGE)
        .callers(Callers::BOTH)
        .fields(FIELD_ERRORS)
        .fails_with(&[ErrorCode::KeyMalformed, ErrorCode::SenderUnknown, ErrorCode::ReceiverMissing]);

    type Reply = ExtensionPage;

    async fn run(self, call: &Call) -> Result<ExtensionPage> {
        let sides = Sides::of(call, self.from.as_ref(), &self.to).await?;
        let message = sides.message(call, self.key).await?;
        let found = call.engine.extensions(&call.app, &message, self.start.unwrap_or(0)).await?;
        Ok(ExtensionPage {
            list: found.pairs.into_iter().map(Extension::from).collect(),
            is_complete: u8::from(found.is_complete),
            latest: found.latest,
            cleared: found.cleared,
        })
    }
}
