//! A one-to-one message as it is stored, and the numbers that place it in its conversation.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::{AccountNumber, MessageKey, UserId};
use crate::time::Seconds;

/// The most bytes of `MsgBody` (as stored) and `CloudCustomData` together (page 1047/33523).
pub const MESSAGE_BYTES_MAX: usize = 12 * 1024;

/// The most bytes of `CloudCustomData` alone (page 269/2282).
pub const CLOUD_CUSTOM_DATA_BYTES_MAX: usize = 8 * 1024;

/// The most bytes of `OfflinePushInfo` as JSON.
pub const OFFLINE_PUSH_INFO_BYTES_MAX: usize = 8 * 1024;

/// `OfflinePushInfo` as the Web SDK (seen with 3.6.6) sends it with every message whose sender set none of it.
pub const OFFLINE_PUSH_INFO_UNSET: &str = concat!(
    r#"{"PushFlag":0,"Title":"","Desc":"","Ext":"","ApnsInfo":{"Sound":"","BadgeMode":0,"Image":"","#,
    r#""InterruptionLevel":"active","ContentAvailable":0},"AndroidInfo":{"Sound":"","XiaoMiChannelID":"","#,
    r#""OPPOChannelID":"","GoogleChannelID":"","VIVOClassification":1,"VIVOCategory":"","HuaWeiCategory":"","#,
    r#""OPPOCategory":"","HuaWeiImage":"","HonorImage":"","GoogleImage":"","HonorImportance":""}}"#,
);

/// The number of an entry in its conversation: every kind of entry counts, from 1, without gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// Where a message stands in the history: by time, within a second by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HistoryKey {
    /// When the message was taken, or for an import when it is said to have been sent.
    pub time: Seconds,
    /// Its position.
    pub position: Position,
}

impl HistoryKey {
    /// Before every message.
    pub const START: Self = Self { time: Seconds(0), position: Position(0) };
    /// After every message.
    pub const END: Self = Self { time: Seconds(u32::MAX), position: Position(u64::MAX) };

    /// Before every message of this second.
    #[must_use]
    pub const fn start_of(time: Seconds) -> Self {
        Self { time, position: Position(0) }
    }

    /// After every message of this second.
    #[must_use]
    pub const fn end_of(time: Seconds) -> Self {
        Self { time, position: Position(u64::MAX) }
    }
}

/// Yes-or-no properties of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFlags {
    /// The sender wants a read receipt (`IsNeedReadReceipt`).
    pub needs_receipt: bool,
    /// Extensions may be set on it (`SupportMessageExtension`).
    pub supports_extension: bool,
    /// It was forwarded or merged (`IsRelayMsg`).
    pub relayed: bool,
    /// It does not count as unread (`NoUnread`).
    pub uncounted: bool,
    /// It does not become the conversation's last message (`NoLastMsg`).
    pub not_last: bool,
    /// The sender keeps no copy (`SyncOtherMachine` 2).
    pub receiver_only: bool,
    /// Only the sender keeps it: the receiver has blocked the sender and the app does not tell.
    pub sender_only: bool,
    /// It came by import and was not sent here.
    pub imported: bool,
}

/// What the sender of a message wrote.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// `MsgBody`: JSON as checked by [`crate::element::normalise`]. Empty once the message is recalled or erased.
    pub body: Bytes,
    /// `CloudCustomData`.
    pub cloud_custom_data: Box<str>,
    /// `OfflinePushInfo`: JSON as it came, for push vendors; `None` if the sender set none of it.
    pub offline_push_info: Option<Box<str>>,
}

impl Content {
    /// The bytes that count against [`MESSAGE_BYTES_MAX`].
    #[must_use]
    pub fn counted_bytes(&self) -> usize {
        self.body.len() + self.cloud_custom_data.len()
    }
}

impl std::fmt::Debug for Content {
    // Bodies never reach a log or a panic.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("bytes", &self.counted_bytes()).finish_non_exhaustive()
    }
}

impl<C: std::fmt::Debug> std::fmt::Debug for Message<C> {
    // Accounts never reach a log or a panic.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("sequence", &self.sequence)
            .field("random", &self.random)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

/// What is stored sealed: under a key that is derived from bucket, index and time, among others.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The day, counted from 1970, at whose beginning it has expired.
    pub bucket: u16,
    /// Unique for ever: a key is used once.
    pub index: u64,
    /// When it was sealed.
    pub sealed_at: Seconds,
    /// The sealed bytes; none once the message is recalled. Base64 where text is written.
    #[serde(with = "crate::base64_bytes")]
    pub bytes: Bytes,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Sealed {
    /// Takes the content away and leaves what names its key.
    pub fn empty(&mut self) {
        self.bytes = Bytes::new();
    }
}

/// That a message was changed after it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modification {
    /// How often, from 1: what clients compare (`MsgVersion`).
    pub version: u32,
    /// Who wrote the content as it is now: either side may.
    pub by: AccountNumber,
}

/// A message. Names and pictures of the sender are not part of it: they are filled in at delivery.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message<C = Content> {
    /// Who sent it.
    pub from: UserId,
    /// To whom.
    pub to: UserId,
    /// The sender's number.
    pub author: AccountNumber,
    /// Chosen by the sender; may repeat.
    pub sequence: u32,
    /// Chosen by the sender.
    pub random: u32,
    /// The sender's clock.
    pub client_time: Seconds,
    /// What the sender wrote.
    pub content: C,
    /// Properties.
    pub flags: MessageFlags,
    /// How it was changed since, if it was.
    pub modification: Option<Modification>,
}

impl<C> Message<C> {
    /// The same message with other content, or with the same in another form.
    #[must_use]
    pub fn clone_with<D>(&self, content: D) -> Message<D> {
        Message {
            from: self.from.clone(),
            to: self.to.clone(),
            author: self.author,
            sequence: self.sequence,
            random: self.random,
            client_time: self.client_time,
            content,
            flags: self.flags,
            modification: self.modification,
        }
    }

    /// Who wrote the content as it is now.
    #[must_use]
    pub fn writer(&self) -> AccountNumber {
        self.modification.map_or(self.author, |modification| modification.by)
    }

    /// How often it was changed since it was sent.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.modification.map_or(0, |modification| modification.version)
    }

    /// The key of this message, if it was taken at `time`.
    #[must_use]
    pub const fn key(&self, time: Seconds) -> MessageKey {
        MessageKey { sequence: self.sequence, random: self.random, time }
    }

    /// Whether the side of this account keeps the message.
    #[must_use]
    pub fn is_kept_by(&self, account: AccountNumber) -> bool {
        if account == self.author { !self.flags.receiver_only } else { !self.flags.sender_only }
    }
}

impl Message<Sealed> {
    /// Takes away what a recall does: the content, and that it was changed before.
    pub fn recall(&mut self) {
        self.content.empty();
        self.modification = None;
    }
}
