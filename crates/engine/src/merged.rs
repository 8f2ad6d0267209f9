//! Merged messages that are too large to travel in one message: stored apart, read by whoever has their key.
//!
//! The key is unguessable and travels in the message. So whoever got that message, or got it forwarded, can read what is
//! stored, and nobody else.

use model::settings::App;
use model::time::DAY_SECONDS;
use model::{AccountNumber, DataClass, ErrorCode, Medium, Result, SdkAppId, Seconds, Subject};
use ports::records::{Found, Range, Write, find};
use ports::{Kind, Record, Records};
use promise::Stamps;
use promise::keys::Place;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Engine;
use crate::facts::{AccountFact, number_key};
use crate::preserve::{Copied, HoldFact};
use crate::store::{TRIES_MAX, put, remove, unchanged, write, write_for, write_if};

/// The most bytes of one list as JSON. Sealed and in base64 it still fits into a record, and a client can send it in a
/// frame of the usual limit.
pub const LIST_BYTES_MAX: usize = 750 * 1024;

/// The most bytes of lists that one account stores on one day (UTC).
pub const BYTES_A_DAY_MAX: u64 = 32 << 20;

/// A shorter list counts as this long: what stands around it takes room as well.
const COUNTED_BYTES_MIN: u64 = 1024;

const KEY_BYTES: usize = 16;

/// Lists read at once: each may be long.
const LISTS_AT_ONCE: usize = 8;

/// Merged messages that were stored apart from the message that names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedFact {
    /// By what messages name it: 32 hexadecimal digits.
    pub key: String,
    /// Who merged them.
    pub author: AccountNumber,
    /// When.
    pub stored_at: Seconds,
    /// The list as JSON, sealed.
    pub sealed: model::Sealed,
}

impl MergedFact {
    /// The index by who merged them.
    const BY_AUTHOR: u8 = 1;

    fn has_form(key: &str) -> bool {
        key.len() == 2 * KEY_BYTES && key.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

impl Record for MergedFact {
    const KIND: Kind = Kind { id: 34, name: "merged messages", class: DataClass::Message(Medium::Text) };

    fn key(&self) -> Vec<u8> {
        self.key.as_bytes().to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.author)
    }

    fn indexes(&self) -> Vec<(u8, Vec<u8>)> {
        vec![(Self::BY_AUTHOR, self.author.0.to_be_bytes().to_vec())]
    }
}

/// How much an account stored on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedUseFact {
    /// Who.
    pub author: AccountNumber,
    /// The day (UTC), counted from 1970.
    pub day: u32,
    /// How many bytes of lists.
    pub bytes: u64,
}

impl MergedUseFact {
    fn key_of(author: AccountNumber) -> Vec<u8> {
        number_key(author)
    }

    /// Counts one list more.
    ///
    /// # Errors
    /// `CommandTooOften` if there is no room left on this day.
    fn add(&mut self, bytes: usize) -> Result<()> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).max(COUNTED_BYTES_MIN);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes <= BYTES_A_DAY_MAX {
            return Ok(());
        }
        let most = BYTES_A_DAY_MAX >> 20;
        Err(ErrorCode::CommandTooOften
            .because(format!("MsgList: an account stores at most {most} MiB a day")))
    }
}

impl Record for MergedUseFact {
    const KIND: Kind = Kind { id: 40, name: "merged messages of a day", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.author)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.author)
    }
}

/// Which lists an account stored, after the one with this key.
fn range_of(author: AccountNumber, after: Option<Vec<u8>>) -> Range {
    let prefix = author.0.to_be_bytes().to_vec();
    let after = after.map(|key| (prefix.clone(), key));
    let index = Some(MergedFact::BY_AUTHOR);
    Range { kind: MergedFact::KIND, index, prefix, after, limit: LISTS_AT_ONCE }
}

