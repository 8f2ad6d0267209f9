//! `im_open_status.wslogin`: logs in, or carries a login on.

use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, InstanceId, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Logs in by the signature in the frame's head, or carries the login on whose key stands there.
///
/// An account that does not exist is made. Where the app limits logins, the oldest gives way; carrying on kicks
/// nobody.
#[derive(Deserialize, JsonSchema)]
pub struct LogIn {}

/// The login.
#[derive(Serialize, JsonSchema)]
pub struct LoggedIn {
    /// Stands in the head of every later frame.
    #[serde(rename = "A2Key")]
    pub token: String,
    /// The account's number, as text.
    #[serde(rename = "TinyId")]
    pub number: String,
    /// The login's number.
    #[serde(rename = "InstId")]
    pub instance: InstanceId,
    /// The server's time.
    #[serde(rename = "TimeStamp")]
    pub time: Seconds,
    /// Seconds between greetings.
    #[serde(rename = "HelloInterval")]
    pub hello_interval_seconds: u32,
    /// What the account says about itself, in base64.
    #[serde(rename = "CustomStatus")]
    pub custom_status: String,
    /// The app's ability bits.
    #[serde(rename = "PurchaseBits")]
    pub ability_bits: String,
}

impl Command for LogIn {
    const SPEC: Spec =
        Spec::new("im_open_status/wslogin", Family::ACCOUNT).callers(Callers::ANYBODY).fails_with(&[
            ErrorCode::UserSigEmpty,
            ErrorCode::UserSigMalformed,
            ErrorCode::UserSigKeyMismatch,
            ErrorCode::UserSigAccountMismatch,
            ErrorCode::UserSigAppMismatch,
            ErrorCode::UserSigExpired,
            ErrorCode::UserSigRevoked,
            ErrorCode::Kicked,
            ErrorCode::NotLoggedIn,
            ErrorCode::DiskFull,
        ]);

    type Reply = LoggedIn;

    async fn run(self, call: &Call) -> Result<LoggedIn> {
        let Some(connection) = &call.connection else {
            return Err(ErrorCode::CommandUnknown.into());
        };
        let logged_in = match call.credentials.token.as_deref().filter(|token| !token.is_empty()) {
            Some(token) => call.engine.log_in_again(&call.app, connection, token).await?,
            None => {
                let user = UserId::new(&call.credentials.identifier)
                    .map_err(|error| ErrorCode::AccountBadParameter.in_field("identifier", error))?;
                let verified =
                    call.engine.verify_signature(&call.app, &user, &call.credentials.signature).await?;
                call.engine.log_in(&call.app, connection, &user, &verified).await?
            }
        };
        let account = &logged_in.account;
        Ok(LoggedIn {
            number: account.number.to_string(),
            instance: logged_in.instance,
            time: call.engine.context.clock.now().seconds(),
            hello_interval_seconds: call.app.settings.hello_interval_seconds,
            custom_status: call.engine.presence.custom_status(call.app.id, account.number).await?,
            ability_bits: call.app.settings.abilities(),
            token: logged_in.token,
        })
    }
}
