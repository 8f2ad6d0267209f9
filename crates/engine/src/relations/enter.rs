//! How one account comes onto another's list of friends, or gets a remark and a list there if it is on it already.

use std::collections::BTreeMap;

use model::profile::FieldValue;
use model::relation::{GROUP, REMARK};
use model::settings::App;
use model::{AccountNumber, Result, Seconds, UserId};

use super::FriendFact;
use super::books::Books;
use crate::push::relations::Shown;
use crate::{Engine, push};

/// What one side keeps of the other when they become friends.
pub(super) struct Entry<'a> {
    pub(super) owner: AccountNumber,
    pub(super) friend: AccountNumber,
    pub(super) user: &'a UserId,
    pub(super) source: &'a str,
    pub(super) wording: &'a str,
    pub(super) remark: &'a str,
    /// The owner's lists that the friend goes into.
    pub(super) groups: Vec<u32>,
}

/// What came of an entry.
#[derive(Default)]
pub(super) struct Entered {
    /// The friend was not on the list before.
    pub(super) is_new: bool,
    /// What changed if it was.
    changed: Vec<(String, Shown)>,
}

/// Puts a friend on a list. One that is there already gets the remark, if there is one, and comes into these lists too.
pub(super) async fn enter(books: &mut Books<'_>, entry: Entry<'_>, now: Seconds) -> Result<Entered> {
    let Some(mut fact) = books.friend(entry.owner, entry.friend).await? else {
        let fact = FriendFact {
            owner: entry.owner,
            friend: entry.friend,
            user: entry.user.clone(),
            added_at: now,
            source: entry.source.to_owned(),
            wording: entry.wording.to_owned(),
            remark: entry.remark.to_owned(),
            groups: entry.groups,
            custom: BTreeMap::new(),
        };
        books.put_friend(fact).await?;
        return Ok(Entered { is_new: true, changed: Vec::new() });
    };
    let mut changed = Vec::new();
    if !entry.remark.is_empty() && entry.remark != fact.remark {
        entry.remark.clone_into(&mut fact.remark);
        changed.push((REMARK.to_owned(), Shown::Value(FieldValue::Text(fact.remark.clone()))));
    }
    let before = fact.groups.len();
    let new: Vec<u32> = entry.groups.into_iter().filter(|id| !fact.groups.contains(id)).collect();
    fact.groups.extend(new);
    if fact.groups.len() > before {
        let book = books.of(entry.owner).await?;
        changed.push((GROUP.to_owned(), Shown::Names(book.names(&fact.groups))));
    }
    if !changed.is_empty() {
        books.put_friend(fact).await?;
    }
    Ok(Entered { is_new: false, changed })
}

/// The numbers of the lists into which a new friend goes, made if they are not there.
pub(super) async fn groups_of(
    books: &mut Books<'_>,
    owner: AccountNumber,
    name: Option<&str>,
) -> Result<Result<Vec<u32>>> {
    let Some(name) = name else { return Ok(Ok(Vec::new())) };
    Ok(books.of(owner).await?.group_or_new(name).map(|id| vec![id]))
}

impl Engine {
    /// Tells an account's instances what changed of a friend that was on its list already.
    pub(super) fn tell_changed(&self, app: &App, owner: AccountNumber, friend: &UserId, entered: Entered) {
        if !entered.changed.is_empty() {
            let frame = push::relations::updated([(friend, entered.changed)]);
            self.hub.push(app.id, owner, &frame, None);
        }
    }
}
