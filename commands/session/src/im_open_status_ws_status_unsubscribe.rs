//! `im_open_status.ws_status_unsubscribe`: no longer wants to know when accounts come and go.

use command::scalar::{AnyName, Flag};
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::im_open_status_ws_status_subscribe::{ACCOUNTS_MAX, Failures};
use crate::{StatusError, status_is_on};

/// Ends subscriptions: of up to 100 accounts, or all.
#[derive(Deserialize, JsonSchema)]
pub struct Unsubscribe {
    /// The accounts.
    #[serde(rename = "To_Account", default)]
    pub accounts: Vec<AnyName>,
    /// 1: all.
    #[serde(rename = "UnsubscribeAll", default)]
    pub all: Flag,
}

impl Command for Unsubscribe {
    const SPEC: Spec = Spec::new("im_open_status/ws_status_unsubscribe", Family::ACCOUNT)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::StatusOff]);

    type Reply = Failures;

    async fn run(self, call: &Call) -> Result<Failures> {
        status_is_on(call)?;
        let watcher = call.actor("From_Account", None, ErrorCode::AccountBadParameter).await?;
        let presence = &call.engine.presence;
        if self.all.0 {
            presence.unwatch(call.app.id, watcher.number, None).await?;
            return Ok(Failures::default());
        }
        if self.accounts.len() > ACCOUNTS_MAX {
            return Err(ErrorCode::AccountBadParameter
                .because(format!("To_Account: at most {ACCOUNTS_MAX} accounts")));
        }
        let (mut numbers, mut failures) = (Vec::new(), Failures::default());
        for name in self.accounts {
            let account = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            match account {
                Some(account) => numbers.push(account.number),
                None => failures.errors.push(StatusError::unknown(name.0)),
            }
        }
        presence.unwatch(call.app.id, watcher.number, Some(&numbers)).await?;
        Ok(failures)
    }
}
