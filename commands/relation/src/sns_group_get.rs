//! `sns/group_get`: an account's friend lists.

use command::{Call, Callers, Command, Family, Spec};
use model::relation::GROUPS_MAX;
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Gets friend lists, all or some, and who is in them.
#[derive(Deserialize, JsonSchema)]
pub struct GetGroups {
    /// Whose.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// `Need_Friend_Type_Yes`: also who is in them.
    #[serde(rename = "NeedFriend", default)]
    pub needs_friends: Option<NeedFriend>,
    /// Which, at most 32; all, if absent.
    #[serde(rename = "GroupName", default)]
    pub names: Vec<String>,
    /// The sequence that the caller holds: if nothing has changed since, nothing is returned. 0: none.
    #[serde(rename = "LastSequence", default)]
    pub sequence: u32,
}

/// Whether to tell who is in the lists.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum NeedFriend {
    /// Yes.
    #[serde(rename = "Need_Friend_Type_Yes")]
    Yes,
    /// No.
    #[serde(rename = "Need_Friend_Type_No")]
    No,
}

/// Friend lists.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FriendGroups {
    /// The lists, in the order in which they were made.
    #[serde(rename = "ResultItem")]
    pub groups: Vec<Group>,
    /// Changes of friend lists so far.
    #[serde(rename = "CurrentSequence")]
    pub sequence: u32,
}

/// A friend list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Group {
    /// What it is called.
    #[serde(rename = "GroupName")]
    pub name: String,
    /// How many friends are in it.
    #[serde(rename = "FriendNumber")]
    pub count: usize,
    /// Who they are.
    #[serde(rename = "To_Account", skip_serializing_if = "Option::is_none")]
    pub friends: Option<Vec<UserId>>,
}

impl Command for GetGroups {
    const SPEC: Spec = Spec::new("sns/group_get", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = FriendGroups;

    async fn run(self, call: &Call) -> Result<FriendGroups> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        if self.names.len() > GROUPS_MAX {
            return Err(ErrorCode::RelationBadParameter.in_field("GroupName", "at most 32 lists"));
        }
        let (book, groups) = call.engine.relations.groups(call.app.id, owner.number, &self.names).await?;
        let sequence = book.group_sequence;
        if self.sequence != 0 && self.sequence == sequence {
            return Ok(FriendGroups { groups: Vec::new(), sequence });
        }
        let needs_friends = self.needs_friends == Some(NeedFriend::Yes);
        let groups = groups.into_iter().map(|group| Group {
            name: group.name,
            count: group.friends.len(),
            friends: needs_friends.then_some(group.friends),
        });
        Ok(FriendGroups { groups: groups.collect(), sequence })
    }
}
