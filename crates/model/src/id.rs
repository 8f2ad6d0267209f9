//! Identifiers: apps, accounts, conversations, instances, message keys.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// The number of an app (a tenant).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SdkAppId(pub u32);

impl SdkAppId {
    /// Not an app: data of the installation itself (server keys, the list of apps).
    pub const INSTALLATION: Self = Self(0);

    /// The number that the first app gets.
    pub const FIRST: Self = Self(1_400_000_001);
}

impl fmt::Display for SdkAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of an account: 1 to 32 bytes of printable ASCII (0x20 to 0x7e), case-sensitive.
///
/// The length is documented for `account_import`; the alphabet is that of the SDK's error table (7003).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The longest name in bytes.
    pub const LENGTH_MAX: usize = 32;

    /// What the names of robots begin with, and no others (page 1047/55281).
    pub const ROBOT_PREFIX: &str = "@RBT#";

    /// The name, if it is one.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn new(text: &str) -> Result<Self, InvalidUserId> {
        if text.is_empty() {
            return Err(InvalidUserId::Empty);
        }
        if text.len() > Self::LENGTH_MAX {
            return Err(InvalidUserId::TooLong);
        }
        if !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
            return Err(InvalidUserId::Alphabet);
        }
        Ok(Self(text.into()))
    }

    /// What stands in the place of a name that was erased.
    #[must_use]
    pub fn erased() -> Self {
        Self("@ERASED".into())
    }

    /// Whether only a robot may have this name.
    #[must_use]
    pub fn is_robot_name(&self) -> bool {
        self.0.starts_with(Self::ROBOT_PREFIX)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for UserId {
    fn schema_name() -> Cow<'static, str> {
        "UserID".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": 32, "pattern": "^[\\x20-\\x7e]+$",
            "description": "The name of an account: 1 to 32 bytes of printable ASCII."
        })
    }
}

/// Why a text is not a UserID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidUserId {
    /// It has no characters.
    Empty,
    /// It is longer than 32 bytes.
    TooLong,
    /// It has a character outside printable ASCII.
    Alphabet,
}

impl fmt::Display for InvalidUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a UserID must not be empty",
            Self::TooLong => "a UserID has at most 32 bytes",
            Self::Alphabet => "a UserID consists of printable ASCII characters",
        })
    }
}

/// The number that an account keeps for ever, on the wire the `TinyId` (a decimal text, since it exceeds 2^53).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountNumber(pub u64);

impl AccountNumber {
    /// Numbers start here, as those of the service do.
    pub const BASE: u64 = 144_115_000_000_000_000;
}

impl fmt::Display for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A one-to-one conversation: the two accounts, the smaller number first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConversationId {
    low: AccountNumber,
    high: AccountNumber,
}

impl ConversationId {
    /// The conversation of these two, in either order. An account may talk to itself.
    #[must_use]
    pub fn between(one: AccountNumber, other: AccountNumber) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }

    /// Both sides, the smaller number first.
    #[must_use]
    pub const fn sides(self) -> [AccountNumber; 2] {
        [self.low, self.high]
    }

    /// Which side (0 or 1) this account is, if it takes part.
    #[must_use]
    pub fn side_of(self, account: AccountNumber) -> Option<usize> {
        self.sides().iter().position(|side| *side == account)
    }

    /// The account on the other side; the account itself if it talks to itself or takes no part.
    #[must_use]
    pub fn peer_of(self, account: AccountNumber) -> AccountNumber {
        if account == self.low { self.high } else { self.low }
    }
}

/// One login of an account, unique within the account and never 0. On the wire `InstId`, `status_instid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct InstanceId(pub u32);

/// `<MsgSeq>_<MsgRandom>_<MsgTimeStamp>`: names a message within a conversation (at most 50 characters).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// Chosen by the sender; may repeat.
    pub sequence: u32,
    /// Chosen by the sender.
    pub random: u32,
    /// When the server took the message, in seconds.
    pub time: crate::time::Seconds,
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.sequence, self.random, self.time.0)
    }
}

