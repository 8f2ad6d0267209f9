//! A change of relations: reads what it needs, collects what it changes, and applies it if nobody else came first.
//!
//! Every change of an account's relations also writes its [`RelationsFact`], whose version all changes depend on.

use std::sync::Arc;

use hashbrown::HashMap;
use model::{AccountNumber, ErrorCode, Result, SdkAppId, Stamp};
use ports::records::{Write, find};
use ports::{Condition, Record, Records};
use promise::Stamps;

use super::facts::{FriendFact, RelationsFact, RequestFact, Way};
use crate::facts::{AccountFact, BlockFact};
use crate::statistics::Statistics;
use crate::store::{put, remove, still_there, unchanged, write_if};

type Pair = (AccountNumber, AccountNumber);

struct Book {
    before: RelationsFact,
    fact: RelationsFact,
    version: Option<u64>,
}

impl Book {
    fn new(fact: RelationsFact, version: Option<u64>) -> Self {
        Self { before: fact.clone(), fact, version }
    }
}

/// What a change reads and writes.
pub(super) struct Books<'a> {
    records: &'a dyn Records,
    statistics: &'a Statistics,
    app: SdkAppId,
    stamps: Stamps,
    books: HashMap<AccountNumber, Book>,
    friends: HashMap<Pair, Option<FriendFact>>,
    requests: HashMap<Pair, Option<RequestFact>>,
    accounts: HashMap<AccountNumber, Condition>,
    blocks: HashMap<Pair, Condition>,
    /// How many come onto lists of friends, and how many go.
    begun: u64,
    ended: u64,
}

/// What a change did to lists of friends.
pub(super) type FriendChanges = Vec<(Pair, Option<Arc<FriendFact>>)>;

impl<'a> Books<'a> {
    pub(super) fn new(
        records: &'a dyn Records,
        statistics: &'a Statistics,
        app: SdkAppId,
        stamps: Stamps,
    ) -> Self {
        Self {
            records,
            statistics,
            app,
            stamps,
            books: HashMap::new(),
            friends: HashMap::new(),
            requests: HashMap::new(),
            accounts: HashMap::new(),
            blocks: HashMap::new(),
            begun: 0,
            ended: 0,
        }
    }

    /// Whether an account is still there; if so, the change applies only if it is so until then. Nothing is written for or about
    /// one that is being erased.
    pub(super) async fn expect(&mut self, number: AccountNumber) -> Result<bool> {
        let found = still_there(self.records, self.app, number).await?;
        Ok(found.map(|is_there| self.accounts.insert(number, is_there)).is_some())
    }

    /// The same for the account whose relations are changed.
    ///
    /// # Errors
    /// `RelationAccountUnknown` if it is gone.
    pub(super) async fn expect_owner(&mut self, owner: &AccountFact) -> Result<()> {
        if self.expect(owner.number).await? {
            return Ok(());
        }
        Err(ErrorCode::RelationAccountUnknown.because("From_Account: the account was erased"))
    }

    /// Whether one account has blocked another; the change applies only if that is so until then. Who blocks a friend ends the
    /// friendship after that: none begins in between.
    pub(super) async fn is_blocked(&mut self, owner: AccountNumber, other: AccountNumber) -> Result<bool> {
        let key = BlockFact::key_of(owner, other);
        let found = find::<BlockFact>(self.records, self.app, &key).await?;
        let version = found.as_ref().map(|(_, version)| *version);
        self.blocks.insert((owner, other), unchanged::<BlockFact>(key, version));
        Ok(found.is_some())
    }

    /// An account's relations, to read and to change.
    pub(super) async fn of(&mut self, owner: AccountNumber) -> Result<&mut RelationsFact> {
        if !self.books.contains_key(&owner) {
            let found = find::<RelationsFact>(self.records, self.app, &owner.0.to_be_bytes()).await?;
            let book = match found {
                Some((fact, version)) => Book::new(fact, Some(version)),
                None => Book::new(RelationsFact::none_of(owner), None),
            };
            self.books.insert(owner, book);
        }
        let none = || Book::new(RelationsFact::none_of(owner), None);
        Ok(&mut self.books.entry(owner).or_insert_with(none).fact)
    }

    /// Whether and how one account has another on its list.
    pub(super) async fn friend(
        &mut self,
        owner: AccountNumber,
        friend: AccountNumber,
    ) -> Result<Option<FriendFact>> {
        self.of(owner).await?;
        if let Some(changed) = self.friends.get(&(owner, friend)) {
            return Ok(changed.clone());
        }
        let found = find::<FriendFact>(self.records, self.app, &FriendFact::key_of(owner, friend)).await?;
        Ok(found.map(|(fact, _)| fact))
    }

