//! `im_long_msg.get_relay_json_msg`: reads merged messages that are stored apart.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Reads merged messages that were stored apart from the message that names them.
///
/// Whoever is logged in to the app and has the key can read them: it travels in the message, and with it when that is
/// forwarded. A list whose time is over, or whose author was erased, is not there any more.
#[derive(Deserialize, JsonSchema)]
pub struct ReadMerged {
    /// The key, as the message has it.
    #[serde(rename = "JsonMsgKey")]
    pub key: String,
}

/// Merged messages.
#[derive(Serialize, JsonSchema)]
pub struct MergedMessages {
    /// As they were stored.
    #[serde(rename = "MsgList")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub messages: Box<RawValue>,
}

impl Command for ReadMerged {
    const SPEC: Spec = Spec::new("im_long_msg/get_relay_json_msg", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fields(&[("JsonMsgKey", ErrorCode::KeyMalformed)])
        .fails_with(&[ErrorCode::KeyMalformed]);

    type Reply = MergedMessages;

    async fn run(self, call: &Call) -> Result<MergedMessages> {
        let list = call.engine.merged(call.app.id, &self.key).await?;
        let list = list.ok_or_else(|| {
            ErrorCode::KeyMalformed.because("JsonMsgKey: no such list, or its time is over")
        })?;
        let text = String::from_utf8(list).ok().and_then(|text| RawValue::from_string(text).ok());
        let messages = text.ok_or(ErrorCode::MessageServiceUnavailable)?;
        Ok(MergedMessages { messages })
    }
}
