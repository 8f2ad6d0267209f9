//! `openim/importmsg`: takes a message from an older system.

use command::{Call, Command, Done, Family, Spec};
use engine::messages::Outgoing;
use model::{ErrorCode, Result, Seconds, UserId};

use crate::body::sending_request;
use crate::openim_sendmsg::FIELD_ERRORS;

sending_request! {
    /// Imports a message at the time it was sent elsewhere.
    ///
    /// A message with the same MsgSeq, MsgRandom and MsgTimeStamp in the same conversation is taken for a repetition,
    /// whatever its content or direction; the first one stays.
    pub struct ImportMessage {
        /// 5: counted as unread and pushed; 2: history, neither.
        #[serde(rename = "SyncFromOldSystem")]
        pub mode: i64,
        /// The sender.
        #[serde(rename = "From_Account")]
        pub from: UserId,
        /// The receiver.
        #[serde(rename = "To_Account")]
        pub to: UserId,
        /// Chosen by the sender, may repeat.
        #[serde(rename = "MsgSeq", default)]
        pub sequence: Option<u32>,
        /// Chosen by the sender.
        #[serde(rename = "MsgRandom")]
        pub random: u32,
        /// When it was sent, in seconds.
        #[serde(rename = "MsgTimeStamp")]
        pub sent_at: Seconds,
    }
}

impl Command for ImportMessage {
    const SPEC: Spec = Spec::new("openim/importmsg", Family::MESSAGE).fields(FIELD_ERRORS).fails_with(&[
        ErrorCode::SyncFromOldSystemMissing,
        ErrorCode::ReceiverUnknown,
        ErrorCode::MessageTooLong,
        ErrorCode::MessageBodyMalformed,
        ErrorCode::ElementMalformed,
        ErrorCode::NotStored,
        ErrorCode::DiskFull,
    ]);

    type Reply = Done;

    async fn run(mut self, call: &Call) -> Result<Done> {
        let is_live = match self.mode {
            5 => true,
            2 => false,
            _ => return Err(ErrorCode::SyncFromOldSystemMissing.because("SyncFromOldSystem: 2 or 5")),
        };
        let from = call.account("From_Account", &self.from, ErrorCode::SenderUnknown).await?;
        let to = call.account("To_Account", &self.to, ErrorCode::ReceiverUnknown).await?;
        let content = self.take_content().check()?;
        let mut flags = content.flags;
        flags.uncounted |= !is_live;
        let outgoing = Outgoing {
            from,
            to,
            sequence: self.sequence,
            random: self.random,
            client_time: Some(self.sent_at),
            content: content.content,
            medium: content.medium,
            flags,
            is_online_only: false,
            origin: None,
        };
        call.engine.import(&call.app, outgoing, self.sent_at).await?;
        Ok(Done {})
    }
}
