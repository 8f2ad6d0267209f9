//! `sns/group_add`: makes friend lists.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use engine::relations::ACCOUNTS_MAX;
use model::relation::{GROUPS_MAX, check_group_name};
use model::{AccountNumber, ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{ItemResult, account, batch, check_batch};

/// Makes friend lists and puts friends into all of them. An account has at most 32.
#[derive(Deserialize, JsonSchema)]
pub struct AddGroups {
    /// Whose.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// What they are called: 1 to 30 bytes each.
    #[serde(rename = "GroupName")]
    pub names: Vec<String>,
    /// Friends to put into them, at most 1000.
    #[serde(rename = "To_Account", default)]
    pub friends: Vec<AnyName>,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GroupResults {
    /// One result per friend.
    #[serde(rename = "ResultItem", skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemResult>,
    /// Those that could not be put into the lists.
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// Changes of friend lists so far.
    #[serde(rename = "CurrentSequence")]
    pub sequence: u32,
}

/// Checks the names of a request.
///
/// # Errors
/// `RelationBadParameter` for none, more than 32, the same one twice, or a bad one.
pub fn check_names(names: &[String]) -> Result<()> {
    check_batch("GroupName", names.len(), GROUPS_MAX)?;
    names.iter().try_for_each(|name| check_group_name("GroupName", name))?;
    if names.iter().enumerate().any(|(index, name)| names.iter().take(index).any(|other| other == name)) {
        return Err(ErrorCode::RelationBadParameter.in_field("GroupName", "a name stands there twice"));
    }
    Ok(())
}

impl Command for AddGroups {
    const SPEC: Spec = Spec::new("sns/group_add", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationConflict,
            ErrorCode::FriendGroupsFull,
            ErrorCode::FriendGroupExists,
            ErrorCode::NotAFriendForGroup,
            ErrorCode::DiskFull,
        ]);

    type Reply = GroupResults;

    async fn run(self, call: &Call) -> Result<GroupResults> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        check_names(&self.names)?;
        if self.friends.len() > ACCOUNTS_MAX {
            return Err(ErrorCode::RelationBadParameter.in_field("To_Account", "at most 1000 accounts"));
        }
        let mut items = Vec::with_capacity(self.friends.len());
        let mut members: Vec<AccountNumber> = Vec::with_capacity(self.friends.len());
        for name in self.friends {
            let found = account(call, &name).await?;
            members.extend(found.as_ref().map(|other| other.number));
            // Who does not exist is no friend either.
            items.push((name.0, found.map(drop).map_err(|_| ErrorCode::NotAFriendForGroup.into())));
        }
        let (are_friends, sequence) =
            call.engine.add_friend_groups(&call.app, &owner, &self.names, &members, call.instance()).await?;
        let not = || ErrorCode::NotAFriendForGroup.into();
        let results = batch(items, async |_: Vec<()>| {
            Ok(are_friends.into_iter().map(|is_friend| is_friend.then_some(()).ok_or_else(not)).collect())
        });
        let results = results.await?;
        Ok(GroupResults { items: results.items, failed: results.failed, sequence })
    }
}
