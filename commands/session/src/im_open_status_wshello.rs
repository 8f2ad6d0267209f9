//! `im_open_status.wshello`: a client's regular greeting.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::Deserialize;

/// A client's regular greeting: its login is in use, and it learns here if it was kicked.
#[derive(Deserialize, JsonSchema)]
pub struct Hello {}

impl Command for Hello {
    const SPEC: Spec = Spec::new("im_open_status/wshello", Family::ACCOUNT).callers(Callers::ACCOUNT);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        if let Some(session) = call.session() {
            call.engine.greet(&call.app, session.account.number).await?;
        }
        Ok(Done {})
    }
}
