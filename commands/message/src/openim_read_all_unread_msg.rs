//! `openim.read_all_unread_msg`: marks every conversation as read.

use command::scalar::Flag;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Conversations looked at.
const CONVERSATIONS_MAX: usize = 500;

/// Marks every conversation as read.
#[derive(Deserialize, JsonSchema)]
pub struct ReadAll {
    /// 1: one-to-one conversations.
    #[serde(rename = "C2CReadAllMsg", default)]
    pub one_to_one: Flag,
}

/// What was marked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AllRead {
    /// 1 if one-to-one conversations were marked.
    #[serde(rename = "C2CReadAllMsg")]
    pub one_to_one: u8,
    /// Groups that were marked: an app has none yet.
    #[serde(rename = "GroupReadInfoArray")]
    pub groups: Vec<()>,
}

impl Command for ReadAll {
    const SPEC: Spec = Spec::new("openim/read_all_unread_msg", Family::MESSAGE).callers(Callers::ACCOUNT);

    type Reply = AllRead;

    async fn run(self, call: &Call) -> Result<AllRead> {
        let reply = AllRead { one_to_one: self.one_to_one.0.into(), groups: Vec::new() };
        if !self.one_to_one.0 {
            return Ok(reply);
        }
        let reader = call.actor("From_Account", None, ErrorCode::SenderUnknown).await?;
        let now = call.engine.context.clock.now().seconds();
        for view in call.engine.conversations(call.app.id, reader.number, CONVERSATIONS_MAX).await? {
            if call.engine.unread(call.app.id, reader.number, view.peer).await? == 0 {
                continue;
            }
            if let Some(peer) = call.engine.accounts.with_number(call.app.id, view.peer).await? {
                call.engine.read(&call.app, &reader, &peer, now, call.instance()).await?;
            }
        }
        let frame = engine::push::all_read();
        call.engine.hub.push(call.app.id, reader.number, &frame, call.instance());
        Ok(reply)
    }
}
