//! `sns/black_list_check`: says who blocks whom.

use command::scalar::AnyName;
use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::{CheckedItem, Words};
use crate::sns_black_list_add::ACCOUNTS_MAX;
use crate::wire::{account, check_batch};

/// Says for up to 1000 accounts whether they are blocked, and with `_Both` whether they block back.
#[derive(Deserialize, JsonSchema)]
pub struct CheckBlocked {
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
    /// Only whether the owner blocks the other.
    #[serde(rename = "BlackCheckResult_Type_Single")]
    Single,
    /// Also whether the other blocks the owner.
    #[serde(rename = "BlackCheckResult_Type_Both")]
    Both,
}

/// One result per account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// In the order of the request.
    #[serde(rename = "BlackListCheckItem")]
    pub items: Vec<CheckedItem>,
    /// Accounts that do not exist.
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

const WORDS: Words = [
    "BlackCheckResult_Type_NO",
    "BlackCheckResult_Type_AWithB",
    "BlackCheckResult_Type_BWithA",
    "BlackCheckResult_Type_BothWay",
];

impl Command for CheckBlocked {
    const SPEC: Spec = Spec::new("sns/black_list_check", Family::RELATION)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = Checked;

    async fn run(self, call: &Call) -> Result<Checked> {
        let owner = call.account("From_Account", &self.owner, ErrorCode::RelationAccountUnknown).await?;
        check_batch("To_Account", self.others.len(), ACCOUNTS_MAX)?;
        let (blocks, app, own) = (&call.engine.blocks, call.app.id, owner.number);
        let mut items = Vec::with_capacity(self.others.len());
        for name in self.others {
            let found = match account(call, &name).await? {
                Ok(other) => {
                    let is_blocked = blocks.is_blocked(app, own, other.number).await?;
                    let is_both = self.kind == CheckKind::Both;
                    Ok((is_blocked, is_both && blocks.is_blocked(app, other.number, own).await?))
                }
                Err(error) => Err(error),
            };
            items.push(CheckedItem::of(name.0, WORDS, found));
        }
        Ok(Checked { failed: CheckedItem::failed(&items), items })
    }
}
