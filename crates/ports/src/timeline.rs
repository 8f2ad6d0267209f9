//! The Timeline port: conversations as logs of entries, and what follows from them.
//!
//! The log of a conversation is the truth. Heads, lists of conversations, account streams and the state of a
//! message (recalled, read, deleted on one side) are derived from it and can be rebuilt.

use std::sync::Arc;

use model::{
    AccountNumber, ConversationId, Expiry, HistoryKey, InstanceId, Message, MessageKey, Modification,
    Position, SdkAppId, Sealed, Seconds, Stamp, UserId,
};
use serde::{Deserialize, Serialize};

use crate::fault::Answer;
use crate::period::{PeriodPage, PeriodQuery};
use crate::stamped::Stamped;

/// The most messages in one page of history.
pub const PAGE_MAX: usize = 500;

/// The most targets of one receipt or one-sided deletion.
pub const TARGETS_MAX: usize = 100;

/// Unread messages are counted up to this many (page 1047/33524).
pub const UNREAD_MAX: u32 = 250;

/// For how long a resend is recognised, in seconds.
pub const RETRY_SECONDS: u32 = model::time::DAY_SECONDS;

/// A place in everything that was appended; grows with every entry. What a client's sync cookie counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub u64);

/// What makes two sends the same: a hash over sender, MsgSeq and MsgRandom. Never over the content: a hash of a short
/// text would outlive its key and tell it to whoever guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RetryKey(pub [u8; 16]);

/// What happened in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A message was sent.
    Message(Message<Sealed>),
    /// A message was recalled for both sides.
    Recall {
        /// Which one.
        target: HistoryKey,
        /// Its key on the wire.
        key: MessageKey,
        /// Who had sent it.
        author: AccountNumber,
        /// The clock of its sender, which is part of its identity for clients.
        client_time: Seconds,
        /// Who recalled it.
        revoker: UserId,
    },
    /// One side has read the other's messages.
    Read {
        /// Who.
        reader: AccountNumber,
        /// Up to and with this one. A place beyond the newest message means that message.
        up_to: HistoryKey,
    },
    /// One side sent read receipts for single messages.
    Receipt {
        /// Who.
        reader: AccountNumber,
        /// For which messages; at most [`TARGETS_MAX`].
        targets: Vec<ReceiptTarget>,
    },
    /// One side deleted messages from its own view.
    Delete {
        /// Who.
        by: AccountNumber,
        /// Which; at most [`TARGETS_MAX`].
        targets: Vec<HistoryKey>,
    },
    /// One side cleared the conversation from its own view.
    Clear {
        /// Who.
        by: AccountNumber,
        /// Whether the messages so far are gone from its history.
        history: bool,
        /// Whether the conversation is gone from its list until the next message.
        listing: bool,
    },
    /// A message got other content. Nothing is appended unless its version follows that of the message, which is neither
    /// recalled nor emptied.
    Modify {
        /// Which one.
        target: HistoryKey,
        /// Its key on the wire.
        key: MessageKey,
        /// Who had sent it.
        author: AccountNumber,
        /// By whom, and for the how manieth time.
        modification: Modification,
        /// What it says from now on. The message takes it over; what is left here is what names its key.
        content: Sealed,
    },
}

impl Event {
    /// Takes out what an account wrote, and its name; what is left says what happened when, and between which numbers.
    /// Whether anything was there.
    pub fn forget(&mut self, account: AccountNumber, name: &UserId) -> bool {
        match self {
            Self::Message(message) => {
                let is_author = message.author == account;
                let mut had = false;
                if is_author || message.writer() == account {
                    had |= !message.content.bytes.is_empty();
                    message.content.empty();
                }
                // In a conversation with oneself it is both.
                for (is_own, side) in [(is_author, &mut message.from), (!is_author, &mut message.to)] {
                    if (is_own || side == name) && *side != UserId::erased() {
                        *side = UserId::erased();
                        had = true;
                    }
                }
                had
            }
            Self::Recall { revoker, .. } if revoker == name => {
                *revoker = UserId::erased();
                true
            }
            Self::Modify { author, modification, content, .. } => {
                let is_own = *author == account || modification.by == account;
                let had = is_own && !content.bytes.is_empty();
                if had {
                    content.empty();
                }
                had
            }
            Self::Recall { .. }
            | Self::Read { .. }
            | Self::Receipt { .. }
            | Self::Delete { .. }
            | Self::Clear { .. } => false,
        }
    }
}

/// A message that a receipt is for, with what names it to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptTarget {
    /// Where it stands.
    pub at: HistoryKey,
    /// Chosen by its sender.
    pub sequence: u32,
    /// Chosen by its sender.
    pub random: u32,
    /// Its sender's clock.
    pub client_time: Seconds,
}

