//! Stamps: whose data a stored value is, of which class, and until when it may be kept.
//!
//! The classes and their retention are the service's published promise; the table is in ARCHITECTURE.md.

use serde::{Deserialize, Serialize};

use crate::id::{AccountNumber, SdkAppId};
use crate::time::{Millis, Seconds};

/// What a message carries. The promise names them one by one; they share one retention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Medium {
    /// Text, places, faces, the app's own data, merged messages.
    #[default]
    Text,
    /// Files.
    File,
    /// Photos.
    Photo,
    /// Audio.
    Audio,
    /// Video.
    Video,
    /// What is derived from messages of any kind: references, states, thumbnails, search segments.
    Derived,
}

/// A class of data, each with a retention rule of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DataClass {
    /// Egress address, request name and time, failures: 7 days.
    Log,
    /// Success rate and mean delay per app and command: 2 days, no account ids.
    Monitoring,
    /// Settings of an app: while in use, then 2 months after its termination.
    Configuration,
    /// Profile fields of an account: not at all, as long as the app chose, or 7 days.
    Profile,
    /// Messages: not at all, as long as the app chose, or 7 days.
    Message(Medium),
    /// What makes an account work: relations, cursors, instances. While the account exists.
    Account,
    /// Daily counts per app, no account ids: 30 days.
    Statistics,
    /// Copies that law or a legal hold keeps from being deleted, out of sight of every command: as long as that says.
    Preserved,
}

impl DataClass {
    /// Every class, in the order of the policy.
    pub const ALL: [Self; 13] = [
        Self::Log,
        Self::Monitoring,
        Self::Configuration,
        Self::Profile,
        Self::Message(Medium::Text),
        Self::Message(Medium::Photo),
        Self::Message(Medium::Audio),
        Self::Message(Medium::Video),
        Self::Message(Medium::File),
        Self::Message(Medium::Derived),
        Self::Account,
        Self::Statistics,
        Self::Preserved,
    ];

    /// Messages, for what concerns all of them alike.
    pub const MESSAGE: Self = Self::Message(Medium::Text);

    /// The number of this class in stored bytes. Never changes or returns to use.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Monitoring => 2,
            Self::Configuration => 3,
            Self::Profile => 4,
            Self::Message(Medium::Text) => 5,
            Self::Account => 6,
            Self::Statistics => 7,
            Self::Message(Medium::Photo) => 8,
            Self::Message(Medium::Audio) => 9,
            Self::Message(Medium::Video) => 10,
            Self::Message(Medium::File) => 11,
            Self::Message(Medium::Derived) => 12,
            Self::Preserved => 13,
        }
    }

    /// The class whose retention applies: that of all messages is one.
    #[must_use]
    pub const fn rule(self) -> Self {
        match self {
            Self::Message(_) => Self::MESSAGE,
            other => other,
        }
    }

    /// What it is called in reports and receipts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Monitoring => "monitoring",
            Self::Configuration => "configuration",
            Self::Profile => "profile",
            Self::Message(Medium::Text) => "message text",
            Self::Message(Medium::Photo) => "message photo",
            Self::Message(Medium::Audio) => "message audio",
            Self::Message(Medium::Video) => "message video",
            Self::Message(Medium::File) => "message file",
            Self::Message(Medium::Derived) => "message derived",
            Self::Account => "account",
            Self::Statistics => "statistics",
            Self::Preserved => "preserved",
        }
    }

    /// The class with this stored number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }
}

/// The account whose data something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// Nobody's: data of the app or of the installation.
    Nobody,
    /// The data of this account; erased with it.
    Account(AccountNumber),
}

/// Until when a value may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Expiry {
    /// As long as the app or the account it belongs to exists.
    WithOwner,
    /// From this second on it is invisible to every read.
    At(Seconds),
}

impl Expiry {
    /// Whether a value with this expiry may no longer be shown.
    #[must_use]
    pub fn is_over(self, now: Millis) -> bool {
        match self {
            Self::WithOwner => false,
            Self::At(end) => now.seconds() >= end,
        }
    }
}

impl Stamp {
    /// When it ends; the end of time if it does not.
    #[must_use]
    pub const fn end(&self) -> Seconds {
        match self.expiry {
            Expiry::At(end) => end,
            Expiry::WithOwner => Seconds(u32::MAX),
        }
    }
}

/// What every stored value carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// The app it belongs to.
    pub app: SdkAppId,
    /// Its class.
    pub class: DataClass,
    /// Whose data it is.
    pub subject: Subject,
    /// Until when it may be kept.
    pub expiry: Expiry,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_codes_are_distinct_and_reversible() {
        for class in DataClass::ALL {
            assert_eq!(DataClass::from_code(class.code()), Some(class));
        }
        let names: std::collections::BTreeSet<_> = DataClass::ALL.iter().map(|class| class.name()).collect();
        assert_eq!(names.len(), DataClass::ALL.len());
        let rules: Vec<_> = DataClass::ALL.iter().filter(|class| class.rule() != **class).collect();
        assert_eq!(rules.len(), 5, "all of a message have one rule: {rules:?}");
        assert_eq!(DataClass::from_code(0), None);
    }

    #[test]
    fn a_value_is_visible_until_the_second_before_its_expiry() {
        let expiry = Expiry::At(Seconds(100));
        assert!(!expiry.is_over(Millis(99_999)));
        assert!(expiry.is_over(Millis(100_000)));
        assert!(!Expiry::WithOwner.is_over(Millis(u64::MAX)));
    }
}
