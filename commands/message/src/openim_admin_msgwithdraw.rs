//! `openim/admin_msgwithdraw`: recalls a message for both sides, as an administrator.

use command::{Call, Caller, Command, Done, Family, Spec};
use model::{ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

/// Recalls a one-to-one message for both sides, however old it is.
#[derive(Deserialize, JsonSchema)]
pub struct WithdrawMessage {
    /// Who had sent it.
    #[serde(rename = "From_Account")]
    pub from: UserId,
    /// To whom.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Which message.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
}

impl Command for WithdrawMessage {
    const SPEC: Spec = Spec::new("openim/admin_msgwithdraw", Family::MESSAGE)
        .fields(&[
            ("From_Account", ErrorCode::SenderUnknown),
            ("To_Account", ErrorCode::ReceiverMissing),
            ("MsgKey", ErrorCode::KeyMalformed),
        ])
        .fails_with(&[
            ErrorCode::RecallMessageMissing,
            ErrorCode::AlreadyRecalled,
            ErrorCode::ReceiverMissing,
        ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let from = call.account("From_Account", &self.from, ErrorCode::SenderUnknown).await?;
        let to = call.account("To_Account", &self.to, ErrorCode::ReceiverMissing).await?;
        let revoker = match &call.caller {
            Caller::Administrator(user) => {
                call.engine.accounts.ensure(call.stamps(), call.app.id, user).await?
            }
            Caller::Account(session) => session.account.clone(),
            Caller::Nobody => return Err(ErrorCode::NotLoggedIn.into()),
        };
        call.engine.recall(&call.app, &from, &to, self.key, &revoker, None).await?;
        Ok(Done {})
    }
}
