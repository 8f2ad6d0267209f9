//! What each app did each day (class Statistics): counts, and no account.
//!
//! Things are counted in memory, which waits for nothing, and written down within a minute: a crash may lose that minute,
//! a stop loses nothing. Of who was active there is a sketch (`sketch.rs`), under a salt of this installation, sealed, and
//! dropped when another day begins. Days are those of Beijing (UTC+8), as everywhere in the documented API.

mod sketch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::time::DAY_SECONDS;
use model::{AccountNumber, DataClass, ErrorCode, Result, SdkAppId, Seconds, Subject};
use parking_lot::Mutex;
use ports::records::{Range, find};
use ports::{Fault, Kind, Record, Records};
use promise::keys::{Keyring, Place};
use promise::{STATISTICS_DAYS, Stamps};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use self::sketch::{Sketch, mix};
use crate::Engine;
use crate::context::Context;
use crate::facts::AccountFact;
use crate::hub::Hub;
use crate::seals;
use crate::store::{TRIES_MAX, put, unchanged, write_if};

/// How long what was counted waits to be written.
const EVERY: Duration = Duration::from_secs(60);

/// By how much the days of the documented API begin earlier than those of UTC.
const BEIJING_SECONDS: u32 = 8 * 3600;

/// Accounts counted at once.
const ACCOUNTS_AT_ONCE: usize = 1000;

const SALT: &str = "salt of daily statistics";

/// A day of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyFact {
    /// Which, counted from 1970.
    pub day: u32,
    /// How many accounts there were at its end.
    pub accounts: u64,
    /// How many were made.
    pub registered: u64,
    /// How many did anything, nearly.
    pub active: u64,
    /// How many logged in, nearly.
    pub logged_in: u64,
    /// How often.
    pub logins: u64,
    /// How many were connected at the same time at most.
    pub online_most: u64,
    /// Messages taken. Imports are none, nor are resends.
    pub sent: u64,
    /// Messages pushed to receivers, each once for each receiver that was connected.
    pub delivered: u64,
    /// How many accounts sent, nearly.
    pub senders: u64,
    /// How often an account came onto another's list of friends.
    #[serde(default)]
    pub befriended: u64,
    /// How often one was taken off such a list. A list that ends with its account is not counted.
    #[serde(default)]
    pub unfriended: u64,
    /// Who, as sealed sketches; until another day begins.
    sketches: Option<model::Sealed>,
}

impl DailyFact {
    fn key_of(day: u32) -> Vec<u8> {
        day.to_be_bytes().to_vec()
    }

    /// The day as `yyyymmdd`.
    #[must_use]
    pub fn date(&self) -> String {
        promise::calendar::date(self.day)
    }
}

impl Record for DailyFact {
    const KIND: Kind = Kind { id: 35, name: "daily statistics", class: DataClass::Statistics };

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.day)
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// The day of a second.
const fn day_of(now: Seconds) -> u32 {
    now.plus(BEIJING_SECONDS).0 / DAY_SECONDS
}

/// When a day is over.
const fn end_of(day: u32) -> Seconds {
    Seconds((day + 1).saturating_mul(DAY_SECONDS)).minus(BEIJING_SECONDS)
}

/// Who did what, of one day.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sketches {
    active: Sketch,
    logged_in: Sketch,
    senders: Sketch,
}

impl Sketches {
    fn join(&mut self, other: &Self) {
        self.logged_in.join(&other.logged_in);
        self.senders.join(&other.senders);
        for part in [&other.active, &other.logged_in, &other.senders] {
            self.active.join(part);
        }
    }
}

/// What was counted and is not written yet.
#[derive(Debug, Default)]
struct Counts {
    registered: u64,
    deleted: u64,
    logins: u64,
    online_most: u64,
    sent: u64,
    delivered: u64,
    befriended: u64,
    unfriended: u64,
    sketches: Sketches,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.registered += other.registered;
        self.deleted += other.deleted;
        self.logins += other.logins;
        self.online_most = self.online_most.max(other.online_most);
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.befriended += other.befriended;
        self.unfriended += other.unfriended;
        self.sketches.join(&other.sketches);
    }
}

/// What is counted of every app.
pub struct Statistics {
    context: Context,
    hub: Arc<Hub>,
    keyring: Arc<Keyring>,
    salt: u64,
    waiting: Mutex<BTreeMap<(SdkAppId, u32), Counts>>,
    /// Held while what waits is written: whoever gets it after that finds it written.
    writing: tokio::sync::Mutex<()>,
    /// Woken by the first thing that waits.
    counted: Arc<Notify>,
}

impl Statistics {
    /// Reads the salt, making it at the first start.
    pub(crate) async fn open(context: Context, hub: Arc<Hub>, keyring: Arc<Keyring>) -> Result<Self> {
        let salt = match seals::known(&context, SALT).await? {
            Some(text) => u64::from_str_radix(&text, 16).map_err(|_| Fault::Corrupt(SALT.to_owned()))?,
            None => {
                let mut bytes = [0; 8];
                context.random.fill(&mut bytes);
                seals::remember(&context, SALT, crate::apps::hex(&bytes)).await?;
                u64::from_be_bytes(bytes)
            }
        };
        let (waiting, writing) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { context, hub, keyring, salt, waiting, writing, counted: Arc::default() })
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    fn today(&self) -> u32 {
        day_of(self.context.clock.now().seconds())
    }

