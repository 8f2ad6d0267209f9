//! `im_open_status.ws_status_subscribe`: wants to know when accounts come and go.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{StatusError, status_is_on};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 100;

/// Subscribes to the status of up to 100 accounts; an account watches at most 200 in all.
#[derive(Deserialize, JsonSchema)]
pub struct Subscribe {
    /// The accounts.
    #[serde(rename = "To_Account")]
    pub accounts: Vec<AnyName>,
}

/// Which could not be subscribed to.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Failures {
    /// Accounts that do not exist.
    #[serde(rename = "ErrorList")]
    pub errors: Vec<StatusError>,
}

impl Command for Subscribe {
    const SPEC: Spec = Spec::new("im_open_status/ws_status_subscribe", Family::ACCOUNT)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::StatusOff, ErrorCode::TooManyAccounts, ErrorCode::DiskFull]);

    type Reply = Failures;

    async fn run(self, call: &Call) -> Result<Failures> {
        status_is_on(call)?;
        if self.accounts.len() > ACCOUNTS_MAX {
            return Err(ErrorCode::AccountBadParameter
                .because(format!("To_Account: at most {ACCOUNTS_MAX} accounts")));
        }
        let watcher = call.actor("From_Account", None, ErrorCode::AccountBadParameter).await?;
        let (mut accounts, mut failures) = (Vec::new(), Failures::default());
        for name in self.accounts {
            let account = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            match account {
                Some(account) => accounts.push(account),
                None => failures.errors.push(StatusError::unknown(name.0)),
            }
        }
        call.engine.presence.watch(call.stamps(), call.app.id, watcher.number, &accounts).await?;
        Ok(failures)
    }
}
