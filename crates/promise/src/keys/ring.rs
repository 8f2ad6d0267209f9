//! The keyring: seals and opens content, and destroys keys by changing to a new generation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce, Tag};
use bytes::Bytes;
use hashbrown::HashMap;
use model::message::{Content, Sealed};
use model::time::DAY_SECONDS;
use model::{AccountNumber, ConversationId, DataClass, Expiry, SdkAppId, Seconds};
use parking_lot::Mutex;
use ports::{Fault, Generation, Random, Vault};
use zeroize::{Zeroize as _, Zeroizing};

use super::state::{
    CLASS_LENGTH, INDEX_BITS, State, app_path, author_path, bucket_path, content_path, time_path,
};
use super::tree::{Descent, Seed};

/// What every derived key and sealed byte is bound to besides its place.
const LABEL: &[u8] = b"whimbrel content 2";

const TAG_BYTES: usize = 16;

/// Numbers taken from the vault at once. A start uses up what it took, so 2^20 starts fit into an index.
const INDEXES_AT_ONCE: u64 = 1 << 36;

/// Authors whose leaf is remembered. One that is not costs some 20 steps down the tree.
const AUTHORS_CACHED: usize = 100_000;

/// What the data knows of its keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its name.
    pub id: [u8; 16],
    /// The newest generation that was ever in use; `None` if none was: only then a keyring may be made.
    pub generation: Option<Generation>,
    /// Indexes below it may have been used.
    pub next_index: u64,
}

/// What is to become unreadable for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destroyed {
    /// One piece of content.
    Content {
        /// Its bucket.
        bucket: u16,
        /// Its index.
        index: u64,
    },
    /// Everything that expired before the beginning of a day, counted from 1970.
    Before(u16),
    /// Everything of an author.
    Author(SdkAppId, AccountNumber),
    /// Everything of an app.
    App(SdkAppId),
    /// Everything of an app and a class that was sealed before a second.
    SealedBefore(SdkAppId, DataClass, Seconds),
}

/// Where a piece of content belongs: it cannot be opened as anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its app.
    pub app: SdkAppId,
    /// Its class.
    pub class: DataClass,
    /// Its conversation, if it belongs to one.
    pub conversation: Option<ConversationId>,
    /// Whose it is.
    pub author: AccountNumber,
}

impl Place {
    /// The place of what somebody wrote in a conversation.
    #[must_use]
    pub const fn message(app: SdkAppId, conversation: ConversationId, author: AccountNumber) -> Self {
        Self { app, class: DataClass::MESSAGE, conversation: Some(conversation), author }
    }

    /// The place of what somebody added to a message of a conversation.
    #[must_use]
    pub const fn annotation(app: SdkAppId, conversation: ConversationId, by: AccountNumber) -> Self {
        Self::message(app, conversation, by)
    }

    /// The place of merged messages that somebody stored: in no conversation, since they may be sent to any.
    #[must_use]
    pub const fn merged(app: SdkAppId, author: AccountNumber) -> Self {
        Self { app, class: DataClass::MESSAGE, conversation: None, author }
    }

    /// The place of a search index of an app's messages: of nobody, since it holds what many wrote.
    #[must_use]
    pub const fn search_index(app: SdkAppId) -> Self {
        Self { app, class: DataClass::MESSAGE, conversation: None, author: AccountNumber(0) }
    }

    /// The place of an account's profile.
    #[must_use]
    pub const fn profile(app: SdkAppId, author: AccountNumber) -> Self {
        Self { app, class: DataClass::Profile, conversation: None, author }
    }
}

/// A place, and which key of it.
#[derive(Clone, Copy)]
struct Slot {
    place: Place,
    bucket: u16,
    index: u64,
    sealed_at: Seconds,
}

struct Inner {
    state: State,
    generation: Generation,
    indexes: std::ops::Range<u64>,
    authors: HashMap<(SdkAppId, AccountNumber), Seed>,
    /// Where content was sealed and opened last. Two, since what is opened is a little older than what is sealed, and
    /// going back and forth between them would cost many steps.
    sealed: Descents,
    opened: Descents,
}

/// The ways down the trees that were taken last.
#[derive(Default)]
struct Descents {
    contents: Descent,
    times: Descent,
    authors: Descent,
}

