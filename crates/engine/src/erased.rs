//! Accounts that are erased: hidden at once, their rows deleted soon, their keys destroyed with the next generation, and
//! watched until the last ciphertext has aged out. Each stage has a receipt.
//!
//! What is still to be done stands in a record, so a crash at any point puts nothing off for longer than it lasts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashSet;
use model::settings::App;
use model::{AccountNumber, DataClass, ErrorCode, Result, SdkAppId, Seconds, Subject, UserId};
use parking_lot::Mutex;
use ports::records::find;
use ports::{Generation, Kind, Record};
use promise::Stamps;
use promise::keys::Destroyed;
use promise::receipts::{Scope, Stage, Statement, commitment};
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::facts::AccountFact;
use crate::store::{remove, write};
use crate::telling::{Telling, Tells};

/// More accounts than are made between a backup and its restore.
const NUMBERS_SKIPPED: u64 = 1 << 32;

/// What was being sent when an account was erased, or a retention shortened, is stored by then.
pub(crate) const SETTLED: Duration = Duration::from_secs(2);

/// Erasures that somebody is at work on.
#[derive(Default)]
pub(crate) struct Erasing(Arc<Mutex<HashSet<(SdkAppId, AccountNumber)>>>);

/// The right to go on with an erasure, until it is dropped.
pub(crate) struct Turn(Arc<Mutex<HashSet<(SdkAppId, AccountNumber)>>>, (SdkAppId, AccountNumber));

impl Erasing {
    pub(crate) fn begin(&self, app: SdkAppId, number: AccountNumber) -> Option<Turn> {
        self.0.lock().insert((app, number)).then(|| Turn(Arc::clone(&self.0), (app, number)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

/// Why accounts are erased.
const REASON: &str = "deletion of the account was requested";

/// An account that is being erased. Ends when its last ciphertext has aged out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedFact {
    /// The number it had.
    pub number: AccountNumber,
    /// What names it in receipts.
    pub commitment: String,
    /// The name it had, until its rows are deleted: by it they are found.
    pub name: Option<UserId>,
    /// When that was.
    pub since: Seconds,
    /// Which receipt says that it is hidden.
    pub hidden: Option<u64>,
    /// How many messages it wrote, once they are deleted.
    pub deleted: Option<u64>,
    /// Which receipt says so.
    pub deletion_told: Option<u64>,
    /// When its last ciphertext leaves the live stores.
    pub aged_out_by: Seconds,
    /// The generations before and after its keys were destroyed, once they are.
    pub generations: Option<(u64, u64)>,
    /// Which receipt says so.
    pub destruction_told: Option<u64>,
    /// What is about to be told.
    pub(crate) telling: Telling,
}

impl Tells for ErasedFact {
    fn telling(&mut self) -> &mut Telling {
        &mut self.telling
    }
}

impl ErasedFact {
    /// Its key.
    #[must_use]
    pub fn key_of(number: AccountNumber) -> Vec<u8> {
        number.0.to_be_bytes().to_vec()
    }
}

impl Record for ErasedFact {
    const KIND: Kind = Kind { id: 11, name: "erased account", class: DataClass::Account };

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.number)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.number)
    }
}

/// What who asked for an erasure gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The account as it was.
    pub account: Arc<AccountFact>,
    /// What opens the commitment, in hexadecimal. It is kept nowhere.
    pub salt: String,
    /// What names the account in receipts.
    pub commitment: String,
    /// The number of the first receipt.
    pub receipt: u64,
}

impl Engine {
    /// Erases an account. When this is answered nobody sees it any more; its name may be taken again and gets another
    /// number then. Its rows follow within a minute, its keys with the next generation.
    ///
    /// # Errors
    /// `AccountUnknown`.
    pub async fn erase_account(self: &Arc<Self>, app: &App, user: &UserId) -> Result<Erasure> {
        let mut salt = [0; 16];
        self.context.random.fill(&mut salt);
        let commitment = commitment(&salt, app.id.0, user.as_str());
        let stamps = Stamps::of(app.id, &app.settings);
        let number = self.accounts.find(app.id, user).await?.ok_or(ErrorCode::AccountUnknown)?.number;
        // Before there is anything to go on with: who goes on leaves it alone.
        let turn = self.erasing.begin(app.id, number).ok_or(ErrorCode::AccountUnknown)?;
        let account = self.accounts.delete(stamps, app.id, user, &commitment).await?;
        self.profiles.forget(app.id, account.number);
        self.presence.forget(app.id, account.number).await?;
        self.robots.forget(app.id);
        // A restore of a backup that is older than this must not bring it back.
        let doomed = Destroyed::Author(app.id, account.number);
        if self.keyring.doom(&[doomed]).await.is_err() {
            // It is erased all the same; the note is tried again.
            self.doomed.add(doomed);
        }
        self.end_sessions(app.id, &account).await?;
        self.forget_relations(app, account.number).await?;
        let receipt = self.hide(app.id, account.number).await?;
        let (engine, app, number) = (Arc::clone(self), app.id, account.number);
        self.context.spawner.spawn(Box::pin(async move {
            let _turn = turn;
            // What it was sending is stored by then.
            engine.context.clock.sleep(SETTLED).await;
            if let Err(error) = engine.delete_rows(app, number).await {
                tracing::error!(
                    code = error.code.number(),
                    "rows of an erased account could not be deleted yet"
                );
            }
        }));
        Ok(Erasure { account, salt: crate::apps::hex(&salt), commitment, receipt })
    }

