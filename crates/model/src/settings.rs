//! Settings of an app: allowed values, defaults, and how they are read and written by name.
//!
//! Source of values and defaults: page 1047/34419. Whimbrel sells no editions, so every ability is on.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{ErrorCode, Result};
use crate::id::{SdkAppId, UserId};
use crate::time::Seconds;
use crate::usersig::SecretKey;

/// How many keys an app may have active at once: two, so that one can be replaced without downtime.
pub const KEYS_MAX: usize = 2;

/// How many administrators an app may have (page 1047/33517).
pub const ADMINISTRATORS_MAX: usize = 10;

/// An app: what it is called, its keys and its settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct App {
    /// Its number.
    pub id: SdkAppId,
    /// The owner's account number at the operator, if given (UIN).
    pub owner: Option<u64>,
    /// When it was created.
    pub created_at: Seconds,
    /// When a setting or key last changed.
    pub updated_at: Seconds,
    /// The active keys, newest last; at most [`KEYS_MAX`].
    pub keys: Vec<SecretKey>,
    /// Its settings.
    pub settings: AppSettings,
    /// When it was terminated, if it was: then it is refused, and erased two months later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminated_at: Option<Seconds>,
}

impl App {
    /// Whether this account administers the app.
    #[must_use]
    pub fn is_administrator(&self, user: &UserId) -> bool {
        self.settings.administrators.contains(user)
    }
}

/// For how many days an app keeps what has a choice: 0 is not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Messages, after their time: 0 to 3650.
    pub message_days: u32,
    /// Profiles, after the last use of their account: 0 to 3650.
    pub profile_days: u32,
}

impl Default for Retention {
    /// What applies where nothing was chosen.
    fn default() -> Self {
        Self { message_days: 7, profile_days: 7 }
    }
}

/// Which devices may be logged in at the same time (page 1047/34419).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginPolicy {
    /// One device of any kind.
    Single,
    /// One native device and the Web.
    Dual,
    /// One mobile device, one desktop and the Web.
    Triple,
    /// One or more of each platform.
    Multi,
}

/// The settings of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppSettings {
    /// What the app is called: 1 to 100 bytes.
    pub name: String,
    /// Who may call over REST: 1 to 10 UserIDs.
    pub administrators: Vec<UserId>,
    /// Which devices may be logged in at the same time.
    pub login_policy: LoginPolicy,
    /// How many Web instances an account may have at once: 1 to 10. The oldest gives way.
    pub web_instances: u32,
    /// How many instances of each other platform: 1 to 3.
    pub native_instances: u32,
    /// How long a user may recall an own message, in seconds: 0 to 604800.
    pub recall_seconds: u32,
    /// Whether a blocked sender is told that the message was sent, instead of error 20007.
    pub blocklist_show_sent: bool,
    /// Whether user status can be asked for and subscribed to; if not, 72001.
    pub user_status: bool,
    /// Ability bits: 1 to 64 characters `0` or `1`, the rightmost is bit 0.
    pub ability_bits: String,
    /// How many recent conversations an account pulls: 100 to 500.
    pub conversations: u32,
    /// Seconds between a client's `wshello` calls, in effect its reconnect interval: 5 to 300.
    pub hello_interval_seconds: u32,
    /// Whether clients send the SDK's telemetry. It is discarded in any case.
    pub telemetry: bool,
    /// Days for which messages are kept: 1 to 3650; 0: not stored. Changed as retention, in two steps.
    pub message_retention_days: u32,
    /// Days for which profiles are kept after their last use: 1 to 3650; 0: not stored. Changed as retention, in two steps.
    pub profile_retention_days: u32,
    /// REST calls per second and command; 0 means the documented number of each command.
    pub rest_calls_per_second: u32,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            name: "app".to_owned(),
            administrators: UserId::new("administrator").into_iter().collect(),
            login_policy: LoginPolicy::Multi,
            web_instances: 10,
            native_instances: 1,
            recall_seconds: 120,
            blocklist_show_sent: false,
            user_status: true,
            ability_bits: "1".repeat(64),
            conversations: 100,
            hello_interval_seconds: 15,
            telemetry: false,
            message_retention_days: Retention::default().message_days,
            profile_retention_days: Retention::default().profile_days,
            rest_calls_per_second: 0,
        }
    }
}

impl AppSettings {
    /// Every setting with its value, in the order of their names.
    #[must_use]
    pub fn values(&self) -> Vec<(String, Value)> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map.into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// How long what has a choice is kept.
    #[must_use]
    pub const fn retention(&self) -> Retention {
        Retention { message_days: self.message_retention_days, profile_days: self.profile_retention_days }
    }

