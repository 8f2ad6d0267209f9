//! `sns/friend_update`: changes remark, lists and own fields of friends.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use engine::relations::{ACCOUNTS_MAX, Change};
use model::relation::{GROUP, GROUPS_MAX, REMARK, REMARK_BYTES_MAX, check_group_name, checked};
use model::{AccountNumber, Error, ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::wire::{Results, WrittenField, account, admitted, batch, check_batch};

/// Changes what an account keeps of friends: remark, lists (replaced as a whole), the app's own fields.
#[derive(Deserialize, JsonSchema)]
pub struct UpdateFriends {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// What to change, for at most 1000 friends.
    #[serde(rename = "UpdateItem")]
    pub items: Vec<UpdateItem>,
}

/// What to change of one friend.
#[derive(Deserialize, JsonSchema)]
pub struct UpdateItem {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: AnyName,
    /// New values, 1 to 100.
    #[serde(rename = "SnsItem")]
    pub fields: Vec<WrittenField>,
}

fn wrong(field: &str, what: &'static str) -> Error {
    ErrorCode::RelationBadParameter.in_field(field, what)
}

fn names(value: &Value) -> Result<Vec<String>> {
    let list: Vec<String> = match value {
        Value::Null => Vec::new(),
        Value::String(name) => vec![name.clone()],
        other => serde_json::from_value(other.clone()).map_err(|_| wrong(GROUP, "is a list of names"))?,
    };
    if list.len() > GROUPS_MAX {
        return Err(wrong(GROUP, "at most 32 lists"));
    }
    list.iter().try_for_each(|name| check_group_name(GROUP, name))?;
    Ok(list)
}

impl UpdateItem {
    fn change(&self, call: &Call) -> Result<Change> {
        check_batch("SnsItem", self.fields.len(), 100)?;
        let mut change = Change::default();
        for WrittenField { tag, value } in &self.fields {
            match tag.as_str() {
                REMARK => {
                    let remark = value.as_str().ok_or_else(|| wrong(REMARK, "is a text"))?;
                    change.remark = Some(remark.to_owned());
                }
                GROUP => change.groups = Some(names(value)?),
                own => {
                    let value = checked(&call.app.settings, own, value, call.is_administrator())?;
                    change.custom.insert(own.to_owned(), value);
                }
            }
        }
        Ok(change)
    }

    /// The change with keywords replaced in the remark, and whether that was so.
    async fn moderated(&self, call: &Call) -> Result<Result<(Change, bool)>> {
        let mut change = match self.change(call) {
            Ok(change) => change,
            Err(error) => return Ok(Err(error)),
        };
        let Some(remark) = change.remark.take() else { return Ok(Ok((change, false))) };
        let admitted = admitted(call, REMARK, &remark, REMARK_BYTES_MAX).await?;
        Ok(admitted.map(|text| {
            let is_replaced = text != remark;
            (Change { remark: Some(text), ..change }, is_replaced)
        }))
    }
}

impl Command for UpdateFriends {
    const SPEC: Spec = Spec::new("sns/friend_update", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationRefused,
            ErrorCode::RelationConflict,
            ErrorCode::FriendGroupsFull,
            ErrorCode::DiskFull,
        ]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        check_batch("UpdateItem", self.items.len(), ACCOUNTS_MAX)?;
        let (mut items, mut cause) = (Vec::with_capacity(self.items.len()), call.instance());
        for item in self.items {
            let prepared = match item.moderated(call).await? {
                Ok((change, is_replaced)) => {
                    if is_replaced {
                        // Its own instance shows what it asked for, so it is told as well.
                        cause = None;
                    }
                    let found = account(call, &item.name).await?;
                    found.map(|friend| (friend.number, friend.user.clone(), change))
                }
                Err(error) => Err(error),
            };
            items.push((item.name.0, prepared));
        }
        batch(items, async |changes: Vec<(AccountNumber, UserId, Change)>| {
            call.engine.update_friends(&call.app, &owner, &changes, cause).await
        })
        .await
    }
}