    /// Writes the receipt that an account is hidden, if there is none yet; returns its number.
    async fn hide(&self, app: SdkAppId, number: AccountNumber) -> Result<u64> {
        let Some(fact) = self.erased(app, number).await? else { return Ok(0) };
        if let Some(receipt) = fact.hidden {
            return Ok(receipt);
        }
        let counts = BTreeMap::from([("account".to_owned(), 1)]);
        let receipt = self.say(app, &fact, Stage::Hidden, counts).await?;
        self.change_erased(app, number, |fact| fact.hidden = Some(receipt)).await?;
        Ok(receipt)
    }

    /// Deletes the rows of an erased account, if that is not done yet. Waits while a legal hold copies them.
    async fn delete_rows(&self, app: SdkAppId, number: AccountNumber) -> Result<()> {
        if self.preserve.is_copying(app, number) {
            return Ok(());
        }
        // What it was about to change is changed by now.
        if let Some(known) = self.apps.find(app).await? {
            self.forget_relations(&known, number).await?;
        }
        // The list before its counts, which the rest takes.
        self.relations.erase_list(app, number).await?;
        self.blocks.erase(app, number).await?;
        self.accounts.delete_rest(app, number).await?;
        self.erase_annotations(app, number).await?;
        self.follows.erase(app, number).await?;
        let Some(mut fact) = self.erased(app, number).await? else { return Ok(()) };
        if let (None, Some(name)) = (fact.deleted, &fact.name) {
            self.doom_changed_by_others(app, number).await?;
            let erased = self.context.timeline.erase_account(app, number, name.clone()).await?;
            let changed = self.change_erased(app, number, |fact| {
                fact.name = None;
                fact.deleted = Some(erased.messages);
                fact.aged_out_by = fact.aged_out_by.max(erased.aged_out_by);
            });
            let Some(changed) = changed.await? else { return Ok(()) };
            fact = changed;
        }
        let (Some(messages), None) = (fact.deleted, fact.deletion_told) else { return Ok(()) };
        let counts = BTreeMap::from([("message".to_owned(), messages)]);
        let told = self.say(app, &fact, Stage::Deleted, counts).await?;
        self.change_erased(app, number, |fact| fact.deletion_told = Some(told)).await.map(drop)
    }

    /// Notes that the keys of an account are destroyed, and tells it unless somebody is at work on its erasure: then they do.
    pub(crate) async fn is_unrecoverable(
        &self,
        app: SdkAppId,
        number: AccountNumber,
        generations: (Generation, Generation),
    ) -> Result<()> {
        let generations = (generations.0.0, generations.1.0);
        let note = |fact: &mut ErasedFact| fact.generations = fact.generations.or(Some(generations));
        self.change_erased(app, number, note).await?;
        match self.erasing.begin(app, number) {
            Some(_turn) => self.tell_unrecoverable(app, number).await,
            None => Ok(()),
        }
    }

    /// Writes the receipt that an account's keys are destroyed, if they are and there is none.
    async fn tell_unrecoverable(&self, app: SdkAppId, number: AccountNumber) -> Result<()> {
        let Some(fact) = self.erased(app, number).await? else { return Ok(()) };
        if fact.generations.is_none() || fact.destruction_told.is_some() {
            return Ok(());
        }
        let told = self.say(app, &fact, Stage::Unrecoverable, BTreeMap::new()).await?;
        self.change_erased(app, number, |fact| fact.destruction_told = Some(told)).await.map(drop)
    }

    /// Writes a receipt about an account, unless that was done before a crash.
    async fn say(
        &self,
        app: SdkAppId,
        fact: &ErasedFact,
        stage: Stage,
        counts: BTreeMap<String, u64>,
    ) -> Result<u64> {
        let mut said = statement(app, fact, stage, counts);
        said.preserved = self.preserve.left_of(app, fact.number).await?;
        if stage == Stage::Unrecoverable {
            said.generations = fact.generations;
            said.destruction = Some(self.context.vault.destruction());
        }
        self.tell::<ErasedFact>(app, &fact.key(), said).await
    }

