//! What clients read: pages of history, what they missed, and how both are written down.

use model::settings::App;
use model::{
    AccountNumber, Content, ConversationId, ErrorCode, HistoryKey, MessageKey, Position, Result, SdkAppId,
    Seconds,
};
use ports::timeline::{
    AccountPage, ConversationView, Direction, HistoryPage, HistoryQuery, Recent, StoredMessage,
};
use ports::{Cursor, Event};
use serde_json::value::RawValue;

use crate::Engine;
use crate::facts::AccountFact;
use crate::push::{self, Copy, Recalled, Shown};

/// Which page of a conversation a client asks for, as it says it.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// Where to start: 0 means from the end.
    pub time: Seconds,
    /// The message to continue after, if any.
    pub key: Option<MessageKey>,
    /// Which way.
    pub direction: Direction,
    /// At most this many.
    pub limit: usize,
}

impl Engine {
    /// A page of history in the view of `viewer`.
    ///
    /// With a key the page starts beyond that message; without one the time is part of the page.
    ///
    /// # Errors
    /// What the store says.
    pub async fn page(
        &self,
        app: SdkAppId,
        viewer: &AccountFact,
        peer: &AccountFact,
        request: PageRequest,
    ) -> Result<HistoryPage<Content>> {
        let place = match request.key {
            Some(key) => self.place_of(app, viewer.number, peer.number, key, request.direction).await?,
            None => None,
        };
        let (mut after, mut before) = (HistoryKey::START, HistoryKey::END);
        match (request.direction, place) {
            (Direction::Backwards, Some(place)) => before = place,
            (Direction::Backwards, None) if request.time.0 > 0 => before = HistoryKey::end_of(request.time),
            (Direction::Forwards, Some(place)) => after = place,
            (Direction::Forwards, None) => after = HistoryKey::start_of(request.time),
            (Direction::Backwards, None) => {}
        }
        let query = HistoryQuery {
            viewer: viewer.number,
            after,
            before,
            direction: request.direction,
            limit: request.limit,
        };
        self.history(app, viewer.number, peer.number, query).await
    }

    /// A part of the history between two accounts.
    ///
    /// # Errors
    /// What the store says.
    pub async fn history(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        peer: AccountNumber,
        query: HistoryQuery,
    ) -> Result<HistoryPage<Content>> {
        let conversation = ConversationId::between(viewer, peer);
        let page = self.context.timeline.history(app, conversation, query).await?;
        Ok(self.open_page(app, conversation, &page))
    }

    /// The message at a place, if this side sees it.
    pub(crate) async fn message_at(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        viewer: AccountNumber,
        at: HistoryKey,
    ) -> Result<Option<StoredMessage>> {
        let place = |position: u64| HistoryKey { time: at.time, position: Position(position) };
        let query = HistoryQuery {
            viewer,
            after: place(at.position.0.saturating_sub(1)),
            before: place(at.position.0.saturating_add(1)),
            direction: Direction::Backwards,
            limit: 1,
        };
        let page = self.context.timeline.history(app, conversation, query).await?;
        Ok(page.messages.into_iter().next())
    }

    /// Where the message with this key stands, whoever sent it. Both sides may use the same numbers in one second:
    /// then the one from which less is passed over.
    ///
    /// # Errors
    /// What the store says.
    pub async fn place_of(
        &self,
        app: SdkAppId,
        one: AccountNumber,
        other: AccountNumber,
        key: MessageKey,
        direction: Direction,
    ) -> Result<Option<HistoryKey>> {
        let mut places = Vec::new();
        let conversation = ConversationId::between(one, other);
        for author in [one, other] {
            let found = self.context.timeline.find_message(app, conversation, author, key).await?;
            places.extend(found.map(|found| found.at));
        }
        Ok(match direction {
            Direction::Backwards => places.into_iter().max(),
            Direction::Forwards => places.into_iter().min(),
        })
    }

