//! What a copy says, and how it is kept.

use model::profile::Profile;
use model::{AccountNumber, Content, DataClass, Message, SdkAppId, Sealed, Seconds, Subject, UserId};
use ports::{Kind, Record};
use promise::keys::Place;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What copies are kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cover(pub u64);

impl Cover {
    /// What sets holds apart from floors.
    pub(super) const HOLD: u64 = 1 << 63;

    /// That of an app's floors.
    #[must_use]
    pub const fn floor(app: SdkAppId) -> Self {
        Self(app.0 as u64)
    }

    /// Where its copies belong: to no app, so that none of them dies with one.
    #[must_use]
    pub const fn place(self) -> Place {
        Place {
            app: SdkAppId::INSTALLATION,
            class: DataClass::Preserved,
            conversation: None,
            author: AccountNumber(self.0),
        }
    }
}

/// A copy, opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Copied {
    /// A message.
    Message {
        /// Who sent it.
        from: UserId,
        /// To whom.
        to: UserId,
        /// Who wrote what it says, if that is not who sent it: the other side changed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changed_by: Option<UserId>,
        /// When it was taken.
        time: Seconds,
        /// Chosen by its sender.
        sequence: u32,
        /// Chosen by its sender.
        random: u32,
        /// Its elements.
        body: Value,
        /// The app's own text.
        cloud_custom_data: String,
        /// For push vendors.
        offline_push_info: Option<String>,
    },
    /// A profile as it was after a change.
    Profile {
        /// Whose.
        user: UserId,
        /// When.
        time: Seconds,
        /// All fields.
        fields: Profile,
    },
    /// Merged messages that were stored apart from the message that names them.
    Merged {
        /// Who merged them.
        user: UserId,
        /// When.
        time: Seconds,
        /// By what messages name them.
        key: String,
        /// The merged messages.
        messages: Value,
    },
}

impl Copied {
    /// When it was made.
    #[must_use]
    pub const fn time(&self) -> Seconds {
        match self {
            Self::Message { time, .. } | Self::Profile { time, .. } | Self::Merged { time, .. } => *time,
        }
    }

    pub(crate) fn message(
        (from, to): (&UserId, &UserId),
        time: Seconds,
        (sequence, random): (u32, u32),
        content: &Content,
    ) -> Self {
        Self::written((from, to), None, time, (sequence, random), content)
    }

    /// A message as it is stored, opened: whoever changed it is named.
    pub(crate) fn stored(
        (from, to): (&UserId, &UserId),
        time: Seconds,
        message: &Message<Sealed>,
        content: &Content,
    ) -> Self {
        let changed_by = (message.writer() != message.author).then(|| to.clone());
        Self::written((from, to), changed_by, time, (message.sequence, message.random), content)
    }

    /// A message that somebody wrote or changed.
    pub(crate) fn written(
        (from, to): (&UserId, &UserId),
        changed_by: Option<UserId>,
        time: Seconds,
        (sequence, random): (u32, u32),
        content: &Content,
    ) -> Self {
        Self::Message {
            from: from.clone(),
            to: to.clone(),
            changed_by,
            time,
            sequence,
            random,
            // It was checked to be JSON when it came.
            body: serde_json::from_slice(&content.body).unwrap_or_default(),
            cloud_custom_data: content.cloud_custom_data.to_string(),
            offline_push_info: content.offline_push_info.as_deref().map(str::to_owned),
        }
    }
}

/// A copy at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreservedFact {
    /// What it is kept for.
    pub cover: Cover,
    /// When it was made.
    pub at: Seconds,
    /// Tells copies of one second apart.
    pub mark: u64,
    /// Whose it is.
    pub author: AccountNumber,
    /// The copy as JSON, sealed.
    pub sealed: model::Sealed,
}

impl PreservedFact {
    /// The index by author.
    pub(super) const BY_AUTHOR: u8 = 1;
}

impl Record for PreservedFact {
    const KIND: Kind = Kind { id: 18, name: "preserved copy", class: DataClass::Preserved };

    fn key(&self) -> Vec<u8> {
        let Self { cover, at, mark, .. } = self;
        [&cover.0.to_be_bytes()[..], &at.0.to_be_bytes(), &mark.to_be_bytes()].concat()
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.author)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        vec![(Self::BY_AUTHOR, self.author.0.to_be_bytes().to_vec())]
    }
}
