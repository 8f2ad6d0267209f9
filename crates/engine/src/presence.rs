//! Who is online, what they say about themselves, and who wants to know.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use model::{AccountNumber, ErrorCode, InstanceId, Result, SdkAppId};
use ports::{Record, Records, Route};
use promise::Stamps;

use crate::apps::Apps;
use crate::context::Context;
use crate::facts::{AccountFact, InstanceFact, InstanceState, WatchFact};
use crate::hub::{Connection, Hub};
use crate::push;
use crate::store::{indexed_by, owned_by, put, remove, still_there, write, write_all_for};

/// The most bytes of a custom status.
pub const CUSTOM_STATUS_BYTES_MAX: usize = 100;

/// The most accounts that one account watches (page 1047/34381).
pub const WATCHED_MAX: usize = 200;

/// The most watchers that are told of one change.
const WATCHERS_MAX: usize = 10_000;

const CUSTOM_STATUS_DAYS: u32 = 7;

/// An account's status, numbered as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has a connection.
    Online = 1,
    /// It is logged in, without a connection.
    Offline = 2,
    /// It is not logged in.
    LoggedOut = 3,
}

/// Presence of accounts.
pub struct Presence {
    context: Context,
    apps: Arc<Apps>,
    hub: Arc<Hub>,
    node: u32,
}

/// Under which name an account's custom status is kept.
pub(crate) fn status_key(number: AccountNumber) -> String {
    format!("custom status {number}")
}

impl Presence {
    pub(crate) fn new(context: Context, apps: &Arc<Apps>, hub: &Arc<Hub>, node: u32) -> Self {
        Self { context, apps: Arc::clone(apps), hub: Arc::clone(hub), node }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    /// Where an account is connected.
    ///
    /// # Errors
    /// What the store says.
    pub async fn routes(&self, app: SdkAppId, number: AccountNumber) -> Result<Vec<Route>> {
        Ok(self.context.ephemeral.routes(app, number).await?)
    }

    /// An account's status.
    ///
    /// # Errors
    /// What the store says.
    pub async fn status(&self, app: SdkAppId, number: AccountNumber) -> Result<Status> {
        if !self.routes(app, number).await?.is_empty() {
            return Ok(Status::Online);
        }
        let instances: Vec<InstanceFact> = owned_by(self.records(), app, number, 100).await?;
        let is_logged_in = instances.iter().any(|instance| instance.state == InstanceState::Active);
        Ok(if is_logged_in { Status::Offline } else { Status::LoggedOut })
    }

    /// What an account says about itself, in base64; empty if nothing.
    ///
    /// # Errors
    /// What the store says.
    pub async fn custom_status(&self, app: SdkAppId, number: AccountNumber) -> Result<String> {
        Ok(STANDARD.encode(self.custom_text(app, number).await?))
    }

    /// What an account says about itself, as it said it; empty if nothing.
    ///
    /// # Errors
    /// What the store says.
    pub async fn custom_text(&self, app: SdkAppId, number: AccountNumber) -> Result<String> {
        let found = self.context.ephemeral.get(app, &status_key(number)).await?;
        Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default())
    }

    /// Forgets what an account says about itself: it is erased.
    pub(crate) async fn forget(&self, app: SdkAppId, number: AccountNumber) -> Result<()> {
        Ok(self.context.ephemeral.remove(app, &status_key(number)).await?)
    }

    /// Sets what an account says about itself, and tells its instances and its watchers.
    ///
    /// # Errors
    /// `AccountUnknown` if the account was just erased.
    pub async fn set_custom_status(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        account: &AccountFact,
        text: &str,
    ) -> Result<()> {
        let key = status_key(account.number);
        if text.is_empty() {
            self.context.ephemeral.remove(app, &key).await?;
        } else {
            let end = self.context.clock.now().seconds().plus(CUSTOM_STATUS_DAYS * model::time::DAY_SECONDS);
            let stamp = stamps.account_until(account.number, end);
            let value = ports::Stamped::new(stamp, Bytes::copy_from_slice(text.as_bytes()));
            self.context.ephemeral.put(&key, value).await?;
        }
        // Who erases it at this moment forgets the text, or is seen here.
        if still_there(self.records(), app, account.number).await?.is_none() {
            self.forget(app, account.number).await?;
            return Err(ErrorCode::AccountUnknown.into());
        }
        let custom = STANDARD.encode(text);
        let frame = push::status(&account.user, Status::Online as u8, &custom);
        self.hub.push(app, account.number, &frame, None);
        self.tell_watchers(app, account.number, &frame).await
    }

