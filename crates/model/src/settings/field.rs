//! The app's own fields of profiles and of friends: declared first, then written (page 1047/34419).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorCode, Result};

/// The most own fields of each kind (page 1047/34419).
const FIELDS_MAX: usize = 20;

/// The most letters of a field's name (page 1047/34419).
pub const NAME_LETTERS_MAX: usize = 8;

/// What the value of a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A number from 0 to 2^64-1.
    Integer,
    /// A text.
    String,
    /// A text that carries bytes, in whatever way clients and back end agreed on.
    Bytes,
}

/// Who may do something with a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// The account whose field it is.
    pub owner: bool,
    /// Accounts that are friends of the owner.
    pub friend: bool,
    /// Every account.
    pub stranger: bool,
    /// Administrators of the app.
    pub administrator: bool,
}

const NAMES: [&str; 4] = ["owner", "friend", "stranger", "administrator"];

impl Rights {
    const EVERYBODY: Self = Self { owner: true, friend: true, stranger: true, administrator: true };
    const WRITERS: Self = Self { owner: true, friend: false, stranger: false, administrator: true };

    const fn flags(self) -> [bool; 4] {
        [self.owner, self.friend, self.stranger, self.administrator]
    }

    fn is_nobody(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<&str> =
            NAMES.iter().zip(self.flags()).filter(|(_, on)| *on).map(|(name, _)| *name).collect();
        f.write_str(&set.join("+"))
    }
}

impl FromStr for Rights {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut rights = Self::default();
        for name in text.split('+') {
            match name {
                "owner" => rights.owner = true,
                "friend" => rights.friend = true,
                "stranger" => rights.stranger = true,
                "administrator" => rights.administrator = true,
                _ => {
                    return Err(wrong(
                        text,
                        "rights are owner, friend, stranger, administrator, joined by +",
                    ));
                }
            }
        }
        Ok(rights)
    }
}

/// An own field: `NAME:TYPE`, or with rights `NAME:TYPE:READERS:WRITERS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CustomField {
    /// What follows the prefix in its tag: 1 to 8 letters.
    pub name: String,
    /// What its value is.
    pub kind: FieldType,
    /// Who reads it; whoever writes it does not read it for that.
    pub readers: Rights,
    /// Who writes it: owner, administrator or both.
    pub writers: Rights,
}

fn wrong(text: &str, what: &str) -> Error {
    ErrorCode::SettingInvalid.because(format!("{text}: {what}"))
}

impl FromStr for CustomField {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (name, kind, rights) = match parts.as_slice() {
            [name, kind] => (*name, *kind, None),
            [name, kind, readers, writers] => (*name, *kind, Some((*readers, *writers))),
            _ => return Err(wrong(text, "a field is NAME:TYPE or NAME:TYPE:READERS:WRITERS")),
        };
        let is_name = (1..=NAME_LETTERS_MAX).contains(&name.len())
            && name.bytes().all(|letter| letter.is_ascii_alphabetic());
        if !is_name {
            return Err(wrong(text, "a field's name has 1 to 8 letters"));
        }
        let kind = match kind {
            "integer" => FieldType::Integer,
            "string" => FieldType::String,
            "bytes" => FieldType::Bytes,
            _ => return Err(wrong(text, "a field's type is integer, string or bytes")),
        };
        let (readers, writers) = match rights {
            None => (Rights::EVERYBODY, Rights::WRITERS),
            Some((readers, writers)) => (readers.parse::<Rights>()?, writers.parse::<Rights>()?),
        };
        if readers.is_nobody() || writers.is_nobody() || writers.friend || writers.stranger {
            return Err(wrong(text, "somebody reads a field, and owner, administrator or both write it"));
        }
        Ok(Self { name: name.to_owned(), kind, readers, writers })
    }
}

impl TryFrom<String> for CustomField {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<CustomField> for String {
    fn from(field: CustomField) -> Self {
        let kind = match field.kind {
            FieldType::Integer => "integer",
            FieldType::String => "string",
            FieldType::Bytes => "bytes",
        };
        if field.readers == Rights::EVERYBODY && field.writers == Rights::WRITERS {
            return format!("{}:{kind}", field.name);
        }
        format!("{}:{kind}:{}:{}", field.name, field.readers, field.writers)
    }
}

/// Checks a list of declared fields.
///
/// # Errors
/// `SettingInvalid`, naming the setting.
pub(super) fn check(setting: &str, fields: &[CustomField]) -> Result<()> {
    if fields.len() > FIELDS_MAX {
        return Err(ErrorCode::SettingInvalid.in_field(setting, format!("at most {FIELDS_MAX} fields")));
    }
    let is_twice =
        |(index, field): (usize, &CustomField)| fields.iter().take(index).any(|one| one.name == field.name);
    if fields.iter().enumerate().any(is_twice) {
        return Err(ErrorCode::SettingInvalid.in_field(setting, "a name stands there twice"));
    }
    Ok(())
}

/// Checks that fields that are there already keep their types.
///
/// # Errors
/// `SettingInvalid`, naming the setting.
pub(super) fn check_types(setting: &str, before: &[CustomField], after: &[CustomField]) -> Result<()> {
    let former = |field: &CustomField| before.iter().find(|former| former.name == field.name);
    match after.iter().find(|field| former(field).is_some_and(|former| former.kind != field.kind)) {
        None => Ok(()),
        Some(field) => {
            let what = format!("{}: what is stored has the former type, only rights can change", field.name);
            Err(ErrorCode::SettingInvalid.in_field(setting, what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_written_as_it_is_read() {
        for text in ["Test:string", "Age:integer:owner+friend:administrator", "Raw:bytes:stranger:owner"] {
            let field: CustomField = text.parse().unwrap();
            assert_eq!(String::from(field), text);
        }
    }

    #[test]
    fn a_field_keeps_its_type_and_may_get_other_rights_or_go() {
        let fields = |text: &str| vec![text.parse::<CustomField>().unwrap()];
        let before = fields("Test:string");
        assert!(check_types("x", &before, &fields("Test:string:owner:administrator")).is_ok());
        assert!(check_types("x", &before, &fields("Other:integer")).is_ok());
        assert!(check_types("x", &before, &[]).is_ok());
        let changed = check_types("x", &before, &fields("Test:integer"));
        assert_eq!(changed.map_err(|error| error.code), Err(ErrorCode::SettingInvalid));
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for text in [
            "",
            "Test",
            "Test:text",
            "Te st:string",
            "Tooolongg:string",
            "Test:string:owner",
            "Test:string:everybody:owner",
            "Test:string:owner:friend",
            "Test:string::owner",
            "Test:string:owner:owner:owner",
        ] {
            assert_eq!(
                text.parse::<CustomField>().map_err(|error| error.code),
                Err(ErrorCode::SettingInvalid),
                "{text}"
            );
        }
    }
}
