//! `sns/black_list_delete`: unblocks accounts.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::sns_black_list_add::ACCOUNTS_MAX;
use crate::wire::{ItemResult, Results};

/// Unblocks accounts.
#[derive(Deserialize, JsonSchema)]
pub struct Unblock {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Whom to unblock.
    #[serde(rename = "To_Account")]
    pub others: Vec<AnyName>,
}

impl Command for Unblock {
    const SPEC: Spec = Spec::new("sns/black_list_delete", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        if self.others.is_empty() || self.others.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::RelationBadParameter.because(format!("To_Account: 1 to {ACCOUNTS_MAX} accounts"))
            );
        }
        let (engine, app) = (&call.engine, call.app.id);
        let (mut results, mut removed, mut users) = (Results::default(), Vec::new(), Vec::new());
        for name in self.others {
            let other = match name.user() {
                Some(user) => engine.accounts.find(app, &user).await?,
                None => None,
            };
            let is_there = match &other {
                Some(other) => engine.blocks.is_blocked(app, owner.number, other.number).await?,
                None => false,
            };
            match other {
                Some(other) if is_there && !removed.contains(&other.number) => {
                    removed.push(other.number);
                    users.push(other.user.clone());
                    results.push(ItemResult::done(name.0));
                }
                _ => results.push(ItemResult::failed(
                    name.0,
                    ErrorCode::RelationBadParameter,
                    "is not blocked",
                )),
            }
        }
        engine.blocks.remove(app, owner.number, &removed).await?;
        if !users.is_empty() {
            let frame = engine::push::unblocked(&users);
            engine.hub.push(app, owner.number, &frame, call.instance());
            call.send_before_answer(frame);
        }
        Ok(results)
    }
}
