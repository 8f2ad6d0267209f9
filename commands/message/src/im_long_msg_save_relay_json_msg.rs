//! `im_long_msg.save_relay_json_msg`: stores merged messages that are too large to travel in one message.

use command::{Call, Callers, Command, Family, Spec};
use model::element::{MERGED_MESSAGES_MAX, describe};
use model::{Error, ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The most digits of an account's number.
const NUMBER_DIGITS_MAX: usize = 20;

/// Stores merged messages that are too large for one message, for as long as the app keeps messages.
///
/// Clients do so with more than 11,264 bytes. The key in the answer travels in the message: whoever is logged in to the app
/// and has it can read the list. A recall of the message does not take the list away, an erasure of its author does.
#[derive(Deserialize, JsonSchema)]
pub struct StoreMerged {
    /// 1 to 300 messages (page 1047/34381), at most 768,000 bytes as JSON. Each has a `MsgBody`. An account stores at most 32 MiB a
    /// day (UTC); a list counts as 1 KiB at least.
    #[serde(rename = "MsgList")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub messages: Vec<Box<RawValue>>,
}

/// By what the list is read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StoredMerged {
    /// For clients that read JSON.
    #[serde(rename = "JsonMsgKey")]
    pub json_key: String,
    /// The same.
    #[serde(rename = "PbMsgKey")]
    pub pb_key: String,
}

impl Command for StoreMerged {
    const SPEC: Spec = Spec::new("im_long_msg/save_relay_json_msg", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[
            ErrorCode::MessageTooLong,
            ErrorCode::CommandTooOften,
            ErrorCode::ElementMalformed,
            ErrorCode::NotStored,
            ErrorCode::DiskFull,
        ]);

    type Reply = StoredMerged;

    async fn run(self, call: &Call) -> Result<StoredMerged> {
        let author = call.actor("From_Account", None, ErrorCode::SenderUnknown).await?;
        let list = written(&self.messages)?;
        let key = call.engine.store_merged(&call.app, &author, list).await?;
        Ok(StoredMerged { json_key: key.clone(), pb_key: key })
    }
}

/// What is looked at of a merged message; the rest stays as it came.
#[derive(Deserialize)]
struct Merged<'a> {
    #[serde(rename = "MsgBody", borrow)]
    body: &'a RawValue,
    #[serde(rename = "Id", borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(rename = "TinyId", borrow, default)]
    number: Option<&'a RawValue>,
}

/// The list as it is stored: the messages as they came, and with the numbers of their senders where those are missing.
fn written(messages: &[Box<RawValue>]) -> Result<Vec<u8>> {
    if messages.is_empty() || messages.len() > MERGED_MESSAGES_MAX {
        let most = MERGED_MESSAGES_MAX;
        return Err(ErrorCode::ElementMalformed.because(format!("MsgList: 1 to {most} messages")));
    }
    let mut out = Vec::with_capacity(messages.iter().map(|message| message.get().len() + 40).sum());
    for (index, message) in messages.iter().enumerate() {
        out.push(if index == 0 { b'[' } else { b',' });
        write(&mut out, index, message.get())?;
    }
    out.push(b']');
    Ok(out)
}

fn write(out: &mut Vec<u8>, index: usize, text: &str) -> Result<()> {
    let refuse =
        |what: String| -> Error { ErrorCode::MessageBadJson.because(format!("MsgList[{index}]{what}")) };
    // serde would take a list for the fields in their order.
    let Some(fields) = text.strip_prefix('{') else { return Err(refuse(": not an object".to_owned())) };
    let merged: Merged<'_> =
        serde_json::from_str(text).map_err(|error| refuse(format!(": {}", describe(&error))))?;
    if !merged.body.get().starts_with('[') {
        return Err(refuse(".MsgBody: not an array".to_owned()));
    }
    out.push(b'{');
    if let (None, Some(number)) = (merged.number, merged.id.and_then(|id| author_of(id.get()))) {
        // A receiver needs it to tell whose message it was, and the SDK does not send it.
        out.extend_from_slice(format!(r#""TinyId":"{number}","#).as_bytes());
    }
    out.extend_from_slice(fields.as_bytes());
    Ok(())
}

/// The number that a message's ID begins with: `NUMBER-TIME-RANDOM`.
fn author_of(id: &str) -> Option<&str> {
    let number = id.strip_prefix('"')?.split('-').next()?;
    let is_number =
        (1..=NUMBER_DIGITS_MAX).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some(number)
}