/// What a key is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Seal,
    Open,
}

/// The only holder of key states; see the module for how keys follow from each other.
pub struct Keyring {
    vault: Arc<dyn Vault>,
    inner: Mutex<Inner>,
    is_changing: AtomicBool,
}

/// Ends a change of generations however it ends.
struct Change<'a>(&'a AtomicBool);

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Keyring {
    /// Opens the keyring that the data expects.
    ///
    /// # Errors
    /// `Unavailable` if there is none and it may not be made (what was sealed cannot be read any more, and a new one would
    /// hide that), if it belongs to other data, or if it is older than the data knows: in it keys live that were destroyed.
    /// `Corrupt` for one that is damaged.
    pub async fn open(vault: Arc<dyn Vault>, random: &dyn Random, expected: Expected) -> Result<Self, Fault> {
        let refuse =
            |why: &str| Fault::Unavailable(format!("{why}: give back the keyring folder or its mirror"));
        let (state, generation) = match vault.load().await? {
            Some(kept) => (State::read(&kept.state)?, kept.generation),
            None if expected.generation.is_none() => {
                let state = State::fresh(expected.id, random);
                let generation = vault.replace(state.write()?).await?;
                (state, generation)
            }
            None => return Err(refuse("there is data and no keyring for it")),
        };
        if state.id != expected.id {
            return Err(refuse("the keyring belongs to other data"));
        }
        if expected.generation.is_some_and(|known| generation < known) {
            return Err(refuse("the keyring is older than the data"));
        }
        let mut first = vault.reserve(INDEXES_AT_ONCE).await?;
        if first < expected.next_index {
            let missing = expected.next_index - first;
            first = vault.reserve(missing + INDEXES_AT_ONCE).await? + missing;
        }
        let end = first.checked_add(INDEXES_AT_ONCE).filter(|end| *end <= 1 << INDEX_BITS);
        let end = end.ok_or_else(|| Fault::Unavailable("the keyring has no indexes left".to_owned()))?;
        let inner = Inner {
            state,
            generation,
            indexes: first..end,
            authors: HashMap::new(),
            sealed: Descents::default(),
            opened: Descents::default(),
        };
        Ok(Self { vault, inner: Mutex::new(inner), is_changing: AtomicBool::new(false) })
    }

    /// Opens a keyring to look only: it seals nothing and destroys nothing.
    ///
    /// # Errors
    /// `Unavailable` if there is none, `Corrupt` for one that is damaged.
    pub async fn to_look(vault: Arc<dyn Vault>) -> Result<Self, Fault> {
        let kept = vault.load().await?;
        let kept = kept.ok_or_else(|| Fault::Unavailable("there is no keyring".to_owned()))?;
        let inner = Inner {
            state: State::read(&kept.state)?,
            generation: kept.generation,
            indexes: 0..0,
            authors: HashMap::new(),
            sealed: Descents::default(),
            opened: Descents::default(),
        };
        Ok(Self { vault, inner: Mutex::new(inner), is_changing: AtomicBool::new(false) })
    }

    /// The end of the indexes that this start may use: what the data has to remember.
    #[must_use]
    pub fn next_index(&self) -> u64 {
        self.inner.lock().indexes.end
    }

    /// Names this keyring, in hexadecimal.
    #[must_use]
    pub fn id(&self) -> String {
        self.inner.lock().state.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Which generation of keys is in use.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.inner.lock().generation
    }

    /// Whether what an account wrote can be sealed and opened; not once that was destroyed.
    #[must_use]
    pub fn holds_author(&self, app: SdkAppId, author: AccountNumber) -> bool {
        Descent::default().derive(&self.inner.lock().state.authors, author_path(app, author)).is_some()
    }

    /// How many seeds the keyring holds: what was destroyed costs, what was sealed does not.
    #[must_use]
    pub fn seeds(&self) -> usize {
        let inner = self.inner.lock();
        let State { contents, authors, times, .. } = &inner.state;
        contents.nodes().len() + authors.nodes().len() + times.nodes().len()
    }

    /// Seals content that expires at the given time.
    ///
    /// # Errors
    /// As [`Self::seal_bytes`].
    pub fn seal(
        &self,
        place: Place,
        now: Seconds,
        expiry: Expiry,
        content: &Content,
    ) -> Result<Sealed, Fault> {
        self.seal_bytes(place, now, expiry, encode(content)?)
    }

    /// Seals bytes that expire at the given time.
    ///
    /// # Errors
    /// `Unavailable` if its keys are destroyed already, or no index is left before the next start.
    pub fn seal_bytes(
        &self,
        place: Place,
        now: Seconds,
        expiry: Expiry,
        mut bytes: Vec<u8>,
    ) -> Result<Sealed, Fault> {
        let bucket = bucket_of(expiry);
        let gone = || Fault::Unavailable("the keys for this content are destroyed".to_owned());
        let (slot, key) = {
            let mut inner = self.inner.lock();
            let index = inner.indexes.next();
            let index =
                index.ok_or_else(|| Fault::Unavailable("no key index is left: restart".to_owned()))?;
            let slot = Slot { place, bucket, index, sealed_at: now };
            (slot, inner.key(slot, Use::Seal).ok_or_else(gone)?)
        };
        let tag = cipher(&key)
            .encrypt_in_place_detached(&nonce(), &slot.bound(), &mut bytes)
            .map_err(|_| Fault::Corrupt("content that is too long to seal".to_owned()))?;
        bytes.extend_from_slice(&tag);
        Ok(Sealed { bucket, index: slot.index, sealed_at: now, bytes: bytes.into() })
    }

    /// Opens content; `None` as [`Self::open_bytes`].
    #[must_use]
    pub fn open_content(&self, place: Place, sealed: &Sealed) -> Option<Content> {
        decode(self.open_bytes(place, sealed)?)
    }

    /// Opens bytes; `None` if they were emptied, their keys are destroyed, or they are not what was sealed for this place.
    #[must_use]
    pub fn open_bytes(&self, place: Place, sealed: &Sealed) -> Option<Vec<u8>> {
        let text_bytes = sealed.bytes.len().checked_sub(TAG_BYTES)?;
        let slot = Slot { place, bucket: sealed.bucket, index: sealed.index, sealed_at: sealed.sealed_at };
        let key = self.inner.lock().key(slot, Use::Open)?;
        let (text, tag) = sealed.bytes.split_at(text_bytes);
        let mut text = text.to_vec();
        let tag = Tag::from_slice(tag);
        cipher(&key).decrypt_in_place_detached(&nonce(), &slot.bound(), &mut text, tag).ok()?;
        Some(text)
    }

    /// Destroys keys: changes to a new generation in which they cannot be derived. Nothing else changes.
    ///
    /// # Errors
    /// What the vault says; then the former generation stays in use. `Conflict` while another change runs.
    pub async fn destroy(&self, what: &[Destroyed]) -> Result<Generation, Fault> {
        if self.is_changing.swap(true, Ordering::AcqRel) {
            return Err(Fault::Conflict);
        }
        let _change = Change(&self.is_changing);
        let mut state = self.inner.lock().state.clone();
        for destroyed in what {
            match *destroyed {
                Destroyed::Content { bucket, index } => state.contents.puncture(content_path(bucket, index)),
                Destroyed::Before(day) => state.contents.puncture_before(bucket_path(day), 0),
                Destroyed::Author(app, author) => state.authors.puncture(author_path(app, author)),
                Destroyed::App(app) => {
                    state.authors.puncture(app_path(app));
                    state.times.puncture(app_path(app));
                }
                Destroyed::SealedBefore(app, class, second) => {
                    state.times.puncture_before(time_path(app, class.rule(), second), CLASS_LENGTH);
                }
            }
        }
        let generation = self.vault.replace(state.write()?).await?;
        {
            let mut inner = self.inner.lock();
            inner.state = state;
            inner.generation = generation;
            inner.authors.clear();
            inner.sealed = Descents::default();
            inner.opened = Descents::default();
        }
        // They stand for nothing any more; a restore of older data finds the keys gone. What cannot be forgotten now is
        // forgotten with the next change.
        let _ = self.forget_doomed().await;
        Ok(generation)
    }

    pub(super) fn vault(&self) -> &dyn Vault {
        self.vault.as_ref()
    }

    /// Whether anything of this could still be opened.
    pub(super) fn is_derivable(&self, what: Destroyed) -> bool {
        let inner = self.inner.lock();
        let State { contents, authors, .. } = &inner.state;
        match what {
            Destroyed::Content { bucket, index } => {
                Descent::default().derive(contents, content_path(bucket, index)).is_some()
            }
            Destroyed::Author(app, author) => {
                Descent::default().derive(authors, author_path(app, author)).is_some()
            }
            Destroyed::App(app) => authors.reaches(app_path(app)),
            Destroyed::Before(_) | Destroyed::SealedBefore(..) => false,
        }
    }

    /// Whether anything that an app seals can be opened; not once it was destroyed.
    #[must_use]
    pub fn holds_app(&self, app: SdkAppId) -> bool {
        self.inner.lock().state.authors.reaches(app_path(app))
    }
}

