//! The kinds of records that the engine keeps. Numbers of kinds never change or return to use.

use model::settings::App;
use model::{AccountNumber, DataClass, InstanceId, Millis, SdkAppId, Seconds, Subject, UserId};
use ports::{Kind, Record};
use serde::{Deserialize, Serialize};

pub use crate::kinds::kinds;

const fn kind(id: u16, name: &'static str, class: DataClass) -> Kind {
    Kind { id, name, class }
}

pub(crate) fn number_key(number: AccountNumber) -> Vec<u8> {
    number.0.to_be_bytes().to_vec()
}

pub(crate) fn pair_key(one: AccountNumber, other: AccountNumber) -> Vec<u8> {
    [one.0.to_be_bytes(), other.0.to_be_bytes()].concat()
}

/// An app, with its settings and keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppFact(pub App);

impl AppFact {
    /// Its key.
    #[must_use]
    pub fn key_of(app: SdkAppId) -> Vec<u8> {
        app.0.to_be_bytes().to_vec()
    }
}

impl Record for AppFact {
    const KIND: Kind = kind(1, "app", DataClass::Configuration);

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.0.id)
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// A number or secret of the installation.
#[derive(Clone, Serialize, Deserialize)]
pub struct InstallationFact {
    /// What it is called.
    pub name: String,
    /// Its value, in hexadecimal or decimal.
    pub value: String,
}

impl Record for InstallationFact {
    const KIND: Kind = kind(2, "installation", DataClass::Configuration);

    fn key(&self) -> Vec<u8> {
        self.name.as_bytes().to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFact {
    /// Its name.
    pub user: UserId,
    /// Its number.
    pub number: AccountNumber,
    /// When it was made.
    pub created_at: Seconds,
    /// Signatures made before this second do not open it any more.
    pub not_before: Seconds,
    /// Until when it may not write to single accounts; the end of time: never again.
    #[serde(default)]
    pub muted_until: Seconds,
    /// The same for groups.
    #[serde(default)]
    pub group_muted_until: Seconds,
}

impl AccountFact {
    /// The index by number.
    pub const BY_NUMBER: u8 = 1;
}

impl Record for AccountFact {
    const KIND: Kind = kind(3, "account", DataClass::Account);

    fn key(&self) -> Vec<u8> {
        self.user.as_str().as_bytes().to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.number)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        vec![(Self::BY_NUMBER, number_key(self.number))]
    }
}

/// That a name's signatures were revoked before its account was deleted. Holds a hash of the name, not the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedFact {
    /// The hash.
    pub name_hash: String,
    /// Signatures made before this second open no account of this name.
    pub not_before: Seconds,
}

impl RevokedFact {
    /// The hash of a name: 128 bits of SHA-256 over app and name.
    #[must_use]
    pub fn hash_of(app: SdkAppId, user: &UserId) -> String {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::new().chain_update(app.0.to_be_bytes()).chain_update(user.as_str()).finalize();
        crate::apps::hex(&digest[..16])
    }
}

impl Record for RevokedFact {
    const KIND: Kind = kind(9, "revoked name", DataClass::Account);

    fn key(&self) -> Vec<u8> {
        self.name_hash.as_bytes().to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// The profile of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileFact {
    /// Whose.
    pub number: AccountNumber,
    /// When the account was last used, as far as it was noted: once an hour.
    pub used_at: model::Seconds,
    /// The fields as JSON, sealed.
    pub sealed: model::Sealed,
}

impl ProfileFact {
    /// Its key.
    #[must_use]
    pub fn key_of(number: AccountNumber) -> Vec<u8> {
        number_key(number)
    }
}

impl Record for ProfileFact {
    const KIND: Kind = kind(4, "profile", DataClass::Profile);

    fn key(&self) -> Vec<u8> {
        number_key(self.number)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.number)
    }
}

/// Whether a login may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceState {
    /// It may.
    Active,
    /// It gave way to another one; the number is the wire's `KickType`.
    Kicked(u8),
}

/// A login of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceFact {
    /// Whose.
    pub number: AccountNumber,
    /// Which.
    pub instance: InstanceId,
    /// The name that the client gave itself (`instanceid` of its address), stable over reconnects.
    pub client: String,
    /// The platform number of the client.
    pub platform: u16,
    /// When it logged in.
    pub logged_in_at: Millis,
    /// When the signature was made that opened it.
    pub signed_at: Seconds,
    /// Until when that signature is valid.
    pub valid_until: Seconds,
    /// Whether it may go on.
    pub state: InstanceState,
}

impl InstanceFact {
    /// Its key.
    #[must_use]
    pub fn key_of(number: AccountNumber, instance: InstanceId) -> Vec<u8> {
        let mut key = number_key(number);
        key.extend_from_slice(&instance.0.to_be_bytes());
        key
    }
}

impl Record for InstanceFact {
    const KIND: Kind = kind(5, "instance", DataClass::Account);

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.number, self.instance)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.number)
    }
}

