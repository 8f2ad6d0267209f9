//! Frames about what accounts added to messages: extensions and reactions.

use bytes::Bytes;
use model::{AccountNumber, Seconds, UserId};
use serde_json::{Value, json};

use super::event;
use crate::annotations::{Operation, Pair};

/// What names to clients a message that something was added to.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Who sent it.
    pub author: AccountNumber,
    /// The sender's clock.
    pub client_time: Seconds,
    /// Chosen by the sender.
    pub random: u32,
}

impl Named {
    fn with_number(self) -> Value {
        json!({"TinyId": self.author.to_string(), "MsgClientTime": self.client_time, "MsgRandom": self.random})
    }

    fn extensions(self, kind: u8, field: &str, content: &Value, latest: u64) -> Bytes {
        let change = json!({
            "MsgOptType": kind,
            "ExtensionC2cMsgInfo": {"MsgClientTime": self.client_time, "MsgRandom": self.random},
            "TinyId": self.author.to_string(),
            "MsgLastSeq": latest,
            field: [content],
        });
        event(&json!({"Event": 19, "MsgExtensionNotify": change}))
    }
}

/// Tells which extensions of a message have another value, or were deleted.
#[must_use]
pub fn extensions_changed(message: Named, operation: Operation, pairs: &[&Pair], latest: u64) -> Bytes {
    let (kind, field) = match operation {
        Operation::Set => (1, "SetKVInfo"),
        Operation::Delete => (2, "DeleteKVInfo"),
    };
    let list: Vec<Value> = pairs
        .iter()
        .map(|pair| json!({"Key": pair.key, "Value": pair.value, "Seq": pair.sequence}))
        .collect();
    message.extensions(kind, field, &json!({ "MsgKeyValue": list }), latest)
}

/// Tells that all extensions of a message up to a sequence, the last one, were deleted.
#[must_use]
pub fn extensions_cleared(message: Named, cleared: u64) -> Bytes {
    message.extensions(3, "ClearKVInfo", &json!({ "ClearMsgSeq": cleared }), cleared)
}

/// Tells who has put a reaction under a message by now.
#[must_use]
pub fn reacted(message: Named, text: &str, count: usize, users: &[UserId]) -> Bytes {
    let mut summary = json!({"Reaction": text, "Count": count});
    // Without the list nobody is left.
    if !users.is_empty() {
        summary["Reaction_Account"] = json!(users);
    }
    let change = json!({"C2CMsgInfo": message.with_number(), "MsgReactionSummary": [summary]});
    event(&json!({"Event": 20, "MsgReactionNotifyList": [change]}))
}

/// Tells an account's instances that one of them put a reaction under a message, or took it back.
#[must_use]
pub fn reacted_elsewhere(message: Named, text: &str, is_added: bool) -> Bytes {
    let kind = if is_added { 1 } else { 2 };
    let change = json!({"C2CMsgInfo": message.with_number(), "Reaction": text, "MsgOptType": kind});
    event(&json!({"Event": 21, "MsgReactionNotify": change}))
}