    /// Tells who watches an account, unless the app has switched user status off.
    async fn tell_watchers(&self, app: SdkAppId, number: AccountNumber, frame: &Bytes) -> Result<()> {
        if self.apps.known(app).is_some_and(|app| !app.settings.user_status) {
            return Ok(());
        }
        let watchers: Vec<WatchFact> =
            indexed_by(self.records(), app, WatchFact::BY_WATCHED, number, WATCHERS_MAX).await?;
        for watch in watchers {
            self.hub.push(app, watch.watcher, frame, None);
        }
        Ok(())
    }

    /// An instance is connected.
    pub(crate) async fn arrived(
        &self,
        app: SdkAppId,
        account: &AccountFact,
        instance: InstanceId,
        connection: &Connection,
    ) -> Result<()> {
        let was_online = !self.routes(app, account.number).await?.is_empty();
        let route = Route { instance, platform: connection.platform, node: self.node };
        self.context.ephemeral.put_route(app, account.number, route).await?;
        if was_online {
            return Ok(());
        }
        let custom = self.custom_status(app, account.number).await?;
        let frame = push::status(&account.user, Status::Online as u8, &custom);
        self.tell_watchers(app, account.number, &frame).await
    }

    /// An instance is no longer connected, unless another connection of the same instance is.
    pub(crate) async fn left(
        &self,
        app: SdkAppId,
        account: &AccountFact,
        instance: InstanceId,
        now: Status,
    ) -> Result<()> {
        let still_there = self
            .hub
            .of_account(app, account.number)
            .iter()
            .any(|connection| connection.session().is_some_and(|session| session.instance == instance));
        if still_there {
            return Ok(());
        }
        self.context.ephemeral.remove_route(app, account.number, instance, self.node).await?;
        if !self.routes(app, account.number).await?.is_empty() {
            return Ok(());
        }
        let custom = self.custom_status(app, account.number).await?;
        let frame = push::status(&account.user, now as u8, &custom);
        self.tell_watchers(app, account.number, &frame).await
    }

    /// Watches accounts from now on; the oldest entries do not give way.
    ///
    /// # Errors
    /// `TooManyAccounts` if it would watch too many, `AccountUnknown` if one of the accounts was just erased.
    pub async fn watch(
        &self,
        stamps: Stamps,
        app: SdkAppId,
        watcher: AccountNumber,
        accounts: &[Arc<AccountFact>],
    ) -> Result<()> {
        let mut watched: Vec<AccountNumber> =
            owned_by::<WatchFact>(self.records(), app, watcher, WATCHED_MAX + 1)
                .await?
                .into_iter()
                .map(|fact| fact.watched)
                .collect();
        let mut new: Vec<AccountNumber> = accounts.iter().map(|account| account.number).collect();
        new.sort_unstable();
        new.dedup();
        new.retain(|number| !watched.contains(number));
        watched.extend(&new);
        if watched.len() > WATCHED_MAX {
            return Err(ErrorCode::TooManyAccounts
                .because(format!("To_Account: an account watches at most {WATCHED_MAX} others")));
        }
        let stamp = stamps.account(watcher);
        let concerned: Vec<AccountNumber> = new.iter().copied().chain([watcher]).collect();
        let writes = new.into_iter().map(|watched| put(stamp, &WatchFact { watcher, watched }));
        let writes = writes.collect::<Result<Vec<_>>>()?;
        write_all_for(self.records(), app, (&concerned, ErrorCode::AccountUnknown), writes).await
    }

    /// Watches these no longer; everybody, if `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn unwatch(
        &self,
        app: SdkAppId,
        watcher: AccountNumber,
        accounts: Option<&[AccountNumber]>,
    ) -> Result<()> {
        let keys: Vec<Vec<u8>> = match accounts {
            Some(accounts) => accounts.iter().map(|account| WatchFact::key_of(watcher, *account)).collect(),
            None => {
                let all = owned_by::<WatchFact>(self.records(), app, watcher, WATCHED_MAX + 1).await?;
                all.iter().map(Record::key).collect()
            }
        };
        write(self.records(), app, keys.into_iter().map(remove::<WatchFact>).collect()).await
    }
}
