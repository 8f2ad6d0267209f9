//! Apps: created, changed, found.

use std::sync::Arc;

use model::settings::{App, KEYS_MAX, Retention};
use model::usersig::SecretKey;
use model::{AppSettings, ErrorCode, Result, SdkAppId, Seconds};
use parking_lot::RwLock;
use ports::records::{Range, find};
use ports::{Record, Records};
use promise::Stamps;

use crate::Engine;
use crate::context::Context;
use crate::facts::AppFact;
use crate::store::{TRIES_MAX, put, unchanged, write_if};
use crate::termination::TombstoneFact;

/// How many apps an installation may have.
pub const APPS_MAX: usize = 10_000;

/// How many erased apps are looked at when a number is given out.
const TOMBSTONES_MAX: usize = 100_000;

const KEY_BYTES: usize = 32;

/// Every app, in memory: settings change through here and are effective at once.
pub struct Apps {
    context: Context,
    /// Held by who changes an app, from before it is read until it is remembered.
    changing: tokio::sync::Mutex<()>,
    cache: RwLock<hashbrown::HashMap<SdkAppId, Arc<App>>>,
}

impl Apps {
    pub(crate) fn new(context: Context) -> Self {
        Self { context, changing: tokio::sync::Mutex::default(), cache: RwLock::default() }
    }

    fn records(&self) -> &dyn Records {
        self.context.records.as_ref()
    }

    /// The app with this number.
    ///
    /// # Errors
    /// What the store says.
    pub async fn find(&self, id: SdkAppId) -> Result<Option<Arc<App>>> {
        if let Some(app) = self.cache.read().get(&id) {
            return Ok(Some(Arc::clone(app)));
        }
        let found = find::<AppFact>(self.records(), SdkAppId::INSTALLATION, &AppFact::key_of(id)).await?;
        let Some((fact, _)) = found else { return Ok(None) };
        // Who changed it meanwhile remembered what is newer.
        Ok(Some(Arc::clone(self.cache.write().entry(id).or_insert_with(|| Arc::new(fact.0)))))
    }

    /// Whether this app was found before.
    #[must_use]
    pub fn knows(&self, id: SdkAppId) -> bool {
        self.cache.read().contains_key(&id)
    }

    /// The app, if it was found before.
    pub(crate) fn known(&self, id: SdkAppId) -> Option<Arc<App>> {
        self.cache.read().get(&id).cloned()
    }

    /// Waits until nobody else changes an app.
    pub(crate) async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    pub(crate) fn remember(&self, app: App) -> Arc<App> {
        let app = Arc::new(app);
        self.cache.write().insert(app.id, Arc::clone(&app));
        app
    }

    /// Every app, in the order of the numbers.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self) -> Result<Vec<App>> {
        let range =
            Range { kind: AppFact::KIND, index: None, prefix: Vec::new(), after: None, limit: APPS_MAX };
        let found = self.records().scan(SdkAppId::INSTALLATION, range).await?;
        found.iter().map(|record| Ok(record.decode::<AppFact>()?.0)).collect()
    }

    /// Creates an app with a key of its own.
    ///
    /// # Errors
    /// `SettingInvalid` for a bad name or a bad retention.
    pub async fn create(&self, name: &str, owner: Option<u64>, retention: Retention) -> Result<Arc<App>> {
        let settings = AppSettings { name: name.to_owned(), ..AppSettings::default() };
        let settings = settings.with_retention(retention);
        settings.check()?;
        for _ in 0..TRIES_MAX {
            let newest = self.list().await?.last().map(|app| app.id);
            let mut id = newest.map_or(SdkAppId::FIRST, |newest| SdkAppId(newest.0 + 1));
            let tombstones = self.tombstones().await?;
            while Engine::was_erased(&tombstones, id) {
                id = SdkAppId(id.0 + 1);
            }
            let now = self.context.clock.now().seconds();
            let keys = vec![self.new_key()];
            let app = App {
                id,
                owner,
                created_at: now,
                updated_at: now,
                keys,
                settings: settings.clone(),
                terminated_at: None,
                version: 0,
            };
            if self.store(&app, None).await? {
                return Ok(self.remember(app));
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    /// Changes the retention. What is stored is the caller's business.
    pub(crate) async fn set_retention(&self, id: SdkAppId, retention: Retention) -> Result<Arc<App>> {
        self.change(id, |app| {
            app.settings = app.settings.with_retention(retention);
            Ok(())
        })
        .await
    }

    /// Changes when it was terminated.
    pub(crate) async fn set_termination(
        &self,
        id: SdkAppId,
        change: impl Fn(Option<Seconds>) -> Option<Seconds>,
    ) -> Result<Arc<App>> {
        self.change(id, |app| {
            app.terminated_at = change(app.terminated_at);
            Ok(())
        })
        .await
    }

    /// Forgets an app that is no more.
    pub(crate) fn forget(&self, id: SdkAppId) {
        self.cache.write().remove(&id);
    }

    /// What is left of the apps that were erased.
    pub(crate) async fn tombstones(&self) -> Result<Vec<TombstoneFact>> {
        let kind = TombstoneFact::KIND;
        let range = Range { kind, index: None, prefix: Vec::new(), after: None, limit: TOMBSTONES_MAX };
        let found = self.records().scan(SdkAppId::INSTALLATION, range).await?;
        Ok(found.iter().map(ports::records::Found::decode).collect::<std::result::Result<_, _>>()?)
    }

    /// Adds a key; with two active, the oldest is retired.
    ///
    /// # Errors
    /// `NoSuchApp`.
    pub async fn add_key(&self, id: SdkAppId) -> Result<Arc<App>> {
        let key = self.new_key();
        self.change(id, |app| {
            app.keys.push(key.clone());
            if app.keys.len() > KEYS_MAX {
                app.keys.remove(0);
            }
            Ok(())
        })
        .await
    }

    /// Retires every key but the newest.
    ///
    /// # Errors
    /// `NoSuchApp`.
    pub async fn retire_old_keys(&self, id: SdkAppId) -> Result<Arc<App>> {
        self.change(id, |app| {
            app.keys.drain(..app.keys.len().saturating_sub(1));
            Ok(())
        })
        .await
    }

    async fn change(&self, id: SdkAppId, change: impl Fn(&mut App) -> Result<()>) -> Result<Arc<App>> {
        let _changing = self.changing().await;
        for _ in 0..TRIES_MAX {
            let key = AppFact::key_of(id);
            let found = find::<AppFact>(self.records(), SdkAppId::INSTALLATION, &key).await?;
            let Some((AppFact(mut app), version)) = found else {
                return Err(ErrorCode::NoSuchApp.into());
            };
            change(&mut app)?;
            app.settings.check()?;
            app.updated_at = self.context.clock.now().seconds();
            if self.store(&app, Some(version)).await? {
                return Ok(self.remember(app));
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    async fn store(&self, app: &App, version: Option<u64>) -> Result<bool> {
        let fact = AppFact(app.clone());
        let condition = unchanged::<AppFact>(fact.key(), version);
        let stamp = Stamps::configuration(SdkAppId::INSTALLATION);
        write_if(self.records(), SdkAppId::INSTALLATION, vec![condition], vec![put(stamp, &fact)?]).await
    }

    fn new_key(&self) -> SecretKey {
        let mut bytes = [0; KEY_BYTES];
        self.context.random.fill(&mut bytes);
        SecretKey::new(hex(&bytes))
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
