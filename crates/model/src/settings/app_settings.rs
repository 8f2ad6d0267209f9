//! The settings of an app by themselves: what there is, what is the default, and how one is changed by its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AfterBlock, AllowType, CustomField, FriendshipCheck, LoginPolicy, Package, Platform, Retention};
use crate::error::{ErrorCode, Result};
use crate::id::UserId;
use crate::profile::STANDARD_TAGS;

/// The settings of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppSettings {
    /// What the app is called: 1 to 100 bytes.
    pub name: String,
    /// A short introduction: up to 400 bytes.
    pub introduction: String,
    /// What kind of app it is: up to 50 bytes.
    pub app_type: String,
    /// What its owner notes about it: up to 1000 bytes.
    pub description: String,
    /// The app's name for itself elsewhere: up to 64 bytes.
    pub app_id: String,
    /// The owner's APPID; 0: none.
    pub owner_app_id: u64,
    /// What the app may use.
    pub package: Package,
    /// Whether the app is refused for the time being.
    pub suspended: bool,
    /// Labels for the operator: up to 100, 1 to 50 bytes each.
    pub tags: Vec<String>,
    /// The standard profile fields that the app stores.
    pub profile_tags: Vec<String>,
    /// Own fields of profiles: up to 20.
    pub custom_user_fields: Vec<CustomField>,
    /// Own fields of friends: up to 20.
    pub custom_friend_fields: Vec<CustomField>,
    /// Who may call over REST: 1 to 10 UserIDs.
    pub administrators: Vec<UserId>,
    /// Which devices may be logged in at the same time.
    pub login_policy: LoginPolicy,
    /// How many Web instances an account may have at once: 1 to 10. The oldest gives way.
    pub web_instances: u32,
    /// How many instances of each other platform: 1 to 3.
    pub native_instances: u32,
    /// How many of single platforms instead: 1 to 3 each.
    pub platform_instances: BTreeMap<Platform, u32>,
    /// Whether accounts must be friends to write to each other; if they must and are not, 20009 to 20011.
    pub friendship_check: FriendshipCheck,
    /// Whether the block list keeps messages away.
    pub block_list_check: bool,
    /// How long a user may recall an own message, in seconds: 0 to 604800.
    pub recall_seconds: u32,
    /// Whether a blocked sender is told that the message was sent, instead of error 20007.
    pub blocklist_show_sent: bool,
    /// Whether an account's other instances are told that one of them deleted a conversation.
    pub sync_conversation_deletion: bool,
    /// What blocking a friend does to the friendship.
    pub friendship_after_block: AfterBlock,
    /// What an account that never said so itself does with requests for friendship.
    pub default_allow_type: AllowType,
    /// How many friends an account may have: 1 to 10000.
    pub friends_max: u32,
    /// Whether accounts may follow one another; if not, 30005.
    pub follow: bool,
    /// Whether accounts may search messages and accounts; if not, 60020, and no index of messages is kept.
    pub cloud_search: bool,
    /// Whether user status can be asked for and subscribed to; if not, 72001.
    pub user_status: bool,
    /// Whether an account can say when it does not want to be disturbed by any message; if not, 72011.
    pub global_do_not_disturb: bool,
    /// Ability bits: 1 to 64 characters `0` or `1`, the rightmost is bit 0.
    pub ability_bits: String,
    /// How many recent conversations an account pulls: 100 to 3000.
    pub conversations: u32,
    /// Seconds between a client's `wshello` calls, in effect its reconnect interval: 5 to 300.
    pub hello_interval_seconds: u32,
    /// Whether clients send the SDK's telemetry. It is discarded in any case.
    pub telemetry: bool,
    /// Days for which messages are kept: 1 to 3650; 0: not stored. Changed as retention, in two steps.
    pub message_retention_days: u32,
    /// Days for which profiles are kept after their last use: 1 to 3650; 0: not stored. Changed as retention, in two steps.
    pub profile_retention_days: u32,
    /// Who decides about the data of the app's users: up to 200 bytes.
    pub controller_name: String,
    /// How to reach them: up to 200 bytes.
    pub controller_contact: String,
    /// Why the law allows each class of data: `CLASS:BASIS`, up to 20.
    pub legal_bases: Vec<String>,
    /// REST calls per second and command; 0 means the documented number of each command.
    pub rest_calls_per_second: u32,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            name: "app".to_owned(),
            introduction: String::new(),
            app_type: String::new(),
            description: String::new(),
            app_id: String::new(),
            owner_app_id: 0,
            package: Package::Unlimited,
            suspended: false,
            tags: Vec::new(),
            profile_tags: STANDARD_TAGS.map(str::to_owned).to_vec(),
            custom_user_fields: Vec::new(),
            custom_friend_fields: Vec::new(),
            administrators: UserId::new("administrator").into_iter().collect(),
            login_policy: LoginPolicy::Multi,
            web_instances: 10,
            native_instances: 1,
            platform_instances: BTreeMap::new(),
            friendship_check: FriendshipCheck::Off,
            block_list_check: true,
            recall_seconds: 120,
            blocklist_show_sent: false,
            sync_conversation_deletion: true,
            friendship_after_block: AfterBlock::Remove,
            default_allow_type: AllowType::AllowAny,
            friends_max: 3000,
            follow: true,
            cloud_search: true,
            user_status: true,
            global_do_not_disturb: true,
            ability_bits: "1".repeat(64),
            conversations: 100,
            hello_interval_seconds: 15,
            telemetry: false,
            message_retention_days: Retention::default().message_days,
            profile_retention_days: Retention::default().profile_days,
            controller_name: String::new(),
            controller_contact: String::new(),
            legal_bases: Vec::new(),
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

    /// The most friends of an account, by setting and package.
    #[must_use]
    pub fn friends_allowed(&self) -> u32 {
        self.package.friends_max().unwrap_or(u32::MAX).min(self.friends_max)
    }

    /// The most recent conversations of an account, by setting and package.
    #[must_use]
    pub fn conversations_allowed(&self) -> u32 {
        self.package.conversations_max().unwrap_or(u32::MAX).min(self.conversations)
    }

    /// What clients may do, by setting and package.
    #[must_use]
    pub fn abilities(&self) -> String {
        self.package.abilities(&self.ability_bits)
    }

    /// The most instances of a native platform, by its number on the wire.
    #[must_use]
    pub fn instances_of(&self, platform: u16) -> u32 {
        let own = Platform::of(platform).and_then(|platform| self.platform_instances.get(&platform));
        own.copied().unwrap_or(self.native_instances)
    }

    /// These settings with one changed, given as text: `recall_seconds`, `300`.
    ///
    /// # Errors
    /// As [`Self::with_value`].
    pub fn with(&self, name: &str, text: &str) -> Result<Self> {
        self.with_value(name, self.read(name, text)?)
    }

    /// The value of a setting that is given as text. Whether it is allowed is another question.
    ///
    /// # Errors
    /// `SettingInvalid` for what is not of the setting's kind.
    pub fn read(&self, name: &str, text: &str) -> Result<Value> {
        let former = self.values().into_iter().find(|(known, _)| known == name);
        let parts = || text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Ok(match former {
            Some((_, Value::Array(_))) => parts().map(|part| Value::String(part.to_owned())).collect(),
            Some((_, Value::Object(_))) => Value::Object(parts().map(pair).collect::<Result<_>>()?),
            Some((_, Value::String(_))) | None => Value::String(text.to_owned()),
            Some(_) => serde_json::from_str(text)
                .map_err(|_| ErrorCode::SettingInvalid.in_field(name, "not a number, true or false"))?,
        })
    }

    /// These settings with one changed.
    ///
    /// # Errors
    /// `SettingUnknown` naming those that there are, or `SettingInvalid` saying what is allowed.
    pub fn with_value(&self, name: &str, value: Value) -> Result<Self> {
        let changed = self.with_unchecked(name, value)?;
        changed.check()?;
        Ok(changed)
    }

    /// These settings with several changed, checked together.
    ///
    /// # Errors
    /// As [`Self::with_value`].
    pub fn with_all(&self, values: impl IntoIterator<Item = (String, Value)>) -> Result<Self> {
        let mut changed = self.clone();
        for (name, value) in values {
            changed = changed.with_unchecked(&name, value)?;
        }
        changed.check()?;
        Ok(changed)
    }

    fn with_unchecked(&self, name: &str, value: Value) -> Result<Self> {
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
        *slot = value;
        serde_json::from_value(Value::Object(map))
            .map_err(|error| ErrorCode::SettingInvalid.in_field(name, error))
    }
}

/// A name and a number, written `android:2`.
fn pair(text: &str) -> Result<(String, Value)> {
    let wrong = || ErrorCode::SettingInvalid.because(format!("{text}: written NAME:NUMBER"));
    let (name, number) = text.split_once(':').ok_or_else(wrong)?;
    Ok((name.to_owned(), Value::from(number.parse::<u64>().map_err(|_| wrong())?)))
}
