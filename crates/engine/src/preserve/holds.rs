//! Legal holds: begun, copied, listed, ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::settings::App;
use model::{
    AccountNumber, ConversationId, DataClass, ErrorCode, Expiry, Result, SdkAppId, Seconds, Subject, UserId,
};
use ports::records::{Range, Write, find};
use ports::{Cursor, Entry, Event, Fault, Kind, Record};
use promise::Stamps;
use promise::keys::{Destroyed, Place};
use promise::receipts::{Scope, Stage, Statement};
use serde::{Deserialize, Serialize};

use super::{Copied, Cover, PreservedFact};
use crate::Engine;
use crate::erased::SETTLED;
use crate::store::{put, remove, unchanged, write, write_if};
use crate::telling::{Telling, Tells};

/// Holds at the same time at most, of all apps.
pub const HOLDS_MAX: usize = 200;

/// Entries copied, and copies removed, at once.
const AT_ONCE: usize = 500;

/// The longest reason and the longest reference, in bytes.
const REASON_BYTES_MAX: usize = 1000;
const REFERENCE_BYTES_MAX: usize = 200;

/// What is to be held.
#[derive(Clone, Debug)]
pub struct HoldQuery {
    /// Whose data.
    pub user: UserId,
    /// Only the conversation with this account.
    pub peer: Option<UserId>,
    /// Why. Shown in lists only.
    pub reason: String,
    /// The case. Receipts name it, so it must not name a person.
    pub reference: String,
}

/// What a hold says, sealed at rest: it names people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    user: UserId,
    peer: Option<UserId>,
    reason: String,
    reference: String,
}

/// A legal hold at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldFact {
    /// Names it and its copies.
    pub cover: Cover,
    /// Of which app.
    pub app: SdkAppId,
    /// Whose data it keeps.
    pub account: AccountNumber,
    /// Only the conversation with this one.
    pub peer: Option<AccountNumber>,
    /// Since when.
    pub since: Seconds,
    /// Up to where what was there before is copied; `None` once all of it is.
    pub copying: Option<Cursor>,
    /// How many copies of what was there before it made.
    pub copied: u64,
    /// Which receipt says so.
    pub begin_told: Option<u64>,
    /// Whether it has ended: its copies and keys are on their way out.
    pub has_ended: bool,
    /// How many copies were removed since.
    pub removed: u64,
    /// Which receipt says so.
    pub end_told: Option<u64>,
    /// What is about to be told.
    pub(crate) telling: Telling,
    /// What it says.
    said: model::Sealed,
}

impl HoldFact {
    fn key_of(cover: Cover) -> Vec<u8> {
        cover.0.to_be_bytes().to_vec()
    }
}

impl Tells for HoldFact {
    fn telling(&mut self) -> &mut Telling {
        &mut self.telling
    }
}

impl Record for HoldFact {
    const KIND: Kind = Kind { id: 17, name: "legal hold", class: DataClass::Preserved };

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.cover)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.account)
    }
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Names it and its copies.
    pub cover: Cover,
    /// Of which app.
    pub app: SdkAppId,
    account: AccountNumber,
    peer_number: Option<AccountNumber>,
    /// Since when.
    pub since: Seconds,
    /// Whose data it keeps.
    pub user: UserId,
    /// Only the conversation with this account.
    pub peer: Option<UserId>,
    /// Why.
    pub reason: String,
    /// The case.
    pub reference: String,
    /// Whether everything that was there when it began is copied.
    pub is_complete: bool,
}

impl Hold {
    /// Whether it keeps what is said in a conversation, or the profile of the only account in it.
    pub(super) fn covers(&self, class: DataClass, conversation: ConversationId) -> bool {
        match (class, self.peer_number) {
            (DataClass::Message(_), Some(peer)) => {
                ConversationId::between(self.account, peer) == conversation
            }
            (DataClass::Profile, Some(_)) => false,
            _ => conversation.sides().contains(&self.account),
        }
    }

    /// Whether what it keeps would be gone with an account while it copies: one that holds an account holds what anybody
    /// wrote to it.
    pub(super) fn may_need(&self, number: AccountNumber) -> bool {
        self.peer_number.is_none() || self.concerns(number)
    }

    /// Whether it keeps something of an account.
    pub(super) fn concerns(&self, number: AccountNumber) -> bool {
        self.account == number || self.peer_number == Some(number)
    }
}

