//! `openim/get_c2c_unread_msg_num`: counts an account's unread messages.

use command::scalar::AnyName;
use command::{Call, Command, Family, Spec};
use model::{ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most peers of one call.
pub const PEERS_MAX: usize = 10;

/// Conversations counted for the total (page 1047/33524).
const CONVERSATIONS_MAX: usize = 100;

/// Counts an account's unread messages: of all conversations, or of the given ones.
#[derive(Deserialize, JsonSchema)]
pub struct GetUnread {
    /// Whose.
    #[serde(rename = "To_Account")]
    pub account: UserId,
    /// Of which peers; of all, if absent.
    #[serde(rename = "Peer_Account", default)]
    pub peers: Option<Vec<AnyName>>,
}

/// Counts.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Unread {
    /// All conversations together.
    #[serde(rename = "AllC2CUnreadMsgNum", skip_serializing_if = "Option::is_none")]
    pub all: Option<u32>,
    /// One by one.
    #[serde(rename = "C2CUnreadMsgNumList", skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<PeerUnread>>,
    /// Peers that do not exist.
    #[serde(rename = "ErrorList", skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<PeerError>,
}

/// The count of one peer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PeerUnread {
    /// Whose messages.
    #[serde(rename = "Peer_Account")]
    pub peer: String,
    /// How many, at most 250.
    #[serde(rename = "C2CUnreadMsgNum")]
    pub count: u32,
}

/// A peer that does not exist.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PeerError {
    /// Who.
    #[serde(rename = "Peer_Account")]
    pub peer: String,
    /// Why.
    #[serde(rename = "ErrorCode")]
    pub code: i64,
}

impl Command for GetUnread {
    const SPEC: Spec = Spec::new("openim/get_c2c_unread_msg_num", Family::MESSAGE)
        .fields(&[("To_Account", ErrorCode::ReceiverMissing)])
        .fails_with(&[ErrorCode::SenderUnknown, ErrorCode::TooManyAccounts]);

    type Reply = Unread;

    async fn run(self, call: &Call) -> Result<Unread> {
        let account = call.account("To_Account", &self.account, ErrorCode::SenderUnknown).await?;
        let app = call.app.id;
        let Some(peers) = self.peers.filter(|peers| !peers.is_empty()) else {
            let mut all = 0;
            for view in call.engine.conversations(app, account.number, CONVERSATIONS_MAX).await? {
                all += call.engine.unread(app, account.number, view.peer).await?;
            }
            return Ok(Unread { all: Some(all), ..Unread::default() });
        };
        if peers.len() > PEERS_MAX {
            return Err(
                ErrorCode::TooManyAccounts.because(format!("Peer_Account: at most {PEERS_MAX} accounts"))
            );
        }
        let (mut list, mut errors) = (Vec::new(), Vec::new());
        for name in peers {
            let peer = match name.user() {
                Some(user) => call.engine.accounts.find(app, &user).await?,
                None => None,
            };
            match peer {
                Some(peer) => {
                    let count = call.engine.unread(app, account.number, peer.number).await?;
                    list.push(PeerUnread { peer: name.0, count });
                }
                None => errors.push(PeerError { peer: name.0, code: ErrorCode::AccountUnknown.number() }),
            }
        }
        Ok(Unread { all: None, list: Some(list), errors })
    }
}
