//! Conversations whose history is erased for everyone: hidden at once, emptied soon, their keys destroyed with the next
//! generation. Each stage has a receipt, as for accounts. The conversation itself goes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::settings::App;
use model::{
    AccountNumber, ConversationId, DataClass, ErrorCode, Position, Result, SdkAppId, Seconds, Subject, UserId,
};
use ports::records::find;
use ports::{Cursor, Event, Generation, Kind, Record};
use promise::Stamps;
use promise::keys::Destroyed;
use promise::receipts::{Scope, Stage, Statement, commitment};
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::erased::SETTLED;
use crate::erasure::RecalledFact;
use crate::facts::AccountFact;
use crate::store::{put, remove, write};
use crate::telling::{Telling, Tells};

/// Entries looked at at once.
const AT_ONCE: usize = 500;

/// Why histories are erased.
const REASON: &str = "deletion of the conversation's history for both sides was requested";

/// A conversation whose history is being erased. Ends when its last ciphertext has aged out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedConversationFact {
    /// Which one.
    pub conversation: ConversationId,
    /// Tells erasures of one conversation apart.
    pub mark: u64,
    /// What names it in receipts.
    pub commitment: String,
    /// When it was asked for.
    pub since: Seconds,
    /// Which receipt says that it is hidden.
    pub hidden: Option<u64>,
    /// Up to which place its messages are erased, once that is settled.
    pub up_to: Option<Position>,
    /// Up to where keys are noted for destruction; `None` once all are.
    pub noting: Option<Cursor>,
    /// How many messages were emptied, once they are.
    pub deleted: Option<u64>,
    /// Which receipt says so.
    pub deletion_told: Option<u64>,
    /// When its last ciphertext leaves the live stores.
    pub aged_out_by: Seconds,
    /// The generations before and after its keys were destroyed, once they are.
    pub generations: Option<(u64, u64)>,
    /// Which receipt says so.
    pub destruction_told: Option<u64>,
    /// What is about to be told.
    pub(crate) telling: Telling,
}

impl Tells for ErasedConversationFact {
    fn telling(&mut self) -> &mut Telling {
        &mut self.telling
    }
}

impl Record for ErasedConversationFact {
    const KIND: Kind = Kind { id: 21, name: "erased conversation", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        let [low, high] = self.conversation.sides();
        [low.0.to_be_bytes(), high.0.to_be_bytes(), self.mark.to_be_bytes()].concat()
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.conversation.sides()[0])
    }
}

/// What who asked gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationErasure {
    /// What opens the commitment, in hexadecimal. It is kept nowhere.
    pub salt: String,
    /// What names the conversation in receipts: over both names in their order, joined by a line feed.
    pub commitment: String,
    /// The number of the first receipt.
    pub receipt: u64,
}

impl Engine {
    /// Erases what was said between two accounts so far, for both. When this is answered neither sees it any more.
    ///
    /// # Errors
    /// `AccountUnknown`.
    pub async fn erase_conversation(
        self: &Arc<Self>,
        app: &App,
        one: &UserId,
        other: &UserId,
    ) -> Result<ConversationErasure> {
        let one = self.accounts.find(app.id, one).await?.ok_or(ErrorCode::AccountUnknown)?;
        let other = self.accounts.find(app.id, other).await?.ok_or(ErrorCode::AccountUnknown)?;
        let (mut salt, mut mark) = ([0; 16], [0; 8]);
        self.context.random.fill(&mut salt);
        self.context.random.fill(&mut mark);
        let mut names = [one.user.as_str(), other.user.as_str()];
        names.sort_unstable();
        let mut fact = ErasedConversationFact {
            conversation: ConversationId::between(one.number, other.number),
            mark: u64::from_be_bytes(mark),
            commitment: commitment(&salt, app.id.0, &names.join("\n")),
            since: self.context.clock.now().seconds(),
            hidden: None,
            up_to: None,
            noting: Some(Cursor(0)),
            deleted: None,
            deletion_told: None,
            aged_out_by: Seconds(0),
            generations: None,
            destruction_told: None,
            telling: None,
        };
        let key = fact.key();
        let turn = self.erasing.begin(app.id, AccountNumber(fact.mark)).ok_or(ErrorCode::AccountInternal)?;
        let writes = vec![put(Stamps::erasure(app.id, fact.conversation.sides()[0]), &fact)?];
        write(self.context.records.as_ref(), app.id, writes).await?;
        // A stream that is not yet a message would become one after this.
        let dropped = self.drop_streams(app.id, fact.conversation).await;
        let cleared = match dropped {
            Ok(()) => self.clear_both(app, &one, &other).await,
            Err(error) => Err(error),
        };
        let up_to = match cleared {
            Ok(up_to) => up_to,
            Err(error) => {
                // Who was refused must not find it done later.
                let gone = vec![remove::<ErasedConversationFact>(key)];
                write(self.context.records.as_ref(), app.id, gone).await?;
                return Err(error);
            }
        };
        fact.up_to = Some(up_to);
        self.change::<ErasedConversationFact>(app.id, &key, |fact| fact.up_to = Some(up_to)).await?;
        let receipt = self.tell_erasure(app.id, &fact, Stage::Hidden, BTreeMap::new()).await?;
        self.change::<ErasedConversationFact>(app.id, &key, |fact| fact.hidden = Some(receipt)).await?;
        let commitment = fact.commitment.clone();
        let (engine, id) = (Arc::clone(self), app.id);
        self.context.spawner.spawn(Box::pin(async move {
            let _turn = turn;
            // What was being sent before is stored by then.
            engine.context.clock.sleep(SETTLED).await;
            if let Err(error) = engine.empty_conversation(id, &key).await {
                tracing::error!(code = error.code.number(), "a conversation could not be erased yet");
            }
        }));
        Ok(ConversationErasure { salt: crate::apps::hex(&salt), commitment, receipt })
    }