impl Engine {
    /// Begins a hold. When this is answered everything that was there is copied, and everything new will be.
    ///
    /// # Errors
    /// `AccountUnknown`: what was erased cannot be held any more. `SettingInvalid` for a reason or a reference that is empty
    /// or too long, or if there are [`HOLDS_MAX`] already.
    pub async fn begin_hold(&self, app: &App, query: HoldQuery) -> Result<Arc<Hold>> {
        check("reason", &query.reason, REASON_BYTES_MAX)?;
        check("reference", &query.reference, REFERENCE_BYTES_MAX)?;
        let account = self.accounts.find(app.id, &query.user).await?.ok_or(ErrorCode::AccountUnknown)?;
        let peer = match &query.peer {
            Some(peer) => Some(self.accounts.find(app.id, peer).await?.ok_or(ErrorCode::AccountUnknown)?),
            None => None,
        };
        if self.preserve.holds.read().len() >= HOLDS_MAX {
            return Err(ErrorCode::SettingInvalid.because(format!("at most {HOLDS_MAX} legal holds")));
        }
        let mut number = [0; 8];
        self.context.random.fill(&mut number);
        let cover = Cover(u64::from_be_bytes(number) | Cover::HOLD);
        let HoldQuery { user, peer: peer_name, reason, reference } = query;
        let said = Said { user, peer: peer_name, reason, reference };
        let now = self.context.clock.now().seconds();
        let bytes =
            serde_json::to_vec(&said).map_err(|error| Fault::Corrupt(format!("cannot encode: {error}")))?;
        let fact = HoldFact {
            cover,
            app: app.id,
            account: account.number,
            peer: peer.map(|peer| peer.number),
            since: now,
            copying: Some(Cursor(0)),
            copied: 0,
            begin_told: None,
            has_ended: false,
            removed: 0,
            end_told: None,
            telling: None,
            said: self.keyring.seal_bytes(cover.place(), now, Expiry::WithOwner, bytes)?,
        };
        // Whoever goes on with interrupted holds leaves this one alone.
        let _turn = self.erasing.begin(SdkAppId::INSTALLATION, cover.place().author);
        let absent = unchanged::<HoldFact>(fact.key(), None);
        let writes = vec![put(Stamps::preserved(fact.account, Expiry::WithOwner), &fact)?];
        let records = self.context.records.as_ref();
        if !write_if(records, SdkAppId::INSTALLATION, vec![absent], writes).await? {
            return Err(ErrorCode::AccountInternal.into());
        }
        self.remember_hold(&fact)?;
        self.copy_all(cover).await?;
        self.resume_erasures().await?;
        self.hold(cover)
    }

    /// A hold that is in effect.
    ///
    /// # Errors
    /// `HoldUnknown`.
    pub fn hold(&self, cover: Cover) -> Result<Arc<Hold>> {
        let holds = self.preserve.holds.read();
        Ok(holds.iter().find(|hold| hold.cover == cover).cloned().ok_or(ErrorCode::HoldUnknown)?)
    }

    /// Every hold that is in effect, the oldest first.
    #[must_use]
    pub fn holds(&self) -> Vec<Arc<Hold>> {
        let mut holds = self.preserve.holds.read().clone();
        holds.sort_by_key(|hold| (hold.since, hold.cover));
        holds
    }

    /// Ends a hold: its copies are removed now, their keys with the next generation. How many there were.
    ///
    /// # Errors
    /// `HoldUnknown`.
    pub async fn end_hold(&self, cover: Cover) -> Result<u64> {
        let hold = self.hold(cover)?;
        let key = HoldFact::key_of(cover);
        let app = SdkAppId::INSTALLATION;
        self.change::<HoldFact>(app, &key, |fact| fact.has_ended = true)
            .await?
            .ok_or(ErrorCode::HoldUnknown)?;
        self.preserve.holds.write().retain(|other| other.cover != cover);
        // Its copies must not come back with older data. Noted only now: a hold that goes on must not be doomed.
        let author = Destroyed::Author(app, cover.place().author);
        if self.keyring.doom(&[author]).await.is_err() {
            self.doomed.add(author);
        }
        self.finish_end(cover, &hold.reference).await
    }

    /// Removes the copies of a hold that has ended, and tells it. Any part of it may have been done before.
    async fn finish_end(&self, cover: Cover, reference: &str) -> Result<u64> {
        let (app, key) = (SdkAppId::INSTALLATION, HoldFact::key_of(cover));
        let removed = self.remove_copies(cover).await?;
        let changed = self.change::<HoldFact>(app, &key, |fact| fact.removed += removed).await?;
        let fact = changed.ok_or(ErrorCode::HoldUnknown)?;
        if fact.end_told.is_none() {
            let said = statement(fact.app, Stage::Deleted, reference, fact.removed);
            let told = self.tell::<HoldFact>(app, &key, said).await?;
            self.change::<HoldFact>(app, &key, |fact| fact.end_told = Some(told)).await?;
        }
        Ok(fact.removed)
    }

