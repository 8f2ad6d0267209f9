//! `sns/friend_get_list`: what is kept of named friends, and their profiles.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::profile::is_stored;
use model::relation::{STANDARD_TAGS, declared};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shown::{custom_fields, profile_fields, standard_fields};
use crate::wire::{ReadField, account, check_batch};

/// The most friends of one call.
pub const FRIENDS_MAX: usize = 100;

/// The most fields of one call.
pub const TAGS_MAX: usize = 100;

/// Reads the given fields of up to 100 friends: of the profile and of what is kept of them.
#[derive(Deserialize, JsonSchema)]
pub struct GetFriendList {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Which friends.
    #[serde(rename = "To_Account")]
    pub friends: Vec<AnyName>,
    /// Which fields.
    #[serde(rename = "TagList")]
    pub tags: Vec<String>,
}

/// One result per account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FriendList {
    /// In the order of the request.
    #[serde(rename = "InfoItem")]
    pub items: Vec<FriendItem>,
    /// Accounts that are no friends.
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

/// A friend.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FriendItem {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// Its fields.
    #[serde(rename = "SnsProfileItem")]
    pub fields: Vec<ReadField>,
    /// 0, or why it could not be read.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

/// What is kept of friends, and their profiles: all fields, or those of these names.
///
/// # Errors
/// `RelationAccountUnknown` for the owner, `RelationBadParameter` for too many friends.
pub(crate) async fn read(
    call: &Call,
    owner: &UserId,
    names: Vec<AnyName>,
    tags: Option<&[String]>,
) -> Result<FriendList> {
    let owner = call.actor("From_Account", Some(owner), ErrorCode::RelationAccountUnknown).await?;
    check_batch("To_Account", names.len(), FRIENDS_MAX)?;
    let (engine, app) = (&call.engine, call.app.id);
    let viewer = call.session().map(|session| session.account.number);
    let book = engine.relations.of(app, owner.number).await?;
    let mut reply = FriendList { items: Vec::new(), failed: Vec::new() };
    for name in names {
        let found = match account(call, &name).await? {
            Ok(other) => engine
                .relations
                .friend(app, owner.number, other.number)
                .await?
                .ok_or_else(|| ErrorCode::RelationBadParameter.because("is not a friend")),
            Err(error) => Err(error),
        };
        let friend = match found {
            Ok(friend) => friend,
            Err(error) => {
                let (code, info) = (error.code.number(), error.info.into_owned());
                reply.failed.push(name.0.clone());
                reply.items.push(FriendItem { name: name.0, fields: Vec::new(), code, info });
                continue;
            }
        };
        let profile = engine.profiles.shown_to(&call.app, friend.friend, viewer).await?;
        let mut fields: Vec<ReadField> = profile_fields(&profile).collect();
        fields.extend(standard_fields(&book, &friend));
        fields.extend(custom_fields(call, &friend));
        if let Some(tags) = tags {
            fields.retain(|field| tags.contains(&field.tag));
        }
        reply.items.push(FriendItem { name: name.0, fields, code: 0, info: String::new() });
    }
    Ok(reply)
}

impl Command for GetFriendList {
    const SPEC: Spec = Spec::new("sns/friend_get_list", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = FriendList;

    async fn run(self, call: &Call) -> Result<FriendList> {
        check_batch("TagList", self.tags.len(), TAGS_MAX)?;
        let settings = &call.app.settings;
        let is_known = |tag: &String| {
            STANDARD_TAGS.contains(&tag.as_str())
                || is_stored(settings, tag)
                || declared(settings, tag).is_some()
        };
        if let Some(unknown) = self.tags.iter().position(|tag| !is_known(tag)) {
            return Err(ErrorCode::RelationBadParameter.because(format!("TagList[{unknown}]: no such field")));
        }
        read(call, &self.owner, self.friends, Some(&self.tags)).await
    }
}
