//! Entries as documents of the log.
//!
//! | field | of | value |
//! |---|---|---|
//! | `_id` | all | the cursor |
//! | `app` | all | the app's number |
//! | `c` | all | the conversation ([`keys::conversation`]) |
//! | `p` | all | the position |
//! | `k` | all | the kind of the event |
//! | `a` | all | the accounts that it concerns |
//! | `e` | all | the entry without what was sealed |
//! | `n` | all | 16 bytes, chosen for this entry alone; the content's `_id` |
//! | `end` | all | from when on it is absent, in seconds |
//! | `keep` | all | until when something needs it |
//! | `d` | with content | the day of the collection that holds the content |
//! | `z` | emptied | true: the content was taken away |
//! | `h` | messages | the place in the history ([`keys::place`]) |
//! | `tm`, `hour` | messages | the time in seconds, and in hours |
//! | `by`, `s`, `u` | messages | author, sequence, random |
//! | `r` | with one | the retry key |
//! | `t` | what is about messages | their positions |

use bytes::Bytes;
use model::time::DAY_SECONDS;
use model::{ConversationId, HistoryKey, SdkAppId, Seconds};
use mongodb::bson::{Bson, Document, doc};
use ports::{Entry, Event, Fault};

use crate::codec::{self, binary, decode, encode};
use crate::keys;

/// Up to so many days ahead each day has a collection of contents; beyond it a week has one, and beyond two years four weeks.
const SINGLE_DAYS: u32 = 62;
const SINGLE_WEEKS: u32 = 730;

/// Numbers of the kinds of events in stored documents. They never change or return to use.
pub(crate) mod kind {
    pub(crate) const MESSAGE: i32 = 1;
    pub(crate) const RECALL: i32 = 2;
    pub(crate) const READ: i32 = 3;
    pub(crate) const RECEIPT: i32 = 4;
    pub(crate) const DELETE: i32 = 5;
    pub(crate) const CLEAR: i32 = 6;
    pub(crate) const MODIFY: i32 = 7;
}

/// What an entry, and its content, is known by before it has a number.
pub(crate) type Id = [u8; 16];

/// Where a content lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ContentAt {
    pub(crate) day: u32,
    pub(crate) id: Id,
}

/// An entry of the log; its content lies elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    /// Without what was sealed.
    pub(crate) entry: Entry,
    pub(crate) id: Id,
    /// The day of the collection that holds its content, if it came with one.
    pub(crate) day: Option<u32>,
    /// Whether that was taken away.
    pub(crate) is_emptied: bool,
    /// Until when something needs it.
    pub(crate) keep: Seconds,
}

/// The day at whose beginning everything that ends by `end` is over.
pub(crate) fn day_of(end: Seconds, now: Seconds) -> u32 {
    let day = end.0.div_ceil(DAY_SECONDS);
    let ahead = day.saturating_sub(now.0 / DAY_SECONDS);
    if ahead <= SINGLE_DAYS {
        day
    } else if ahead <= SINGLE_WEEKS {
        day.next_multiple_of(7)
    } else {
        day.next_multiple_of(28)
    }
}

/// When a day begins.
pub(crate) fn begins(day: u32) -> Seconds {
    Seconds(day.saturating_mul(DAY_SECONDS))
}

/// The content of an event, if it is of a kind that has one.
pub(crate) fn content_of(event: &mut Event) -> Option<&mut Bytes> {
    match event {
        Event::Message(message) => Some(&mut message.content.bytes),
        Event::Modify { content, .. } => Some(&mut content.bytes),
        _ => None,
    }
}

/// Which messages an event is about.
pub(crate) fn targets_of(event: &Event) -> Vec<HistoryKey> {
    match event {
        Event::Recall { target, .. } | Event::Modify { target, .. } => vec![*target],
        Event::Receipt { targets, .. } => targets.iter().map(|target| target.at).collect(),
        Event::Delete { targets, .. } => targets.clone(),
        Event::Message(_) | Event::Read { .. } | Event::Clear { .. } => Vec::new(),
    }
}

const fn kind_of(event: &Event) -> i32 {
    match event {
        Event::Message(_) => kind::MESSAGE,
        Event::Recall { .. } => kind::RECALL,
        Event::Read { .. } => kind::READ,
        Event::Receipt { .. } => kind::RECEIPT,
        Event::Delete { .. } => kind::DELETE,
        Event::Clear { .. } => kind::CLEAR,
        Event::Modify { .. } => kind::MODIFY,
    }
}

