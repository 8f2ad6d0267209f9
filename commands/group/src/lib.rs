//! What clients ask about groups when they start. There are no groups on this server yet, so every list is truly
//! empty.

use command::{AnyCommand, Call, Callers, Command, Erased, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![Erased::<GetJoinedGroups>::boxed(), Erased::<GetJoinedCommunities>::boxed()]
}

/// `group_open_http_svc.get_joined_group_list`: the groups of the caller.
#[derive(Deserialize, JsonSchema)]
pub struct GetJoinedGroups {}

/// `million_group_open_http_svc.get_joined_group_list`: the communities of the caller.
#[derive(Deserialize, JsonSchema)]
pub struct GetJoinedCommunities {}

/// No groups.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct JoinedGroups {
    /// How many.
    #[serde(rename = "TotalCount")]
    pub total: u32,
    /// The groups.
    #[serde(rename = "GroupIdList")]
    pub groups: Vec<()>,
}

impl Command for GetJoinedGroups {
    const SPEC: Spec =
        Spec::new("group_open_http_svc/get_joined_group_list", Family::MESSAGE).callers(Callers::ACCOUNT);

    type Reply = JoinedGroups;

    async fn run(self, _: &Call) -> Result<JoinedGroups> {
        Ok(JoinedGroups::default())
    }
}

impl Command for GetJoinedCommunities {
    const SPEC: Spec = Spec::new("million_group_open_http_svc/get_joined_group_list", Family::MESSAGE)
        .callers(Callers::ACCOUNT);

    type Reply = JoinedGroups;

    async fn run(self, _: &Call) -> Result<JoinedGroups> {
        Ok(JoinedGroups::default())
    }
}
