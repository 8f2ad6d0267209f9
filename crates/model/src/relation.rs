//! Friends: limits and forms of what is said about them (pages 1047/33521, 1047/34381 and 269/1501).

use serde_json::Value;

use crate::error::{ErrorCode, Result};
use crate::profile::{FieldValue, custom_value};
use crate::settings::{AppSettings, CustomField};

/// The most bytes of a remark.
pub const REMARK_BYTES_MAX: usize = 96;

/// The most bytes of what an application says.
pub const WORDING_BYTES_MAX: usize = 256;

/// The most bytes of a friend list's name.
pub const GROUP_NAME_BYTES_MAX: usize = 30;

/// The most friend lists of an account.
pub const GROUPS_MAX: usize = 32;

/// The most applications that an account has made, or that wait for its answer.
pub const REQUESTS_MAX: u32 = 100;

/// What every source begins with.
pub const SOURCE_PREFIX: &str = "AddSource_Type_";

/// The most letters of a source behind the prefix.
pub const SOURCE_LETTERS_MAX: usize = 8;

/// The app's own field of a friend.
pub const CUSTOM_PREFIX: &str = "Tag_SNS_Custom_";

/// What the owner calls a friend.
pub const REMARK: &str = "Tag_SNS_IM_Remark";
/// The owner's lists that a friend is in.
pub const GROUP: &str = "Tag_SNS_IM_Group";
/// How a friend was found.
pub const ADD_SOURCE: &str = "Tag_SNS_IM_AddSource";
/// What was said when it was added.
pub const ADD_WORDING: &str = "Tag_SNS_IM_AddWording";
/// When it was added.
pub const ADD_TIME: &str = "Tag_SNS_IM_AddTime";

/// The tags of a friend that every app has.
pub const STANDARD_TAGS: [&str; 5] = [REMARK, GROUP, ADD_SOURCE, ADD_WORDING, ADD_TIME];

/// Checks how a friend was found.
///
/// # Errors
/// `RelationBadParameter`, naming the field.
pub fn check_source(source: &str) -> Result<()> {
    let keyword = source.strip_prefix(SOURCE_PREFIX).unwrap_or_default();
    let is_good = (1..=SOURCE_LETTERS_MAX).contains(&keyword.len())
        && keyword.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_good {
        return Ok(());
    }
    let what = format!("{SOURCE_PREFIX} and 1 to {SOURCE_LETTERS_MAX} letters");
    Err(ErrorCode::RelationBadParameter.in_field("AddSource", what))
}

/// Checks a text.
///
/// # Errors
/// `RelationBadParameter`, naming the field.
pub fn check_text(field: &str, text: &str, bytes_max: usize) -> Result<()> {
    if text.len() <= bytes_max {
        return Ok(());
    }
    Err(ErrorCode::RelationBadParameter.in_field(field, format!("at most {bytes_max} bytes")))
}

/// Checks the name of a friend list.
///
/// # Errors
/// `RelationBadParameter`, naming the field.
pub fn check_group_name(field: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(ErrorCode::RelationBadParameter.in_field(field, "a list has a name"));
    }
    check_text(field, name, GROUP_NAME_BYTES_MAX)
}

/// The declaration of an own field of friends.
#[must_use]
pub fn declared<'a>(settings: &'a AppSettings, tag: &str) -> Option<&'a CustomField> {
    let name = tag.strip_prefix(CUSTOM_PREFIX)?;
    settings.custom_friend_fields.iter().find(|field| field.name == name)
}

/// The value of an own field of a friend.
///
/// # Errors
/// `RelationBadParameter`, naming the tag: not declared, not this caller's to write, or not of its type.
pub fn checked(
    settings: &AppSettings,
    tag: &str,
    value: &Value,
    is_administrator: bool,
) -> Result<FieldValue> {
    let wrong = |what: String| ErrorCode::RelationBadParameter.in_field(tag, what);
    let Some(field) = declared(settings, tag) else {
        return Err(wrong("the app has declared no such field of friends".to_owned()));
    };
    let may = if is_administrator { field.writers.administrator } else { field.writers.owner };
    if !may {
        return Err(wrong("the app does not let this caller set it".to_owned()));
    }
    custom_value(field.kind, tag, value).map_err(|error| ErrorCode::RelationBadParameter.because(error.info))
}

/// Whether a caller reads an own field of its friends.
#[must_use]
pub fn is_readable(settings: &AppSettings, tag: &str, is_administrator: bool) -> bool {
    declared(settings, tag)
        .is_some_and(|field| if is_administrator { field.readers.administrator } else { field.readers.owner })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_source_is_a_word_behind_its_prefix() {
        for good in ["AddSource_Type_Web", "AddSource_Type_ABCDEFGH"] {
            assert!(check_source(good).is_ok(), "{good}");
        }
        for bad in ["", "Web", "AddSource_Type_", "AddSource_Type_ABCDEFGHI", "AddSource_Type_a b"] {
            assert!(check_source(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn own_fields_are_declared_and_have_writers() {
        let declared = "Note:string,Rank:integer:owner+administrator:administrator";
        let settings = AppSettings::default().with("custom_friend_fields", declared).unwrap();
        assert!(checked(&settings, "Tag_SNS_Custom_Note", &json!("x"), false).is_ok());
        assert!(checked(&settings, "Tag_SNS_Custom_Note", &json!(1), false).is_err());
        assert!(checked(&settings, "Tag_SNS_Custom_Rank", &json!(1), false).is_err());
        assert!(checked(&settings, "Tag_SNS_Custom_Rank", &json!(1), true).is_ok());
        assert!(checked(&settings, "Tag_SNS_Custom_Other", &json!(1), true).is_err());
        assert!(is_readable(&settings, "Tag_SNS_Custom_Rank", false));
    }
}
