//! Profile fields: tags, types and limits (pages 1047/33520 and 269/1500).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorCode, Result};
use crate::settings::{AppSettings, CustomField, FieldType};

/// The most bytes of a value.
pub const VALUE_BYTES_MAX: usize = 500;

/// The nickname.
pub const NICK: &str = "Tag_Profile_IM_Nick";
/// The address of the avatar.
pub const IMAGE: &str = "Tag_Profile_IM_Image";
/// What the account says of itself.
pub const SELF_SIGNATURE: &str = "Tag_Profile_IM_SelfSignature";

/// The prefix of the app's own fields.
pub const CUSTOM_PREFIX: &str = "Tag_Profile_Custom_";

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// A number.
    Number(u64),
    /// A text of at most 500 bytes.
    Text(String),
}

/// The fields that an account has set, by tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Profile(pub BTreeMap<String, FieldValue>);

impl Profile {
    /// A text field, or the empty text.
    #[must_use]
    pub fn text(&self, tag: &str) -> &str {
        match self.0.get(tag) {
            Some(FieldValue::Text(text)) => text,
            _ => "",
        }
    }
}

/// Who writes a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The account itself.
    Owner,
    /// An administrator of the app.
    Administrator,
}

/// Who reads a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The account itself.
    Owner,
    /// An account that the owner has on its list of friends.
    Friend,
    /// Any other account.
    Stranger,
    /// An administrator of the app.
    Administrator,
}

/// Whether this caller reads a field: standard ones are read by all, own ones as they were declared, others by nobody.
#[must_use]
pub fn is_readable(settings: &AppSettings, tag: &str, reader: Reader) -> bool {
    let Some(field) = declared(settings, tag) else { return !tag.starts_with(CUSTOM_PREFIX) };
    match reader {
        Reader::Owner => field.readers.owner,
        Reader::Friend => field.readers.friend || field.readers.stranger,
        Reader::Stranger => field.readers.stranger,
        Reader::Administrator => field.readers.administrator,
    }
}

enum Kind {
    Text { bytes_max: usize },
    Choice(&'static [&'static str]),
    Number,
}

fn kind_of(tag: &str) -> Option<Kind> {
    Some(match tag {
        NICK | IMAGE | SELF_SIGNATURE => Kind::Text { bytes_max: VALUE_BYTES_MAX },
        "Tag_Profile_IM_Location" => Kind::Text { bytes_max: 16 },
        "Tag_Profile_IM_Gender" => {
            Kind::Choice(&["Gender_Type_Unknown", "Gender_Type_Female", "Gender_Type_Male"])
        }
        "Tag_Profile_IM_AllowType" => {
            Kind::Choice(&["AllowType_Type_NeedConfirm", "AllowType_Type_AllowAny", "AllowType_Type_DenyAny"])
        }
        "Tag_Profile_IM_AdminForbidType" => {
            Kind::Choice(&["AdminForbid_Type_None", "AdminForbid_Type_SendOut"])
        }
        "Tag_Profile_IM_BirthDay"
        | "Tag_Profile_IM_Language"
        | "Tag_Profile_IM_MsgSettings"
        | "Tag_Profile_IM_Level"
        | "Tag_Profile_IM_Role" => Kind::Number,
        _ => return None,
    })
}

/// The standard tags, in the order of the documentation.
pub const STANDARD_TAGS: [&str; 12] = [
    NICK,
    "Tag_Profile_IM_Gender",
    "Tag_Profile_IM_BirthDay",
    "Tag_Profile_IM_Location",
    SELF_SIGNATURE,
    "Tag_Profile_IM_AllowType",
    "Tag_Profile_IM_Language",
    IMAGE,
    "Tag_Profile_IM_MsgSettings",
    "Tag_Profile_IM_AdminForbidType",
    "Tag_Profile_IM_Level",
    "Tag_Profile_IM_Role",
];

/// Whether the app stores a field: it is a standard one that it chose, or an own one that it declared.
#[must_use]
pub fn is_stored(settings: &AppSettings, tag: &str) -> bool {
    settings.profile_tags.iter().any(|stored| stored == tag) || declared(settings, tag).is_some()
}

/// The declaration of an own field.
#[must_use]
pub fn declared<'a>(settings: &'a AppSettings, tag: &str) -> Option<&'a CustomField> {
    let name = tag.strip_prefix(CUSTOM_PREFIX)?;
    settings.custom_user_fields.iter().find(|field| field.name == name)
}

/// Checks one field that `writer` sets.
///
/// # Errors
/// `ProfileTagUnknown`, `ProfileNotWritable`, `ProfileValueType`, `ProfileValueTooLong`, `ProfileValueIllegal`,
/// naming the tag.
pub fn checked(settings: &AppSettings, tag: &str, value: &Value, writer: Writer) -> Result<FieldValue> {
    if let Some(field) = declared(settings, tag) {
        return checked_custom(field, tag, value, writer);
    }
    let kind = kind_of(tag).filter(|_| is_stored(settings, tag));
    let kind =
        kind.ok_or_else(|| ErrorCode::ProfileTagUnknown.because("Tag: the app stores no such field"))?;
    if tag == "Tag_Profile_IM_AdminForbidType" && writer == Writer::Owner {
        return Err(ErrorCode::ProfileNotWritable.in_field(tag, "only an administrator may set it"));
    }
    match kind {
        Kind::Number => number(tag, value).map(FieldValue::Number),
        Kind::Text { bytes_max } => {
            let text = text(tag, value)?;
            if text.len() > bytes_max {
                // The number for values that are too long is for those that no field takes.
                return Err(
                    ErrorCode::ProfileValueIllegal.in_field(tag, format!("at most {bytes_max} bytes"))
                );
            }
            Ok(FieldValue::Text(text))
        }
        Kind::Choice(choices) => {
            let text = text(tag, value)?;
            if choices.contains(&text.as_str()) {
                Ok(FieldValue::Text(text))
            } else {
                Err(ErrorCode::ProfileValueIllegal.in_field(tag, format!("one of {}", choices.join(", "))))
            }
        }
    }
}