    /// Counts something of today.
    fn count(&self, app: SdkAppId, count: impl FnOnce(&mut Counts)) {
        let day = self.today();
        let mut waiting = self.waiting.lock();
        let is_first = waiting.is_empty();
        count(waiting.entry((app, day)).or_default());
        drop(waiting);
        if is_first {
            self.counted.notify_one();
        }
    }

    /// What stands for an account in the sketches of today, and of no other day.
    fn hash(&self, number: AccountNumber) -> u64 {
        mix(number.0 ^ mix(self.salt ^ u64::from(self.today())))
    }

    /// Counts a message that was taken.
    pub(crate) fn sent(&self, app: SdkAppId, author: AccountNumber) {
        let hash = self.hash(author);
        self.count(app, |counts| {
            counts.sent += 1;
            counts.sketches.senders.add(hash);
        });
    }

    /// Counts a message that was pushed to a receiver.
    pub(crate) fn delivered(&self, app: SdkAppId) {
        self.count(app, |counts| counts.delivered += 1);
    }

    /// Counts a login by signature.
    pub(crate) fn logged_in(&self, app: SdkAppId, number: AccountNumber) {
        let hash = self.hash(number);
        self.count(app, |counts| {
            counts.logins += 1;
            counts.sketches.logged_in.add(hash);
        });
    }

    /// Counts an account that shows that it is there.
    pub(crate) fn seen(&self, app: SdkAppId, number: AccountNumber) {
        let hash = self.hash(number);
        self.count(app, |counts| counts.sketches.active.add(hash));
    }

    /// Counts an account that was made.
    pub(crate) fn registered(&self, app: SdkAppId) {
        self.count(app, |counts| counts.registered += 1);
    }

    /// Counts an account that was deleted.
    pub(crate) fn deleted(&self, app: SdkAppId) {
        self.count(app, |counts| counts.deleted += 1);
    }

    /// Counts those who came onto lists of friends, and those who were taken off.
    pub(crate) fn befriended(&self, app: SdkAppId, begun: u64, ended: u64) {
        if begun > 0 || ended > 0 {
            self.count(app, |counts| {
                counts.befriended += begun;
                counts.unfriended += ended;
            });
        }
    }

    /// Writes down what was counted, of one app or of all. What cannot be written waits on.
    async fn write(&self, only: Option<SdkAppId>) -> Result<()> {
        let _writing = self.writing.lock().await;
        let is_meant = |app: SdkAppId| only.is_none_or(|only| only == app);
        let taken: Vec<_> = self.waiting.lock().extract_if(.., |(app, _), _| is_meant(*app)).collect();
        let mut done = Ok(());
        for ((app, day), mut counts) in taken {
            // What was counted of an erased app is gone with its keys.
            if !self.keyring.holds_app(app) {
                continue;
            }
            counts.online_most = counts.online_most.max(self.hub.take_online_most(app));
            let written = self.write_day(app, day, &counts).await;
            if written.is_err() {
                self.waiting.lock().entry((app, day)).or_default().add(&counts);
            }
            done = done.and(written);
        }
        done
    }

    async fn write_day(&self, app: SdkAppId, day: u32, counts: &Counts) -> Result<()> {
        for _ in 0..TRIES_MAX {
            let found = find::<DailyFact>(self.records(), app, &DailyFact::key_of(day)).await?;
            let version = found.as_ref().map(|(_, version)| *version);
            if version.is_none() {
                // Before anything of the new day is written: what fails after that would be counted again.
                self.drop_sketches(app, day).await?;
            }
            let mut fact = match found {
                Some((fact, _)) => {
                    let accounts = fact.accounts.saturating_add(counts.registered);
                    DailyFact { accounts: accounts.saturating_sub(counts.deleted), ..fact }
                }
                // Counted anew each day, so that what a crash lost is not missing for ever.
                None => DailyFact { day, accounts: self.accounts(app).await?, ..DailyFact::default() },
            };
            let mut sketches = self.sketches(app, &fact);
            sketches.join(&counts.sketches);
            fact.registered += counts.registered;
            fact.logins += counts.logins;
            fact.online_most = fact.online_most.max(counts.online_most);
            fact.sent += counts.sent;
            fact.delivered += counts.delivered;
            fact.befriended += counts.befriended;
            fact.unfriended += counts.unfriended;
            // Where the keys of the sketches are gone, the numbers are still there.
            fact.active = fact.active.max(sketches.active.count());
            fact.logged_in = fact.logged_in.max(sketches.logged_in.count());
            fact.senders = fact.senders.max(sketches.senders.count());
            fact.sketches = self.seal(app, day, &sketches).ok();
            let stamp = Stamps::daily(app, end_of(day));
            let condition = unchanged::<DailyFact>(fact.key(), version);
            if write_if(self.records(), app, vec![condition], vec![put(stamp, &fact)?]).await? {
                return Ok(());
            }
        }
        Err(ErrorCode::ConfigInternal.into())
    }

