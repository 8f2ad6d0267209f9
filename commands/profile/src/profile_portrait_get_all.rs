//! `profile.portrait_get_all`: reads whole profiles.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile_portrait_get::{ACCOUNTS_MAX, ReadField};

/// Reads up to 100 whole profiles; accounts that do not exist are left out.
///
/// `StandardSequence` and `CustomSequence` are not looked at: profiles are not numbered and are told whole.
#[derive(Deserialize, JsonSchema)]
pub struct GetWholeProfiles {
    /// The caller.
    #[serde(rename = "From_Account", default)]
    pub account: Option<UserId>,
    /// Whose.
    #[serde(rename = "UserItem")]
    pub users: Vec<User>,
}

/// An account.
#[derive(Deserialize, JsonSchema)]
pub struct User {
    /// Its name.
    #[serde(rename = "To_Account")]
    pub name: AnyName,
}

/// Profiles.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WholeProfiles {
    /// In the order of the request.
    #[serde(rename = "UserProfileItem")]
    pub profiles: Vec<WholeProfile>,
}

/// A profile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WholeProfile {
    /// Whose.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// Every field that was set.
    #[serde(rename = "ProfileItem")]
    pub fields: Vec<ReadField>,
}

impl Command for GetWholeProfiles {
    const SPEC: Spec = Spec::new("profile/portrait_get_all", Family::PROFILE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::ProfileAccountUnknown]);

    type Reply = WholeProfiles;

    async fn run(self, call: &Call) -> Result<WholeProfiles> {
        if self.users.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::ProfileBadParameter.because(format!("UserItem: at most {ACCOUNTS_MAX} accounts"))
            );
        }
        let caller =
            call.actor("From_Account", self.account.as_ref(), ErrorCode::ProfileAccountUnknown).await?;
        let viewer = Some(caller.number);
        let mut profiles = Vec::with_capacity(self.users.len());
        for User { name } in self.users {
            let Some(user) = name.user() else { continue };
            let Some(account) = call.engine.accounts.find(call.app.id, &user).await? else {
                continue;
            };
            let profile = call.engine.profiles.shown_to(&call.app, account.number, viewer).await?;
            let fields =
                profile.0.iter().map(|(tag, value)| ReadField { tag: tag.clone(), value: value.clone() });
            profiles.push(WholeProfile { name: name.0, fields: fields.collect() });
        }
        Ok(WholeProfiles { profiles })
    }
}
