//! `profile/portrait_set`: sets profile fields.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::profile::{Writer, checked};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The most fields of one call.
pub const FIELDS_MAX: usize = 100;

/// Sets fields of a profile; the account's instances and those who talk to it are told.
#[derive(Deserialize, JsonSchema)]
pub struct SetProfile {
    /// Whose; over the socket the caller's own.
    #[serde(rename = "From_Account")]
    pub account: UserId,
    /// The fields.
    #[serde(rename = "ProfileItem")]
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Deserialize, JsonSchema)]
pub struct Field {
    /// Its name.
    #[serde(rename = "Tag")]
    pub tag: String,
    /// Its value: a number or a text.
    #[serde(rename = "Value")]
    pub value: Value,
}

impl Command for SetProfile {
    const SPEC: Spec =
        Spec::new("profile/portrait_set", Family::PROFILE).callers(Callers::BOTH).fails_with(&[
            ErrorCode::ProfileAccountUnknown,
            ErrorCode::ProfileNotWritable,
            ErrorCode::ProfileTagUnknown,
            ErrorCode::ProfileValueTooLong,
            ErrorCode::ProfileValueIllegal,
            ErrorCode::ProfileValueType,
            ErrorCode::NotStored,
            ErrorCode::DiskFull,
        ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let account =
            call.actor("From_Account", Some(&self.account), ErrorCode::ProfileAccountUnknown).await?;
        if self.fields.is_empty() || self.fields.len() > FIELDS_MAX {
            return Err(
                ErrorCode::ProfileBadParameter.because(format!("ProfileItem: 1 to {FIELDS_MAX} fields"))
            );
        }
        let writer = if call.is_administrator() { Writer::Administrator } else { Writer::Owner };
        let mut fields = Vec::with_capacity(self.fields.len());
        for field in self.fields {
            let value = checked(&call.app.settings, &field.tag, &field.value, writer)?;
            fields.push((field.tag, value));
        }
        let cause = call.instance();
        call.engine.profiles.set(call.stamps(), call.app.id, &account, fields, cause).await?;
        Ok(Done {})
    }
}
