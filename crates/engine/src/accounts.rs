//! Accounts: made by import or by the first login, found by name and by number, deleted.

use std::sync::Arc;

use model::settings::Package;
use model::{AccountNumber, ErrorCode, Result, SdkAppId, Seconds, UserId};
use parking_lot::Mutex;
use ports::records::{Range, find};
use ports::{Record, Records};
use promise::Stamps;
use quick_cache::sync::Cache;

use crate::apps::Apps;
use crate::contact_groups::ContactGroupsFact;
use crate::context::Context;
use crate::do_not_disturb::DoNotDisturbFact;
use crate::erased::ErasedFact;
use crate::export::ExportFact;
use crate::facts::{
    AccountFact, ContactFact, InstallationFact, InstanceFact, ProfileFact, RevokedFact, WatchFact,
};
use crate::relations::{RelationsFact, RequestFact};
use crate::robots::RobotFact;
use crate::search::People;
use crate::statistics::Statistics;
use crate::store::{TRIES_MAX, indexed_by, owned_by, put, remove, unchanged, write, write_if};
use crate::streams::{PieceFact, StreamFact};

/// Accounts kept in memory.
const CACHED: usize = 100_000;

/// Numbers taken from the installation's counter at once.
const NUMBERS_AT_ONCE: u64 = 1000;

/// Records removed in one transaction when an account is deleted.
const REMOVED_AT_ONCE: usize = 1000;

/// For how long a deleted account's revoked signatures stay revoked: generators make them for 180 days.
const REVOKED_DAYS: u32 = 366;

const COUNTER: &str = "next account number";

/// Every account.
pub struct Accounts {
    context: Context,
    apps: Arc<Apps>,
    by_name: Cache<(SdkAppId, UserId), Arc<AccountFact>>,
    by_number: Cache<(SdkAppId, AccountNumber), Arc<AccountFact>>,
    numbers: Mutex<std::ops::Range<u64>>,
    statistics: Arc<Statistics>,
    people: Arc<People>,
}

