//! `sns/black_list_add`: blocks accounts.

use std::sync::Arc;

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use engine::facts::AccountFact;
use model::settings::AfterBlock;
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::{Results, account, batch, check_batch};

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
        check_batch("To_Account", self.others.len(), ACCOUNTS_MAX)?;
        let mut items = Vec::with_capacity(self.others.len());
        for name in self.others {
            let found = account(call, &name).await?;
            items.push((name.0, found));
        }
        batch(items, async |others: Vec<Arc<AccountFact>>| block(call, &owner, &others).await).await
    }
}

async fn block(call: &Call, owner: &AccountFact, others: &[Arc<AccountFact>]) -> Result<Vec<Result<()>>> {
    let (engine, app) = (&call.engine, call.app.id);
    let results = engine.blocks.add(call.stamps(), app, owner.number, others).await?;
    let added = others.iter().zip(&results).filter(|(_, result)| result.is_ok());
    let users: Vec<UserId> = added.map(|(other, _)| other.user.clone()).collect();
    // Told at once: they are blocked, whatever becomes of friendships.
    if !users.is_empty() {
        let frame = engine::push::blocked(&users);
        engine.hub.push(app, owner.number, &frame, call.instance());
        // Clients take their new list from the push, not from the answer.
        call.send_before_answer(frame);
    }
    if call.app.settings.friendship_after_block == AfterBlock::Remove {
        // Those that were blocked before are among them: what failed the last time is done now.
        let mut blocked = Vec::with_capacity(others.len());
        for other in others {
            if engine.blocks.is_blocked(app, owner.number, other.number).await? {
                blocked.push((other.number, other.user.clone()));
            }
        }
        engine.delete_friends(&call.app, owner, &blocked, true).await?;
    }
    Ok(results)
}
