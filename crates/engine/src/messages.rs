//! Messages: sent, imported, recalled, read, deleted.

use std::sync::Arc;

use model::message::{CLOUD_CUSTOM_DATA_BYTES_MAX, Content, MESSAGE_BYTES_MAX, MessageFlags};
use model::settings::App;
use model::{
    ConversationId, ErrorCode, Expiry, HistoryKey, InstanceId, Medium, Message, MessageKey, Result, Sealed,
    Seconds,
};
use ports::timeline::{ReceiptTarget, RetryKey, StoredMessage};
use ports::{Appended, Draft, Event, Stamped};
use promise::Stamps;
use promise::keys::{Destroyed, Place};
use sha2::{Digest, Sha256};

use crate::Engine;
use crate::facts::AccountFact;
use crate::preserve::Copied;
use crate::push::{self, Copy, Shown};

/// A message on its way in.
pub struct Outgoing {
    /// Who sends it.
    pub from: Arc<AccountFact>,
    /// To whom.
    pub to: Arc<AccountFact>,
    /// Chosen by the sender; made here if absent.
    pub sequence: Option<u32>,
    /// Chosen by the sender.
    pub random: u32,
    /// The sender's clock; the server's if absent.
    pub client_time: Option<Seconds>,
    /// What it says, checked.
    pub content: Content,
    /// What it carries.
    pub medium: Medium,
    /// Properties.
    pub flags: MessageFlags,
    /// Only for who is online now: not stored.
    pub is_online_only: bool,
    /// The instance that sends it; `None` for the app's back end.
    pub origin: Option<InstanceId>,
}

/// How far ahead of the server's clock an import may be dated.
pub const IMPORT_AHEAD_SECONDS_MAX: u32 = 10;

/// How many different messages with the same numbers of one sender are told apart within the time in which a resend is
/// recognised. Further ones are taken as new each time.
const SAME_NUMBERS_MAX: u8 = 4;

/// Resends are documented to be recognised for so long (page 269/2282).
const RESEND_SECONDS_MIN: u32 = 120;

/// The answer to a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When it was taken.
    pub time: Seconds,
    /// Its key.
    pub key: MessageKey,
    /// What its sender's clock said, as it is kept with the message.
    pub client_time: Seconds,
    /// Whether it was new; if not, this is the answer of the first time.
    pub is_new: bool,
}

/// Checks the sizes of a message.
///
/// # Errors
/// `MessageTooLong`.
pub fn check_size(content: &Content) -> Result<()> {
    if content.cloud_custom_data.len() > CLOUD_CUSTOM_DATA_BYTES_MAX {
        return Err(ErrorCode::MessageTooLong.because("CloudCustomData: at most 8 KB"));
    }
    if content.counted_bytes() > MESSAGE_BYTES_MAX {
        return Err(ErrorCode::MessageTooLong.because("MsgBody and CloudCustomData: at most 12 KB together"));
    }
    Ok(())
}

/// Recognises a resend by what its sender chose. The content is no part of it: where it differs, the message is another
/// one, and gets the key of the next `attempt`.
pub(crate) fn retry_key(outgoing: &Outgoing, attempt: u8) -> RetryKey {
    let mut hash = Sha256::new();
    hash.update(outgoing.from.number.0.to_be_bytes());
    hash.update(outgoing.to.number.0.to_be_bytes());
    // A sender without sequences is recognised by the random number in its place.
    hash.update(outgoing.sequence.unwrap_or(outgoing.random).to_be_bytes());
    hash.update(outgoing.random.to_be_bytes());
    hash.update([attempt]);
    let digest: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    RetryKey(half)
}

fn sent(appended: &Appended, sequence: u32, client_time: Seconds) -> Sent {
    let key = appended.key.unwrap_or(MessageKey { sequence, random: 0, time: appended.time });
    Sent { time: appended.time, key, client_time, is_new: appended.is_new }
}

pub(crate) fn message_of<C>(outgoing: &Outgoing, sequence: u32, now: Seconds, content: C) -> Message<C> {
    Message {
        from: outgoing.from.user.clone(),
        to: outgoing.to.user.clone(),
        author: outgoing.from.number,
        sequence,
        random: outgoing.random,
        client_time: outgoing.client_time.unwrap_or(now),
        content,
        flags: outgoing.flags,
        modification: None,
    }
}

