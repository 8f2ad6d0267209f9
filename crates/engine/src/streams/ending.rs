//! The end of a stream: its pieces become one message of the history.

use model::settings::App;
use model::{Content, ConversationId, ErrorCode, Medium, Result, SdkAppId, Sealed};
use ports::records::{Range, Write, find};
use ports::timeline::RetryKey;
use ports::{Draft, Event, Record as _, Stamped};
use promise::Stamps;
use promise::keys::{Destroyed, Place};

use super::facts::StreamId;
use super::{PieceFact, Said, StreamFact, content_of, outgoing};
use crate::Engine;
use crate::erasure::RecalledFact;
use crate::messages::{Outgoing, message_of};
use crate::store::{TRIES_MAX, put, remove, unchanged, write, write_if};

/// Pieces read or removed at once.
const AT_ONCE: usize = 500;

/// How soon a stream that could not be stored is tried again, in milliseconds.
const RETRY_MILLIS: u64 = 10_000;

impl Engine {
    /// Ends a stream; what cannot be stored now is tried again.
    pub(super) async fn end_stream(&self, app: SdkAppId, id: StreamId) {
        match self.try_to_end_stream(app, id).await {
            Ok(true) => drop(self.streams.open.lock().remove(&(app, id))),
            Ok(false) => {}
            Err(error) => {
                self.job_failed("storing a stream that ended", &error);
                self.streams.put_off(app, id, self.context.clock.now().plus(RETRY_MILLIS));
            }
        }
    }

    /// Ends the streams between two accounts without a message: what was said so far is erased. They are gone whatever becomes of
    /// the erasure. One whose first piece is only now being kept begins after it.
    ///
    /// # Errors
    /// What the store says; `MessageServiceUnavailable` where others changed one of them each time.
    pub(crate) async fn drop_streams(&self, app: SdkAppId, conversation: ConversationId) -> Result<()> {
        for id in self.streams.between(app, conversation) {
            if find::<StreamFact>(self.context.records.as_ref(), app, &id).await?.is_none() {
                continue;
            }
            let (mut is_closed, mut tries) = (false, 0);
            while !is_closed {
                tries += 1;
                if tries > TRIES_MAX {
                    return Err(ErrorCode::MessageServiceUnavailable.into());
                }
                let is_ending = |fact: &StreamFact| fact.is_dropped;
                is_closed = self.close_stream(app, id, is_ending, |fact| fact.is_dropped = true).await?;
            }
            // Whoever was ending it has ended it by then; whatever is left of it now is removed by a later try.
            self.end_stream(app, id).await;
        }
        Ok(())
    }

    /// Sees to it that no further piece of a stream is taken; `false` if one came at this moment.
    async fn close_stream(
        &self,
        app: SdkAppId,
        id: StreamId,
        is_done: impl FnOnce(&StreamFact) -> bool,
        change: impl FnOnce(&mut StreamFact),
    ) -> Result<bool> {
        let records = self.context.records.as_ref();
        let Some((mut fact, version)) = find::<StreamFact>(records, app, &id).await? else { return Ok(true) };
        let Some(found) = self.apps.find(app).await? else { return Ok(true) };
        if is_done(&fact) {
            return Ok(true);
        }
        fact.is_over = true;
        change(&mut fact);
        let stamp = Stamps::of(app, &found.settings).message(fact.author, fact.key.time, Medium::Text);
        let conditions = vec![unchanged::<StreamFact>(fact.key(), Some(version))];
        write_if(records, app, conditions, vec![put(stamp, &fact)?]).await
    }

    /// Whether it has ended: a piece that came at this moment lets it go on.
    async fn try_to_end_stream(&self, app: SdkAppId, id: StreamId) -> Result<bool> {
        let records = self.context.records.as_ref();
        let _turn = self.streams.ending(id).lock().await;
        if !self.close_stream(app, id, |fact| fact.is_over, |_| {}).await? {
            return Ok(false);
        }
        let Some((fact, _)) = find::<StreamFact>(records, app, &id).await? else { return Ok(true) };
        let Some(found) = self.apps.find(app).await? else { return Ok(true) };
        let from = self.accounts.with_number(app, fact.author).await?;
        let to = self.accounts.with_number(app, fact.receiver).await?;
        // What an erased account wrote, or was written, is not brought back.
        if let (Some(from), Some(to)) = (from, to) {
            let content = self.whole_stream(app, &fact).await?;
            let whole = Outgoing { content, ..outgoing(&fact, from, to) };
            if fact.is_dropped {
                // A hold that began after its last piece has to know it all the same.
                self.preserve.message(app, &whole, fact.key.sequence, fact.key.time).await?;
            } else {
                self.finish_stream(&found, &fact, whole).await?;
            }
        }
        self.forget_pieces(app, &fact).await?;
        write(records, app, vec![remove::<StreamFact>(fact.key())]).await?;
        Ok(true)
    }

