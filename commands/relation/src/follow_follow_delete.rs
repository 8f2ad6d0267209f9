//! `follow/follow_delete`: ends that an account follows others.

use std::sync::Arc;

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::follow_follow_add::ACCOUNTS_MAX;
use crate::follows::{accounts_of, follow_is_on, results_of};
use crate::wire::Results;

/// Ends that an account follows up to 20 others. All instances of both sides are told.
///
/// Whom it does not follow stays as it is, without error.
#[derive(Deserialize, JsonSchema)]
pub struct Unfollow {
    /// Who follows; over the socket the caller.
    #[serde(rename = "From_Account")]
    pub follower: UserId,
    /// Whom to follow no longer.
    #[serde(rename = "To_Account")]
    pub others: Vec<AnyName>,
}

impl Command for Unfollow {
    const SPEC: Spec = Spec::new("follow/follow_delete", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown, ErrorCode::RelationRefused]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        follow_is_on(call)?;
        let code = ErrorCode::RelationAccountUnknown;
        let follower = call.actor("From_Account", Some(&self.follower), code).await?;
        let named = accounts_of(call, "To_Account", self.others, ACCOUNTS_MAX).await?;
        let others: Vec<_> =
            named.iter().filter_map(|(_, account)| account.as_ref().map(Arc::clone)).collect();
        let refused = call.engine.unfollow(&call.app, &follower, &others).await?;
        Ok(results_of(named, &refused))
    }
}
