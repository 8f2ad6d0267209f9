//! `sns/friend_check`: says who has whom on the list of friends.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use engine::relations::ACCOUNTS_MAX;
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{account, check_batch};

/// Says for up to 1000 accounts whether they are friends, and with `_Both` whether they have the caller too.
#[derive(Deserialize, JsonSchema)]
pub struct CheckFriends {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Who may be on it.
    #[serde(rename = "To_Account")]
    pub others: Vec<AnyName>,
    /// One direction or both.
    #[serde(rename = "CheckType")]
    pub kind: CheckKind,
}

/// Which directions to check.
#[derive(Clone, Copy, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum CheckKind {
    /// Only the caller's list.
    #[serde(rename = "CheckResult_Type_Single", alias = "CheckResult_Type_Singal")]
    Single,
    /// Also the others'.
    #[serde(rename = "CheckResult_Type_Both")]
    Both,
}

/// One result per account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// In the order of the request.
    #[serde(rename = "InfoItem")]
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
    /// Who has whom; A is the caller, B the other.
    #[serde(rename = "Relation")]
    pub relation: &'static str,
    /// 0, or why it could not be checked.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

const NO_RELATION: &str = "CheckResult_Type_NoRelation";

impl Command for CheckFriends {
    const SPEC: Spec = Spec::new("sns/friend_check", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = Checked;

    async fn run(self, call: &Call) -> Result<Checked> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        check_batch("To_Account", self.others.len(), ACCOUNTS_MAX)?;
        let (relations, app) = (&call.engine.relations, call.app.id);
        let mut reply = Checked { items: Vec::new(), failed: Vec::new() };
        for name in self.others {
            let other = match account(call, &name).await? {
                Ok(other) => other,
                Err(error) => {
                    let (code, info) = (error.code.number(), error.info.into_owned());
                    reply.failed.push(name.0.clone());
                    reply.items.push(CheckedItem { name: name.0, relation: NO_RELATION, code, info });
                    continue;
                }
            };
            let has = relations.friend(app, owner.number, other.number).await?.is_some();
            let is_had = self.kind == CheckKind::Both
                && relations.friend(app, other.number, owner.number).await?.is_some();
            let relation = match (has, is_had) {
                (false, false) => NO_RELATION,
                (true, false) => "CheckResult_Type_AWithB",
                (false, true) => "CheckResult_Type_BWithA",
                (true, true) => "CheckResult_Type_BothWay",
            };
            reply.items.push(CheckedItem { name: name.0, relation, code: 0, info: String::new() });
        }
        Ok(reply)
    }
}
