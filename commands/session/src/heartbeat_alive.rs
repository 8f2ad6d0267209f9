//! `heartbeat.alive`: says that the connection works.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::Deserialize;

/// Answers that the connection works. A client that gets no answer within 3 seconds connects anew.
#[derive(Deserialize, JsonSchema)]
pub struct Beat {}

impl Command for Beat {
    const SPEC: Spec = Spec::new("heartbeat/alive", Family::ACCOUNT).callers(Callers::ANYBODY);

    type Reply = Done;

    async fn run(self, _: &Call) -> Result<Done> {
        Ok(Done {})
    }
}
