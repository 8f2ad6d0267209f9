//! `follow/follow_add`: lets an account follow others.

use std::sync::Arc;

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::follows::{accounts_of, follow_is_on, results_of};
use crate::wire::Results;

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 20;

/// Lets an account follow up to 20 others, 5000 in all. All instances of both sides are told.
///
/// Whom it follows already stays as it is, without error. Nobody follows himself (30001), whom he has blocked (30515) or who
/// has blocked him (30525); what began before a block stays.
#[derive(Deserialize, JsonSchema)]
pub struct Follow {
    /// Who follows; over the socket the caller.
    #[serde(rename = "From_Account")]
    pub follower: UserId,
    /// Whom to follow.
    #[serde(rename = "FollowItem")]
    pub items: Vec<Item>,
}

/// An account to follow.
#[derive(Deserialize, JsonSchema)]
pub struct Item {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: AnyName,
}

impl Command for Follow {
    const SPEC: Spec = Spec::new("follow/follow_add", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationRefused,
            ErrorCode::FriendsFull,
            ErrorCode::BlockedByOwner,
            ErrorCode::BlockedByOther,
            ErrorCode::DiskFull,
        ]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        follow_is_on(call)?;
        let code = ErrorCode::RelationAccountUnknown;
        let follower = call.actor("From_Account", Some(&self.follower), code).await?;
        let names = self.items.into_iter().map(|item| item.name).collect();
        let named = accounts_of(call, "FollowItem", names, ACCOUNTS_MAX).await?;
        let others: Vec<_> =
            named.iter().filter_map(|(_, account)| account.as_ref().map(Arc::clone)).collect();
        let refused = call.engine.follow(&call.app, &follower, &others).await?;
        Ok(results_of(named, &refused))
    }
}
