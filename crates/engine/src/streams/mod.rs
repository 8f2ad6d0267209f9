//! Streams: messages that are sent piece by piece, as robots speak.
//!
//! Every piece is kept, sealed, before it is acknowledged and pushed to who is online. When a stream ends (its last piece, or
//! no piece for [`SILENCE_SECONDS_MAX`], or a start of the server) the whole text becomes one message of the history, at the
//! time of the first piece and under the key that was answered then; the pieces go, and their keys with them. Nobody's leave is
//! asked: only back ends send streams.

mod ending;
mod facts;

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use model::message::{CLOUD_CUSTOM_DATA_BYTES_MAX, MessageFlags};
use model::settings::App;
use model::{
    AccountNumber, Content, ConversationId, ErrorCode, Medium, MessageKey, Millis, Result, SdkAppId,
};
use parking_lot::Mutex;
use ports::Record as _;
use ports::records::find;
use promise::Stamps;
use promise::keys::Place;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;

use self::facts::StreamId;
pub use self::facts::{PieceFact, StreamFact};
use crate::Engine;
use crate::facts::AccountFact;
use crate::messages::{Outgoing, message_of};
use crate::push::{self, Copy, Shown};
use crate::store::{TRIES_MAX, put, unchanged, write_if};

/// A stream has fewer bytes of text than this (page 1047/71131).
pub const STREAM_BYTES_MAX: usize = 128 * 1024;

/// After so many seconds without a piece a stream ends by itself (page 1047/71131).
pub const SILENCE_SECONDS_MAX: u32 = 15;

/// How many pieces of a stream are taken in a second after the first (page 1047/71131).
pub const PIECES_PER_SECOND: u32 = 5;

/// How many pieces a stream has at most.
pub const PIECES_MAX: u32 = 10_000;

/// How many streams of an app may be open at the same time.
pub const OPEN_MAX: usize = 1000;

/// How often it is looked which streams are silent for too long.
const EVERY: Duration = Duration::from_secs(1);

/// Who streams what to whom.
pub struct Beginning {
    /// Who sends.
    pub from: Arc<AccountFact>,
    /// To whom.
    pub to: Arc<AccountFact>,
    /// Chosen by the sender; made here if absent.
    pub sequence: Option<u32>,
    /// Chosen by the sender.
    pub random: u32,
    /// The app's own text.
    pub cloud_custom_data: Box<str>,
    /// Whether the sender keeps no copy.
    pub receiver_only: bool,
}

/// A piece on its way in.
pub struct Piece {
    /// Its number; the next one, if absent.
    pub index: Option<u32>,
    /// What it adds to the text.
    pub text: String,
    /// What clients show that do not know streams.
    pub compatible_text: String,
    /// Whether the stream ends with it.
    pub is_last: bool,
}

/// The answer to a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streamed {
    /// What later pieces name.
    pub id: String,
    /// The key of the message that the stream becomes; its time is that of the first piece.
    pub key: MessageKey,
}

/// What is sealed of a piece.
#[derive(Default, Serialize, Deserialize)]
struct Said {
    text: String,
    /// With the first piece: the app's own text.
    #[serde(default)]
    custom: Box<str>,
}

/// An open stream, as far as it is looked for.
#[derive(Clone, Copy)]
struct Open {
    author: AccountNumber,
    receiver: AccountNumber,
    key: MessageKey,
    ends_at: Millis,
}

/// The open streams of all apps.
#[derive(Default)]
pub(crate) struct Streams {
    open: Mutex<HashMap<(SdkAppId, StreamId), Open>>,
    /// Held by whoever ends one; several share each.
    ending: [tokio::sync::Mutex<()>; 16],
    added: Arc<Notify>,
}

impl Streams {
    fn put_off(&self, app: SdkAppId, id: StreamId, ends_at: Millis) {
        if let Some(open) = self.open.lock().get_mut(&(app, id)) {
            open.ends_at = ends_at;
        }
    }

    /// What whoever ends this one holds.
    fn ending(&self, id: StreamId) -> &tokio::sync::Mutex<()> {
        let [first, ..] = id;
        let [only, ..] = &self.ending;
        self.ending.get(usize::from(first) % self.ending.len()).unwrap_or(only)
    }

