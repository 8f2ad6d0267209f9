//! Conversation groups: names under which an account gathers conversations of its own. Which groups a conversation is in
//! stands with its settings.

use std::collections::BTreeMap;

use model::{AccountNumber, DataClass, ErrorCode, Result, SdkAppId, Subject};
use ports::records::{Range, Write, find};
use ports::{Condition, Kind, Record, Records};
use promise::Stamps;
use serde::{Deserialize, Serialize};

use crate::contacts::{MARKED_MAX, SETTINGS_MAX, written};
use crate::context::Context;
use crate::facts::{ContactFact, ContactSettings};
use crate::store::{TRIES_MAX, owned_by, put, still_there, unchanged, write_for, write_if};

/// The most conversation groups of an account (page 1047/34381).
pub const GROUPS_MAX: usize = 20;

/// The most bytes of a group's name (page 1047/34381).
pub const NAME_BYTES_MAX: usize = 32;

/// A conversation group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactGroup {
    /// Its number; no other group of the account ever had it.
    pub id: u32,
    /// Its name; no other group of the account has it now.
    pub name: String,
}

/// The conversation groups of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactGroupsFact {
    /// Whose.
    pub owner: AccountNumber,
    /// The number that the next group gets.
    pub next: u32,
    /// The groups, the oldest first; at most [`GROUPS_MAX`].
    pub groups: Vec<ContactGroup>,
}

impl ContactGroupsFact {
    pub(crate) fn none_of(owner: AccountNumber) -> Self {
        Self { owner, next: 1, groups: Vec::new() }
    }

    /// Its key.
    #[must_use]
    pub fn key_of(owner: AccountNumber) -> Vec<u8> {
        owner.0.to_be_bytes().to_vec()
    }

    /// The group of this name.
    fn named(&self, name: &str) -> Result<ContactGroup> {
        let found = self.groups.iter().find(|group| group.name == name);
        found.cloned().ok_or_else(|| ErrorCode::ContactGroupUnknown.into())
    }

    /// The group of this name, made if it is not there.
    fn ensure(&mut self, name: &str) -> Result<ContactGroup> {
        if let Ok(found) = self.named(name) {
            return Ok(found);
        }
        if self.groups.len() >= GROUPS_MAX {
            return Err(ErrorCode::TooManyContactGroups.into());
        }
        let group = ContactGroup { id: self.next, name: name.to_owned() };
        self.next = self.next.saturating_add(1);
        self.groups.push(group.clone());
        Ok(group)
    }
}

impl Record for ContactGroupsFact {
    const KIND: Kind = Kind { id: 27, name: "conversation groups", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.owner)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.owner)
    }
}

/// Whether a conversation is to be in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The other side of the conversation.
    pub peer: AccountNumber,
    /// Put into it, or taken out.
    pub is_in: bool,
}

/// A group, and for each conversation that was to be put into it or taken out whether that was done.
pub type Grouped = (ContactGroup, Vec<Result<()>>);

/// Every account's conversation groups. Changes of one account's groups take turns: each of them writes the record of its
/// groups, those of single conversations too.
pub struct ContactGroups {
    context: Context,
}

