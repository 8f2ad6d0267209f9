//! How conversations and conversation groups are named on the wire.

use std::sync::Arc;

use command::Call;
use engine::contact_groups::{ContactGroup, Membership};
use engine::facts::{AccountFact, ContactSettings};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A conversation: with an account (type 1), or a group (type 2, spelled in three ways).
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
pub struct Contact {
    /// 1 one-to-one, 2 group.
    #[serde(rename = "Type")]
    pub kind: u8,
    /// The other side.
    #[serde(rename = "To_Account", default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The group.
    #[serde(
        rename = "ToGroupId",
        alias = "ToGroupid",
        alias = "GroupId",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub group: Option<String>,
}

/// The result of one conversation in a batch.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ContactResult {
    /// Which.
    #[serde(rename = "ContactItem")]
    pub contact: Contact,
    /// 0, or why not.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

impl Contact {
    /// A one-to-one conversation.
    #[must_use]
    pub fn with(user: &UserId) -> Self {
        Self { kind: 1, to: Some(user.as_str().to_owned()), group: None }
    }

    /// The account on the other side.
    ///
    /// # Errors
    /// `ContactBadParameter` for a group (there are none yet) or no UserID, `ContactAccountUnknown`.
    pub async fn peer(&self, call: &Call) -> Result<Arc<AccountFact>> {
        if self.kind != 1 {
            return Err(ErrorCode::ContactBadParameter.because("Type: 1; there are no groups yet"));
        }
        let Some(to) = &self.to else {
            return Err(ErrorCode::ContactBadParameter.because("To_Account: is missing"));
        };
        let user =
            UserId::new(to).map_err(|error| ErrorCode::ContactBadParameter.in_field("To_Account", error))?;
        call.account("To_Account", &user, ErrorCode::ContactAccountUnknown).await
    }

    /// The account on the other side, for marks and conversation groups.
    ///
    /// # Errors
    /// As [`Self::peer`], but `GroupConversationMissing` for a group.
    pub async fn marked_peer(&self, call: &Call) -> Result<Arc<AccountFact>> {
        if self.kind == 2 {
            return Err(ErrorCode::GroupConversationMissing.into());
        }
        self.peer(call).await
    }

    /// The result of a batch's item.
    ///
    /// # Errors
    /// What the store says: that fails the whole call, and is logged with its cause.
    pub fn result(self, outcome: Result<()>) -> Result<ContactResult> {
        match outcome {
            Ok(()) => Ok(ContactResult { contact: self, code: 0, info: String::new() }),
            Err(error) if error.cause.is_some() => Err(error),
            Err(error) => {
                Ok(ContactResult { contact: self, code: error.code.number(), info: error.info.into_owned() })
            }
        }
    }
}

/// A conversation group.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupItem {
    /// Its name.
    #[serde(rename = "GroupName")]
    pub name: String,
    /// Its number.
    #[serde(rename = "GroupId")]
    pub id: u32,
}

impl From<ContactGroup> for GroupItem {
    fn from(group: ContactGroup) -> Self {
        Self { name: group.name, id: group.id }
    }
}

/// The conversation groups of an account.
///
/// # Errors
/// What the store says.
pub(crate) async fn groups_of(call: &Call, owner: &AccountFact) -> Result<Vec<GroupItem>> {
    let groups = call.engine.contact_groups.of(call.app.id, owner.number).await?;
    Ok(groups.into_iter().map(GroupItem::from).collect())
}

/// A conversation with its marks, custom data and groups.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MarkedContact {
    /// 1: one-to-one.
    #[serde(rename = "Type")]
    pub kind: u8,
    /// The other side.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Marks.
    #[serde(rename = "StandardMark")]
    pub marks: String,
    /// The app's own text.
    #[serde(rename = "CustomMark")]
    pub custom: String,
    /// Numbers of the conversation groups that it is in.
    #[serde(rename = "ContactGroupId")]
    pub groups: Vec<u32>,
    /// When one of these last changed.
    #[serde(rename = "Timestamp")]
    pub changed_at: Seconds,
}