impl Inner {
    fn key(&mut self, slot: Slot, wanted: Use) -> Option<Seed> {
        let Self { state, authors, sealed, opened, .. } = self;
        let Place { app, class, author, .. } = slot.place;
        let descents = if wanted == Use::Seal { sealed } else { opened };
        let content = descents.contents.derive(&state.contents, content_path(slot.bucket, slot.index))?;
        let time = descents.times.derive(&state.times, time_path(app, class.rule(), slot.sealed_at))?;
        let author = match authors.get(&(app, author)) {
            Some(seed) => seed.clone(),
            None => {
                let seed = descents.authors.derive(&state.authors, author_path(app, author))?;
                if authors.len() >= AUTHORS_CACHED {
                    authors.clear();
                }
                authors.insert((app, author), seed.clone());
                seed
            }
        };
        let mut both = Zeroizing::new([0; 64 + LABEL.len()]);
        both[..32].copy_from_slice(author.as_slice());
        both[32..64].copy_from_slice(time.as_slice());
        both[64..].copy_from_slice(LABEL);
        Some(Zeroizing::new(blake3::keyed_hash(&content, both.as_slice()).into()))
    }
}

impl Slot {
    /// What the seal authenticates besides the content.
    fn bound(self) -> [u8; 61] {
        let Place { app, class, conversation, author } = self.place;
        let [low, high] = conversation.map_or([AccountNumber(0); 2], ConversationId::sides);
        let mut bound = [0; 61];
        bound[..18].copy_from_slice(LABEL);
        bound[18..22].copy_from_slice(&app.0.to_be_bytes());
        bound[22..30].copy_from_slice(&low.0.to_be_bytes());
        bound[30..38].copy_from_slice(&high.0.to_be_bytes());
        bound[38..46].copy_from_slice(&author.0.to_be_bytes());
        bound[46..48].copy_from_slice(&self.bucket.to_be_bytes());
        bound[48..56].copy_from_slice(&self.index.to_be_bytes());
        bound[56..60].copy_from_slice(&self.sealed_at.0.to_be_bytes());
        bound[60] = class.rule().code();
        bound
    }
}