    /// Those between two accounts, in the order of their names.
    fn between(&self, app: SdkAppId, conversation: ConversationId) -> Vec<StreamId> {
        let open = self.open.lock();
        let is_it = |open: &Open| ConversationId::between(open.author, open.receiver) == conversation;
        let mut found: Vec<_> =
            open.iter().filter(|((of, _), open)| *of == app && is_it(open)).map(|((_, id), _)| *id).collect();
        found.sort_unstable();
        found
    }

    /// Those that nobody adds to any more, in the order of their names: a run is the same each time.
    fn silent(&self, now: Millis) -> Vec<(SdkAppId, StreamId)> {
        let open = self.open.lock();
        let mut silent: Vec<_> =
            open.iter().filter(|(_, open)| open.ends_at <= now).map(|(place, _)| *place).collect();
        silent.sort_unstable();
        silent
    }
}

/// Stores what has ended, for as long as the engine lives.
pub(crate) fn start(engine: &Arc<Engine>) {
    let (weak, clock) = (Arc::downgrade(engine), Arc::clone(&engine.context.clock));
    let added = Arc::clone(&engine.streams.added);
    engine.context.spawner.spawn(Box::pin(async move {
        loop {
            let Some(engine) = weak.upgrade() else { return };
            for (app, id) in engine.streams.silent(clock.now()) {
                engine.end_stream(app, id).await;
            }
            let is_idle = engine.streams.open.lock().is_empty();
            drop(engine);
            if is_idle {
                added.notified().await;
            }
            clock.sleep(EVERY).await;
        }
    }));
}

fn over() -> model::Error {
    ErrorCode::StreamOver.into()
}

impl Engine {
    /// Finds the streams that the last run of the server left open: they have ended.
    pub(crate) async fn resume_streams(&self) -> Result<()> {
        for app in self.apps.list().await? {
            let mut after = None;
            loop {
                let found = self.facts::<StreamFact>(app.id, after).await?;
                let Some((last, _)) = found.last() else { break };
                after = Some((Vec::new(), last.key()));
                let mut open = self.streams.open.lock();
                for (fact, _) in found {
                    let StreamFact { author, receiver, key, .. } = fact;
                    open.insert((app.id, fact.id), Open { author, receiver, key, ends_at: Millis(0) });
                }
            }
        }
        Ok(())
    }

    /// Begins a stream with its first piece. The same numbers again, while it is open, get the first answer again.
    ///
    /// # Errors
    /// `MessageTooLong`, `ElementMalformed` if the piece is not the first, `StreamsFull`, `NotStored`, `DiskFull`.
    pub async fn begin_stream(&self, app: &App, begin: Beginning, piece: Piece) -> Result<Streamed> {
        if !Stamps::of(app.id, &app.settings).stores_messages() {
            return Err(ErrorCode::NotStored.into());
        }
        if begin.cloud_custom_data.len() > CLOUD_CUSTOM_DATA_BYTES_MAX {
            return Err(ErrorCode::MessageTooLong.because("CloudCustomData: at most 8 KB"));
        }
        let now = self.context.clock.now();
        let mut id = StreamId::default();
        self.context.random.fill(&mut id);
        let sequence = begin.sequence.unwrap_or_else(|| self.context.random.next_u32());
        let key = MessageKey { sequence, random: begin.random, time: now.seconds() };
        let (author, receiver) = (begin.from.number, begin.to.number);
        let mut fact = StreamFact {
            id,
            author,
            receiver,
            key,
            receiver_only: begin.receiver_only,
            pieces: 0,
            bytes: 0,
            is_over: false,
            is_dropped: false,
        };
        grow(&mut fact, &piece)?;
        if let Some(earlier) = self.admit_stream(app.id, &fact)? {
            return Ok(earlier);
        }
        self.profiles.used(Stamps::of(app.id, &app.settings), app.id, author);
        let message = outgoing(&fact, begin.from, begin.to);
        let said = Said { text: piece.text.clone(), custom: begin.cloud_custom_data };
        let kept = self.keep_piece(app, &fact, None, &message, &said).await;
        // From now on silence is counted. Where it is not known whether it was kept whoever ends it finds out.
        let silent_at = if kept.is_ok() { ends_at(self.context.clock.now()) } else { now };
        self.streams.put_off(app.id, id, silent_at);
        self.streams.added.notify_one();
        if !kept? {
            self.streams.open.lock().remove(&(app.id, id));
            return Err(ErrorCode::MessageServiceUnavailable.into());
        }
        self.statistics.sent(app.id, author);
        self.piece_is_kept(app, &fact, &message, &piece).await
    }

