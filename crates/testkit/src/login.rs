//! A login for tables that have none: commands of one noun are tested without those of another.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name under which clients log in.
pub(crate) const LOG_IN: &str = "im_open_status/wslogin";

/// Logs in by the signature in the frame's head, or carries on by its key.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct LogIn {}

/// What a client needs to know.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LoggedIn {
    #[serde(rename = "A2Key")]
    token: String,
    #[serde(rename = "TinyId")]
    number: String,
    #[serde(rename = "InstId")]
    instance: u32,
}

impl Command for LogIn {
    const SPEC: Spec = Spec::new(LOG_IN, Family::ACCOUNT).callers(Callers::ANYBODY);

    type Reply = LoggedIn;

    async fn run(self, call: &Call) -> Result<LoggedIn> {
        let Some(connection) = &call.connection else {
            return Err(ErrorCode::CommandUnknown.into());
        };
        let engine = &call.engine;
        let logged_in = match call.credentials.token.as_deref() {
            Some(token) => engine.log_in_again(&call.app, connection, token).await?,
            None => {
                let user =
                    UserId::new(&call.credentials.identifier).map_err(|_| ErrorCode::AccountBadParameter)?;
                let signature = &call.credentials.signature;
                let verified = engine.verify_signature(&call.app, &user, signature).await?;
                engine.log_in(&call.app, connection, &user, &verified).await?
            }
        };
        Ok(LoggedIn {
            token: logged_in.token,
            number: logged_in.account.number.to_string(),
            instance: logged_in.instance.0,
        })
    }
}