fn checked_custom(field: &CustomField, tag: &str, value: &Value, writer: Writer) -> Result<FieldValue> {
    let may = match writer {
        Writer::Owner => field.writers.owner,
        Writer::Administrator => field.writers.administrator,
    };
    if !may {
        return Err(ErrorCode::ProfileNotWritable.in_field(tag, "the app does not let this caller set it"));
    }
    custom_value(field.kind, tag, value)
}

/// The value of an own field.
///
/// # Errors
/// `ProfileValueType`, `ProfileValueTooLong`, naming the tag.
pub fn custom_value(kind: FieldType, tag: &str, value: &Value) -> Result<FieldValue> {
    match kind {
        FieldType::Integer => value.as_u64().map(FieldValue::Number).ok_or_else(|| type_error(tag)),
        FieldType::String | FieldType::Bytes => text(tag, value).map(FieldValue::Text),
    }
}

fn number(tag: &str, value: &Value) -> Result<u64> {
    value.as_u64().filter(|number| u32::try_from(*number).is_ok()).ok_or_else(|| type_error(tag))
}

fn text(tag: &str, value: &Value) -> Result<String> {
    let text = value.as_str().ok_or_else(|| type_error(tag))?;
    if text.len() > VALUE_BYTES_MAX {
        return Err(ErrorCode::ProfileValueTooLong.in_field(tag, format!("at most {VALUE_BYTES_MAX} bytes")));
    }
    Ok(text.to_owned())
}

fn type_error(tag: &str) -> Error {
    ErrorCode::ProfileValueType.in_field(tag, "the value has the wrong type")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_take_what_the_documentation_says() {
        let declared = "Test:string,Num:integer,Their:string:owner:administrator";
        let settings = AppSettings::default().with("custom_user_fields", declared).unwrap();
        let code = |tag: &str, value: Value, writer| {
            checked(&settings, tag, &value, writer).map_err(|error| error.code)
        };
        let owner = Writer::Owner;
        assert!(code(NICK, json!("x".repeat(500)), owner).is_ok());
        assert_eq!(code(NICK, json!("x".repeat(501)), owner), Err(ErrorCode::ProfileValueTooLong));
        assert_eq!(code(NICK, json!(1), owner), Err(ErrorCode::ProfileValueType));
        assert_eq!(code(NICK, json!({"$ne": ""}), owner), Err(ErrorCode::ProfileValueType));
        assert!(code("Tag_Profile_IM_Gender", json!("Gender_Type_Male"), owner).is_ok());
        assert_eq!(code("Tag_Profile_IM_Gender", json!("m"), owner), Err(ErrorCode::ProfileValueIllegal));
        assert!(code("Tag_Profile_IM_BirthDay", json!(19_900_101), owner).is_ok());
        assert_eq!(
            code("Tag_Profile_IM_BirthDay", json!(4_294_967_296_u64), owner),
            Err(ErrorCode::ProfileValueType)
        );
        assert_eq!(code("Tag_Profile_IM_BirthDay", json!("1990"), owner), Err(ErrorCode::ProfileValueType));
        assert!(code("Tag_Profile_IM_Location", json!("x".repeat(16)), owner).is_ok());
        assert_eq!(
            code("Tag_Profile_IM_Location", json!("x".repeat(17)), owner),
            Err(ErrorCode::ProfileValueIllegal)
        );
        let forbid = "Tag_Profile_IM_AdminForbidType";
        assert_eq!(code(forbid, json!("AdminForbid_Type_None"), owner), Err(ErrorCode::ProfileNotWritable));
        assert!(code(forbid, json!("AdminForbid_Type_None"), Writer::Administrator).is_ok());
        assert_eq!(code("Tag_Other", json!(""), owner), Err(ErrorCode::ProfileTagUnknown));
        assert!(code("Tag_Profile_Custom_Test", json!("x"), owner).is_ok());
        assert_eq!(code("Tag_Profile_Custom_Test", json!(1), owner), Err(ErrorCode::ProfileValueType));
        assert!(code("Tag_Profile_Custom_Num", json!(u64::MAX), owner).is_ok());
        assert_eq!(code("Tag_Profile_Custom_Num", json!("1"), owner), Err(ErrorCode::ProfileValueType));
        let theirs = "Tag_Profile_Custom_Their";
        assert_eq!(code(theirs, json!("x"), owner), Err(ErrorCode::ProfileNotWritable));
        assert!(code(theirs, json!("x"), Writer::Administrator).is_ok());
        for unknown in ["Tag_Profile_Custom_", "Tag_Profile_Custom_Other", "Tag_Profile_Custom_test"] {
            assert_eq!(code(unknown, json!("x"), owner), Err(ErrorCode::ProfileTagUnknown), "{unknown}");
        }
        for (tag, is_read) in
            [(NICK, true), ("Tag_Profile_Custom_Test", true), ("Tag_Profile_Custom_Other", false)]
        {
            assert_eq!(is_readable(&settings, tag, Reader::Administrator), is_read, "{tag}");
        }
        let few = settings.with("profile_tags", NICK).unwrap();
        assert!(checked(&few, NICK, &json!("x"), owner).is_ok());
        assert_eq!(
            checked(&few, IMAGE, &json!("x"), owner).map_err(|error| error.code),
            Err(ErrorCode::ProfileTagUnknown)
        );
    }
}
