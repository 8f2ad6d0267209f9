//! What an account keeps of its friends is changed: remark, lists, the app's own fields.

use std::collections::BTreeMap;

use model::profile::FieldValue;
use model::relation::{GROUP, REMARK, is_readable};
use model::settings::App;
use model::{AccountNumber, AppSettings, ErrorCode, Result, UserId};
use promise::Stamps;

use super::books::Books;
use super::{AT_ONCE, FriendFact};
use crate::facts::AccountFact;
use crate::push::relations::Shown;
use crate::store::TRIES_MAX;
use crate::{Engine, push};

/// What to change of a friend; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What the owner calls it.
    pub remark: Option<String>,
    /// The owner's lists that it is in; made if they are not there.
    pub groups: Option<Vec<String>>,
    /// The app's own fields.
    pub custom: BTreeMap<String, FieldValue>,
}

impl Engine {
    /// Changes what an account keeps of friends; one result for each. The account's other instances are told.
    ///
    /// # Errors
    /// `RelationConflict`. Of single friends: `RelationBadParameter` for who is none, `FriendGroupsFull`.
    pub async fn update_friends(
        &self,
        app: &App,
        owner: &AccountFact,
        changes: &[(AccountNumber, UserId, Change)],
        cause: push::Cause,
    ) -> Result<Vec<Result<()>>> {
        let mut results = Vec::with_capacity(changes.len());
        for chunk in changes.chunks(AT_ONCE) {
            results.extend(self.update_some(app, owner, chunk, cause).await?);
        }
        Ok(results)
    }

    async fn update_some(
        &self,
        app: &App,
        owner: &AccountFact,
        changes: &[(AccountNumber, UserId, Change)],
        cause: push::Cause,
    ) -> Result<Vec<Result<()>>> {
        let stamps = Stamps::of(app.id, &app.settings);
        for _ in 0..TRIES_MAX {
            let mut books = self.relations.books(app.id, stamps);
            books.expect_owner(owner).await?;
            let mut results = Vec::with_capacity(changes.len());
            for (friend, _, change) in changes {
                results.push(update_one(&mut books, owner.number, *friend, change).await?);
            }
            let Some(done) = books.commit().await? else { continue };
            self.relations.forget(app.id, &done);
            for ((_, user, change), result) in changes.iter().zip(&results) {
                let fields = shown(&app.settings, change);
                if result.is_ok() && !fields.is_empty() {
                    let frame = push::relations::updated([(user, fields)]);
                    self.hub.push(app.id, owner.number, &frame, cause);
                }
            }
            return Ok(results);
        }
        Err(ErrorCode::RelationConflict.into())
    }
}

/// What an account's own instances read of a change.
fn shown(settings: &AppSettings, change: &Change) -> Vec<(String, Shown)> {
    let remark = change
        .remark
        .iter()
        .map(|remark| (REMARK.to_owned(), Shown::Value(FieldValue::Text(remark.clone()))));
    let groups = change.groups.iter().map(|names| (GROUP.to_owned(), Shown::Names(names.clone())));
    let custom = change.custom.iter().filter(|(tag, _)| is_readable(settings, tag, false));
    let custom = custom.map(|(tag, value)| (tag.clone(), Shown::Value(value.clone())));
    remark.chain(groups).chain(custom).collect()
}

async fn update_one(
    books: &mut Books<'_>,
    owner: AccountNumber,
    friend: AccountNumber,
    change: &Change,
) -> Result<Result<()>> {
    let Some(former) = books.friend(owner, friend).await? else {
        return Ok(Err(ErrorCode::RelationBadParameter.because("is not a friend")));
    };
    let mut fact = FriendFact { ..former };
    let book = books.of(owner).await?;
    if let Some(names) = &change.groups {
        match book.groups_or_new(names) {
            Ok(groups) => fact.groups = groups,
            Err(error) => return Ok(Err(error)),
        }
    }
    if let Some(remark) = &change.remark {
        fact.remark.clone_from(remark);
    }
    fact.custom.extend(change.custom.clone());
    books.put_friend(fact).await?;
    Ok(Ok(()))
}
