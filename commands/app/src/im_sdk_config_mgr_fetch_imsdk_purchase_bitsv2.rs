//! `im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2`: which abilities clients switch on.

use command::{Call, Callers, Command, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fetches the app's ability bits.
#[derive(Deserialize, JsonSchema)]
pub struct FetchAbilities {}

/// Abilities: `int32_error_code` 0; `str_purchase_bits`, 1 to 64 characters `0` or `1`, the rightmost is bit 0;
/// `uint32_expired_time`, seconds until clients ask again.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Abilities(serde_json::Value);

impl Command for FetchAbilities {
    const SPEC: Spec =
        Spec::new("im_sdk_config_mgr/fetch_imsdk_purchase_bitsv2", Family::MESSAGE).callers(Callers::ANYBODY);

    type Reply = Abilities;

    async fn run(self, call: &Call) -> Result<Abilities> {
        Ok(Abilities(engine::push::abilities_body(&call.app.settings.abilities())))
    }
}
