//! What clients ask about friends when they start. There are no friendships on this server yet, so every list is
//! truly empty.

use command::{Call, Callers, Command, Family, Spec};
use model::{Result, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `sns.friend_get`: the friends of the caller.
#[derive(Deserialize, JsonSchema)]
pub struct GetFriends {}

/// No friends.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Friends {
    /// The friends.
    #[serde(rename = "UserDataItem")]
    pub friends: Vec<()>,
    /// How many.
    #[serde(rename = "FriendNum")]
    pub count: u32,
    /// 1: the end.
    #[serde(rename = "CompleteFlag")]
    pub complete: u8,
    /// Where the next page starts.
    #[serde(rename = "NextStartIndex")]
    pub next: u32,
    /// Changes so far.
    #[serde(rename = "StandardSequence")]
    pub standard_sequence: u32,
    /// Changes of own fields so far.
    #[serde(rename = "CustomSequence")]
    pub custom_sequence: u32,
}

impl Command for GetFriends {
    const SPEC: Spec = Spec::new("sns/friend_get", Family::RELATION).callers(Callers::ACCOUNT);

    type Reply = Friends;

    async fn run(self, _: &Call) -> Result<Friends> {
        Ok(Friends { complete: 1, ..Friends::default() })
    }
}

/// `sns.group_get`: the caller's lists of friends.
#[derive(Deserialize, JsonSchema)]
pub struct GetFriendGroups {}

/// No lists.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct FriendGroups {
    /// The lists.
    #[serde(rename = "ResultItem")]
    pub groups: Vec<()>,
    /// Changes so far.
    #[serde(rename = "CurrentSequence")]
    pub sequence: u32,
}

impl Command for GetFriendGroups {
    const SPEC: Spec = Spec::new("sns/group_get", Family::RELATION).callers(Callers::ACCOUNT);

    type Reply = FriendGroups;

    async fn run(self, _: &Call) -> Result<FriendGroups> {
        Ok(FriendGroups::default())
    }
}

/// `sns.pendency_get`: requests for friendship that wait for an answer.
#[derive(Deserialize, JsonSchema)]
pub struct GetPending {}

/// No requests.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Pending {
    /// The requests.
    #[serde(rename = "PendencyItem")]
    pub requests: Vec<()>,
    /// How many are new.
    #[serde(rename = "UnreadPendencyCount")]
    pub unread: u32,
    /// Where the next page starts.
    #[serde(rename = "StartTime")]
    pub next: Seconds,
    /// Changes so far.
    #[serde(rename = "CurrentSequence")]
    pub sequence: u32,
}

impl Command for GetPending {
    const SPEC: Spec = Spec::new("sns/pendency_get", Family::RELATION).callers(Callers::ACCOUNT);

    type Reply = Pending;

    async fn run(self, _: &Call) -> Result<Pending> {
        Ok(Pending::default())
    }
}
