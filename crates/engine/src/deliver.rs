//! Delivery: follows what was appended and pushes it to the connections of this node, in order.
//!
//! A push is a hint: whoever misses it finds the entry in the account's stream.

use std::sync::Arc;
use std::time::Duration;

use model::{AccountNumber, Message, Result, SdkAppId, Sealed, UserId};
use ports::{Entry, Event};

use crate::Engine;
use crate::facts::AccountFact;
use crate::push::{self, Copy, Recalled, Shown};

/// Entries taken at once.
const BATCH: usize = 1024;

/// How soon what failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Starts the delivery of what is appended from now on. Ends when the engine is gone or the store is closed.
pub(crate) fn start(engine: &Arc<Engine>) {
    let mut follower = engine.context.bus.follow(None);
    let (weak, clock) = (Arc::downgrade(engine), Arc::clone(&engine.context.clock));
    engine.context.spawner.spawn(Box::pin(async move {
        loop {
            let entries = match follower.next(BATCH).await {
                Ok(entries) if entries.is_empty() => return,
                Ok(entries) => entries,
                Err(fault) => {
                    tracing::error!(%fault, "cannot follow what is appended: trying again");
                    clock.sleep(RETRY).await;
                    if weak.strong_count() == 0 {
                        return;
                    }
                    continue;
                }
            };
            let Some(engine) = weak.upgrade() else { return };
            for entry in entries {
                if let Err(error) = engine.deliver(&entry).await {
                    // The entry is stored: clients find it when they synchronise.
                    tracing::warn!(?error, "an entry could not be pushed");
                }
            }
        }
    }));
}

impl Engine {
    async fn deliver(&self, entry: &Entry) -> Result<()> {
        let app = entry.stamp.app;
        match &entry.event {
            Event::Message(message) => self.deliver_message(app, entry, message).await,
            Event::Recall { key, author, client_time, revoker, .. } => {
                self.deliver_recall(app, entry, (*key, *author, *client_time, revoker)).await
            }
            Event::Read { reader, up_to } => self.deliver_read(app, entry, *reader, up_to.time).await,
            Event::Receipt { reader, targets } => {
                let author = entry.conversation.peer_of(*reader);
                if self.hub.has(app, author)
                    && let Some(account) = self.accounts.with_number(app, *reader).await?
                {
                    let frame = push::receipts(&account.user, entry.time, author, targets);
                    self.hub.push(app, author, &frame, None);
                }
                Ok(())
            }
            Event::Modify { .. } => self.deliver_modification(app, entry).await,
            Event::Clear { by, listing: true, .. } => self.deliver_deletion(app, entry, *by).await,
            Event::Clear { .. } | Event::Delete { .. } => Ok(()),
        }
    }

    async fn name_of(&self, app: SdkAppId, number: AccountNumber) -> Result<Option<UserId>> {
        let account = self.accounts.with_number(app, number).await?;
        Ok(account.map(|account: Arc<AccountFact>| account.user.clone()))
    }

    /// A deletion by one of the account's instances may be kept from the others; one by the back end is told to all.
    async fn deliver_deletion(&self, app: SdkAppId, entry: &Entry, by: AccountNumber) -> Result<()> {
        if !self.hub.has_besides(app, by, entry.origin) {
            return Ok(());
        }
        let found = self.apps.find(app).await?;
        let is_told = found.is_none_or(|found| found.settings.sync_conversation_deletion);
        if (is_told || entry.origin.is_none())
            && let Some(peer) = self.name_of(app, entry.conversation.peer_of(by)).await?
        {
            self.hub.push(app, by, &push::deleted(&[peer]), entry.origin);
        }
        Ok(())
    }

    async fn deliver_message(&self, app: SdkAppId, entry: &Entry, sealed: &Message<Sealed>) -> Result<()> {
        let message = sealed;
        // A live import is pushed like any other message, one of history is not.
        if message.flags.imported && message.flags.uncounted {
            return Ok(());
        }
        let receiver = entry.conversation.peer_of(message.author);
        let (to_receiver, to_sender) = (
            message.is_kept_by(receiver) && self.hub.has(app, receiver),
            receiver != message.author
                && message.is_kept_by(message.author)
                && self.hub.has_besides(app, message.author, entry.origin),
        );
        if !to_receiver && !to_sender {
            return Ok(());
        }
        let message = &self.open_message(app, entry.conversation, sealed);
        let profile = self.profiles.of(app, message.author).await?;
        let shown =
            Shown { nick: profile.text(model::profile::NICK), image: profile.text(model::profile::IMAGE) };
        if to_receiver {
            let frame = push::message(message, entry.time, shown, Copy::Original, false);
            self.hub.push(app, receiver, &frame, entry.origin.filter(|_| receiver == message.author));
            self.statistics.delivered(app);
        }
        if to_sender {
            let frame = push::message(message, entry.time, shown, Copy::OfSender, false);
            self.hub.push(app, message.author, &frame, entry.origin);
        }
        Ok(())
    }

    async fn deliver_recall(
        &self,
        app: SdkAppId,
        entry: &Entry,
        recall: (model::MessageKey, AccountNumber, model::Seconds, &UserId),
    ) -> Result<()> {
        let (key, author, client_time, revoker) = recall;
        let [low, high] = entry.conversation.sides();
        if !self.hub.has(app, low) && !self.hub.has(app, high) {
            return Ok(());
        }
        let (Some(from), Some(to)) =
            (self.name_of(app, author).await?, self.name_of(app, entry.conversation.peer_of(author)).await?)
        else {
            return Ok(());
        };
        let recalled = Recalled { from: &from, to: &to, author, key, client_time, revoker };
        let frame = push::event(&push::recall_item(recalled));
        self.hub.push(app, low, &frame, entry.origin);
        if high != low {
            self.hub.push(app, high, &frame, entry.origin);
        }
        Ok(())
    }

    async fn deliver_read(
        &self,
        app: SdkAppId,
        entry: &Entry,
        reader: AccountNumber,
        up_to: model::Seconds,
    ) -> Result<()> {
        let peer = entry.conversation.peer_of(reader);
        if self.hub.has(app, peer)
            && peer != reader
            && let Some(name) = self.name_of(app, reader).await?
        {
            self.hub.push(app, peer, &push::read_by_peer(&name, up_to), None);
        }
        if self.hub.has(app, reader)
            && let Some(name) = self.name_of(app, peer).await?
        {
            let frame = push::event(&push::read_item(&name, up_to));
            self.hub.push(app, reader, &frame, entry.origin);
        }
        Ok(())
    }
}
