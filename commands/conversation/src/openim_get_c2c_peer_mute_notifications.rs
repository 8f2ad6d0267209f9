//! `openim.get_c2c_peer_mute_notifications`: how messages of others are announced.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{AccountNumber, ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 100;

/// Gets how messages of others are announced to the caller.
///
/// `tim-js-sdk` (seen with 2.27.6) names nobody and an `UpdateSeq`: it is told all whose messages are not announced as usual.
#[derive(Deserialize, JsonSchema)]
pub struct GetRemindTypes {
    /// The caller.
    #[serde(rename = "To_Account", default)]
    pub owner: Option<UserId>,
    /// Whose messages. All that are not announced as usual, if absent.
    #[serde(rename = "Peer_Account", default)]
    pub peers: Option<Vec<AnyName>>,
}

/// How messages are announced.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RemindTypes {
    /// In the order of the request.
    #[serde(rename = "MuteNotificationsList")]
    pub list: Vec<RemindType>,
    /// A number that clients send again the next time; the list is always whole.
    #[serde(rename = "UpdateSeq")]
    pub sequence: u64,
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
        .fails_with(&[ErrorCode::TooManyAccounts, ErrorCode::ReceiverUnknown]);

    type Reply = RemindTypes;

    async fn run(self, call: &Call) -> Result<RemindTypes> {
        let owner = call.actor("To_Account", self.owner.as_ref(), ErrorCode::ReceiverUnknown).await?;
        let Some(peers) = self.peers else {
            return Ok(RemindTypes { list: all(call, owner.number).await?, sequence: 1 });
        };
        if peers.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::TooManyAccounts.because(format!("Peer_Account: at most {ACCOUNTS_MAX} accounts"))
            );
        }
        let mut list = Vec::with_capacity(peers.len());
        for name in peers {
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
        Ok(RemindTypes { list, sequence: 1 })
    }
}

/// Everybody whose messages are not announced as usual.
async fn all(call: &Call, owner: AccountNumber) -> Result<Vec<RemindType>> {
    let mut list = Vec::new();
    for fact in call.engine.contacts.all(call.app.id, owner).await? {
        let remind = fact.settings.remind;
        if remind != 0
            && let Some(peer) = call.engine.accounts.with_number(call.app.id, fact.peer).await?
        {
            list.push(RemindType { peer: peer.user.to_string(), remind });
        }
    }
    Ok(list)
}
