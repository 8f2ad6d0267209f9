//! `openim_msg_ext_http_svc/set_key_values`: sets, deletes or clears extensions of a one-to-one message.

use command::{Call, Callers, Command, Family, Spec};
use engine::annotations::{EXTENSIONS_AT_ONCE, KEY_BYTES_MAX, Operation, Outcome, Pair, VALUE_BYTES_MAX};
use model::{ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::target::{FIELD_ERRORS, Sides, maker};

/// Sets, deletes or clears extensions (keys and values) of a one-to-one message that was sent with support for them.
///
/// A message has at most 300 keys. Each change of a message's extensions has the next sequence. An account has to send with a
/// key the sequence that it knows (0 for a new key) and is refused with 23001 and the current value if that is not the current
/// one; an administrator's calls are not checked.
#[derive(Deserialize, JsonSchema)]
pub struct SetExtensions {
    /// Who sent the message. The caller, if absent.
    #[serde(rename = "From_Account", default)]
    pub from: Option<UserId>,
    /// To whom it was sent.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Which message.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
    /// 1: set; 2: delete; 3: delete all.
    #[serde(rename = "OperateType")]
    pub operation: u8,
    /// The keys to set or to delete, 1 to 20; none to delete all.
    #[serde(rename = "ExtensionList", default)]
    pub list: Vec<Extension>,
}

/// A key and its value.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Extension {
    /// The key, 1 to 100 bytes.
    #[serde(rename = "Key")]
    pub key: String,
    /// The value, 1 to 1000 bytes; empty for a key that is deleted.
    #[serde(rename = "Value", default)]
    pub value: String,
    /// The sequence of its last change.
    #[serde(rename = "Seq", default)]
    pub sequence: u64,
}

impl From<Pair> for Extension {
    fn from(pair: Pair) -> Self {
        Self { key: pair.key, value: pair.value, sequence: pair.sequence }
    }
}

/// What became of one key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExtensionResult {
    /// 0: done; 23001: changed by somebody else meanwhile; 23004: there is no such key.
    #[serde(rename = "ErrorCode")]
    pub code: i64,
    /// The key as it is now.
    #[serde(rename = "Extension")]
    pub extension: Extension,
}

impl From<Outcome> for ExtensionResult {
    fn from(outcome: Outcome) -> Self {
        Self { code: outcome.error.map_or(0, ErrorCode::number), extension: outcome.pair.into() }
    }
}

/// What became of each key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SetExtensionsResult {
    /// In the order of the request.
    #[serde(rename = "ExtensionList")]
    pub list: Vec<ExtensionResult>,
    /// The sequence of the last change of the message's extensions.
    #[serde(rename = "Seq")]
    pub latest: u64,
}

impl SetExtensions {
    fn check(&self, operation: Operation) -> Result<()> {
        let refuse = |what: String| Err(ErrorCode::MessageBadJson.because(what));
        if self.list.is_empty() || self.list.len() > EXTENSIONS_AT_ONCE {
            return refuse(format!("ExtensionList: 1 to {EXTENSIONS_AT_ONCE} keys"));
        }
        for (index, item) in self.list.iter().enumerate() {
            if item.key.is_empty() || item.key.len() > KEY_BYTES_MAX {
                return refuse(format!("ExtensionList[{index}].Key: 1 to {KEY_BYTES_MAX} bytes"));
            }
            // Clients take an empty value for none.
            let is_wrong = item.value.is_empty() && operation == Operation::Set;
            if is_wrong || item.value.len() > VALUE_BYTES_MAX {
                return refuse(format!("ExtensionList[{index}].Value: 1 to {VALUE_BYTES_MAX} bytes"));
            }
        }
        Ok(())
    }
}

impl Command for SetExtensions {
    const SPEC: Spec = Spec::new("openim_msg_ext_http_svc/set_key_values", Family::MESSAGE)
        .callers(Callers::BOTH)
        .fields(FIELD_ERRORS)
        .fails_with(&[
            ErrorCode::BlockedByReceiver,
            ErrorCode::NotFriends,
            ErrorCode::SenderNotFriend,
            ErrorCode::ReceiverNotFriend,
            ErrorCode::KeyMalformed,
            ErrorCode::SenderUnknown,
            ErrorCode::ReceiverMissing,
            ErrorCode::ExtensionConflict,
            ErrorCode::ExtensionMissing,
            ErrorCode::DiskFull,
        ]);

    type Reply = SetExtensionsResult;

    async fn run(self, call: &Call) -> Result<SetExtensionsResult> {
        let operation = match self.operation {
            1 => Some(Operation::Set),
            2 => Some(Operation::Delete),
            3 => None,
            _ => return Err(ErrorCode::MessageBadJson.because("OperateType: 1, 2 or 3")),
        };
        if let Some(operation) = operation {
            self.check(operation)?;
        }
        let sides = Sides::of(call, self.from.as_ref(), &self.to).await?;
        let message = sides.message(call, self.key).await?;
        sides.check_writing(call, &message).await?;
        let (engine, maker) = (&call.engine, maker(call).await?);
        let Some(operation) = operation else {
            let latest = engine.clear_extensions(&call.app, &message, maker).await?;
            return Ok(SetExtensionsResult { list: Vec::new(), latest });
        };
        let pair = |item: Extension| Pair { key: item.key, value: item.value, sequence: item.sequence };
        let pairs: Vec<Pair> = self.list.into_iter().map(pair).collect();
        let is_checked = !call.is_administrator();
        let changed =
            engine.change_extensions(&call.app, &message, maker, operation, &pairs, is_checked).await?;
        let list = changed.outcomes.into_iter().map(ExtensionResult::from).collect();
        Ok(SetExtensionsResult { list, latest: changed.latest })
    }
}