impl Accounts {
    pub(crate) fn new(
        context: &Context,
        apps: &Arc<Apps>,
        statistics: &Arc<Statistics>,
        people: &Arc<People>,
    ) -> Self {
        Self {
            context: context.clone(),
            apps: Arc::clone(apps),
            statistics: Arc::clone(statistics),
            people: Arc::clone(people),
            by_name: Cache::new(CACHED),
            by_number: Cache::new(CACHED),
            numbers: Mutex::new(0..0),
        }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    /// Whoever reads at this moment must not put back what was before: a removal ends its turn in the cache.
    fn forget(&self, app: SdkAppId, fact: &AccountFact) {
        self.by_name.remove(&(app, fact.user.clone()));
        self.by_number.remove(&(app, fact.number));
    }

    /// The account of this name.
    ///
    /// # Errors
    /// What the store says.
    pub async fn find(&self, app: SdkAppId, user: &UserId) -> Result<Option<Arc<AccountFact>>> {
        let turn = match self.by_name.get_value_or_guard_async(&(app, user.clone())).await {
            Ok(known) => return Ok(Some(known)),
            Err(turn) => turn,
        };
        let found = find::<AccountFact>(self.records(), app, user.as_str().as_bytes()).await?;
        let found = found.map(|(fact, _)| Arc::new(fact));
        if let Some(fact) = &found {
            // Fails where somebody changed it meanwhile: then the next reader reads again.
            drop(turn.insert(Arc::clone(fact)));
        }
        Ok(found)
    }

    /// Signatures made before this second do not open the name, whether or not an account has it now.
    ///
    /// # Errors
    /// What the store says.
    pub async fn not_before(&self, app: SdkAppId, user: &UserId) -> Result<Seconds> {
        if let Some(fact) = self.find(app, user).await? {
            return Ok(fact.not_before);
        }
        let hash = RevokedFact::hash_of(app, user);
        let revoked = find::<RevokedFact>(self.records(), app, hash.as_bytes()).await?;
        Ok(revoked.map_or(Seconds(0), |(fact, _)| fact.not_before))
    }

    /// The account with this number.
    ///
    /// # Errors
    /// What the store says.
    pub async fn with_number(
        &self,
        app: SdkAppId,
        number: AccountNumber,
    ) -> Result<Option<Arc<AccountFact>>> {
        let turn = match self.by_number.get_value_or_guard_async(&(app, number)).await {
            Ok(known) => return Ok(Some(known)),
            Err(turn) => turn,
        };
        let found = indexed_by::<AccountFact>(self.records(), app, AccountFact::BY_NUMBER, number, 1).await?;
        let found = found.into_iter().next().map(Arc::new);
        if let Some(fact) = &found {
            drop(turn.insert(Arc::clone(fact)));
        }
        Ok(found)
    }

    /// Refuses one more account where the app's package has a limit. Several that are made at the same moment may pass it
    /// together.
    async fn check_package(&self, app: SdkAppId) -> Result<()> {
        let package = self.apps.known(app).map(|app| app.settings.package);
        let Some(most) = package.and_then(Package::accounts_max).and_then(|most| usize::try_from(most).ok())
        else {
            return Ok(());
        };
        let kind = AccountFact::KIND;
        let range = Range { kind, index: None, prefix: Vec::new(), after: None, limit: most };
        if self.records().scan(app, range).await?.len() >= most {
            return Err(ErrorCode::AccountQuota.because(format!("the app's package has {most} accounts")));
        }
        Ok(())
    }

    /// The account of this name, made if it is not there.
    ///
    /// # Errors
    /// `AccountQuota` if the app's package has no room for another one.
    /// `AccountBadParameter` for the name of a robot that is not there: see [`crate::Engine::make_robot`].
    pub async fn ensure(&self, stamps: Stamps, app: SdkAppId, user: &UserId) -> Result<Arc<AccountFact>> {
        if let Some(fact) = self.find(app, user).await? {
            return Ok(fact);
        }
        if user.is_robot_name() {
            return Err(ErrorCode::AccountBadParameter
                .in_field("UserID", format!("names with {} are those of robots", UserId::ROBOT_PREFIX)));
        }
        self.make(stamps, app, user).await
    }

    /// The account of this name, made if it is not there, whatever the name.
    pub(crate) async fn make(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        user: &UserId,
    ) -> Result<Arc<AccountFact>> {
        for _ in 0..TRIES_MAX {
            if let Some(fact) = self.find(app, user).await? {
                return Ok(fact);
            }
            self.check_package(app).await?;
            let hash = RevokedFact::hash_of(app, user);
            let revoked = find::<RevokedFact>(self.records(), app, hash.as_bytes()).await?;
            let fact = AccountFact {
                user: user.clone(),
                number: self.next_number().await?,
                created_at: self.context.clock.now().seconds(),
                not_before: revoked.map_or(Seconds(0), |(fact, _)| fact.not_before),
                muted_until: Seconds(0),
                group_muted_until: Seconds(0),
            };
            let absent = unchanged::<AccountFact>(fact.key(), None);
            let writes = vec![put(stamps.account(fact.number), &fact)?];
            if write_if(self.records(), app, vec![absent], writes).await? {
                self.statistics.registered(app);
                self.people.changed(app, fact.number);
                return Ok(Arc::new(fact));
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    /// Gives out none of the next numbers: they may have been given out after a backup was made.
    pub(crate) async fn skip_numbers(&self, count: u64) -> Result<()> {
        for _ in 0..TRIES_MAX {
            let key = COUNTER.as_bytes();
            let found = find::<InstallationFact>(self.records(), SdkAppId::INSTALLATION, key).await?;
            let Some((fact, version)) = found else { return Ok(()) };
            let first: u64 = fact.value.parse().map_err(|_| ErrorCode::AccountInternal)?;
            let fact = InstallationFact { value: (first + count).to_string(), ..fact };
            let condition = unchanged::<InstallationFact>(fact.key(), Some(version));
            let writes = vec![put(Stamps::configuration(SdkAppId::INSTALLATION), &fact)?];
            if write_if(self.records(), SdkAppId::INSTALLATION, vec![condition], writes).await? {
                self.numbers.lock().end = 0;
                return Ok(());
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    async fn next_number(&self) -> Result<AccountNumber> {
        for _ in 0..TRIES_MAX {
            if let Some(number) = self.numbers.lock().next() {
                return Ok(AccountNumber(number));
            }
            let key = COUNTER.as_bytes();
            let found = find::<InstallationFact>(self.records(), SdkAppId::INSTALLATION, key).await?;
            let (first, version) = match found {
                Some((fact, version)) => {
                    (fact.value.parse().map_err(|_| ErrorCode::AccountInternal)?, Some(version))
                }
                None => (AccountNumber::BASE + 1, None),
            };
            let end: u64 = first + NUMBERS_AT_ONCE;
            let fact = InstallationFact { name: COUNTER.to_owned(), value: end.to_string() };
            let condition = unchanged::<InstallationFact>(fact.key(), version);
            let writes = vec![put(Stamps::configuration(SdkAppId::INSTALLATION), &fact)?];
            if write_if(self.records(), SdkAppId::INSTALLATION, vec![condition], writes).await? {
                let mut numbers = self.numbers.lock();
                // Another task may have fetched numbers meanwhile: those come first, these are skipped.
                if numbers.is_empty() {
                    *numbers = first..end;
                }
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    /// From now on only signatures made at `not_before` or later open the account.
    ///
    /// # Errors
    /// `AccountUnknown`.
    pub async fn move_not_before(
        &self,
        app: SdkAppId,
        user: &UserId,
        not_before: Seconds,
    ) -> Result<Arc<AccountFact>> {
        self.change(app, user, |fact| fact.not_before = fact.not_before.max(not_before)).await
    }

    /// Until when an account may not write, to single accounts and to groups. What is not given stays.
    ///
    /// # Errors
    /// `AccountUnknown`.
    pub async fn mute(
        &self,
        app: SdkAppId,
        user: &UserId,
        single: Option<Seconds>,
        group: Option<Seconds>,
    ) -> Result<Arc<AccountFact>> {
        let change = |fact: &mut AccountFact| {
            fact.muted_until = single.unwrap_or(fact.muted_until);
            fact.group_muted_until = group.unwrap_or(fact.group_muted_until);
        };
        self.change(app, user, change).await
    }

    async fn change(
        &self,
        app: SdkAppId,
        user: &UserId,
        change: impl Fn(&mut AccountFact),
    ) -> Result<Arc<AccountFact>> {
        let key = user.as_str().as_bytes();
        for _ in 0..TRIES_MAX {
            let found = self.records().get(app, AccountFact::KIND, key).await?;
            let found = found.ok_or(ErrorCode::AccountUnknown)?;
            let mut fact: AccountFact = found.decode()?;
            change(&mut fact);
            let condition = unchanged::<AccountFact>(fact.key(), Some(found.version));
            let written =
                write_if(self.records(), app, vec![condition], vec![put(found.stamp, &fact)?]).await;
            // Whether a write that failed was done is not known.
            self.forget(app, &fact);
            if written? {
                return Ok(Arc::new(fact));
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    /// Deletes an account: its name may be taken again and gets another number then. What else belongs to it is deleted by
    /// [`Self::delete_rest`], and what it wrote after that; `commitment` names it in receipts.
    ///
    /// # Errors
    /// `AccountUnknown`; `AccountInternal` if the account was changed at this moment.
    pub(crate) async fn delete(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        user: &UserId,
        commitment: &str,
    ) -> Result<Arc<AccountFact>> {
        let found = find::<AccountFact>(self.records(), app, user.as_str().as_bytes()).await?;
        let (fact, version) = found.ok_or(ErrorCode::AccountUnknown)?;
        let number = fact.number;
        let now = self.context.clock.now().seconds();
        // The name goes first: nothing new can begin while the rest is removed.
        let mut gone = vec![
            remove::<AccountFact>(fact.key()),
            remove::<ProfileFact>(ProfileFact::key_of(number)),
            remove::<RobotFact>(RobotFact::key_of(number)),
        ];
        let erased = ErasedFact {
            number,
            commitment: commitment.to_owned(),
            name: Some(user.clone()),
            since: now,
            hidden: None,
            deleted: None,
            deletion_told: None,
            aged_out_by: stamps.profile(number, now).end(),
            generations: None,
            destruction_told: None,
            telling: None,
        };
        gone.push(put(Stamps::erasure(app, number), &erased)?);
        if fact.not_before > Seconds(0) {
            let revoked =
                RevokedFact { name_hash: RevokedFact::hash_of(app, user), not_before: fact.not_before };
            let end = fact.not_before.plus(REVOKED_DAYS * model::time::DAY_SECONDS);
            gone.push(put(stamps.nameless_until(end), &revoked)?);
        }
        let condition = unchanged::<AccountFact>(fact.key(), Some(version));
        let written = write_if(self.records(), app, vec![condition], gone).await;
        self.forget(app, &fact);
        if !written? {
            // Somebody else deleted it, or revoked its signatures at this moment.
            return Err(ErrorCode::AccountInternal.into());
        }
        self.statistics.deleted(app);
        self.people.changed(app, number);
        self.remove_all::<InstanceFact>(app, number, None).await?;
        Ok(Arc::new(fact))
    }

    /// Deletes what is left of an account that is deleted, but for what is kept in memory too (`Relations::erase_list`,
    /// `Blocks::erase`, `Follows::erase`), and for what was added to messages (`Engine::erase_annotations`).
    pub(crate) async fn delete_rest(&self, app: SdkAppId, number: AccountNumber) -> Result<()> {
        self.remove_all::<InstanceFact>(app, number, None).await?;
        self.remove_all::<RequestFact>(app, number, None).await?;
        self.remove_all::<RelationsFact>(app, number, None).await?;
        self.remove_all::<ContactFact>(app, number, None).await?;
        self.remove_all::<ContactFact>(app, number, Some(ContactFact::BY_PEER)).await?;
        self.remove_all::<ContactGroupsFact>(app, number, None).await?;
        self.remove_all::<DoNotDisturbFact>(app, number, None).await?;
        self.remove_all::<ExportFact>(app, number, None).await?;
        self.remove_all::<RobotFact>(app, number, None).await?;
        crate::merged::remove_of(self.records(), app, number).await?;
        self.remove_all::<StreamFact>(app, number, Some(StreamFact::BY_AUTHOR)).await?;
        self.remove_all::<StreamFact>(app, number, Some(StreamFact::BY_RECEIVER)).await?;
        self.remove_all::<PieceFact>(app, number, Some(PieceFact::BY_AUTHOR)).await?;
        self.remove_all::<PieceFact>(app, number, Some(PieceFact::BY_RECEIVER)).await?;
        self.remove_all::<WatchFact>(app, number, None).await?;
        self.remove_all::<WatchFact>(app, number, Some(WatchFact::BY_WATCHED)).await
    }

    async fn remove_all<R: Record>(
        &self,
        app: SdkAppId,
        number: AccountNumber,
        index: Option<u8>,
    ) -> Result<()> {
        loop {
            let found: Vec<R> = match index {
                Some(index) => indexed_by(self.records(), app, index, number, REMOVED_AT_ONCE).await?,
                None => owned_by(self.records(), app, number, REMOVED_AT_ONCE).await?,
            };
            if found.is_empty() {
                return Ok(());
            }
            let writes = found.iter().map(|record| remove::<R>(record.key())).collect();
            write(self.records(), app, writes).await?;
        }
    }
}
