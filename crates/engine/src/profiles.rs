//! Profiles: read, written, kept as long as the app promised.

use std::sync::Arc;

use model::profile::{CUSTOM_PREFIX, FieldValue, Profile, Reader, is_readable, is_stored};
use model::settings::App;
use model::{AccountNumber, ErrorCode, Expiry, Result, SdkAppId, Seconds};
use ports::records::find;
use ports::{Fault, Records};
use promise::Stamps;
use promise::keys::{Keyring, Place};
use quick_cache::sync::Cache;

use crate::apps::Apps;
use crate::context::Context;
use crate::facts::{AccountFact, ProfileFact};
use crate::hub::Hub;
use crate::preserve::Preserve;
use crate::push;
use crate::relations::{FriendFact, who_has};
use crate::search::People;
use crate::store::{TRIES_MAX, put, unchanged, write_for, write_if};

const CACHED: usize = 100_000;

/// A profile in memory is read again after this long, in seconds.
const FRESH_SECONDS: u32 = 60;

/// The end of a profile is a full hour, so it is put off once an hour while its account is used.
pub(crate) const HOUR_SECONDS: u32 = 3600;

struct Cached {
    profile: Arc<Profile>,
    read_at: Seconds,
    end: Expiry,
}

/// Every profile.
pub struct Profiles {
    context: Context,
    apps: Arc<Apps>,
    hub: Arc<Hub>,
    keyring: Arc<Keyring>,
    preserve: Arc<Preserve>,
    people: Arc<People>,
    cache: Cache<(SdkAppId, AccountNumber), Arc<Cached>>,
    /// Of apps that store no profiles: those of accounts that are connected.
    unstored: Cache<(SdkAppId, AccountNumber), Arc<Profile>>,
    /// In which hour an account was last seen to be used.
    used: Cache<(SdkAppId, AccountNumber), u32>,
}

