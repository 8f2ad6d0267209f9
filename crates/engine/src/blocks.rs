//! Block lists: who may not write to whom.

use std::sync::Arc;

use model::{AccountNumber, ErrorCode, Result, SdkAppId};
use ports::records::{Range, find};
use ports::{Record, Records};
use promise::Stamps;
use quick_cache::sync::Cache;

use crate::context::Context;
use crate::facts::{AccountFact, BlockFact};
use crate::store::{indexed_by, owned_by, put, remove, write, write_all_for};

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
        if let Some(is_blocked) = self.cache.get(&(app, owner, other)) {
            return Ok(is_blocked);
        }
        let found = find::<BlockFact>(self.records(), app, &BlockFact::key_of(owner, other)).await?;
        self.cache.insert((app, owner, other), found.is_some());
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

    /// How many entries the list has, at most one more than may be.
    ///
    /// # Errors
    /// What the store says.
    pub async fn count(&self, app: SdkAppId, owner: AccountNumber) -> Result<usize> {
        Ok(owned_by::<BlockFact>(self.records(), app, owner, BLOCKED_MAX + 1).await?.len())
    }

    /// Adds entries; those that are there stay as they are.
    ///
    /// # Errors
    /// `RelationAccountUnknown` if one of the accounts was just erased: then none is added.
    pub async fn add(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        owner: AccountNumber,
        others: &[Arc<AccountFact>],
    ) -> Result<()> {
        let since = self.context.clock.now().seconds();
        let writes = others.iter().map(|other| {
            let fact = BlockFact { owner, blocked: other.number, user: other.user.clone(), since };
            put(stamps.account(owner), &fact)
        });
        let writes = writes.collect::<Result<Vec<_>>>()?;
        let concerned: Vec<AccountNumber> = others.iter().map(|other| other.number).chain([owner]).collect();
        let gone = ErrorCode::RelationAccountUnknown;
        write_all_for(self.records(), app, (&concerned, gone), writes).await?;
        for other in others {
            self.cache.insert((app, owner, other.number), true);
        }
        Ok(())
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
        for other in others {
            self.cache.insert((app, owner, *other), false);
        }
        Ok(())
    }
}
