//! `whimbrel_config/history`: who changed which settings and when. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use engine::settings::SettingsFact;
use model::{Result, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most changes of one page.
pub const PAGE_MAX: usize = 100;

/// Lists the changes of the app's settings, the newest first; the newest thousand are kept.
#[derive(Deserialize, JsonSchema)]
pub struct GetHistory {
    /// Only changes before this version.
    #[serde(rename = "Before", default)]
    pub before: Option<u64>,
    /// How many, 1 to 100; 100 if absent.
    #[serde(rename = "Limit", default)]
    pub limit: Option<usize>,
}

/// Changes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct History {
    /// The newest first.
    #[serde(rename = "Changes")]
    pub changes: Vec<Change>,
    /// 1: there are no older ones.
    #[serde(rename = "CompleteFlag")]
    pub complete: u8,
}

/// A change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Change {
    /// The version that came of it.
    #[serde(rename = "Version")]
    pub version: u64,
    /// When, in seconds.
    #[serde(rename = "Time")]
    pub at: Seconds,
    /// By whom: an administrator's UserID, or `operator` for the command line.
    #[serde(rename = "By")]
    pub by: String,
    /// What was changed.
    #[serde(rename = "Settings")]
    pub settings: Vec<ChangedSetting>,
}

/// A setting that was changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedSetting {
    /// Which.
    #[serde(rename = "Name")]
    pub name: String,
    /// What it was.
    #[serde(rename = "From")]
    pub from: Value,
    /// What it became.
    #[serde(rename = "To")]
    pub to: Value,
}

impl From<SettingsFact> for Change {
    fn from(fact: SettingsFact) -> Self {
        let changed = fact.changed.into_iter();
        let settings =
            changed.map(|one| ChangedSetting { name: one.name, from: one.from, to: one.to }).collect();
        Self { version: fact.version, at: fact.at, by: fact.by, settings }
    }
}

impl Command for GetHistory {
    const SPEC: Spec = Spec::new("whimbrel_config/history", Family::ACCOUNT);

    type Reply = History;

    async fn run(self, call: &Call) -> Result<History> {
        let limit = self.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let mut found = call.engine.settings_history(call.app.id, self.before, limit + 1).await?;
        let complete = found.len() <= limit;
        found.truncate(limit);
        Ok(History { changes: found.into_iter().map(Change::from).collect(), complete: complete.into() })
    }
}
