//! `recentcontact.update_contact_group`: renames a conversation group, puts conversations into it and takes them out.

use command::{Call, Callers, Command, Family, Spec};
use engine::facts::AccountFact;
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Contact, ContactResult, GroupChanges};

/// Renames a conversation group, or puts conversations into it and takes them out.
#[derive(Deserialize, JsonSchema)]
pub struct UpdateGroup {
    /// Whose; over the socket the caller's.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// 1: a group is changed.
    #[serde(rename = "UpdateType")]
    pub kind: u8,
    /// How.
    #[serde(rename = "UpdateGroup")]
    pub update: Update,
}

/// A change of a conversation group.
#[derive(Deserialize, JsonSchema)]
pub struct Update {
    /// 1 rename, 2 put in and take out.
    #[serde(rename = "UpdateGroupType")]
    pub kind: u8,
    /// The group's name.
    #[serde(rename = "OldGroupName")]
    pub name: String,
    /// Its new name: 1 to 32 bytes.
    #[serde(rename = "NewGroupName", default)]
    pub new_name: Option<String>,
    /// Conversations to put in and take out: 1 to 100.
    #[serde(rename = "ContactUpdateItem", default)]
    pub items: Vec<UpdateItem>,
}

/// A conversation to put in or take out.
#[derive(Deserialize, JsonSchema)]
pub struct UpdateItem {
    /// 1 put in, 2 take out.
    #[serde(rename = "ContactOptType")]
    pub kind: u8,
    /// Which.
    #[serde(rename = "ContactItem")]
    pub contact: Contact,
}

impl UpdateItem {
    fn is_in(&self) -> Result<bool> {
        match self.kind {
            1 => Ok(true),
            2 => Ok(false),
            _ => Err(ErrorCode::ContactBadParameter.because("ContactOptType: 1 or 2")),
        }
    }
}

/// What was changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Updated {
    /// 1: a group was changed.
    #[serde(rename = "UpdateType")]
    pub kind: u8,
    /// How.
    #[serde(rename = "UpdateGroupResult")]
    pub update: UpdatedGroup,
}

/// A conversation group that was changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UpdatedGroup {
    /// 1 renamed, 2 conversations put in and taken out.
    #[serde(rename = "UpdateGroupType")]
    pub kind: u8,
    /// Its name.
    #[serde(rename = "GroupName")]
    pub name: String,
    /// Its number.
    #[serde(rename = "GroupId")]
    pub id: u32,
    /// Its name before.
    #[serde(rename = "OldGroupName")]
    pub old_name: String,
    /// The conversations, in the order of the request.
    #[serde(rename = "ContactResultItem")]
    pub contacts: Vec<UpdatedItem>,
}

/// A conversation's result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UpdatedItem {
    /// 1 put in, 2 taken out.
    #[serde(rename = "ContactOptType")]
    pub kind: u8,
    /// Which conversation, and whether it was done.
    #[serde(flatten)]
    pub result: ContactResult,
}

impl Command for UpdateGroup {
    const SPEC: Spec = Spec::new("recentcontact/update_contact_group", Family::CONTACT)
        .callers(Callers::BOTH)
        .fails_with(&[
            ErrorCode::ContactAccountUnknown,
            ErrorCode::TooManyConversations,
            ErrorCode::GroupConversationMissing,
            ErrorCode::TooManyMarkedConversations,
            ErrorCode::ContactGroupUnknown,
            ErrorCode::ContactGroupNameLength,
            ErrorCode::DiskFull,
        ]);

    type Reply = Updated;

    async fn run(self, call: &Call) -> Result<Updated> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        if self.kind != 1 {
            return Err(ErrorCode::ContactBadParameter.because("UpdateType: 1"));
        }
        let update = match self.update.kind {
            1 => rename(call, &owner, self.update).await?,
            2 => change_members(call, &owner, self.update).await?,
            _ => return Err(ErrorCode::ContactBadParameter.because("UpdateGroupType: 1 or 2")),
        };
        Ok(Updated { kind: 1, update })
    }
}

async fn rename(call: &Call, owner: &AccountFact, update: Update) -> Result<UpdatedGroup> {
    let Some(new_name) = &update.new_name else {
        return Err(ErrorCode::ContactBadParameter.because("NewGroupName: is missing"));
    };
    let groups = &call.engine.contact_groups;
    let group = groups.rename(call.stamps(), call.app.id, owner.number, &update.name, new_name).await?;
    let frame = engine::push::group_renamed(&group, &update.name);
    call.engine.hub.push(call.app.id, owner.number, &frame, call.instance());
    let (name, id) = (group.name, group.id);
    Ok(UpdatedGroup { kind: 1, name, id, old_name: update.name, contacts: Vec::new() })
}

async fn change_members(call: &Call, owner: &AccountFact, update: Update) -> Result<UpdatedGroup> {
    let items = update.items.iter().map(|item| (&item.contact, item.is_in()));
    let changes = GroupChanges::read(call, items).await?;
    let groups = &call.engine.contact_groups;
    let memberships = changes.memberships();
    let (group, outcomes) =
        groups.change_members(call.stamps(), call.app.id, owner.number, &update.name, &memberships).await?;
    let (results, done) = changes.settle(outcomes);
    if !done.is_empty() {
        let frame = engine::push::group_members(&group, &done);
        call.engine.hub.push(call.app.id, owner.number, &frame, call.instance());
    }
    let items = update.items.into_iter().zip(results);
    let updated = |(item, result): (UpdateItem, Result<()>)| {
        Ok(UpdatedItem { kind: item.kind, result: item.contact.result(result)? })
    };
    let contacts = items.map(updated).collect::<Result<_>>()?;
    let (name, id) = (group.name, group.id);
    Ok(UpdatedGroup { kind: 2, name, id, old_name: update.name, contacts })
}
