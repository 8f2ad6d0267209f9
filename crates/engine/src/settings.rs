//! Changes of an app's settings: checked together, written down with who and when, told to who is connected.

use std::sync::Arc;

use model::settings::App;
use model::{AppSettings, DataClass, ErrorCode, Result, SdkAppId, Seconds, Subject};
use ports::records::{Range, find};
use ports::{Kind, Record};
use promise::Stamps;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::facts::AppFact;
use crate::store::{TRIES_MAX, put, remove, unchanged, write, write_if};
use crate::{Engine, push};

/// Changes that are remembered of an app, the newest ones.
pub const CHANGES_MAX: usize = 1000;

/// Settings that change in one request.
pub const CHANGED_MAX: usize = 100;

/// Records removed at once.
const AT_ONCE: usize = 1000;

/// What only the operator changes: an administrator of the app does not give itself more, nor lock itself out.
const OF_OPERATOR: [&str; 3] = ["package", "suspended", "rest_calls_per_second"];

/// Who the command line is.
pub const OPERATOR: &str = "operator";

/// One setting that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Which.
    pub name: String,
    /// What it was.
    pub from: Value,
    /// What it is.
    pub to: Value,
}

/// A change of settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsFact {
    /// Of which app.
    pub app: SdkAppId,
    /// The version that came of it, from 1.
    pub version: u64,
    /// When.
    pub at: Seconds,
    /// By whom: an administrator's UserID, or [`OPERATOR`].
    pub by: String,
    /// What was changed.
    pub changed: Vec<Changed>,
}

impl SettingsFact {
    fn key_of(app: SdkAppId, version: u64) -> Vec<u8> {
        // The newest first.
        [&app.0.to_be_bytes()[..], &(u64::MAX - version).to_be_bytes()].concat()
    }
}

impl Record for SettingsFact {
    const KIND: Kind = Kind { id: 22, name: "changed settings", class: DataClass::Configuration };

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.app, self.version)
    }

    fn subject(&self) -> Subject {
        Subject::Nobody
    }
}

/// Who changes settings, and from which version on.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// An administrator's UserID, or [`OPERATOR`].
    pub by: &'a str,
    /// The version that is changed, if it matters.
    pub expected: Option<u64>,
}

impl Author<'_> {
    /// The command line.
    pub const OPERATOR: Self = Self { by: OPERATOR, expected: None };
}

impl Engine {
    /// Changes settings: all of them or, if one is wrong or they do not go together, none. Connected clients are told what
    /// concerns them; everything else asks for the settings with each call.
    ///
    /// # Errors
    /// `NoSuchApp`, `SettingUnknown`, `SettingInvalid`, also for what only the operator changes; `SettingsChanged` if another
    /// version is in effect than was expected.
    pub async fn change_settings(
        &self,
        id: SdkAppId,
        author: Author<'_>,
        values: &[(String, Value)],
    ) -> Result<Arc<App>> {
        if values.is_empty() || values.len() > CHANGED_MAX {
            return Err(ErrorCode::SettingInvalid.because(format!("1 to {CHANGED_MAX} settings at once")));
        }
        if author.by != OPERATOR
            && let Some((name, _)) = values.iter().find(|(name, _)| OF_OPERATOR.contains(&name.as_str()))
        {
            return Err(ErrorCode::SettingInvalid.in_field(name, "only the operator changes it"));
        }
        let _changing = self.apps.changing().await;
        let before = self.apps.find(id).await?.ok_or(ErrorCode::NoSuchApp)?;
        let after = self.store_settings(id, author, values).await?;
        self.tell_settings(&before.settings, &after);
        Ok(after)
    }

    async fn store_settings(
        &self,
        id: SdkAppId,
        author: Author<'_>,
        values: &[(String, Value)],
    ) -> Result<Arc<App>> {
        let (records, installation) = (self.context.records.as_ref(), SdkAppId::INSTALLATION);
        for _ in 0..TRIES_MAX {
            let found = find::<AppFact>(records, installation, &AppFact::key_of(id)).await?;
            let (AppFact(mut app), stored) = found.ok_or(ErrorCode::NoSuchApp)?;
            if author.expected.is_some_and(|expected| expected != app.version) {
                return Err(ErrorCode::SettingsChanged
                    .because(format!("ExpectedVersion: version {} is in effect", app.version)));
            }
            let settings = app.settings.with_all(values.iter().cloned())?;
            settings.check_change_from(&app.settings)?;
            let changed = differences(&app.settings, &settings);
            if changed.is_empty() {
                return Ok(self.apps.remember(app));
            }
            let now = self.context.clock.now().seconds();
            app.settings = settings;
            app.version += 1;
            app.updated_at = now;
            let fact =
                SettingsFact { app: id, version: app.version, at: now, by: author.by.to_owned(), changed };
            let stamp = Stamps::configuration(installation);
            let mut writes = vec![put(stamp, &AppFact(app.clone()))?, put(stamp, &fact)?];
            if let Some(old) = app.version.checked_sub(CHANGES_MAX as u64) {
                writes.push(remove::<SettingsFact>(SettingsFact::key_of(id, old)));
            }
            let condition = unchanged::<AppFact>(AppFact::key_of(id), Some(stored));
            if write_if(records, installation, vec![condition], writes).await? {
                return Ok(self.apps.remember(app));
            }
        }
        Err(ErrorCode::AccountInternal.into())
    }

    /// Tells the clients of an app what changed for them.
    fn tell_settings(&self, before: &AppSettings, app: &App) {
        let after = &app.settings;
        if before.abilities() != after.abilities() {
            self.hub.push_to_app(app.id, &push::abilities(&after.abilities()));
        }
        if before.telemetry != after.telemetry {
            self.hub.push_to_app(app.id, &push::client_config(app));
        }
        if before.profile_tags != after.profile_tags || before.custom_user_fields != after.custom_user_fields
        {
            self.profiles.forget_all();
            self.people.forget_app(app.id);
        }
        if before.cloud_search != after.cloud_search {
            self.search.settings_changed();
        }
        if after.suspended {
            self.hub.end_app(app.id);
        }
    }

    /// The changes of an app's settings, the newest first: those before a version, if one is given.
    ///
    /// # Errors
    /// What the store says.
    pub async fn settings_history(
        &self,
        id: SdkAppId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<SettingsFact>> {
        let after = before.map(|version| (Vec::new(), SettingsFact::key_of(id, version)));
        let prefix = id.0.to_be_bytes().to_vec();
        let range = Range { kind: SettingsFact::KIND, index: None, prefix, after, limit };
        let found = self.context.records.scan(SdkAppId::INSTALLATION, range).await?;
        found.iter().map(|record| Ok(record.decode()?)).collect()
    }

    /// Forgets what was changed in an app that is erased.
    pub(crate) async fn forget_settings(&self, id: SdkAppId) -> Result<()> {
        loop {
            let found = self.settings_history(id, None, AT_ONCE).await?;
            if found.is_empty() {
                return Ok(());
            }
            let writes = found.iter().map(|fact| remove::<SettingsFact>(fact.key())).collect();
            write(self.context.records.as_ref(), SdkAppId::INSTALLATION, writes).await?;
        }
    }
}

/// What differs between settings.
fn differences(before: &AppSettings, after: &AppSettings) -> Vec<Changed> {
    let pairs = before.values().into_iter().zip(after.values());
    let pairs = pairs.filter(|((_, from), (_, to))| from != to);
    pairs.map(|((name, from), (_, to))| Changed { name, from, to }).collect()
}
