//! `openim/query_online_status`: says who is online.

use command::scalar::{AnyName, Flag};
use command::{Call, Command, Family, Spec};
use engine::presence::Status;
use model::{ErrorCode, InstanceId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 500;

/// Says of up to 500 accounts whether they are online.
#[derive(Deserialize, JsonSchema)]
pub struct QueryStatus {
    /// The accounts.
    #[serde(rename = "To_Account")]
    pub accounts: Vec<AnyName>,
    /// 1: with platforms.
    #[serde(rename = "IsNeedDetail", default)]
    pub with_detail: Flag,
    /// 1: with the numbers of the logins. They stand in `Detail`, which comes then even without `IsNeedDetail`.
    #[serde(rename = "IsReturnInstid", default)]
    pub with_instances: Flag,
    /// 1: with what each says about itself.
    #[serde(rename = "IsReturnCustomStatus", default)]
    pub with_custom_status: Flag,
}

/// Who is online.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Statuses {
    /// The accounts that exist.
    #[serde(rename = "QueryResult")]
    pub results: Vec<AccountStatus>,
    /// Those that do not.
    #[serde(rename = "ErrorList", skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<StatusError>,
}

/// An account's status.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountStatus {
    /// Whose.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// `Online` or `Offline`. `PushOnline` needs push tokens, which this server does not keep yet.
    #[serde(rename = "Status")]
    pub status: &'static str,
    /// Where.
    #[serde(rename = "Detail", skip_serializing_if = "Option::is_none")]
    pub detail: Option<Vec<PlatformStatus>>,
    /// What it says about itself, as it said it. Clients get it in base64.
    #[serde(rename = "CustomStatus", skip_serializing_if = "Option::is_none")]
    pub custom_status: Option<String>,
}

/// A login's status.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlatformStatus {
    /// `Web` and so on.
    #[serde(rename = "Platform")]
    pub platform: &'static str,
    /// `Online`.
    #[serde(rename = "Status")]
    pub status: &'static str,
    /// The login's number.
    #[serde(rename = "Instid", skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// An account that does not exist.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusError {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// Why.
    #[serde(rename = "ErrorCode")]
    pub code: i64,
}

/// The name of a platform number. The reference has these six names; Linux is a PC, and mini programs and what else runs JavaScript
/// (7 and above, but for iPad) is the web.
fn platform_name(platform: u16) -> &'static str {
    match platform {
        1 | 5 => "PC",
        2 => "Android",
        3 => "iPhone",
        4 => "Mac",
        9 => "iPad",
        _ => "Web",
    }
}

impl Command for QueryStatus {
    const SPEC: Spec = Spec::new("openim/query_online_status", Family::MESSAGE)
        .fields(&[("To_Account", ErrorCode::ReceiverMissing)])
        .fails_with(&[ErrorCode::TooManyAccounts]);

    type Reply = Statuses;

    async fn run(self, call: &Call) -> Result<Statuses> {
        if self.accounts.is_empty() {
            return Err(ErrorCode::ReceiverMissing.because("To_Account: at least one account"));
        }
        if self.accounts.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::TooManyAccounts.because(format!("To_Account: at most {ACCOUNTS_MAX} accounts"))
            );
        }
        let mut reply = Statuses { results: Vec::new(), errors: Vec::new() };
        for name in self.accounts {
            let account = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            let Some(account) = account else {
                reply.errors.push(StatusError { name: name.0, code: ErrorCode::AccountUnknown.number() });
                continue;
            };
            let presence = &call.engine.presence;
            let status = presence.status(call.app.id, account.number).await?;
            let detail = if self.with_detail.0 || self.with_instances.0 {
                let routes = presence.routes(call.app.id, account.number).await?;
                let detail = routes.into_iter().map(|route| PlatformStatus {
                    platform: platform_name(route.platform),
                    status: "Online",
                    instance: self.with_instances.0.then_some(route.instance),
                });
                Some(detail.collect())
            } else {
                None
            };
            let custom_status = if self.with_custom_status.0 {
                Some(presence.custom_text(call.app.id, account.number).await?)
            } else {
                None
            };
            reply.results.push(AccountStatus {
                name: name.0,
                status: if status == Status::Online { "Online" } else { "Offline" },
                detail,
                custom_status,
            });
        }
        Ok(reply)
    }
}
