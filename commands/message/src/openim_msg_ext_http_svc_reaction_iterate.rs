//! `openim_msg_ext_http_svc.reaction_iterate`: who has put one reaction under a one-to-one message.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::target::{FIELD_ERRORS, Sides};

/// Lists all accounts that have put one reaction under a one-to-one message: at most 100, in one page.
#[derive(Deserialize, JsonSchema)]
pub struct GetReacted {
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
}

/// Who has put a reaction under a message.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reacted {
    /// In the order in which they did.
    #[serde(rename = "Reaction_Account")]
    pub users: Vec<UserId>,
    /// 0: there are no more.
    #[serde(rename = "NextSeq")]
    pub next: u64,
}

impl Command for GetReacted {
    const SPEC: Spec = Spec::new("openim_msg_ext_http_svc/reaction_iterate", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fields(FIELD_ERRORS)
        .fails_with(&[ErrorCode::KeyMalformed]);

    type Reply = Reacted;

    async fn run(self, call: &Call) -> Result<Reacted> {
        let from = self.from.as_ref();
        let (_, message) = Sides::reacted(call, from, &self.to, self.key, &self.reaction).await?;
        let reactions = call.engine.reactions(call.app.id, &message).await?;
        let found = reactions.into_iter().find(|reaction| reaction.text == self.reaction);
        let numbers = found.map(|reaction| reaction.by).unwrap_or_default();
        Ok(Reacted { users: call.engine.names(call.app.id, &numbers).await?, next: 0 })
    }
}
