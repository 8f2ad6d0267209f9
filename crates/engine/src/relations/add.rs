//! Friends are added, by themselves or because somebody agreed, or imported.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::profile::{FieldValue, IMAGE, NICK};
use model::relation::REQUESTS_MAX;
use model::settings::{AllowType, App};
use model::{ErrorCode, Result, Seconds, UserId};
use promise::Stamps;

use super::books::Books;
use super::enter::{Entered, Entry, enter, groups_of};
use super::{AT_ONCE, FriendFact, RequestFact, Way};
use crate::facts::AccountFact;
use crate::store::TRIES_MAX;
use crate::{Engine, push};

const ALLOW_TYPE: &str = "Tag_Profile_IM_AllowType";
const FORBID_TYPE: &str = "Tag_Profile_IM_AdminForbidType";
const MAY_NOT_ASK: &str = "AdminForbid_Type_SendOut";

/// A friend to add.
#[derive(Clone, Debug)]
pub struct AddFriend {
    /// Who.
    pub other: Arc<AccountFact>,
    /// How it was found.
    pub source: String,
    /// What to say to it.
    pub wording: String,
    /// What the owner will call it.
    pub remark: String,
    /// Into which of the owner's lists it goes; made if it is not there.
    pub group: Option<String>,
}

/// How friends are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adding {
    /// On both lists, rather than the owner's alone.
    pub both: bool,
    /// Without asking.
    pub force: bool,
}

/// A friend to import.
#[derive(Clone, Debug)]
pub struct ImportFriend {
    /// Who.
    pub other: Arc<AccountFact>,
    /// How it was found.
    pub source: String,
    /// What was said.
    pub wording: String,
    /// What the owner calls it.
    pub remark: String,
    /// Into which of the owner's lists it goes; made if they are not there.
    pub groups: Vec<String>,
    /// Since when; now, if absent.
    pub added_at: Option<Seconds>,
    /// The app's own fields.
    pub custom: BTreeMap<String, FieldValue>,
}

/// What came of adding one friend.
#[derive(Default)]
struct Outcome {
    /// They are friends now: on the owner's list, on the other's.
    entered: [Entered; 2],
    /// The other has to agree.
    waits: bool,
    /// The application that both are to hear of: one that says something new.
    applied: Option<RequestFact>,
    /// Applications between them are settled: in the owner's view, in the other's.
    settled: [bool; 2],
}

impl Engine {
    /// Adds friends, or asks those that want to be asked; one result for each, in the order of the request. Both sides'
    /// instances are told.
    ///
    /// # Errors
    /// `RelationConflict` if others changed the same relations again and again. Of single friends: what the reference names, also
    /// `WaitsForConfirmation` for who was asked.
    pub async fn add_friends(
        &self,
        app: &App,
        owner: &Arc<AccountFact>,
        friends: &[AddFriend],
        how: Adding,
    ) -> Result<Vec<Result<()>>> {
        let profile = self.profiles.of(app.id, owner.number).await?;
        if !how.force && profile.text(FORBID_TYPE) == MAY_NOT_ASK {
            return Err(ErrorCode::MayNotAsk.into());
        }
        let mut results = Vec::with_capacity(friends.len());
        for chunk in friends.chunks(AT_ONCE) {
            results.extend(self.add_some(app, owner, chunk, how).await?);
        }
        Ok(results)
    }

    async fn add_some(
        &self,
        app: &App,
        owner: &Arc<AccountFact>,
        friends: &[AddFriend],
        how: Adding,
    ) -> Result<Vec<Result<()>>> {
        let stamps = Stamps::of(app.id, &app.settings);
        let mut consents = Vec::with_capacity(friends.len());
        for friend in friends {
            consents.push(self.consent(app, &friend.other).await?);
        }
        for _ in 0..TRIES_MAX {
            let mut books = self.relations.books(app.id, stamps);
            books.expect_owner(owner).await?;
            let mut outcomes = Vec::with_capacity(friends.len());
            for (friend, consent) in friends.iter().zip(consents.iter().copied()) {
                outcomes.push(self.add_one(app, &mut books, owner, friend, how, consent).await?);
            }
            if let Some(changes) = books.commit().await? {
                self.relations.forget(app.id, &changes);
                return Ok(self.tell_added(app, owner, friends, outcomes).await);
            }
        }
        Err(ErrorCode::RelationConflict.into())
    }

