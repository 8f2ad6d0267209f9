//! `follow/follow_get`: pages whom an account follows and who follows it.

use command::{Call, Callers, Command, Family, Spec};
use engine::follow::FollowList;
use model::profile::FieldValue;
use model::{AccountNumber, ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::follows::follow_is_on;

/// The most entries of one page.
pub const PAGE_MAX: usize = 1000;

/// Entries of a page where none are given.
const PAGE: usize = 100;

/// Pages who follows an account, whom it follows, or both, with their profiles.
#[derive(Deserialize, JsonSchema)]
pub struct GetFollows {
    /// Whose list; over the socket the caller's.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// 1 who follows it, 2 whom it follows, 3 those who are both.
    #[serde(rename = "FollowType")]
    pub kind: u64,
    /// Empty at first, later as returned.
    #[serde(rename = "StartCursor", default)]
    pub cursor: String,
    /// How many, 1 to 1000.
    #[serde(rename = "WantNum", default = "page")]
    pub limit: usize,
}

const fn page() -> usize {
    PAGE
}

/// A page of a list. It may be shorter than was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Followed {
    /// The entries, in the order of the accounts' numbers.
    #[serde(rename = "FollowItem")]
    pub entries: Vec<Entry>,
    /// Where the next page starts; empty: the end.
    #[serde(rename = "NextCursor")]
    pub next: String,
}

/// An entry.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// The other account.
    #[serde(rename = "To_Account")]
    pub user: UserId,
    /// Since when it follows or is followed; of both: since when it is followed.
    #[serde(rename = "FollowTime")]
    pub since: Seconds,
    /// Every field of its profile that is set.
    #[serde(rename = "ProfileItem")]
    pub fields: Vec<Field>,
}

/// A profile field.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Field {
    /// Its name.
    #[serde(rename = "Tag")]
    pub tag: String,
    /// Its value.
    #[serde(rename = "Value")]
    #[schemars(with = "serde_json::Value")]
    pub value: FieldValue,
}

impl Command for GetFollows {
    const SPEC: Spec = Spec::new("follow/follow_get", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown, ErrorCode::RelationRefused]);

    type Reply = Followed;

    async fn run(self, call: &Call) -> Result<Followed> {
        follow_is_on(call)?;
        let bad = ErrorCode::RelationBadParameter;
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        let list = FollowList::of(self.kind).ok_or_else(|| bad.in_field("FollowType", "1, 2 or 3"))?;
        if !(1..=PAGE_MAX).contains(&self.limit) {
            return Err(bad.in_field("WantNum", format!("1 to {PAGE_MAX}")));
        }
        let after = match self.cursor.as_str() {
            "" => None,
            text => Some(place(text).ok_or_else(|| bad.in_field("StartCursor", "not one of this server"))?),
        };
        let (engine, app) = (&call.engine, call.app.id);
        let mut found = engine.follows.page(app, owner.number, list, after, self.limit + 1).await?;
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        let next = match found.last() {
            Some(last) if has_more => cursor(last.other(list)),
            _ => String::new(),
        };
        let viewer = call.session().map(|session| session.account.number);
        let mut entries = Vec::with_capacity(found.len());
        for follow in found {
            let other = follow.other(list);
            // An account that was just erased is in the list until its rows are gone.
            let Some(account) = engine.accounts.with_number(app, other).await? else { continue };
            let profile = engine.profiles.shown_to(&call.app, other, viewer).await?;
            let fields =
                profile.0.iter().map(|(tag, value)| Field { tag: tag.clone(), value: value.clone() });
            let fields = fields.collect();
            entries.push(Entry { user: account.user.clone(), since: follow.since, fields });
        }
        Ok(Followed { entries, next })
    }
}

/// The place after an account, as text for a client.
fn cursor(after: AccountNumber) -> String {
    format!("{:x}", after.0.saturating_sub(AccountNumber::BASE))
}

/// The place that [`cursor`] wrote.
fn place(text: &str) -> Option<AccountNumber> {
    let number = u64::from_str_radix(text, 16).ok()?;
    AccountNumber::BASE.checked_add(number).map(AccountNumber)
}
