//! What was added to messages goes with them: when they are recalled or erased, and when an app keeps them for less time.

use model::{ConversationId, Position, Result, SdkAppId};
use ports::records::Range;
use promise::Stamps;
use promise::keys::Destroyed;

use super::facts::{of_conversation, of_message};
use super::{Annotation, AnnotationsFact, ExtensionFact, ReactionFact};
use crate::Engine;
use crate::erasure::RecalledFact;
use crate::store::{put, remove, unchanged, write, write_if};

/// Records removed, or looked at, at once.
const AT_ONCE: usize = 500;

impl Engine {
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
            let (mut writes, mut doomed) = (Vec::new(), Vec::new());
            for record in records.scan(app, range).await? {
                let fact: R = record.decode()?;
                if fact.about().at.position > up_to {
                    continue;
                }
                writes.push(remove::<R>(record.key));
                if let Some((by, sealed)) = fact.said() {
                    let gone = RecalledFact::annotation(fact.about(), by, sealed, since);
                    doomed.push(Destroyed::Content { bucket: gone.bucket, index: gone.index });
                    writes.push(put(Stamps::recalled(app, by, gone.bucket), &gone)?);
                }
            }
            if writes.is_empty() {
                return Ok(());
            }
            write(records, app, writes).await?;
            doomed.into_iter().for_each(|what| self.doomed.add(what));
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
