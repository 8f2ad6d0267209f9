//! What an account set for its conversations: pins, marks, custom data, how messages are announced.

use model::settings::App;
use model::{AccountNumber, ErrorCode, InstanceId, Result, SdkAppId};
use ports::Records;
use ports::records::find;
use promise::Stamps;

use crate::Engine;
use crate::context::Context;
use crate::facts::{AccountFact, ContactFact, ContactSettings};
use crate::store::{TRIES_MAX, owned_by, put, unchanged, write_for};

/// The most pinned conversations of an account (page 1047/34381).
pub const PINNED_MAX: usize = 50;

/// The most conversations of an account that carry marks or custom data or are in a conversation group (page 1047/53438).
pub const MARKED_MAX: usize = 1000;

/// The most conversations with any setting.
pub(crate) const SETTINGS_MAX: usize = 10_000;

/// Every account's settings of its conversations.
pub struct Contacts {
    context: Context,
}

impl Contacts {
    pub(crate) const fn new(context: Context) -> Self {
        Self { context }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    /// The settings of one conversation.
    ///
    /// # Errors
    /// What the store says.
    pub async fn of(
        &self,
        app: SdkAppId,
        owner: AccountNumber,
        peer: AccountNumber,
    ) -> Result<ContactSettings> {
        let found = find::<ContactFact>(self.records(), app, &ContactFact::key_of(owner, peer)).await?;
        Ok(found.map(|(fact, _)| fact.settings).unwrap_or_default())
    }

    /// Every conversation of an account that has a setting.
    ///
    /// # Errors
    /// What the store says.
    pub async fn all(&self, app: SdkAppId, owner: AccountNumber) -> Result<Vec<ContactFact>> {
        owned_by(self.records(), app, owner, SETTINGS_MAX).await
    }

    /// Changes the settings of one conversation; returns what they are now.
    ///
    /// # Errors
    /// `TooManyPinned`, `TooManyMarkedConversations`, `ContactAccountUnknown` if one of both was just erased.
    pub async fn change(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        owner: AccountNumber,
        peer: AccountNumber,
        change: impl Fn(&mut ContactSettings),
    ) -> Result<ContactSettings> {
        for _ in 0..TRIES_MAX {
            let key = ContactFact::key_of(owner, peer);
            let found = find::<ContactFact>(self.records(), app, &key).await?;
            let version = found.as_ref().map(|(_, version)| *version);
            let before = found.map(|(fact, _)| fact.settings).unwrap_or_default();
            let mut settings = before.clone();
            change(&mut settings);
            if settings == before {
                return Ok(settings);
            }
            settings.note_change(&before, self.context.clock.now().seconds());
            self.check(app, owner, &before, &settings).await?;
            let fact = ContactFact { owner, peer, settings: settings.clone() };
            let condition = unchanged::<ContactFact>(key, version);
            let writes = vec![put(stamps.account(owner), &fact)?];
            let concerned = (&[owner, peer][..], ErrorCode::ContactAccountUnknown);
            if write_for(self.records(), app, concerned, vec![condition], writes).await? {
                return Ok(settings);
            }
        }
        Err(ErrorCode::ContactInternal.into())
    }

    async fn check(
        &self,
        app: SdkAppId,
        owner: AccountNumber,
        before: &ContactSettings,
        after: &ContactSettings,
    ) -> Result<()> {
        let pins = after.pinned_at.is_some() && before.pinned_at.is_none();
        let marks = after.is_marked() && !before.is_marked();
        if !pins && !marks {
            return Ok(());
        }
        let all = self.all(app, owner).await?;
        if pins && all.iter().filter(|fact| fact.settings.pinned_at.is_some()).count() >= PINNED_MAX {
            return Err(ErrorCode::TooManyPinned.into());
        }
        if marks && all.iter().filter(|fact| fact.settings.is_marked()).count() >= MARKED_MAX {
            return Err(ErrorCode::TooManyMarkedConversations.into());
        }
        Ok(())
    }
}

impl Engine {
    /// Takes a conversation off the list of `by`, with `history` what was said there too. It is pinned no more: a client that
    /// hears of a later message asks for marks and groups of the conversation, never for a pin. Those stay.
    ///
    /// # Errors
    /// What the store says.
    pub async fn delete_conversation(
        &self,
        app: &App,
        by: &AccountFact,
        peer: &AccountFact,
        history: bool,
        origin: Option<InstanceId>,
    ) -> Result<()> {
        let stamps = Stamps::of(app.id, &app.settings);
        let unpin = |settings: &mut ContactSettings| settings.pinned_at = None;
        self.contacts.change(stamps, app.id, by.number, peer.number, unpin).await?;
        self.clear(app, by, peer, history, true, origin).await.map(drop)
    }
}