    /// Whether an account wants to be asked. Who changes that at this moment changes it a moment later.
    async fn consent(&self, app: &App, other: &AccountFact) -> Result<AllowType> {
        let profile = self.profiles.of(app.id, other.number).await?;
        Ok(match profile.text(ALLOW_TYPE) {
            "AllowType_Type_AllowAny" => AllowType::AllowAny,
            "AllowType_Type_NeedConfirm" => AllowType::NeedConfirm,
            "AllowType_Type_DenyAny" => AllowType::DenyAny,
            _ => app.settings.default_allow_type,
        })
    }

    async fn add_one(
        &self,
        app: &App,
        books: &mut Books<'_>,
        owner: &AccountFact,
        friend: &AddFriend,
        how: Adding,
        allows: AllowType,
    ) -> Result<Result<Outcome>> {
        let other = &friend.other;
        if let Err(error) = check_other(books, owner, other).await? {
            return Ok(Err(error));
        }
        let has = books.friend(owner.number, other.number).await?.is_some();
        let is_had = books.friend(other.number, owner.number).await?.is_some();
        if books.is_blocked(owner.number, other.number).await? {
            return Ok(Err(ErrorCode::BlockedByOwner.into()));
        }
        if books.is_blocked(other.number, owner.number).await? {
            return Ok(Err(ErrorCode::BlockedByOther.into()));
        }
        // Who has asked first agrees, and gets what it asked for.
        let asked = books.request(owner.number, other.number).await?;
        let has_asked = asked.is_some_and(|request| request.way == Way::Received);
        let both = how.both || has_asked;
        if has && (is_had || !both) {
            return Ok(Err(ErrorCode::RelationBadParameter.because("is a friend already")));
        }
        let most = app.settings.friends_allowed();
        if !has && books.of(owner.number).await?.friends >= most {
            return Ok(Err(ErrorCode::FriendsFull.because(format!("an account has at most {most} friends"))));
        }
        if both && !is_had && books.of(other.number).await?.friends >= most {
            return Ok(Err(ErrorCode::OtherFriendsFull.into()));
        }
        let now = self.context.clock.now().seconds();
        match allows {
            _ if how.force || has_asked => {}
            AllowType::AllowAny => {}
            AllowType::DenyAny => return Ok(Err(ErrorCode::DeniesEverybody.into())),
            AllowType::NeedConfirm => return ask(books, owner, friend, now).await,
        }
        befriend(books, owner, friend, both, now).await
    }

    /// Tells both sides what was done, and says what came of it.
    async fn tell_added(
        &self,
        app: &App,
        owner: &AccountFact,
        friends: &[AddFriend],
        outcomes: Vec<Result<Outcome>>,
    ) -> Vec<Result<()>> {
        let (mut added, mut settled) = (Vec::new(), Vec::new());
        let (own, mut results) = (std::slice::from_ref(&owner.user), Vec::with_capacity(friends.len()));
        for (friend, outcome) in friends.iter().zip(outcomes) {
            let other = &friend.other;
            let Outcome { entered: [entered, back], waits, applied, settled: done } = match outcome {
                Ok(outcome) => outcome,
                Err(error) => {
                    results.push(Err(error));
                    continue;
                }
            };
            let [is_settled, is_settled_back] = done;
            if is_settled {
                settled.push(other.user.clone());
            }
            if is_settled_back {
                self.hub.push(app.id, other.number, &push::relations::settled(own), None);
            }
            if entered.is_new {
                added.push(other.user.clone());
            }
            if back.is_new {
                self.hub.push(app.id, other.number, &push::relations::added(own), None);
            }
            self.tell_changed(app, owner.number, &other.user, entered);
            self.tell_changed(app, other.number, &owner.user, back);
            if let Some(request) = applied {
                // It is made, whether or not anybody can be told.
                self.untold(self.tell_applied(app, owner, other, &request).await);
            }
            results.push(if waits { Err(ErrorCode::WaitsForConfirmation.into()) } else { Ok(()) });
        }
        self.tell_own(app, owner, &settled, push::relations::settled);
        self.tell_own(app, owner, &added, push::relations::added);
        results
    }

