//! Settings of an app: allowed values, defaults, and how they are read and written by name.
//!
//! Source of values and defaults: page 1047/34419. Whimbrel sells no editions, so every ability is on.

mod app_settings;
mod check;
mod field;
mod package;

use serde::{Deserialize, Serialize};

use crate::id::{SdkAppId, UserId};
use crate::time::Seconds;
use crate::usersig::SecretKey;

pub use app_settings::AppSettings;
pub use field::{CustomField, FieldType, NAME_LETTERS_MAX, Rights};
pub use package::Package;

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
    /// How often its settings were changed.
    #[serde(default)]
    pub version: u64,
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

    /// Whether and why it is served or not.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self.terminated_at {
            Some(_) => Status::Terminated,
            None if self.settings.suspended => Status::Suspended,
            None => Status::Active,
        }
    }
}

/// Whether an app is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is.
    Active,
    /// It is not, until its operator says otherwise. Nothing is deleted for it.
    Suspended,
    /// It is not, and will be erased.
    Terminated,
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

/// Whether accounts must be friends to write to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FriendshipCheck {
    /// They need not.
    Off,
    /// One of the two has the other on its list.
    Either,
    /// Both have.
    Both,
}

/// What an account that never said so itself does with requests for friendship.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowType {
    /// Everybody becomes a friend at once.
    AllowAny,
    /// It is asked.
    NeedConfirm,
    /// Nobody becomes one.
    DenyAny,
}

/// What blocking a friend does to the friendship.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterBlock {
    /// It ends.
    Remove,
    /// It stays.
    Keep,
}

/// A native platform whose instances can be limited by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Android.
    Android,
    /// iPhone.
    Iphone,
    /// iPad.
    Ipad,
    /// Windows.
    Windows,
    /// macOS.
    Macos,
    /// Linux.
    Linux,
}

impl Platform {
    /// The platform of a number on the wire, if it is one of these.
    #[must_use]
    pub const fn of(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Windows),
            2 => Some(Self::Android),
            3 => Some(Self::Iphone),
            4 => Some(Self::Macos),
            5 => Some(Self::Linux),
            9 => Some(Self::Ipad),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use serde_json::Value;

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
        let changed = settings.with("platform_instances", "android:2,ipad:3").unwrap();
        let instances = [1, 2, 9].map(|platform| changed.instances_of(platform));
        assert_eq!(instances, [1, 2, 3]);
        assert_eq!(
            settings.with("custom_user_fields", "Test:string,Num:integer").unwrap().custom_user_fields.len(),
            2
        );
        assert!(settings.with("profile_tags", "").unwrap().profile_tags.is_empty());
        let several =
            [("package", "trial"), ("name", "try")].map(|(name, text)| (name.to_owned(), Value::from(text)));
        let trial = settings.with_all(several).unwrap();
        assert_eq!((trial.friends_allowed(), trial.conversations_allowed()), (20, 100));
        for (name, text, code) in [
            ("recall", "1", ErrorCode::SettingUnknown),
            ("recall_seconds", "-1", ErrorCode::SettingInvalid),
            ("recall_seconds", "604801", ErrorCode::SettingInvalid),
            ("web_instances", "11", ErrorCode::SettingInvalid),
            ("web_instances", "0", ErrorCode::SettingInvalid),
            ("conversations", "3001", ErrorCode::SettingInvalid),
            ("user_status", "yes", ErrorCode::SettingInvalid),
            ("ability_bits", "2", ErrorCode::SettingInvalid),
            ("login_policy", "none", ErrorCode::SettingInvalid),
            ("administrators", "", ErrorCode::SettingInvalid),
            ("name", "", ErrorCode::SettingInvalid),
            ("message_retention_days", "3", ErrorCode::SettingInvalid),
            ("platform_instances", "ipad:4", ErrorCode::SettingInvalid),
            ("platform_instances", "beos:1", ErrorCode::SettingInvalid),
            ("platform_instances", "ipad", ErrorCode::SettingInvalid),
            ("profile_tags", "Tag_Profile_IM_Shoe", ErrorCode::SettingInvalid),
            ("tags", "a,a", ErrorCode::SettingInvalid),
            ("legal_bases", "message:love", ErrorCode::SettingInvalid),
            ("custom_user_fields", "Test:string,Test:integer", ErrorCode::SettingInvalid),
            ("custom_user_fields", "Tooolongg:string", ErrorCode::SettingInvalid),
            ("custom_friend_fields", "Test:string:friend:owner", ErrorCode::SettingInvalid),
            ("friends_max", "0", ErrorCode::SettingInvalid),
            ("package", "gold", ErrorCode::SettingInvalid),
        ] {
            assert_eq!(settings.with(name, text).map_err(|error| error.code), Err(code), "{name}={text}");
        }
    }
}
