//! `sns/friend_check`: says who has whom on the list of friends.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use engine::relations::ACCOUNTS_MAX;
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::{CheckedItem, Words};
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

const WORDS: Words = [
    "CheckResult_Type_NoRelation",
    "CheckResult_Type_AWithB",
    "CheckResult_Type_BWithA",
    "CheckResult_Type_BothWay",
];

impl Command for CheckFriends {
    const SPEC: Spec = Spec::new("sns/friend_check", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = Checked;

    async fn run(self, call: &Call) -> Result<Checked> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        check_batch("To_Account", self.others.len(), ACCOUNTS_MAX)?;
        let (relations, app, own) = (&call.engine.relations, call.app.id, owner.number);
        let mut items = Vec::with_capacity(self.others.len());
        for name in self.others {
            let found = match account(call, &name).await? {
                Ok(other) => {
                    let has = relations.friend(app, own, other.number).await?.is_some();
                    let is_both = self.kind == CheckKind::Both;
                    Ok((has, is_both && relations.friend(app, other.number, own).await?.is_some()))
                }
                Err(error) => Err(error),
            };
            items.push(CheckedItem::of(name.0, WORDS, found));
        }
        Ok(Checked { failed: CheckedItem::failed(&items), items })
    }
}
