//! `sns/friend_add`: adds friends, or asks those that want to be asked.

use command::scalar::{AnyName, Flag};
use command::{Call, Callers, Command, Family, Spec};
use engine::relations::{ACCOUNTS_MAX, AddFriend, Adding};
use model::relation::{REMARK_BYTES_MAX, WORDING_BYTES_MAX, check_group_name, check_source};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::{Results, account, admitted, batch, check_batch};

/// Adds friends. Who wants to be asked gets an application (item code 30539); who has asked the caller first agrees.
#[derive(Deserialize, JsonSchema)]
pub struct AddFriends {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Whom to add, at most 1000.
    #[serde(rename = "AddFriendItem")]
    pub friends: Vec<FriendItem>,
    /// On both lists, or on the caller's alone.
    #[serde(rename = "AddType", default)]
    pub kind: AddKind,
    /// 1: without asking; for administrators.
    #[serde(rename = "ForceAddFlags", default)]
    pub force: Flag,
}

/// A friend to add.
#[derive(Deserialize, JsonSchema)]
pub struct FriendItem {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: AnyName,
    /// How it was found: `AddSource_Type_` and 1 to 8 letters.
    #[serde(rename = "AddSource", default)]
    pub source: String,
    /// What to say to it: at most 256 bytes.
    #[serde(rename = "AddWording", default)]
    pub wording: String,
    /// What the caller will call it: at most 96 bytes.
    #[serde(rename = "Remark", default)]
    pub remark: String,
    /// Into which of the caller's lists it goes: at most 30 bytes. It is made if it is not there.
    #[serde(rename = "GroupName", default)]
    pub group: String,
}

/// On whose lists.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum AddKind {
    /// On both.
    #[default]
    #[serde(rename = "Add_Type_Both")]
    Both,
    /// On the caller's alone.
    #[serde(rename = "Add_Type_Single")]
    Single,
}

async fn prepared(call: &Call, item: FriendItem) -> Result<(String, Result<AddFriend>)> {
    let check = || {
        check_source(&item.source)?;
        if item.group.is_empty() { Ok(()) } else { check_group_name("GroupName", &item.group) }
    };
    if let Err(error) = check() {
        return Ok((item.name.0, Err(error)));
    }
    let wording = match admitted(call, "AddWording", &item.wording, WORDING_BYTES_MAX).await? {
        Ok(wording) => wording,
        Err(error) => return Ok((item.name.0, Err(error))),
    };
    let remark = match admitted(call, "Remark", &item.remark, REMARK_BYTES_MAX).await? {
        Ok(remark) => remark,
        Err(error) => return Ok((item.name.0, Err(error))),
    };
    let found = account(call, &item.name).await?;
    let add = found.map(|other| AddFriend {
        other,
        source: item.source,
        wording,
        remark,
        group: Some(item.group).filter(|name| !name.is_empty()),
    });
    Ok((item.name.0, add))
}

impl Command for AddFriends {
    const SPEC: Spec = Spec::new("sns/friend_add", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationRefused,
            ErrorCode::RelationConflict,
            ErrorCode::MayNotAsk,
            ErrorCode::FriendsFull,
            ErrorCode::FriendGroupsFull,
            ErrorCode::RequestsFull,
            ErrorCode::OtherFriendsFull,
            ErrorCode::BlockedByOwner,
            ErrorCode::DeniesEverybody,
            ErrorCode::BlockedByOther,
            ErrorCode::WaitsForConfirmation,
            ErrorCode::DiskFull,
        ]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        check_batch("AddFriendItem", self.friends.len(), ACCOUNTS_MAX)?;
        // A client does not decide whether others are asked.
        let force = self.force.0 && call.is_administrator();
        let how = Adding { both: self.kind == AddKind::Both, force };
        let mut items = Vec::with_capacity(self.friends.len());
        for item in self.friends {
            items.push(prepared(call, item).await?);
        }
        batch(items, async |friends: Vec<AddFriend>| {
            call.engine.add_friends(&call.app, &owner, &friends, how).await
        })
        .await
    }
}
