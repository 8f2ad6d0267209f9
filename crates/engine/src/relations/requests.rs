//! Applications for friendship: listed, answered, seen, deleted.

use model::settings::App;
use model::{AccountNumber, ErrorCode, Result, SdkAppId, Seconds, UserId};
use promise::Stamps;

use super::books::Books;
use super::enter::{Entered, Entry, enter, groups_of};
use super::{AT_ONCE, Relations, RequestFact, Way};
use crate::facts::AccountFact;
use crate::store::{TRIES_MAX, owned_by};
use crate::{Engine, push};

/// The most applications of an account: those that it made and those that it got.
const ALL_MAX: usize = 2 * model::relation::REQUESTS_MAX as usize;

/// What an addressee does with an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// The applicant gets the addressee on its list.
    Agree,
    /// Both get each other.
    AgreeAndAdd,
    /// Nothing comes of it.
    Reject,
}

/// An answer to one application.
#[derive(Clone, Debug)]
pub struct Responding {
    /// Who made it.
    pub applicant: AccountNumber,
    /// The applicant's name.
    pub user: UserId,
    /// What to do with it.
    pub response: Response,
    /// What the addressee will call its friend.
    pub remark: String,
    /// Into which of the addressee's lists the friend goes.
    pub group: Option<String>,
}

/// What came of an answer: for the applicant, for the addressee.
type Answered = [Entered; 2];

impl Relations {
    /// Every application of an account, the newest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn requests(&self, app: SdkAppId, owner: AccountNumber) -> Result<Vec<RequestFact>> {
        let mut found = owned_by::<RequestFact>(self.records(), app, owner, ALL_MAX).await?;
        found.sort_by_key(|request| (std::cmp::Reverse(request.at), request.other));
        Ok(found)
    }
}

impl Engine {
    /// Answers applications; one result for each. Both sides' instances are told.
    ///
    /// # Errors
    /// `RelationConflict`. Of single ones: `RequestUnknown`, `BlockedByOwner`, `BlockedByOther`, `FriendsFull`,
    /// `OtherFriendsFull`, `FriendGroupsFull`: then the application waits on.
    pub async fn respond(
        &self,
        app: &App,
        owner: &AccountFact,
        responses: &[Responding],
    ) -> Result<Vec<Result<()>>> {
        let stamps = Stamps::of(app.id, &app.settings);
        let mut results = Vec::with_capacity(responses.len());
        for chunk in responses.chunks(AT_ONCE) {
            let mut done = None;
            for _ in 0..TRIES_MAX {
                let mut books = self.relations.books(app.id, stamps);
                books.expect_owner(owner).await?;
                let mut outcomes = Vec::with_capacity(chunk.len());
                for responding in chunk {
                    outcomes.push(self.respond_one(app, &mut books, owner, responding).await?);
                }
                if let Some(changes) = books.commit().await? {
                    self.relations.forget(app.id, &changes);
                    done = Some(outcomes);
                    break;
                }
            }
            let outcomes = done.ok_or(ErrorCode::RelationConflict)?;
            for (responding, outcome) in chunk.iter().zip(outcomes) {
                results.push(outcome.map(|answered| self.tell_response(app, owner, responding, answered)));
            }
        }
        Ok(results)
    }

    async fn respond_one(
        &self,
        app: &App,
        books: &mut Books<'_>,
        owner: &AccountFact,
        responding: &Responding,
    ) -> Result<Result<Answered>> {
        let applicant = responding.applicant;
        let request = books.request(owner.number, applicant).await?;
        let Some(request) = request.filter(|request| request.way == Way::Received) else {
            return Ok(Err(ErrorCode::RequestUnknown.into()));
        };
        if !books.expect(applicant).await? {
            return Ok(Err(ErrorCode::RequestUnknown.into()));
        }
        let mut answered = Answered::default();
        if responding.response != Response::Reject {
            let groups = match self.may_agree(app, books, owner, responding).await? {
                Ok(groups) => groups,
                Err(error) => return Ok(Err(error)),
            };
            answered = self.agree(books, owner, responding, &request, groups).await?;
        }
        books.remove_request(applicant, owner.number).await?;
        books.remove_request(owner.number, applicant).await?;
        Ok(Ok(answered))
    }

    /// Whether an application can be agreed to; if so, the addressee's lists into which its friend goes.
    async fn may_agree(
        &self,
        app: &App,
        books: &mut Books<'_>,
        owner: &AccountFact,
        responding: &Responding,
    ) -> Result<Result<Vec<u32>>> {
        let applicant = responding.applicant;
        let has_applicant = books.friend(owner.number, applicant).await?.is_some();
        let is_had = books.friend(applicant, owner.number).await?.is_some();
        if books.is_blocked(owner.number, applicant).await? {
            return Ok(Err(ErrorCode::BlockedByOwner.into()));
        }
        if books.is_blocked(applicant, owner.number).await? {
            return Ok(Err(ErrorCode::BlockedByOther.into()));
        }
        let most = app.settings.friends_allowed();
        if !is_had && books.of(applicant).await?.friends >= most {
            return Ok(Err(ErrorCode::OtherFriendsFull.into()));
        }
        let adds = responding.response == Response::AgreeAndAdd;
        if adds && !has_applicant && books.of(owner.number).await?.friends >= most {
            return Ok(Err(ErrorCode::FriendsFull.into()));
        }
        let group = responding.group.as_deref().filter(|_| adds || has_applicant);
        groups_of(books, owner.number, group).await
    }

