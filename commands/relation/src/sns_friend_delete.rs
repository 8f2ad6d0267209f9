//! `sns/friend_delete`: takes friends off a list.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use engine::relations::ACCOUNTS_MAX;
use model::{AccountNumber, ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::{Results, account, batch, check_batch};

/// Takes friends off the caller's list, or off both lists.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteFriends {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Whom, at most 1000.
    #[serde(rename = "To_Account")]
    pub friends: Vec<AnyName>,
    /// Off which lists.
    #[serde(rename = "DeleteType", default)]
    pub kind: DeleteKind,
}

/// Off which lists.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum DeleteKind {
    /// The caller's alone.
    #[default]
    #[serde(rename = "Delete_Type_Single")]
    Single,
    /// Both.
    #[serde(rename = "Delete_Type_Both")]
    Both,
}

impl Command for DeleteFriends {
    const SPEC: Spec = Spec::new("sns/friend_delete", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationConflict,
            ErrorCode::NotAFriend,
            ErrorCode::DiskFull,
        ]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        check_batch("To_Account", self.friends.len(), ACCOUNTS_MAX)?;
        let mut items = Vec::with_capacity(self.friends.len());
        for name in self.friends {
            let found = account(call, &name).await?;
            items.push((name.0, found.map(|other| (other.number, other.user.clone()))));
        }
        let both = self.kind == DeleteKind::Both;
        batch(items, async |others: Vec<(AccountNumber, UserId)>| {
            let was_there = call.engine.delete_friends(&call.app, &owner, &others, both).await?;
            let not = || ErrorCode::NotAFriend.into();
            Ok(was_there.into_iter().map(|was_there| was_there.then_some(()).ok_or_else(not)).collect())
        })
        .await
    }
}
