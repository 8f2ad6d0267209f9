//! Messages that are changed after they were sent.
//!
//! Either side may put other content in the place of what there is. The change is an entry of the log; the message takes its
//! content over where it lies, so that there is one place to recall, erase, hold and expire. Content is sealed for who wrote it,
//! and the key of what was there before is destroyed like that of a recalled message.

use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashSet;
use model::settings::App;
use model::{
    AccountNumber, Content, ConversationId, ErrorCode, Medium, MessageKey, Modification, Result, SdkAppId,
    Sealed,
};
use ports::timeline::{AccountPage, StoredMessage};
use ports::{Cursor, Draft, Entry, Event, Stamped};
use promise::Stamps;
use promise::keys::{Destroyed, Place};
use serde_json::Value;

use crate::Engine;
use crate::annotations::Maker;
use crate::erasure::RecalledFact;
use crate::facts::AccountFact;
use crate::messages::check_size;
use crate::preserve::{Copied, PreservedFact};
use crate::push;
use crate::store::{TRIES_MAX, put, write};

/// Entries looked at at once.
const ENTRIES_AT_ONCE: usize = 500;

/// What a message is to say from now on; what is not given stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Its elements, checked, and what they carry.
    pub body: Option<(Bytes, Medium)>,
    /// The app's own text.
    pub cloud_custom_data: Option<Box<str>>,
}

/// What a message says after an attempt to change it.
#[derive(Clone, Debug)]
pub struct Modified {
    /// What it says now.
    pub content: Content,
    /// How often it was changed.
    pub version: u32,
    /// Whether this attempt changed it. If not, somebody else did before.
    pub is_done: bool,
}

impl Change {
    fn apply(&self, content: &Content) -> Content {
        let mut content = content.clone();
        if let Some((body, _)) = &self.body {
            content.body = body.clone();
            // It commonly says what the elements said.
            content.offline_push_info = None;
        }
        if let Some(text) = &self.cloud_custom_data {
            content.cloud_custom_data = text.clone();
        }
        content
    }
}

impl Engine {
    /// Changes what a message says, if it is at version `known`; without one whatever its version is. Whether its maker may is
    /// the caller's business.
    ///
    /// # Errors
    /// `ModifiedMissing` if there is no such message, or nothing is left of it; `MessageTooLong`, `DiskFull`;
    /// `MessageServiceUnavailable` where others changed it each time.
    pub async fn modify(
        &self,
        app: &App,
        (from, to): (&Arc<AccountFact>, &Arc<AccountFact>),
        key: MessageKey,
        maker: Maker,
        known: Option<u32>,
        change: &Change,
    ) -> Result<Modified> {
        let conversation = ConversationId::between(from.number, to.number);
        for _ in 0..TRIES_MAX {
            let found = self.message(app, from, to, key).await?;
            let found = found.filter(|found| found.revoker.is_none());
            let Some(found) = found else { return Err(ErrorCode::ModifiedMissing.into()) };
            let place = Place::message(app.id, conversation, found.message.writer());
            let Some(content) = self.keyring.open_content(place, &found.message.content) else {
                return Err(ErrorCode::ModifiedMissing.into());
            };
            let version = found.message.version();
            if known.is_some_and(|known| known != version) {
                return Ok(Modified { content, version, is_done: false });
            }
            let changed = change.apply(&content);
            check_size(&changed)?;
            let modification = Modification { version: version.saturating_add(1), by: maker.number };
            let draft = self
                .draft_modification(app, conversation, &found, (modification, maker), &changed, change)
                .await?;
            let contents = (&content, &changed);
            let copies = self
                .preserve_both(app, (from, to), &found, contents, maker.number, medium_of(change))
                .await?;
            if self.context.timeline.append(draft).await?.is_new {
                let Sealed { bucket, index, .. } = found.message.content;
                self.doomed.add(Destroyed::Content { bucket, index });
                return Ok(Modified { content: changed, version: modification.version, is_done: true });
            }
            // Nobody was ever told what it would have said.
            self.preserve.take_back(&copies).await?;
            for PreservedFact { sealed: Sealed { bucket, index, .. }, .. } in copies {
                self.doomed.add(Destroyed::Content { bucket, index });
            }
        }
        Err(ErrorCode::MessageServiceUnavailable.into())
    }

    /// Keeps what law demands: the former content for holds that have not come to it, the new one like that of any message.
    /// The copies of the new one.
    async fn preserve_both(
        &self,
        app: &App,
        (from, to): (&Arc<AccountFact>, &Arc<AccountFact>),
        found: &StoredMessage,
        (former, changed): (&Content, &Content),
        writer: AccountNumber,
        medium: Medium,
    ) -> Result<Vec<PreservedFact>> {
        let (message, names) = (&found.message, (&from.user, &to.user));
        let conversation = ConversationId::between(from.number, to.number);
        let copied = || Some(Copied::stored(names, found.at.time, message, former));
        self.preserve.before_recall(app.id, conversation, message.writer(), copied).await?;
        let copied = |now| {
            let changed_by = (writer != message.author).then(|| to.user.clone());
            let numbers = (message.sequence, message.random);
            Copied::written(names, changed_by, now, numbers, changed)
        };
        self.preserve.change(app.id, conversation, writer, medium, copied).await
    }

