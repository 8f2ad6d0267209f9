//! `sns/black_list_check`: says who blocks whom.

use command::scalar::AnyName;
use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sns_black_list_add::ACCOUNTS_MAX;

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

/// An account's result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedItem {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// Who blocks whom; A is the owner, B the other.
    #[serde(rename = "Relation")]
    pub relation: &'static str,
    /// 0, or why it could not be checked.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

impl Command for CheckBlocked {
    const SPEC: Spec = Spec::new("sns/black_list_check", Family::RELATION)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = Checked;

    async fn run(self, call: &Call) -> Result<Checked> {
        let owner = call.account("From_Account", &self.owner, ErrorCode::RelationAccountUnknown).await?;
        if self.others.is_empty() || self.others.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::RelationBadParameter.because(format!("To_Account: 1 to {ACCOUNTS_MAX} accounts"))
            );
        }
        let (engine, app) = (&call.engine, call.app.id);
        let mut reply = Checked { items: Vec::new(), failed: Vec::new() };
        for name in self.others {
            let other = match name.user() {
                Some(user) => engine.accounts.find(app, &user).await?,
                None => None,
            };
            let Some(other) = other else {
                let code = ErrorCode::RelationAccountUnknown;
                reply.failed.push(name.0.clone());
                reply.items.push(CheckedItem {
                    name: name.0,
                    relation: "BlackCheckResult_Type_NO",
                    code: code.number(),
                    info: code.sentence().to_owned(),
                });
                continue;
            };
            let blocks = engine.blocks.is_blocked(app, owner.number, other.number).await?;
            let is_blocked = self.kind == CheckKind::Both
                && engine.blocks.is_blocked(app, other.number, owner.number).await?;
            let relation = match (blocks, is_blocked) {
                (false, false) => "BlackCheckResult_Type_NO",
                (true, false) => "BlackCheckResult_Type_AWithB",
                (false, true) => "BlackCheckResult_Type_BWithA",
                (true, true) => "BlackCheckResult_Type_BothWay",
            };
            reply.items.push(CheckedItem { name: name.0, relation, code: 0, info: String::new() });
        }
        Ok(reply)
    }
}
