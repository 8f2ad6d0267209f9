//! `openim.ws_msg_push_ack`: a client has got a push.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::Deserialize;

/// Confirms a push that asked for it. This server asks for none; what a client missed is found by its cookie.
#[derive(Deserialize, JsonSchema)]
pub struct AcknowledgePush {}

impl Command for AcknowledgePush {
    const SPEC: Spec = Spec::new("openim/ws_msg_push_ack", Family::MESSAGE).callers(Callers::ACCOUNT);

    type Reply = Done;

    async fn run(self, _: &Call) -> Result<Done> {
        Ok(Done {})
    }
}
