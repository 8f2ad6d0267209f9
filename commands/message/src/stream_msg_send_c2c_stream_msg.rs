//! `stream_msg/send_c2c_stream_msg`: sends a one-to-one message piece by piece.

use command::{Call, Caller, Command, Family, Spec};
use engine::streams::{Beginning, Piece, Streamed};
use model::{ErrorCode, MessageKey, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::is_receiver_only;

/// Sends the next piece of a message that is written while it is sent (page 1047/71131).
///
/// The first call has no `StreamMsgID`; its answer gives one, which every later call repeats. Indexes rise by one from 1. A
/// stream ends with `IsLast`, or after 15 seconds without a piece; further pieces are refused with 200013. It has fewer than
/// 128 KB of text and at most 10,000 pieces, 5 a second after the first; an app has at most 1,000 open ones. Neither friendship nor
/// block lists nor mutes are asked. The `MsgKey` is that of the whole message. Pieces are pushed to who is online as items
/// `C2cStreamMsgArray`, for clients that know them. When the stream ends, the whole text is a text element of a message in the
/// history, at the time of the first piece, and is pushed like any other. Every piece that was answered is in it, also after a
/// crash.
#[derive(Deserialize, JsonSchema)]
pub struct SendStream {
    /// 1: the sender keeps a copy (default); 2: it does not.
    #[serde(rename = "SyncOtherMachine", default)]
    pub sync_other_machine: Option<i64>,
    /// The sender; the administrator, if absent.
    #[serde(rename = "From_Account", default)]
    pub from: Option<UserId>,
    /// The receiver.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// Chosen by the sender.
    #[serde(rename = "MsgSeq", default)]
    pub sequence: Option<u32>,
    /// Chosen by the sender.
    #[serde(rename = "MsgRandom")]
    pub random: u32,
    /// One `TIMStreamElem`.
    #[serde(rename = "MsgBody")]
    pub body: Vec<Element>,
    /// The app's own text, at most 8 KB. That of the first call counts.
    #[serde(rename = "CloudCustomData", default)]
    pub cloud_custom_data: Option<String>,
}

/// The element of a stream.
#[derive(Deserialize, JsonSchema)]
pub struct Element {
    /// `TIMStreamElem`.
    #[serde(rename = "MsgType")]
    pub kind: String,
    /// Its content.
    #[serde(rename = "MsgContent")]
    pub content: Content,
}

/// A part of a stream.
#[derive(Deserialize, JsonSchema)]
pub struct Content {
    /// What clients show that do not know streams; told to those that do.
    #[serde(rename = "CompatibleText", default)]
    pub compatible_text: String,
    /// One piece.
    #[serde(rename = "Chunks")]
    pub chunks: Vec<Chunk>,
    /// Names the stream, from the second call on.
    #[serde(rename = "StreamMsgID", default)]
    pub stream: Option<String>,
}

/// A piece of a stream.
#[derive(Deserialize, JsonSchema)]
pub struct Chunk {
    /// `data`.
    #[serde(rename = "EventType", default)]
    pub event: Option<String>,
    /// Its number, from 1.
    #[serde(rename = "Index")]
    pub index: u32,
    /// What it adds to the text.
    #[serde(rename = "Markdown", default)]
    pub text: String,
    /// Whether the stream ends with it.
    #[serde(rename = "IsLast", default)]
    pub is_last: bool,
}

/// The stream, and the message that it becomes.
#[derive(Serialize, JsonSchema)]
pub struct SentStream {
    /// When the stream began, in seconds.
    #[serde(rename = "MsgTime")]
    pub time: Seconds,
    /// Names the message in the conversation.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
    /// Names the stream in later calls.
    #[serde(rename = "StreamMsgID")]
    pub stream: String,
}

/// The longest text beside the pieces, in bytes.
const COMPATIBLE_BYTES_MAX: usize = 1024;

/// Checks the one element of a call: the stream that it names, and the piece.
fn check(body: Vec<Element>) -> Result<(Option<String>, Piece)> {
    let malformed = |what: &'static str| ErrorCode::ElementMalformed.because(what);
    let Ok([Element { kind, content }]) = <[Element; 1]>::try_from(body) else {
        return Err(ErrorCode::MessageBodyMalformed.because("MsgBody: exactly one TIMStreamElem"));
    };
    if kind != "TIMStreamElem" {
        return Err(malformed("MsgBody[0].MsgType: TIMStreamElem"));
    }
    let Content { compatible_text, chunks, stream } = content;
    let Ok([chunk]) = <[Chunk; 1]>::try_from(chunks) else {
        return Err(malformed("MsgBody[0].MsgContent.Chunks: exactly one"));
    };
    if chunk.event.is_some_and(|event| event != "data") {
        return Err(malformed("MsgBody[0].MsgContent.Chunks[0].EventType: data"));
    }
    if compatible_text.len() > COMPATIBLE_BYTES_MAX {
        return Err(malformed("MsgBody[0].MsgContent.CompatibleText: at most 1024 bytes"));
    }
    let Chunk { index, text, is_last, .. } = chunk;
    Ok((stream.filter(|id| !id.is_empty()), Piece { index: Some(index), text, compatible_text, is_last }))
}

impl Command for SendStream {
    const SPEC: Spec = Spec::new("stream_msg/send_c2c_stream_msg", Family::MESSAGE)
        .per_second(1000)
        .fields(&[
            ("From_Account", ErrorCode::SenderUnknown),
            ("To_Account", ErrorCode::ReceiverMissing),
            ("MsgRandom", ErrorCode::RandomMissing),
            ("MsgBody", ErrorCode::MessageBodyMalformed),
            ("SyncOtherMachine", ErrorCode::SyncOtherMachineType),
        ])
        .fails_with(&[
            ErrorCode::CommandTooOften,
            ErrorCode::MessageTooLong,
            ErrorCode::ElementMalformed,
            ErrorCode::ReceiverUnknown,
            ErrorCode::NotStored,
            ErrorCode::DiskFull,
            ErrorCode::StreamOver,
            ErrorCode::StreamsFull,
        ]);

    type Reply = SentStream;

    async fn run(self, call: &Call) -> Result<SentStream> {
        let from = match (&self.from, &call.caller) {
            (None, Caller::Administrator(user)) => {
                call.engine.accounts.ensure(call.stamps(), call.app.id, user).await?
            }
            (from, _) => call.actor("From_Account", from.as_ref(), ErrorCode::SenderUnknown).await?,
        };
        let to = call.account("To_Account", &self.to, ErrorCode::ReceiverUnknown).await?;
        let receiver_only = is_receiver_only(self.sync_other_machine)?;
        let (stream, piece) = check(self.body)?;
        let Streamed { id, key } = match stream {
            Some(id) => call.engine.continue_stream(&call.app, &id, (from, to), piece).await?,
            None => {
                let begin = Beginning {
                    from,
                    to,
                    sequence: self.sequence,
                    random: self.random,
                    cloud_custom_data: self.cloud_custom_data.unwrap_or_default().into(),
                    receiver_only,
                };
                call.engine.begin_stream(&call.app, begin, piece).await?
            }
        };
        Ok(SentStream { time: key.time, key, stream: id })
    }
}
