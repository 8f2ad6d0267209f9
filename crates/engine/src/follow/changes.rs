//! How edges begin and end: both sides' counts with them, then both sides are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::profile::{IMAGE, NICK, Profile};
use model::settings::App;
use model::{AccountNumber, Error, ErrorCode, Result, SdkAppId};
use ports::records::Write;
use ports::{Condition, Record};
use promise::Stamps;

use super::{Edge, FOLLOWED_MAX, FollowCountsFact, FollowFact, FollowList, Follows};
use crate::Engine;
use crate::facts::AccountFact;
use crate::push::{self, Shown};
use crate::store::{TRIES_MAX, put, remove, still_there, unchanged, write_if};

/// What is to become of edges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Begin,
    End,
}

/// A change as it was worked out from what is stored.
#[derive(Default)]
struct Draft {
    conditions: Vec<Condition>,
    writes: Vec<Write>,
    /// Whom it concerns, and whether the other one follows too.
    made: Vec<(Arc<AccountFact>, bool)>,
    refused: BTreeMap<AccountNumber, Error>,
}

impl Follows {
    /// Changes the edges from one account to others, none of which is given twice.
    async fn change(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        actor: &AccountFact,
        others: &[Arc<AccountFact>],
        change: Change,
    ) -> Result<Draft> {
        let numbers = others.iter().map(|other| other.number).chain([actor.number]);
        let _turns = self.turns(numbers).await;
        for _ in 0..TRIES_MAX {
            let mut draft = self.draft(stamps, app, actor, others, change).await?;
            let conditions = std::mem::take(&mut draft.conditions);
            let writes = std::mem::take(&mut draft.writes);
            if writes.is_empty() || write_if(self.records(), app, conditions, writes).await? {
                return Ok(draft);
            }
        }
        Err(ErrorCode::RelationInternal.into())
    }

    async fn draft(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        actor: &AccountFact,
        others: &[Arc<AccountFact>],
        change: Change,
    ) -> Result<Draft> {
        let mut draft = Draft::default();
        let is_there = still_there(self.records(), app, actor.number).await?;
        draft.conditions.push(is_there.ok_or(ErrorCode::RelationAccountUnknown)?);
        let (mut own, version) = self.counted(app, actor.number).await?;
        draft.conditions.push(unchanged::<FollowCountsFact>(own.key(), version));
        for other in others {
            let Some(is_there) = still_there(self.records(), app, other.number).await? else {
                draft.refused.insert(other.number, ErrorCode::RelationAccountUnknown.into());
                continue;
            };
            let edge = self.edge(app, actor.number, other.number).await?;
            if edge.is_some() == (change == Change::Begin) {
                continue;
            }
            if change == Change::Begin && own.following >= FOLLOWED_MAX {
                let full = format!("an account follows at most {FOLLOWED_MAX} others");
                draft.refused.insert(other.number, ErrorCode::FriendsFull.because(full));
                continue;
            }
            draft.conditions.push(is_there);
            self.add_edge(stamps, app, &mut own, other, edge, &mut draft).await?;
        }
        if !draft.writes.is_empty() {
            draft.writes.push(put(stamps.account(actor.number), &own)?);
        }
        Ok(draft)
    }

    /// Adds to a draft that an edge begins, or ends if it is there.
    async fn add_edge(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        own: &mut FollowCountsFact,
        other: &Arc<AccountFact>,
        edge: Edge,
        draft: &mut Draft,
    ) -> Result<()> {
        let (one, begins) = (own.number, edge.is_none());
        let back = self.edge(app, other.number, one).await?;
        let (mut counts, version) = self.counted(app, other.number).await?;
        let (key, back_key) = (FollowFact::key_of(one, other.number), FollowFact::key_of(other.number, one));
        draft.conditions.extend([
            unchanged::<FollowFact>(key.clone(), edge.map(|(_, version)| version)),
            unchanged::<FollowFact>(back_key, back.as_ref().map(|(_, version)| *version)),
            unchanged::<FollowCountsFact>(counts.key(), version),
        ]);
        step(&mut own.following, begins);
        step(&mut counts.followers, begins);
        let is_mutual = back.is_some();
        if let Some((mut back, _)) = back {
            step(&mut own.mutual, begins);
            step(&mut counts.mutual, begins);
            back.is_mutual = begins;
            draft.writes.push(put(stamps.account(other.number), &back)?);
        }
        if begins {
            let since = self.context.clock.now().seconds();
            let fact = FollowFact { follower: one, followed: other.number, since, is_mutual };
            draft.writes.push(put(stamps.account(one), &fact)?);
        } else {
            draft.writes.push(remove::<FollowFact>(key));
        }
        draft.writes.push(put(stamps.account(other.number), &counts)?);
        draft.made.push((Arc::clone(other), is_mutual));
        Ok(())
    }
}

