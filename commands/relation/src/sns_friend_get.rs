//! `sns/friend_get`: pages a list of friends.

use command::{Call, Callers, Command, Family, Spec};
use model::{AccountNumber, ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shown::{custom_fields, standard_fields};
use crate::wire::ReadField;

/// Friends of one page.
pub const PAGE: usize = 100;

/// Pages a list of friends, 100 at a time. A caller that holds the current sequences gets nothing again.
#[derive(Deserialize, JsonSchema)]
pub struct GetFriends {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// 0 at first, later as returned.
    #[serde(rename = "StartIndex", default)]
    pub start: u64,
    /// The sequence of standard data that the caller holds; 0: none.
    #[serde(rename = "StandardSequence", default)]
    pub standard_sequence: u32,
    /// The sequence of own fields that the caller holds; 0: none.
    #[serde(rename = "CustomSequence", default)]
    pub custom_sequence: u32,
}

/// A page of friends.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Friends {
    /// The friends.
    #[serde(rename = "UserDataItem")]
    pub friends: Vec<Friend>,
    /// How many there are in all.
    #[serde(rename = "FriendNum")]
    pub count: u32,
    /// 1: the end; 0: there is more.
    #[serde(rename = "CompleteFlag")]
    pub complete: u8,
    /// Where the next page starts; 0 at the end.
    #[serde(rename = "NextStartIndex")]
    pub next: u64,
    /// Changes of standard data so far.
    #[serde(rename = "StandardSequence")]
    pub standard_sequence: u32,
    /// Changes of own fields so far.
    #[serde(rename = "CustomSequence")]
    pub custom_sequence: u32,
}

/// A friend.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Friend {
    /// Who.
    #[serde(rename = "To_Account")]
    pub user: UserId,
    /// What is kept of it.
    #[serde(rename = "ValueItem")]
    pub fields: Vec<ReadField>,
}

impl Command for GetFriends {
    const SPEC: Spec = Spec::new("sns/friend_get", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = Friends;

    async fn run(self, call: &Call) -> Result<Friends> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        let relations = &call.engine.relations;
        let book = relations.of(call.app.id, owner.number).await?;
        let mut reply = Friends {
            friends: Vec::new(),
            count: book.friends,
            complete: 1,
            next: 0,
            standard_sequence: book.standard_sequence,
            custom_sequence: book.custom_sequence,
        };
        // Later pages carry the sequences of the first one, so only that one says what the caller holds.
        let is_first = self.start == 0;
        let holds_standard =
            is_first && self.standard_sequence != 0 && self.standard_sequence == book.standard_sequence;
        let holds_custom =
            is_first && self.custom_sequence != 0 && self.custom_sequence == book.custom_sequence;
        if holds_standard && (holds_custom || book.custom_sequence == 0) {
            return Ok(reply);
        }
        let after = (!is_first).then(|| AccountNumber(AccountNumber::BASE.saturating_add(self.start)));
        let mut page = relations.page(call.app.id, owner.number, after, PAGE + 1).await?;
        if page.len() > PAGE {
            page.truncate(PAGE);
            reply.complete = 0;
            reply.next = page.last().map_or(0, |last| last.friend.0.saturating_sub(AccountNumber::BASE));
        }
        for fact in page {
            let mut fields = if holds_standard { Vec::new() } else { standard_fields(&book, &fact) };
            if !holds_custom {
                fields.extend(custom_fields(call, &fact));
            }
            reply.friends.push(Friend { user: fact.user, fields });
        }
        Ok(reply)
    }
}
