//! `user_search.query`: accounts whose name or nickname holds keywords.

use command::scalar::Lenient;
use command::{Call, Callers, Command, Family, Spec};
use engine::search::{FoundAccount, Gender, Wanted};
use model::profile::FieldValue;
use model::{AccountNumber, ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{check_on, count, cursor, phrases, to_cursor};

/// A gender, as a name or as a number.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum GenderType {
    /// 0 not said, 1 male, 2 female.
    Number(u64),
    /// `Gender_Type_Unknown`, `Gender_Type_Male` or `Gender_Type_Female`.
    Name(String),
}

/// Searches accounts by whole words of their UserIDs and nicknames, in the order in which they were made.
///
/// In Chinese, Japanese, Korean and Thai any part of a nickname is found. Not found are accounts that have blocked the caller.
#[derive(Deserialize, JsonSchema)]
pub struct SearchAccounts {
    /// What is looked for: 1 to 5 keywords of up to 200 bytes.
    #[serde(rename = "Keywords")]
    pub keywords: Vec<String>,
    /// 0: any of them; 1: all of them.
    #[serde(rename = "KeywordMatchType", default)]
    pub match_type: Lenient,
    /// Only accounts of this gender.
    #[serde(rename = "UserGenderType", default)]
    pub gender: Option<GenderType>,
    /// Only accounts that were not born before this day, as `yyyymmdd`.
    #[serde(rename = "UserBirthStart", default)]
    pub born_from: Option<u32>,
    /// Only accounts that were not born after this day.
    #[serde(rename = "UserBirthEnd", default)]
    pub born_until: Option<u32>,
    /// How many accounts: 1 to 100.
    #[serde(rename = "Count", default)]
    pub count: Option<Lenient>,
    /// Where to continue: that of the former answer. Empty: at the beginning.
    #[serde(rename = "Cursor", default)]
    pub cursor: String,
}

/// What was found.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct FoundUsers {
    /// How many accounts, counted up to 1000.
    #[serde(rename = "TotalCount")]
    pub total: usize,
    /// Where to continue; empty: there is nothing more.
    #[serde(rename = "Cursor")]
    pub cursor: String,
    /// Accounts.
    #[serde(rename = "Users")]
    pub users: Vec<FoundUser>,
    /// 1: accounts are being read in the background, and some may be missing. Left out otherwise.
    #[serde(rename = "Incomplete", skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<u8>,
}

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundUser {
    /// Its name.
    #[serde(rename = "UserID")]
    pub user: UserId,
    /// Fields of its profile that the caller may read.
    #[serde(rename = "ProfileItems")]
    pub fields: Vec<FoundField>,
}

/// A field: a text or a number.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundField {
    /// Its name.
    #[serde(rename = "Tag")]
    pub tag: String,
    /// Its text.
    #[serde(rename = "StrValue", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its number.
    #[serde(rename = "IntValue", skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

impl Command for SearchAccounts {
    const SPEC: Spec = Spec::new("user_search/query", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::FeatureMissing]);

    type Reply = FoundUsers;

    async fn run(self, call: &Call) -> Result<FoundUsers> {
        check_on(call)?;
        let wanted = self.wanted(call).await?;
        if wanted.phrases.is_empty() {
            return Ok(FoundUsers::default());
        }
        let found = call.engine.search_accounts(&call.app, &wanted).await?;
        Ok(FoundUsers {
            total: found.total,
            cursor: found.next.map(|next| to_cursor(&[next.0])).unwrap_or_default(),
            users: found.accounts.into_iter().map(shown).collect(),
            incomplete: (!found.is_complete).then_some(1),
        })
    }
}

impl SearchAccounts {
    async fn wanted(self, call: &Call) -> Result<Wanted> {
        let viewer = call.actor("From_Account", None, ErrorCode::MessageAccountUnknown).await?;
        if self.keywords.is_empty() {
            return Err(ErrorCode::MessageBadJson.because("Keywords: 1 to 5 keywords"));
        }
        if self.match_type.0 > 1 {
            return Err(ErrorCode::MessageBadJson.because("KeywordMatchType: 0 or 1"));
        }
        let born = match (self.born_from, self.born_until) {
            (None, None) => None,
            (from, until) => Some((from.unwrap_or(0), until.unwrap_or(u32::MAX))),
        };
        if born.is_some_and(|(from, until)| until < from) {
            return Err(ErrorCode::MessageBadJson.because("UserBirthEnd: lies before UserBirthStart"));
        }
        Ok(Wanted {
            viewer: viewer.number,
            phrases: phrases("Keywords", &self.keywords)?,
            wants_all: self.match_type.0 == 1,
            gender: self.gender.map(gender).transpose()?,
            born,
            count: count(self.count)?,
            after: cursor(&self.cursor)?.map(|[number]| AccountNumber(number)),
        })
    }
}

fn gender(gender: GenderType) -> Result<Gender> {
    let name = match &gender {
        GenderType::Number(0) => "Gender_Type_Unknown",
        GenderType::Number(1) => "Gender_Type_Male",
        GenderType::Number(2) => "Gender_Type_Female",
        GenderType::Number(_) => "",
        GenderType::Name(name) => name,
    };
    match name {
        "Gender_Type_Unknown" => Ok(Gender::Unknown),
        "Gender_Type_Male" => Ok(Gender::Male),
        "Gender_Type_Female" => Ok(Gender::Female),
        _ => Err(ErrorCode::MessageBadJson
            .because("UserGenderType: Gender_Type_Unknown, Gender_Type_Male or Gender_Type_Female")),
    }
}

fn shown(found: FoundAccount) -> FoundUser {
    let fields = found.profile.0.iter().map(|(tag, value)| {
        let (text, number) = match value {
            FieldValue::Text(text) => (Some(text.clone()), None),
            FieldValue::Number(number) => (None, Some(*number)),
        };
        FoundField { tag: tag.clone(), text, number }
    });
    FoundUser { user: found.account.user.clone(), fields: fields.collect() }
}