impl Logged {
    pub(crate) fn app(&self) -> SdkAppId {
        self.entry.stamp.app
    }

    pub(crate) fn conversation(&self) -> ConversationId {
        self.entry.conversation
    }

    /// Where its content lies; `None` if it has none any more.
    pub(crate) fn content(&self) -> Option<ContentAt> {
        let day = self.day.filter(|_| !self.is_emptied)?;
        Some(ContentAt { day, id: self.id })
    }

    /// Where its content lay, whether or not it was taken away.
    pub(crate) fn former_content(&self) -> Option<ContentAt> {
        Some(ContentAt { day: self.day?, id: self.id })
    }

    /// The document.
    pub(crate) fn document(&self) -> Result<Document, Fault> {
        let entry = &self.entry;
        let conversation = keys::conversation(entry.stamp.app, entry.conversation);
        let concerned: Vec<String> =
            entry.concerns().map(|account| keys::account(entry.stamp.app, account)).collect();
        let mut document = doc! {
            "_id": keys::cursor(entry.cursor),
            "app": i64::from(entry.stamp.app.0),
            "c": &conversation,
            "p": keys::position(entry.position),
            "k": kind_of(&entry.event),
            "a": concerned,
            "e": encode(entry)?,
            "n": binary(self.id.to_vec()),
            "end": keys::seconds(entry.stamp.end()),
            "keep": keys::seconds(self.keep),
        };
        if let Some(day) = self.day {
            document.insert("d", i64::from(day));
        }
        if let Some(retry) = entry.retry {
            document.insert("r", binary(retry.0.to_vec()));
        }
        if let Event::Message(message) = &entry.event {
            document.insert("h", keys::place(&conversation, entry.history_key()));
            document.insert("tm", keys::seconds(entry.time));
            document.insert("hour", keys::seconds(entry.time) / 3600);
            document.insert("by", keys::number(message.author.0));
            document.insert("s", i64::from(message.sequence));
            document.insert("u", i64::from(message.random));
        }
        let targets = targets_of(&entry.event);
        if !targets.is_empty() {
            let targets = targets.into_iter().map(|at| Bson::Int64(keys::position(at.position)));
            document.insert("t", targets.collect::<Vec<_>>());
        }
        Ok(document)
    }

    /// Reads a document.
    pub(crate) fn read(document: &Document) -> Result<Self, Fault> {
        let entry: Entry = decode(codec::bytes(document, "e")?, "a log entry")?;
        if codec::number(document, "_id")? != entry.cursor.0 {
            return Err(Fault::Corrupt("a log entry that stands in another's place".to_owned()));
        }
        let id = codec::bytes(document, "n")?;
        let day = document.get_i64("d").ok().and_then(|day| u32::try_from(day).ok());
        Ok(Self {
            entry,
            id: id.try_into().map_err(|_| Fault::Corrupt("the name of a content".to_owned()))?,
            day,
            is_emptied: document.get_bool("z").unwrap_or(false),
            keep: Seconds(u32::try_from(codec::number(document, "keep")?).unwrap_or(u32::MAX)),
        })
    }

    /// Reads documents.
    pub(crate) fn read_all(documents: &[Document]) -> Result<Vec<Self>, Fault> {
        documents.iter().map(Self::read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_single_soon_and_wide_far_ahead_and_never_too_early() {
        let now = Seconds(20_000 * DAY_SECONDS + 5);
        let of = |days: u32| day_of(now.plus(days * DAY_SECONDS), now);
        assert_eq!([of(0), of(1), of(61)], [20_001, 20_002, 20_062]);
        assert_eq!(day_of(Seconds(20_001 * DAY_SECONDS), now), 20_001, "exactly at its beginning it is over");
        for days in 0..4000 {
            let end = now.plus(days * DAY_SECONDS);
            let day = day_of(end, now);
            assert!(begins(day) >= end && day <= 20_000 + days + 29);
        }
        let distinct: std::collections::BTreeSet<u32> = (0..3650).map(of).collect();
        assert!(distinct.len() < 300, "{}", distinct.len());
    }
}