    /// The modification as it is to be appended, which is not taken where another one, a recall or an erasure came first. Everything
    /// is noted that a recall has to know.
    async fn draft_modification(
        &self,
        app: &App,
        conversation: ConversationId,
        found: &StoredMessage,
        (modification, maker): (Modification, Maker),
        changed: &Content,
        change: &Change,
    ) -> Result<Stamped<Draft>> {
        let place = Place::message(app.id, conversation, modification.by);
        // As if it had been sealed with the message: a shortened retention destroys both keys at once.
        let sealed_at = found.message.content.sealed_at;
        let content = self.keyring.seal(place, sealed_at, found.expiry, changed)?;
        self.will_recall(app.id, conversation, found, &found.message.content).await?;
        // A recall that comes between names the former content alone.
        self.will_recall(app.id, conversation, found, &content).await?;
        let event = Event::Modify {
            target: found.at,
            key: found.key(),
            author: found.message.author,
            modification,
            content,
        };
        let stamps = Stamps::of(app.id, &app.settings);
        let stamp = stamps.annotation(modification.by, medium_of(change), found.expiry);
        let draft = Draft { conversation, event, sent_at: None, retry: None, origin: maker.origin };
        Ok(Stamped::new(stamp, draft))
    }

    /// Destroys the keys of messages of an account that others changed: what they left as it was is sealed for them, and would
    /// outlive the account's own key.
    pub(crate) async fn doom_changed_by_others(&self, app: SdkAppId, number: AccountNumber) -> Result<()> {
        let since = self.context.clock.now().seconds();
        let mut after = Cursor(0);
        loop {
            let page = self.context.timeline.everything_of(app, number, after, ENTRIES_AT_ONCE).await?;
            let (mut writes, mut doomed) = (Vec::new(), Vec::new());
            for entry in &page.entries {
                if let Event::Message(message) = &entry.event
                    && message.author == number
                    && message.writer() != number
                {
                    let fact = RecalledFact::certain(entry, message, since);
                    doomed.push(Destroyed::Content { bucket: fact.bucket, index: fact.index });
                    writes.push(put(Stamps::recalled(app, number, fact.bucket), &fact)?);
                }
            }
            self.keyring.doom(&doomed).await?;
            if !writes.is_empty() {
                write(self.context.records.as_ref(), app, writes).await?;
            }
            if page.complete {
                return Ok(());
            }
            after = page.next;
        }
    }

    /// The items that tell a client what changed messages say now whose changes it missed, one for each message.
    ///
    /// # Errors
    /// What the store says.
    pub async fn missed_modifications(&self, app: SdkAppId, page: &AccountPage) -> Result<Vec<Value>> {
        let mut told = HashSet::new();
        let mut items = Vec::new();
        for entry in &page.entries {
            let Event::Modify { target, key, author, .. } = &entry.event else { continue };
            if !told.insert((entry.conversation, *target)) {
                continue;
            }
            let found = self.context.timeline.find_message(app, entry.conversation, *author, *key).await?;
            let Some(found) = found.filter(|found| found.at == *target) else { continue };
            let message = self.open_message(app, entry.conversation, &found.message);
            if !message.content.body.is_empty() {
                items.push(push::modified_item(&message, found.at.time));
            }
        }
        Ok(items)
    }

    /// Tells both sides, as far as they see the message, what it says now.
    pub(crate) async fn deliver_modification(&self, app: SdkAppId, entry: &Entry) -> Result<()> {
        let Event::Modify { target, key, author, .. } = &entry.event else { return Ok(()) };
        let mut online = entry.conversation.sides().to_vec();
        online.dedup();
        online.retain(|side| self.hub.has_besides(app, *side, entry.origin));
        if online.is_empty() {
            return Ok(());
        }
        // As it is now: the entry may have handed its content over already, and later ones tell the same.
        let timeline = &self.context.timeline;
        let found = timeline.find_message(app, entry.conversation, *author, *key).await?;
        let Some(found) = found.filter(|found| found.at == *target) else { return Ok(()) };
        let message = self.open_message(app, entry.conversation, &found.message);
        if message.content.body.is_empty() {
            return Ok(());
        }
        let frame = push::event(&push::modified_item(&message, found.at.time));
        let viewers = self.viewers(app, entry.conversation, *target).await?;
        for side in online.into_iter().filter(|side| viewers.contains(side)) {
            self.hub.push(app, side, &frame, entry.origin);
        }
        Ok(())
    }
}

/// What a changed message carries; a text, where its elements stay as they are.
fn medium_of(change: &Change) -> Medium {
    change.body.as_ref().map_or(Medium::Text, |(_, medium)| *medium)
}
