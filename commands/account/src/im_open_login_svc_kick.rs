//! `im_open_login_svc/kick`: ends an account's logins.

use command::{Call, Command, Done, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

/// Ends every login of an account and makes every earlier UserSig worthless.
///
/// UserSigs carry whole seconds: the answer comes when the next second has begun, so that one made after it works.
#[derive(Deserialize, JsonSchema)]
pub struct Kick {
    /// The account.
    #[serde(rename = "UserID", alias = "Identifier")]
    pub user: UserId,
}

impl Command for Kick {
    const SPEC: Spec =
        Spec::new("im_open_login_svc/kick", Family::ACCOUNT).fails_with(&[ErrorCode::AccountUnknown]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        call.engine.kick(&call.app, &self.user).await?;
        Ok(Done {})
    }
}
