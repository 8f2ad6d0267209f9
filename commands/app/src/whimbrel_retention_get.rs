//! `whimbrel_retention/get`: for how long the app keeps messages and profiles. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Change, Days};

/// Tells what is in effect and what was changed so far.
#[derive(Deserialize, JsonSchema)]
pub struct GetRetention {}

/// What is in effect.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CurrentRetention {
    /// For how long what has a choice is kept.
    #[serde(rename = "Retention")]
    pub retention: Days,
    /// At most a thousand changes, the newest first.
    #[serde(rename = "Changes")]
    pub changes: Vec<Change>,
}

impl Command for GetRetention {
    const SPEC: Spec = Spec::new("whimbrel_retention/get", Family::ACCOUNT);

    type Reply = CurrentRetention;

    async fn run(self, call: &Call) -> Result<CurrentRetention> {
        let changes = call.engine.retention_changes(call.app.id).await?;
        Ok(CurrentRetention {
            retention: call.app.settings.retention().into(),
            changes: changes.into_iter().map(Change::from).collect(),
        })
    }
}
