//! `sns.friend_get_specified`: what is kept of named friends, and their profiles, for clients.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::sns_friend_get_list::{FriendList, read};

/// Reads all fields of up to 100 friends of the caller.
#[derive(Deserialize, JsonSchema)]
pub struct GetSpecified {
    /// The caller.
    #[serde(rename = "From_Account")]
    pub owner: UserId,
    /// Which friends.
    #[serde(rename = "To_Account")]
    pub friends: Vec<AnyName>,
}

impl Command for GetSpecified {
    const SPEC: Spec = Spec::new("sns/friend_get_specified", Family::RELATION)
        .callers(Callers::ACCOUNT)
        .fields(&[("From_Account", ErrorCode::RelationBadParameter)])
        .fails_with(&[ErrorCode::RelationAccountUnknown]);

    type Reply = FriendList;

    async fn run(self, call: &Call) -> Result<FriendList> {
        read(call, &self.owner, self.friends, None).await
    }
}
