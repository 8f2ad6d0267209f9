//! How conversations are named on the wire.

use std::sync::Arc;

use command::Call;
use engine::facts::{AccountFact, ContactSettings};
use model::{ErrorCode, Result, UserId};
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

    /// The result of a batch's item.
    #[must_use]
    pub fn result(self, outcome: Result<()>) -> ContactResult {
        match outcome {
            Ok(()) => ContactResult { contact: self, code: 0, info: String::new() },
            Err(error) => {
                ContactResult { contact: self, code: error.code.number(), info: error.info.into_owned() }
            }
        }
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
