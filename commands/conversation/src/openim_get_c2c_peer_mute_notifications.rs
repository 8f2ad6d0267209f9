//! `openim.get_c2c_peer_mute_notifications`: how messages of others are announced.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 100;

/// Gets how messages of others are announced to the caller.
#[derive(Deserialize, JsonSchema)]
pub struct GetRemindTypes {
    /// Whose messages.
    #[serde(rename = "Peer_Account")]
    pub peers: Vec<AnyName>,
}

/// How messages are announced.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RemindTypes {
    /// In the order of the request.
    #[serde(rename = "MuteNotificationsList")]
    pub list: Vec<RemindType>,
}

/// How one account's messages are announced.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RemindType {
    /// Whose.
    #[serde(rename = "Peer_Account")]
    pub peer: String,
    /// 0 with notification, 1 not received, 2 without notification.
    #[serde(rename = "MuteNotifications")]
    pub remind: u8,
}

impl Command for GetRemindTypes {
    const SPEC: Spec = Spec::new("openim/get_c2c_peer_mute_notifications", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::TooManyAccounts]);

    type Reply = RemindTypes;

    async fn run(self, call: &Call) -> Result<RemindTypes> {
        if self.peers.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::TooManyAccounts.because(format!("Peer_Account: at most {ACCOUNTS_MAX} accounts"))
            );
        }
        let owner = call.actor("From_Account", None, ErrorCode::SenderUnknown).await?;
        let mut list = Vec::with_capacity(self.peers.len());
        for name in self.peers {
            let peer = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            let remind = match peer {
                Some(peer) => call.engine.contacts.of(call.app.id, owner.number, peer.number).await?.remind,
                None => 0,
            };
            list.push(RemindType { peer: name.0, remind });
        }
        Ok(RemindTypes { list })
    }
}
