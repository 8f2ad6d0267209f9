//! What an account set for its conversations: pins, marks, custom data, how messages are announced.

use model::settings::App;
use model::{AccountNumber, ErrorCode, InstanceId, Result, SdkAppId};
use ports::records::{Write, find};
use ports::{Record, Records};
use promise::Stamps;

use crate::Engine;
use crate::contact_groups::ContactGroupsFact;
use crate::context::Context;
use crate::facts::{AccountFact, ContactFact, ContactSettings};
use crate::store::{TRIES_MAX, owned_by, put, remove, unchanged, write_for};

/// The most pinned conversations of an account (page 1047/34381).
pub const PINNED_MAX: usize = 50;

/// The most conversations of an account that carry marks or custom data or are in a conversation group (page 1047/53438).
pub const MARKED_MAX: usize = 1000;

/// The most conversations of an account with any setting: what is set anew beyond them is refused.
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
    /// `TooManyPinned`, `TooManyMarkedConversations`, `ContactAccountUnknown` if one of both was just erased; `TooManyAccounts` if there are settings of 10,000 conversations.
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
            let fact = ContactFact { owner, peer, settings: settings.clone() };
            let mut conditions = vec![unchanged::<ContactFact>(key, version)];
            let mut writes = vec![written(stamps, &fact)?];
            if is_limited(&before, version, &settings) {
                // What is counted is written by one at a time, conversation groups included: each writes their record.
                let groups_key = ContactGroupsFact::key_of(owner);
                let found = find::<ContactGroupsFact>(self.records(), app, &groups_key).await?;
                let version = found.as_ref().map(|(_, version)| *version);
                let groups = found.map_or_else(|| ContactGroupsFact::none_of(owner), |(fact, _)| fact);
                self.check(app, owner, &before, &settings).await?;
                conditions.push(unchanged::<ContactGroupsFact>(groups.key(), version));
                writes.push(put(stamps.account(owner), &groups)?);
            }
            let concerned = (&[owner, peer][..], ErrorCode::ContactAccountUnknown);
            if write_for(self.records(), app, concerned, conditions, writes).await? {
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
        let all = self.all(app, owner).await?;
        if pins(before, after)
            && all.iter().filter(|fact| fact.settings.pinned_at.is_some()).count() >= PINNED_MAX
        {
            return Err(ErrorCode::TooManyPinned.into());
        }
        if marks(before, after) && all.iter().filter(|fact| fact.settings.is_marked()).count() >= MARKED_MAX {
            return Err(ErrorCode::TooManyMarkedConversations.into());
        }
        if before.is_default() && all.len() >= SETTINGS_MAX {
            let most = format!("an account has settings of at most {SETTINGS_MAX} conversations");
            return Err(ErrorCode::TooManyAccounts.because(most));
        }
        Ok(())
    }
}

/// Whether a change adds to what is limited.
fn is_limited(before: &ContactSettings, version: Option<u64>, after: &ContactSettings) -> bool {
    pins(before, after) || marks(before, after) || version.is_none()
}

const fn pins(before: &ContactSettings, after: &ContactSettings) -> bool {
    after.pinned_at.is_some() && before.pinned_at.is_none()
}

fn marks(before: &ContactSettings, after: &ContactSettings) -> bool {
    after.is_marked() && !before.is_marked()
}

/// What keeps the settings of a conversation: nothing where nothing is set any more.
pub(crate) fn written(stamps: Stamps, fact: &ContactFact) -> Result<Write> {
    if fact.settings.is_default() {
        return Ok(remove::<ContactFact>(fact.key()));
    }
    put(stamps.account(fact.owner), fact)
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
