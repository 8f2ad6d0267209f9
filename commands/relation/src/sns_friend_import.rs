//! `sns/friend_import`: puts friends on a list as they were somewhere else.

use std::collections::BTreeMap;

use command::scalar::AnyName;
use command::{Call, Command, Family, Spec};
use engine::relations::{ACCOUNTS_MAX, ImportFriend};
use model::relation::{
    GROUPS_MAX, REMARK_BYTES_MAX, WORDING_BYTES_MAX, check_group_name, check_source, check_text, checked,
};
use model::settings::AppSettings;
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::wire::{Results, WrittenField, account, batch, check_batch};

/// Puts friends on one account's list without asking anybody. Who is there already is overwritten.
///
/// `RemarkTime` is not looked at: when a remark was given is kept of no friend.
#[derive(Deserialize, JsonSchema)]
pub struct ImportFriends {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Whom, at most 1000.
    #[serde(rename = "AddFriendItem")]
    pub friends: Vec<ImportItem>,
}

/// A friend to import.
#[derive(Deserialize, JsonSchema)]
pub struct ImportItem {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: AnyName,
    /// How it was found: `AddSource_Type_` and 1 to 8 letters.
    #[serde(rename = "AddSource", default)]
    pub source: String,
    /// What was said: at most 256 bytes.
    #[serde(rename = "AddWording", default)]
    pub wording: String,
    /// What the owner calls it: at most 96 bytes.
    #[serde(rename = "Remark", default)]
    pub remark: String,
    /// The owner's lists that it is in, at most 32; made if they are not there.
    #[serde(rename = "GroupName", default)]
    pub groups: Vec<String>,
    /// Since when, in seconds; now, if absent.
    #[serde(rename = "AddTime", default)]
    pub added_at: Option<u32>,
    /// The app's own fields.
    #[serde(rename = "CustomItem", default)]
    pub custom: Vec<WrittenField>,
}

impl ImportItem {
    fn checked_custom(&self, settings: &AppSettings) -> Result<BTreeMap<String, model::profile::FieldValue>> {
        check_source(&self.source)?;
        check_text("AddWording", &self.wording, WORDING_BYTES_MAX)?;
        check_text("Remark", &self.remark, REMARK_BYTES_MAX)?;
        if self.groups.len() > GROUPS_MAX {
            return Err(ErrorCode::RelationBadParameter.in_field("GroupName", "at most 32 lists"));
        }
        for name in &self.groups {
            check_group_name("GroupName", name)?;
        }
        let fields = self.custom.iter();
        fields
            .map(|field| Ok((field.tag.clone(), checked(settings, &field.tag, &field.value, true)?)))
            .collect()
    }
}

async fn prepared(call: &Call, item: ImportItem) -> Result<(String, Result<ImportFriend>)> {
    let custom = match item.checked_custom(&call.app.settings) {
        Ok(custom) => custom,
        Err(error) => return Ok((item.name.0, Err(error))),
    };
    let found = account(call, &item.name).await?;
    let import = found.map(|other| ImportFriend {
        other,
        source: item.source,
        wording: item.wording,
        remark: item.remark,
        groups: item.groups,
        added_at: item.added_at.filter(|at| *at != 0).map(Seconds),
        custom,
    });
    Ok((item.name.0, import))
}

impl Command for ImportFriends {
    const SPEC: Spec = Spec::new("sns/friend_import", Family::RELATION)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationConflict,
            ErrorCode::FriendsFull,
            ErrorCode::FriendGroupsFull,
            ErrorCode::DiskFull,
        ]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        let owner = call.account("From_Account", &self.owner, ErrorCode::RelationAccountUnknown).await?;
        check_batch("AddFriendItem", self.friends.len(), ACCOUNTS_MAX)?;
        let mut items = Vec::with_capacity(self.friends.len());
        for item in self.friends {
            items.push(prepared(call, item).await?);
        }
        batch(items, async |friends: Vec<ImportFriend>| {
            call.engine.import_friends(&call.app, &owner, &friends).await
        })
        .await
    }
}
