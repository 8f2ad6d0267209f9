//! `im_msg_audit_mgr.get_local_words`: words that clients with a plug-in of the service look for by themselves.

use command::{Call, Callers, Command, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Seconds until clients ask again.
const FRESH_SECONDS: u64 = 86_400;

/// Fetches the words that a client looks for by itself: none, because the server looks for all of them.
#[derive(Deserialize, JsonSchema)]
pub struct GetLocalWords {}

/// An empty list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LocalWords {
    /// How it went.
    #[serde(rename = "msg_cmd_error_code")]
    pub outcome: Outcome,
    /// 1: the list is complete.
    #[serde(rename = "uint64_complete_flag")]
    pub complete: u64,
    /// Clients apply what has another version than they hold.
    #[serde(rename = "uint64_version")]
    pub version: u64,
    /// Seconds until clients ask again.
    #[serde(rename = "uint64_expired_time")]
    pub fresh_seconds: u64,
    /// The words.
    #[serde(rename = "rpt_msg_dirty_word")]
    pub words: Vec<()>,
}

/// How it went.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// 0.
    #[serde(rename = "uint32_code")]
    pub code: u32,
    /// Empty.
    #[serde(rename = "str_err_msg")]
    pub info: &'static str,
}

impl Command for GetLocalWords {
    const SPEC: Spec =
        Spec::new("im_msg_audit_mgr/get_local_words", Family::MODERATION).callers(Callers::ACCOUNT);

    type Reply = LocalWords;

    async fn run(self, _: &Call) -> Result<LocalWords> {
        Ok(LocalWords {
            outcome: Outcome { code: 0, info: "" },
            complete: 1,
            version: 1,
            fresh_seconds: FRESH_SECONDS,
            words: Vec::new(),
        })
    }
}
