//! Who follows whom, and how many that are.
//!
//! Edges and counts change in one transaction, so the counts are exact and nobody's followers are counted one by one.

mod changes;

use std::collections::BTreeSet;

use model::{AccountNumber, DataClass, ErrorCode, Result, SdkAppId, Seconds, Subject};
use ports::records::{Range, find};
use ports::{Kind, Record, Records};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use crate::context::Context;
use crate::facts::{number_key, pair_key};
use crate::store::{TRIES_MAX, put, remove, unchanged, write, write_if};

/// The most accounts that one account follows (page 269/118908). Followers have no limit.
pub const FOLLOWED_MAX: u64 = 5000;

/// The most accounts in one change: each takes three writes of a transaction.
pub const CHANGED_AT_ONCE: usize = 500;

/// Accounts share this many turns.
const TURNS: u64 = 64;

/// That one account follows another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowFact {
    /// Who follows.
    pub follower: AccountNumber,
    /// Who is followed.
    pub followed: AccountNumber,
    /// Since when.
    pub since: Seconds,
    /// Whether the followed account follows back.
    pub is_mutual: bool,
}

impl FollowFact {
    /// The index by who is followed.
    pub const BY_FOLLOWED: u8 = 1;

    /// The index by who follows, of those who are followed back.
    pub const MUTUAL: u8 = 2;

    /// Its key.
    #[must_use]
    pub fn key_of(follower: AccountNumber, followed: AccountNumber) -> Vec<u8> {
        pair_key(follower, followed)
    }

    /// The other account, for the owner of the list in which it was found.
    #[must_use]
    pub const fn other(&self, list: FollowList) -> AccountNumber {
        match list {
            FollowList::Followers => self.follower,
            FollowList::Following | FollowList::Mutual => self.followed,
        }
    }
}

impl Record for FollowFact {
    const KIND: Kind = Kind { id: 25, name: "follow", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        pair_key(self.follower, self.followed)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.follower)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        let mut indexes = vec![(Self::BY_FOLLOWED, number_key(self.followed))];
        if self.is_mutual {
            indexes.push((Self::MUTUAL, number_key(self.follower)));
        }
        indexes
    }
}

/// How many follow an account and how many it follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowCountsFact {
    /// Which account.
    pub number: AccountNumber,
    /// How many follow it.
    pub followers: u64,
    /// How many it follows.
    pub following: u64,
    /// How many do both.
    pub mutual: u64,
}

impl FollowCountsFact {
    /// The counts of an account that nobody follows and that follows nobody.
    const fn none(number: AccountNumber) -> Self {
        Self { number, followers: 0, following: 0, mutual: 0 }
    }

    /// Its key.
    #[must_use]
    pub fn key_of(number: AccountNumber) -> Vec<u8> {
        number_key(number)
    }
}

impl Record for FollowCountsFact {
    const KIND: Kind = Kind { id: 26, name: "follow counts", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        number_key(self.number)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.number)
    }
}

/// The lists of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowList {
    /// Who follows it.
    Followers,
    /// Whom it follows.
    Following,
    /// Whom it follows and who follows it.
    Mutual,
}

impl FollowList {
    /// The list of this number on the wire.
    #[must_use]
    pub const fn of(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Followers),
            2 => Some(Self::Following),
            3 => Some(Self::Mutual),
            _ => None,
        }
    }

    /// Its number on the wire.
    const fn number(self) -> u8 {
        match self {
            Self::Followers => 1,
            Self::Following => 2,
            Self::Mutual => 3,
        }
    }
}

/// An edge with its version.
type Edge = Option<(FollowFact, u64)>;

/// Who follows whom.
pub struct Follows {
    context: Context,
    /// Changes of one account wait for each other: many who follow it at once would only disturb one another.
    turns: Vec<Mutex<()>>,
}

impl Follows {
    pub(crate) fn new(context: Context) -> Self {
        Self { context, turns: (0..TURNS).map(|_| Mutex::default()).collect() }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    /// How many follow an account and how many it follows.
    ///
    /// # Errors
    /// What the store says.
    pub async fn counts(&self, app: SdkAppId, number: AccountNumber) -> Result<FollowCountsFact> {
        Ok(self.counted(app, number).await?.0)
    }

    /// Whether one account follows another, and whether that one follows it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn between(
        &self,
        app: SdkAppId,
        one: AccountNumber,
        other: AccountNumber,
    ) -> Result<(bool, bool)> {
        if let Some((edge, _)) = self.edge(app, one, other).await? {
            return Ok((true, edge.is_mutual));
        }
        Ok((false, self.edge(app, other, one).await?.is_some()))
    }

