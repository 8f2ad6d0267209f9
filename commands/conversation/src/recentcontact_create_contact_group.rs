//! `recentcontact.create_contact_group`: makes a conversation group.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{Contact, ContactResult, GroupChanges, GroupItem};

/// Makes a conversation group and puts conversations into it; an account has at most 20. If there is one of this name already, the
/// conversations are put into that.
#[derive(Deserialize, JsonSchema)]
pub struct CreateGroup {
    /// Whose; over the socket the caller's.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// The group; one.
    #[serde(rename = "GroupContactItem")]
    pub groups: Vec<NewGroup>,
}

/// A conversation group to be made.
#[derive(Deserialize, JsonSchema)]
pub struct NewGroup {
    /// Its name: 1 to 32 bytes.
    #[serde(rename = "GroupName")]
    pub name: String,
    /// Its conversations: 1 to 100.
    #[serde(rename = "ContactItem", default)]
    pub contacts: Vec<Contact>,
}

/// What became of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Created {
    /// The group.
    #[serde(rename = "GroupResultItem")]
    pub groups: Vec<CreatedGroup>,
}

/// A conversation group that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedGroup {
    /// Name and number.
    #[serde(rename = "GroupItem")]
    pub group: GroupItem,
    /// Its conversations, in the order of the request.
    #[serde(rename = "ResultItem")]
    pub contacts: Vec<ContactResult>,
}

impl Command for CreateGroup {
    const SPEC: Spec = Spec::new("recentcontact/create_contact_group", Family::CONTACT)
        .callers(Callers::BOTH)
        .fails_with(&[
            ErrorCode::ContactAccountUnknown,
            ErrorCode::TooManyConversations,
            ErrorCode::GroupConversationMissing,
            ErrorCode::TooManyMarkedConversations,
            ErrorCode::TooManyContactGroups,
            ErrorCode::ContactGroupNameLength,
            ErrorCode::DiskFull,
        ]);

    type Reply = Created;

    async fn run(self, call: &Call) -> Result<Created> {
        let owner = call.actor("From_Account", self.owner.as_ref(), ErrorCode::ContactAccountUnknown).await?;
        let Ok([NewGroup { name, contacts }]) = <[NewGroup; 1]>::try_from(self.groups) else {
            return Err(ErrorCode::ContactBadParameter.in_field("GroupContactItem", "one group"));
        };
        let changes = GroupChanges::read(call, contacts.iter().map(|contact| (contact, Ok(true)))).await?;
        let groups = &call.engine.contact_groups;
        let (group, outcomes) =
            groups.create(call.stamps(), call.app.id, owner.number, &name, &changes.memberships()).await?;
        let (results, done) = changes.settle(outcomes);
        let peers: Vec<UserId> = done.into_iter().map(|(user, _)| user).collect();
        let frame = engine::push::group_created(&group, &peers);
        call.engine.hub.push(call.app.id, owner.number, &frame, call.instance());
        let contacts = contacts.into_iter().zip(results).map(|(contact, result)| contact.result(result));
        let contacts = contacts.collect::<Result<_>>()?;
        Ok(Created { groups: vec![CreatedGroup { group: group.into(), contacts }] })
    }
}