    /// Takes the next piece of a stream between two accounts.
    ///
    /// # Errors
    /// `StreamOver` if there is no such stream, or none any more; `CommandTooOften`, `ElementMalformed` for another piece than
    /// the next, `MessageTooLong`, `DiskFull`.
    pub async fn continue_stream(
        &self,
        app: &App,
        id: &str,
        (from, to): (Arc<AccountFact>, Arc<AccountFact>),
        piece: Piece,
    ) -> Result<Streamed> {
        let name = u128::from_str_radix(id, 16).ok().filter(|_| id.len() == 32).ok_or_else(over)?;
        let name: StreamId = name.to_be_bytes();
        let now = self.context.clock.now();
        let open = self.streams.open.lock().get(&(app.id, name)).copied().ok_or_else(over)?;
        if open.author != from.number || open.receiver != to.number || open.ends_at <= now {
            return Err(over());
        }
        let window = format!("stream {id}");
        if !self.context.ephemeral.take(app.id, &window, 1, PIECES_PER_SECOND, 1).await? {
            let most = format!("at most {PIECES_PER_SECOND} pieces of a stream per second");
            return Err(ErrorCode::CommandTooOften.because(most));
        }
        for _ in 0..TRIES_MAX {
            let found = find::<StreamFact>(self.context.records.as_ref(), app.id, &name).await?;
            let (mut fact, version) = found.filter(|(fact, _)| !fact.is_over).ok_or_else(over)?;
            grow(&mut fact, &piece)?;
            let message = outgoing(&fact, Arc::clone(&from), Arc::clone(&to));
            let said = Said { text: piece.text.clone(), custom: Box::default() };
            if self.keep_piece(app, &fact, Some(version), &message, &said).await? {
                self.streams.put_off(app.id, name, ends_at(now));
                return self.piece_is_kept(app, &fact, &message, &piece).await;
            }
        }
        Err(ErrorCode::MessageServiceUnavailable.into())
    }

    /// The open stream between two accounts that becomes the message of this key.
    #[must_use]
    pub fn stream_of(
        &self,
        app: SdkAppId,
        from: AccountNumber,
        to: AccountNumber,
        key: MessageKey,
    ) -> Option<String> {
        let open = self.streams.open.lock();
        let is_it = |open: &Open| open.author == from && open.receiver == to && open.key == key;
        let found = open.iter().find(|((of, _), open)| *of == app && is_it(open));
        found.map(|((_, id), _)| crate::apps::hex(id))
    }

