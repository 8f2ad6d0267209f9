//! Reads: one record by its key, and parts of a kind or an index.

use model::{Millis, SdkAppId};
use ports::Kind;
use ports::records::Range;
use sqlx::MySql;
use sqlx::mysql::MySqlArguments;
use sqlx::query::Query;

use crate::rows::FOUND_COLUMNS;

/// A statement with what it is asked with. Statements differ in form alone, so that few are prepared.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Question {
    text: String,
    values: Vec<Value>,
}

#[derive(Debug, PartialEq, Eq)]
enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Question {
    fn say(&mut self, words: &str) -> &mut Self {
        self.text.push_str(words);
        self
    }

    fn number(&mut self, words: &str, number: impl Into<u64>) -> &mut Self {
        self.values.push(Value::Number(number.into()));
        self.say(words)
    }

    fn bytes(&mut self, words: &str, bytes: &[u8]) -> &mut Self {
        self.values.push(Value::Bytes(bytes.to_vec()));
        self.say(words)
    }

    /// For the driver.
    pub(crate) fn query(&self) -> Query<'_, MySql, MySqlArguments> {
        self.values.iter().fold(sqlx::query(&self.text), |query, value| match value {
            Value::Number(number) => query.bind(*number),
            Value::Bytes(bytes) => query.bind(bytes.as_slice()),
        })
    }

    /// Only what has not expired for the caller.
    fn live(&mut self, now: Millis) -> &mut Self {
        self.number(" AND (r.expiry IS NULL OR r.expiry > ?)", now.seconds().0)
    }
}

/// Asks for one record.
pub(crate) fn one(app: SdkAppId, kind: Kind, key: &[u8], now: Millis) -> Question {
    let mut question = Question::default();
    question.say("SELECT ").say(FOUND_COLUMNS).number(" FROM records AS r WHERE r.app = ?", app.0);
    question.number(" AND r.kind = ?", kind.id).bytes(" AND r.rkey = ?", key).live(now);
    question
}

/// Asks for records in the order of their keys or of an index; `None` if there is nothing to ask for.
pub(crate) fn many(app: SdkAppId, range: &Range, now: Millis) -> Option<Question> {
    if range.limit == 0 {
        return None;
    }
    let mut question = Question::default();
    question.say("SELECT ").say(FOUND_COLUMNS);
    let order = match range.index {
        None => {
            question.number(" FROM records AS r FORCE INDEX (PRIMARY) WHERE r.app = ?", app.0);
            question.number(" AND r.kind = ?", range.kind.id);
            let after = range.after.as_ref().map(|(_, key)| key.as_slice());
            match after.filter(|after| *after >= range.prefix.as_slice()) {
                Some(after) if !after.starts_with(&range.prefix) => return None,
                Some(after) => question.bytes(" AND r.rkey > ?", after),
                None => question.bytes(" AND r.rkey >= ?", &range.prefix),
            };
            if let Some(end) = end_of(&range.prefix) {
                question.bytes(" AND r.rkey < ?", &end);
            }
            " ORDER BY r.rkey"
        }
        Some(index) => {
            question.say(
                " FROM entries AS e FORCE INDEX (PRIMARY) STRAIGHT_JOIN records AS r FORCE INDEX (PRIMARY)",
            );
            question.say(" ON r.app = e.app AND r.kind = e.kind AND r.rkey = e.rkey");
            question.number(" WHERE e.app = ?", app.0).number(" AND e.kind = ?", range.kind.id);
            question.number(" AND e.number = ?", index);
            in_index(&mut question, range)?;
            " ORDER BY e.ikey, e.rkey"
        }
    };
    question.live(now).say(order);
    question.number(" LIMIT ?", u64::try_from(range.limit).unwrap_or(u64::MAX));
    Some(question)
}

/// The part of an index: two ranges of its primary key where the page before ended among equal entries.
fn in_index(question: &mut Question, range: &Range) -> Option<()> {
    let after = range.after.as_ref().filter(|(entry, _)| *entry >= range.prefix);
    let end = end_of(&range.prefix);
    match after {
        Some((entry, _)) if !entry.starts_with(&range.prefix) => return None,
        Some((entry, key)) => {
            question.bytes(" AND ((e.ikey = ?", entry).bytes(" AND e.rkey > ?)", key);
            question.bytes(" OR (e.ikey > ?", entry);
            if let Some(end) = end {
                question.bytes(" AND e.ikey < ?", &end);
            }
            question.say("))");
        }
        None => {
            question.bytes(" AND e.ikey >= ?", &range.prefix);
            if let Some(end) = end {
                question.bytes(" AND e.ikey < ?", &end);
            }
        }
    }
    Some(())
}

/// The first key behind all that start with this; `None` if there is none.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_behind_all_that_start_with_it() {
        for (prefix, end) in [
            (&b""[..], None),
            (b"\xff\xff", None),
            (b"a", Some(&b"b"[..])),
            (b"a\xff", Some(b"b")),
            (b"a\xfe\xff\xff", Some(b"a\xff")),
            (b"\x00", Some(b"\x01")),
        ] {
            assert_eq!(end_of(prefix).as_deref(), end, "{prefix:?}");
        }
    }

    #[test]
    fn a_page_that_ended_behind_the_prefix_is_followed_by_none() {
        let kind = Kind { id: 1, name: "x", class: model::DataClass::Account };
        let asked = |index, after: &str, limit| {
            let after = Some((after.as_bytes().to_vec(), after.as_bytes().to_vec()));
            let range = Range { kind, index, prefix: b"k".to_vec(), after, limit };
            many(SdkAppId(1), &range, Millis(0)).is_some()
        };
        for index in [None, Some(1)] {
            assert!(asked(index, "a", 1) && asked(index, "k", 1) && asked(index, "kz", 1));
            assert!(!asked(index, "l", 1) && !asked(index, "k", 0));
        }
    }
}
