//! `openim_robot_http_svc/send_stream_msg`: a robot speaks, piece by piece.

use command::scalar::Flag;
use command::{Call, Command, Family, Spec};
use engine::streams::{Beginning, Piece, Streamed};
use model::{Error, ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sends the next piece of what a robot says to an account (page 1047/71131).
///
/// Without `MsgKey` it is the first piece; its answer gives the key that every later call repeats. The limits are those of
/// `stream_msg/send_c2c_stream_msg`: after 15 seconds without a piece, or with `Finish`, it is one message of the history.
#[derive(Deserialize, JsonSchema)]
pub struct StreamOfRobot {
    /// The robot.
    #[serde(rename = "From_Account")]
    pub from: UserId,
    /// To whom.
    #[serde(rename = "To_Account")]
    pub to: UserId,
    /// What it adds to the text.
    #[serde(rename = "Chunk")]
    pub text: String,
    /// The answer of the first call; absent there.
    #[serde(rename = "MsgKey", default)]
    pub key: Option<String>,
    /// 1: this is the last piece.
    #[serde(rename = "Finish", default)]
    pub is_last: Option<Flag>,
}

/// The message that it becomes.
#[derive(Serialize, JsonSchema)]
pub struct Spoken {
    /// Names the message in the conversation.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
}

/// What is wrong with a piece, by the number that robots have for it.
fn bad(error: Error) -> Error {
    match error.code {
        ErrorCode::StreamOver => ErrorCode::RobotBadParameter.in_field("MsgKey", error.info),
        ErrorCode::MessageTooLong => ErrorCode::RobotBadParameter.in_field("Chunk", error.info),
        _ => error,
    }
}

impl Command for StreamOfRobot {
    const SPEC: Spec = Spec::new("openim_robot_http_svc/send_stream_msg", Family::ROBOT).fails_with(&[
        ErrorCode::CommandTooOften,
        ErrorCode::NotStored,
        ErrorCode::DiskFull,
        ErrorCode::StreamsFull,
    ]);

    type Reply = Spoken;

    async fn run(self, call: &Call) -> Result<Spoken> {
        let (engine, app) = (&call.engine, &call.app);
        let from = call.account("From_Account", &self.from, ErrorCode::RobotBadParameter).await?;
        if !engine.is_robot(app.id, from.number).await? {
            return Err(ErrorCode::RobotBadParameter.in_field("From_Account", "is no robot"));
        }
        let to = call.account("To_Account", &self.to, ErrorCode::RobotBadParameter).await?;
        let is_last = self.is_last.is_some_and(|flag| flag.0);
        let piece = Piece { index: None, text: self.text, compatible_text: String::new(), is_last };
        let streamed = match self.key.filter(|key| !key.is_empty()) {
            None => {
                let begin = Beginning {
                    from,
                    to,
                    sequence: None,
                    random: engine.context.random.next_u32(),
                    cloud_custom_data: Box::default(),
                    receiver_only: false,
                };
                engine.begin_stream(app, begin, piece).await
            }
            Some(key) => {
                let key: MessageKey =
                    key.parse().map_err(|error| ErrorCode::RobotBadParameter.in_field("MsgKey", error))?;
                let id = engine.stream_of(app.id, from.number, to.number, key);
                let id = id.ok_or_else(|| bad(ErrorCode::StreamOver.into()))?;
                engine.continue_stream(app, &id, (from, to), piece).await
            }
        };
        let Streamed { key, .. } = streamed.map_err(bad)?;
        Ok(Spoken { key })
    }
}