    async fn agree(
        &self,
        books: &mut Books<'_>,
        owner: &AccountFact,
        responding: &Responding,
        request: &RequestFact,
        groups: Vec<u32>,
    ) -> Result<Answered> {
        let (applicant, mut answered) = (responding.applicant, Answered::default());
        let now = self.context.clock.now().seconds();
        let (source, wording) = (request.source.as_str(), request.wording.as_str());
        let has_applicant = books.friend(owner.number, applicant).await?.is_some();
        if has_applicant || responding.response == Response::AgreeAndAdd {
            let (user, remark) = (&responding.user, responding.remark.as_str());
            let entry =
                Entry { owner: owner.number, friend: applicant, user, source, wording, remark, groups };
            answered[1] = enter(books, entry, now).await?;
        }
        // What the applicant wished when it asked; a list for which there is no room any more is left out.
        let made = books.request(applicant, owner.number).await?;
        let group = made.as_ref().and_then(|made| made.group.as_deref());
        let groups = groups_of(books, applicant, group).await?.unwrap_or_default();
        let remark = made.as_ref().map_or("", |made| &made.remark);
        let (user, friend) = (&owner.user, owner.number);
        let entry = Entry { owner: applicant, friend, user, source, wording, remark, groups };
        answered[0] = enter(books, entry, now).await?;
        Ok(answered)
    }

    fn tell_response(&self, app: &App, owner: &AccountFact, responding: &Responding, answered: Answered) {
        let (own, applicant) = (std::slice::from_ref(&owner.user), std::slice::from_ref(&responding.user));
        self.hub.push(app.id, owner.number, &push::relations::settled(applicant), None);
        self.hub.push(app.id, responding.applicant, &push::relations::settled(own), None);
        let [of_applicant, of_owner] = answered;
        if of_applicant.is_new {
            self.hub.push(app.id, responding.applicant, &push::relations::added(own), None);
        }
        if of_owner.is_new {
            self.hub.push(app.id, owner.number, &push::relations::added(applicant), None);
        }
        self.tell_changed(app, responding.applicant, &owner.user, of_applicant);
        self.tell_changed(app, owner.number, &responding.user, of_owner);
    }

    /// Takes applications out of an account's view; whether each was there. The other sides keep theirs. All instances of the
    /// account are told.
    ///
    /// # Errors
    /// `RelationConflict`.
    pub async fn delete_requests(
        &self,
        app: &App,
        owner: &AccountFact,
        others: &[(AccountNumber, UserId)],
        way: Option<Way>,
    ) -> Result<Vec<bool>> {
        let stamps = Stamps::of(app.id, &app.settings);
        for _ in 0..TRIES_MAX {
            let mut books = self.relations.books(app.id, stamps);
            books.expect_owner(owner).await?;
            let mut was_there = Vec::with_capacity(others.len());
            for (other, _) in others {
                let found = books.request(owner.number, *other).await?;
                let is_meant = found.is_some_and(|request| way.is_none_or(|way| way == request.way));
                if is_meant {
                    books.remove_request(owner.number, *other).await?;
                }
                was_there.push(is_meant);
            }
            if books.commit().await?.is_some() {
                let gone = others.iter().zip(&was_there).filter(|(_, removed)| **removed);
                let users: Vec<UserId> = gone.map(|((_, user), _)| user.clone()).collect();
                self.tell_own(app, owner, &users, push::relations::settled);
                return Ok(was_there);
            }
        }
        Err(ErrorCode::RelationConflict.into())
    }

    /// Notes up to when an account has seen its applications; never earlier than before. All its instances are told.
    ///
    /// # Errors
    /// `RelationConflict`.
    pub async fn read_requests(&self, app: &App, owner: &AccountFact, up_to: Seconds) -> Result<()> {
        let stamps = Stamps::of(app.id, &app.settings);
        for _ in 0..TRIES_MAX {
            let mut books = self.relations.books(app.id, stamps);
            books.expect_owner(owner).await?;
            let book = books.of(owner.number).await?;
            book.requests_read_to = book.requests_read_to.max(up_to);
            let read_to = book.requests_read_to;
            if books.commit().await?.is_some() {
                self.hub.push(app.id, owner.number, &push::relations::requests_read(read_to), None);
                return Ok(());
            }
        }
        Err(ErrorCode::RelationConflict.into())
    }
}
