//! Stamps: whose data a stored value is, of which class, and until when it may be kept.
//!
//! The classes and their retention are the service's published promise; the table is in ARCHITECTURE.md.

use serde::{Deserialize, Serialize};

use crate::id::{AccountNumber, SdkAppId};
use crate::time::{Millis, Seconds};

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
    Message,
    /// What makes an account work: relations, cursors, instances. While the account exists.
    Account,
    /// Daily counts per app, no account ids: 30 days.
    Statistics,
}

impl DataClass {
    /// Every class, in the order of the policy.
    pub const ALL: [Self; 7] = [
        Self::Log,
        Self::Monitoring,
        Self::Configuration,
        Self::Profile,
        Self::Message,
        Self::Account,
        Self::Statistics,
    ];

    /// The number of this class in stored bytes. Never changes or returns to use.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Monitoring => 2,
            Self::Configuration => 3,
            Self::Profile => 4,
            Self::Message => 5,
            Self::Account => 6,
            Self::Statistics => 7,
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
