//! `sns.group_update`: renames a friend list, or changes who is in it.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use engine::relations::GroupMember;
use model::relation::check_group_name;
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{ItemResult, account};

/// The most friends of one call.
pub const MEMBERS_MAX: usize = 100;

/// Renames a friend list of the caller, or puts up to 100 friends into it or out of it.
#[derive(Deserialize, JsonSchema)]
pub struct UpdateGroup {
    /// The caller.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// Which list.
    #[serde(rename = "GroupOldName")]
    pub name: String,
    /// What it is called from now on: 1 to 30 bytes.
    #[serde(rename = "GroupNewName", default)]
    pub new_name: Option<String>,
    /// Who comes and who leaves.
    #[serde(rename = "UpdateGroupItem", default)]
    pub members: Vec<MemberItem>,
}

/// A friend that comes or leaves.
#[derive(Clone, Deserialize, JsonSchema)]
pub struct MemberItem {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: AnyName,
    /// Comes or leaves.
    #[serde(rename = "UpdateType")]
    pub kind: UpdateKind,
}

/// Comes or leaves.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum UpdateKind {
    /// Comes.
    #[serde(rename = "Update_Type_Add")]
    Add,
    /// Leaves.
    #[serde(rename = "Update_Type_Delete")]
    Delete,
}

/// One result per friend.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UpdatedGroup {
    /// In the order of the request.
    #[serde(rename = "ResultItem")]
    pub items: Vec<UpdatedMember>,
    /// Changes of friend lists so far.
    #[serde(rename = "CurrentSequence")]
    pub sequence: u32,
}

/// A friend's result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UpdatedMember {
    /// Who, and whether it was done.
    #[serde(flatten)]
    pub result: ItemResult,
    /// Came or left.
    #[serde(rename = "UpdateType")]
    pub kind: UpdateKind,
}

impl Command for UpdateGroup {
    const SPEC: Spec =
        Spec::new("sns/group_update", Family::RELATION).callers(Callers::ACCOUNT).fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationConflict,
            ErrorCode::FriendGroupExists,
            ErrorCode::NotAFriendForGroup,
            ErrorCode::DiskFull,
        ]);

    type Reply = UpdatedGroup;

    async fn run(self, call: &Call) -> Result<UpdatedGroup> {
        let owner =
            call.actor("From_Account", self.owner.as_ref(), ErrorCode::RelationAccountUnknown).await?;
        let new_name = self.new_name.as_deref();
        new_name.map_or(Ok(()), |name| check_group_name("GroupNewName", name))?;
        if self.members.len() > MEMBERS_MAX || (self.members.is_empty() && new_name.is_none()) {
            let what = "GroupNewName, or UpdateGroupItem with 1 to 100 friends";
            return Err(ErrorCode::RelationBadParameter.because(what));
        }
        let (mut found, mut members) = (Vec::with_capacity(self.members.len()), Vec::new());
        for item in self.members {
            let friend = account(call, &item.name).await?;
            let is_added = item.kind == UpdateKind::Add;
            members.extend(friend.as_ref().map(|friend| GroupMember { friend: friend.number, is_added }));
            found.push((item, friend));
        }
        let (are_friends, sequence) = call
            .engine
            .change_friend_group(&call.app, &owner, &self.name, new_name, &members, call.instance())
            .await?;
        let mut are_friends = are_friends.into_iter();
        let items = found.into_iter().map(|(item, friend)| {
            let outcome = friend.and_then(|_| match are_friends.next() {
                Some(true) => Ok(()),
                _ => Err(ErrorCode::NotAFriendForGroup.into()),
            });
            UpdatedMember { result: ItemResult::of(item.name.0, outcome), kind: item.kind }
        });
        Ok(UpdatedGroup { items: items.collect(), sequence })
    }
}
