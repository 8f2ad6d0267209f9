//! What the settings of an app mean; names and defaults come from `AppSettings` itself.

/// A setting in words.
pub(super) struct Setting {
    /// Its name in `whimbrel app set`.
    pub(super) name: &'static str,
    /// What it may be.
    pub(super) allowed: &'static str,
    /// What it means.
    pub(super) meaning: &'static str,
}

const fn setting(name: &'static str, allowed: &'static str, meaning: &'static str) -> Setting {
    Setting { name, allowed, meaning }
}

/// Every setting, in the order in which one reads about them.
pub(super) const SETTINGS: &[Setting] = &[
    setting("name", "1 to 100 bytes", "What the app is called."),
    setting("introduction", "up to 400 bytes", "A short introduction. Noted only."),
    setting("app_type", "up to 50 bytes", "What kind of app it is. Noted only."),
    setting("description", "up to 1000 bytes", "What its owner notes about it. Noted only."),
    setting("app_id", "up to 64 bytes", "The app's name for itself elsewhere. Noted only."),
    setting("owner_app_id", "a number", "The owner's APPID; 0: none. Noted only."),
    setting(
        "package",
        "trial, standard, pro, pro_plus, enterprise or unlimited",
        "What the app may use. trial: 100 accounts (error 70398), 20 friends, 100 recent conversations; standard: 100 recent \
         conversations and no paid abilities in clients; the others: everything. Set by the operator only.",
    ),
    setting(
        "suspended",
        "true or false",
        "Whether the app is refused for the time being (error 60016). Nothing is deleted for it. Set by the operator only.",
    ),
    setting("tags", "up to 100 labels of 1 to 50 bytes, separated by commas", "Labels for the operator."),
    setting(
        "profile_tags",
        "standard fields, separated by commas",
        "The standard profile fields that the app stores. Others are refused (error 40009), not imported, and what is stored of \
         them is shown no more.",
    ),
    setting(
        "custom_user_fields",
        "up to 20 of NAME:TYPE or NAME:TYPE:READERS:WRITERS, separated by commas",
        "Own fields of profiles (`Tag_Profile_Custom_NAME`): 1 to 8 letters; integer, string or bytes; rights of owner, friend, \
         stranger and administrator, joined by +. Without rights everybody reads, owner and administrator write. A field keeps its \
         type. It may be removed, since nobody is billed by fields here: what is stored in it is hidden until it is declared again.",
    ),
    setting(
        "custom_friend_fields",
        "up to 20, written like custom_user_fields",
        "Own fields of friends (`Tag_SNS_Custom_NAME`), read and written by owner, administrator or both. There are no \
         arrays of strings: the documents name the type and no form of it on the wire.",
    ),
    setting("administrators", "1 to 10 UserIDs, separated by commas", "Who may call over REST."),
    setting(
        "login_policy",
        "single, dual, triple or multi",
        "Which devices may be logged in at the same time: one of any kind; one native device and the Web; one mobile \
         device, one desktop and the Web; one or more of each platform.",
    ),
    setting(
        "web_instances",
        "1 to 10",
        "How many Web instances an account may have at once. The oldest gives way.",
    ),
    setting(
        "native_instances",
        "1 to 3",
        "How many instances of each other platform an account may have at once, if `login_policy` is multi.",
    ),
    setting(
        "platform_instances",
        "PLATFORM:NUMBER, separated by commas; 1 to 3 of android, iphone, ipad, windows, macos, linux",
        "How many instances of single platforms instead of `native_instances`.",
    ),
    setting(
        "friendship_check",
        "off, either or both",
        "Whether accounts must be friends to write to each other: one has the other on its list, or both have. If not: errors \
         20009 to 20011.",
    ),
    setting("block_list_check", "true or false", "Whether the block list keeps messages away."),
    setting("recall_seconds", "0 to 604800", "How long a user may recall an own message."),
    setting(
        "blocklist_show_sent",
        "true or false",
        "Whether a blocked sender is told that the message was sent, instead of error 20007.",
    ),
    setting(
        "sync_conversation_deletion",
        "true or false",
        "Whether an account's other instances are told that one of them deleted a conversation; if not, they see it at their \
         next login. They are always told of a deletion by the back end.",
    ),
    setting(
        "friendship_after_block",
        "remove or keep",
        "What blocking a friend does to the friendship, on both sides.",
    ),
    setting(
        "default_allow_type",
        "allow_any, need_confirm or deny_any",
        "What an account that never said so itself does with requests for friendship.",
    ),
    setting("friends_max", "1 to 10000", "How many friends an account may have."),
    setting("follow", "true or false", "Whether accounts may follow one another; if not, error 30005."),
    setting(
        "cloud_search",
        "true or false",
        "Whether accounts may search messages and accounts; if not, error 60020, and no index of messages is kept.",
    ),
    setting(
        "user_status",
        "true or false",
        "Whether user status can be asked for and subscribed to; if not, error 72001.",
    ),
    setting(
        "global_do_not_disturb",
        "true or false",
        "Whether an account can say when it does not want to be disturbed by any message; if not, error 72011.",
    ),
    setting(
        "ability_bits",
        "1 to 64 characters 0 or 1",
        "What clients offer their users. The rightmost character is bit 0. Clients obey it; commands do not ask for it.",
    ),
    setting("conversations", "100 to 3000", "How many recent conversations an account pulls."),
    setting(
        "hello_interval_seconds",
        "5 to 300",
        "How long a client waits between hellos, in effect its reconnect interval.",
    ),
    setting(
        "telemetry",
        "true or false",
        "Whether clients send the SDK's telemetry. It is discarded in any case.",
    ),
    setting(
        "message_retention_days",
        "0 to 3650",
        "For how long messages are kept; 0: not stored. Set by `app create` and `app retention`.",
    ),
    setting(
        "profile_retention_days",
        "0 to 3650",
        "For how long profiles are kept after their last use; 0: not stored. Set by `app create` and `app retention`.",
    ),
    setting(
        "controller_name",
        "up to 200 bytes",
        "Who decides about the data of the app's users: the first line of an export says it, or the app's name if this is empty.",
    ),
    setting("controller_contact", "up to 200 bytes", "How to reach them, said by an export too."),
    setting(
        "legal_bases",
        "up to 20 of CLASS:BASIS, separated by commas",
        "Why the law allows each class of data (message, profile, account, log, monitoring, configuration): consent, contract, \
         legal_obligation, vital_interests, public_task or legitimate_interests. Said by an export too.",
    ),
    setting(
        "rest_calls_per_second",
        "0 to 1000000",
        "How often each command may be called over REST; 0 means the documented number of each.",
    ),
];