/// What is to be appended.
#[derive(Clone, Debug)]
pub struct Draft {
    /// To which conversation.
    pub conversation: ConversationId,
    /// What.
    pub event: Event,
    /// For an import: when the message is said to have been sent. Otherwise the store gives the time.
    pub sent_at: Option<Seconds>,
    /// Recognises a resend, within [`RETRY_SECONDS`]. An import with one is repeated by that alone: never by a message of the
    /// other side, or another one, that has its numbers.
    pub retry: Option<RetryKey>,
    /// Which instance of the acting account did it, if one did: it needs no push of its own.
    pub origin: Option<InstanceId>,
}

/// An entry as appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in everything appended.
    pub cursor: Cursor,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its number in the conversation, from 1 without gaps.
    pub position: Position,
    /// When it was taken; for imports when it is said to have been sent. Otherwise never falls in a conversation.
    pub time: Seconds,
    /// Its stamp.
    pub stamp: Stamp,
    /// The key of a resend, if any.
    pub retry: Option<RetryKey>,
    /// Which instance of the acting account did it, if one did.
    pub origin: Option<InstanceId>,
    /// What happened.
    pub event: Event,
}

impl Entry {
    /// Where a message entry stands in the history.
    #[must_use]
    pub const fn history_key(&self) -> HistoryKey {
        HistoryKey { time: self.time, position: self.position }
    }

    /// Which accounts' streams refer to it. A message that one side never got is in both: an erasure finds it there, and
    /// readers leave it out.
    pub fn concerns(&self) -> impl Iterator<Item = AccountNumber> + use<> {
        let [low, high] = self.conversation.sides();
        let one = match &self.event {
            Event::Delete { by, .. } | Event::Clear { by, .. } => Some(*by),
            _ => None,
        };
        let (first, second) = match one {
            Some(account) => (account, None),
            None => (low, (low != high).then_some(high)),
        };
        std::iter::once(first).chain(second)
    }
}

/// The answer to an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The entry's number.
    pub position: Position,
    /// The entry's time.
    pub time: Seconds,
    /// The entry's place in everything appended.
    pub cursor: Cursor,
    /// For a message its key on the wire.
    pub key: Option<MessageKey>,
    /// Whether something was appended. If not, the numbers are those of the entry that was there already: the
    /// resend's original, the import's twin, the recall that came first; or the head's, where nothing changed or another
    /// modification came first.
    pub is_new: bool,
}

/// A message as it is now: content sealed, or opened for its readers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage<C = Sealed> {
    /// Where it stands.
    pub at: HistoryKey,
    /// The message. Its content is empty once it is recalled.
    pub message: Message<C>,
    /// Until when it is kept.
    pub expiry: Expiry,
    /// Who recalled it, if someone did.
    pub revoker: Option<UserId>,
    /// When the receiver sent a read receipt, if it did.
    pub receipt_at: Option<Seconds>,
}

impl<C> StoredMessage<C> {
    /// Its key on the wire.
    #[must_use]
    pub const fn key(&self) -> MessageKey {
        self.message.key(self.at.time)
    }
}

/// Which way a page of history goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the newest towards the oldest.
    Backwards,
    /// From the oldest towards the newest.
    Forwards,
}

/// Which page of a conversation's history.
#[derive(Clone, Copy, Debug)]
pub struct HistoryQuery {
    /// In whose view: deleted, cleared and never received messages are left out.
    pub viewer: AccountNumber,
    /// Only messages after this place.
    pub after: HistoryKey,
    /// Only messages before this place.
    pub before: HistoryKey,
    /// From which end of that part.
    pub direction: Direction,
    /// At most this many, and at most [`PAGE_MAX`].
    pub limit: usize,
}

/// A page of history.
#[derive(Clone, Debug)]
pub struct HistoryPage<C = Sealed> {
    /// The messages, oldest first in either direction.
    pub messages: Vec<StoredMessage<C>>,
    /// Whether the asked part holds no further message in this direction.
    pub complete: bool,
}

/// A conversation in the view of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationView<C = Sealed> {
    /// Which one.
    pub conversation: ConversationId,
    /// The other side.
    pub peer: AccountNumber,
    /// Whether it stands in the viewer's list.
    pub is_listed: bool,
    /// The time that orders it in the list: of its last message, whether or not that can still be shown.
    pub active_at: Seconds,
    /// The last message that the viewer sees, if any.
    pub last: Option<StoredMessage<C>>,
    /// Up to where the viewer has read.
    pub read_to: HistoryKey,
    /// Up to where the other side has read.
    pub peer_read_to: HistoryKey,
}

/// A conversation in an account's list, as far as its place goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    /// The other side.
    pub peer: AccountNumber,
    /// The time that orders it in the list.
    pub active_at: Seconds,
}

