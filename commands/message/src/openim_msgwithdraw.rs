//! `openim.msgwithdraw`: recalls an own message for both sides.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{ErrorCode, MessageKey, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

/// Recalls an own message within the app's recall window.
#[derive(Deserialize, JsonSchema)]
pub struct RecallMessage {
    /// Which message.
    #[serde(rename = "MsgInfo")]
    pub message: MessageInfo,
}

/// The fields that name a message to clients.
#[derive(Deserialize, JsonSchema)]
pub struct MessageInfo {
    /// Who had sent it.
    #[serde(rename = "From_Account")]
    pub from: UserId,
    /// To whom.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Chosen by the sender.
    #[serde(rename = "MsgSeq")]
    pub sequence: u32,
    /// Chosen by the sender.
    #[serde(rename = "MsgRandom")]
    pub random: u32,
    /// When the server took it.
    #[serde(rename = "MsgTimeStamp")]
    pub time: Seconds,
}

impl Command for RecallMessage {
    const SPEC: Spec =
        Spec::new("openim/msgwithdraw", Family::MESSAGE).callers(Callers::ACCOUNT).fails_with(&[
            ErrorCode::RecallMessageMissing,
            ErrorCode::AlreadyRecalled,
            ErrorCode::RecallTooLate,
            ErrorCode::SenderUnknown,
        ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let message = self.message;
        let from = call.actor("MsgInfo.From_Account", Some(&message.from), ErrorCode::SenderUnknown).await?;
        let to = call.account("MsgInfo.To_Account", &message.to, ErrorCode::RecallMessageMissing).await?;
        let key = MessageKey { sequence: message.sequence, random: message.random, time: message.time };
        let window = Some((call.app.settings.recall_seconds, call.instance()));
        call.engine.recall(&call.app, &from, &to, key, &from, window).await?;
        Ok(Done {})
    }
}
