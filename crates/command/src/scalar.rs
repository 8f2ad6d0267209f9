//! Numbers and lists as clients write them.

use std::borrow::Cow;

use model::UserId;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A number that some clients send as a text of digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lenient(pub u64);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<'a> {
            Number(u64),
            Text(#[serde(borrow)] Cow<'a, str>),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(number) => Ok(Self(number)),
            Form::Text(text) => text.parse().map(Self).map_err(|_| de::Error::custom("a number is expected")),
        }
    }
}

impl JsonSchema for Lenient {
    fn schema_name() -> Cow<'static, str> {
        "NumberOrText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["integer", "string"], "minimum": 0})
    }
}

/// 0 or 1, as a number or as true and false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(i64),
            Word(bool),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::Number(number) => number != 0,
            Form::Word(word) => word,
        }))
    }
}

impl JsonSchema for Flag {
    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["integer", "boolean"], "minimum": 0, "maximum": 1})
    }
}

/// Accounts of a batch: any text, since one bad name must not fail the others.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AnyName(pub String);

impl AnyName {
    /// The UserID, if the text is one.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        UserId::new(&self.0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_two_forms() {
        assert_eq!(serde_json::from_str::<Lenient>("5").unwrap(), Lenient(5));
        assert_eq!(serde_json::from_str::<Lenient>("\"5\"").unwrap(), Lenient(5));
        for bad in ["-1", "\"x\"", "1.5", "null", "{}", "[]"] {
            assert!(serde_json::from_str::<Lenient>(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<Flag>("1").unwrap(), Flag(true));
        assert_eq!(serde_json::from_str::<Flag>("false").unwrap(), Flag(false));
        assert!(serde_json::from_str::<Flag>("\"1\"").is_err());
    }
}
