//! `openim_msg_ext_http_svc.reaction_del`: takes a reaction off a one-to-one message.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::target::{FIELD_ERRORS, Sides, check_own, maker};

/// Takes the caller's reaction off a one-to-one message.
#[derive(Deserialize, JsonSchema)]
pub struct RemoveReaction {
    /// Who sent the message. The caller, if absent.
    #[serde(rename = "From_Account", default)]
    pub from: Option<UserId>,
    /// To whom it was sent.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Which message.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
    /// The reaction.
    #[serde(rename = "Reaction")]
    pub reaction: String,
    /// Whose reaction: the caller's.
    #[serde(rename = "Del_Account", default)]
    pub users: Vec<UserId>,
}

impl Command for RemoveReaction {
    const SPEC: Spec = Spec::new("openim_msg_ext_http_svc/reaction_del", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fields(FIELD_ERRORS)
        .fails_with(&[
            ErrorCode::KeyMalformed,
            ErrorCode::SenderUnknown,
            ErrorCode::ReactionMissing,
            ErrorCode::NotReacted,
        ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        check_own(call, "Del_Account", &self.users).await?;
        let from = self.from.as_ref();
        let (_, message) = Sides::reacted(call, from, &self.to, self.key, &self.reaction).await?;
        let maker = maker(call).await?;
        call.engine.take_reaction_back(&call.app, &message, maker, &self.reaction).await?;
        Ok(Done {})
    }
}