/// A part of an account's stream.
#[derive(Clone, Debug, Default)]
pub struct AccountPage {
    /// Entries in the order of their cursors, as they are now: a recalled message has no body, and every modification of a
    /// message says what the last one did.
    pub entries: Vec<Arc<Entry>>,
    /// Where the next page starts.
    pub next: Cursor,
    /// Whether the stream ends here.
    pub complete: bool,
}

/// What was erased of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedMessages {
    /// How many messages it had written.
    pub messages: u64,
    /// When the last of its ciphertext leaves the store for good.
    pub aged_out_by: Seconds,
}

/// Conversations and account streams.
///
/// Atomicity: an append is one entry; number, time and retry key are decided with it, and it is durable when it is
/// answered. What follows from entries is visible as soon as the entry is answered, and is never ahead of it. Order:
/// positions of a conversation are dense and follow the order in which appends were taken; an append taken after
/// another was answered gets a higher position. Repetition: a draft with a retry key, an import and a recall are
/// recognised when repeated, and of two modifications of one version the first is taken. Expired entries are absent from every read at once; what they changed (numbers, read marks, what
/// a side cleared) stays with the conversation.
pub trait Timeline: Send + Sync {
    /// Appends one entry. `Full` if free space is below the floor, `Unavailable` for a stamp without an end: nothing in a
    /// log is kept for ever.
    fn append(&self, draft: Stamped<Draft>) -> Answer<'_, Appended>;

    /// A page of a conversation's history.
    fn history(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        query: HistoryQuery,
    ) -> Answer<'_, HistoryPage>;

    /// The message of `author` with this key, recalled ones included.
    fn find_message(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        author: AccountNumber,
        key: MessageKey,
    ) -> Answer<'_, Option<StoredMessage>>;

    /// An account's conversation with another, if anything was ever appended to it.
    fn conversation(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        conversation: ConversationId,
    ) -> Answer<'_, Option<ConversationView>>;

    /// The order of an account's list: the most recently active conversation first, those of one second by the numbers of
    /// their other sides; at most `limit`. Much cheaper than the conversations themselves.
    fn recent(&self, app: SdkAppId, viewer: AccountNumber, limit: usize) -> Answer<'_, Vec<Recent>>;

    /// An account's listed conversations in that order, at most `limit`.
    fn conversations(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        limit: usize,
    ) -> Answer<'_, Vec<ConversationView>>;

    /// How many counted, live messages of the other side lie after the viewer's read cursor, and after it last took the
    /// conversation off its list; at most [`UNREAD_MAX`].
    fn unread(&self, app: SdkAppId, viewer: AccountNumber, conversation: ConversationId) -> Answer<'_, u32>;

    /// What happened to an account after a cursor.
    fn account_entries(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
    ) -> Answer<'_, AccountPage>;

    /// What happened to an account after a cursor, whether or not it still sees it: also what it deleted, cleared or never
    /// got.
    fn everything_of(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
    ) -> Answer<'_, AccountPage>;

    /// A page of an app's messages of a period that at least one side still sees, conversation by conversation, each in the
    /// order of its history. What was answered before the first page was asked for is in it.
    fn messages_of_period(&self, app: SdkAppId, query: PeriodQuery) -> Answer<'_, PeriodPage>;

    /// From now on messages of an app that were appended until now are absent from every read once they are so many seconds
    /// old, whatever their stamps say; then they are removed. Nothing undoes it. Durable when answered.
    fn shorten(&self, app: SdkAppId, keep_seconds: u32) -> Answer<'_, ()>;

    /// How many messages of an app that are there now would be gone if they were kept so many seconds only.
    fn count_older(&self, app: SdkAppId, keep_seconds: u32) -> Answer<'_, u64>;

    /// Takes away what an account wrote: content and its name are gone from every entry, places and times stay for the
    /// other sides. Its own stream and list are removed. May be repeated, and counts the same then; durable when answered.
    fn erase_account(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        name: UserId,
    ) -> Answer<'_, ErasedMessages>;

    /// Empties the messages of a conversation up to a place: their content is gone for both sides, places and times stay.
    /// May be repeated; durable when answered.
    fn empty_conversation(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        up_to: Position,
    ) -> Answer<'_, ErasedMessages>;

    /// Since when everything that had ended or been removed before is gone from every file: the beginning of today, or `None` as
    /// long as something of it may still lie there.
    fn cleared(&self) -> Answer<'_, Option<Seconds>>;

    /// Removes everything of an app; how many messages that were. May be repeated; durable when answered.
    fn forget_app(&self, app: SdkAppId) -> Answer<'_, u64>;

    /// The newest cursor: what is appended later lies after it.
    fn end(&self) -> Cursor;
}
