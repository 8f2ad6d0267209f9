//! `profile/portrait_get`: reads profile fields.

use command::scalar::AnyName;
use command::{Call, Command, Family, Spec};
use model::profile::{FieldValue, Reader, is_readable, is_stored};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 100;

/// The most fields of one call.
pub const TAGS_MAX: usize = 100;

/// Reads the given fields of up to 100 profiles. Fields that were never set are left out.
#[derive(Deserialize, JsonSchema)]
pub struct GetProfiles {
    /// Whose.
    #[serde(rename = "To_Account")]
    pub accounts: Vec<AnyName>,
    /// Which fields.
    #[serde(rename = "TagList")]
    pub tags: Vec<String>,
}

/// Profiles.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Profiles {
    /// In the order of the request.
    #[serde(rename = "UserProfileItem")]
    pub profiles: Vec<UserProfile>,
    /// Accounts that do not exist.
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

/// A profile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserProfile {
    /// Whose.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// Its fields.
    #[serde(rename = "ProfileItem")]
    pub fields: Vec<ReadField>,
    /// 0, or why it could not be read.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

/// A field.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReadField {
    /// Its name.
    #[serde(rename = "Tag")]
    pub tag: String,
    /// Its value.
    #[serde(rename = "Value")]
    #[schemars(with = "serde_json::Value")]
    pub value: FieldValue,
}

impl Command for GetProfiles {
    const SPEC: Spec = Spec::new("profile/portrait_get", Family::PROFILE)
        .fields(&[("To_Account", ErrorCode::ProfileNoAccount)])
        .fails_with(&[
            ErrorCode::ProfileNoAccount,
            ErrorCode::ProfileAccountUnknown,
            ErrorCode::ProfileNotReadable,
            ErrorCode::ProfileTagUnknown,
        ]);

    type Reply = Profiles;

    async fn run(self, call: &Call) -> Result<Profiles> {
        if self.accounts.is_empty() {
            return Err(ErrorCode::ProfileNoAccount.because("To_Account: at least one account"));
        }
        if self.accounts.len() > ACCOUNTS_MAX || self.tags.len() > TAGS_MAX {
            return Err(ErrorCode::ProfileBadParameter.because(format!(
                "To_Account: at most {ACCOUNTS_MAX} accounts; TagList: at most {TAGS_MAX} tags"
            )));
        }
        if let Some(unknown) = self.tags.iter().position(|tag| !is_stored(&call.app.settings, tag)) {
            return Err(ErrorCode::ProfileTagUnknown.because(format!("TagList[{unknown}]: no such field")));
        }
        let is_hidden = |tag: &String| !is_readable(&call.app.settings, tag, Reader::Administrator);
        if let Some(hidden) = self.tags.iter().position(is_hidden) {
            return Err(
                ErrorCode::ProfileNotReadable.because(format!("TagList[{hidden}]: not for administrators"))
            );
        }
        let mut reply = Profiles { profiles: Vec::new(), failed: Vec::new() };
        for name in self.accounts {
            let account = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            let Some(account) = account else {
                let code = ErrorCode::ProfileAccountUnknown;
                reply.failed.push(name.0.clone());
                reply.profiles.push(UserProfile {
                    name: name.0,
                    fields: Vec::new(),
                    code: code.number(),
                    info: code.sentence().to_owned(),
                });
                continue;
            };
            let profile = call.engine.profiles.of(call.app.id, account.number).await?;
            let fields = self.tags.iter().filter_map(|tag| {
                let value = profile.0.get(tag)?.clone();
                Some(ReadField { tag: tag.clone(), value })
            });
            let fields = fields.collect();
            reply.profiles.push(UserProfile { name: name.0, fields, code: 0, info: String::new() });
        }
        Ok(reply)
    }
}
