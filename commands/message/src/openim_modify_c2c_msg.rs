//! `openim/modify_c2c_msg`: changes what a one-to-one message says.

use command::{Call, Callers, Command, Family, Spec};
use engine::annotations::Maker;
use engine::modify::{Change, Modified};
use model::{Error, ErrorCode, MessageKey, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::target::{Sides, check_not_muted};

/// Changes what a one-to-one message says; both sides are told. Nothing brings back what it said before.
///
/// An account may change what it sent and what was sent to it. It tells the version that it knows and is refused with 20027 and
/// what the message says now if somebody else was faster. An administrator's changes are always taken. Where no `MsgKey` is given,
/// `MsgSeq`, `MsgRandom` and `MsgTime` name the message.
#[derive(Deserialize, JsonSchema)]
pub struct ModifyMessage {
    /// Who sent the message.
    #[serde(rename = "From_Account")]
    pub from: UserId,
    /// To whom it was sent.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Which message.
    #[serde(rename = "MsgKey", default)]
    pub key: Option<MessageKey>,
    /// Chosen by its sender.
    #[serde(rename = "MsgSeq", default)]
    pub sequence: Option<u32>,
    /// Chosen by its sender.
    #[serde(rename = "MsgRandom", default)]
    pub random: Option<u32>,
    /// When the server took it.
    #[serde(rename = "MsgTime", default)]
    pub time: Option<Seconds>,
    /// The version that an account knows; 0 for a message that was never changed.
    #[serde(rename = "MsgVersion", default)]
    pub version: Option<u32>,
    /// Its new elements; they stay as they are, if absent.
    #[serde(rename = "MsgBody", default)]
    #[schemars(with = "Option<Vec<serde_json::Map<String, serde_json::Value>>>")]
    pub body: Option<Box<RawValue>>,
    /// Its new text of the app's own; it stays as it is, if absent.
    #[serde(rename = "CloudCustomData", default)]
    pub cloud_custom_data: Option<String>,
}

/// What the message says now.
#[derive(Serialize, JsonSchema)]
pub struct ModifiedMessage {
    /// Its elements.
    #[serde(rename = "MsgBody")]
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub body: Box<RawValue>,
    /// How often it was changed.
    #[serde(rename = "MsgVersion")]
    pub version: u32,
    /// The app's own text.
    #[serde(rename = "CloudCustomData")]
    pub cloud_custom_data: String,
}

impl TryFrom<Modified> for ModifiedMessage {
    type Error = Error;

    fn try_from(modified: Modified) -> Result<Self> {
        let damaged = || Error::from(ErrorCode::MessageServiceUnavailable);
        let body = String::from_utf8(modified.content.body.to_vec()).map_err(|_| damaged())?;
        Ok(Self {
            body: RawValue::from_string(body).map_err(|_| damaged())?,
            version: modified.version,
            cloud_custom_data: modified.content.cloud_custom_data.into(),
        })
    }
}

impl ModifyMessage {
    fn key(&self) -> Result<MessageKey> {
        match (self.key, self.sequence, self.random, self.time) {
            (Some(key), ..) => Ok(key),
            (None, Some(sequence), Some(random), Some(time)) => Ok(MessageKey { sequence, random, time }),
            _ => Err(ErrorCode::KeyMalformed
                .because("MsgKey: missing, and so is one of MsgSeq, MsgRandom and MsgTime")),
        }
    }

    /// What is to change, looked through for keywords where an account asks.
    async fn change(&self, call: &Call) -> Result<Change> {
        if self.body.is_none() && self.cloud_custom_data.is_none() {
            return Err(ErrorCode::MessageBodyMalformed
                .because("MsgBody: missing, and CloudCustomData too: one of them says what is to change"));
        }
        let body = match &self.body {
            None => None,
            Some(body) => {
                let (body, medium) = model::element::normalise(body)?;
                let body = if call.is_administrator() {
                    body.into()
                } else {
                    call.engine.moderation.check_body(call.app.id, body.into()).await?
                };
                Some((body, medium))
            }
        };
        Ok(Change { body, cloud_custom_data: self.cloud_custom_data.as_deref().map(Into::into) })
    }
}

impl Command for ModifyMessage {
    const SPEC: Spec = Spec::new("openim/modify_c2c_msg", Family::MESSAGE)
        .callers(Callers::BOTH)
        .fields(&[
            ("From_Account", ErrorCode::SenderUnknown),
            ("To_Account", ErrorCode::ReceiverMissing),
            ("MsgKey", ErrorCode::KeyMalformed),
            ("MsgBody", ErrorCode::BodyNotArray),
        ])
        .fails_with(&[
            ErrorCode::ModifiedMissing,
            ErrorCode::ModifyConflict,
            ErrorCode::MessageBodyMalformed,
            ErrorCode::ElementMalformed,
            ErrorCode::MessageTooLong,
            ErrorCode::TextRefused,
            ErrorCode::BlockedByReceiver,
            ErrorCode::NotFriends,
            ErrorCode::SenderNotFriend,
            ErrorCode::ReceiverNotFriend,
            ErrorCode::Muted,
            ErrorCode::DiskFull,
        ]);

    type Reply = ModifiedMessage;

    async fn run(self, call: &Call) -> Result<ModifiedMessage> {
        let key = self.key()?;
        let change = self.change(call).await?;
        let sides = Sides::of(call, Some(&self.from), &self.to).await;
        let sides = sides.map_err(|error| match &call.caller {
            // Whether or not they exist.
            command::Caller::Account(_) => ErrorCode::ModifiedMissing.into(),
            _ => error,
        })?;
        let found = if call.is_administrator() {
            sides.message_this_way(call, key).await?
        } else {
            sides.message_either_way(call, key).await?
        };
        let found = found.ok_or(ErrorCode::ModifiedMissing)?;
        let (maker, known) = match call.session() {
            Some(session) => {
                check_not_muted(call, &session.account.user).await?;
                sides.check_writing(call, &found).await?;
                (Maker { number: session.account.number, origin: call.instance() }, self.version)
            }
            // In the name of the sender, as when it was sent.
            None => (Maker { number: found.author, origin: None }, None),
        };
        let between = sides.as_sent(found.author);
        let modified = call.engine.modify(&call.app, between, key, maker, known, &change).await?;
        let is_done = modified.is_done;
        let now = ModifiedMessage::try_from(modified)?;
        if is_done {
            return Ok(now);
        }
        let told = serde_json::to_string(&now).unwrap_or_default();
        let fields = told.strip_prefix('{').and_then(|fields| fields.strip_suffix('}')).unwrap_or_default();
        Err(Error::from(ErrorCode::ModifyConflict).with_details(fields))
    }
}