    fn seal(&self, app: SdkAppId, day: u32, sketches: &Sketches) -> Result<model::Sealed> {
        let bytes = postcard::to_extend(sketches, Vec::new())
            .map_err(|error| Fault::Corrupt(format!("cannot encode sketches: {error}")))?;
        let now = self.context.clock.now().seconds();
        // What is written right after the end of the day is joined to it.
        let end = model::Expiry::At(end_of(day).plus(DAY_SECONDS));
        Ok(self.keyring.seal_bytes(place(app), now, end, bytes)?)
    }

    fn sketches(&self, app: SdkAppId, fact: &DailyFact) -> Sketches {
        let sealed = fact.sketches.as_ref();
        let bytes = sealed.and_then(|sealed| self.keyring.open_bytes(place(app), sealed));
        bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default()
    }

    /// Takes the sketches of the days before one: their numbers say all that is needed.
    async fn drop_sketches(&self, app: SdkAppId, before: u32) -> Result<()> {
        for (mut fact, version) in self.days(app).await? {
            if fact.day >= before || fact.sketches.take().is_none() {
                continue;
            }
            let stamp = Stamps::daily(app, end_of(fact.day));
            let condition = unchanged::<DailyFact>(fact.key(), Some(version));
            write_if(self.records(), app, vec![condition], vec![put(stamp, &fact)?]).await?;
        }
        Ok(())
    }

    /// Every day that is kept, the oldest first.
    async fn days(&self, app: SdkAppId) -> Result<Vec<(DailyFact, u64)>> {
        // One more begins before the oldest one ends.
        let limit = usize::try_from(STATISTICS_DAYS + 2).unwrap_or(usize::MAX);
        let range = Range { kind: DailyFact::KIND, index: None, prefix: Vec::new(), after: None, limit };
        let found = self.records().scan(app, range).await?;
        found.iter().map(|record| Ok((record.decode()?, record.version))).collect()
    }

    /// How many accounts an app has.
    async fn accounts(&self, app: SdkAppId) -> Result<u64> {
        let (mut count, mut after) = (0, None);
        loop {
            let range = Range {
                kind: AccountFact::KIND,
                index: None,
                prefix: Vec::new(),
                after,
                limit: ACCOUNTS_AT_ONCE,
            };
            let found = self.records().scan(app, range).await?;
            let Some(last) = found.last() else { return Ok(count) };
            count += u64::try_from(found.len()).unwrap_or(0);
            after = Some((Vec::new(), last.key.clone()));
        }
    }
}

impl Drop for Statistics {
    fn drop(&mut self) {
        // Whoever waits for something to write sees that nothing more comes.
        self.counted.notify_one();
    }
}

fn place(app: SdkAppId) -> Place {
    Place { app, class: DataClass::Statistics, conversation: None, author: AccountNumber(0) }
}

/// Writes at regular times, for as long as the engine lives.
pub(crate) fn start(engine: &Arc<Engine>) {
    let (weak, clock) = (Arc::downgrade(engine), Arc::clone(&engine.context.clock));
    let counted = Arc::clone(&engine.statistics.counted);
    engine.context.spawner.spawn(Box::pin(async move {
        loop {
            // Nothing counted costs nothing.
            counted.notified().await;
            clock.sleep(EVERY).await;
            let Some(engine) = weak.upgrade() else { return };
            if let Err(error) = engine.statistics.write(None).await {
                engine.job_failed("writing statistics", &error);
                // What waits on wakes nobody.
                counted.notify_one();
            }
        }
    }));
}

impl Engine {
    /// The last 30 days of an app, the oldest first and today as far as it went. Of a day without a record nothing is known but
    /// how many accounts there were.
    ///
    /// # Errors
    /// What the store says.
    pub async fn daily_statistics(&self, app: SdkAppId) -> Result<Vec<DailyFact>> {
        let statistics = &self.statistics;
        statistics.write(Some(app)).await?;
        let mut found: BTreeMap<u32, DailyFact> =
            statistics.days(app).await?.into_iter().map(|(fact, _)| (fact.day, fact)).collect();
        let today = statistics.today();
        let first = today.saturating_sub(STATISTICS_DAYS - 1);
        let before = found.range(..first).next_back();
        let mut accounts = before.map_or(0, |(_, fact)| fact.accounts);
        let mut days = Vec::new();
        for day in first..=today {
            let fact =
                found.remove(&day).unwrap_or_else(|| DailyFact { day, accounts, ..DailyFact::default() });
            accounts = fact.accounts;
            days.push(fact);
        }
        Ok(days)
    }

    /// Writes down everything that was counted.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write_statistics(&self) -> Result<()> {
        self.statistics.write(None).await
    }
}