    /// An account's listed conversations, the most recently active first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn conversations(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        limit: usize,
    ) -> Result<Vec<ConversationView<Content>>> {
        let views = self.context.timeline.conversations(app, viewer, limit).await?;
        Ok(views.into_iter().map(|view| self.open_view(app, view)).collect())
    }

    /// The order of an account's list: the most recently active conversation first, at most `limit`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn recent(&self, app: SdkAppId, viewer: AccountNumber, limit: usize) -> Result<Vec<Recent>> {
        Ok(self.context.timeline.recent(app, viewer, limit).await?)
    }

    /// An account's conversation with another, if there is one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn conversation(
        &self,
        app: SdkAppId,
        viewer: AccountNumber,
        peer: AccountNumber,
    ) -> Result<Option<ConversationView<Content>>> {
        let conversation = ConversationId::between(viewer, peer);
        let view = self.context.timeline.conversation(app, viewer, conversation).await?;
        Ok(view.map(|view| self.open_view(app, view)))
    }

    /// How many messages of `peer` the viewer has not read, up to the documented limit.
    ///
    /// # Errors
    /// What the store says.
    pub async fn unread(&self, app: SdkAppId, viewer: AccountNumber, peer: AccountNumber) -> Result<u32> {
        Ok(self.context.timeline.unread(app, viewer, ConversationId::between(viewer, peer)).await?)
    }

    /// What happened to an account after a cursor.
    ///
    /// # Errors
    /// What the store says.
    pub async fn missed(
        &self,
        app: SdkAppId,
        account: AccountNumber,
        after: Cursor,
        limit: usize,
    ) -> Result<AccountPage> {
        Ok(self.context.timeline.account_entries(app, account, after, limit).await?)
    }

    /// Writes messages down as an array of a history answer's objects.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write_page(
        &self,
        app: SdkAppId,
        messages: &[StoredMessage<Content>],
    ) -> Result<Vec<Box<RawValue>>> {
        let mut written = Vec::with_capacity(messages.len());
        for found in messages {
            let profile = self.profiles.of(app, found.message.author).await?;
            let shown = Shown {
                nick: profile.text(model::profile::NICK),
                image: profile.text(model::profile::IMAGE),
            };
            let mut out = Vec::with_capacity(512 + found.message.content.counted_bytes());
            push::write_message(&mut out, &found.message, found.at.time, shown, Copy::Original);
            out.pop();
            let flag_bits = if found.revoker.is_some() { 8 } else { 0 };
            out.extend_from_slice(format!(",\"MsgFlagBits\":{flag_bits}").as_bytes());
            if let Some(at) = found.receipt_at {
                out.extend_from_slice(format!(",\"IsPeerRead\":1,\"PeerReadTime\":{}", at.0).as_bytes());
            } else {
                out.extend_from_slice(b",\"IsPeerRead\":0");
            }
            if let Some(revoker) = &found.revoker {
                out.extend_from_slice(br#","RevokerInfo":{"Reason":"","Revoker_Account":"#);
                push::write_text(&mut out, revoker.as_str());
                out.push(b'}');
            }
            out.push(b'}');
            written.push(raw(out)?);
        }
        Ok(written)
    }

    /// Writes what an account missed as the items of a sync answer. `instance` learns nothing about what it did
    /// itself, except its own messages: a client that lost the answer needs them.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write_missed(
        &self,
        app: &App,
        account: &AccountFact,
        page: &AccountPage,
    ) -> Result<Vec<Box<RawValue>>> {
        let mut items = Vec::with_capacity(page.entries.len());
        for entry in &page.entries {
            match &entry.event {
                Event::Message(sealed) => {
                    let message = &self.open_message(app.id, entry.conversation, sealed);
                    // Recalled, or erased with its author: there is nothing to be missed.
                    if message.content.body.is_empty() {
                        continue;
                    }
                    let profile = self.profiles.of(app.id, message.author).await?;
                    let shown = Shown {
                        nick: profile.text(model::profile::NICK),
                        image: profile.text(model::profile::IMAGE),
                    };
                    let mut out = Vec::with_capacity(512 + message.content.counted_bytes());
                    // Unlike in a push, an own message is recognised by its sender here.
                    push::write_message(&mut out, message, entry.time, shown, Copy::Original);
                    items.push(raw(out)?);
                }
                Event::Recall { key, author, client_time, revoker, .. } => {
                    let peer = entry.conversation.peer_of(*author);
                    let from = self.accounts.with_number(app.id, *author).await?;
                    let to = self.accounts.with_number(app.id, peer).await?;
                    if let (Some(from), Some(to)) = (from, to) {
                        let item = push::recall_item(Recalled {
                            from: &from.user,
                            to: &to.user,
                            author: *author,
                            key: *key,
                            client_time: *client_time,
                            revoker,
                        });
                        items
                            .push(raw(serde_json::json!({ "EventArray": [item] }).to_string().into_bytes())?);
                    }
                }
                Event::Read { reader, up_to } if *reader == account.number => {
                    let peer = entry.conversation.peer_of(*reader);
                    if let Some(peer) = self.accounts.with_number(app.id, peer).await? {
                        let item = push::read_item(&peer.user, up_to.time);
                        items
                            .push(raw(serde_json::json!({ "EventArray": [item] }).to_string().into_bytes())?);
                    }
                }
                _ => {}
            }
        }
        Ok(items)
    }
}

fn raw(json: Vec<u8>) -> Result<Box<RawValue>> {
    let damaged = |error: &dyn std::fmt::Display| {
        model::Error::from(ErrorCode::MessageServiceUnavailable)
            .caused_by(format!("a stored message: {error}"))
    };
    let text = String::from_utf8(json).map_err(|error| damaged(&error))?;
    RawValue::from_string(text).map_err(|error| damaged(&error))
}
