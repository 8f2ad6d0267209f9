//! What is to become unreadable for ever, and the changes of generation that make it so.
//!
//! A recall and a deletion write down what they destroy before they happen. The next change of generation takes it from
//! there, so a crash in between forgets nothing; what was written down and then did not happen is dropped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::time::DAY_SECONDS;
use model::{
    AccountNumber, ConversationId, DataClass, Medium, Message, MessageKey, Result, SdkAppId, Sealed, Seconds,
    Subject,
};
use ports::records::{Range, RawRecord, Write};
use ports::timeline::StoredMessage;
use ports::{Condition, Entry, Generation, Kind, Record, Stamped};
use promise::Stamps;
use promise::keys::Destroyed;
use promise::receipts::{Scope, Stage, Statement};
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::annotations::About;
use crate::erased::ErasedFact;
use crate::preserve::Cover;
use crate::seals;
use crate::store::{remove, unchanged, write, write_if};

/// Things destroyed by one change; what is left over goes with the next one, which follows at once.
const DESTROYED_AT_ONCE: usize = 50_000;

/// Records read or removed at once.
const RECORDS_AT_ONCE: usize = 1000;

/// A recall that was written down and has not happened after this time will not.
const RECALL_SECONDS_MAX: u32 = 60;

/// How soon a change that failed is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// That the key of a recalled message, or of what a changed one said before, is to be destroyed. Ends with the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecalledFact {
    /// Its conversation.
    pub conversation: ConversationId,
    /// Who sent it.
    pub author: AccountNumber,
    /// Its key on the wire.
    pub key: MessageKey,
    /// The bucket of its content.
    pub bucket: u16,
    /// The index of its content.
    pub index: u64,
    /// When it was written down.
    pub since: Seconds,
    /// Whether its content is gone whatever the message says: its conversation's history is erased.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_certain: bool,
    /// Whether it is no message itself but what somebody added to one, or an index of messages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_annotation: bool,
}

impl RecalledFact {
    /// That of a message in a history that is erased.
    pub(crate) fn certain(entry: &Entry, message: &Message<Sealed>, since: Seconds) -> Self {
        Self {
            conversation: entry.conversation,
            author: message.author,
            key: message.key(entry.time),
            bucket: message.content.bucket,
            index: message.content.index,
            since,
            is_certain: true,
            is_annotation: false,
        }
    }

    /// That of a search index in whose place there is another one.
    pub(crate) fn search_index(bucket: u16, index: u64, since: Seconds) -> Self {
        let nobody = AccountNumber(0);
        Self {
            conversation: ConversationId::between(nobody, nobody),
            author: nobody,
            key: MessageKey { sequence: 0, random: 0, time: Seconds(0) },
            bucket,
            index,
            since,
            is_certain: true,
            is_annotation: true,
        }
    }

    /// That of what somebody added to a message that is gone.
    pub(crate) fn annotation(about: &About, by: AccountNumber, sealed: &Sealed, since: Seconds) -> Self {
        Self {
            conversation: about.conversation,
            author: by,
            key: about.message,
            bucket: sealed.bucket,
            index: sealed.index,
            since,
            is_certain: true,
            is_annotation: true,
        }
    }
}

impl Record for RecalledFact {
    const KIND: Kind = Kind { id: 10, name: "recalled message", class: DataClass::Message(Medium::Derived) };

    fn key(&self) -> Vec<u8> {
        [self.bucket.to_be_bytes().as_slice(), &self.index.to_be_bytes()].concat()
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.author)
    }
}

/// What came of a change of generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The generation that is in use now.
    pub generation: Generation,
    /// Messages whose keys were destroyed.
    pub messages: usize,
    /// Accounts whose keys were destroyed.
    pub accounts: usize,
}

/// A record that is not needed any more, unless it was written anew.
struct DoneFact {
    app: SdkAppId,
    unchanged: Condition,
    remove: Write,
}

impl DoneFact {
    fn of<R: Record>(app: SdkAppId, fact: &R, version: u64) -> Self {
        let unchanged = unchanged::<R>(fact.key(), Some(version));
        Self { app, unchanged, remove: remove::<R>(fact.key()) }
    }
}

#[derive(Default)]
struct Found {
    destroyed: Vec<Destroyed>,
    done: Vec<DoneFact>,
    messages: BTreeMap<SdkAppId, usize>,
    accounts: Vec<(SdkAppId, AccountNumber)>,
}

impl Found {
    fn is_full(&self) -> bool {
        self.destroyed.len() >= DESTROYED_AT_ONCE
    }
}

