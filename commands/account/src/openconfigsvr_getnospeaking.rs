//! `openconfigsvr/getnospeaking`: for how long an account may not write.

use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::openconfigsvr_setnospeaking::{FOR_EVER, account};

/// Reads for how long an account is muted (page 1047/34924).
#[derive(Deserialize, JsonSchema)]
pub struct ReadMute {
    /// The account.
    #[serde(rename = "Get_Account", default)]
    pub user: Option<String>,
}

/// For how long an account is muted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Muted {
    /// Seconds that are left for single accounts; 0: not muted, 4294967295: for ever.
    #[serde(rename = "C2CmsgNospeakingTime")]
    pub single_seconds: u32,
    /// The same for groups.
    #[serde(rename = "GroupmsgNospeakingTime")]
    pub group_seconds: u32,
}

impl Command for ReadMute {
    const SPEC: Spec = Spec::new("openconfigsvr/getnospeaking", Family::CONFIG)
        .fields(&[("Get_Account", ErrorCode::MuteAccountInvalid)])
        .fails_with(&[ErrorCode::MuteAccountMissing, ErrorCode::MuteAccountInvalid]);

    type Reply = Muted;

    async fn run(self, call: &Call) -> Result<Muted> {
        let account = account(call, "Get_Account", self.user.as_ref()).await?;
        let now = call.engine.context.clock.now().seconds();
        let left = |end: Seconds| if end.0 == FOR_EVER { FOR_EVER } else { end.0.saturating_sub(now.0) };
        Ok(Muted {
            single_seconds: left(account.muted_until),
            group_seconds: left(account.group_muted_until),
        })
    }
}
