//! `im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2`: which abilities clients switch on.

use command::{Call, Callers, Command, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Seconds until clients ask again.
const FRESH_SECONDS: u32 = 3600;

/// Fetches the app's ability bits.
#[derive(Deserialize, JsonSchema)]
pub struct FetchAbilities {}

/// Abilities.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Abilities {
    /// 0.
    #[serde(rename = "int32_error_code")]
    pub code: i32,
    /// 1 to 64 characters `0` or `1`; the rightmost is bit 0.
    #[serde(rename = "str_purchase_bits")]
    pub bits: String,
    /// Seconds until clients ask again.
    #[serde(rename = "uint32_expired_time")]
    pub fresh_seconds: u32,
}

impl Command for FetchAbilities {
    const SPEC: Spec =
        Spec::new("im_sdk_config_mgr/fetch_imsdk_purchase_bitsv2", Family::MESSAGE).callers(Callers::ANYBODY);

    type Reply = Abilities;

    async fn run(self, call: &Call) -> Result<Abilities> {
        let bits = call.app.settings.ability_bits.clone();
        Ok(Abilities { code: 0, bits, fresh_seconds: FRESH_SECONDS })
    }
}