    /// Notes the keys and empties the messages, as far as that is not done; the fact as it is then.
    async fn empty_conversation(&self, app: SdkAppId, key: &[u8]) -> Result<Option<ErasedConversationFact>> {
        let found = find::<ErasedConversationFact>(self.context.records.as_ref(), app, key).await?;
        let Some((mut fact, _)) = found else { return Ok(None) };
        let Some(up_to) = fact.up_to else {
            // Whoever asked for it got no answer, so it never began.
            let gone = vec![remove::<ErasedConversationFact>(key.to_vec())];
            write(self.context.records.as_ref(), app, gone).await?;
            return Ok(None);
        };
        let [low, high] = fact.conversation.sides();
        if self.preserve.is_copying(app, low) || self.preserve.is_copying(app, high) {
            return Ok(Some(fact));
        }
        if fact.hidden.is_none() {
            let told = self.tell_erasure(app, &fact, Stage::Hidden, BTreeMap::new()).await?;
            self.change::<ErasedConversationFact>(app, key, |fact| fact.hidden = Some(told)).await?;
        }
        if fact.noting.is_some() {
            self.forget_annotations_up_to(app, fact.conversation, up_to).await?;
        }
        while let Some(after) = fact.noting {
            fact.noting = self.note_keys(app, &fact, low, after, up_to).await?;
            let noting = fact.noting;
            self.change::<ErasedConversationFact>(app, key, |fact| fact.noting = noting).await?;
        }
        if fact.deleted.is_none() {
            let erased = self.context.timeline.empty_conversation(app, fact.conversation, up_to).await?;
            let changed = self.change::<ErasedConversationFact>(app, key, |fact| {
                fact.deleted = Some(erased.messages);
                fact.aged_out_by = erased.aged_out_by;
            });
            let Some(changed) = changed.await? else { return Ok(None) };
            fact = changed;
        }
        if let (Some(messages), None) = (fact.deleted, fact.deletion_told) {
            let counts = BTreeMap::from([("message".to_owned(), messages)]);
            let told = self.tell_erasure(app, &fact, Stage::Deleted, counts).await?;
            self.change::<ErasedConversationFact>(app, key, |fact| fact.deletion_told = Some(told)).await?;
        }
        let found = find::<ErasedConversationFact>(self.context.records.as_ref(), app, key).await?;
        Ok(found.map(|(fact, _)| fact))
    }

    /// Notes the keys of a part of the messages for destruction; where to go on, `None` after the last of them.
    async fn note_keys(
        &self,
        app: SdkAppId,
        fact: &ErasedConversationFact,
        side: AccountNumber,
        after: Cursor,
        up_to: Position,
    ) -> Result<Option<Cursor>> {
        let page = self.context.timeline.everything_of(app, side, after, AT_ONCE).await?;
        let (mut writes, mut doomed) = (Vec::new(), Vec::new());
        for entry in page.entries.iter().filter(|entry| entry.conversation == fact.conversation) {
            if let Event::Message(message) = &entry.event
                && entry.position <= up_to
            {
                let recalled = RecalledFact::certain(entry, message, fact.since);
                doomed.push(Destroyed::Content { bucket: recalled.bucket, index: recalled.index });
                writes.push(put(Stamps::recalled(app, message.author, recalled.bucket), &recalled)?);
            }
        }
        self.keyring.doom(&doomed).await?;
        if !writes.is_empty() {
            write(self.context.records.as_ref(), app, writes).await?;
        }
        Ok((!page.complete).then_some(page.next))
    }