/// Removes the lists that an account stored, and how much that was.
pub(crate) async fn remove_of(records: &dyn Records, app: SdkAppId, author: AccountNumber) -> Result<()> {
    loop {
        let found = records.scan(app, range_of(author, None)).await?;
        if found.is_empty() {
            let used = remove::<MergedUseFact>(MergedUseFact::key_of(author));
            return write(records, app, vec![used]).await;
        }
        let gone = found.into_iter().map(|record| Write::Remove(MergedFact::KIND, record.key));
        write(records, app, gone.collect()).await?;
    }
}

impl Engine {
    /// Stores a list of merged messages, for as long as the app keeps messages; returns the key by which it is read. A
    /// message that names it and is recalled does not take it along: it may have been forwarded.
    ///
    /// # Errors
    /// `MessageTooLong` for more than [`LIST_BYTES_MAX`] bytes, `NotStored` if the app stores no messages,
    /// `CommandTooOften` for more than [`BYTES_A_DAY_MAX`] on one day, `SenderUnknown` if the author was just erased, `DiskFull`.
    pub async fn store_merged(&self, app: &App, author: &AccountFact, list: Vec<u8>) -> Result<String> {
        if list.len() > LIST_BYTES_MAX {
            return Err(ErrorCode::MessageTooLong.because(format!("MsgList: at most {LIST_BYTES_MAX} bytes")));
        }
        let stamps = Stamps::of(app.id, &app.settings);
        if !stamps.stores_messages() {
            return Err(ErrorCode::NotStored.into());
        }
        let length = list.len();
        // What is refused is not copied.
        self.merged_use(app.id, author.number, length).await?;
        let mut key = [0; KEY_BYTES];
        self.context.random.fill(&mut key);
        let (key, now) = (crate::apps::hex(&key), self.context.clock.now().seconds());
        self.preserve.merged(app.id, author, now, || copied(author, now, &key, &list)).await?;
        let stamp = stamps.message(author.number, now, Medium::Text);
        let place = Place::merged(app.id, author.number);
        let sealed = self.keyring.seal_bytes(place, now, stamp.expiry, list)?;
        let fact = MergedFact { key, author: author.number, stored_at: now, sealed };
        for _ in 0..TRIES_MAX {
            let (used, version) = self.merged_use(app.id, author.number, length).await?;
            let end = Seconds((used.day + 1).saturating_mul(DAY_SECONDS));
            let condition = unchanged::<MergedUseFact>(used.key(), version);
            let writes = vec![put(stamp, &fact)?, put(stamps.account_until(used.author, end), &used)?];
            let concerned = (&[author.number][..], ErrorCode::SenderUnknown);
            let records = self.context.records.as_ref();
            if write_for(records, app.id, concerned, vec![condition], writes).await? {
                return Ok(fact.key);
            }
        }
        Err(ErrorCode::MessageServiceUnavailable.into())
    }

    /// How much an account will have stored today with one list more, and the version of what it had stored before.
    async fn merged_use(
        &self,
        app: SdkAppId,
        author: AccountNumber,
        bytes: usize,
    ) -> Result<(MergedUseFact, Option<u64>)> {
        let (records, key) = (self.context.records.as_ref(), MergedUseFact::key_of(author));
        let found = find::<MergedUseFact>(records, app, &key).await?;
        let version = found.as_ref().map(|(_, version)| *version);
        let day = self.context.clock.now().seconds().0 / DAY_SECONDS;
        let today = found.map(|(fact, _)| fact).filter(|fact| fact.day == day);
        let mut used = today.unwrap_or(MergedUseFact { author, day, bytes: 0 });
        used.add(bytes)?;
        Ok((used, version))
    }

    /// A list of merged messages as JSON; `None` if no list has this key, or none that can still be read.
    ///
    /// # Errors
    /// What the store says.
    pub async fn merged(&self, app: SdkAppId, key: &str) -> Result<Option<Vec<u8>>> {
        if !MergedFact::has_form(key) {
            return Ok(None);
        }
        let found = find::<MergedFact>(self.context.records.as_ref(), app, key.as_bytes()).await?;
        Ok(found.and_then(|(fact, _)| self.keyring.open_bytes(Place::merged(app, fact.author), &fact.sealed)))
    }

