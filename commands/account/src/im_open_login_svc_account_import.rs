//! `im_open_login_svc/account_import`: makes an account.

use command::{Call, Command, Done, Family, Spec};
use engine::facts::AccountFact;
use model::profile::{FieldValue, IMAGE, NICK, Writer, checked, is_stored};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

/// Makes an account, or updates nick and avatar of one that is there. Names with `@RBT#` are those of robots: those are made by
/// `openim_robot_http_svc/create_robot`.
#[derive(Deserialize, JsonSchema)]
pub struct ImportAccount {
    /// Its name.
    #[serde(rename = "UserID", alias = "Identifier")]
    pub user: UserId,
    /// Its nickname.
    #[serde(rename = "Nick", default)]
    pub nick: Option<String>,
    /// The address of its avatar.
    #[serde(rename = "FaceUrl", default)]
    pub image: Option<String>,
}

impl Command for ImportAccount {
    const SPEC: Spec = Spec::new("im_open_login_svc/account_import", Family::ACCOUNT).fails_with(&[
        ErrorCode::ProfileValueTooLong,
        ErrorCode::AccountQuota,
        ErrorCode::DiskFull,
    ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        import(call, &self.user, self.nick, self.image).await?;
        Ok(Done {})
    }
}

/// Makes an account and sets the given fields of its profile.
///
/// # Errors
/// `ProfileValueTooLong`, `AccountBadParameter` for the name of a robot that is not there, or what the store says.
pub async fn import(call: &Call, user: &UserId, nick: Option<String>, image: Option<String>) -> Result<()> {
    let given = [("Nick", NICK, nick), ("FaceUrl", IMAGE, image)];
    let mut fields = Vec::new();
    for (name, tag, value) in given {
        // What the app does not store is not taken from who moves here.
        let settings = &call.app.settings;
        if let Some(value) = value.filter(|_| is_stored(settings, tag)) {
            let value = checked(settings, tag, &value.into(), Writer::Administrator);
            // The caller knows it by another name than profiles do.
            let value = value.map_err(|error| error.code.because(error.info.replacen(tag, name, 1)))?;
            fields.push((tag.to_owned(), value));
        }
    }
    let account = call.engine.accounts.ensure(call.stamps(), call.app.id, user).await?;
    set_fields(call, &account, fields).await
}

/// Sets fields of an account's profile, if there are any and the app stores them; its profile counts as used in any case.
///
/// # Errors
/// What the store says.
pub(crate) async fn set_fields(
    call: &Call,
    account: &AccountFact,
    fields: Vec<(String, FieldValue)>,
) -> Result<()> {
    let profiles = &call.engine.profiles;
    if fields.is_empty() || !call.stamps().stores_profiles() {
        // Without storing them, the fields would be kept for nobody.
        return profiles.renew(call.stamps(), call.app.id, account.number).await;
    }
    profiles.set(call.stamps(), call.app.id, account, fields, None).await
}