    /// Whether anything is kept of streams of an app that are not yet messages.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keeps_streams(&self, app: SdkAppId) -> Result<bool> {
        let (streams, pieces) =
            (self.facts::<StreamFact>(app, None).await?, self.facts::<PieceFact>(app, None).await?);
        Ok(!streams.is_empty() || !pieces.is_empty())
    }

    /// Counts a stream among the open ones, unless it repeats one of them. Nobody ends it before its first piece is kept.
    fn admit_stream(&self, app: SdkAppId, fact: &StreamFact) -> Result<Option<Streamed>> {
        let StreamFact { id, author, receiver, key, .. } = *fact;
        let mut open = self.streams.open.lock();
        let mut count = 0;
        for ((_, id), other) in open.iter().filter(|((of, _), _)| *of == app) {
            count += 1;
            let is_same = (other.key.sequence, other.key.random) == (key.sequence, key.random);
            if is_same && other.author == author && other.receiver == receiver {
                return Ok(Some(Streamed { id: crate::apps::hex(id), key: other.key }));
            }
        }
        if count >= OPEN_MAX {
            return Err(ErrorCode::StreamsFull.into());
        }
        open.insert((app, id), Open { author, receiver, key, ends_at: Millis(u64::MAX) });
        Ok(None)
    }

    /// Keeps a piece with what the stream is by it; `false` if another came first.
    async fn keep_piece(
        &self,
        app: &App,
        fact: &StreamFact,
        version: Option<u64>,
        message: &Outgoing,
        said: &Said,
    ) -> Result<bool> {
        let now = self.context.clock.now().seconds();
        let stamp = Stamps::of(app.id, &app.settings).message(fact.author, fact.key.time, Medium::Text);
        let place = Place::message(app.id, fact.conversation(), fact.author);
        // What law demands is kept before it is delivered: of each piece, since an erasure may come before the whole.
        let (from, to) = (Arc::clone(&message.from), Arc::clone(&message.to));
        let copied = Outgoing { content: content_of(said), ..outgoing(fact, from, to) };
        self.preserve.message(app.id, &copied, fact.key.sequence, fact.key.time).await?;
        let bytes = serde_json::to_vec(said)
            .map_err(|error| model::Error::from(ErrorCode::MessageServiceUnavailable).caused_by(error))?;
        let sealed = self.keyring.seal_bytes(place, now, stamp.expiry, bytes)?;
        let StreamFact { id, author, receiver, pieces: index, .. } = *fact;
        let piece = PieceFact { id, index, author, receiver, sealed };
        let conditions = vec![unchanged::<StreamFact>(fact.key(), version)];
        let writes = vec![put(stamp, fact)?, put(stamp, &piece)?];
        write_if(self.context.records.as_ref(), app.id, conditions, writes).await
    }

    /// Pushes a piece to who is online; the last one ends the stream.
    async fn piece_is_kept(
        &self,
        app: &App,
        fact: &StreamFact,
        outgoing: &Outgoing,
        piece: &Piece,
    ) -> Result<Streamed> {
        let id = crate::apps::hex(&fact.id);
        let chunk = json!({
            "EventType": "data", "Index": fact.pieces, "Markdown": piece.text, "IsLast": piece.is_last,
        });
        let element = json!({
            "CompatibleText": piece.compatible_text, "Chunks": [chunk], "StreamMsgID": id,
        });
        let body = json!([{"MsgType": "TIMStreamElem", "MsgContent": element}]).to_string();
        let content = Content { body: body.into(), ..Content::default() };
        let message = message_of(outgoing, fact.key.sequence, fact.key.time, content);
        // It is kept whether or not it can be shown at once.
        if let Ok(profile) = self.profiles.of(app.id, fact.author).await {
            let shown = Shown {
                nick: profile.text(model::profile::NICK),
                image: profile.text(model::profile::IMAGE),
            };
            let frame = |copy| push::stream_piece(&message, fact.key.time, shown, copy);
            self.hub.push(app.id, fact.receiver, &frame(Copy::Original), None);
            if fact.author != fact.receiver && !fact.receiver_only {
                self.hub.push(app.id, fact.author, &frame(Copy::OfSender), None);
            }
        }
        if fact.is_over {
            self.end_stream(app.id, fact.id).await;
        }
        Ok(Streamed { id, key: fact.key })
    }
}

/// What a stream is with one more piece.
fn grow(fact: &mut StreamFact, piece: &Piece) -> Result<()> {
    let next = fact.pieces.saturating_add(1);
    if piece.index.is_some_and(|index| index != next) {
        return Err(ErrorCode::ElementMalformed.because(format!("Index: {next} is the next one")));
    }
    fact.bytes += piece.text.len();
    if fact.bytes >= STREAM_BYTES_MAX || next > PIECES_MAX {
        let most =
            format!("a stream has fewer than {STREAM_BYTES_MAX} bytes, and at most {PIECES_MAX} pieces");
        return Err(ErrorCode::MessageTooLong.because(most));
    }
    fact.pieces = next;
    fact.is_over = piece.is_last;
    Ok(())
}

fn ends_at(now: Millis) -> Millis {
    now.plus(u64::from(SILENCE_SECONDS_MAX) * 1000)
}

/// The message that a stream becomes, without what it says.
fn outgoing(fact: &StreamFact, from: Arc<AccountFact>, to: Arc<AccountFact>) -> Outgoing {
    Outgoing {
        from,
        to,
        sequence: Some(fact.key.sequence),
        random: fact.key.random,
        client_time: Some(fact.key.time),
        content: Content::default(),
        medium: Medium::Text,
        flags: MessageFlags { receiver_only: fact.receiver_only, ..MessageFlags::default() },
        is_online_only: false,
        origin: None,
    }
}

fn content_of(said: &Said) -> Content {
    let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": said.text}}]).to_string();
    Content { body: body.into(), cloud_custom_data: said.custom.clone(), offline_push_info: None }
}
