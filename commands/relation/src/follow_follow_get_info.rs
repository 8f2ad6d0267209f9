//! `follow/follow_get_info`: says how many follow an account and how many it follows.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::follows::{accounts_of, follow_is_on};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 20;

/// Says of up to 20 accounts how many follow them and how many they follow. Everybody may ask about everybody.
#[derive(Deserialize, JsonSchema)]
pub struct GetFollowCounts {
    /// Who asks; over the socket the caller.
    #[serde(rename = "From_Account")]
    pub account: UserId,
    /// About whom.
    #[serde(rename = "To_Account")]
    pub others: Vec<AnyName>,
}

/// One item per account.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct FollowCounts {
    /// In the order of the request.
    #[serde(rename = "FollowInfo")]
    pub items: Vec<FollowCount>,
    /// Accounts that do not exist.
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

/// An account's numbers.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct FollowCount {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// How many follow it.
    #[serde(rename = "FollowerCount")]
    pub followers: u64,
    /// How many it follows.
    #[serde(rename = "FollowingCount")]
    pub following: u64,
    /// How many are both.
    #[serde(rename = "MutualFollowingCount")]
    pub mutual: u64,
    /// 0, or why nothing can be said.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

impl Command for GetFollowCounts {
    const SPEC: Spec = Spec::new("follow/follow_get_info", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown, ErrorCode::RelationRefused]);

    type Reply = FollowCounts;

    async fn run(self, call: &Call) -> Result<FollowCounts> {
        follow_is_on(call)?;
        let unknown = ErrorCode::RelationAccountUnknown;
        call.actor("From_Account", Some(&self.account), unknown).await?;
        let mut reply = FollowCounts::default();
        for (name, other) in accounts_of(call, "To_Account", self.others, ACCOUNTS_MAX).await? {
            let Some(other) = other else {
                let info = unknown.sentence().to_owned();
                reply.failed.push(name.clone());
                reply.items.push(FollowCount { name, code: unknown.number(), info, ..Default::default() });
                continue;
            };
            let counts = call.engine.follows.counts(call.app.id, other.number).await?;
            reply.items.push(FollowCount {
                name,
                followers: counts.followers,
                following: counts.following,
                mutual: counts.mutual,
                ..Default::default()
            });
        }
        Ok(reply)
    }
}