impl Profiles {
    pub(crate) fn new(
        context: Context,
        apps: Arc<Apps>,
        hub: Arc<Hub>,
        keyring: Arc<Keyring>,
        preserve: Arc<Preserve>,
        people: Arc<People>,
    ) -> Self {
        Self {
            context,
            apps,
            hub,
            keyring,
            preserve,
            people,
            cache: Cache::new(CACHED),
            unstored: Cache::new(CACHED),
            used: Cache::new(CACHED),
        }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    /// The fields that an account has set; none if it never set any or they have expired.
    ///
    /// # Errors
    /// What the store says.
    pub async fn of(&self, app: SdkAppId, number: AccountNumber) -> Result<Arc<Profile>> {
        if let Some(profile) = self.unstored(app, number) {
            return Ok(profile);
        }
        let now = self.context.clock.now().seconds();
        let mut turn = self.cache.get_value_or_guard_async(&(app, number)).await;
        if turn.as_ref().is_ok_and(|cached| !self.is_fresh(cached)) {
            self.cache.remove(&(app, number));
            turn = self.cache.get_value_or_guard_async(&(app, number)).await;
        }
        let turn = match turn {
            Ok(cached) => return Ok(Arc::clone(&cached.profile)),
            Err(turn) => turn,
        };
        let key = ProfileFact::key_of(number);
        let found = self.records().get(app, <ProfileFact as ports::Record>::KIND, &key).await?;
        let (profile, end) = match found {
            Some(found) => {
                let whole = self.open(app, &found.decode()?);
                (self.strip(app, whole, false), found.stamp.expiry)
            }
            None => (Profile::default(), Expiry::WithOwner),
        };
        let profile = Arc::new(profile);
        let cached = Cached { profile: Arc::clone(&profile), read_at: now, end };
        // Fails where somebody changed it meanwhile: then the next reader reads again.
        drop(turn.insert(Arc::new(cached)));
        Ok(profile)
    }

    fn is_fresh(&self, cached: &Cached) -> bool {
        let moment = self.context.clock.now();
        let now = moment.seconds();
        now < cached.read_at.plus(FRESH_SECONDS) && now >= cached.read_at && !cached.end.is_over(moment)
    }

    /// What is known of a connected account whose app stores no profiles.
    fn unstored(&self, app: SdkAppId, number: AccountNumber) -> Option<Arc<Profile>> {
        let profile = self.unstored.get(&(app, number))?;
        if !self.hub.has(app, number) {
            self.unstored.remove(&(app, number));
            return None;
        }
        let is_kept = |app: Arc<App>| profile.0.keys().all(|tag| is_stored(&app.settings, tag));
        if self.apps.known(app).is_none_or(is_kept) {
            return Some(profile);
        }
        Some(Arc::new(self.strip(app, Profile::clone(&profile), false)))
    }

    /// The fields of a stored profile; none if its keys are destroyed.
    fn open(&self, app: SdkAppId, fact: &ProfileFact) -> Profile {
        let bytes = self.keyring.open_bytes(Place::profile(app, fact.number), &fact.sealed);
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Takes out what the app does not store any more: it is gone at once, and from the disk with the next write. Own fields that
    /// are not declared are only hidden where `keeps_own`: who moves here, or comes from a version that knew no declarations, may
    /// declare them later.
    fn strip(&self, app: SdkAppId, mut profile: Profile, keeps_own: bool) -> Profile {
        if let Some(app) = self.apps.known(app) {
            let is_kept = |tag: &str| keeps_own && tag.starts_with(CUSTOM_PREFIX);
            profile.0.retain(|tag, _| is_kept(tag) || is_stored(&app.settings, tag));
        }
        profile
    }

    fn seal(
        &self,
        app: SdkAppId,
        number: AccountNumber,
        profile: &Profile,
        end: Expiry,
    ) -> Result<ProfileFact> {
        let bytes = serde_json::to_vec(profile)
            .map_err(|error| Fault::Corrupt(format!("cannot encode a profile: {error}")))?;
        let now = self.context.clock.now().seconds();
        let sealed = self.keyring.seal_bytes(Place::profile(app, number), now, end, bytes)?;
        Ok(ProfileFact { number, used_at: now, sealed })
    }

    /// Forgets what is in memory about an account.
    pub(crate) fn forget(&self, app: SdkAppId, number: AccountNumber) {
        self.cache.remove(&(app, number));
        self.unstored.remove(&(app, number));
        self.used.remove(&(app, number));
    }

    /// Forgets what is in memory about stored profiles.
    pub(crate) fn forget_all(&self) {
        self.cache.clear();
    }

    /// Sets fields, then tells the account's instances and those who talk to it.
    ///
    /// # Errors
    /// `NotStored` if the app stores no profiles and the account is not connected, `ProfileAccountUnknown` if it was just
    /// erased.
    pub async fn set(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        account: &AccountFact,
        fields: Vec<(String, FieldValue)>,
        cause: push::Cause,
    ) -> Result<()> {
        let number = account.number;
        if stamps.stores_profiles() {
            self.store(stamps, app, account, &fields).await?;
        } else {
            if !self.hub.has(app, number) {
                return Err(
                    ErrorCode::NotStored.because("the app stores no profiles of accounts that are offline")
                );
            }
            let changed = || {
                let former = self.unstored(app, number);
                let mut profile = former.map(|profile| Profile::clone(&profile)).unwrap_or_default();
                profile.0.extend(fields.iter().cloned());
                profile
            };
            self.preserve.profile(app, account, &changed()).await?;
            // Others may have set fields meanwhile, or the account may be gone.
            self.unstored.insert((app, number), Arc::new(changed()));
            if !self.hub.has(app, number) {
                self.unstored.remove(&(app, number));
            }
        }
        self.people.changed(app, number);
        let told = self.readable(app, &fields, Reader::Owner);
        if !told.is_empty() {
            self.hub.push(app, number, &push::profile_changed(&account.user, &told), cause);
        }
        self.tell_peers(app, account, &fields).await
    }

    async fn store(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        account: &AccountFact,
        fields: &[(String, FieldValue)],
    ) -> Result<()> {
        let number = account.number;
        for _ in 0..TRIES_MAX {
            let key = ProfileFact::key_of(number);
            let found = find::<ProfileFact>(self.records(), app, &key).await?;
            let version = found.as_ref().map(|(_, version)| *version);
            let profile = found.map(|(fact, _)| self.open(app, &fact)).unwrap_or_default();
            let mut profile = self.strip(app, profile, true);
            profile.0.extend(fields.iter().cloned());
            self.preserve.profile(app, account, &profile).await?;
            let stamp = stamps.profile(number, self.context.clock.now().seconds());
            let fact = self.seal(app, number, &profile, stamp.expiry)?;
            let condition = unchanged::<ProfileFact>(key, version);
            let concerned = (&[number][..], ErrorCode::ProfileAccountUnknown);
            if write_for(self.records(), app, concerned, vec![condition], vec![put(stamp, &fact)?]).await? {
                self.forget(app, number);
                return Ok(());
            }
        }
        Err(ErrorCode::ProfileInternal.into())
    }

    /// Those of the fields that somebody reads.
    fn readable(
        &self,
        app: SdkAppId,
        fields: &[(String, FieldValue)],
        reader: Reader,
    ) -> Vec<(String, FieldValue)> {
        let known = self.apps.known(app);
        let may = |tag: &str| known.as_ref().is_none_or(|app| is_readable(&app.settings, tag, reader));
        fields.iter().filter(|(tag, _)| may(tag)).cloned().collect()
    }

    /// The fields of an account that a caller may read: an account, or an administrator (`None`).
    ///
    /// # Errors
    /// What the store says.
    pub async fn shown_to(
        &self,
        app: &App,
        number: AccountNumber,
        viewer: Option<AccountNumber>,
    ) -> Result<Arc<Profile>> {
        let profile = self.of(app.id, number).await?;
        if app.settings.custom_user_fields.is_empty() {
            return Ok(profile);
        }
        let reader = match viewer {
            None => Reader::Administrator,
            Some(viewer) => self.reader(app.id, number, viewer).await?,
        };
        let readable = profile.0.iter().filter(|(tag, _)| is_readable(&app.settings, tag, reader));
        Ok(Arc::new(Profile(readable.map(|(tag, value)| (tag.clone(), value.clone())).collect())))
    }

    /// What an account is to another one that reads of it.
    async fn reader(&self, app: SdkAppId, of: AccountNumber, viewer: AccountNumber) -> Result<Reader> {
        if of == viewer {
            return Ok(Reader::Owner);
        }
        let found = find::<FriendFact>(self.records(), app, &FriendFact::key_of(of, viewer)).await?;
        Ok(if found.is_some() { Reader::Friend } else { Reader::Stranger })
    }

    /// Tells those who have this account on their list of friends or recently talked to it, and are connected here, what they
    /// may read.
    async fn tell_peers(
        &self,
        app: SdkAppId,
        account: &AccountFact,
        fields: &[(String, FieldValue)],
    ) -> Result<()> {
        let number = account.number;
        let of = |reader: Reader| self.readable(app, fields, reader);
        let (to_friends, to_strangers) = (of(Reader::Friend), of(Reader::Stranger));
        let frames = [&to_friends, &to_strangers].map(|told| push::profile_changed(&account.user, told));
        let is_same = to_friends.len() == to_strangers.len();
        const PEERS_MAX: usize = 100;
        let mut told = who_has(self.records(), app, number).await?;
        let views = self.context.timeline.conversations(app, number, PEERS_MAX).await?;
        told.extend(views.iter().map(|view| view.peer));
        told.sort_unstable();
        told.dedup();
        for peer in told.into_iter().filter(|peer| *peer != number && self.hub.has(app, *peer)) {
            let is_friend = is_same || self.reader(app, number, peer).await? == Reader::Friend;
            let (told, frame) =
                if is_friend { (&to_friends, &frames[0]) } else { (&to_strangers, &frames[1]) };
            if !told.is_empty() {
                self.hub.push(app, peer, frame, None);
            }
        }
        Ok(())
    }

    /// Starts the promised days of a profile anew beside what goes on, because its account was used.
    pub(crate) fn used(self: &Arc<Self>, stamps: Stamps, app: SdkAppId, number: AccountNumber) {
        if self.is_seen_this_hour(app, number) {
            return;
        }
        let this = Arc::clone(self);
        self.context.spawner.spawn(Box::pin(async move {
            if let Err(error) = this.renew(stamps, app, number).await {
                this.used.remove(&(app, number));
                tracing::warn!(?error, "the end of a profile could not be put off");
            }
        }));
    }

    fn is_seen_this_hour(&self, app: SdkAppId, number: AccountNumber) -> bool {
        let hour = self.context.clock.now().seconds().0 / HOUR_SECONDS;
        if self.used.get(&(app, number)) == Some(hour) {
            return true;
        }
        self.used.insert((app, number), hour);
        false
    }

    /// Starts the promised days of a profile anew, because its account was used.
    ///
    /// # Errors
    /// What the store says.
    pub async fn renew(&self, stamps: Stamps, app: SdkAppId, number: AccountNumber) -> Result<()> {
        if !stamps.stores_profiles() {
            return Ok(());
        }
        for _ in 0..TRIES_MAX {
            let key = ProfileFact::key_of(number);
            let found = self.records().get(app, <ProfileFact as ports::Record>::KIND, &key).await?;
            let Some(found) = found else { return Ok(()) };
            let stamp = stamps.profile(number, self.context.clock.now().seconds());
            if stamp.expiry <= found.stamp.expiry {
                return Ok(());
            }
            let former: ProfileFact = found.decode()?;
            // A new end needs another key: the former one dies with the former end.
            let fact =
                self.seal(app, number, &self.strip(app, self.open(app, &former), true), stamp.expiry)?;
            let condition = unchanged::<ProfileFact>(key, Some(found.version));
            if write_if(self.records(), app, vec![condition], vec![put(stamp, &fact)?]).await? {
                self.cache.remove(&(app, number));
                return Ok(());
            }
        }
        Err(ErrorCode::ProfileInternal.into())
    }
}
