//! `whimbrel_retention/propose`: what a change of retention would delete. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Days, Deleted};

/// Says what a change would delete at once, and gives what it takes to apply it. Nothing changes yet.
///
/// A limit that is raised revives nothing and does not prolong what is stored; one that is lowered acts on what is stored.
#[derive(Deserialize, JsonSchema)]
pub struct ProposeRetention {
    /// Days for messages, 0 to 3650; absent: as they are.
    #[serde(rename = "MessageDays", default)]
    pub message_days: Option<u32>,
    /// Days for profiles, 0 to 3650; absent: as they are.
    #[serde(rename = "ProfileDays", default)]
    pub profile_days: Option<u32>,
}

/// What a change would do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Proposal {
    /// What is in effect.
    #[serde(rename = "From")]
    pub from: Days,
    /// What would be.
    #[serde(rename = "To")]
    pub to: Days,
    /// What it would delete at once.
    #[serde(rename = "Deletes")]
    pub deletes: Deleted,
    /// What applies it.
    #[serde(rename = "Token")]
    pub token: String,
    /// Until when, in seconds.
    #[serde(rename = "ValidUntil")]
    pub valid_until: Seconds,
}

impl Command for ProposeRetention {
    const SPEC: Spec = Spec::new("whimbrel_retention/propose", Family::ACCOUNT)
        .per_second(10)
        .fails_with(&[ErrorCode::SettingInvalid, ErrorCode::DiskFull]);

    type Reply = Proposal;

    async fn run(self, call: &Call) -> Result<Proposal> {
        let Self { message_days, profile_days } = self;
        let proposed = call.engine.propose_retention(call.app.id, message_days, profile_days).await?;
        Ok(Proposal {
            from: proposed.from.into(),
            to: proposed.to.into(),
            deletes: proposed.deletes.into(),
            token: proposed.token,
            valid_until: proposed.valid_until,
        })
    }
}
