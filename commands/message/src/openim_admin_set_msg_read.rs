//! `openim/admin_set_msg_read`: marks a conversation as read for an account.

use command::scalar::Lenient;
use command::{Call, Command, Done, Family, Spec};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

/// Marks what `Peer_Account` sent to `Report_Account` as read.
#[derive(Deserialize, JsonSchema)]
pub struct SetRead {
    /// Who has read.
    #[serde(rename = "Report_Account")]
    pub reader: UserId,
    /// Whose messages.
    #[serde(rename = "Peer_Account")]
    pub peer: UserId,
    /// Up to when, in seconds; now, if absent.
    #[serde(rename = "MsgReadTime", default)]
    pub up_to: Option<Lenient>,
}

impl Command for SetRead {
    const SPEC: Spec = Spec::new("openim/admin_set_msg_read", Family::MESSAGE).fields(&[
        ("Report_Account", ErrorCode::SenderUnknown),
        ("Peer_Account", ErrorCode::ReceiverMissing),
    ]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        let reader = call.account("Report_Account", &self.reader, ErrorCode::SenderUnknown).await?;
        let peer = call.account("Peer_Account", &self.peer, ErrorCode::ReceiverMissing).await?;
        let up_to = match self.up_to {
            Some(Lenient(seconds)) => Seconds(
                u32::try_from(seconds)
                    .map_err(|_| ErrorCode::MessageBadJson.because("MsgReadTime: a time in seconds"))?,
            ),
            None => call.engine.context.clock.now().seconds(),
        };
        call.engine.read(&call.app, &reader, &peer, up_to, None).await?;
        Ok(Done {})
    }
}