impl ContactGroups {
    pub(crate) const fn new(context: Context) -> Self {
        Self { context }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    async fn find(&self, app: SdkAppId, owner: AccountNumber) -> Result<(ContactGroupsFact, Option<u64>)> {
        let key = ContactGroupsFact::key_of(owner);
        let found = find::<ContactGroupsFact>(self.records(), app, &key).await?;
        Ok(match found {
            Some((fact, version)) => (fact, Some(version)),
            None => (ContactGroupsFact::none_of(owner), None),
        })
    }

    /// The groups of an account.
    ///
    /// # Errors
    /// What the store says.
    pub async fn of(&self, app: SdkAppId, owner: AccountNumber) -> Result<Vec<ContactGroup>> {
        Ok(self.find(app, owner).await?.0.groups)
    }

    /// Makes a group and puts conversations into it. A group of this name that is there already takes them, so that a client
    /// may ask again when it has lost the answer.
    ///
    /// # Errors
    /// `ContactGroupNameLength`, `TooManyContactGroups`, `ContactAccountUnknown` if the account was just erased; for single
    /// conversations `TooManyMarkedConversations`, `ContactAccountUnknown`.
    pub async fn create(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        owner: AccountNumber,
        name: &str,
        changes: &[Membership],
    ) -> Result<Grouped> {
        check_name("GroupName", name)?;
        self.change(stamps, app, owner, changes, |fact| fact.ensure(name)).await
    }

    /// Puts conversations into a group or takes them out. What is so already stays.
    ///
    /// # Errors
    /// `ContactGroupUnknown`, `ContactAccountUnknown`; for single conversations `TooManyMarkedConversations`,
    /// `ContactAccountUnknown`.
    pub async fn change_members(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        owner: AccountNumber,
        name: &str,
        changes: &[Membership],
    ) -> Result<Grouped> {
        self.change(stamps, app, owner, changes, |fact| fact.named(name)).await
    }

    async fn change(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        owner: AccountNumber,
        changes: &[Membership],
        pick: impl Fn(&mut ContactGroupsFact) -> Result<ContactGroup>,
    ) -> Result<Grouped> {
        for _ in 0..TRIES_MAX {
            let (mut fact, version) = self.find(app, owner).await?;
            let group = pick(&mut fact)?;
            let mut members = Members::of(self.records(), app, owner, changes).await?;
            let outcomes = changes.iter().map(|change| members.set(group.id, *change)).collect();
            let now = self.context.clock.now().seconds();
            let mut conditions = vec![unchanged::<ContactGroupsFact>(fact.key(), version)];
            conditions.append(&mut members.still_there);
            let mut writes = vec![put(stamps.account(owner), &fact)?];
            for changed in members.changed(owner, now) {
                conditions.push(unchanged::<ContactFact>(changed.fact.key(), changed.version));
                writes.push(written(stamps, &changed.fact)?);
            }
            let concerned = (&[owner][..], ErrorCode::ContactAccountUnknown);
            if write_for(self.records(), app, concerned, conditions, writes).await? {
                return Ok((group, outcomes));
            }
        }
        Err(ErrorCode::ContactInternal.into())
    }

    /// Gives a group another name; returns it with that.
    ///
    /// # Errors
    /// `ContactGroupNameLength`, `ContactGroupUnknown`; `ContactBadParameter` if another group has the name.
    pub async fn rename(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        owner: AccountNumber,
        name: &str,
        new_name: &str,
    ) -> Result<ContactGroup> {
        check_name("NewGroupName", new_name)?;
        for _ in 0..TRIES_MAX {
            let (mut fact, version) = self.find(app, owner).await?;
            let group = ContactGroup { name: new_name.to_owned(), ..fact.named(name)? };
            if fact.groups.iter().any(|other| other.name == new_name && other.id != group.id) {
                return Err(ErrorCode::ContactBadParameter.in_field("NewGroupName", "another group has it"));
            }
            for renamed in fact.groups.iter_mut().filter(|renamed| renamed.id == group.id) {
                *renamed = group.clone();
            }
            let condition = unchanged::<ContactGroupsFact>(fact.key(), version);
            let writes = vec![put(stamps.account(owner), &fact)?];
            if write_if(self.records(), app, vec![condition], writes).await? {
                return Ok(group);
            }
        }
        Err(ErrorCode::ContactInternal.into())
    }

    /// Deletes a group; its conversations stay. Returns what it was.
    ///
    /// # Errors
    /// `ContactGroupUnknown`.
    pub async fn delete(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        owner: AccountNumber,
        name: &str,
    ) -> Result<ContactGroup> {
        for _ in 0..TRIES_MAX {
            let (mut fact, version) = self.find(app, owner).await?;
            let group = fact.named(name)?;
            fact.groups.retain(|other| other.id != group.id);
            // The groups hold at most MARKED_MAX conversations together: one transaction takes them.
            let (mut conditions, mut writes) = self.without(stamps, app, owner, group.id).await?;
            conditions.push(unchanged::<ContactGroupsFact>(fact.key(), version));
            writes.push(put(stamps.account(owner), &fact)?);
            if write_if(self.records(), app, conditions, writes).await? {
                return Ok(group);
            }
        }
        Err(ErrorCode::ContactInternal.into())
    }

    /// What takes every conversation out of a group.
    async fn without(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        owner: AccountNumber,
        group: u32,
    ) -> Result<(Vec<Condition>, Vec<Write>)> {
        let prefix = owner.0.to_be_bytes().to_vec();
        let range = Range { kind: ContactFact::KIND, index: None, prefix, after: None, limit: SETTINGS_MAX };
        let now = self.context.clock.now().seconds();
        let (mut conditions, mut writes) = (Vec::new(), Vec::new());
        for found in self.records().scan(app, range).await? {
            let mut fact: ContactFact = found.decode()?;
            let before = fact.settings.clone();
            fact.settings.set_group(group, false);
            if fact.settings != before {
                fact.settings.note_change(&before, now);
                conditions.push(unchanged::<ContactFact>(fact.key(), Some(found.version)));
                writes.push(written(stamps, &fact)?);
            }
        }
        Ok((conditions, writes))
    }
}

fn check_name(field: &str, name: &str) -> Result<()> {
    if (1..=NAME_BYTES_MAX).contains(&name.len()) {
        Ok(())
    } else {
        Err(ErrorCode::ContactGroupNameLength.in_field(field, format!("1 to {NAME_BYTES_MAX} bytes")))
    }
}

/// The conversations of a change, as they were read and as they are to be.
struct Members {
    /// How many conversations of the account have settings.
    all: usize,
    /// How many are marked or grouped.
    marked: usize,
    drafts: BTreeMap<AccountNumber, Draft>,
    /// That the other sides are still there.
    still_there: Vec<Condition>,
}

struct Draft {
    version: Option<u64>,
    before: ContactSettings,
    now: ContactSettings,
}

/// A conversation's settings to be written.
struct Changed {
    version: Option<u64>,
    fact: ContactFact,
}

impl Members {
    async fn of(
        records: &dyn Records,
        app: SdkAppId,
        owner: AccountNumber,
        changes: &[Membership],
    ) -> Result<Self> {
        let all: Vec<ContactFact> = owned_by(records, app, owner, SETTINGS_MAX).await?;
        let marked = all.iter().filter(|fact| fact.settings.is_marked()).count();
        let (mut drafts, mut there) = (BTreeMap::new(), Vec::new());
        for Membership { peer, .. } in changes {
            let Some(is_there) = still_there(records, app, *peer).await? else { continue };
            there.push(is_there);
            let found = find::<ContactFact>(records, app, &ContactFact::key_of(owner, *peer)).await?;
            let version = found.as_ref().map(|(_, version)| *version);
            let before = found.map(|(fact, _)| fact.settings).unwrap_or_default();
            drafts.insert(*peer, Draft { version, now: before.clone(), before });
        }
        Ok(Self { all: all.len(), marked, drafts, still_there: there })
    }

