//! A friend as callers read it.

use command::Call;
use engine::relations::{FriendFact, RelationsFact};
use model::profile::{FieldValue, Profile};
use model::relation::{ADD_SOURCE, ADD_TIME, ADD_WORDING, GROUP, REMARK, is_readable};
use serde_json::Value;

use crate::wire::ReadField;

/// The standard fields of a friend that say something.
#[must_use]
pub(crate) fn standard_fields(book: &RelationsFact, friend: &FriendFact) -> Vec<ReadField> {
    let text = |tag: &str, text: &str| ReadField { tag: tag.to_owned(), value: Value::from(text) };
    let mut fields = vec![text(ADD_SOURCE, &friend.source)];
    if !friend.remark.is_empty() {
        fields.push(text(REMARK, &friend.remark));
    }
    let groups = book.names(&friend.groups);
    if !groups.is_empty() {
        fields.push(ReadField { tag: GROUP.to_owned(), value: groups.into() });
    }
    if !friend.wording.is_empty() {
        fields.push(text(ADD_WORDING, &friend.wording));
    }
    fields.push(ReadField { tag: ADD_TIME.to_owned(), value: friend.added_at.0.into() });
    fields
}

/// The app's own fields of a friend that the caller may read.
pub(crate) fn custom_fields(call: &Call, friend: &FriendFact) -> impl Iterator<Item = ReadField> {
    let may = |tag: &String| is_readable(&call.app.settings, tag, call.is_administrator());
    let fields = friend.custom.iter().filter(move |(tag, _)| may(tag));
    fields.map(|(tag, value)| ReadField { tag: tag.clone(), value: plain(value) })
}

/// The fields of a friend's profile.
pub(crate) fn profile_fields(profile: &Profile) -> impl Iterator<Item = ReadField> {
    profile.0.iter().map(|(tag, value)| ReadField { tag: tag.clone(), value: plain(value) })
}

fn plain(value: &FieldValue) -> Value {
    match value {
        FieldValue::Number(number) => Value::from(*number),
        FieldValue::Text(text) => Value::from(text.as_str()),
    }
}
