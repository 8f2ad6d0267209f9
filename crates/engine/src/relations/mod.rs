//! Relations: lists of friends, applications for friendship, and the lists into which an account sorts its friends.

mod add;
mod books;
mod change;
mod enter;
mod facts;
mod groups;
mod remove;
mod requests;

use std::sync::Arc;

use model::settings::FriendshipCheck;
use model::{AccountNumber, AppSettings, ErrorCode, Result, SdkAppId};
use ports::records::{Range, find};
use ports::{Record, Records};
use promise::Stamps;
use quick_cache::sync::Cache;

use crate::context::Context;
use crate::statistics::Statistics;
use crate::store::{indexed_by, remove, write};

pub use add::{AddFriend, Adding, ImportFriend};
pub use change::Change;
pub use facts::{FriendFact, FriendGroup, RelationsFact, RequestFact, Way};
pub use groups::{GroupMember, GroupView};
pub use requests::{Responding, Response};

use books::{Books, FriendChanges};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 1000;

/// Accounts changed in one transaction.
const AT_ONCE: usize = 100;

/// The most accounts that are told of a change of a friend of theirs.
const TOLD_MAX: usize = 10_000;

const CACHED: usize = 200_000;

/// Every list of friends.
pub struct Relations {
    context: Context,
    statistics: Arc<Statistics>,
    cache: Cache<(SdkAppId, AccountNumber, AccountNumber), Option<Arc<FriendFact>>>,
}

impl Relations {
    pub(crate) fn new(context: Context, statistics: Arc<Statistics>) -> Self {
        Self { context, statistics, cache: Cache::new(CACHED) }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    fn books(&self, app: SdkAppId, stamps: Stamps) -> Books<'_> {
        Books::new(self.records(), &self.statistics, app, stamps)
    }

    fn forget(&self, app: SdkAppId, changes: &FriendChanges) {
        // Whoever reads at this moment must not put back what was before: a removal ends its turn in the cache.
        for ((owner, friend), _) in changes {
            self.cache.remove(&(app, *owner, *friend));
        }
    }

    /// Removes an erased account's own list, in memory too.
    pub(crate) async fn erase_list(&self, app: SdkAppId, owner: AccountNumber) -> Result<()> {
        loop {
            let page = self.page(app, owner, None, ACCOUNTS_MAX).await?;
            if page.is_empty() {
                return Ok(());
            }
            let writes = page.iter().map(|fact| remove::<FriendFact>(fact.key()));
            write(self.records(), app, writes.collect()).await?;
            // The rows are gone before: nobody who reads meanwhile puts them back.
            for fact in page {
                self.cache.remove(&(app, owner, fact.friend));
            }
        }
    }

    /// What an account keeps of a friend; `None` if that is none.
    ///
    /// # Errors
    /// What the store says.
    pub async fn friend(
        &self,
        app: SdkAppId,
        owner: AccountNumber,
        friend: AccountNumber,
    ) -> Result<Option<Arc<FriendFact>>> {
        let turn = match self.cache.get_value_or_guard_async(&(app, owner, friend)).await {
            Ok(known) => return Ok(known),
            Err(turn) => turn,
        };
        let found = find::<FriendFact>(self.records(), app, &FriendFact::key_of(owner, friend)).await?;
        let found = found.map(|(fact, _)| Arc::new(fact));
        // Fails where somebody changed it meanwhile: then the next reader reads again.
        drop(turn.insert(found.clone()));
        Ok(found)
    }

    /// Refuses a message between accounts that the app wants to be friends first.
    ///
    /// # Errors
    /// `NotFriends`, or with `both` where one side alone has the other on its list: `SenderNotFriend`, `ReceiverNotFriend`.
    pub async fn check_friendship(
        &self,
        app: SdkAppId,
        settings: &AppSettings,
        sender: AccountNumber,
        receiver: AccountNumber,
    ) -> Result<()> {
        if settings.friendship_check == FriendshipCheck::Off || sender == receiver {
            return Ok(());
        }
        let has_receiver = self.friend(app, sender, receiver).await?.is_some();
        let has_sender = self.friend(app, receiver, sender).await?.is_some();
        let is_either = settings.friendship_check == FriendshipCheck::Either;
        match (has_receiver, has_sender) {
            (true, true) => Ok(()),
            (false, false) => Err(ErrorCode::NotFriends.into()),
            _ if is_either => Ok(()),
            (true, false) => Err(ErrorCode::SenderNotFriend.into()),
            (false, true) => Err(ErrorCode::ReceiverNotFriend.into()),
        }
    }

    /// An account's counts, sequences and friend lists.
    ///
    /// # Errors
    /// What the store says.
    pub async fn of(&self, app: SdkAppId, owner: AccountNumber) -> Result<RelationsFact> {
        let found = find::<RelationsFact>(self.records(), app, &owner.0.to_be_bytes()).await?;
        Ok(found.map_or_else(|| RelationsFact::none_of(owner), |(fact, _)| fact))
    }

    /// A part of a list of friends, in the order of the accounts' numbers, after one of them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn page(
        &self,
        app: SdkAppId,
        owner: AccountNumber,
        after: Option<AccountNumber>,
        limit: usize,
    ) -> Result<Vec<FriendFact>> {
        let after = after.map(|after| (Vec::new(), FriendFact::key_of(owner, after)));
        let prefix = owner.0.to_be_bytes().to_vec();
        let range = Range { kind: FriendFact::KIND, index: None, prefix, after, limit };
        let found = self.records().scan(app, range).await?;
        found.iter().map(|record| Ok(record.decode()?)).collect()
    }
}

/// Who has an account on its list of friends; at most 10,000.
pub(crate) async fn who_has(
    records: &dyn Records,
    app: SdkAppId,
    friend: AccountNumber,
) -> Result<Vec<AccountNumber>> {
    let found = indexed_by::<FriendFact>(records, app, FriendFact::BY_FRIEND, friend, TOLD_MAX).await?;
    Ok(found.into_iter().map(|fact| fact.owner).collect())
}
