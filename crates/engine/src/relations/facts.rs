//! What is kept of friends, of applications, and of an account's friend lists.

use std::collections::{BTreeMap, BTreeSet};

use model::profile::FieldValue;
use model::relation::GROUPS_MAX;
use model::{AccountNumber, DataClass, ErrorCode, Result, Seconds, Subject, UserId};
use ports::{Kind, Record};
use serde::{Deserialize, Serialize};

use crate::facts::{number_key, pair_key};

/// That one account has another on its list of friends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FriendFact {
    /// Whose list.
    pub owner: AccountNumber,
    /// Who is on it.
    pub friend: AccountNumber,
    /// The friend's name.
    pub user: UserId,
    /// Since when.
    pub added_at: Seconds,
    /// How it was found.
    pub source: String,
    /// What was said when it was added.
    pub wording: String,
    /// What the owner calls it.
    pub remark: String,
    /// The owner's lists that it is in.
    pub groups: Vec<u32>,
    /// The app's own fields, by tag.
    pub custom: BTreeMap<String, FieldValue>,
}

impl FriendFact {
    /// The index by who is on a list.
    pub const BY_FRIEND: u8 = 1;

    /// Its key.
    #[must_use]
    pub fn key_of(owner: AccountNumber, friend: AccountNumber) -> Vec<u8> {
        pair_key(owner, friend)
    }
}

impl Record for FriendFact {
    const KIND: Kind = Kind { id: 23, name: "friend", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        pair_key(self.owner, self.friend)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.owner)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        vec![(Self::BY_FRIEND, number_key(self.friend))]
    }
}

/// A list of friends that an account made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FriendGroup {
    /// Which of the account's.
    pub id: u32,
    /// What it is called.
    pub name: String,
}

/// An account's relations as a whole: counts, sequences and friend lists. It is written with every change of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationsFact {
    /// Whose.
    pub owner: AccountNumber,
    /// How many friends.
    pub friends: u32,
    /// How many applications it has made.
    pub made: u32,
    /// How many applications wait for its answer.
    pub received: u32,
    /// Changes of standard data of friends.
    pub standard_sequence: u32,
    /// Changes of the app's own fields.
    pub custom_sequence: u32,
    /// Changes of friend lists.
    pub group_sequence: u32,
    /// Changes of applications.
    pub request_sequence: u32,
    /// Up to when applications were seen.
    pub requests_read_to: Seconds,
    /// The friend lists, in the order in which they were made.
    pub groups: Vec<FriendGroup>,
    /// The number of the next one.
    pub next_group: u32,
}

impl RelationsFact {
    /// The relations of an account that has none.
    #[must_use]
    pub const fn none_of(owner: AccountNumber) -> Self {
        Self {
            owner,
            friends: 0,
            made: 0,
            received: 0,
            standard_sequence: 0,
            custom_sequence: 0,
            group_sequence: 0,
            request_sequence: 0,
            requests_read_to: Seconds(0),
            groups: Vec::new(),
            next_group: 1,
        }
    }

    /// The number of the list of this name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<u32> {
        self.groups.iter().find(|group| group.name == name).map(|group| group.id)
    }

    /// The names of lists.
    #[must_use]
    pub fn names(&self, groups: &[u32]) -> Vec<String> {
        let of = self.groups.iter().filter(|group| groups.contains(&group.id));
        of.map(|group| group.name.clone()).collect()
    }

    /// The number of the list of this name, made if it is not there.
    ///
    /// # Errors
    /// `FriendGroupsFull`.
    pub fn group_or_new(&mut self, name: &str) -> Result<u32> {
        if let Some(id) = self.group(name) {
            return Ok(id);
        }
        if self.groups.len() >= GROUPS_MAX {
            return Err(ErrorCode::FriendGroupsFull.into());
        }
        let id = self.next_group;
        self.next_group += 1;
        self.group_sequence += 1;
        self.groups.push(FriendGroup { id, name: name.to_owned() });
        Ok(id)
    }

    /// Numbers what changes of a friend: who holds the former numbers is told all of it, and who holds the new ones has it. Who is
    /// in which list is a change of the lists, too.
    pub(super) fn note_change(&mut self, former: Option<&FriendFact>, now: Option<&FriendFact>) {
        let groups = |fact: Option<&FriendFact>| fact.map(|fact| fact.groups.clone()).unwrap_or_default();
        let custom = |fact: Option<&FriendFact>| fact.map(|fact| fact.custom.clone()).unwrap_or_default();
        self.standard_sequence += 1;
        self.group_sequence += u32::from(groups(former) != groups(now));
        self.custom_sequence += u32::from(custom(former) != custom(now));
    }

    /// Numbers a change of the lists themselves: their names stand in what is told of friends.
    pub(super) const fn note_groups(&mut self) {
        self.standard_sequence += 1;
        self.group_sequence += 1;
    }

    /// The numbers of the lists of these names, those made that are not there.
    ///
    /// # Errors
    /// `FriendGroupsFull`: then none is made.
    pub fn groups_or_new(&mut self, names: &[String]) -> Result<Vec<u32>> {
        let new: BTreeSet<&String> = names.iter().filter(|name| self.group(name).is_none()).collect();
        if self.groups.len() + new.len() > GROUPS_MAX {
            return Err(ErrorCode::FriendGroupsFull.into());
        }
        names.iter().map(|name| self.group_or_new(name)).collect()
    }
}

impl Record for RelationsFact {
    const KIND: Kind = Kind { id: 24, name: "relations", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        number_key(self.owner)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.owner)
    }
}

/// Which way an application went, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// The owner made it.
    Made,
    /// It waits for the owner's answer.
    Received,
}

/// An application for friendship that waits for an answer, as one of its sides sees it: each may delete its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestFact {
    /// Whose view.
    pub owner: AccountNumber,
    /// The other side.
    pub other: AccountNumber,
    /// The other side's name.
    pub user: UserId,
    /// Which way it went.
    pub way: Way,
    /// When.
    pub at: Seconds,
    /// How the addressee was found.
    pub source: String,
    /// What it says.
    pub wording: String,
    /// For the applicant: what it will call its friend.
    pub remark: String,
    /// For the applicant: into which list its friend will go.
    pub group: Option<String>,
}

impl RequestFact {
    /// The index by the other side.
    pub const BY_OTHER: u8 = 1;

    /// Its key.
    #[must_use]
    pub fn key_of(owner: AccountNumber, other: AccountNumber) -> Vec<u8> {
        pair_key(owner, other)
    }
}

impl Record for RequestFact {
    const KIND: Kind = Kind { id: 36, name: "application for friendship", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        pair_key(self.owner, self.other)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.owner)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        vec![(Self::BY_OTHER, number_key(self.other))]
    }
}