fn step(count: &mut u64, begins: bool) {
    *count = if begins { count.saturating_add(1) } else { count.saturating_sub(1) };
}

impl Engine {
    /// Lets an account follow others, and tells every instance of both sides. Whom it follows already stays as it is. Returns
    /// those who were refused, and why: `RelationBadParameter` (itself), `BlockedByOwner`, `BlockedByOther`,
    /// `FriendsFull`, `RelationAccountUnknown` (just erased). At most [`CHANGED_AT_ONCE`](super::CHANGED_AT_ONCE) others.
    ///
    /// # Errors
    /// What the store says.
    pub async fn follow(
        &self,
        app: &App,
        actor: &AccountFact,
        others: &[Arc<AccountFact>],
    ) -> Result<BTreeMap<AccountNumber, Error>> {
        let mut refused = BTreeMap::new();
        let mut allowed = Vec::with_capacity(others.len());
        for other in distinct(others) {
            match self.reason_against(app.id, actor.number, other.number).await? {
                Some(reason) => drop(refused.insert(other.number, reason)),
                None => allowed.push(other),
            }
        }
        refused.extend(self.change_follows(app, actor, &allowed, Change::Begin).await?);
        Ok(refused)
    }

    /// Ends that an account follows others, and tells every instance of both sides. Whom it does not follow stays as it is.
    /// Returns those who were refused, as [`Self::follow`] does. At most [`CHANGED_AT_ONCE`](super::CHANGED_AT_ONCE) others.
    ///
    /// # Errors
    /// What the store says.
    pub async fn unfollow(
        &self,
        app: &App,
        actor: &AccountFact,
        others: &[Arc<AccountFact>],
    ) -> Result<BTreeMap<AccountNumber, Error>> {
        self.change_follows(app, actor, &distinct(others), Change::End).await
    }

    /// Why one account may not follow another. Blocks count in both directions; what was begun before a block stays.
    async fn reason_against(
        &self,
        app: SdkAppId,
        one: AccountNumber,
        other: AccountNumber,
    ) -> Result<Option<Error>> {
        Ok(if one == other {
            Some(ErrorCode::RelationBadParameter.because("nobody follows himself"))
        } else if self.blocks.is_blocked(app, one, other).await? {
            Some(ErrorCode::BlockedByOwner.into())
        } else if self.blocks.is_blocked(app, other, one).await? {
            Some(ErrorCode::BlockedByOther.into())
        } else {
            None
        })
    }

    async fn change_follows(
        &self,
        app: &App,
        actor: &AccountFact,
        others: &[Arc<AccountFact>],
        change: Change,
    ) -> Result<BTreeMap<AccountNumber, Error>> {
        let stamps = Stamps::of(app.id, &app.settings);
        let draft = self.follows.change(stamps, app.id, actor, others, change).await?;
        if !draft.made.is_empty() {
            self.untold(self.tell_follows(app, actor, &draft.made, change == Change::Begin).await);
        }
        Ok(draft.refused)
    }

    /// Tells every instance of both sides of edges that began or ended.
    async fn tell_follows(
        &self,
        app: &App,
        actor: &AccountFact,
        made: &[(Arc<AccountFact>, bool)],
        is_added: bool,
    ) -> Result<()> {
        let profile = self.profiles.of(app.id, actor.number).await?;
        let mut own = Vec::with_capacity(made.len());
        for (other, is_mutual) in made {
            let lists = |list: FollowList| {
                let mutual = is_mutual.then_some(FollowList::Mutual.number());
                [list.number()].into_iter().chain(mutual).collect::<Vec<u8>>()
            };
            let theirs = self.profiles.of(app.id, other.number).await?;
            let following = lists(FollowList::Following);
            own.push(push::follow_change(&other.user, shown(&theirs), &following, is_added));
            let followers = lists(FollowList::Followers);
            let change = push::follow_change(&actor.user, shown(&profile), &followers, is_added);
            self.hub.push(app.id, other.number, &push::follows_changed(&[change]), None);
        }
        // Clients change their lists by this alone, the one that asked included.
        self.hub.push(app.id, actor.number, &push::follows_changed(&own), None);
        Ok(())
    }
}

fn shown(profile: &Profile) -> Shown<'_> {
    Shown { nick: profile.text(NICK), image: profile.text(IMAGE) }
}

/// Each account once, in the order of the first ones.
fn distinct(accounts: &[Arc<AccountFact>]) -> Vec<Arc<AccountFact>> {
    let mut seen = BTreeSet::new();
    accounts.iter().filter(|account| seen.insert(account.number)).map(Arc::clone).collect()
}
