//! `sns/black_list_get`: pages a block list.

use command::{Call, Callers, Command, Family, Spec};
use model::{AccountNumber, ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most entries of one page.
pub const PAGE_MAX: usize = 1000;

/// Pages a block list.
///
/// `LastSequence` is not looked at: changes are not numbered, and every call tells the whole page.
#[derive(Deserialize, JsonSchema)]
pub struct GetBlocked {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// 0 at first, later as returned.
    #[serde(rename = "StartIndex", default)]
    pub start: u64,
    /// How many, 1 to 1000; less counts as 1 and more as 1000.
    #[serde(rename = "MaxLimited")]
    pub limit: usize,
}

/// A page of a block list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Blocked {
    /// The entries.
    #[serde(rename = "BlackListItem")]
    pub entries: Vec<Entry>,
    /// 0: the end; else where the next page starts.
    #[serde(rename = "StartIndex")]
    pub next: u64,
    /// Changes are not numbered: 0. In the spelling of most documents…
    #[serde(rename = "CurruentSequence")]
    pub sequence: u64,
    /// …and in that of the newest.
    #[serde(rename = "CurrentSequence")]
    pub current_sequence: u64,
}

/// An entry.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// Who is blocked.
    #[serde(rename = "To_Account")]
    pub user: UserId,
    /// Since when.
    #[serde(rename = "AddBlackTimeStamp")]
    pub since: Seconds,
}

impl Command for GetBlocked {
    const SPEC: Spec = Spec::new("sns/black_list_get", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = Blocked;

    async fn run(self, call: &Call) -> Result<Blocked> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        let limit = self.limit.clamp(1, PAGE_MAX);
        let after =
            (self.start != 0).then_some(AccountNumber(AccountNumber::BASE.saturating_add(self.start)));
        let mut facts = call.engine.blocks.page(call.app.id, owner.number, after, limit + 1).await?;
        let has_more = facts.len() > limit;
        facts.truncate(limit);
        let next = match facts.last() {
            Some(last) if has_more => last.blocked.0.saturating_sub(AccountNumber::BASE),
            _ => 0,
        };
        let entries = facts.into_iter().map(|fact| Entry { user: fact.user, since: fact.since }).collect();
        Ok(Blocked { entries, next, sequence: 0, current_sequence: 0 })
    }
}
