//! What was added to messages goes with them: when they are recalled or erased, and when an app keeps them for less time.

use model::{AccountNumber, ConversationId, Position, Result, SdkAppId, Seconds};
use ports::records::{Range, Write};
use promise::Stamps;
use promise::keys::Destroyed;

use super::facts::{of_conversation, of_message};
use super::{Annotation, AnnotationsFact, ExtensionFact, OF_ACCOUNT, ReactionFact};
use crate::Engine;
use crate::erasure::RecalledFact;
use crate::store::{indexed_by, put, remove, unchanged, write, write_if};

/// Records removed, or looked at, at once.
const AT_ONCE: usize = 500;

/// What removes records about messages, and the keys that are destroyed then.
pub(super) struct Removal {
    app: SdkAppId,
    since: Seconds,
    writes: Vec<Write>,
    doomed: Vec<Destroyed>,
}

impl Removal {
    pub(super) const fn new(app: SdkAppId, since: Seconds) -> Self {
        Self { app, since, writes: Vec::new(), doomed: Vec::new() }
    }

    /// Adds a record to them.
    pub(super) fn add<R: Annotation>(&mut self, fact: &R) -> Result<()> {
        self.writes.push(remove::<R>(fact.key()));
        if let Some((by, sealed)) = fact.said() {
            let gone = RecalledFact::annotation(fact.about(), by, sealed, self.since);
            self.doomed.push(Destroyed::Content { bucket: gone.bucket, index: gone.index });
            self.writes.push(put(Stamps::recalled(self.app, by, gone.bucket), &gone)?);
        }
        Ok(())
    }

    /// The changes to write, and the keys to note with [`Engine::doom_annotations`] once that is done.
    pub(super) fn into_parts(self) -> (Vec<Write>, Vec<Destroyed>) {
        (self.writes, self.doomed)
    }
}

impl Engine {
    /// Notes soon that these keys are destroyed.
    pub(super) fn doom_annotations(&self, doomed: Vec<Destroyed>) {
        doomed.into_iter().for_each(|what| self.doomed.add(what));
    }

    /// Removes what an account that is erased added to messages, and what others added to those between them: nobody can name these
    /// messages any more. Notes the keys for destruction. May be repeated.
    pub(crate) async fn erase_annotations(&self, app: SdkAppId, number: AccountNumber) -> Result<()> {
        self.erase_kind::<ExtensionFact>(app, number).await?;
        self.erase_kind::<ReactionFact>(app, number).await?;
        self.erase_kind::<AnnotationsFact>(app, number).await
    }

    async fn erase_kind<R: Annotation>(&self, app: SdkAppId, number: AccountNumber) -> Result<()> {
        let records = self.context.records.as_ref();
        loop {
            let found: Vec<R> = indexed_by(records, app, OF_ACCOUNT, number, AT_ONCE).await?;
            if found.is_empty() {
                return Ok(());
            }
            let mut removal = Removal::new(app, self.context.clock.now().seconds());
            for fact in &found {
                removal.add(fact)?;
            }
            let (writes, doomed) = removal.into_parts();
            write(records, app, writes).await?;
            self.doom_annotations(doomed);
        }
    }

    /// Removes what was added to one message, and notes its keys for destruction. May be repeated.
    pub(crate) async fn forget_annotations_of(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        position: Position,
    ) -> Result<()> {
        self.forget_annotations(app, &of_message(conversation, position), position).await
    }

    /// The same for every message of a conversation up to a place.
    pub(crate) async fn forget_annotations_up_to(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        up_to: Position,
    ) -> Result<()> {
        self.forget_annotations(app, &of_conversation(conversation), up_to).await
    }

    async fn forget_annotations(&self, app: SdkAppId, prefix: &[u8], up_to: Position) -> Result<()> {
        self.forget_kind::<ExtensionFact>(app, prefix, up_to).await?;
        self.forget_kind::<ReactionFact>(app, prefix, up_to).await?;
        self.forget_kind::<AnnotationsFact>(app, prefix, up_to).await
    }

    async fn forget_kind<R: Annotation>(&self, app: SdkAppId, prefix: &[u8], up_to: Position) -> Result<()> {
        let records = self.context.records.as_ref();
        let since = self.context.clock.now().seconds();
        loop {
            let prefix = prefix.to_vec();
            let range = Range { kind: R::KIND, index: None, prefix, after: None, limit: AT_ONCE };
            let mut removal = Removal::new(app, since);
            for record in records.scan(app, range).await? {
                let fact: R = record.decode()?;
                if fact.about().at.position > up_to {
                    continue;
                }
                removal.add(&fact)?;
            }
            let (writes, doomed) = removal.into_parts();
            if writes.is_empty() {
                return Ok(());
            }
            write(records, app, writes).await?;
            self.doom_annotations(doomed);
        }
    }

    /// Makes a shorter retention of messages act on what was added to them.
    pub(crate) async fn shorten_annotations(&self, app: SdkAppId, stamps: Stamps) -> Result<()> {
        self.shorten_kind::<ExtensionFact>(app, stamps).await?;
        self.shorten_kind::<ReactionFact>(app, stamps).await?;
        self.shorten_kind::<AnnotationsFact>(app, stamps).await
    }

    async fn shorten_kind<R: Annotation>(&self, app: SdkAppId, stamps: Stamps) -> Result<()> {
        let records = self.context.records.as_ref();
        let now = self.context.clock.now();
        let mut after = None;
        loop {
            let range =
                Range { kind: R::KIND, index: None, prefix: Vec::new(), after: after.take(), limit: AT_ONCE };
            let found = records.scan(app, range).await?;
            let Some(last) = found.last() else { return Ok(()) };
            after = Some((Vec::new(), last.key.clone()));
            for record in found {
                let fact: R = record.decode()?;
                let model::Subject::Account(subject) = fact.subject() else { continue };
                let kept = stamps.message(subject, fact.about().at.time, model::Medium::Derived);
                let is_over = !stamps.stores_messages() || kept.expiry.is_over(now);
                if !is_over && kept.expiry >= record.stamp.expiry {
                    continue;
                }
                let stamp = model::Stamp { expiry: kept.expiry, ..record.stamp };
                let change = if is_over { remove::<R>(fact.key()) } else { put(stamp, &fact)? };
                let condition = unchanged::<R>(fact.key(), Some(record.version));
                write_if(records, app, vec![condition], vec![change]).await?;
            }
        }
    }
}
