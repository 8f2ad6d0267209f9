//! `whimbrel_config/set`: changes settings of an app. A service of Whimbrel's own.

use command::{Call, Caller, Command, Family, Spec};
use engine::settings::Author;
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::whimbrel_config_get::Config;

/// Changes settings: all that are given or, if one is wrong or they do not go together, none. They act at once.
///
/// The operator's settings (`package`, `suspended`, `rest_calls_per_second`) and the retention are not changed here.
#[derive(Deserialize, JsonSchema)]
pub struct SetConfig {
    /// New values by the names of the settings, 1 to 100.
    #[serde(rename = "Settings")]
    pub settings: Map<String, Value>,
    /// Change them only if this version is in effect.
    #[serde(rename = "ExpectedVersion", default)]
    pub expected: Option<u64>,
}

impl Command for SetConfig {
    const SPEC: Spec = Spec::new("whimbrel_config/set", Family::ACCOUNT).per_second(10).fails_with(&[
        ErrorCode::SettingUnknown,
        ErrorCode::SettingInvalid,
        ErrorCode::SettingsChanged,
    ]);

    type Reply = Config;

    async fn run(self, call: &Call) -> Result<Config> {
        let Caller::Administrator(by) = &call.caller else {
            return Err(ErrorCode::AccountNotAdministrator.into());
        };
        let author = Author { by: by.as_str(), expected: self.expected };
        let values: Vec<(String, Value)> = self.settings.into_iter().collect();
        let app = call.engine.change_settings(call.app.id, author, &values).await?;
        Ok(Config::from(app.as_ref()))
    }
}
