//! `openim/sendmsg`: sends a one-to-one message.

use command::scalar::Flag;
use command::{Call, Caller, Callers, Command, Family, Spec};
use engine::messages::{Outgoing, Sent};
use model::{AccountNumber, ErrorCode, MessageKey, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::body::{is_online_only, is_receiver_only, sending_request};

sending_request! {
    /// Sends a one-to-one message.
    ///
    /// A resend (same sender, MsgSeq, MsgRandom and content within 24 hours) gets the first answer again and sends
    /// nothing. An administrator may send for any account and is not held up by block lists or keywords. A text of an account
    /// that holds a keyword of the app is refused or changed. To and from a robot (`@RBT#…`) nobody needs to be a friend.
    pub struct SendMessage {
        /// The sender. Over REST the administrator, if absent.
        #[serde(rename = "From_Account", default)]
        pub from: Option<UserId>,
        /// The receiver.
        #[serde(rename = "To_Account")]
        pub to: UserId,
        /// 1: the sender keeps a copy (default); 2: it does not.
        #[serde(rename = "SyncOtherMachine", default)]
        pub sync_other_machine: Option<i64>,
        /// 1: only for who is online now; not stored.
        #[serde(rename = "OnlineOnlyFlag", default)]
        pub online_only: Option<Flag>,
        /// Seconds for which the message waits for who is offline; 0: only for who is online now. Other times are checked and have
        /// no effect: the app's retention says how long a message is kept.
        #[serde(rename = "MsgLifeTime", default)]
        pub life_seconds: Option<i64>,
        /// Chosen by the sender, may repeat.
        #[serde(rename = "MsgSeq", default)]
        pub sequence: Option<u32>,
        /// Chosen by the sender.
        #[serde(rename = "MsgRandom")]
        pub random: u32,
        /// The sender's clock in seconds.
        #[serde(rename = "MsgClientTime", default)]
        pub client_time: Option<Seconds>,
        /// A time in seconds, as older back ends send it; has no effect.
        #[serde(rename = "MsgTimeStamp", default)]
        pub time_stamp: Option<Seconds>,
    }
}

/// When the message was taken, and its key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SentMessage {
    /// Seconds.
    #[serde(rename = "MsgTime")]
    pub time: Seconds,
    /// Names the message in the conversation.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
    /// The name that clients use for the message.
    #[serde(rename = "MsgId")]
    pub id: String,
}

impl SentMessage {
    /// The reply to a send.
    #[must_use]
    pub fn of(sent: Sent, author: AccountNumber) -> Self {
        let id = format!("{author}-{}-{}", sent.client_time.0, sent.key.random);
        Self { time: sent.time, key: sent.key, id }
    }
}

/// Error numbers of single fields that the sending commands share.
pub const FIELD_ERRORS: &[(&str, ErrorCode)] = &[
    ("From_Account", ErrorCode::SenderUnknown),
    ("To_Account", ErrorCode::ReceiverMissing),
    ("MsgRandom", ErrorCode::RandomMissing),
    ("MsgBody", ErrorCode::BodyNotArray),
    ("MsgTimeStamp", ErrorCode::TimeStampMissing),
    ("SyncOtherMachine", ErrorCode::SyncOtherMachineType),
    ("SyncFromOldSystem", ErrorCode::SyncFromOldSystemMissing),
    ("MsgLifeTime", ErrorCode::LifeTimeType),
    ("OfflinePushInfo", ErrorCode::OfflinePushInfoMalformed),
];

impl Command for SendMessage {
    const SPEC: Spec = Spec::new("openim/sendmsg", Family::MESSAGE)
        .callers(Callers::BOTH)
        .fields(FIELD_ERRORS)
        .fails_with(&[
            ErrorCode::MessageAccountUnknown,
            ErrorCode::BlockedByReceiver,
            ErrorCode::NotFriends,
            ErrorCode::SenderNotFriend,
            ErrorCode::ReceiverNotFriend,
            ErrorCode::TextRefused,
            ErrorCode::MessageTooLong,
            ErrorCode::MessageBodyMalformed,
            ErrorCode::ElementMalformed,
            ErrorCode::ReceiverUnknown,
            ErrorCode::LifeTimeTooLong,
            ErrorCode::NobodyOnline,
            ErrorCode::DiskFull,
            ErrorCode::Muted,
        ]);

    type Reply = SentMessage;

    async fn run(mut self, call: &Call) -> Result<SentMessage> {
        let from = match (&self.from, &call.caller) {
            (None, Caller::Administrator(user)) => {
                call.engine.accounts.ensure(call.stamps(), call.app.id, user).await?
            }
            (from, _) => call.actor("From_Account", from.as_ref(), ErrorCode::SenderUnknown).await?,
        };
        if !call.is_administrator() {
            crate::target::check_not_muted(call, &from.user).await?;
        }
        let unknown = if call.is_administrator() {
            ErrorCode::ReceiverUnknown
        } else {
            ErrorCode::MessageAccountUnknown
        };
        let to = call.account("To_Account", &self.to, unknown).await?;
        let mut content = self.take_content().check()?;
        if !call.is_administrator() && content.is_moderated {
            let body = std::mem::take(&mut content.content.body);
            content.content.body = call.engine.moderation.check_body(call.app.id, body).await?;
            // What replaces a word may be longer than it.
            engine::messages::check_size(&content.content)?;
        }
        let mut flags = content.flags;
        flags.receiver_only = is_receiver_only(self.sync_other_machine)?;
        let is_online_only = is_online_only(self.life_seconds, self.online_only)?;
        if !call.is_administrator() && !crate::target::has_robot(&from.user, &to.user) {
            let relations = &call.engine.relations;
            relations.check_friendship(call.app.id, &call.app.settings, from.number, to.number).await?;
        }
        if !call.is_administrator()
            && call.app.settings.block_list_check
            && call.engine.blocks.is_blocked(call.app.id, to.number, from.number).await?
        {
            if !call.app.settings.blocklist_show_sent {
                return Err(ErrorCode::BlockedByReceiver.into());
            }
            // The sender is not told: it keeps the message and the receiver never hears of it.
            flags.sender_only = true;
        }
        let author = from.number;
        let outgoing = Outgoing {
            from,
            to,
            sequence: self.sequence,
            random: self.random,
            client_time: self.client_time,
            content: content.content,
            medium: content.medium,
            flags,
            is_online_only,
            origin: call.instance(),
        };
        let sent = call.engine.send(&call.app, outgoing).await?;
        Ok(SentMessage::of(sent, author))
    }
}