    /// Stores what a stream says in the end as a message of the history, at the time of its first piece. May be repeated.
    ///
    /// Here a message that stands in the history from the first piece on would be changed instead.
    async fn finish_stream(&self, app: &App, fact: &StreamFact, outgoing: Outgoing) -> Result<()> {
        let (now, at) = (self.context.clock.now(), fact.key.time);
        let stamps = Stamps::of(app.id, &app.settings);
        let stamp = stamps.message(fact.author, at, Medium::Text);
        if !stamps.stores_messages() || stamp.expiry.is_over(now) {
            return Ok(());
        }
        self.preserve.message(app.id, &outgoing, fact.key.sequence, at).await?;
        let place = Place::message(app.id, fact.conversation(), fact.author);
        let sealed = self.keyring.seal(place, now.seconds(), stamp.expiry, &outgoing.content)?;
        let event = Event::Message(message_of(&outgoing, fact.key.sequence, at, sealed));
        // Recognised when a crash lets it be stored again, and never taken for another message that has its numbers.
        let retry = Some(RetryKey(fact.id));
        let draft =
            Draft { conversation: fact.conversation(), event, sent_at: Some(at), retry, origin: None };
        self.context.timeline.append(Stamped::new(stamp, draft)).await?;
        Ok(())
    }

    /// The content of the message that a stream becomes.
    async fn whole_stream(&self, app: SdkAppId, fact: &StreamFact) -> Result<Content> {
        let place = Place::message(app, fact.conversation(), fact.author);
        let mut whole = Said::default();
        let mut after = None;
        loop {
            let found = self.pieces(app, fact.id, after.take()).await?;
            let Some(last) = found.last() else { return Ok(content_of(&whole)) };
            after = Some((Vec::new(), last.key()));
            for piece in &found {
                let Some(bytes) = self.keyring.open_bytes(place, &piece.sealed) else { continue };
                let said: Said = serde_json::from_slice(&bytes).unwrap_or_default();
                whole.text += &said.text;
                if piece.index == 1 {
                    whole.custom = said.custom;
                }
            }
        }
    }

    /// Removes the pieces of a stream, and notes their keys for destruction: a recall of the message leaves nothing of it.
    async fn forget_pieces(&self, app: SdkAppId, fact: &StreamFact) -> Result<()> {
        let since = self.context.clock.now().seconds();
        loop {
            let found = self.pieces(app, fact.id, None).await?;
            if found.is_empty() {
                return Ok(());
            }
            let (mut writes, mut doomed): (Vec<Write>, _) = (Vec::new(), Vec::new());
            for piece in found {
                let Sealed { bucket, index, .. } = piece.sealed;
                let gone = RecalledFact {
                    conversation: fact.conversation(),
                    author: fact.author,
                    key: fact.key,
                    bucket,
                    index,
                    since,
                    is_certain: true,
                    is_annotation: true,
                };
                writes.push(remove::<PieceFact>(piece.key()));
                writes.push(put(Stamps::recalled(app, fact.author, bucket), &gone)?);
                doomed.push(Destroyed::Content { bucket, index });
            }
            write(self.context.records.as_ref(), app, writes).await?;
            doomed.into_iter().for_each(|what| self.doomed.add(what));
        }
    }

    async fn pieces(
        &self,
        app: SdkAppId,
        id: StreamId,
        after: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Vec<PieceFact>> {
        let range = Range { kind: PieceFact::KIND, index: None, prefix: id.to_vec(), after, limit: AT_ONCE };
        let found = self.context.records.scan(app, range).await?;
        found.iter().map(|record| Ok(record.decode()?)).collect()
    }
}
