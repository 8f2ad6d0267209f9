//! Profiles: read, written, kept as long as the app promised.

use std::sync::Arc;

use model::profile::{CUSTOM_FIELDS_MAX, CUSTOM_PREFIX, FieldValue, Profile};
use model::{AccountNumber, ErrorCode, Expiry, Result, SdkAppId, Seconds};
use ports::Records;
use ports::records::find;
use promise::Stamps;
use quick_cache::sync::Cache;

use crate::context::Context;
use crate::facts::{AccountFact, ProfileFact};
use crate::hub::Hub;
use crate::push;
use crate::store::{TRIES_MAX, put, unchanged, write_if};

const CACHED: usize = 100_000;

/// A profile in memory is read again after this long, in seconds.
const FRESH_SECONDS: u32 = 60;

/// A login renews a profile whose end is nearer than the promised days less this many seconds.
const RENEWAL_SECONDS: u32 = model::time::DAY_SECONDS;

struct Cached {
    profile: Arc<Profile>,
    read_at: Seconds,
}

/// Every profile.
pub struct Profiles {
    context: Context,
    hub: Arc<Hub>,
    cache: Cache<(SdkAppId, AccountNumber), Arc<Cached>>,
}

impl Profiles {
    pub(crate) fn new(context: Context, hub: Arc<Hub>) -> Self {
        Self { context, hub, cache: Cache::new(CACHED) }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    /// The fields that an account has set; none if it never set any or they have expired.
    ///
    /// # Errors
    /// What the store says.
    pub async fn of(&self, app: SdkAppId, number: AccountNumber) -> Result<Arc<Profile>> {
        let now = self.context.clock.now().seconds();
        if let Some(cached) = self.cache.get(&(app, number))
            && now < cached.read_at.plus(FRESH_SECONDS)
            && now >= cached.read_at
        {
            return Ok(Arc::clone(&cached.profile));
        }
        let found = find::<ProfileFact>(self.records(), app, &ProfileFact::key_of(number)).await?;
        let profile = Arc::new(found.map(|(fact, _)| fact.profile).unwrap_or_default());
        let cached = Cached { profile: Arc::clone(&profile), read_at: now };
        self.cache.insert((app, number), Arc::new(cached));
        Ok(profile)
    }

    /// Forgets what is in memory about an account.
    pub(crate) fn forget(&self, app: SdkAppId, number: AccountNumber) {
        self.cache.remove(&(app, number));
    }

    /// Sets fields, then tells the account's instances and those who talk to it.
    ///
    /// # Errors
    /// `ProfileBadParameter` if the account would have too many own fields.
    pub async fn set(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        account: &AccountFact,
        fields: Vec<(String, FieldValue)>,
        cause: push::Cause,
    ) -> Result<()> {
        let mut stored = false;
        for _ in 0..TRIES_MAX {
            let key = ProfileFact::key_of(account.number);
            let found = find::<ProfileFact>(self.records(), app, &key).await?;
            let version = found.as_ref().map(|(_, version)| *version);
            let mut profile = found.map(|(fact, _)| fact.profile).unwrap_or_default();
            profile.0.extend(fields.iter().cloned());
            if profile.0.keys().filter(|tag| tag.starts_with(CUSTOM_PREFIX)).count() > CUSTOM_FIELDS_MAX {
                return Err(ErrorCode::ProfileBadParameter
                    .because(format!("ProfileItem: an account has at most {CUSTOM_FIELDS_MAX} own fields")));
            }
            let fact = ProfileFact { number: account.number, profile };
            let stamp = stamps.profile(account.number, self.context.clock.now().seconds());
            let condition = unchanged::<ProfileFact>(key, version);
            if write_if(self.records(), app, vec![condition], vec![put(stamp, &fact)?]).await? {
                stored = true;
                break;
            }
        }
        if !stored {
            return Err(ErrorCode::ProfileInternal.into());
        }
        self.forget(app, account.number);
        let frame = push::profile_changed(&account.user, &fields);
        self.hub.push(app, account.number, &frame, cause);
        self.tell_peers(app, account.number, &frame).await
    }

    /// Tells the accounts that recently talked to this one and are connected here.
    async fn tell_peers(&self, app: SdkAppId, number: AccountNumber, frame: &bytes::Bytes) -> Result<()> {
        const PEERS_MAX: usize = 100;
        for view in self.context.timeline.conversations(app, number, PEERS_MAX).await? {
            if view.peer != number {
                self.hub.push(app, view.peer, frame, None);
            }
        }
        Ok(())
    }

    /// Starts the promised days of a profile anew, because its account was used.
    ///
    /// # Errors
    /// What the store says.
    pub async fn renew(&self, stamps: Stamps, app: SdkAppId, number: AccountNumber) -> Result<()> {
        let now = self.context.clock.now().seconds();
        let found = self
            .records()
            .get(app, <ProfileFact as ports::Record>::KIND, &ProfileFact::key_of(number))
            .await?;
        let Some(found) = found else { return Ok(()) };
        let stamp = stamps.profile(number, now);
        let is_near = match (found.stamp.expiry, stamp.expiry) {
            (Expiry::At(former), Expiry::At(end)) => end.0 >= former.0.saturating_add(RENEWAL_SECONDS),
            _ => false,
        };
        if !is_near {
            return Ok(());
        }
        let fact: ProfileFact = found.decode()?;
        let condition = unchanged::<ProfileFact>(ProfileFact::key_of(number), Some(found.version));
        // If it was changed meanwhile, it was renewed by that.
        write_if(self.records(), app, vec![condition], vec![put(stamp, &fact)?]).await?;
        Ok(())
    }
}
