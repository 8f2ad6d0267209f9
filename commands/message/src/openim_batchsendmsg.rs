//! `openim/batchsendmsg`: sends one message to many accounts, one by one.

use command::scalar::{AnyName, Flag};
use command::{Call, Caller, Command, Family, Spec};
use engine::messages::Outgoing;
use model::{Error, ErrorCode, MessageKey, Result, Seconds, UserId};
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
    ///
    /// Every conversation has its own order of times, and a message is named by the time at which it was taken there. Where a batch
    /// goes on into the next second, the keys differ: `MsgKeyList` names those that are not `MsgKey`.
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
        /// Seconds, as in `openim/sendmsg`; 0: only for who is online now.
        #[serde(rename = "MsgLifeTime", default)]
        pub life_seconds: Option<i64>,
        /// Chosen by the sender, may repeat.
        #[serde(rename = "MsgSeq", default)]
        pub sequence: Option<u32>,
        /// Chosen by the sender.
        #[serde(rename = "MsgRandom")]
        pub random: u32,
        /// A time in seconds, as older back ends send it; has no effect.
        #[serde(rename = "MsgTimeStamp", default)]
        pub time_stamp: Option<Seconds>,
    }
}

/// The key of the message, and whom it did not reach.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SentToMany {
    /// Names the message in the conversation with the first receiver that was reached, and in every other that `MsgKeyList` leaves out.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
    /// The name that clients use for the message.
    #[serde(rename = "MsgId")]
    pub id: String,
    /// The receivers in whose conversations the message has another key. Whimbrel's own.
    #[serde(rename = "MsgKeyList", skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ReceiverKey>,
    /// The receivers that failed.
    #[serde(rename = "ErrorList", skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ReceiverError>,
}

/// A receiver in whose conversation the message has another key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReceiverKey {
    /// Who.
    #[serde(rename = "To_Account")]
    pub to: String,
    /// Names the message in the conversation with this receiver.
    #[serde(rename = "MsgKey")]
    pub key: MessageKey,
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
        ErrorCode::LifeTimeTooLong,
        ErrorCode::NobodyOnline,
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
        let count = u32::try_from(self.to.len()).unwrap_or(u32::MAX);
        let ephemeral = &call.engine.context.ephemeral;
        if !ephemeral.take(call.app.id, "batch receivers", count, RECEIVERS_PER_MINUTE_MAX, 60).await? {
            return Err(ErrorCode::BatchTooOften.into());
        }
        // Without one a repeated call is recognised by the random number in its place.
        let sequence = self.sequence.unwrap_or(self.random);
        let now = call.engine.context.clock.now().seconds();
        let mut tally = Tally { reached: None, keys: Vec::new(), errors: Vec::new(), error: None };
        for name in self.to {
            let to = match name.user() {
                Some(user) => call.engine.accounts.find(call.app.id, &user).await?,
                None => None,
            };
            let Some(to) = to else {
                tally.failed(name.0, ErrorCode::AccountUnknown.into());
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
            match call.engine.send(&call.app, outgoing).await {
                Ok(sent) => tally.reached(name.0, SentMessage::of(sent, from.number)),
                // Those before it have the message: the caller has to learn who.
                Err(error) => tally.failed(name.0, error),
            }
        }
        let key = MessageKey { sequence, random: self.random, time: now };
        tally.reply(key, format!("{}-{}-{}", from.number, now.0, self.random))
    }
}

/// What became of a batch so far.
struct Tally {
    /// The first receiver's key and name of the message.
    reached: Option<(MessageKey, String)>,
    keys: Vec<ReceiverKey>,
    errors: Vec<ReceiverError>,
    /// Why it did not reach the last account that exists and was not reached.
    error: Option<Error>,
}

impl Tally {
    fn reached(&mut self, to: String, sent: SentMessage) {
        let (first, _) = self.reached.get_or_insert((sent.key, sent.id));
        if *first != sent.key {
            self.keys.push(ReceiverKey { to, key: sent.key });
        }
    }

    fn failed(&mut self, to: String, error: Error) {
        let error = SendToMany::SPEC.family.tell(error);
        self.errors.push(ReceiverError { to, code: error.code.number() });
        if error.code != ErrorCode::AccountUnknown {
            self.error = Some(error);
        }
    }

    /// The answer; the key and the name stand in where nobody was there to be reached.
    fn reply(self, key: MessageKey, id: String) -> Result<SentToMany> {
        if let (None, Some(error)) = (&self.reached, self.error) {
            return Err(error);
        }
        let (key, id) = self.reached.unwrap_or((key, id));
        Ok(SentToMany { key, id, keys: self.keys, errors: self.errors })
    }
}
