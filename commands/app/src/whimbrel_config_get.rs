//! `whimbrel_config/get`: what an app is and how it is set. A service of Whimbrel's own.

use command::{Call, Command, Family, Spec};
use model::settings::{App, Status};
use model::{Result, SdkAppId, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Tells what the app is and every setting of it.
#[derive(Deserialize, JsonSchema)]
pub struct GetConfig {}

/// An app.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Config {
    /// Its number.
    #[serde(rename = "SdkAppId")]
    #[schemars(with = "u32")]
    pub id: SdkAppId,
    /// The owner's account number (UIN), if it is known.
    #[serde(rename = "OwnerUin", skip_serializing_if = "Option::is_none")]
    pub owner: Option<u64>,
    /// `active`, `suspended` or `terminated`.
    #[serde(rename = "Status")]
    #[schemars(with = "String")]
    pub status: Status,
    /// When it was created, in seconds.
    #[serde(rename = "CreatedAt")]
    pub created_at: Seconds,
    /// When a setting or key last changed, in seconds.
    #[serde(rename = "UpdatedAt")]
    pub updated_at: Seconds,
    /// How many keys are active: 1 or 2. The keys themselves are shown by the command line only.
    #[serde(rename = "Keys")]
    pub keys: usize,
    /// How often its settings were changed: what `ExpectedVersion` of `set` is compared with.
    #[serde(rename = "Version")]
    pub version: u64,
    /// Every setting by its name.
    #[serde(rename = "Settings")]
    pub settings: Map<String, Value>,
}

impl From<&App> for Config {
    fn from(app: &App) -> Self {
        Self {
            id: app.id,
            owner: app.owner,
            status: app.status(),
            created_at: app.created_at,
            updated_at: app.updated_at,
            keys: app.keys.len(),
            version: app.version,
            settings: app.settings.values().into_iter().collect(),
        }
    }
}

impl Command for GetConfig {
    const SPEC: Spec = Spec::new("whimbrel_config/get", Family::ACCOUNT);

    type Reply = Config;

    async fn run(self, call: &Call) -> Result<Config> {
        Ok(Config::from(call.app.as_ref()))
    }
}