    /// A part of a list, in the order of the other accounts' numbers, after one of them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn page(
        &self,
        app: SdkAppId,
        owner: AccountNumber,
        list: FollowList,
        after: Option<AccountNumber>,
        limit: usize,
    ) -> Result<Vec<FollowFact>> {
        let entry = number_key(owner);
        let (index, after) = match list {
            FollowList::Followers => {
                (Some(FollowFact::BY_FOLLOWED), after.map(|after| (entry.clone(), pair_key(after, owner))))
            }
            FollowList::Following => (None, after.map(|after| (Vec::new(), pair_key(owner, after)))),
            FollowList::Mutual => {
                (Some(FollowFact::MUTUAL), after.map(|after| (entry.clone(), pair_key(owner, after))))
            }
        };
        let range = Range { kind: FollowFact::KIND, index, prefix: entry, after, limit };
        let found = self.records().scan(app, range).await?;
        found.iter().map(|record| Ok(record.decode()?)).collect()
    }

    async fn edge(&self, app: SdkAppId, follower: AccountNumber, followed: AccountNumber) -> Result<Edge> {
        Ok(find(self.records(), app, &FollowFact::key_of(follower, followed)).await?)
    }

    async fn counted(&self, app: SdkAppId, number: AccountNumber) -> Result<(FollowCountsFact, Option<u64>)> {
        let found = find::<FollowCountsFact>(self.records(), app, &FollowCountsFact::key_of(number)).await?;
        Ok(match found {
            Some((counts, version)) => (counts, Some(version)),
            None => (FollowCountsFact::none(number), None),
        })
    }

    /// The turn of these accounts, taken in one order by everybody.
    async fn turns(&self, numbers: impl Iterator<Item = AccountNumber>) -> Vec<MutexGuard<'_, ()>> {
        let places: BTreeSet<u64> = numbers.map(|number| number.0 % TURNS).collect();
        let mut turns = Vec::with_capacity(places.len());
        for place in places {
            let turn = usize::try_from(place).ok().and_then(|place| self.turns.get(place));
            if let Some(turn) = turn {
                turns.push(turn.lock().await);
            }
        }
        turns
    }

    /// Removes what a deleted account leaves: whom it follows, who follows it, its counts, and its part in the counts of
    /// others. Nobody is told: a push would carry its name on.
    pub(crate) async fn erase(&self, app: SdkAppId, number: AccountNumber) -> Result<()> {
        for list in [FollowList::Following, FollowList::Followers] {
            loop {
                let edges = self.page(app, number, list, None, CHANGED_AT_ONCE).await?;
                if edges.is_empty() {
                    break;
                }
                let others: Vec<AccountNumber> = edges.iter().map(|edge| edge.other(list)).collect();
                self.erase_edges(app, number, &others).await?;
            }
        }
        let counts = remove::<FollowCountsFact>(FollowCountsFact::key_of(number));
        write(self.records(), app, vec![counts]).await
    }

    async fn erase_edges(
        &self,
        app: SdkAppId,
        number: AccountNumber,
        others: &[AccountNumber],
    ) -> Result<()> {
        let _turns = self.turns(others.iter().copied().chain([number])).await;
        for _ in 0..TRIES_MAX {
            let (mut conditions, mut writes) = (Vec::new(), Vec::new());
            for other in others {
                let there = self.edge(app, number, *other).await?;
                let back = self.edge(app, *other, number).await?;
                for (edge, version) in [&there, &back].into_iter().flatten() {
                    conditions.push(unchanged::<FollowFact>(edge.key(), Some(*version)));
                    writes.push(remove::<FollowFact>(edge.key()));
                }
                let key = FollowCountsFact::key_of(*other);
                let found = self.records().get(app, FollowCountsFact::KIND, &key).await?;
                let Some(found) = found else { continue };
                let mut counts: FollowCountsFact = found.decode()?;
                counts.followers = counts.followers.saturating_sub(there.is_some().into());
                counts.following = counts.following.saturating_sub(back.is_some().into());
                counts.mutual = counts.mutual.saturating_sub((there.is_some() && back.is_some()).into());
                conditions.push(unchanged::<FollowCountsFact>(key, Some(found.version)));
                writes.push(put(found.stamp, &counts)?);
            }
            if write_if(self.records(), app, conditions, writes).await? {
                return Ok(());
            }
        }
        Err(ErrorCode::RelationInternal.into())
    }
}