impl Engine {
    /// Sends a message. Whether the sender may is the caller's business.
    ///
    /// # Errors
    /// `MessageTooLong`, `DiskFull`, `NobodyOnline` if the app stores no messages, or what the store says.
    pub async fn send(&self, app: &App, outgoing: Outgoing) -> Result<Sent> {
        check_size(&outgoing.content)?;
        let now = self.context.clock.now().seconds();
        let stamps = Stamps::of(app.id, &app.settings);
        self.profiles.used(stamps, app.id, outgoing.from.number);
        let sequence = outgoing.sequence.unwrap_or_else(|| self.context.random.next_u32());
        self.preserve.message(app.id, &outgoing, sequence, now).await?;
        if outgoing.is_online_only || !stamps.stores_messages() {
            return self.send_unstored(app, &outgoing, sequence, now).await;
        }
        for attempt in 0..SAME_NUMBERS_MAX {
            let retry = Some(retry_key(&outgoing, attempt));
            let appended = self.append_message(app, &outgoing, sequence, now, retry)?.await?;
            if appended.is_new {
                self.statistics.sent(app.id, outgoing.from.number);
                return Ok(sent(&appended, sequence, outgoing.client_time.unwrap_or(now)));
            }
            if let Some(client_time) = self.resent(app, &outgoing, &appended).await? {
                return Ok(sent(&appended, sequence, client_time));
            }
        }
        let appended = self.append_message(app, &outgoing, sequence, now, None)?.await?;
        self.statistics.sent(app.id, outgoing.from.number);
        Ok(sent(&appended, sequence, outgoing.client_time.unwrap_or(now)))
    }

