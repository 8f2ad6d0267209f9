//! `im_sdk_config_mgr.fetch_config`: settings that clients apply by themselves.

use command::{Call, Callers, Command, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Seconds until clients ask again.
const FRESH_SECONDS: u32 = 3600;

/// Fetches the settings that clients apply by themselves.
#[derive(Deserialize, JsonSchema)]
pub struct FetchConfig {}

/// Settings of a client.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientConfig {
    /// 0.
    #[serde(rename = "int32_error_code")]
    pub code: i32,
    /// An object as JSON text; all its values are texts.
    #[serde(rename = "str_json_config")]
    pub config: String,
    /// Clients apply what has another version than they hold.
    #[serde(rename = "uint64_version")]
    pub version: u64,
    /// Seconds until clients ask again.
    #[serde(rename = "uint32_expired_time")]
    pub fresh_seconds: u32,
}

impl Command for FetchConfig {
    const SPEC: Spec = Spec::new("im_sdk_config_mgr/fetch_config", Family::MESSAGE).callers(Callers::ANYBODY);

    type Reply = ClientConfig;

    async fn run(self, call: &Call) -> Result<ClientConfig> {
        let config = if call.app.settings.telemetry {
            json!({})
        } else {
            let own = call.app.id.to_string();
            json!({"evt_rpt_sdkappid_bl": own, "q_rpt_sdkappid_bl": own})
        };
        // Never 0, which is the version that a client holds before it has asked.
        let version = u64::from(call.app.updated_at.0) * 2 + u64::from(call.app.settings.telemetry) + 1;
        Ok(ClientConfig { code: 0, config: config.to_string(), version, fresh_seconds: FRESH_SECONDS })
    }
}
