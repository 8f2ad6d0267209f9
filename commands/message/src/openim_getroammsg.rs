//! `openim.getroammsg`: a page of history.

use command::{Call, Callers, Command, Family, Spec};
use engine::history::PageRequest;
use model::{ErrorCode, MessageKey, Result, Seconds, UserId};
use ports::timeline::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The most messages of one page.
pub const PAGE_MAX: u32 = 100;

/// Gets a page of the history with another account.
///
/// With MsgKey the page starts beyond that message; without it the messages of LastMsgTime are part of the page.
#[derive(Deserialize, JsonSchema)]
pub struct GetHistory {
    /// The other side.
    #[serde(rename = "Peer_Account")]
    pub peer: UserId,
    /// How many, 1 to 100.
    #[serde(rename = "MaxCnt")]
    pub count: u32,
    /// Where to start, in seconds; 0: at the newest (backwards) or oldest (forwards).
    #[serde(rename = "LastMsgTime", default)]
    pub time: Seconds,
    /// The message to continue after; empty: none.
    #[serde(rename = "MsgKey", default)]
    pub key: String,
    /// 0 backwards, 1 forwards.
    #[serde(rename = "GetDirection", default)]
    pub direction: u8,
    /// Whether recalled messages are listed, flagged 8.
    #[serde(rename = "WithRecalledMsg", default)]
    pub with_recalled: command::scalar::Flag,
}

/// A page of history.
#[derive(Serialize, JsonSchema)]
pub struct History {
    /// Oldest first, in either direction.
    #[serde(rename = "MsgList")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub messages: Vec<Box<RawValue>>,
    /// How many.
    #[serde(rename = "MsgCnt")]
    pub count: usize,
    /// 1: nothing beyond.
    #[serde(rename = "Complete")]
    pub complete: u8,
    /// Where to continue.
    #[serde(rename = "LastMsgTime")]
    pub time: Seconds,
    /// Where to continue.
    #[serde(rename = "MsgKey")]
    pub key: String,
}

impl Command for GetHistory {
    const SPEC: Spec = Spec::new("openim/getroammsg", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fields(&[("Peer_Account", ErrorCode::ReceiverMissing)])
        .fails_with(&[ErrorCode::KeyMalformed]);

    type Reply = History;

    async fn run(self, call: &Call) -> Result<History> {
        let viewer = call.actor("From_Account", None, ErrorCode::SenderUnknown).await?;
        let empty =
            History { messages: Vec::new(), count: 0, complete: 1, time: self.time, key: String::new() };
        // A conversation with nobody is empty, as one that never began.
        let Some(peer) = call.engine.accounts.find(call.app.id, &self.peer).await? else {
            return Ok(empty);
        };
        let key: Option<MessageKey> = match self.key.as_str() {
            "" => None,
            text => Some(text.parse().map_err(|error| ErrorCode::KeyMalformed.in_field("MsgKey", error))?),
        };
        let direction = match self.direction {
            0 => Direction::Backwards,
            1 => Direction::Forwards,
            _ => return Err(ErrorCode::MessageBadJson.because("GetDirection: 0 or 1")),
        };
        let limit = usize::try_from(self.count.clamp(1, PAGE_MAX)).unwrap_or(1);
        let request = PageRequest { time: self.time, key, direction, limit };
        let mut page = call.engine.page(call.app.id, &viewer, &peer, request).await?;
        let end = match direction {
            Direction::Backwards => page.messages.first(),
            Direction::Forwards => page.messages.last(),
        };
        let (time, key) =
            end.map_or((self.time, self.key.clone()), |end| (end.at.time, end.key().to_string()));
        if !self.with_recalled.0 {
            page.messages.retain(|message| message.revoker.is_none());
        }
        let messages = call.engine.write_page(call.app.id, &page.messages).await?;
        Ok(History { count: messages.len(), messages, complete: page.complete.into(), time, key })
    }
}
