//! What accounts add to messages that are there: extensions and reactions.
//!
//! Each is a record of its own, sealed, stamped with who made it, and it ends with its message. None is shown without the
//! message: where that was recalled, deleted or never received, there is nothing. Changes about one message take turns: each
//! writes the numbers of the message's annotations on condition that they are as it read them.

mod extensions;
mod facts;
mod reactions;
mod removal;

use model::settings::App;
use model::{
    AccountNumber, ConversationId, ErrorCode, Expiry, HistoryKey, InstanceId, Medium, MessageKey, Result,
    SdkAppId, Sealed, Seconds, Stamp,
};
use ports::records::{Range, Write, find};
use promise::Stamps;
use promise::keys::Place;

pub use self::extensions::{
    Changed, EXTENSIONS_AT_ONCE, EXTENSIONS_MAX, Extensions, KEY_BYTES_MAX, Operation, Outcome, PAGE_MAX,
    Pair, VALUE_BYTES_MAX,
};
pub(crate) use self::facts::Annotation;
pub use self::facts::{About, AnnotationsFact, ExtensionFact, OF_ACCOUNT, ReactionFact};
pub use self::reactions::{REACTED_MAX, REACTION_BYTES_MAX, REACTIONS_MAX, Reaction};

use crate::Engine;
use crate::facts::AccountFact;
use crate::push::Named;
use crate::store::{put, unchanged, write_for};

/// Records of one kind about one message: extensions with deleted keys, or reactions.
const ABOUT_ONE_MAX: usize = 2000;

/// A message that can be added to, as it is seen now.
#[derive(Clone, Debug)]
pub struct Annotated {
    /// Which one.
    pub about: About,
    /// Who sent it.
    pub author: AccountNumber,
    /// The sender's clock.
    pub client_time: Seconds,
    /// Whether extensions may be set on it.
    pub supports_extension: bool,
    /// The sides that see it.
    viewers: Vec<AccountNumber>,
    /// Until when it is kept.
    end: Expiry,
}

impl Annotated {
    /// Whether this side sees the message, and so what is added to it.
    #[must_use]
    pub fn is_seen_by(&self, account: AccountNumber) -> bool {
        self.viewers.contains(&account)
    }
}

/// Who changes what was added to a message.
#[derive(Clone, Copy, Debug)]
pub struct Maker {
    /// The account.
    pub number: AccountNumber,
    /// The instance that does it; `None` for the app's back end.
    pub origin: Option<InstanceId>,
}

/// The refusal where a message is not there, or not for who asks.
#[must_use]
pub fn no_such_message() -> model::Error {
    ErrorCode::KeyMalformed.because("MsgKey: no such message")
}

impl Annotated {
    /// What names the message to clients.
    const fn named(&self) -> Named {
        Named { author: self.author, client_time: self.client_time, random: self.about.message.random }
    }
}

impl Engine {
    /// The message that `from` sent to `to` under this key, as `viewer` sees it: not if it was recalled, deleted on that
    /// side or never received. `None` as viewer stands for the app's back end, which sees what one of the sides does.
    ///
    /// # Errors
    /// What the store says.
    pub async fn annotated(
        &self,
        app: &App,
        from: &AccountFact,
        to: &AccountFact,
        key: MessageKey,
        viewer: Option<AccountNumber>,
    ) -> Result<Option<Annotated>> {
        let conversation = ConversationId::between(from.number, to.number);
        let Some(found) = self.message(app, from, to, key).await? else { return Ok(None) };
        let viewers = self.viewers(app.id, conversation, found.at).await?;
        if !viewer.map_or(!viewers.is_empty(), |viewer| viewers.contains(&viewer)) {
            return Ok(None);
        }
        // The app may have begun to keep messages for a shorter time since.
        let kept = Stamps::of(app.id, &app.settings).message(from.number, found.at.time, Medium::Text);
        Ok(Some(Annotated {
            about: About { conversation, at: found.at, message: key },
            author: from.number,
            client_time: found.message.client_time,
            supports_extension: found.message.flags.supports_extension,
            viewers,
            end: found.expiry.min(kept.expiry),
        }))
    }

