//! `openim_msg_ext_http_svc.reaction_add`: puts a reaction under a one-to-one message.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::target::{FIELD_ERRORS, Sides, check_own, maker};

/// Puts the caller's reaction under a one-to-one message. A message has at most 10 different reactions.
#[derive(Deserialize, JsonSchema)]
pub struct AddReaction {
    /// Who sent the message. The caller, if absent.
    #[serde(rename = "From_Account", default)]
    pub from: Option<UserId>,
    /// To whom it was sent.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Which message.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
    /// The reaction, 1 to 64 bytes.
    #[serde(rename = "Reaction")]
    pub reaction: String,
    /// Whose reaction: the caller's.
    #[serde(rename = "Add_Account", default)]
    pub users: Vec<UserId>,
}

impl Command for AddReaction {
    const SPEC: Spec = Spec::new("openim_msg_ext_http_svc/reaction_add", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fields(FIELD_ERRORS)
        .fails_with(&[
            ErrorCode::BlockedByReceiver,
            ErrorCode::NotFriends,
            ErrorCode::SenderNotFriend,
            ErrorCode::ReceiverNotFriend,
            ErrorCode::KeyMalformed,
            ErrorCode::SenderUnknown,
            ErrorCode::TooManyReactions,
            ErrorCode::TooManyReacted,
            ErrorCode::AlreadyReacted,
            ErrorCode::DiskFull,
        ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        check_own(call, "Add_Account", &self.users).await?;
        let from = self.from.as_ref();
        let (sides, message) = Sides::reacted(call, from, &self.to, self.key, &self.reaction).await?;
        sides.check_writing(call, &message).await?;
        call.engine.react(&call.app, &message, maker(call).await?, &self.reaction).await?;
        Ok(Done {})
    }
}
