//! `openim.set_c2c_peer_mute_notifications`: sets how messages of others are announced.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 30;

/// Sets how messages of up to 30 accounts are announced to the caller.
///
/// The server keeps it and tells the caller's other instances; clients obey it. Messages of an account that is set to 1 are
/// delivered and stored like all others: what was missed could not be shown when it is set back.
#[derive(Deserialize, JsonSchema)]
pub struct SetRemindType {
    /// Whose messages.
    #[serde(rename = "Peer_Account")]
    pub peers: Vec<AnyName>,
    /// 0 with notification, 1 not received, 2 without notification.
    #[serde(rename = "Mute_Notifications")]
    pub remind: u8,
}

/// Whom it could not be set for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Failures {
    /// Accounts that do not exist.
    #[serde(rename = "ErrorList")]
    pub errors: Vec<Failure>,
}

/// An account that does not exist.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Failure {
    /// Who.
    #[serde(rename = "Peer_Account")]
    pub peer: String,
    /// Why.
    #[serde(rename = "ErrorCode")]
    pub code: i64,
}

impl Command for SetRemindType {
    const SPEC: Spec = Spec::new("openim/set_c2c_peer_mute_notifications", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::TooManyAccounts, ErrorCode::DiskFull]);

    type Reply = Failures;

    async fn run(self, call: &Call) -> Result<Failures> {
        if self.peers.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::TooManyAccounts.because(format!("Peer_Account: at most {ACCOUNTS_MAX} accounts"))
            );
        }
        if self.remind > 2 {
            return Err(ErrorCode::MessageBadJson.because("Mute_Notifications: 0, 1 or 2"));
        }
        let owner = call.actor("From_Account", None, ErrorCode::SenderUnknown).await?;
        let mut errors = Vec::new();
        for name in self.peers {
            let peer = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            let Some(peer) = peer else {
                errors.push(Failure { peer: name.0, code: ErrorCode::AccountUnknown.number() });
                continue;
            };
            let change = |settings: &mut engine::facts::ContactSettings| settings.remind = self.remind;
            let contacts = &call.engine.contacts;
            contacts.change(call.stamps(), call.app.id, owner.number, peer.number, change).await?;
            let frame = engine::push::remind_type(&peer.user, self.remind);
            call.engine.hub.push(call.app.id, owner.number, &frame, call.instance());
        }
        Ok(Failures { errors })
    }
}
