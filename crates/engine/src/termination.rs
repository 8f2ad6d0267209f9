//! Apps that are terminated: refused at once, erased two calendar months later, until then taken back at will.
//!
//! What remains is a salted hash of the number, so that it is never given out again, and the receipts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::settings::App;
use model::{DataClass, ErrorCode, Result, SdkAppId, Seconds, Subject};
use ports::records::{Range, Write};
use ports::{Kind, Record, Transaction};
use promise::Stamps;
use promise::calendar::two_months_after;
use promise::keys::Destroyed;
use promise::receipts::{Scope, Stage, Statement, commitment};
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::facts::{AppFact, kinds};
use crate::seals;
use crate::store::{put, remove, unchanged, write, write_if};
use crate::telling::{Telling, Tells};

/// How often it is looked whether an app's time is over.
const EVERY: Duration = Duration::from_secs(600);

/// Until which day a receipt says that nothing of it is left.
const TOLD_CLEARED: &str = "day until which files are cleared";

/// Records removed at once.
const RECORDS_AT_ONCE: usize = 1000;

/// That a number was an app's. Holds a salted hash, not the number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TombstoneFact {
    /// The hash, in hexadecimal.
    pub hash: String,
    /// Its salt.
    pub salt: [u8; 16],
    /// When its app was erased.
    pub erased_at: Seconds,
    /// Whether a receipt says that its last ciphertext has left the files.
    pub is_aged_out: bool,
    /// What is about to be told.
    pub(crate) telling: Telling,
}

impl Tells for TombstoneFact {
    fn telling(&mut self) -> &mut Telling {
        &mut self.telling
    }
}

impl TombstoneFact {
    fn of(salt: [u8; 16], app: SdkAppId) -> Self {
        Self {
            hash: commitment(&salt, app.0, ""),
            salt,
            erased_at: Seconds(0),
            is_aged_out: false,
            telling: None,
        }
    }

    /// Whether this was the number.
    #[must_use]
    pub fn is_of(&self, app: SdkAppId) -> bool {
        commitment(&self.salt, app.0, "") == self.hash
    }
}

impl Record for TombstoneFact {
    const KIND: Kind = Kind { id: 16, name: "number of an erased app", class: DataClass::Configuration };