    /// Puts a hold into effect.
    fn remember_hold(&self, fact: &HoldFact) -> Result<()> {
        let damaged = || Fault::Corrupt("a legal hold cannot be read".to_owned());
        let Said { user, peer, reason, reference } = self.said(fact).ok_or_else(damaged)?;
        let hold = Hold {
            cover: fact.cover,
            app: fact.app,
            account: fact.account,
            peer_number: fact.peer,
            since: fact.since,
            user,
            peer,
            reason,
            reference,
            is_complete: fact.copying.is_none(),
        };
        let mut holds = self.preserve.holds.write();
        holds.retain(|other| other.cover != hold.cover);
        holds.push(Arc::new(hold));
        self.preserve.is_any.store(true, Ordering::Release);
        Ok(())
    }

    /// What a hold says; `None` once its keys are destroyed.
    fn said(&self, fact: &HoldFact) -> Option<Said> {
        serde_json::from_slice(&self.keyring.open_bytes(fact.cover.place(), &fact.said)?).ok()
    }

    /// Copies everything that a hold covers and that was there before it, and tells it. Goes on where it was interrupted, and
    /// ends where the hold does.
    async fn copy_all(&self, cover: Cover) -> Result<()> {
        self.context.clock.sleep(SETTLED).await;
        let (app, key) = (SdkAppId::INSTALLATION, HoldFact::key_of(cover));
        let records = self.context.records.as_ref();
        loop {
            let found = find::<HoldFact>(records, app, &key).await?;
            let (mut fact, version) =
                found.filter(|(fact, _)| !fact.has_ended).ok_or(ErrorCode::HoldUnknown)?;
            let Some(after) = fact.copying else { return self.tell_begin(&fact).await };
            let mut writes = Vec::new();
            if after == Cursor(0) {
                fact.copied += self.copy_merged(&fact, version).await?;
            }
            if after == Cursor(0) && fact.peer.is_none() {
                writes.extend(self.copy_profile(&fact).await?);
            }
            let page = self.context.timeline.everything_of(fact.app, fact.account, after, AT_ONCE).await?;
            for entry in &page.entries {
                writes.extend(self.copy_entry(&fact, entry)?);
            }
            fact.copied += writes.len() as u64;
            fact.copying = (!page.complete).then_some(page.next);
            writes.push(put(Stamps::preserved(fact.account, Expiry::WithOwner), &fact)?);
            // One that was ended meanwhile copies nothing more.
            let condition = unchanged::<HoldFact>(key.clone(), Some(version));
            let is_written = write_if(records, app, vec![condition], writes).await?;
            if is_written && fact.copying.is_none() {
                self.remember_hold(&fact)?;
            }
        }
    }

    async fn tell_begin(&self, fact: &HoldFact) -> Result<()> {
        if fact.begin_told.is_some() {
            return Ok(());
        }
        let reference = self.hold(fact.cover)?.reference.clone();
        let (app, key) = (SdkAppId::INSTALLATION, fact.key());
        let said = statement(fact.app, Stage::Preserved, &reference, fact.copied);
        let told = self.tell::<HoldFact>(app, &key, said).await?;
        self.change::<HoldFact>(app, &key, |fact| fact.begin_told = Some(told)).await.map(drop)
    }

    async fn copy_profile(&self, fact: &HoldFact) -> Result<Option<Write>> {
        let fields = self.profiles.of(fact.app, fact.account).await?;
        let Some(account) = self.accounts.with_number(fact.app, fact.account).await? else { return Ok(None) };
        let copied = Copied::Profile {
            user: account.user.clone(),
            time: fact.since,
            fields: model::profile::Profile::clone(&fields),
        };
        self.preserve.copy(fact.cover, Expiry::WithOwner, fact.account, &copied).map(Some)
    }

    /// The write that copies a message that was there before; `None` for what is none or cannot be read any more. What came
    /// right after the hold began may be there twice.
    fn copy_entry(&self, fact: &HoldFact, entry: &Entry) -> Result<Option<Write>> {
        let Event::Message(message) = &entry.event else { return Ok(None) };
        let is_other =
            fact.peer.is_some_and(|peer| ConversationId::between(fact.account, peer) != entry.conversation);
        if is_other {
            return Ok(None);
        }
        let place = Place::message(fact.app, entry.conversation, message.writer());
        let Some(content) = self.keyring.open_content(place, &message.content) else { return Ok(None) };
        let copied = Copied::stored((&message.from, &message.to), entry.time, message, &content);
        self.preserve.copy(fact.cover, Expiry::WithOwner, message.writer(), &copied).map(Some)
    }