    /// These settings with another retention.
    #[must_use]
    pub fn with_retention(&self, retention: Retention) -> Self {
        Self {
            message_retention_days: retention.message_days,
            profile_retention_days: retention.profile_days,
            ..self.clone()
        }
    }

    /// These settings with one changed, given as text: `recall_seconds`, `300`.
    ///
    /// # Errors
    /// `SettingUnknown` naming the nearest one, or `SettingInvalid` saying what is allowed.
    pub fn with(&self, name: &str, text: &str) -> Result<Self> {
        let mut map: serde_json::Map<String, Value> = self.values().into_iter().collect();
        if name.ends_with("_retention_days") {
            return Err(ErrorCode::SettingInvalid
                .in_field(name, "changed as retention, which says first what it deletes"));
        }
        let Some(slot) = map.get_mut(name) else {
            let known = map.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(
                ErrorCode::SettingUnknown.because(format!("no setting of this name; there are {known}"))
            );
        };
        *slot = match slot {
            Value::String(_) => Value::String(text.to_owned()),
            Value::Array(_) => text.split(',').map(|part| Value::String(part.trim().to_owned())).collect(),
            _ => serde_json::from_str(text)
                .map_err(|_| ErrorCode::SettingInvalid.in_field(name, "not a number, true or false"))?,
        };
        let changed: Self = serde_json::from_value(Value::Object(map))
            .map_err(|error| ErrorCode::SettingInvalid.in_field(name, error))?;
        changed.check()?;
        Ok(changed)
    }

    /// Checks all settings together.
    ///
    /// # Errors
    /// `SettingInvalid`, naming the setting and what is allowed.
    pub fn check(&self) -> Result<()> {
        let within = |name: &str, value: u32, least: u32, most: u32| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(ErrorCode::SettingInvalid.in_field(name, format!("{least} to {most}")))
            }
        };
        within("name (bytes)", u32::try_from(self.name.len()).unwrap_or(u32::MAX), 1, 100)?;
        let administrators = u32::try_from(self.administrators.len()).unwrap_or(u32::MAX);
        within("administrators (how many)", administrators, 1, 10)?;
        within("web_instances", self.web_instances, 1, 10)?;
        within("native_instances", self.native_instances, 1, 3)?;
        within("recall_seconds", self.recall_seconds, 0, 604_800)?;
        within("conversations", self.conversations, 100, 500)?;
        within("hello_interval_seconds", self.hello_interval_seconds, 5, 300)?;
        within("message_retention_days", self.message_retention_days, 0, 3650)?;
        within("profile_retention_days", self.profile_retention_days, 0, 3650)?;
        within("rest_calls_per_second", self.rest_calls_per_second, 0, 1_000_000)?;
        let bits = self.ability_bits.as_bytes();
        if !(1..=64).contains(&bits.len()) || bits.iter().any(|bit| !matches!(bit, b'0' | b'1')) {
            return Err(ErrorCode::SettingInvalid.in_field("ability_bits", "1 to 64 characters 0 or 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_app_starts_as_promised() {
        let settings = AppSettings::default();
        assert!(settings.check().is_ok());
        assert_eq!(settings.web_instances, 10);
        assert_eq!(settings.recall_seconds, 120);
        assert_eq!(settings.ability_bits, "1".repeat(64));
        assert!(settings.user_status && !settings.blocklist_show_sent);
    }

    #[test]
    fn settings_change_by_name_and_only_to_allowed_values() {
        let settings = AppSettings::default();
        assert_eq!(settings.with("recall_seconds", "300").unwrap().recall_seconds, 300);
        assert_eq!(settings.with("login_policy", "dual").unwrap().login_policy, LoginPolicy::Dual);
        assert_eq!(settings.with("administrators", "a, b").unwrap().administrators.len(), 2);
        assert!(settings.with("blocklist_show_sent", "true").unwrap().blocklist_show_sent);
        for (name, text, code) in [
            ("recall", "1", ErrorCode::SettingUnknown),
            ("recall_seconds", "-1", ErrorCode::SettingInvalid),
            ("recall_seconds", "604801", ErrorCode::SettingInvalid),
            ("web_instances", "11", ErrorCode::SettingInvalid),
            ("web_instances", "0", ErrorCode::SettingInvalid),
            ("conversations", "501", ErrorCode::SettingInvalid),
            ("user_status", "yes", ErrorCode::SettingInvalid),
            ("ability_bits", "2", ErrorCode::SettingInvalid),
            ("login_policy", "none", ErrorCode::SettingInvalid),
            ("administrators", "", ErrorCode::SettingInvalid),
            ("name", "", ErrorCode::SettingInvalid),
            ("message_retention_days", "3", ErrorCode::SettingInvalid),
        ] {
            assert_eq!(settings.with(name, text).map_err(|error| error.code), Err(code), "{name}={text}");
        }
    }
}