    /// Goes on with every erasure that is not at its end.
    ///
    /// # Errors
    /// What the stores say.
    pub(crate) async fn resume_erasures(&self) -> Result<()> {
        let cleared = self.context.timeline.cleared().await?;
        for app in self.apps.list().await? {
            if let Err(error) = self.resume_conversations(app.id, cleared).await {
                tracing::error!(code = error.code.number(), "erasures of conversations could not go on");
            }
            let mut after = None;
            loop {
                let facts = self.facts::<ErasedFact>(app.id, after.take()).await?;
                let Some((last, _)) = facts.last() else { break };
                after = Some((Vec::new(), last.key()));
                for (fact, _) in facts {
                    // One that cannot go on holds up no other one.
                    if let Err(error) = self.go_on(app.id, fact.number, cleared).await {
                        tracing::error!(code = error.code.number(), "an erasure could not go on");
                    }
                }
            }
        }
        Ok(())
    }

    async fn go_on(&self, app: SdkAppId, number: AccountNumber, cleared: Option<Seconds>) -> Result<()> {
        let Some(_turn) = self.erasing.begin(app, number) else { return Ok(()) };
        self.hide(app, number).await?;
        self.delete_rows(app, number).await?;
        self.tell_unrecoverable(app, number).await?;
        let Some(fact) = self.erased(app, number).await? else { return Ok(()) };
        let is_done = fact.deletion_told.is_some() && fact.destruction_told.is_some();
        let is_clear = cleared.is_some_and(|cleared| cleared >= fact.aged_out_by && cleared > fact.since);
        if is_done && is_clear {
            self.say(app, &fact, Stage::AgedOut, BTreeMap::new()).await?;
            let gone = vec![remove::<ErasedFact>(fact.key())];
            write(self.context.records.as_ref(), app, gone).await?;
        }
        Ok(())
    }

    /// Erases the accounts and apps whose keys are destroyed already or noted to be: after a restore of data that are older
    /// than that. How many accounts.
    ///
    /// # Errors
    /// What the stores say.
    pub async fn forget_destroyed(self: &Arc<Self>) -> Result<u64> {
        self.accounts.skip_numbers(NUMBERS_SKIPPED).await?;
        let doomed = self.keyring.doomed().await?;
        if !doomed.is_empty() {
            self.change_generation_with(&doomed).await?;
        }
        let mut count = 0;
        for app in self.apps.list().await? {
            if !self.keyring.holds_app(app.id) {
                self.erase_app(app.id).await?;
                continue;
            }
            let mut after = None;
            loop {
                let accounts = self.facts::<AccountFact>(app.id, after.take()).await?;
                let Some((last, _)) = accounts.last() else { break };
                after = Some((Vec::new(), last.key()));
                for (account, _) in accounts {
                    if !self.keyring.holds_author(app.id, account.number) {
                        self.erase_account(&app, &account.user).await?;
                        count += 1;
                    }
                }
            }
        }
        // Holds that ended since are back with the data; their keys are gone by now.
        self.resume_holds().await?;
        Ok(count)
    }

    async fn erased(&self, app: SdkAppId, number: AccountNumber) -> Result<Option<ErasedFact>> {
        let found =
            find::<ErasedFact>(self.context.records.as_ref(), app, &ErasedFact::key_of(number)).await?;
        Ok(found.map(|(fact, _)| fact))
    }

    async fn change_erased(
        &self,
        app: SdkAppId,
        number: AccountNumber,
        change: impl Fn(&mut ErasedFact),
    ) -> Result<Option<ErasedFact>> {
        self.change(app, &ErasedFact::key_of(number), change).await
    }
}

/// Goes on with what the last run of the server left undone, beside everything else.
pub(crate) fn start(engine: &Arc<Engine>) {
    let weak = Arc::downgrade(engine);
    engine.context.spawner.spawn(Box::pin(async move {
        let Some(engine) = weak.upgrade() else { return };
        if let Err(error) = engine.resume_copying().await {
            tracing::error!(code = error.code.number(), "copying for a legal hold could not go on");
        }
        if let Err(error) = engine.resume_erasures().await {
            tracing::error!(code = error.code.number(), "erasures could not go on");
        }
    }));
}

fn statement(app: SdkAppId, fact: &ErasedFact, stage: Stage, counts: BTreeMap<String, u64>) -> Statement {
    Statement {
        app: app.0,
        stage,
        scope: Scope::Account,
        subject: fact.commitment.clone(),
        reason: REASON.to_owned(),
        counts,
        generations: None,
        destruction: None,
        aged_out_by: (stage != Stage::AgedOut && fact.deleted.is_some()).then_some(fact.aged_out_by.0),
        preserved: Vec::new(),
    }
}
