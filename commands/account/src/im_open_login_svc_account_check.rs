//! `im_open_login_svc/account_check`: says which accounts exist.

use command::scalar::AnyName;
use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 100;

/// Says which of up to 100 accounts exist.
#[derive(Deserialize, JsonSchema)]
pub struct CheckAccounts {
    /// The accounts.
    #[serde(rename = "CheckItem")]
    pub items: Vec<Item>,
}

/// An account.
#[derive(Deserialize, JsonSchema)]
pub struct Item {
    /// Its name.
    #[serde(rename = "UserID")]
    pub name: AnyName,
}

/// One result per account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// In the order of the request.
    #[serde(rename = "ResultItem")]
    pub items: Vec<CheckedItem>,
}

/// An account's result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedItem {
    /// Its name.
    #[serde(rename = "UserID")]
    pub name: String,
    /// 0, or why it cannot exist.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
    /// `Imported` or `NotImported`.
    #[serde(rename = "AccountStatus")]
    pub status: &'static str,
}

impl Command for CheckAccounts {
    const SPEC: Spec = Spec::new("im_open_login_svc/account_check", Family::ACCOUNT)
        .per_second(100)
        .fails_with(&[ErrorCode::AccountBatchSize]);

    type Reply = Checked;

    async fn run(self, call: &Call) -> Result<Checked> {
        if self.items.is_empty() || self.items.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::AccountBatchSize.because(format!("CheckItem: 1 to {ACCOUNTS_MAX} accounts"))
            );
        }
        let mut items = Vec::with_capacity(self.items.len());
        for item in self.items {
            let (code, info, status) = match item.name.user() {
                None => {
                    let code = ErrorCode::AccountBadParameter;
                    (code.number(), "not a UserID".to_owned(), "NotImported")
                }
                Some(user) => {
                    let found = call.engine.accounts.find(call.app.id, &user).await?;
                    (0, String::new(), if found.is_some() { "Imported" } else { "NotImported" })
                }
            };
            items.push(CheckedItem { name: item.name.0, code, info, status });
        }
        Ok(Checked { items })
    }
}
