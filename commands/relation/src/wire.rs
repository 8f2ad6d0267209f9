//! Shapes that the commands on relations share, and how accounts of a batch are found.

use std::sync::Arc;

use command::Call;
use command::scalar::AnyName;
use engine::facts::AccountFact;
use engine::moderation::Scene;
use model::relation::check_text;
use model::{Error, ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The result of one account in a batch.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ItemResult {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// 0, or why not.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

impl ItemResult {
    /// Done.
    #[must_use]
    pub const fn done(name: String) -> Self {
        Self { name, code: 0, info: String::new() }
    }

    /// Not done.
    #[must_use]
    pub fn failed(name: String, code: ErrorCode, info: &str) -> Self {
        Self { name, code: code.number(), info: info.to_owned() }
    }

    /// Done or not.
    #[must_use]
    pub fn of(name: String, outcome: std::result::Result<(), Error>) -> Self {
        match outcome {
            Ok(()) => Self::done(name),
            Err(error) => Self { name, code: error.code.number(), info: error.info.into_owned() },
        }
    }
}

/// The results of a batch.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Results {
    /// In the order of the request.
    #[serde(rename = "ResultItem")]
    pub items: Vec<ItemResult>,
    /// The accounts that failed.
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

impl Results {
    /// Adds a result.
    pub fn push(&mut self, item: ItemResult) {
        if item.code != 0 {
            self.failed.push(item.name.clone());
        }
        self.items.push(item);
    }
}

impl FromIterator<ItemResult> for Results {
    fn from_iter<I: IntoIterator<Item = ItemResult>>(items: I) -> Self {
        let mut results = Self::default();
        items.into_iter().for_each(|item| results.push(item));
        results
    }
}

/// A field of a friend or of its profile.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReadField {
    /// Its name.
    #[serde(rename = "Tag")]
    pub tag: String,
    /// Its value: a text, a number, or names of lists.
    #[serde(rename = "Value")]
    pub value: Value,
}

/// A field to write. `lite-chat` sends both names in lower case.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct WrittenField {
    /// Its name.
    #[serde(rename = "Tag", alias = "tag")]
    pub tag: String,
    /// Its value: a text, a number, or names of lists.
    #[serde(rename = "Value", alias = "value")]
    pub value: Value,
}

/// Refuses a batch that is empty or too large.
///
/// # Errors
/// `RelationBadParameter`, naming the field.
pub fn check_batch(field: &str, count: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&count) {
        return Ok(());
    }
    Err(ErrorCode::RelationBadParameter.in_field(field, format!("1 to {most} entries")))
}

/// An account of a batch.
///
/// # Errors
/// `RelationAccountUnknown` inside, for the item alone; what the store says outside.
pub async fn account(call: &Call, name: &AnyName) -> Result<Result<Arc<AccountFact>>> {
    let found = match name.user() {
        Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
        None => None,
    };
    Ok(found.ok_or_else(|| ErrorCode::RelationAccountUnknown.because("no such account")))
}

/// A text as it goes on: with keywords of the app replaced. What back ends write is not looked at.
///
/// # Errors
/// `RelationRefused` for a keyword that is refused, `RelationBadParameter` for a text that is too long, also with what replaces a
/// keyword, inside, for the item alone, naming the field; what the store says outside.
pub async fn admitted(call: &Call, field: &str, text: &str, bytes_max: usize) -> Result<Result<String>> {
    if let Err(error) = check_text(field, text, bytes_max) {
        return Ok(Err(error));
    }
    if call.is_administrator() || text.is_empty() {
        return Ok(Ok(text.to_owned()));
    }
    match call.engine.moderation.check(call.app.id, Scene::Relation, text).await {
        Ok(None) => Ok(Ok(text.to_owned())),
        Ok(Some(replaced)) => Ok(check_text(field, &replaced, bytes_max).map(|()| replaced)),
        Err(error) if error.code == ErrorCode::RelationRefused => {
            Ok(Err(error.code.in_field(field, "holds a keyword that the app refuses")))
        }
        Err(error) => Err(error),
    }
}

/// Does something with those items of a batch that could be prepared, and puts the results in the order of the request.
///
/// # Errors
/// What doing it says as a whole.
pub async fn batch<T>(
    items: Vec<(String, Result<T>)>,
    does: impl AsyncFnOnce(Vec<T>) -> Result<Vec<Result<()>>>,
) -> Result<Results> {
    let (mut prepared, mut slots) = (Vec::new(), Vec::with_capacity(items.len()));
    for (name, item) in items {
        match item {
            Ok(item) => {
                prepared.push(item);
                slots.push((name, None));
            }
            Err(error) => slots.push((name, Some(error))),
        }
    }
    let mut outcomes = if prepared.is_empty() { Vec::new() } else { does(prepared).await? }.into_iter();
    let done = slots.into_iter().map(|(name, error)| match error {
        Some(error) => ItemResult::of(name, Err(error)),
        None => {
            ItemResult::of(name, outcomes.next().unwrap_or_else(|| Err(ErrorCode::RelationInternal.into())))
        }
    });
    Ok(done.collect())
}
