//! `sns/black_list_add`: blocks accounts.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use engine::blocks::BLOCKED_MAX;
use model::settings::AfterBlock;
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::{ItemResult, Results};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 1000;

/// Blocks accounts: what they send to the owner of the list is refused. A list has at most 1000 entries.
///
/// A friendship with a blocked account ends on both sides, unless the app keeps it.
#[derive(Deserialize, JsonSchema)]
pub struct Block {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Whom to block.
    #[serde(rename = "To_Account")]
    pub others: Vec<AnyName>,
}

impl Command for Block {
    const SPEC: Spec = Spec::new("sns/black_list_add", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationConflict,
            ErrorCode::BlockListFull,
            ErrorCode::DiskFull,
        ]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        if self.others.is_empty() || self.others.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::RelationBadParameter.because(format!("To_Account: 1 to {ACCOUNTS_MAX} accounts"))
            );
        }
        let (engine, app) = (&call.engine, call.app.id);
        let mut room = BLOCKED_MAX.saturating_sub(engine.blocks.count(app, owner.number).await?);
        let (mut results, mut added) = (Results::default(), Vec::new());
        for name in self.others {
            let other = match name.user() {
                Some(user) => engine.accounts.find(app, &user).await?,
                None => None,
            };
            let Some(other) = other else {
                results.push(ItemResult::failed(
                    name.0,
                    ErrorCode::RelationAccountUnknown,
                    "no such account",
                ));
                continue;
            };
            let is_there = engine.blocks.is_blocked(app, owner.number, other.number).await?
                || added
                    .iter()
                    .any(|found: &std::sync::Arc<engine::facts::AccountFact>| found.number == other.number);
            let result = if other.number == owner.number {
                ItemResult::failed(name.0, ErrorCode::RelationBadParameter, "nobody blocks himself")
            } else if is_there {
                ItemResult::failed(name.0, ErrorCode::RelationBadParameter, "is blocked already")
            } else if room == 0 {
                ItemResult::failed(name.0, ErrorCode::BlockListFull, "the block list has 1000 entries")
            } else {
                room -= 1;
                added.push(other);
                ItemResult::done(name.0)
            };
            results.push(result);
        }
        engine.blocks.add(call.stamps(), app, owner.number, &added).await?;
        if !added.is_empty() && call.app.settings.friendship_after_block == AfterBlock::Remove {
            let others: Vec<_> = added.iter().map(|other| (other.number, other.user.clone())).collect();
            engine.delete_friends(&call.app, &owner, &others, true).await?;
        }
        if !added.is_empty() {
            let users: Vec<UserId> = added.iter().map(|account| account.user.clone()).collect();
            let frame = engine::push::blocked(&users);
            engine.hub.push(app, owner.number, &frame, call.instance());
            // Clients take their new list from the push, not from the answer.
            call.send_before_answer(frame);
        }
        Ok(results)
    }
}
