//! Block lists: who may not write to whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{AccountNumber, ErrorCode, Result, SdkAppId};
use ports::records::{Range, find};
use ports::{Record, Records};
use promise::Stamps;
use quick_cache::sync::Cache;

use crate::context::Context;
use crate::facts::{AccountFact, BlockFact};
use crate::relations::RelationsFact;
use crate::store::{TRIES_MAX, indexed_by, owned_by, put, remove, still_there, unchanged, write, write_if};

/// The most entries of a block list (page 1047/34381).
pub const BLOCKED_MAX: usize = 1000;

const CACHED: usize = 200_000;

/// Every block list.
pub struct Blocks {
    context: Context,
    cache: Cache<(SdkAppId, AccountNumber, AccountNumber), bool>,
}

impl Blocks {
    pub(crate) fn new(context: Context) -> Self {
        Self { context, cache: Cache::new(CACHED) }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    /// Whether `owner` has blocked `other`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn is_blocked(
        &self,
        app: SdkAppId,
        owner: AccountNumber,
        other: AccountNumber,
    ) -> Result<bool> {
        let turn = match self.cache.get_value_or_guard_async(&(app, owner, other)).await {
            Ok(is_blocked) => return Ok(is_blocked),
            Err(turn) => turn,
        };
        let found = find::<BlockFact>(self.records(), app, &BlockFact::key_of(owner, other)).await?;
        // Fails where somebody changed it meanwhile: then the next reader reads again.
        turn.insert(found.is_some()).unwrap_or_default();
        Ok(found.is_some())
    }

    /// A part of a block list, in the order of the accounts' numbers, after one of them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn page(
        &self,
        app: SdkAppId,
        owner: AccountNumber,
        after: Option<AccountNumber>,
        limit: usize,
    ) -> Result<Vec<BlockFact>> {
        let after = after.map(|after| (Vec::new(), BlockFact::key_of(owner, after)));
        let prefix = owner.0.to_be_bytes().to_vec();
        let found = self
            .records()
            .scan(app, Range { kind: BlockFact::KIND, index: None, prefix, after, limit })
            .await?;
        found.iter().map(|record| Ok(record.decode()?)).collect()
    }

    /// Adds entries; one result for each. Whatever else changes the relations of the list's owner takes turns with this: it writes
    /// the record of them too.
    ///
    /// # Errors
    /// `RelationConflict`, `RelationAccountUnknown` if the owner was just erased. Of single entries: that of theirs,
    /// `RelationBadParameter` (itself, or blocked already), `BlockListFull`.
    pub async fn add(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        owner: AccountNumber,
        others: &[Arc<AccountFact>],
    ) -> Result<Vec<Result<()>>> {
        let since = self.context.clock.now().seconds();
        for _ in 0..TRIES_MAX {
            let found = find::<RelationsFact>(self.records(), app, &owner.0.to_be_bytes()).await?;
            let version = found.as_ref().map(|(_, version)| *version);
            let turn = found.map_or_else(|| RelationsFact::none_of(owner), |(fact, _)| fact);
            let list = owned_by::<BlockFact>(self.records(), app, owner, BLOCKED_MAX + 1).await?;
            let mut blocked: BTreeSet<AccountNumber> = list.iter().map(|fact| fact.blocked).collect();
            let mut writes = vec![put(stamps.account(owner), &turn)?];
            let mut conditions = vec![unchanged::<RelationsFact>(turn.key(), version)];
            // Nothing is written for or about an account that is being erased.
            let gone = || ErrorCode::RelationAccountUnknown.because("no such account");
            conditions.push(still_there(self.records(), app, owner).await?.ok_or_else(gone)?);
            let mut results = Vec::with_capacity(others.len());
            for other in others {
                let mut result = why_not(owner, other.number, &blocked);
                if result.is_ok() {
                    match still_there(self.records(), app, other.number).await? {
                        Some(is_there) => conditions.push(is_there),
                        None => result = Err(gone()),
                    }
                }
                if result.is_ok() {
                    blocked.insert(other.number);
                    let fact = BlockFact { owner, blocked: other.number, user: other.user.clone(), since };
                    writes.push(put(stamps.account(owner), &fact)?);
                }
                results.push(result);
            }
            if results.iter().all(Result::is_err) {
                return Ok(results);
            }
            if write_if(self.records(), app, conditions, writes).await? {
                self.forget(app, owner, others.iter().map(|other| other.number));
                return Ok(results);
            }
        }
        Err(ErrorCode::RelationConflict.into())
    }

    /// Removes what an erased account leaves, in memory too: its list, and it from those of others.
    pub(crate) async fn erase(&self, app: SdkAppId, number: AccountNumber) -> Result<()> {
        loop {
            let mut entries = owned_by::<BlockFact>(self.records(), app, number, BLOCKED_MAX).await?;
            let others = indexed_by(self.records(), app, BlockFact::BY_BLOCKED, number, BLOCKED_MAX).await?;
            entries.extend(others);
            if entries.is_empty() {
                return Ok(());
            }
            let writes = entries.iter().map(|entry| remove::<BlockFact>(entry.key()));
            write(self.records(), app, writes.collect()).await?;
            for entry in entries {
                self.cache.remove(&(app, entry.owner, entry.blocked));
            }
        }
    }

    /// Removes entries.
    ///
    /// # Errors
    /// What the store says.
    pub async fn remove(&self, app: SdkAppId, owner: AccountNumber, others: &[AccountNumber]) -> Result<()> {
        let writes = others.iter().map(|other| remove::<BlockFact>(BlockFact::key_of(owner, *other)));
        write(self.records(), app, writes.collect()).await?;
        self.forget(app, owner, others.iter().copied());
        Ok(())
    }

    fn forget(&self, app: SdkAppId, owner: AccountNumber, others: impl Iterator<Item = AccountNumber>) {
        // Whoever reads at this moment must not put back what was before: a removal ends its turn in the cache.
        for other in others {
            self.cache.remove(&(app, owner, other));
        }
    }
}

/// Whether another one can be added to a block list.
fn why_not(owner: AccountNumber, other: AccountNumber, blocked: &BTreeSet<AccountNumber>) -> Result<()> {
    if other == owner {
        return Err(ErrorCode::RelationBadParameter.because("nobody blocks himself"));
    }
    if blocked.contains(&other) {
        return Err(ErrorCode::RelationBadParameter.because("is blocked already"));
    }
    if blocked.len() >= BLOCKED_MAX {
        return Err(ErrorCode::BlockListFull.because(format!("the block list has {BLOCKED_MAX} entries")));
    }
    Ok(())
}
