//! `sns.friend_response`: answers applications for friendship.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use engine::relations::{ACCOUNTS_MAX, Responding, Response};
use model::relation::{REMARK_BYTES_MAX, check_group_name};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::{Results, account, admitted, batch, check_batch};

/// Answers applications that the caller got.
#[derive(Deserialize, JsonSchema)]
pub struct Respond {
    /// The caller.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Its answers, at most 1000.
    #[serde(rename = "ResponseFriendItem")]
    pub items: Vec<ResponseItem>,
}

/// An answer.
#[derive(Deserialize, JsonSchema)]
pub struct ResponseItem {
    /// Who applied.
    #[serde(rename = "To_Account")]
    pub name: AnyName,
    /// What the caller will call its friend: at most 96 bytes.
    #[serde(rename = "Remark", default)]
    pub remark: Option<String>,
    /// Into which of the caller's lists it goes: at most 30 bytes.
    #[serde(rename = "TagName", default)]
    pub group: Option<String>,
    /// The answer.
    #[serde(rename = "ResponseAction")]
    pub action: Action,
}

/// An answer.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum Action {
    /// The applicant gets the caller on its list.
    #[serde(rename = "Response_Action_Agree")]
    Agree,
    /// Both get each other.
    #[serde(rename = "Response_Action_AgreeAndAdd")]
    AgreeAndAdd,
    /// Nothing comes of it.
    #[serde(rename = "Response_Action_Reject")]
    Reject,
}

async fn prepared(call: &Call, item: ResponseItem) -> Result<(String, Result<Responding>)> {
    let group = item.group.filter(|name| !name.is_empty());
    if let Some(Err(error)) = group.as_ref().map(|name| check_group_name("TagName", name)) {
        return Ok((item.name.0, Err(error)));
    }
    let remark = item.remark.unwrap_or_default();
    let remark = match admitted(call, "Remark", &remark, REMARK_BYTES_MAX).await? {
        Ok(remark) => remark,
        Err(error) => return Ok((item.name.0, Err(error))),
    };
    let response = match item.action {
        Action::Agree => Response::Agree,
        Action::AgreeAndAdd => Response::AgreeAndAdd,
        Action::Reject => Response::Reject,
    };
    let found = account(call, &item.name).await?;
    let responding = found.map(|applicant| Responding {
        applicant: applicant.number,
        user: applicant.user.clone(),
        response,
        remark,
        group,
    });
    Ok((item.name.0, responding))
}

impl Command for Respond {
    const SPEC: Spec = Spec::new("sns/friend_response", Family::RELATION)
        .callers(Callers::ACCOUNT)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationRefused,
            ErrorCode::RelationConflict,
            ErrorCode::FriendsFull,
            ErrorCode::FriendGroupsFull,
            ErrorCode::OtherFriendsFull,
            ErrorCode::BlockedByOwner,
            ErrorCode::BlockedByOther,
            ErrorCode::RequestUnknown,
            ErrorCode::DiskFull,
        ]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        check_batch("ResponseFriendItem", self.items.len(), ACCOUNTS_MAX)?;
        let mut items = Vec::with_capacity(self.items.len());
        for item in self.items {
            items.push(prepared(call, item).await?);
        }
        batch(items, async |responses: Vec<Responding>| {
            call.engine.respond(&call.app, &owner, &responses).await
        })
        .await
    }
}