/// An entry of a block list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockFact {
    /// Whose list.
    pub owner: AccountNumber,
    /// Who is blocked.
    pub blocked: AccountNumber,
    /// The blocked account's name.
    pub user: UserId,
    /// Since when.
    pub since: Seconds,
}

impl BlockFact {
    /// Its key.
    #[must_use]
    pub fn key_of(owner: AccountNumber, blocked: AccountNumber) -> Vec<u8> {
        pair_key(owner, blocked)
    }

    /// The index by who is blocked.
    pub const BY_BLOCKED: u8 = 1;
}

impl Record for BlockFact {
    const KIND: Kind = kind(6, "block list entry", DataClass::Account);

    fn key(&self) -> Vec<u8> {
        pair_key(self.owner, self.blocked)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.owner)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        vec![(Self::BY_BLOCKED, number_key(self.blocked))]
    }
}

/// What an account set for one of its conversations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactSettings {
    /// When it was pinned; `None`: it is not.
    pub pinned_at: Option<Seconds>,
    /// How new messages are announced: 0 with, 1 not received, 2 without notification.
    pub remind: u8,
    /// Marks, bit by bit.
    pub marks: u64,
    /// The app's own text, at most 256 bytes.
    pub custom: String,
    /// Numbers of the conversation groups that it is in, rising.
    #[serde(default)]
    pub groups: Vec<u32>,
    /// When marks, custom data or groups last changed.
    #[serde(default)]
    pub marked_at: Seconds,
}

impl ContactSettings {
    /// Whether it carries a mark or custom data, or is in a conversation group.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.marks != 0 || !self.custom.is_empty() || !self.groups.is_empty()
    }

    /// Whether nothing is set: then nothing is kept.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.pinned_at.is_none() && self.remind == 0 && !self.is_marked()
    }

    /// Puts it into a conversation group or takes it out.
    pub fn set_group(&mut self, group: u32, is_in: bool) {
        match (self.groups.binary_search(&group), is_in) {
            (Err(at), true) => self.groups.insert(at, group),
            (Ok(at), false) => {
                self.groups.remove(at);
            }
            (Ok(_), true) | (Err(_), false) => {}
        }
    }

    /// Notes when marks, custom data or groups changed, if they are others than `before`.
    pub(crate) fn note_change(&mut self, before: &Self, now: Seconds) {
        let marks = |settings: &Self| (settings.marks, settings.custom.clone(), settings.groups.clone());
        if marks(self) != marks(before) {
            self.marked_at = now;
        }
    }
}

/// The settings of a conversation in the view of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactFact {
    /// Whose view.
    pub owner: AccountNumber,
    /// The other side.
    pub peer: AccountNumber,
    /// What was set.
    pub settings: ContactSettings,
}

impl ContactFact {
    /// Its key.
    #[must_use]
    pub fn key_of(owner: AccountNumber, peer: AccountNumber) -> Vec<u8> {
        pair_key(owner, peer)
    }

    /// The index by the other side.
    pub const BY_PEER: u8 = 1;
}

impl Record for ContactFact {
    const KIND: Kind = kind(7, "conversation settings", DataClass::Account);

    fn key(&self) -> Vec<u8> {
        pair_key(self.owner, self.peer)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.owner)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        vec![(Self::BY_PEER, number_key(self.peer))]
    }
}

/// That one account wants to know the status of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchFact {
    /// Who wants to know.
    pub watcher: AccountNumber,
    /// About whom.
    pub watched: AccountNumber,
}

impl WatchFact {
    /// The index by who is watched.
    pub const BY_WATCHED: u8 = 1;

    /// Its key.
    #[must_use]
    pub fn key_of(watcher: AccountNumber, watched: AccountNumber) -> Vec<u8> {
        pair_key(watcher, watched)
    }
}

impl Record for WatchFact {
    const KIND: Kind = kind(8, "status subscription", DataClass::Account);

    fn key(&self) -> Vec<u8> {
        pair_key(self.watcher, self.watched)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.watcher)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        vec![(Self::BY_WATCHED, number_key(self.watched))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_number_of_its_own() {
        let numbers: Vec<u16> = kinds().iter().map(|kind| kind.id).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
        assert_eq!(numbers.first(), Some(&1));
    }

    #[test]
    fn a_conversation_is_in_a_group_once_and_notes_when_that_changed() {
        let before = ContactSettings::default();
        let mut settings = before.clone();
        for (group, is_in, groups) in [(3, true, vec![3]), (1, true, vec![1, 3]), (3, true, vec![1, 3])] {
            settings.set_group(group, is_in);
            assert_eq!(settings.groups, groups);
        }
        settings.note_change(&before, Seconds(9));
        assert!(settings.is_marked() && settings.marked_at == Seconds(9));
        for group in [3, 3, 1] {
            settings.set_group(group, false);
        }
        assert!(!settings.is_marked());
        let mut pinned = ContactSettings { pinned_at: Some(Seconds(1)), ..before.clone() };
        pinned.note_change(&before, Seconds(9));
        assert_eq!(pinned.marked_at, Seconds(0), "a pin is no mark");
    }
}