    /// A page of the lists that an account stored, after the one with this key; empty after the last one.
    pub(crate) async fn merged_of(
        &self,
        app: SdkAppId,
        author: AccountNumber,
        after: Option<Vec<u8>>,
    ) -> Result<Vec<Found>> {
        Ok(self.context.records.scan(app, range_of(author, after)).await?)
    }

    /// The messages of a list; `None` if its keys are destroyed.
    pub(crate) fn open_merged(&self, app: SdkAppId, fact: &MergedFact) -> Option<Value> {
        let list = self.keyring.open_bytes(Place::merged(app, fact.author), &fact.sealed)?;
        serde_json::from_slice(&list).ok()
    }

    /// Copies the lists that a hold covers and that were there before it; how many. Stops where the hold is not the one that
    /// was read: it may have ended.
    pub(crate) async fn copy_merged(&self, hold: &HoldFact, version: u64) -> Result<u64> {
        let mut count = 0;
        for author in [Some(hold.account), hold.peer].into_iter().flatten() {
            let Some(account) = self.accounts.with_number(hold.app, author).await? else { continue };
            let mut after = None;
            loop {
                let found = self.merged_of(hold.app, author, after).await?;
                let Some(last) = found.last() else { break };
                after = Some(last.key.clone());
                let facts: Vec<MergedFact> =
                    found.iter().map(Found::decode).collect::<std::result::Result<_, _>>()?;
                let writes = facts.iter().filter_map(|fact| self.copy_of_merged(hold, &account, fact));
                let writes = writes.collect::<Result<Vec<_>>>()?;
                let copies = writes.len() as u64;
                let condition = unchanged::<HoldFact>(hold.key(), Some(version));
                let records = self.context.records.as_ref();
                if !write_if(records, SdkAppId::INSTALLATION, vec![condition], writes).await? {
                    return Ok(count);
                }
                count += copies;
            }
        }
        Ok(count)
    }

    /// The write that copies a list; `None` if it cannot be read any more.
    fn copy_of_merged(
        &self,
        hold: &HoldFact,
        account: &AccountFact,
        fact: &MergedFact,
    ) -> Option<Result<Write>> {
        let messages = self.open_merged(hold.app, fact)?;
        let (user, key) = (account.user.clone(), fact.key.clone());
        let copied = Copied::Merged { user, time: fact.stored_at, key, messages };
        Some(self.preserve.copy(hold.cover, model::Expiry::WithOwner, fact.author, &copied))
    }

    /// Brings the ends of stored lists forward to what `stamps` say.
    pub(crate) async fn shorten_merged(&self, app: SdkAppId, stamps: Stamps) -> Result<()> {
        let records = self.context.records.as_ref();
        let now = self.context.clock.now();
        let mut after = None;
        loop {
            let range = Range {
                kind: MergedFact::KIND,
                index: None,
                prefix: Vec::new(),
                after: after.take(),
                limit: LISTS_AT_ONCE,
            };
            let found = records.scan(app, range).await?;
            let Some(last) = found.last() else { return Ok(()) };
            after = Some((Vec::new(), last.key.clone()));
            for record in found {
                let fact: MergedFact = record.decode()?;
                let stamp = stamps.message(fact.author, fact.stored_at, Medium::Text);
                let is_over = stamp.expiry.is_over(now);
                if !is_over && stamp.expiry >= record.stamp.expiry {
                    continue;
                }
                let change =
                    if is_over { remove::<MergedFact>(record.key.clone()) } else { put(stamp, &fact)? };
                let condition = unchanged::<MergedFact>(record.key, Some(record.version));
                write_if(records, app, vec![condition], vec![change]).await?;
            }
        }
    }
}

/// What is kept of a list where law demands it.
fn copied(author: &AccountFact, time: Seconds, key: &str, list: &[u8]) -> Copied {
    // It was checked to be JSON when it came.
    let messages = serde_json::from_slice(list).unwrap_or_default();
    Copied::Merged { user: author.user.clone(), time, key: key.to_owned(), messages }
}
