//! `openconfigsvr/setnospeaking`: forbids an account to write, for a time.

use command::{Call, Command, Done, Family, Spec};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

/// What stands for ever on the wire. A shorter time never ends there, however long it is.
pub(crate) const FOR_EVER: u32 = u32::MAX;

/// Mutes an account for a time, or unmutes it. A time that is not given stays as it is (page 1047/34923).
#[derive(Deserialize, JsonSchema)]
pub struct Mute {
    /// The account.
    #[serde(rename = "Set_Account", default)]
    pub user: Option<String>,
    /// For how many seconds it may not write to single accounts; 0: it may, 4294967295: for ever.
    #[serde(rename = "C2CmsgNospeakingTime", default)]
    pub single_seconds: Option<u32>,
    /// The same for groups.
    #[serde(rename = "GroupmsgNospeakingTime", default)]
    pub group_seconds: Option<u32>,
}

/// The account that a field names.
pub(crate) async fn account(
    call: &Call,
    field: &'static str,
    user: Option<&String>,
) -> Result<std::sync::Arc<engine::facts::AccountFact>> {
    let text = user.ok_or_else(|| ErrorCode::MuteAccountMissing.in_field(field, "is missing"))?;
    let user =
        UserId::new(text).map_err(|_| ErrorCode::MuteAccountInvalid.in_field(field, "not a UserID"))?;
    let found = call.engine.accounts.find(call.app.id, &user).await?;
    found.ok_or_else(|| ErrorCode::MuteAccountInvalid.in_field(field, "no such account"))
}

impl Command for Mute {
    const SPEC: Spec = Spec::new("openconfigsvr/setnospeaking", Family::CONFIG)
        .fields(&[("Set_Account", ErrorCode::MuteAccountInvalid)])
        .fails_with(&[
            ErrorCode::MuteAccountMissing,
            ErrorCode::MuteAccountInvalid,
            ErrorCode::MuteTimeMissing,
        ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let account = account(call, "Set_Account", self.user.as_ref()).await?;
        if self.single_seconds.is_none() && self.group_seconds.is_none() {
            return Err(ErrorCode::MuteTimeMissing.into());
        }
        let now = call.engine.context.clock.now().seconds();
        let end = |seconds: u32| match seconds {
            0 => Seconds(0),
            FOR_EVER => Seconds(FOR_EVER),
            seconds => now.plus(seconds).min(Seconds(FOR_EVER - 1)),
        };
        let (single, group) = (self.single_seconds.map(end), self.group_seconds.map(end));
        let muted = call.engine.accounts.mute(call.app.id, &account.user, single, group).await;
        muted.map_err(|error| match error.code {
            // Somebody deleted it at this moment.
            ErrorCode::AccountUnknown => {
                ErrorCode::MuteAccountInvalid.in_field("Set_Account", "no such account")
            }
            _ => error,
        })?;
        Ok(Done {})
    }
}