    /// Seals and appends a message.
    fn append_message(
        &self,
        app: &App,
        outgoing: &Outgoing,
        sequence: u32,
        now: Seconds,
        retry: Option<RetryKey>,
    ) -> Result<ports::fault::Answer<'_, Appended>> {
        let conversation = ConversationId::between(outgoing.from.number, outgoing.to.number);
        let author = outgoing.from.number;
        let stamp = Stamps::of(app.id, &app.settings).message(author, now, outgoing.medium);
        let place = Place::message(app.id, conversation, author);
        let sealed = self.keyring.seal(place, now, stamp.expiry, &outgoing.content)?;
        let event = Event::Message(message_of(outgoing, sequence, now, sealed));
        let draft = Draft { conversation, event, sent_at: None, retry, origin: outgoing.origin };
        Ok(self.context.timeline.append(Stamped::new(stamp, draft)))
    }

    /// The sender's clock of the earlier message, if one with the same numbers says the same. Where that cannot be read any more, since it was
    /// recalled, erased or changed, the sender's clock tells: a resend must not bring it back, a new message must not be lost.
    async fn resent(&self, app: &App, outgoing: &Outgoing, earlier: &Appended) -> Result<Option<Seconds>> {
        let author = outgoing.from.number;
        let conversation = ConversationId::between(author, outgoing.to.number);
        let at = HistoryKey { time: earlier.time, position: earlier.position };
        let mut seen = None;
        // Either side may never have got it, or deleted it from its own view.
        for viewer in [author, outgoing.to.number] {
            seen = seen.or(self.message_at(app.id, conversation, viewer, at).await?);
        }
        let Some(found) = seen else { return Ok(Some(outgoing.client_time.unwrap_or(earlier.time))) };
        let first = found.message.client_time;
        let place = Place::message(app.id, conversation, found.message.writer());
        let content = self.keyring.open_content(place, &found.message.content);
        let is_as_sent = found.revoker.is_none() && found.message.modification.is_none();
        if let Some(content) = content.filter(|_| is_as_sent) {
            return Ok((content == outgoing.content).then_some(first));
        }
        let now = self.context.clock.now().seconds();
        let is_resend = match outgoing.client_time {
            Some(client_time) => client_time == first,
            None => now <= earlier.time.plus(RESEND_SECONDS_MIN),
        };
        Ok(is_resend.then_some(first))
    }

    /// Pushes a message that is not stored.
    pub(crate) async fn send_online(
        &self,
        app: &App,
        message: &Message,
        to: &AccountFact,
        now: Seconds,
        origin: Option<InstanceId>,
    ) -> Result<()> {
        let profile = self.profiles.of(app.id, message.author).await?;
        let shown =
            Shown { nick: profile.text(model::profile::NICK), image: profile.text(model::profile::IMAGE) };
        if message.is_kept_by(to.number) {
            let frame = push::message(message, now, shown, Copy::Original, true);
            self.hub.push(app.id, to.number, &frame, origin.filter(|_| to.number == message.author));
            if self.hub.has(app.id, to.number) {
                self.statistics.delivered(app.id);
            }
        }
        if to.number != message.author && message.is_kept_by(message.author) {
            let frame = push::message(message, now, shown, Copy::OfSender, true);
            self.hub.push(app.id, message.author, &frame, origin);
        }
        Ok(())
    }

    /// Takes a message from an older system, at the time it was sent there.
    ///
    /// # Errors
    /// `MessageTooLong`, `TimeStampMissing` for a time that is in the future or past its retention, `NotStored`,
    /// `DiskFull`.
    pub async fn import(&self, app: &App, outgoing: Outgoing, sent_at: Seconds) -> Result<Appended> {
        check_size(&outgoing.content)?;
        let author = outgoing.from.number;
        let stamps = Stamps::of(app.id, &app.settings);
        if !stamps.stores_messages() {
            return Err(ErrorCode::NotStored.into());
        }
        let stamp = stamps.message(author, sent_at, outgoing.medium);
        let now = self.context.clock.now();
        if stamp.expiry.is_over(now) {
            return Err(
                ErrorCode::TimeStampMissing.because("MsgTimeStamp: older than the app keeps messages")
            );
        }
        // Beyond what clocks differ by, it would drag the times of all later messages along.
        if sent_at > now.seconds().plus(IMPORT_AHEAD_SECONDS_MAX) {
            return Err(ErrorCode::TimeStampMissing.because("MsgTimeStamp: in the future"));
        }
        let conversation = ConversationId::between(author, outgoing.to.number);
        let place = Place::message(app.id, conversation, author);
        let sequence = outgoing.sequence.unwrap_or(outgoing.random);
        self.preserve.message(app.id, &outgoing, sequence, sent_at).await?;
        let sealed = self.keyring.seal(place, now.seconds(), stamp.expiry, &outgoing.content)?;
        let mut message = message_of(&outgoing, sequence, sent_at, sealed);
        message.flags.imported = true;
        let draft = Draft {
            conversation,
            event: Event::Message(message),
            sent_at: Some(sent_at),
            retry: None,
            origin: None,
        };
        Ok(self.context.timeline.append(Stamped::new(stamp, draft)).await?)
    }

    /// Appends what is not a message. What concerns messages is kept as long as the one that ends last, other news for a
    /// few days.
    async fn append(
        &self,
        app: &App,
        by: &AccountFact,
        conversation: ConversationId,
        event: Event,
        ends: Option<Expiry>,
        origin: Option<InstanceId>,
    ) -> Result<Appended> {
        let stamps = Stamps::of(app.id, &app.settings);
        let stamp = match ends {
            Some(end) => stamps.about(by.number, end),
            None => stamps.news(by.number, self.context.clock.now().seconds()),
        };
        let draft = Draft { conversation, event, sent_at: None, retry: None, origin };
        Ok(self.context.timeline.append(Stamped::new(stamp, draft)).await?)
    }

    /// Finds a message between two accounts by its key.
    ///
    /// # Errors
    /// What the store says.
    pub async fn message(
        &self,
        app: &App,
        from: &AccountFact,
        to: &AccountFact,
        key: MessageKey,
    ) -> Result<Option<StoredMessage>> {
        let conversation = ConversationId::between(from.number, to.number);
        Ok(self.context.timeline.find_message(app.id, conversation, from.number, key).await?)
    }

    /// Recalls a message for both sides, within `window_seconds` of its time if given.
    ///
    /// # Errors
    /// `RecallMessageMissing`, `AlreadyRecalled`, `RecallTooLate`.
    pub async fn recall(
        &self,
        app: &App,
        from: &AccountFact,
        to: &AccountFact,
        key: MessageKey,
        revoker: &AccountFact,
        window: Option<(u32, Option<InstanceId>)>,
    ) -> Result<()> {
        let Some(found) = self.message(app, from, to, key).await? else {
            return Err(ErrorCode::RecallMessageMissing.into());
        };
        if found.revoker.is_some() {
            return Err(ErrorCode::AlreadyRecalled.into());
        }
        let now = self.context.clock.now().seconds();
        if window.is_some_and(|(seconds, _)| now > found.at.time.plus(seconds) || seconds == 0) {
            return Err(ErrorCode::RecallTooLate.into());
        }
        let event = Event::Recall {
            target: found.at,
            key,
            author: from.number,
            client_time: found.message.client_time,
            revoker: revoker.user.clone(),
        };
        let conversation = ConversationId::between(from.number, to.number);
        let copied = || {
            let place = Place::message(app.id, conversation, found.message.writer());
            let content = self.keyring.open_content(place, &found.message.content)?;
            Some(Copied::stored((&from.user, &to.user), found.at.time, &found.message, &content))
        };
        self.preserve.before_recall(app.id, conversation, found.message.writer(), copied).await?;
        self.will_recall(app.id, conversation, &found, &found.message.content).await?;
        let origin = window.and_then(|(_, origin)| origin);
        let appended = self.append(app, revoker, conversation, event, Some(found.expiry), origin).await?;
        if !appended.is_new {
            return Err(ErrorCode::AlreadyRecalled.into());
        }
        let Sealed { bucket, index, .. } = found.message.content;
        self.doomed.add(Destroyed::Content { bucket, index });
        if let Err(error) = self.forget_annotations_of(app.id, conversation, found.at.position).await {
            // It is recalled all the same; the next change of keys removes them.
            self.job_failed("removing what was added to a recalled message", &error);
        }
        Ok(())
    }

    /// Marks everything up to a time as read by `reader`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn read(
        &self,
        app: &App,
        reader: &AccountFact,
        peer: &AccountFact,
        up_to: Seconds,
        origin: Option<InstanceId>,
    ) -> Result<Appended> {
        let conversation = ConversationId::between(reader.number, peer.number);
        let event = Event::Read { reader: reader.number, up_to: HistoryKey::end_of(up_to) };
        self.append(app, reader, conversation, event, None, origin).await
    }

    /// Sends read receipts for messages of `author` that asked for one. Those that did not, and those that have
    /// one already, are left out.
    ///
    /// # Errors
    /// What the store says.
    pub async fn send_receipts(
        &self,
        app: &App,
        reader: &AccountFact,
        author: &AccountFact,
        keys: &[MessageKey],
        origin: Option<InstanceId>,
    ) -> Result<()> {
        let mut targets: Vec<ReceiptTarget> = Vec::new();
        let mut ends = None;
        for key in keys {
            let Some(found) = self.message(app, author, reader, *key).await? else {
                continue;
            };
            let is_wanted = found.message.flags.needs_receipt && found.receipt_at.is_none();
            ends = ends.max(Some(found.expiry));
            if is_wanted && targets.iter().all(|target| target.at != found.at) {
                targets.push(ReceiptTarget {
                    at: found.at,
                    sequence: key.sequence,
                    random: key.random,
                    client_time: found.message.client_time,
                });
            }
        }
        if targets.is_empty() {
            return Ok(());
        }
        let conversation = ConversationId::between(reader.number, author.number);
        let event = Event::Receipt { reader: reader.number, targets };
        self.append(app, reader, conversation, event, ends, origin).await.map(drop)
    }

    /// Deletes messages from the view of `by`. Those that are not there are left out.
    ///
    /// # Errors
    /// What the store says.
    pub async fn delete_messages(
        &self,
        app: &App,
        by: &AccountFact,
        peer: &AccountFact,
        keys: &[MessageKey],
        origin: Option<InstanceId>,
    ) -> Result<()> {
        let mut targets: Vec<HistoryKey> = Vec::new();
        let mut ends = None;
        for key in keys {
            // The key does not say who sent it.
            let found = match self.message(app, by, peer, *key).await? {
                Some(found) => Some(found),
                None => self.message(app, peer, by, *key).await?,
            };
            let Some(found) = found.filter(|found| !targets.contains(&found.at)) else { continue };
            ends = ends.max(Some(found.expiry));
            targets.push(found.at);
        }
        if targets.is_empty() {
            return Ok(());
        }
        let conversation = ConversationId::between(by.number, peer.number);
        let event = Event::Delete { by: by.number, targets };
        self.append(app, by, conversation, event, ends, origin).await.map(drop)
    }

    /// Takes a conversation off the list of `by`, clears its history there, or both. What comes after the entry that says so is
    /// not concerned.
    ///
    /// # Errors
    /// What the store says.
    pub async fn clear(
        &self,
        app: &App,
        by: &AccountFact,
        peer: &AccountFact,
        history: bool,
        listing: bool,
        origin: Option<InstanceId>,
    ) -> Result<Appended> {
        let conversation = ConversationId::between(by.number, peer.number);
        let event = Event::Clear { by: by.number, history, listing };
        self.append(app, by, conversation, event, None, origin).await
    }
}
