//! `im_msg_db_logic.ws_get_do_not_disturb`: when the caller does not want to be disturbed.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::global_do_not_disturb_is_on;

/// Gets how messages of all conversations are announced to the caller in a span of time.
#[derive(Deserialize, JsonSchema)]
pub struct GetDoNotDisturb {
    /// The caller.
    #[serde(rename = "To_Account", default)]
    pub owner: Option<UserId>,
}

/// How messages are announced; all 0 if it was never set.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoNotDisturb {
    /// 0 with notification, 1 not received, 2 without notification.
    #[serde(rename = "Level")]
    pub level: u8,
    /// The beginning.
    #[serde(rename = "StartTime")]
    pub start: Seconds,
    /// The end.
    #[serde(rename = "EndTime")]
    pub end: Seconds,
    /// 1: every day at this time.
    #[serde(rename = "IsRepeated")]
    pub is_repeated: u8,
}

impl Command for GetDoNotDisturb {
    const SPEC: Spec = Spec::new("im_msg_db_logic/ws_get_do_not_disturb", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::ReceiverUnknown, ErrorCode::GlobalDoNotDisturbOff]);

    type Reply = DoNotDisturb;

    async fn run(self, call: &Call) -> Result<DoNotDisturb> {
        global_do_not_disturb_is_on(call)?;
        let owner = call.actor("To_Account", self.owner.as_ref(), ErrorCode::ReceiverUnknown).await?;
        let times = call.engine.do_not_disturb.of(call.app.id, owner.number).await?;
        let is_repeated = times.is_repeated.into();
        Ok(DoNotDisturb { level: times.level, start: times.start, end: times.end, is_repeated })
    }
}