impl FromStr for MessageKey {
    type Err = InvalidMessageKey;

    fn from_str(text: &str) -> Result<Self, InvalidMessageKey> {
        let mut parts = text.split('_');
        let mut next = || -> Option<u32> {
            let part = parts.next()?;
            // The standard parser takes a plus sign, the wire does not.
            (!part.starts_with('+')).then(|| part.parse().ok())?
        };
        let (sequence, random, time) = (next(), next(), next());
        match (sequence, random, time, parts.next()) {
            (Some(sequence), Some(random), Some(time), None) => {
                Ok(Self { sequence, random, time: crate::time::Seconds(time) })
            }
            _ => Err(InvalidMessageKey),
        }
    }
}

/// The text is not three 32-bit numbers joined by `_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidMessageKey;

impl fmt::Display for InvalidMessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a MsgKey has the form <MsgSeq>_<MsgRandom>_<MsgTimeStamp>")
    }
}

impl Serialize for MessageKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for MessageKey {
    fn schema_name() -> Cow<'static, str> {
        "MsgKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[0-9]+_[0-9]+_[0-9]+$", "maxLength": 50,
            "description": "<MsgSeq>_<MsgRandom>_<MsgTimeStamp>"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Seconds;

    #[test]
    fn user_ids_are_printable_ascii_of_1_to_32_bytes() {
        for good in ["a", "alice", "@TGS", "a b", &"x".repeat(32), "~"] {
            assert_eq!(UserId::new(good).map(|id| id.as_str().to_owned()).as_deref(), Ok(good));
        }
        assert_eq!(UserId::new(""), Err(InvalidUserId::Empty));
        assert_eq!(UserId::new(&"x".repeat(33)), Err(InvalidUserId::TooLong));
        for bad in ["a\nb", "ä", "\u{7f}", "\0"] {
            assert_eq!(UserId::new(bad), Err(InvalidUserId::Alphabet));
        }
    }

    #[test]
    fn names_of_robots_have_a_prefix() {
        for (name, expected) in [("@RBT#one", true), ("@RBT#", true), ("@rbt#one", false), ("RBT#", false)] {
            assert_eq!(UserId::new(name).map(|id| id.is_robot_name()), Ok(expected), "{name}");
        }
    }

    #[test]
    fn an_object_is_never_a_user_id() {
        for hostile in [r#"{"$ne":""}"#, r#"["a"]"#, "1", "null", "true"] {
            assert!(serde_json::from_str::<UserId>(hostile).is_err(), "{hostile}");
        }
    }

    #[test]
    fn a_conversation_does_not_depend_on_who_names_it() {
        let (alice, bob) = (AccountNumber(2), AccountNumber(1));
        let conversation = ConversationId::between(alice, bob);
        assert_eq!(conversation, ConversationId::between(bob, alice));
        assert_eq!(conversation.peer_of(alice), bob);
        assert_eq!(conversation.peer_of(bob), alice);
        assert_eq!(ConversationId::between(bob, bob).peer_of(bob), bob);
        assert_eq!(conversation.side_of(AccountNumber(3)), None);
    }

    #[test]
    fn message_keys_parse_what_they_print_and_nothing_else() {
        let key = MessageKey { sequence: 31_906, random: 833_502, time: Seconds(1_572_869_830) };
        assert_eq!(key.to_string(), "31906_833502_1572869830");
        assert_eq!("31906_833502_1572869830".parse(), Ok(key));
        for bad in ["", "1_2", "1_2_3_4", "1_2_x", "+1_2_3", "-1_2_3", "4294967296_1_1", "1__3", " 1_2_3"] {
            assert_eq!(bad.parse::<MessageKey>(), Err(InvalidMessageKey), "{bad}");
        }
    }
}
