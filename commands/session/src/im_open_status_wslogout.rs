//! `im_open_status.wslogout`: ends the login of the connection.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::Result;
use schemars::JsonSchema;
use serde::Deserialize;

/// Ends the login that is bound to the connection; succeeds if there is none. The connection stays open.
#[derive(Deserialize, JsonSchema)]
pub struct LogOut {}

impl Command for LogOut {
    const SPEC: Spec = Spec::new("im_open_status/wslogout", Family::ACCOUNT).callers(Callers::ANYBODY);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        if let Some(connection) = &call.connection {
            call.engine.log_out(connection, call.credentials.token.as_deref()).await?;
        }
        Ok(Done {})
    }
}