/// Settings of the documented service that are not here: what, with its numbers, and why.
pub(super) const ABSENT: &[[&str; 3]] = &[
    [
        "addresses from which REST may be called",
        "60021",
        "a firewall or reverse proxy before the server does it for every path",
    ],
    [
        "whether accounts may be deleted, and a lock of their names",
        "71000, 70399",
        "everybody's data can be erased at any time; a name that is taken again gets another number",
    ],
    [
        "subscription to changes of profiles",
        "72012",
        "friends and those who talk to an account are told always; there is no command to subscribe by",
    ],
    [
        "extensions and reactions of messages, translation, speech to text, search",
        "",
        "the first two are always on, clients ask `ability_bits`; the others are not here",
    ],
    [
        "quotas of trial apps: senders, REST calls in a day, users in a day and in a month",
        "22007, 60028, 72000, 72002",
        "nothing is sold; `package` sets the limits that change what an account sees",
    ],
    [
        "how often one account logs in, logs out or sets its push options",
        "72010",
        "frames and connections have limits of their own: see `[limits]`",
    ],
    [
        "REST calls a second of single commands",
        "",
        "each has its documented number; `rest_calls_per_second` replaces all of them at once",
    ],
    [
        "instances of each platform under the policies dual and triple",
        "",
        "one each, as documented; `web_instances` counts under every policy but single",
    ],
];

#[cfg(test)]
mod tests {
    use model::settings::AppSettings;

    use model::settings::Retention;

    use super::*;

    #[test]
    fn every_setting_is_described_and_nothing_else() {
        let mut described: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        described.sort_unstable();
        let values = AppSettings::default().values();
        let mut known: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        known.sort_unstable();
        assert_eq!(described, known);
    }

    #[test]
    fn the_limits_that_are_told_are_those_that_are_checked() {
        let settings = AppSettings::default();
        let mut numbers = 0;
        for row in SETTINGS {
            let bounds = row.allowed.split_once(" to ");
            let Some((least, most)) = bounds
                .and_then(|(least, most)| Some((least.parse::<u64>().ok()?, most.parse::<u64>().ok()?)))
            else {
                continue;
            };
            numbers += 1;
            for (value, is_good) in [(least, true), (most, true), (most + 1, false)] {
                let days = u32::try_from(value).unwrap();
                let Retention { message_days, profile_days } = settings.retention();
                // These two are changed by their own way, in two steps.
                let retention = match row.name {
                    "message_retention_days" => Some(Retention { message_days: days, profile_days }),
                    "profile_retention_days" => Some(Retention { message_days, profile_days: days }),
                    _ => None,
                };
                let changed = match retention {
                    Some(retention) => settings.with_retention(retention).check(),
                    None => settings.with(row.name, &value.to_string()).map(drop),
                };
                assert_eq!(changed.is_ok(), is_good, "{}={value}", row.name);
            }
            if let Some(below) = least.checked_sub(1) {
                assert!(settings.with(row.name, &below.to_string()).is_err(), "{}", row.name);
            }
        }
        assert_eq!(numbers, 9);
    }
}
