//! `im_open_login_svc/account_delete`: deletes accounts.

use command::scalar::AnyName;
use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 100;

/// Deletes up to 100 accounts with their profiles, relations, settings and logins. The name is free again at once;
/// whoever takes it begins anew.
#[derive(Deserialize, JsonSchema)]
pub struct DeleteAccounts {
    /// The accounts.
    #[serde(rename = "DeleteItem")]
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
pub struct Deleted {
    /// In the order of the request.
    #[serde(rename = "ResultItem")]
    pub items: Vec<DeletedItem>,
}

/// An account's result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedItem {
    /// Its name.
    #[serde(rename = "UserID")]
    pub name: String,
    /// 0, or why it could not be deleted.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
    /// The number of the receipt that it is hidden. Whimbrel's own, as are the next two.
    #[serde(rename = "Receipt", skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// What names the account in receipts: SHA-256 over salt, SDKAppID (4 bytes, big endian) and UserID.
    #[serde(rename = "Commitment", skip_serializing_if = "Option::is_none")]
    pub commitment: Option<String>,
    /// The salt, in hexadecimal; kept nowhere.
    #[serde(rename = "Salt", skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

impl Command for DeleteAccounts {
    const SPEC: Spec = Spec::new("im_open_login_svc/account_delete", Family::ACCOUNT)
        .per_second(100)
        .fails_with(&[ErrorCode::AccountBatchSize, ErrorCode::AccountUnknown]);

    type Reply = Deleted;

    async fn run(self, call: &Call) -> Result<Deleted> {
        if self.items.is_empty() || self.items.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::AccountBatchSize.because(format!("DeleteItem: 1 to {ACCOUNTS_MAX} accounts"))
            );
        }
        let mut items = Vec::with_capacity(self.items.len());
        for item in self.items {
            let mut receipt = None;
            let (code, info) = match item.name.user() {
                None => (ErrorCode::AccountBadParameter.number(), "not a UserID".to_owned()),
                Some(user) => match call.engine.erase_account(&call.app, &user).await {
                    Ok(erasure) => {
                        receipt = Some(erasure);
                        (0, String::new())
                    }
                    Err(error) if error.code == ErrorCode::AccountUnknown => {
                        (error.code.number(), "Err_TLS_PT_Open_Login_Account_Not_Exist".to_owned())
                    }
                    // Those before it are erased, and their salts are kept nowhere: they have to be told.
                    Err(error) => {
                        let error = Family::ACCOUNT.tell(error);
                        (error.code.number(), error.info.into_owned())
                    }
                },
            };
            let (number, commitment, salt) = match receipt {
                Some(erasure) => (Some(erasure.receipt), Some(erasure.commitment), Some(erasure.salt)),
                None => (None, None, None),
            };
            items.push(DeletedItem { name: item.name.0, code, info, receipt: number, commitment, salt });
        }
        Ok(Deleted { items })
    }
}