    /// The sides that see a message; none once it is recalled.
    pub(crate) async fn viewers(
        &self,
        app: SdkAppId,
        conversation: ConversationId,
        at: HistoryKey,
    ) -> Result<Vec<AccountNumber>> {
        let mut viewers = Vec::new();
        for side in conversation.sides() {
            if viewers.contains(&side) {
                continue;
            }
            let found = self.message_at(app, conversation, side, at).await?;
            if found.is_some_and(|found| found.revoker.is_none()) {
                viewers.push(side);
            }
        }
        Ok(viewers)
    }

    /// The numbers of a message's annotations, with the version to be expected at a change.
    async fn numbers(&self, app: SdkAppId, about: About) -> Result<(AnnotationsFact, Option<u64>)> {
        let found = find::<AnnotationsFact>(self.context.records.as_ref(), app, &about.key()).await?;
        Ok(match found {
            Some((fact, version)) => (fact, Some(version)),
            None => (AnnotationsFact { about, sequence: 0, cleared: 0, reaction: 0 }, None),
        })
    }

    /// Every record of a kind about a message, in the order of their numbers.
    async fn annotations<R: Annotation>(&self, app: SdkAppId, about: &About) -> Result<Vec<R>> {
        let range =
            Range { kind: R::KIND, index: None, prefix: about.key(), after: None, limit: ABOUT_ONE_MAX };
        let found = self.context.records.scan(app, range).await?;
        found.iter().map(|record| Ok(record.decode()?)).collect()
    }

    /// What an annotation says; `None` once its keys are destroyed.
    pub(crate) fn open_annotation<R: Annotation>(&self, app: SdkAppId, fact: &R) -> Option<Vec<u8>> {
        let (by, sealed) = fact.said()?;
        self.keyring.open_bytes(Place::annotation(app, fact.about().conversation, by), sealed)
    }

    /// Seals what an account adds to a message, with the stamp to store it under.
    fn seal_annotation(
        &self,
        app: &App,
        message: &Annotated,
        by: AccountNumber,
        bytes: Vec<u8>,
    ) -> Result<(Stamp, Sealed)> {
        let stamp = Stamps::of(app.id, &app.settings).annotation(by, Medium::Text, message.end);
        let place = Place::annotation(app.id, message.about.conversation, by);
        let now = self.context.clock.now().seconds();
        Ok((stamp, self.keyring.seal_bytes(place, now, stamp.expiry, bytes)?))
    }

    /// Writes a change about a message; `false` if another one came first.
    ///
    /// # Errors
    /// [`no_such_message`] if the message went meanwhile, or one of its sides or the maker was erased: then nothing is left of the
    /// change.
    async fn change_annotations(
        &self,
        app: &App,
        message: &Annotated,
        maker: Maker,
        (numbers, version): (&AnnotationsFact, Option<u64>),
        mut writes: Vec<Write>,
    ) -> Result<bool> {
        let About { conversation, at, .. } = message.about;
        let side = conversation.sides()[0];
        let stamp = Stamps::of(app.id, &app.settings).annotation(side, Medium::Derived, message.end);
        writes.push(put(stamp, numbers)?);
        let condition = unchanged::<AnnotationsFact>(message.about.key(), version);
        let [low, high] = conversation.sides();
        let concerned = [low, high, maker.number];
        let gone = ErrorCode::KeyMalformed;
        let records = self.context.records.as_ref();
        let is_written = write_for(records, app.id, (&concerned, gone), vec![condition], writes).await;
        if !is_written.map_err(|error| if error.code == gone { no_such_message() } else { error })? {
            return Ok(false);
        }
        // A recall that came in between has removed what was there before, not this.
        if self.viewers(app.id, conversation, at).await?.is_empty() {
            self.forget_annotations_of(app.id, conversation, at.position).await?;
            return Err(no_such_message());
        }
        Ok(true)
    }

    /// Tells the sides that see a message of a change, but not the instance that made it.
    fn tell_viewers(&self, app: SdkAppId, message: &Annotated, maker: Maker, frame: &bytes::Bytes) {
        for viewer in &message.viewers {
            let cause = maker.origin.filter(|_| *viewer == maker.number);
            self.hub.push(app, *viewer, frame, cause);
        }
    }
}