impl MarkedContact {
    /// The conversation with this account.
    #[must_use]
    pub fn with(user: &UserId, settings: ContactSettings) -> Self {
        Self {
            kind: 1,
            to: user.clone(),
            marks: marks_text(&settings),
            custom: settings.custom,
            groups: settings.groups,
            changed_at: settings.marked_at,
        }
    }
}

/// The most conversations of one call.
pub(crate) const CONVERSATIONS_MAX: usize = 100;

/// Refuses a call about no conversation, or too many.
///
/// # Errors
/// `TooManyConversations`.
pub(crate) fn check_count(count: usize) -> Result<()> {
    if (1..=CONVERSATIONS_MAX).contains(&count) {
        Ok(())
    } else {
        Err(ErrorCode::TooManyConversations.into())
    }
}

/// Which conversations are to be put into a conversation group or taken out, as far as they are there.
pub(crate) struct GroupChanges(Vec<Result<(Arc<AccountFact>, bool)>>);

impl GroupChanges {
    /// Looks up the other sides of 1 to 100 conversations. `items`: conversations, and whether each is to be in the group.
    ///
    /// # Errors
    /// `TooManyConversations`.
    pub(crate) async fn read<'a>(
        call: &Call,
        items: impl ExactSizeIterator<Item = (&'a Contact, Result<bool>)>,
    ) -> Result<Self> {
        check_count(items.len())?;
        let mut changes = Vec::with_capacity(items.len());
        for (contact, is_in) in items {
            changes.push(match (contact.marked_peer(call).await, is_in) {
                (Ok(peer), Ok(is_in)) => Ok((peer, is_in)),
                (Err(error), _) if error.cause.is_some() => return Err(error),
                (Err(error), _) | (_, Err(error)) => Err(error),
            });
        }
        Ok(Self(changes))
    }

    /// What the engine is to do.
    #[must_use]
    pub(crate) fn memberships(&self) -> Vec<Membership> {
        let good = self.0.iter().filter_map(|change| change.as_ref().ok());
        good.map(|(peer, is_in)| Membership { peer: peer.number, is_in: *is_in }).collect()
    }

    /// What became of each, and what was done. `outcomes`: of those that the engine was to do.
    #[must_use]
    pub(crate) fn settle(self, outcomes: Vec<Result<()>>) -> (Vec<Result<()>>, Vec<(UserId, bool)>) {
        let (mut results, mut done) = (Vec::with_capacity(self.0.len()), Vec::new());
        let mut outcomes = outcomes.into_iter();
        for change in self.0 {
            results.push(match change {
                Ok((peer, is_in)) => {
                    let outcome = outcomes.next().unwrap_or_else(|| Err(ErrorCode::ContactInternal.into()));
                    if outcome.is_ok() {
                        done.push((peer.user.clone(), is_in));
                    }
                    outcome
                }
                Err(error) => Err(error),
            });
        }
        (results, done)
    }
}

/// Marks as 64 characters `0` and `1`, the rightmost is bit 0.
#[must_use]
pub fn marks_text(settings: &ContactSettings) -> String {
    format!("{:064b}", settings.marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rightmost_mark_is_bit_0() {
        let settings = ContactSettings { marks: 0b101, ..ContactSettings::default() };
        let text = marks_text(&settings);
        assert_eq!((text.len(), &text[61..]), (64, "101"));
    }

    #[test]
    fn groups_are_spelled_in_three_ways() {
        for name in ["ToGroupId", "ToGroupid", "GroupId"] {
            let contact: Contact = serde_json::from_str(&format!(r#"{{"Type":2,"{name}":"g"}}"#)).unwrap();
            assert_eq!(contact.group.as_deref(), Some("g"));
        }
    }
}
