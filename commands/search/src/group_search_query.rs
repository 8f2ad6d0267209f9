//! `group_search.query`: groups by their names. There are none on this server yet, so every search truly finds nothing.

use command::scalar::Lenient;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{check_on, count, phrases};

/// Searches groups by words of their names. There are no groups yet, so nothing is found.
#[derive(Deserialize, JsonSchema)]
pub struct SearchGroups {
    /// What is looked for: 1 to 5 keywords of up to 200 bytes.
    #[serde(rename = "Keywords")]
    pub keywords: Vec<String>,
    /// 0: any of them; 1: all of them.
    #[serde(rename = "KeywordMatchType", default)]
    pub match_type: Lenient,
    /// How many groups: 1 to 100.
    #[serde(rename = "Count", default)]
    pub count: Option<Lenient>,
    /// Where to continue.
    #[serde(rename = "Cursor", default)]
    pub cursor: String,
}

/// No groups.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct FoundGroups {
    /// How many.
    #[serde(rename = "TotalCount")]
    pub total: u32,
    /// Where to continue; empty: there is nothing more.
    #[serde(rename = "Cursor")]
    pub cursor: String,
    /// The groups.
    #[serde(rename = "Groups")]
    pub groups: Vec<()>,
}

impl Command for SearchGroups {
    const SPEC: Spec = Spec::new("group_search/query", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::FeatureMissing]);

    type Reply = FoundGroups;

    async fn run(self, call: &Call) -> Result<FoundGroups> {
        check_on(call)?;
        check(&self.keywords, self.match_type, self.count)?;
        Ok(FoundGroups::default())
    }
}

/// Checks what a search of groups and one of their members have in common.
pub(crate) fn check(words: &[String], match_type: Lenient, page: Option<Lenient>) -> Result<()> {
    if words.is_empty() {
        return Err(ErrorCode::MessageBadJson.because("Keywords: 1 to 5 keywords"));
    }
    if match_type.0 > 1 {
        return Err(ErrorCode::MessageBadJson.because("KeywordMatchType: 0 or 1"));
    }
    phrases("Keywords", words)?;
    count(page).map(drop)
}
