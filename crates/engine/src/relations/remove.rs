//! Friends are removed: from one list or from both, some or all, and those of an account that is erased.

use model::settings::App;
use model::{AccountNumber, ErrorCode, Result, UserId};
use promise::Stamps;

use super::{AT_ONCE, FriendFact, RequestFact};
use crate::facts::AccountFact;
use crate::store::{TRIES_MAX, indexed_by};
use crate::{Engine, push};

impl Engine {
    /// Takes others off an account's list, with `both` the account off theirs too. Whether each was there. Both sides' instances
    /// are told of what was on their own list.
    ///
    /// # Errors
    /// `RelationConflict`.
    pub async fn delete_friends(
        &self,
        app: &App,
        owner: &AccountFact,
        others: &[(AccountNumber, UserId)],
        both: bool,
    ) -> Result<Vec<bool>> {
        let mut results = Vec::with_capacity(others.len());
        for chunk in others.chunks(AT_ONCE) {
            results.extend(self.delete_some(app, owner, chunk, both).await?);
        }
        Ok(results)
    }

    async fn delete_some(
        &self,
        app: &App,
        owner: &AccountFact,
        others: &[(AccountNumber, UserId)],
        both: bool,
    ) -> Result<Vec<bool>> {
        let stamps = Stamps::of(app.id, &app.settings);
        for _ in 0..TRIES_MAX {
            let mut books = self.relations.books(app.id, stamps);
            let (mut was_there, mut back) = (Vec::with_capacity(others.len()), Vec::new());
            for (other, _) in others {
                let removed = books.remove_friend(owner.number, *other).await?;
                was_there.push(removed);
                if both && books.remove_friend(*other, owner.number).await? {
                    back.push(*other);
                }
            }
            let Some(changes) = books.commit().await? else { continue };
            self.relations.forget(app.id, &changes);
            let gone = others.iter().zip(&was_there).filter(|(_, removed)| **removed);
            let users: Vec<UserId> = gone.map(|((_, user), _)| user.clone()).collect();
            self.tell_own(app, owner, &users, push::relations::removed);
            let frame = push::relations::removed(std::slice::from_ref(&owner.user));
            for other in back {
                self.hub.push(app.id, other, &frame, None);
            }
            return Ok(was_there);
        }
        Err(ErrorCode::RelationConflict.into())
    }

    /// Takes everybody off an account's list, with `both` the account off theirs too.
    ///
    /// # Errors
    /// `RelationConflict`.
    pub async fn delete_all_friends(&self, app: &App, owner: &AccountFact, both: bool) -> Result<()> {
        loop {
            let page = self.relations.page(app.id, owner.number, None, AT_ONCE).await?;
            if page.is_empty() {
                return Ok(());
            }
            let others: Vec<_> = page.into_iter().map(|fact| (fact.friend, fact.user)).collect();
            self.delete_some(app, owner, &others, both).await?;
        }
    }

    /// Takes an account that is gone off every list and out of every application, and tells those whose lists they are.
    ///
    /// # Errors
    /// `RelationConflict`; what was removed stays removed.
    pub(crate) async fn forget_relations(&self, app: &App, gone: AccountNumber) -> Result<()> {
        let stamps = Stamps::of(app.id, &app.settings);
        let records = self.context.records.as_ref();
        loop {
            let on = indexed_by::<FriendFact>(records, app.id, FriendFact::BY_FRIEND, gone, AT_ONCE).await?;
            let asked =
                indexed_by::<RequestFact>(records, app.id, RequestFact::BY_OTHER, gone, AT_ONCE).await?;
            if on.is_empty() && asked.is_empty() {
                return Ok(());
            }
            let mut books = self.relations.books(app.id, stamps);
            for fact in &on {
                books.remove_friend(fact.owner, gone).await?;
            }
            for fact in &asked {
                books.remove_request(fact.owner, gone).await?;
            }
            // If somebody came first, the next round finds what is left.
            if let Some(changes) = books.commit().await? {
                self.relations.forget(app.id, &changes);
                for fact in &on {
                    let frame = push::relations::removed(std::slice::from_ref(&fact.user));
                    self.hub.push(app.id, fact.owner, &frame, None);
                }
                for fact in &asked {
                    let frame = push::relations::settled(std::slice::from_ref(&fact.user));
                    self.hub.push(app.id, fact.owner, &frame, None);
                }
            }
        }
    }
}