    fn key(&self) -> Vec<u8> {
        self.hash.as_bytes().to_vec()
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// When a terminated app is erased.
#[must_use]
pub fn erased_at(app: &App) -> Option<Seconds> {
    app.terminated_at.map(two_months_after)
}

impl Engine {
    /// Terminates an app: from now on it is refused, and two calendar months later erased. Twice is the same as once.
    ///
    /// # Errors
    /// `NoSuchApp`.
    pub async fn terminate_app(&self, id: SdkAppId) -> Result<Arc<App>> {
        let now = self.context.clock.now().seconds();
        let app = self.apps.set_termination(id, |former| former.or(Some(now))).await?;
        self.hub.end_app(id);
        Ok(app)
    }

    /// Takes a termination back.
    ///
    /// # Errors
    /// `NoSuchApp`, also once its time is over: its erasure may have begun.
    pub async fn resume_app(&self, id: SdkAppId) -> Result<Arc<App>> {
        let now = self.context.clock.now().seconds();
        let app = self.apps.find(id).await?.ok_or(ErrorCode::NoSuchApp)?;
        if erased_at(&app).is_some_and(|end| now >= end) {
            return Err(ErrorCode::NoSuchApp.into());
        }
        self.apps.set_termination(id, |_| None).await
    }

    /// Erases the apps whose time is over; how many.
    ///
    /// # Errors
    /// What the stores say; what was begun is gone on with the next time.
    pub async fn erase_terminated(&self) -> Result<usize> {
        let now = self.context.clock.now().seconds();
        let mut count = 0;
        for app in self.apps.list().await? {
            if erased_at(&app).is_some_and(|end| now >= end) {
                self.erase_app(app.id).await?;
                count += 1;
            }
        }
        Ok(count)
    }

    pub(crate) async fn erase_app(&self, id: SdkAppId) -> Result<()> {
        // The same each time: an erasure that a crash interrupted has one name in its receipts.
        let salt = self.receipt_key.salt(&id.0.to_be_bytes());
        let tombstone =
            TombstoneFact { erased_at: self.context.clock.now().seconds(), ..TombstoneFact::of(salt, id) };
        let (installation, key) = (SdkAppId::INSTALLATION, tombstone.key());
        // It is there before anything is told; until the app itself is gone every start goes on here.
        let absent = unchanged::<TombstoneFact>(key.clone(), None);
        let writes = vec![put(Stamps::configuration(installation), &tombstone)?];
        write_if(self.context.records.as_ref(), installation, vec![absent], writes).await?;
        let records = self.remove_records(id).await?;
        let messages = self.context.timeline.forget_app(id).await?;
        for segment in self.context.segments.list().await? {
            // What law keeps of it stays.
            if segment.app == id && segment.class != DataClass::Preserved {
                self.context.segments.remove(segment).await?;
            }
        }
        self.search.forget_app(id).await?;
        let counts = BTreeMap::from([("message".to_owned(), messages), ("record".to_owned(), records)]);
        let mut deleted = statement(&tombstone, Stage::Deleted, counts);
        deleted.preserved = self.preserve.left_of_app(id).await?;
        self.tell::<TombstoneFact>(SdkAppId::INSTALLATION, &key, deleted).await?;
        let former = self.keyring.generation();
        let generation = self.change_generation_with(&[Destroyed::App(id)]).await?.generation;
        let mut unrecoverable = statement(&tombstone, Stage::Unrecoverable, BTreeMap::new());
        unrecoverable.generations = Some((former.0, generation.0));
        unrecoverable.destruction = Some(self.context.vault.destruction());
        self.tell::<TombstoneFact>(SdkAppId::INSTALLATION, &key, unrecoverable).await?;
        self.forget_settings(id).await?;
        // The app itself goes last: until then every start goes on here.
        let app = SdkAppId::INSTALLATION;
        let writes = vec![remove::<AppFact>(AppFact::key_of(id))];
        write(self.context.records.as_ref(), app, writes).await?;
        self.apps.forget(id);
        self.moderation.forget(id);
        self.robots.forget(id);
        tracing::info!("a terminated app was erased");
        Ok(())
    }

    /// Says of erased apps, and of every day that is over, that nothing of them is in any file, once that is so.
    ///
    /// # Errors
    /// What the stores say.
    pub async fn tell_cleared(&self) -> Result<()> {
        self.search.expire().await?;
        let Some(cleared) = self.context.timeline.cleared().await? else { return Ok(()) };
        for tombstone in self.apps.tombstones().await? {
            if !tombstone.is_aged_out && cleared > tombstone.erased_at {
                let (app, key) = (SdkAppId::INSTALLATION, tombstone.key());
                let said = statement(&tombstone, Stage::AgedOut, BTreeMap::new());
                self.tell::<TombstoneFact>(app, &key, said).await?;
                self.change::<TombstoneFact>(app, &key, |fact| fact.is_aged_out = true).await?;
            }
        }
        let told = seals::known(&self.context, TOLD_CLEARED).await?;
        let told = told.and_then(|text| text.parse().ok()).map(Seconds);
        if told.is_none_or(|told| cleared > told) {
            // Of the days before the first start there is nothing to tell.
            if told.is_some() {
                self.receipt(day_is_over(cleared)).await?;
            }
            seals::remember(&self.context, TOLD_CLEARED, cleared.0.to_string()).await?;
        }
        Ok(())
    }

    /// Removes every record of an app; how many.
    async fn remove_records(&self, app: SdkAppId) -> Result<u64> {
        let records = self.context.records.as_ref();
        let mut count = 0;
        for kind in kinds() {
            loop {
                let range =
                    Range { kind, index: None, prefix: Vec::new(), after: None, limit: RECORDS_AT_ONCE };
                let found = records.scan(app, range).await?;
                if found.is_empty() {
                    break;
                }
                count += found.len() as u64;
                let writes = found.into_iter().map(|record| Write::Remove(kind, record.key)).collect();
                records.apply(app, Transaction { conditions: Vec::new(), writes }).await?;
            }
        }
        Ok(count)
    }

    /// Whether a number was that of an app which is erased.
    pub(crate) fn was_erased(tombstones: &[TombstoneFact], id: SdkAppId) -> bool {
        tombstones.iter().any(|tombstone| tombstone.is_of(id))
    }
}

/// That what ended before a day is in no file any more.
fn day_is_over(day: Seconds) -> Statement {
    Statement {
        app: 0,
        stage: Stage::AgedOut,
        scope: Scope::RecalledAndExpired,
        subject: String::new(),
        reason: format!("nothing of the live stores that had ended before second {} is in any file", day.0),
        counts: BTreeMap::new(),
        generations: None,
        destruction: None,
        aged_out_by: None,
        preserved: Vec::new(),
    }
}

fn statement(tombstone: &TombstoneFact, stage: Stage, counts: BTreeMap<String, u64>) -> Statement {
    Statement {
        app: 0,
        stage,
        scope: Scope::App,
        subject: tombstone.hash.clone(),
        reason: "two months have passed since the app was terminated".to_owned(),
        counts,
        generations: None,
        destruction: None,
        aged_out_by: None,
        preserved: Vec::new(),
    }
}

/// Looks at regular times whether an app's time is over, for as long as the engine lives.
pub(crate) fn start(engine: &Arc<Engine>) {
    let (weak, clock) = (Arc::downgrade(engine), Arc::clone(&engine.context.clock));
    engine.context.spawner.spawn(Box::pin(async move {
        loop {
            let Some(engine) = weak.upgrade() else { return };
            if let Err(error) = engine.erase_terminated().await
                && error.code != ErrorCode::NoSuchApp
            {
                engine.job_failed("erasing terminated apps", &error);
            }
            for done in [
                engine.resume_retention().await,
                engine.tell_cleared().await,
                engine.resume_copying().await,
                engine.resume_erasures().await,
            ] {
                if let Err(error) = done {
                    engine.job_failed("going on with what was begun", &error);
                }
            }
            drop(engine);
            clock.sleep(EVERY).await;
        }
    }));
}