    /// Takes what was said so far out of both sides' views; up to which place that was.
    async fn clear_both(&self, app: &App, one: &AccountFact, other: &AccountFact) -> Result<Position> {
        let mut cleared = self.clear(app, one, other, true, true, None).await?;
        if one.number != other.number {
            cleared = self.clear(app, other, one, true, true, None).await?;
        }
        Ok(cleared.position)
    }

    /// The erasures whose keys are all noted: the next change of generation destroys them.
    pub(crate) async fn noted_conversations(
        &self,
        app: SdkAppId,
    ) -> Result<Vec<(SdkAppId, ErasedConversationFact)>> {
        let facts = self.every_erasure(app).await?.into_iter();
        let is_noted = |fact: &ErasedConversationFact| fact.noting.is_none() && fact.generations.is_none();
        Ok(facts.filter(is_noted).map(|fact| (app, fact)).collect())
    }

    /// Notes that the keys of a conversation's history are destroyed, and tells it unless somebody is at work on it.
    pub(crate) async fn is_conversation_unrecoverable(
        &self,
        app: SdkAppId,
        fact: &ErasedConversationFact,
        generations: (Generation, Generation),
    ) -> Result<()> {
        let generations = (generations.0.0, generations.1.0);
        let note = |fact: &mut ErasedConversationFact| {
            fact.generations = fact.generations.or(Some(generations));
        };
        self.change(app, &fact.key(), note).await?;
        match self.erasing.begin(app, AccountNumber(fact.mark)) {
            Some(_turn) => self.tell_destruction(app, &fact.key()).await,
            None => Ok(()),
        }
    }

    async fn tell_destruction(&self, app: SdkAppId, key: &[u8]) -> Result<()> {
        let found = find::<ErasedConversationFact>(self.context.records.as_ref(), app, key).await?;
        if let Some((fact, _)) = found
            && fact.generations.is_some()
            && fact.destruction_told.is_none()
        {
            let told = self.tell_erasure(app, &fact, Stage::Unrecoverable, BTreeMap::new()).await?;
            self.change::<ErasedConversationFact>(app, key, |fact| fact.destruction_told = Some(told))
                .await?;
        }
        Ok(())
    }

    /// Goes on with the erasures of an app's conversations that are not at their end.
    pub(crate) async fn resume_conversations(&self, app: SdkAppId, cleared: Option<Seconds>) -> Result<()> {
        for fact in self.every_erasure(app).await? {
            let Some(_turn) = self.erasing.begin(app, AccountNumber(fact.mark)) else { continue };
            let Some(_) = self.empty_conversation(app, &fact.key()).await? else { continue };
            self.tell_destruction(app, &fact.key()).await?;
            let found =
                find::<ErasedConversationFact>(self.context.records.as_ref(), app, &fact.key()).await?;
            let Some((fact, _)) = found else { continue };
            let is_done = fact.deletion_told.is_some() && fact.destruction_told.is_some();
            let is_clear = cleared.is_some_and(|cleared| cleared >= fact.aged_out_by && cleared > fact.since);
            if is_done && is_clear {
                self.tell_erasure(app, &fact, Stage::AgedOut, BTreeMap::new()).await?;
                let gone = vec![remove::<ErasedConversationFact>(fact.key())];
                write(self.context.records.as_ref(), app, gone).await?;
            }
        }
        Ok(())
    }

    async fn every_erasure(&self, app: SdkAppId) -> Result<Vec<ErasedConversationFact>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let facts = self.facts::<ErasedConversationFact>(app, after).await?;
            let Some((last, _)) = facts.last() else { return Ok(all) };
            after = Some((Vec::new(), last.key()));
            all.extend(facts.into_iter().map(|(fact, _)| fact));
        }
    }

    async fn tell_erasure(
        &self,
        app: SdkAppId,
        fact: &ErasedConversationFact,
        stage: Stage,
        counts: BTreeMap<String, u64>,
    ) -> Result<u64> {
        let [low, high] = fact.conversation.sides();
        let is_destroyed = stage == Stage::Unrecoverable;
        let said = Statement {
            app: app.0,
            stage,
            scope: Scope::Conversation,
            subject: fact.commitment.clone(),
            reason: REASON.to_owned(),
            counts,
            generations: fact.generations.filter(|_| is_destroyed),
            destruction: is_destroyed.then(|| self.context.vault.destruction()),
            aged_out_by: (stage != Stage::AgedOut && fact.deleted.is_some()).then_some(fact.aged_out_by.0),
            preserved: self.preserve.left_of_conversation(app, [low, high]).await?,
        };
        self.tell::<ErasedConversationFact>(app, &fact.key(), said).await
    }
}
