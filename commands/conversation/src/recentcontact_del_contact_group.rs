//! `recentcontact.del_contact_group`: deletes a conversation group.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::GroupItem;

/// Deletes a conversation group; its conversations stay.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteGroup {
    /// Whose; over the socket the caller's.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// The group's name; one.
    #[serde(rename = "GroupName")]
    pub names: Vec<String>,
}

/// What was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedGroups {
    /// The group.
    #[serde(rename = "GroupItem")]
    pub groups: Vec<GroupItem>,
}

impl Command for DeleteGroup {
    const SPEC: Spec = Spec::new("recentcontact/del_contact_group", Family::CONTACT)
        .callers(Callers::BOTH)
        .fails_with(&[ErrorCode::ContactAccountUnknown, ErrorCode::ContactGroupUnknown, ErrorCode::DiskFull]);

    type Reply = DeletedGroups;

    async fn run(self, call: &Call) -> Result<DeletedGroups> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        let [name] = &self.names[..] else {
            return Err(ErrorCode::ContactBadParameter.in_field("GroupName", "one name"));
        };
        let groups = &call.engine.contact_groups;
        let group = groups.delete(call.stamps(), call.app.id, owner.number, name).await?;
        let frame = engine::push::group_deleted(&group);
        call.engine.hub.push(call.app.id, owner.number, &frame, call.instance());
        Ok(DeletedGroups { groups: vec![group.into()] })
    }
}
