//! `sns/group_delete`: deletes friend lists.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sns_group_add::check_names;

/// Deletes friend lists; the friends stay.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteGroups {
    /// Whose.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Which, at most 32.
    #[serde(rename = "GroupName")]
    pub names: Vec<String>,
}

/// Done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    /// Changes of friend lists so far.
    #[serde(rename = "CurrentSequence")]
    pub sequence: u32,
}

impl Command for DeleteGroups {
    const SPEC: Spec = Spec::new("sns/group_delete", Family::RELATION)
        .callers(Callers::BOTH)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown, ErrorCode::RelationConflict, ErrorCode::DiskFull]);

    type Reply = Deleted;

    async fn run(self, call: &Call) -> Result<Deleted> {
        let owner = call.actor("From_Account", Some(&self.owner), ErrorCode::RelationAccountUnknown).await?;
        check_names(&self.names)?;
        let sequence =
            call.engine.delete_friend_groups(&call.app, &owner, &self.names, call.instance()).await?;
        Ok(Deleted { sequence })
    }
}