/// Changes the generation of keys at regular times, for as long as the engine lives.
pub(crate) fn start(engine: &Arc<Engine>, every: Duration) {
    let (weak, clock) = (Arc::downgrade(engine), Arc::clone(&engine.context.clock));
    engine.context.spawner.spawn(Box::pin(async move {
        let mut pause = match weak.upgrade() {
            Some(engine) => engine.until_change(every).await,
            None => return,
        };
        loop {
            clock.sleep(pause).await;
            let Some(engine) = weak.upgrade() else { return };
            pause = match engine.change_generation().await {
                Ok(changed) => {
                    tracing::info!(
                        generation = changed.generation.0,
                        messages = changed.messages,
                        accounts = changed.accounts,
                        "keys were changed"
                    );
                    every
                }
                Err(error) => {
                    engine.job_failed("changing keys", &error);
                    RETRY.min(every)
                }
            };
        }
    }));
}

const CHANGED_AT: &str = "time of the last change of keys";

/// The newest generation that a receipt tells of.
const TOLD_GENERATION: &str = "generation of keys that was told";

impl Engine {
    /// How long the generation in use may still be used: starts do not make it live longer.
    async fn until_change(&self, every: Duration) -> Duration {
        let now = self.context.clock.now().seconds();
        let changed_at = match seals::known(&self.context, CHANGED_AT).await {
            Ok(Some(text)) => text.parse().map_or(Seconds(0), Seconds),
            Ok(None) => {
                // The first start begins to count.
                let told = seals::remember(&self.context, CHANGED_AT, now.0.to_string()).await;
                if told.is_err() {
                    tracing::warn!("cannot note the time of the last change of keys");
                }
                now
            }
            Err(_) => Seconds(0),
        };
        // A clock that went backwards must not put the change off.
        let used = Duration::from_secs(now.0.saturating_sub(changed_at.0).into());
        every.saturating_sub(used).min(every)
    }

    /// Makes a new generation of keys, in which those of everything recalled, deleted or expired until now cannot be
    /// derived any more. When this is answered the former generation is destroyed.
    ///
    /// # Errors
    /// What the stores say, also while another change runs; what could not be destroyed is destroyed by the next change.
    pub async fn change_generation(&self) -> Result<Changed> {
        self.change_generation_with(&[]).await
    }

    /// The same, with more that is to be destroyed.
    pub(crate) async fn change_generation_with(&self, more: &[Destroyed]) -> Result<Changed> {
        let (mut messages, mut accounts) = (0, 0);
        let _changing = self.changing.lock().await;
        self.tell_interrupted_change().await?;
        let first = self.keyring.generation();
        // Their keys are noted before this change begins, so it destroys all of them.
        let mut conversations = Vec::new();
        for app in self.apps.list().await? {
            conversations.extend(self.noted_conversations(app.id).await?);
        }
        loop {
            let mut found = self.to_be_destroyed().await?;
            let was_full = found.is_full();
            // A bucket is over at the beginning of its day.
            let today = self.context.clock.now().seconds().0 / DAY_SECONDS;
            found
                .destroyed
                .push(Destroyed::Before(u16::try_from(today).unwrap_or(u16::MAX).saturating_add(1)));
            found.destroyed.extend_from_slice(more);
            let holds = self.ended_holds().await?;
            let author = |cover: &Cover| Destroyed::Author(SdkAppId::INSTALLATION, cover.place().author);
            found.destroyed.extend(holds.iter().map(author));
            let former = self.keyring.generation();
            // What is searched holds none of it before its keys go.
            let forgotten = self.search.forget(&found.destroyed).await?;
            found.destroyed.extend_from_slice(&forgotten.keys);
            let generation = self.keyring.destroy(&found.destroyed).await?;
            drop(forgotten);
            seals::remember_generation(&self.context, generation).await?;
            let now = self.context.clock.now().seconds();
            seals::remember(&self.context, CHANGED_AT, now.0.to_string()).await?;
            for done in found.done {
                // One that was written anew meanwhile stands for something that is yet to come.
                write_if(self.context.records.as_ref(), done.app, vec![done.unchanged], vec![done.remove])
                    .await?;
            }
            for (app, number) in &found.accounts {
                self.is_unrecoverable(*app, *number, (former, generation)).await?;
            }
            for cover in &holds {
                self.forget_hold(*cover).await?;
            }
            for (app, count) in &found.messages {
                let counts = BTreeMap::from([("recalled message".to_owned(), *count as u64)]);
                self.receipt(changed(*app, counts, (former, generation), self)).await?;
                messages += count;
            }
            self.receipt(changed(SdkAppId(0), BTreeMap::new(), (former, generation), self)).await?;
            seals::remember(&self.context, TOLD_GENERATION, generation.0.to_string()).await?;
            accounts += found.accounts.len();
            if !was_full {
                for (app, fact) in conversations {
                    self.is_conversation_unrecoverable(app, &fact, (first, generation)).await?;
                }
                return Ok(Changed { generation, messages, accounts });
            }
        }
    }