    fn set(&mut self, group: u32, change: Membership) -> Result<()> {
        // Each change has a draft, but those about an account that was just erased.
        let draft = self.drafts.get_mut(&change.peer).ok_or(ErrorCode::ContactAccountUnknown)?;
        let was_marked = draft.now.is_marked();
        if change.is_in && !was_marked && self.marked >= MARKED_MAX {
            return Err(ErrorCode::TooManyMarkedConversations.into());
        }
        if change.is_in && draft.now.is_default() {
            if self.all >= SETTINGS_MAX {
                return Err(ErrorCode::TooManyMarkedConversations.into());
            }
            self.all += 1;
        }
        draft.now.set_group(group, change.is_in);
        match (was_marked, draft.now.is_marked()) {
            (false, true) => self.marked += 1,
            (true, false) => self.marked = self.marked.saturating_sub(1),
            (true, true) | (false, false) => {}
        }
        Ok(())
    }

    fn changed(self, owner: AccountNumber, now: model::Seconds) -> impl Iterator<Item = Changed> {
        let drafts = self.drafts.into_iter().filter(|(_, draft)| draft.now != draft.before);
        drafts.map(move |(peer, Draft { version, before, now: mut settings })| {
            settings.note_change(&before, now);
            Changed { version, fact: ContactFact { owner, peer, settings } }
        })
    }
}
