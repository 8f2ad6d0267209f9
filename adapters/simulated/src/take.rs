//! What an append becomes: an entry, or the earlier one that it repeats.

use std::sync::Arc;

use model::{Millis, Position, Seconds};
use ports::timeline::RETRY_SECONDS;
use ports::{Appended, Cursor, Draft, Entry, Event, Stamped};

fn appended(entry: &Entry, is_new: bool) -> Appended {
    let key = match &entry.event {
        Event::Message(message) => Some(message.key(entry.time)),
        _ => None,
    };
    Appended { position: entry.position, time: entry.time, cursor: entry.cursor, key, is_new }
}

/// Takes a draft, or finds what it repeats.
pub(crate) fn decide(
    log: &mut Vec<Arc<Entry>>,
    highest: Cursor,
    draft: Stamped<Draft>,
    now: Millis,
) -> Appended {
    let (stamp, draft) = draft.into_parts();
    let mine: Vec<&Arc<Entry>> = log
        .iter()
        .filter(|entry| entry.stamp.app == stamp.app && entry.conversation == draft.conversation)
        .collect();
    let position = mine.last().map_or(Position(0), |entry| entry.position);
    let messages = mine.iter().filter(|entry| matches!(entry.event, Event::Message(_)));
    let newest = messages.map(|entry| entry.time).max().unwrap_or_default();
    let earlier = mine.iter().find(|entry| repeats(&draft, entry, now.seconds()));
    if let Some(earlier) = earlier {
        return appended(earlier, false);
    }
    let unchanged = Appended {
        position,
        time: newest,
        cursor: mine.last().map_or(Cursor(0), |entry| entry.cursor),
        key: None,
        is_new: false,
    };
    let mut event = draft.event;
    if !changes(&mut event, &mine, newest) {
        return unchanged;
    }
    let entry = Entry {
        cursor: Cursor(log.last().map_or(0, |entry| entry.cursor.0).max(highest.0) + 1),
        conversation: draft.conversation,
        position: Position(position.0 + 1),
        time: draft.sent_at.unwrap_or_else(|| now.seconds().max(newest)),
        stamp,
        retry: draft.retry,
        origin: draft.origin,
        event,
    };
    let answer = appended(&entry, true);
    log.push(Arc::new(entry));
    answer
}

/// Cuts an event to what it changes in a conversation with these entries; whether it changes anything.
fn changes(event: &mut Event, mine: &[&Arc<Entry>], newest: Seconds) -> bool {
    match event {
        Event::Read { reader, up_to } => {
            let messages = mine.iter().filter(|entry| matches!(entry.event, Event::Message(_)));
            let newest_message = messages.map(|entry| entry.position).max().unwrap_or_default();
            up_to.position = up_to.position.min(newest_message);
            up_to.time = up_to.time.min(newest);
            let marks = mine.iter().filter_map(|entry| match &entry.event {
                Event::Read { reader: other, up_to } if other == reader => Some(*up_to),
                _ => None,
            });
            if marks.max().unwrap_or_default() >= *up_to {
                return false;
            }
        }
        Event::Recall { target, .. } => {
            let again = |entry: &&Arc<Entry>| matches!(&entry.event, Event::Recall { target: other, .. } if other == target);
            if mine.iter().any(again) {
                return false;
            }
        }
        Event::Modify { target, modification, .. } => {
            let found = crate::view::message_of(mine.iter().copied(), *target);
            let can = found.is_some_and(|found| {
                !found.message.content.bytes.is_empty() && modification.version == found.message.version() + 1
            });
            if !can {
                return false;
            }
        }
        _ => {}
    }
    true
}

fn repeats(draft: &Draft, entry: &Entry, now: Seconds) -> bool {
    match (&draft.event, &entry.event, draft.sent_at) {
        (Event::Message(new), Event::Message(old), Some(time)) => {
            let is_twin = entry.time == time && old.key(time) == new.key(time);
            is_twin && (draft.retry.is_none() || entry.retry == draft.retry)
        }
        (Event::Message(_), Event::Message(_), None) => {
            draft.retry.is_some() && entry.retry == draft.retry && entry.time >= now.minus(RETRY_SECONDS)
        }
        _ => false,
    }
}
