//! `openim/admin_getroammsg`: a page of an account's history, as an administrator.

use command::{Call, Command, Family, Spec};
use model::{ErrorCode, HistoryKey, MessageKey, Result, Seconds, UserId};
use ports::timeline::{Direction, HistoryQuery};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// About how many bytes of messages one answer holds.
pub const PAGE_BYTES: usize = 13 * 1024;

/// The most messages of one answer.
pub const PAGE_MAX: u32 = 100;

/// Gets a page of the history between two accounts, in the view of the first; newest pages first.
#[derive(Deserialize, JsonSchema)]
pub struct GetHistoryOf {
    /// In whose view.
    #[serde(rename = "Operator_Account", alias = "From_Account")]
    pub viewer: UserId,
    /// The other side.
    #[serde(rename = "Peer_Account", alias = "To_Account")]
    pub peer: UserId,
    /// How many at most, 1 to 100.
    #[serde(rename = "MaxCnt")]
    pub count: u32,
    /// From when, in seconds, inclusive.
    #[serde(rename = "MinTime")]
    pub from: Seconds,
    /// Until when, in seconds, inclusive.
    #[serde(rename = "MaxTime")]
    pub until: Seconds,
    /// The message to continue after, as returned by the previous page.
    #[serde(rename = "LastMsgKey", default)]
    pub key: String,
}

/// A page of history.
#[derive(Serialize, JsonSchema)]
pub struct HistoryOf {
    /// 1: nothing beyond in the asked time.
    #[serde(rename = "Complete")]
    pub complete: u8,
    /// How many.
    #[serde(rename = "MsgCnt")]
    pub count: usize,
    /// The time of the oldest message of the page.
    #[serde(rename = "LastMsgTime")]
    pub time: Seconds,
    /// The key of the oldest message of the page.
    #[serde(rename = "LastMsgKey")]
    pub key: String,
    /// Oldest first.
    #[serde(rename = "MsgList")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub messages: Vec<Box<RawValue>>,
}

impl Command for GetHistoryOf {
    const SPEC: Spec = Spec::new("openim/admin_getroammsg", Family::MESSAGE)
        .fields(&[
            ("Operator_Account", ErrorCode::SenderUnknown),
            ("Peer_Account", ErrorCode::ReceiverMissing),
            // The names of older back ends.
            ("From_Account", ErrorCode::SenderUnknown),
            ("To_Account", ErrorCode::ReceiverMissing),
        ])
        .fails_with(&[ErrorCode::KeyMalformed]);

    type Reply = HistoryOf;

    async fn run(self, call: &Call) -> Result<HistoryOf> {
        let viewer = call.account("Operator_Account", &self.viewer, ErrorCode::SenderUnknown).await?;
        let peer = call.account("Peer_Account", &self.peer, ErrorCode::ReceiverMissing).await?;
        let app = call.app.id;
        let mut before = HistoryKey::end_of(self.until);
        if !self.key.is_empty() {
            let key: MessageKey =
                self.key.parse().map_err(|error| ErrorCode::KeyMalformed.in_field("LastMsgKey", error))?;
            let place =
                call.engine.place_of(app, viewer.number, peer.number, key, Direction::Backwards).await?;
            before = place.unwrap_or(before).min(before);
        }
        let query = HistoryQuery {
            viewer: viewer.number,
            after: HistoryKey::start_of(self.from),
            before,
            direction: Direction::Backwards,
            limit: usize::try_from(self.count.clamp(1, PAGE_MAX)).unwrap_or(1),
        };
        let mut page = call.engine.history(app, viewer.number, peer.number, query).await?;
        let mut bytes = 0;
        let fits = page
            .messages
            .iter()
            .rev()
            .take_while(|found| {
                let is_first = bytes == 0;
                bytes += found.message.content.counted_bytes().max(1);
                is_first || bytes <= PAGE_BYTES
            })
            .count();
        let too_many = page.messages.len() - fits;
        page.messages.drain(..too_many);
        page.complete &= too_many == 0;
        let oldest = page.messages.first();
        let (time, key) =
            oldest.map_or((self.until, String::new()), |found| (found.at.time, found.key().to_string()));
        let messages = call.engine.write_page(app, &page.messages).await?;
        Ok(HistoryOf { complete: page.complete.into(), count: messages.len(), time, key, messages })
    }
}