    /// Reads the holds that are in effect. One whose keys are destroyed has ended, whatever older data say.
    pub(crate) async fn resume_holds(&self) -> Result<()> {
        for (fact, _) in self.every_hold().await? {
            let place = fact.cover.place();
            if !self.keyring.holds_author(place.app, place.author) {
                self.preserve.holds.write().retain(|hold| hold.cover != fact.cover);
                self.forget_hold(fact.cover).await?;
            } else if !fact.has_ended {
                self.remember_hold(&fact)?;
            }
        }
        Ok(())
    }

    /// Goes on with the holds that a stop or a failure interrupted when they began or ended.
    pub(crate) async fn resume_copying(&self) -> Result<()> {
        for (fact, _) in self.every_hold().await? {
            let is_open = if fact.has_ended { fact.end_told.is_none() } else { fact.begin_told.is_none() };
            let author = fact.cover.place().author;
            if !is_open {
                continue;
            }
            let Some(_turn) = self.erasing.begin(SdkAppId::INSTALLATION, author) else { continue };
            if fact.has_ended {
                let reference = self.said(&fact).map_or_else(String::new, |said| said.reference);
                self.finish_end(fact.cover, &reference).await?;
            } else {
                match self.copy_all(fact.cover).await {
                    // Ended meanwhile.
                    Err(error) if error.code == ErrorCode::HoldUnknown => {}
                    done => done?,
                }
            }
        }
        Ok(())
    }

    async fn every_hold(&self) -> Result<Vec<(HoldFact, u64)>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let facts = self.facts::<HoldFact>(SdkAppId::INSTALLATION, after).await?;
            let Some((last, _)) = facts.last() else { return Ok(all) };
            after = Some((Vec::new(), last.key()));
            all.extend(facts);
        }
    }

    /// The holds whose keys are to be destroyed.
    pub(crate) async fn ended_holds(&self) -> Result<Vec<Cover>> {
        let facts = self.every_hold().await?.into_iter();
        let is_told = |fact: &HoldFact| fact.has_ended && fact.end_told.is_some();
        Ok(facts.filter(|(fact, _)| is_told(fact)).map(|(fact, _)| fact.cover).collect())
    }

    /// Forgets a hold whose keys are destroyed.
    pub(crate) async fn forget_hold(&self, cover: Cover) -> Result<()> {
        self.remove_copies(cover).await?;
        let gone = vec![remove::<HoldFact>(HoldFact::key_of(cover))];
        write(self.context.records.as_ref(), SdkAppId::INSTALLATION, gone).await
    }

    async fn remove_copies(&self, cover: Cover) -> Result<u64> {
        let records = self.context.records.as_ref();
        let mut count = 0;
        loop {
            let found = records.scan(SdkAppId::INSTALLATION, copies(cover, None, AT_ONCE)).await?;
            if found.is_empty() {
                return Ok(count);
            }
            count += found.len() as u64;
            let gone = found.into_iter().map(|record| Write::Remove(PreservedFact::KIND, record.key));
            write(records, SdkAppId::INSTALLATION, gone.collect()).await?;
        }
    }
}

/// The copies of a floor or a hold, the oldest first.
pub(super) fn copies(cover: Cover, after: Option<(Vec<u8>, Vec<u8>)>, limit: usize) -> Range {
    Range { kind: PreservedFact::KIND, index: None, prefix: cover.0.to_be_bytes().to_vec(), after, limit }
}

fn check(field: &str, text: &str, bytes_max: usize) -> Result<()> {
    if text.trim().is_empty() || text.len() > bytes_max {
        return Err(ErrorCode::SettingInvalid.because(format!("{field}: 1 to {bytes_max} bytes")));
    }
    Ok(())
}

fn statement(app: SdkAppId, stage: Stage, reference: &str, copies: u64) -> Statement {
    Statement {
        app: app.0,
        stage,
        scope: Scope::Hold,
        subject: String::new(),
        reason: format!("legal hold {reference}"),
        counts: BTreeMap::from([("preserved".to_owned(), copies)]),
        generations: None,
        destruction: None,
        aged_out_by: None,
        preserved: Vec::new(),
    }
}