    /// Tells all instances of an account something about others, unless there is nothing to tell.
    pub(super) fn tell_own(
        &self,
        app: &App,
        owner: &AccountFact,
        users: &[UserId],
        frame: impl Fn(&[UserId]) -> bytes::Bytes,
    ) {
        if !users.is_empty() {
            self.hub.push(app.id, owner.number, &frame(users), None);
        }
    }

    async fn tell_applied(
        &self,
        app: &App,
        owner: &AccountFact,
        other: &AccountFact,
        request: &RequestFact,
    ) -> Result<()> {
        for (told, shown) in [(other, owner), (owner, other)] {
            if self.hub.has(app.id, told.number) {
                let profile = self.profiles.of(app.id, shown.number).await?;
                let frame = push::relations::applied(push::relations::Application {
                    applicant: &owner.user,
                    other: &shown.user,
                    nick: profile.text(NICK),
                    image: profile.text(IMAGE),
                    at: request.at,
                    source: &request.source,
                    wording: &request.wording,
                });
                self.hub.push(app.id, told.number, &frame, None);
            }
        }
        Ok(())
    }

    /// Puts friends on one account's list as they were somewhere else, without asking anybody. Who is there already is
    /// overwritten.
    ///
    /// # Errors
    /// `RelationConflict`. Of single friends: `FriendsFull`, `FriendGroupsFull`, `RelationBadParameter`.
    pub async fn import_friends(
        &self,
        app: &App,
        owner: &AccountFact,
        friends: &[ImportFriend],
    ) -> Result<Vec<Result<()>>> {
        let mut results = Vec::with_capacity(friends.len());
        for chunk in friends.chunks(AT_ONCE) {
            results.extend(self.import_some(app, owner, chunk).await?);
        }
        Ok(results)
    }

    async fn import_some(
        &self,
        app: &App,
        owner: &AccountFact,
        friends: &[ImportFriend],
    ) -> Result<Vec<Result<()>>> {
        let stamps = Stamps::of(app.id, &app.settings);
        for _ in 0..TRIES_MAX {
            let mut books = self.relations.books(app.id, stamps);
            books.expect_owner(owner).await?;
            let mut results = Vec::with_capacity(friends.len());
            for friend in friends {
                results.push(self.import_one(app, &mut books, owner, friend).await?);
            }
            if let Some(changes) = books.commit().await? {
                self.relations.forget(app.id, &changes);
                let done = friends.iter().zip(&results).filter(|(_, result)| result.is_ok());
                let users: Vec<UserId> = done.map(|(friend, _)| friend.other.user.clone()).collect();
                self.tell_own(app, owner, &users, push::relations::added);
                return Ok(results);
            }
        }
        Err(ErrorCode::RelationConflict.into())
    }

    async fn import_one(
        &self,
        app: &App,
        books: &mut Books<'_>,
        owner: &AccountFact,
        friend: &ImportFriend,
    ) -> Result<Result<()>> {
        let other = &friend.other;
        if let Err(error) = check_other(books, owner, other).await? {
            return Ok(Err(error));
        }
        let is_there = books.friend(owner.number, other.number).await?.is_some();
        let book = books.of(owner.number).await?;
        if !is_there && book.friends >= app.settings.friends_allowed() {
            return Ok(Err(ErrorCode::FriendsFull.into()));
        }
        let groups = match book.groups_or_new(&friend.groups) {
            Ok(groups) => groups,
            Err(error) => return Ok(Err(error)),
        };
        let fact = FriendFact {
            owner: owner.number,
            friend: other.number,
            user: other.user.clone(),
            added_at: friend.added_at.unwrap_or_else(|| self.context.clock.now().seconds()),
            source: friend.source.clone(),
            wording: friend.wording.clone(),
            remark: friend.remark.clone(),
            groups,
            custom: friend.custom.clone(),
        };
        books.put_friend(fact).await?;
        Ok(Ok(()))
    }
}

