//! `openim/batchsendmsg`: sends one message to many accounts, one by one.

use command::scalar::{AnyName, Flag};
use command::{Call, Caller, Command, Family, Spec};
use engine::messages::Outgoing;
use model::{ErrorCode, MessageKey, Result, UserId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::body::{is_online_only, is_receiver_only, sending_request};
use crate::openim_sendmsg::{FIELD_ERRORS, SentMessage};

/// The most receivers of one call.
pub const RECEIVERS_MAX: usize = 500;

/// The most receivers within a minute.
pub const RECEIVERS_PER_MINUTE_MAX: u32 = 12_000;

sending_request! {
    /// Sends one message to up to 500 accounts. Each gets it in its own conversation with the sender.
    pub struct SendToMany {
        /// The sender; the administrator, if absent.
        #[serde(rename = "From_Account", default)]
        pub from: Option<UserId>,
        /// The receivers.
        #[serde(rename = "To_Account")]
        pub to: Vec<AnyName>,
        /// 1: the sender keeps a copy (default); 2: it does not.
        #[serde(rename = "SyncOtherMachine", default)]
        pub sync_other_machine: Option<i64>,
        /// 1: only for who is online now; not stored.
        #[serde(rename = "OnlineOnlyFlag", default)]
        pub online_only: Option<Flag>,
        /// Seconds; 0: only for who is online now.
        #[serde(rename = "MsgLifeTime", default)]
        pub life_seconds: Option<i64>,
        /// Chosen by the sender, may repeat.
        #[serde(rename = "MsgSeq", default)]
        pub sequence: Option<u32>,
        /// Chosen by the sender.
        #[serde(rename = "MsgRandom")]
        pub random: u32,
    }
}

/// One key for all, and whom the message did not reach.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SentToMany {
    /// Names the message in each of the conversations.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
    /// The name that clients use for the message.
    #[serde(rename = "MsgId")]
    pub id: String,
    /// The receivers that failed.
    #[serde(rename = "ErrorList", skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ReceiverError>,
}

/// A receiver that failed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReceiverError {
    /// Who.
    #[serde(rename = "To_Account")]
    pub to: String,
    /// Why.
    #[serde(rename = "ErrorCode")]
    pub code: i64,
}

impl Command for SendToMany {
    const SPEC: Spec = Spec::new("openim/batchsendmsg", Family::MESSAGE).fields(FIELD_ERRORS).fails_with(&[
        ErrorCode::TooManyReceivers,
        ErrorCode::BatchTooOften,
        ErrorCode::MessageTooLong,
        ErrorCode::MessageBodyMalformed,
        ErrorCode::ElementMalformed,
        ErrorCode::DiskFull,
    ]);

    type Reply = SentToMany;

    async fn run(mut self, call: &Call) -> Result<SentToMany> {
        if self.to.is_empty() {
            return Err(ErrorCode::ReceiverMissing.because("To_Account: at least one receiver"));
        }
        if self.to.len() > RECEIVERS_MAX {
            return Err(ErrorCode::TooManyReceivers.into());
        }
        let count = u32::try_from(self.to.len()).unwrap_or(u32::MAX);
        let ephemeral = &call.engine.context.ephemeral;
        if !ephemeral.take(call.app.id, "batch receivers", count, RECEIVERS_PER_MINUTE_MAX, 60).await? {
            return Err(ErrorCode::BatchTooOften.into());
        }
        let from = match (&self.from, &call.caller) {
            (None, Caller::Administrator(user)) => {
                call.engine.accounts.ensure(call.stamps(), call.app.id, user).await?
            }
            (from, _) => call.actor("From_Account", from.as_ref(), ErrorCode::SenderUnknown).await?,
        };
        let content = self.take_content().check()?;
        let mut flags = content.flags;
        flags.receiver_only = is_receiver_only(self.sync_other_machine)?;
        let is_online_only = is_online_only(self.life_seconds, self.online_only)?;
        // Without one a repeated call is recognised by the random number in its place.
        let sequence = self.sequence.unwrap_or(self.random);
        let now = call.engine.context.clock.now().seconds();
        let mut reply = SentToMany {
            key: MessageKey { sequence, random: self.random, time: now },
            id: format!("{}-{}-{}", from.number, now.0, self.random),
            errors: Vec::new(),
        };
        for name in self.to {
            let to = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            let Some(to) = to else {
                let code = ErrorCode::AccountUnknown.number();
                reply.errors.push(ReceiverError { to: name.0, code });
                continue;
            };
            let outgoing = Outgoing {
                from: from.clone(),
                to,
                sequence: Some(sequence),
                random: self.random,
                client_time: Some(now),
                content: content.content.clone(),
                medium: content.medium,
                flags,
                is_online_only,
                origin: None,
            };
            let sent = call.engine.send(&call.app, outgoing).await?;
            let SentMessage { key, id, .. } = SentMessage::of(sent, from.number, Some(now));
            (reply.key, reply.id) = (key, id);
        }
        Ok(reply)
    }
}
