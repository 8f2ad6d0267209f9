//! `openim.get_peer_read_time`: up to when others have read the caller's messages.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{ErrorCode, Result, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most accounts of one call.
pub const ACCOUNTS_MAX: usize = 100;

/// Gets up to when others have read the caller's messages.
#[derive(Deserialize, JsonSchema)]
pub struct GetPeerReadTimes {
    /// Who.
    #[serde(rename = "To_Account")]
    pub peers: Vec<AnyName>,
}

/// Times.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PeerReadTimes {
    /// In the order of the request; 0 for never.
    #[serde(rename = "ReadTime")]
    pub times: Vec<Seconds>,
}

impl Command for GetPeerReadTimes {
    const SPEC: Spec = Spec::new("openim/get_peer_read_time", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::TooManyAccounts]);

    type Reply = PeerReadTimes;

    async fn run(self, call: &Call) -> Result<PeerReadTimes> {
        if self.peers.len() > ACCOUNTS_MAX {
            return Err(
                ErrorCode::TooManyAccounts.because(format!("To_Account: at most {ACCOUNTS_MAX} accounts"))
            );
        }
        let owner = call.actor("From_Account", None, ErrorCode::SenderUnknown).await?;
        let mut times = Vec::with_capacity(self.peers.len());
        for name in self.peers {
            let peer = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            let view = match peer {
                Some(peer) => call.engine.conversation(call.app.id, owner.number, peer.number).await?,
                None => None,
            };
            times.push(view.map(|view| view.peer_read_to.time).unwrap_or_default());
        }
        Ok(PeerReadTimes { times })
    }
}
