//! `openim/c2c_msg_read_receipt`: sends read receipts for single messages.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{ErrorCode, MessageKey, Result, Seconds, UserId};
use ports::timeline::TARGETS_MAX;
use schemars::JsonSchema;
use serde::Deserialize;

/// Sends read receipts for messages that asked for them; others are left out.
#[derive(Deserialize, JsonSchema)]
pub struct SendReceipts {
    /// Who has read; over the socket the caller.
    #[serde(rename = "Operator_Account", default)]
    pub reader: Option<UserId>,
    /// Who had sent the messages.
    #[serde(rename = "Peer_Account")]
    pub author: UserId,
    /// Which messages.
    #[serde(rename = "C2CMsgInfo")]
    pub messages: Vec<MessageInfo>,
}

/// A message, named by its key (REST) or by its numbers (clients).
#[derive(Deserialize, JsonSchema)]
pub struct MessageInfo {
    /// Who had sent it: `Peer_Account`.
    #[serde(rename = "From_Account")]
    pub from: UserId,
    /// To whom: who has read.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Its key.
    #[serde(rename = "MsgKey", default)]
    pub key: Option<String>,
    /// Chosen by its sender.
    #[serde(rename = "MsgSeq", default)]
    pub sequence: Option<u32>,
    /// Chosen by its sender.
    #[serde(rename = "MsgRandom", default)]
    pub random: Option<u32>,
    /// When the server took it.
    #[serde(rename = "MsgTime", default)]
    pub time: Option<Seconds>,
}

impl MessageInfo {
    fn key(&self) -> Result<MessageKey> {
        match (&self.key, self.sequence, self.random, self.time) {
            (Some(key), ..) => {
                key.parse().map_err(|error| ErrorCode::KeyMalformed.in_field("C2CMsgInfo.MsgKey", error))
            }
            (None, Some(sequence), Some(random), Some(time)) => Ok(MessageKey { sequence, random, time }),
            _ => Err(ErrorCode::KeyMalformed.because("C2CMsgInfo: MsgKey, or MsgSeq, MsgRandom and MsgTime")),
        }
    }
}

impl Command for SendReceipts {
    const SPEC: Spec = Spec::new("openim/c2c_msg_read_receipt", Family::MESSAGE)
        .callers(Callers::BOTH)
        .fields(&[
            ("Operator_Account", ErrorCode::SenderUnknown),
            ("Peer_Account", ErrorCode::ReceiverMissing),
        ])
        .fails_with(&[ErrorCode::KeyMalformed, ErrorCode::TooManyAccounts]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        if self.messages.len() > TARGETS_MAX {
            return Err(
                ErrorCode::TooManyAccounts.because(format!("C2CMsgInfo: at most {TARGETS_MAX} messages"))
            );
        }
        let reader = call.actor("Operator_Account", self.reader.as_ref(), ErrorCode::SenderUnknown).await?;
        let author = call.account("Peer_Account", &self.author, ErrorCode::ReceiverMissing).await?;
        let mut keys = Vec::with_capacity(self.messages.len());
        for message in &self.messages {
            if message.from != author.user || message.to != reader.user {
                return Err(ErrorCode::MessageBadJson
                    .because("C2CMsgInfo: From_Account is the peer and To_Account who has read"));
            }
            keys.push(message.key()?);
        }
        call.engine.send_receipts(&call.app, &reader, &author, &keys, call.instance()).await?;
        Ok(Done {})
    }
}
