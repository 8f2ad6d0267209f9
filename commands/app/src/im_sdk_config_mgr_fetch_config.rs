//! `im_sdk_config_mgr.fetch_config`: settings that clients apply by themselves.

use command::{Call, Callers, Command, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fetches the settings that clients apply by themselves.
#[derive(Deserialize, JsonSchema)]
pub struct FetchConfig {}

/// Settings of a client: `int32_error_code` 0; `str_json_config`, an object as JSON text whose values are texts;
/// `uint64_version`, since clients apply what has another version than they hold; `uint32_expired_time`, seconds.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ClientConfig(serde_json::Value);

impl Command for FetchConfig {
    const SPEC: Spec = Spec::new("im_sdk_config_mgr/fetch_config", Family::MESSAGE).callers(Callers::ANYBODY);

    type Reply = ClientConfig;

    async fn run(self, call: &Call) -> Result<ClientConfig> {
        Ok(ClientConfig(engine::push::client_config_body(&call.app)))
    }
}
