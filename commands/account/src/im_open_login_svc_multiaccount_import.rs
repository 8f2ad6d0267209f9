//! `im_open_login_svc/multiaccount_import`: makes many accounts.

use command::scalar::AnyName;
use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::im_open_login_svc_account_import::import;

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 100;

/// Makes up to 100 accounts; in the old form by name only.
#[derive(Deserialize, JsonSchema)]
pub struct ImportAccounts {
    /// Names (old form).
    #[serde(rename = "Accounts", default)]
    pub names: Vec<AnyName>,
    /// Names with nick and avatar (new form).
    #[serde(rename = "AccountList", default)]
    pub accounts: Vec<Imported>,
}

/// An account.
#[derive(Deserialize, JsonSchema)]
pub struct Imported {
    /// Its name.
    #[serde(rename = "UserID")]
    pub name: AnyName,
    /// Its nickname.
    #[serde(rename = "Nick", default)]
    pub nick: Option<String>,
    /// The address of its avatar.
    #[serde(rename = "FaceUrl", default)]
    pub image: Option<String>,
}

/// Which were not made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotImported {
    /// Names that are no UserIDs or whose profile values are too long; from the account on for which the app's package has no room,
    /// if those before it were made, it and all after it.
    #[serde(rename = "FailAccounts")]
    pub failed: Vec<String>,
}

impl Command for ImportAccounts {
    const SPEC: Spec = Spec::new("im_open_login_svc/multiaccount_import", Family::ACCOUNT)
        .per_second(100)
        .fails_with(&[ErrorCode::AccountBatchSize, ErrorCode::AccountQuota, ErrorCode::DiskFull]);

    type Reply = NotImported;

    async fn run(self, call: &Call) -> Result<NotImported> {
        let old = self.names.into_iter().map(|name| Imported { name, nick: None, image: None });
        let accounts: Vec<Imported> = old.chain(self.accounts).collect();
        if accounts.is_empty() || accounts.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::AccountBatchSize.because(format!("AccountList: 1 to {ACCOUNTS_MAX} accounts"))
            );
        }
        let (mut failed, mut made) = (Vec::new(), 0);
        let mut accounts = accounts.into_iter();
        while let Some(account) = accounts.next() {
            let Some(user) = account.name.user() else {
                failed.push(account.name.0);
                continue;
            };
            match import(call, &user, account.nick, account.image).await {
                Ok(()) => made += 1,
                Err(error)
                    if [ErrorCode::ProfileValueTooLong, ErrorCode::AccountBadParameter]
                        .contains(&error.code) =>
                {
                    failed.push(account.name.0);
                }
                Err(error) if error.code == ErrorCode::AccountQuota && made > 0 => {
                    failed.push(account.name.0);
                    failed.extend(accounts.by_ref().map(|account| account.name.0));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(NotImported { failed })
    }
}
