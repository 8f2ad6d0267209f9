//! `group_member_search.query`: members of groups by their names. There are no groups on this server yet, so every search truly
//! finds nothing.

use command::scalar::Lenient;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::group_search_query::check;
use crate::wire::check_on;

/// The most groups of a search.
pub const GROUPS_MAX: usize = 100;

/// Searches members of groups by words of their names. There are no groups yet, so nothing is found.
#[derive(Deserialize, JsonSchema)]
pub struct SearchMembers {
    /// What is looked for: 1 to 5 keywords of up to 200 bytes.
    #[serde(rename = "Keywords")]
    pub keywords: Vec<String>,
    /// 0: any of them; 1: all of them.
    #[serde(rename = "KeywordMatchType", default)]
    pub match_type: Lenient,
    /// Only members of these groups, up to 100.
    #[serde(rename = "GroupIdList", default)]
    pub groups: Vec<String>,
    /// How many members: 1 to 100.
    #[serde(rename = "Count", default)]
    pub count: Option<Lenient>,
    /// Where to continue.
    #[serde(rename = "Cursor", default)]
    pub cursor: String,
}

/// No members.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct FoundMembers {
    /// How many.
    #[serde(rename = "TotalCount")]
    pub total: u32,
    /// Where to continue; empty: there is nothing more.
    #[serde(rename = "Cursor")]
    pub cursor: String,
    /// The members.
    #[serde(rename = "GroupMembers")]
    pub members: Vec<()>,
}

impl Command for SearchMembers {
    const SPEC: Spec = Spec::new("group_member_search/query", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::FeatureMissing]);

    type Reply = FoundMembers;

    async fn run(self, call: &Call) -> Result<FoundMembers> {
        check_on(call)?;
        if self.groups.len() > GROUPS_MAX {
            return Err(
                ErrorCode::MessageBadJson.because(format!("GroupIdList: at most {GROUPS_MAX} groups"))
            );
        }
        check(&self.keywords, self.match_type, self.count)?;
        Ok(FoundMembers::default())
    }
}
