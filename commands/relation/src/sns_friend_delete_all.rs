//! `sns/friend_delete_all`: takes everybody off a list of friends.

use command::{Call, Command, Done, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::sns_friend_delete::DeleteKind;

/// Takes everybody off an account's list, or the account off theirs too. What was kept of them is gone.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteAllFriends {
    /// Whose list.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Off which lists.
    #[serde(rename = "DeleteType", default)]
    pub kind: DeleteKind,
}

impl Command for DeleteAllFriends {
    const SPEC: Spec = Spec::new("sns/friend_delete_all", Family::RELATION)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown, ErrorCode::RelationConflict, ErrorCode::DiskFull]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let owner = call.account("From_Account", &self.owner, ErrorCode::RelationAccountUnknown).await?;
        call.engine.delete_all_friends(&call.app, &owner, self.kind == DeleteKind::Both).await?;
        Ok(Done {})
    }
}
