//! What the commands that check relations share.

use model::Result;
use schemars::JsonSchema;
use serde::Serialize;

/// An account's result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedItem {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// Who has whom on the list; A is `From_Account`, B the other.
    #[serde(rename = "Relation")]
    pub relation: &'static str,
    /// 0, or why it could not be checked.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

/// What a relation is called: neither has the other, A has B, B has A, both.
pub type Words = [&'static str; 4];

impl CheckedItem {
    /// What was found: whether A has B, and B has A; or why nothing could be.
    #[must_use]
    pub fn of(name: String, words: Words, found: Result<(bool, bool)>) -> Self {
        let [neither, one, other, both] = words;
        let relation = match &found {
            Ok((false, false)) | Err(_) => neither,
            Ok((true, false)) => one,
            Ok((false, true)) => other,
            Ok((true, true)) => both,
        };
        let (code, info) =
            found.err().map_or_else(Default::default, |error| (error.code.number(), error.info));
        Self { name, relation, code, info: info.into_owned() }
    }

    /// Those of a batch that could not be checked.
    #[must_use]
    pub fn failed(items: &[Self]) -> Vec<String> {
        items.iter().filter(|item| item.code != 0).map(|item| item.name.clone()).collect()
    }
}
