//! How retention and its changes look on the wire.

use engine::retention::{ChangeFact, Deletes};
use model::Seconds;
use model::settings::Retention;
use schemars::JsonSchema;
use serde::Serialize;

/// For how many days what has a choice is kept; 0 is not at all.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Days {
    /// Messages, after their time.
    #[serde(rename = "MessageDays")]
    pub message_days: u32,
    /// Profiles, after the last use of their account.
    #[serde(rename = "ProfileDays")]
    pub profile_days: u32,
}

impl From<Retention> for Days {
    fn from(retention: Retention) -> Self {
        Self { message_days: retention.message_days, profile_days: retention.profile_days }
    }
}

/// What a change deletes at once.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    /// Messages.
    #[serde(rename = "Messages")]
    pub messages: u64,
    /// Profiles.
    #[serde(rename = "Profiles")]
    pub profiles: u64,
}

impl From<Deletes> for Deleted {
    fn from(deletes: Deletes) -> Self {
        Self { messages: deletes.messages, profiles: deletes.profiles }
    }
}

/// A change that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Change {
    /// When, in seconds.
    #[serde(rename = "Time")]
    pub at: Seconds,
    /// By whom: an administrator's UserID, or `operator` for the command line.
    #[serde(rename = "By")]
    pub by: String,
    /// What was in effect.
    #[serde(rename = "From")]
    pub from: Days,
    /// What is.
    #[serde(rename = "To")]
    pub to: Days,
    /// What it deleted at once, as counted when it was proposed.
    #[serde(rename = "Deletes")]
    pub deletes: Deleted,
}

impl From<ChangeFact> for Change {
    fn from(fact: ChangeFact) -> Self {
        let ChangeFact { at, by, from, to, deletes } = fact;
        Self { at, by, from: from.into(), to: to.into(), deletes: deletes.into() }
    }
}
