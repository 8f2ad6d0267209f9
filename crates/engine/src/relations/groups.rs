//! The lists into which an account sorts its friends.

use std::sync::Arc;

use model::relation::{GROUP, GROUPS_MAX};
use model::settings::App;
use model::{AccountNumber, ErrorCode, Result, SdkAppId, UserId};
use promise::Stamps;

use super::books::Books;
use super::{AT_ONCE, FriendFact, Relations, RelationsFact};
use crate::facts::AccountFact;
use crate::push::relations::Shown;
use crate::store::TRIES_MAX;
use crate::{Engine, push};

/// Friends looked at at once.
const PAGE: usize = 1000;

/// A friend that comes into a list or leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Who.
    pub friend: AccountNumber,
    /// Whether it comes.
    pub is_added: bool,
}

/// A list and who is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// What it is called.
    pub name: String,
    /// The friends in it, in the order of their numbers.
    pub friends: Vec<UserId>,
}

impl Relations {
    /// An account's friend lists and who is in them: all, or those of these names.
    ///
    /// # Errors
    /// What the store says.
    pub async fn groups(
        &self,
        app: SdkAppId,
        owner: AccountNumber,
        only: &[String],
    ) -> Result<(RelationsFact, Vec<GroupView>)> {
        let book = self.of(app, owner).await?;
        let wanted = book.groups.iter().filter(|group| only.is_empty() || only.contains(&group.name));
        let mut views: Vec<(u32, GroupView)> = wanted
            .map(|group| (group.id, GroupView { name: group.name.clone(), friends: Vec::new() }))
            .collect();
        let mut after = None;
        while !views.is_empty() {
            let page = self.page(app, owner, after, PAGE).await?;
            after = page.last().map(|fact| fact.friend);
            let is_last = page.len() < PAGE;
            for fact in page {
                for (_, view) in views.iter_mut().filter(|(id, _)| fact.groups.contains(id)) {
                    view.friends.push(fact.user.clone());
                }
            }
            if is_last {
                break;
            }
        }
        Ok((book, views.into_iter().map(|(_, view)| view).collect()))
    }
}

impl Engine {
    /// Makes friend lists and puts friends into them. Whether each of these is a friend, and the new sequence.
    ///
    /// # Errors
    /// `FriendGroupExists`, `FriendGroupsFull`: then nothing is made. `RelationConflict`.
    pub async fn add_friend_groups(
        &self,
        app: &App,
        owner: &AccountFact,
        names: &[String],
        members: &[AccountNumber],
        cause: push::Cause,
    ) -> Result<(Vec<bool>, u32)> {
        let stamps = Stamps::of(app.id, &app.settings);
        let mut are_friends = Vec::with_capacity(members.len());
        let (first, rest) = members.split_at(members.len().min(AT_ONCE));
        let mut sequence = None;
        for _ in 0..TRIES_MAX {
            let mut books = self.relations.books(app.id, stamps);
            books.expect_owner(owner).await?;
            let book = books.of(owner.number).await?;
            // Names are what people wrote: errors, which are logged, say which one by its place.
            if let Some(place) = names.iter().position(|name| book.group(name).is_some()) {
                let what = format!("entry {place} is there already");
                return Err(ErrorCode::FriendGroupExists.in_field("GroupName", what));
            }
            if book.groups.len() + names.len() > GROUPS_MAX {
                return Err(ErrorCode::FriendGroupsFull.into());
            }
            let added = join(&mut books, owner.number, names, first).await?;
            let now = books.of(owner.number).await?.group_sequence;
            let book = books.of(owner.number).await?.clone();
            if let Some(changes) = books.commit().await? {
                self.relations.forget(app.id, &changes);
                self.tell_groups(app, &book, changes.into_iter().filter_map(|(_, fact)| fact), cause);
                are_friends.extend(added);
                sequence = Some(now);
                break;
            }
        }
        let mut sequence = sequence.ok_or(ErrorCode::RelationConflict)?;
        for chunk in rest.chunks(AT_ONCE) {
            let changes: Vec<GroupMember> =
                chunk.iter().map(|friend| GroupMember { friend: *friend, is_added: true }).collect();
            for name in names {
                let (found, now) = self.change_friend_group(app, owner, name, None, &changes, cause).await?;
                sequence = now;
                if Some(name) == names.first() {
                    are_friends.extend(found);
                }
            }
        }
        Ok((are_friends, sequence))
    }

    /// Deletes friend lists; the friends stay. The new sequence.
    ///
    /// # Errors
    /// `RelationBadParameter` for a list that is not there: then nothing is deleted. `RelationConflict`.
    pub async fn delete_friend_groups(
        &self,
        app: &App,
        owner: &AccountFact,
        names: &[String],
        cause: push::Cause,
    ) -> Result<u32> {
        let stamps = Stamps::of(app.id, &app.settings);
        let former = self.relations.of(app.id, owner.number).await?;
        let gone: Vec<u32> = names.iter().filter_map(|name| former.group(name)).collect();
        for _ in 0..TRIES_MAX {
            let mut books = self.relations.books(app.id, stamps);
            books.expect_owner(owner).await?;
            let book = books.of(owner.number).await?;
            if let Some(place) = names.iter().position(|name| book.group(name).is_none()) {
                return Err(no_group(format!("entry {place}: there is no such list")));
            }
            // Friends keep the number, which is not given out again and names nothing any more.
            book.groups.retain(|group| !names.contains(&group.name));
            book.note_groups();
            let book = book.clone();
            if books.commit().await?.is_some() {
                self.untold(self.tell_members(app, &book, &gone, cause).await);
                return Ok(book.group_sequence);
            }
        }
        Err(ErrorCode::RelationConflict.into())
    }

