//! `im_msg_db_logic.ws_set_do_not_disturb`: sets when the caller does not want to be disturbed.

use command::{Call, Callers, Command, Done, Family, Spec};
use engine::do_not_disturb::Times;
use model::{ErrorCode, Result, Seconds};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::global_do_not_disturb_is_on;

/// Sets how messages of all conversations are announced to the caller in a span of time.
#[derive(Deserialize, JsonSchema)]
pub struct SetDoNotDisturb {
    /// 0 with notification, 1 not received, 2 without notification.
    #[serde(rename = "Level")]
    pub level: u8,
    /// The beginning.
    #[serde(rename = "StartTime")]
    pub start: Seconds,
    /// The end: not before the beginning, and at most a day after it where the span is repeated.
    #[serde(rename = "EndTime")]
    pub end: Seconds,
    /// 1: every day at this time.
    #[serde(rename = "IsRepeated")]
    pub is_repeated: u8,
}

impl Command for SetDoNotDisturb {
    const SPEC: Spec = Spec::new("im_msg_db_logic/ws_set_do_not_disturb", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::SenderUnknown, ErrorCode::GlobalDoNotDisturbOff, ErrorCode::DiskFull]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        global_do_not_disturb_is_on(call)?;
        let owner = call.actor("From_Account", None, ErrorCode::SenderUnknown).await?;
        let is_repeated = match self.is_repeated {
            0 => false,
            1 => true,
            _ => return Err(ErrorCode::MessageBadJson.because("IsRepeated: 0 or 1")),
        };
        let times = Times { level: self.level, start: self.start, end: self.end, is_repeated };
        call.engine.do_not_disturb.set(call.stamps(), call.app.id, owner.number, times).await?;
        let frame = engine::push::do_not_disturb(times);
        call.engine.hub.push(call.app.id, owner.number, &frame, call.instance());
        Ok(Done {})
    }
}