/// Every key is used for one piece of content only, so its nonce never repeats.
fn nonce() -> Nonce<aes_gcm::aes::cipher::consts::U12> {
    Nonce::default()
}

/// AES-256-GCM: with processor support a quarter of the time that ChaCha20-Poly1305 takes for a short text.
fn cipher(key: &Seed) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key.as_slice()))
}

/// The bucket of what expires at a time: the first day, counted from 1970, at whose beginning it has expired.
fn bucket_of(expiry: Expiry) -> u16 {
    match expiry {
        Expiry::At(Seconds(end)) => u16::try_from(end.div_ceil(DAY_SECONDS)).unwrap_or(u16::MAX),
        Expiry::WithOwner => u16::MAX,
    }
}

fn encode(content: &Content) -> Result<Vec<u8>, Fault> {
    let parts = (&content.body, &content.cloud_custom_data, &content.offline_push_info);
    let room = Vec::with_capacity(content.counted_bytes() + 64);
    postcard::to_extend(&parts, room)
        .map_err(|error| Fault::Corrupt(format!("cannot encode content: {error}")))
}

fn decode(mut text: Vec<u8>) -> Option<Content> {
    let (body, cloud_custom_data, offline_push_info): (Bytes, Box<str>, Option<Box<str>>) =
        postcard::from_bytes(&text).ok()?;
    text.zeroize();
    Some(Content { body, cloud_custom_data, offline_push_info })
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