/// Whether an account can be on another's list at all.
async fn check_other(books: &mut Books<'_>, owner: &AccountFact, other: &AccountFact) -> Result<Result<()>> {
    if owner.number == other.number {
        return Ok(Err(ErrorCode::RelationBadParameter.because("nobody is a friend of himself")));
    }
    if !books.expect(other.number).await? {
        return Ok(Err(ErrorCode::RelationAccountUnknown.because("no such account")));
    }
    Ok(Ok(()))
}

/// Makes an application, which replaces a former one. One that says to both sides what they know already stays where it is: nobody
/// is told again.
async fn ask(
    books: &mut Books<'_>,
    owner: &AccountFact,
    friend: &AddFriend,
    now: Seconds,
) -> Result<Result<Outcome>> {
    let other = &friend.other;
    let former = books.request(owner.number, other.number).await?;
    let waiting = books.request(other.number, owner.number).await?;
    let (is_again, waits) = (former.is_some(), waiting.is_some());
    let is_known =
        is_said(friend, former.as_ref(), Way::Made) && is_said(friend, waiting.as_ref(), Way::Received);
    let is_full = (!is_again && books.of(owner.number).await?.made >= REQUESTS_MAX)
        || (!waits && books.of(other.number).await?.received >= REQUESTS_MAX);
    if is_full {
        return Ok(Err(ErrorCode::RequestsFull.into()));
    }
    let made = RequestFact {
        owner: owner.number,
        other: other.number,
        user: other.user.clone(),
        way: Way::Made,
        at: former.as_ref().filter(|_| is_known).map_or(now, |former| former.at),
        source: friend.source.clone(),
        wording: friend.wording.clone(),
        remark: friend.remark.clone(),
        group: friend.group.clone(),
    };
    if is_known {
        // What the applicant keeps to itself may be another.
        if former.as_ref() != Some(&made) {
            books.put_request(made).await?;
        }
        return Ok(Ok(Outcome { waits: true, ..Outcome::default() }));
    }
    let received = RequestFact {
        owner: other.number,
        other: owner.number,
        user: owner.user.clone(),
        way: Way::Received,
        remark: String::new(),
        group: None,
        ..made.clone()
    };
    books.put_request(made.clone()).await?;
    books.put_request(received).await?;
    Ok(Ok(Outcome { waits: true, applied: Some(made), ..Outcome::default() }))
}

/// Whether an application in one side's view says what this one does.
fn is_said(friend: &AddFriend, known: Option<&RequestFact>, way: Way) -> bool {
    known.is_some_and(|known| {
        known.way == way && known.source == friend.source && known.wording == friend.wording
    })
}

/// Makes friends, and settles what they had asked each other.
async fn befriend(
    books: &mut Books<'_>,
    owner: &AccountFact,
    friend: &AddFriend,
    both: bool,
    now: Seconds,
) -> Result<Result<Outcome>> {
    let other = &friend.other;
    let mut outcome = Outcome::default();
    let groups = match groups_of(books, owner.number, friend.group.as_deref()).await? {
        Ok(groups) => groups,
        Err(error) => return Ok(Err(error)),
    };
    let entry = Entry {
        owner: owner.number,
        friend: other.number,
        user: &other.user,
        source: &friend.source,
        wording: &friend.wording,
        remark: &friend.remark,
        groups,
    };
    outcome.entered[0] = enter(books, entry, now).await?;
    let own = books.remove_request(owner.number, other.number).await?;
    let made = books.remove_request(other.number, owner.number).await?;
    outcome.settled = [own.is_some(), made.is_some()];
    if both {
        // What the other side wished, if it had asked; a list for which there is no room any more is left out.
        let made = made.filter(|made| made.way == Way::Made);
        let group = made.as_ref().and_then(|made| made.group.as_deref());
        let entry = Entry {
            owner: other.number,
            friend: owner.number,
            user: &owner.user,
            source: made.as_ref().map_or(&friend.source, |made| &made.source),
            wording: made.as_ref().map_or(&friend.wording, |made| &made.wording),
            remark: made.as_ref().map_or("", |made| &made.remark),
            groups: groups_of(books, other.number, group).await?.unwrap_or_default(),
        };
        outcome.entered[1] = enter(books, entry, now).await?;
    }
    Ok(Ok(outcome))
}
