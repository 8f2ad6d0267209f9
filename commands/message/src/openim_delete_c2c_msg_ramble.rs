//! `openim/delete_c2c_msg_ramble`: deletes messages from one side's view.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most messages of one call.
pub const MESSAGES_MAX: usize = 30;

/// Deletes messages from one side's view; the other side keeps them.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteMessages {
    /// Whose view (REST).
    #[serde(rename = "Operator_Account", default)]
    pub operator: Option<UserId>,
    /// Whose view (clients: the caller).
    #[serde(rename = "From_Account", default)]
    pub from: Option<UserId>,
    /// The other side (REST).
    #[serde(rename = "Peer_Account", default)]
    pub peer: Option<UserId>,
    /// The other side (clients).
    #[serde(rename = "To_Account", default)]
    pub to: Option<UserId>,
    /// Which messages.
    #[serde(rename = "MsgKeyList")]
    pub keys: Vec<String>,
}

/// Which keys were none.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedMessages {
    /// Keys that are malformed.
    #[serde(rename = "InvalidMsgKeyList", skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<String>,
}

impl Command for DeleteMessages {
    const SPEC: Spec = Spec::new("openim/delete_c2c_msg_ramble", Family::MESSAGE)
        .callers(Callers::BOTH)
        .fields(&[
            ("Operator_Account", ErrorCode::SenderUnknown),
            ("From_Account", ErrorCode::SenderUnknown),
            ("Peer_Account", ErrorCode::ReceiverMissing),
            ("To_Account", ErrorCode::ReceiverMissing),
            ("MsgKeyList", ErrorCode::KeyMalformed),
        ])
        .fails_with(&[ErrorCode::KeyMalformed]);

    type Reply = DeletedMessages;

    async fn run(self, call: &Call) -> Result<DeletedMessages> {
        if self.keys.is_empty() || self.keys.len() > MESSAGES_MAX {
            return Err(ErrorCode::KeyMalformed.because(format!("MsgKeyList: 1 to {MESSAGES_MAX} keys")));
        }
        let operator = self.operator.or(self.from);
        let operator = call.actor("Operator_Account", operator.as_ref(), ErrorCode::SenderUnknown).await?;
        let Some(peer) = self.peer.or(self.to) else {
            return Err(ErrorCode::ReceiverMissing.because("Peer_Account: is missing"));
        };
        let peer = call.account("Peer_Account", &peer, ErrorCode::ReceiverMissing).await?;
        let (mut keys, mut invalid) = (Vec::new(), Vec::new());
        for text in self.keys {
            match text.parse::<MessageKey>() {
                Ok(key) => keys.push(key),
                Err(_) => invalid.push(text),
            }
        }
        call.engine.delete_messages(&call.app, &operator, &peer, &keys, call.instance()).await?;
        Ok(DeletedMessages { invalid })
    }
}
