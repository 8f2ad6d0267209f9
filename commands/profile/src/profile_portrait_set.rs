//! `profile/portrait_set`: sets profile fields.

use command::{Call, Callers, Command, Done, Family, Spec};
use engine::moderation::Scene;
use model::profile::{FieldValue, NICK, SELF_SIGNATURE, Writer, checked};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The most fields of one call.
pub const FIELDS_MAX: usize = 100;

/// The fields in which keywords are looked for.
const MODERATED: [&str; 2] = [NICK, SELF_SIGNATURE];

/// Sets fields of a profile; the account's instances and those who talk to it are told.
///
/// A nickname or self signature that an account sets is refused or changed if it holds a keyword of the app. The instance that
/// set what was changed is told as well. `Tag_Profile_IM_MsgSettings` is kept and shown like the others; its bit 0 (do not receive
/// messages) keeps no message away: the documents name no error for it, and what is kept away could not be fetched later.
#[derive(Deserialize, JsonSchema)]
pub struct SetProfile {
    /// Whose; over the socket the caller's own.
    #[serde(rename = "From_Account")]
    pub account: UserId,
    /// The fields.
    #[serde(rename = "ProfileItem")]
    pub fields: Vec<Field>,
}

/// A field. `lite-chat` sends both names in lower case.
#[derive(Deserialize, JsonSchema)]
pub struct Field {
    /// Its name.
    #[serde(rename = "Tag", alias = "tag")]
    pub tag: String,
    /// Its value: a number or a text.
    #[serde(rename = "Value", alias = "value")]
    pub value: Value,
}

impl Command for SetProfile {
    const SPEC: Spec =
        Spec::new("profile/portrait_set", Family::PROFILE).callers(Callers::BOTH).fails_with(&[
            ErrorCode::ProfileAccountUnknown,
            ErrorCode::ProfileTextRefused,
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
        let mut cause = call.instance();
        for field in self.fields {
            let mut value = checked(&call.app.settings, &field.tag, &field.value, writer)?;
            if writer == Writer::Owner
                && let Some(text) = replaced(call, &field.tag, &value).await?
            {
                value = checked(&call.app.settings, &field.tag, &text.into(), writer)?;
                // Its own instance shows what it asked for, so it is told as well.
                cause = None;
            }
            fields.push((field.tag, value));
        }
        call.engine.profiles.set(call.stamps(), call.app.id, &account, fields, cause).await?;
        Ok(Done {})
    }
}

/// What takes the place of a value that holds a keyword; `None` if it stays.
async fn replaced(call: &Call, tag: &str, value: &FieldValue) -> Result<Option<String>> {
    let FieldValue::Text(text) = value else { return Ok(None) };
    if !MODERATED.contains(&tag) {
        return Ok(None);
    }
    let checked = call.engine.moderation.check(call.app.id, Scene::Profile, text).await;
    checked.map_err(|error| match error.code {
        ErrorCode::ProfileTextRefused => error.code.in_field(tag, "holds a keyword that the app refuses"),
        _ => error,
    })
}
