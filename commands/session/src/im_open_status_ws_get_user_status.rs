//! `im_open_status.ws_get_user_status`: says who is online.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{StatusError, status_is_on};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 500;

/// Says of up to 500 accounts whether they are online, and what they say about themselves.
#[derive(Deserialize, JsonSchema)]
pub struct GetStatus {
    /// The accounts.
    #[serde(rename = "To_Account")]
    pub accounts: Vec<AnyName>,
}

/// Who is online.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Statuses {
    /// The accounts that exist.
    #[serde(rename = "UserStatusList")]
    pub statuses: Vec<UserStatus>,
    /// Those that do not.
    #[serde(rename = "ErrorList")]
    pub errors: Vec<StatusError>,
}

/// An account's status.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserStatus {
    /// Whose.
    #[serde(rename = "To_Account")]
    pub user: UserId,
    /// 1 online, 2 offline, 3 not logged in.
    #[serde(rename = "Status")]
    pub status: u8,
    /// What it says about itself, in base64.
    #[serde(rename = "CustomStatus")]
    pub custom_status: String,
}

impl Command for GetStatus {
    const SPEC: Spec = Spec::new("im_open_status/ws_get_user_status", Family::ACCOUNT)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::StatusOff]);

    type Reply = Statuses;

    async fn run(self, call: &Call) -> Result<Statuses> {
        status_is_on(call)?;
        if self.accounts.len() > ACCOUNTS_MAX {
            return Err(ErrorCode::AccountBadParameter
                .because(format!("To_Account: at most {ACCOUNTS_MAX} accounts")));
        }
        let mut reply = Statuses { statuses: Vec::new(), errors: Vec::new() };
        for name in self.accounts {
            let account = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            let Some(account) = account else {
                reply.errors.push(StatusError::unknown(name.0));
                continue;
            };
            let presence = &call.engine.presence;
            reply.statuses.push(UserStatus {
                user: account.user.clone(),
                status: presence.status(call.app.id, account.number).await? as u8,
                custom_status: presence.custom_status(call.app.id, account.number).await?,
            });
        }
        Ok(reply)
    }
}