    /// Renames a friend list, or changes who is in it. Whether each of these is a friend, and the new sequence.
    ///
    /// # Errors
    /// `RelationBadParameter` for a list that is not there, `FriendGroupExists` for a name that is taken, `RelationConflict`.
    pub async fn change_friend_group(
        &self,
        app: &App,
        owner: &AccountFact,
        name: &str,
        new_name: Option<&str>,
        members: &[GroupMember],
        cause: push::Cause,
    ) -> Result<(Vec<bool>, u32)> {
        let stamps = Stamps::of(app.id, &app.settings);
        for _ in 0..TRIES_MAX {
            let mut books = self.relations.books(app.id, stamps);
            books.expect_owner(owner).await?;
            let book = books.of(owner.number).await?;
            let id = book.group(name).ok_or_else(|| no_group("there is no such list".to_owned()))?;
            if let Some(new_name) = new_name.filter(|new_name| *new_name != name) {
                if book.group(new_name).is_some() {
                    return Err(ErrorCode::FriendGroupExists.in_field("GroupNewName", "is taken"));
                }
                let renamed = book.groups.iter_mut().filter(|group| group.id == id);
                renamed.for_each(|group| new_name.clone_into(&mut group.name));
                book.note_groups();
            }
            let mut are_friends = Vec::with_capacity(members.len());
            for member in members {
                let found = books.friend(owner.number, member.friend).await?;
                are_friends.push(found.is_some());
                if let Some(mut fact) = found {
                    fact.groups.retain(|group| *group != id);
                    if member.is_added {
                        fact.groups.push(id);
                    }
                    books.put_friend(fact).await?;
                }
            }
            let book = books.of(owner.number).await?.clone();
            if let Some(changes) = books.commit().await? {
                self.relations.forget(app.id, &changes);
                if new_name.is_some() {
                    self.untold(self.tell_members(app, &book, &[id], cause).await);
                } else {
                    self.tell_groups(app, &book, changes.into_iter().filter_map(|(_, fact)| fact), cause);
                }
                return Ok((are_friends, book.group_sequence));
            }
        }
        Err(ErrorCode::RelationConflict.into())
    }
}

impl Engine {
    /// Tells an account's other instances in which lists friends are now.
    fn tell_groups(
        &self,
        app: &App,
        book: &RelationsFact,
        friends: impl Iterator<Item = Arc<FriendFact>>,
        cause: push::Cause,
    ) {
        let friends: Vec<Arc<FriendFact>> = friends.collect();
        for chunk in friends.chunks(AT_ONCE) {
            let shown = |fact: &FriendFact| vec![(GROUP.to_owned(), Shown::Names(book.names(&fact.groups)))];
            let frame = push::relations::updated(chunk.iter().map(|fact| (&fact.user, shown(fact))));
            self.hub.push(app.id, book.owner, &frame, cause);
        }
    }

    /// Tells them so of everybody who is, or was, in one of these lists.
    async fn tell_members(
        &self,
        app: &App,
        book: &RelationsFact,
        groups: &[u32],
        cause: push::Cause,
    ) -> Result<()> {
        if !self.hub.has_besides(app.id, book.owner, cause) {
            return Ok(());
        }
        let mut after = None;
        loop {
            let page = self.relations.page(app.id, book.owner, after, PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|fact| fact.friend);
            let of_them = page.into_iter().filter(|fact| fact.groups.iter().any(|id| groups.contains(id)));
            self.tell_groups(app, book, of_them.map(Arc::new), cause);
            if is_last {
                return Ok(());
            }
        }
    }
}

fn no_group(what: String) -> model::Error {
    ErrorCode::RelationBadParameter.in_field("GroupName", what)
}

/// Makes lists and puts friends into all of them; whether each is a friend.
async fn join(
    books: &mut Books<'_>,
    owner: AccountNumber,
    names: &[String],
    members: &[AccountNumber],
) -> Result<Vec<bool>> {
    let book = books.of(owner).await?;
    let ids = book.groups_or_new(names)?;
    let mut are_friends = Vec::with_capacity(members.len());
    for member in members {
        let found = books.friend(owner, *member).await?;
        are_friends.push(found.is_some());
        if let Some(fact) = found {
            let mut groups = fact.groups.clone();
            groups.extend(ids.iter().filter(|id| !fact.groups.contains(id)));
            books.put_friend(FriendFact { groups, ..fact }).await?;
        }
    }
    Ok(are_friends)
}