    /// Tells of the change of generation that a crash kept from being told.
    async fn tell_interrupted_change(&self) -> Result<()> {
        let generation = self.keyring.generation();
        let told = seals::known(&self.context, TOLD_GENERATION).await?;
        let told = told.and_then(|text| text.parse().ok()).map_or(generation, Generation);
        if told < generation {
            self.receipt(changed(SdkAppId(0), BTreeMap::new(), (told, generation), self)).await?;
        }
        seals::remember(&self.context, TOLD_GENERATION, generation.0.to_string()).await
    }

    async fn to_be_destroyed(&self) -> Result<Found> {
        let mut found = Found::default();
        for app in self.apps.list().await? {
            self.find_erased(app.id, &mut found).await?;
            self.find_recalled(app.id, &mut found).await?;
            found.destroyed.extend(self.shortened(app.id).await?);
        }
        Ok(found)
    }

    async fn find_erased(&self, app: SdkAppId, found: &mut Found) -> Result<()> {
        let mut after = None;
        while !found.is_full() {
            let records = self.facts::<ErasedFact>(app, after).await?;
            let Some((last, _)) = records.last() else { return Ok(()) };
            after = Some((Vec::new(), last.key()));
            for (fact, _) in records.into_iter().filter(|(fact, _)| fact.generations.is_none()) {
                // A hold that copies what it wrote needs the keys.
                if self.preserve.is_copying(app, fact.number) {
                    continue;
                }
                found.accounts.push((app, fact.number));
                found.destroyed.push(Destroyed::Author(app, fact.number));
            }
        }
        Ok(())
    }

    async fn find_recalled(&self, app: SdkAppId, found: &mut Found) -> Result<()> {
        let now = self.context.clock.now().seconds();
        let mut after = None;
        while !found.is_full() {
            let records = self.facts::<RecalledFact>(app, after).await?;
            let Some((last, _)) = records.last() else { return Ok(()) };
            after = Some((Vec::new(), last.key()));
            for (fact, version) in records {
                if fact.is_certain || self.was_recalled(app, &fact).await? {
                    *found.messages.entry(app).or_default() += usize::from(!fact.is_annotation);
                    found.destroyed.push(Destroyed::Content { bucket: fact.bucket, index: fact.index });
                } else if now < fact.since.plus(RECALL_SECONDS_MAX) {
                    continue;
                }
                found.done.push(DoneFact::of(app, &fact, version));
            }
        }
        Ok(())
    }

    /// Whether a recall or a change that was written down has happened. What was added to the message goes then, if a crash left it.
    async fn was_recalled(&self, app: SdkAppId, fact: &RecalledFact) -> Result<bool> {
        let timeline = &self.context.timeline;
        let message = timeline.find_message(app, fact.conversation, fact.author, fact.key).await?;
        let Some(message) = message else { return Ok(true) };
        if message.revoker.is_none() {
            // Other content took its place.
            return Ok(message.message.content.index != fact.index);
        }
        self.forget_annotations_of(app, fact.conversation, message.at.position).await?;
        Ok(true)
    }

    pub(crate) async fn facts<R: Record>(
        &self,
        app: SdkAppId,
        after: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Vec<(R, u64)>> {
        let range = Range { kind: R::KIND, index: None, prefix: Vec::new(), after, limit: RECORDS_AT_ONCE };
        let found = self.context.records.scan(app, range).await?;
        let decoded = found.iter().map(|record| Ok((record.decode()?, record.version)));
        Ok(decoded.collect::<std::result::Result<_, ports::Fault>>()?)
    }

    /// Writes down that some content of a message is about to be recalled or replaced, or may come to be: it is destroyed unless
    /// it is what the message says a minute later.
    pub(crate) async fn will_recall(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        found: &StoredMessage,
        content: &Sealed,
    ) -> Result<()> {
        let author = found.message.author;
        let fact = RecalledFact {
            conversation,
            author,
            key: found.key(),
            bucket: content.bucket,
            index: content.index,
            since: self.context.clock.now().seconds(),
            is_certain: false,
            is_annotation: false,
        };
        let stamp = Stamps::recalled(app, author, fact.bucket);
        let record = Write::Put(Stamped::new(stamp, RawRecord::of(&fact)?));
        write(self.context.records.as_ref(), app, vec![record]).await
    }
}

/// What a change of generation destroyed besides accounts and conversations: of one app, or of all (0) without telling how
/// much of whom.
fn changed(
    app: SdkAppId,
    counts: BTreeMap<String, u64>,
    (from, to): (Generation, Generation),
    engine: &Engine,
) -> Statement {
    Statement {
        app: app.0,
        stage: Stage::Unrecoverable,
        scope: Scope::RecalledAndExpired,
        subject: String::new(),
        reason: "recalled messages, copies of holds that ended, and every day of expiry that was over"
            .to_owned(),
        counts,
        generations: Some((from.0, to.0)),
        destruction: Some(engine.context.vault.destruction()),
        aged_out_by: None,
        preserved: Vec::new(),
    }
}