    /// Writes a friend, new or changed.
    pub(super) async fn put_friend(&mut self, mut fact: FriendFact) -> Result<()> {
        let former = self.friend(fact.owner, fact.friend).await?;
        let book = self.of(fact.owner).await?;
        // Lists that were deleted meanwhile leave their numbers behind.
        fact.groups.retain(|id| book.groups.iter().any(|group| group.id == *id));
        book.friends += u32::from(former.is_none());
        book.note_change(former.as_ref(), Some(&fact));
        self.begun += u64::from(former.is_none());
        self.friends.insert((fact.owner, fact.friend), Some(fact));
        Ok(())
    }

    /// Takes a friend off a list; whether it was there.
    pub(super) async fn remove_friend(
        &mut self,
        owner: AccountNumber,
        friend: AccountNumber,
    ) -> Result<bool> {
        let Some(former) = self.friend(owner, friend).await? else { return Ok(false) };
        let book = self.of(owner).await?;
        book.friends = book.friends.saturating_sub(1);
        book.note_change(Some(&former), None);
        self.ended += 1;
        self.friends.insert((owner, friend), None);
        Ok(true)
    }

    /// An application, in the view of one side.
    pub(super) async fn request(
        &mut self,
        owner: AccountNumber,
        other: AccountNumber,
    ) -> Result<Option<RequestFact>> {
        self.of(owner).await?;
        if let Some(changed) = self.requests.get(&(owner, other)) {
            return Ok(changed.clone());
        }
        let found = find::<RequestFact>(self.records, self.app, &RequestFact::key_of(owner, other)).await?;
        Ok(found.map(|(fact, _)| fact))
    }

    /// Writes an application, new or again.
    pub(super) async fn put_request(&mut self, fact: RequestFact) -> Result<()> {
        self.remove_request(fact.owner, fact.other).await?;
        let book = self.of(fact.owner).await?;
        match fact.way {
            Way::Made => book.made += 1,
            Way::Received => book.received += 1,
        }
        book.request_sequence += 1;
        self.requests.insert((fact.owner, fact.other), Some(fact));
        Ok(())
    }

    /// Takes an application out of one side's view; what it was.
    pub(super) async fn remove_request(
        &mut self,
        owner: AccountNumber,
        other: AccountNumber,
    ) -> Result<Option<RequestFact>> {
        let Some(former) = self.request(owner, other).await? else { return Ok(None) };
        let book = self.of(owner).await?;
        match former.way {
            Way::Made => book.made = book.made.saturating_sub(1),
            Way::Received => book.received = book.received.saturating_sub(1),
        }
        book.request_sequence += 1;
        self.requests.insert((owner, other), None);
        Ok(Some(former))
    }

    /// Applies everything, unless relations that were read have changed meanwhile; then `None`.
    pub(super) async fn commit(self) -> Result<Option<FriendChanges>> {
        let Self {
            records,
            statistics,
            app,
            stamps,
            books,
            friends,
            requests,
            accounts,
            blocks,
            begun,
            ended,
        } = self;
        let stamp = |owner: AccountNumber| stamps.account(owner);
        let mut conditions: Vec<Condition> = accounts.into_values().chain(blocks.into_values()).collect();
        let mut writes: Vec<Write> = Vec::new();
        for book in books.values() {
            let key = book.fact.key();
            conditions.push(unchanged::<RelationsFact>(key, book.version));
            if book.fact != book.before {
                writes.push(put(stamp(book.fact.owner), &book.fact)?);
            }
        }
        for ((owner, friend), fact) in &friends {
            writes.push(written(stamp(*owner), fact.as_ref(), || FriendFact::key_of(*owner, *friend))?);
        }
        for ((owner, other), fact) in &requests {
            writes.push(written(stamp(*owner), fact.as_ref(), || RequestFact::key_of(*owner, *other))?);
        }
        if writes.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if !write_if(records, app, conditions, writes).await? {
            return Ok(None);
        }
        statistics.befriended(app, begun, ended);
        Ok(Some(friends.into_iter().map(|(pair, fact)| (pair, fact.map(Arc::new))).collect()))
    }
}

fn written<R: Record>(stamp: Stamp, fact: Option<&R>, key: impl Fn() -> Vec<u8>) -> Result<Write> {
    match fact {
        Some(fact) => put(stamp, fact),
        None => Ok(remove::<R>(key())),
    }
}
