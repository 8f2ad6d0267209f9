//! `follow/follow_check`: says who follows whom.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::follows::{accounts_of, follow_is_on};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 100;

/// Says of up to 100 accounts whether they follow an account and whether it follows them.
#[derive(Deserialize, JsonSchema)]
pub struct CheckFollows {
    /// Who; over the socket the caller.
    #[serde(rename = "From_Account")]
    pub account: UserId,
    /// Whom to check.
    #[serde(rename = "To_Account")]
    pub others: Vec<AnyName>,
}

/// One result per account.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Checked {
    /// In the order of the request.
    #[serde(rename = "ResultItem")]
    pub items: Vec<CheckedItem>,
    /// Accounts that do not exist.
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

/// An account's result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedItem {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// 0 neither follows the other, 1 it follows `From_Account`, 2 `From_Account` follows it, 3 both.
    #[serde(rename = "FollowType")]
    pub kind: u8,
    /// 0, or why it could not be checked.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

impl Command for CheckFollows {
    const SPEC: Spec = Spec::new("follow/follow_check", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown, ErrorCode::RelationRefused]);

    type Reply = Checked;

    async fn run(self, call: &Call) -> Result<Checked> {
        follow_is_on(call)?;
        let unknown = ErrorCode::RelationAccountUnknown;
        let account = call.actor("From_Account", Some(&self.account), unknown).await?;
        let mut reply = Checked::default();
        for (name, other) in accounts_of(call, "To_Account", self.others, ACCOUNTS_MAX).await? {
            let Some(other) = other else {
                let info = unknown.sentence().to_owned();
                reply.failed.push(name.clone());
                reply.items.push(CheckedItem { name, kind: 0, code: unknown.number(), info });
                continue;
            };
            let follows = &call.engine.follows;
            let kind = match follows.between(call.app.id, account.number, other.number).await? {
                (false, false) => 0,
                (false, true) => 1,
                (true, false) => 2,
                (true, true) => 3,
            };
            reply.items.push(CheckedItem { name, kind, code: 0, info: String::new() });
        }
        Ok(reply)
    }
}
