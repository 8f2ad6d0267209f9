//! Verifies a stopped store: every checksum, and that everything derived agrees with the log.

use hashbrown::HashMap;
use model::Position;
use ports::{Cursor, Entry, Event, Fault};

use crate::codec::{decode, fault};
use crate::head::Head;
use crate::layout::{Account, Conversation, Reference, derived, read_u64};
use crate::records::{StoredRecord, key_in_index};
use crate::spaces::{REMOVED, Spaces};
use crate::state::Amendment;

/// Findings listed at most.
const FINDINGS_MAX: usize = 100;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Log entries read.
    pub entries: u64,
    /// Messages among them.
    pub messages: u64,
    /// Conversations.
    pub conversations: u64,
    /// Records.
    pub records: u64,
    /// What is wrong, at most 100 lines; empty for a sound store.
    pub findings: Vec<String>,
}

impl Report {
    fn find(&mut self, what: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(what);
        }
    }

    fn take<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.inspect_err(|fault| self.find(fault.to_string())).ok()
    }
}

/// What the log says that the derived key spaces must hold.
#[derive(Default)]
struct Expected {
    /// Whether entries are gone that were there.
    has_gaps: bool,
    heads: HashMap<Conversation, Head>,
    references: HashMap<Conversation, Vec<(Reference, bool)>>,
    streams: HashMap<Account, Vec<Cursor>>,
}

/// Checks everything.
pub(crate) fn check(spaces: &Spaces) -> Result<Report, Fault> {
    let mut report = Report::default();
    let expected = read_log(spaces, &mut report)?;
    check_heads(spaces, &expected, &mut report)?;
    check_references(spaces, &expected, &mut report)?;
    check_streams(spaces, &expected, &mut report)?;
    check_amendments(spaces, &mut report)?;
    check_records(spaces, &mut report)?;
    report.conversations = u64::try_from(expected.heads.len()).unwrap_or(u64::MAX);
    Ok(report)
}

fn read_log(spaces: &Spaces, report: &mut Report) -> Result<Expected, Fault> {
    let mut expected = Expected { has_gaps: spaces.number(REMOVED)? > 0, ..Expected::default() };
    for lying in spaces.buckets.entries(Cursor(0), Cursor(u64::MAX)) {
        let lying = lying?;
        report.entries += 1;
        let Some(entry) = report.take(decode::<Entry>(&lying.value, "a log entry")) else {
            continue;
        };
        let conversation = Conversation { app: entry.stamp.app, id: entry.conversation };
        if lying.cursor != entry.cursor {
            report.find(format!("log entry {} lies at another place", entry.cursor.0));
        }
        report.messages += u64::from(matches!(entry.event, Event::Message(_)));
        let head = expected.heads.entry(conversation).or_default();
        if entry.position != Position(head.position.0 + 1) && !expected.has_gaps {
            report.find(format!("log entry {} leaves a gap in its conversation", entry.cursor.0));
        }
        let time = head.time;
        if let Some((reference, backdated)) = head.apply(&entry, lying.day) {
            let imported = matches!(&entry.event, Event::Message(message) if message.flags.imported);
            if entry.time < time && !imported {
                report.find(format!("log entry {} goes back in time", entry.cursor.0));
            }
            expected.references.entry(conversation).or_default().push((reference, backdated));
        }
        for number in entry.concerns() {
            let account = Account { app: conversation.app, number };
            expected.streams.entry(account).or_default().push(entry.cursor);
        }
    }
    Ok(expected)
}

fn check_heads(spaces: &Spaces, expected: &Expected, report: &mut Report) -> Result<(), Fault> {
    for (conversation, head) in &expected.heads {
        let Some(stored) = report.take(spaces.head(*conversation)) else { continue };
        // Of entries that are gone the head knows more than the log.
        let agrees = match &stored {
            Some(stored) if expected.has_gaps => stored.position >= head.position,
            stored => stored.as_ref() == Some(head),
        };
        if !agrees {
            report
                .find(format!("the head of a conversation differs from its log at entry {}", head.cursor.0));
        }
        for (index, number) in conversation.id.sides().into_iter().enumerate() {
            let side = &stored.as_ref().unwrap_or(head).sides[index];
            let account = Account { app: conversation.app, number };
            let key = account.recent_key(side.active_at, conversation.id.peer_of(number));
            let is_there = spaces.recent.contains_key(key).map_err(|error| fault(&error))?;
            if is_there != side.is_listed() {
                report.find("a conversation list differs from the log".to_owned());
            }
        }
    }
    Ok(())
}

fn check_references(spaces: &Spaces, expected: &Expected, report: &mut Report) -> Result<(), Fault> {
    let mut stored: HashMap<Conversation, Vec<(Reference, bool)>> = HashMap::new();
    for bucket in spaces.buckets.all() {
        for (kind, backdated) in [(derived::REFERENCES, false), (derived::BACKDATED, true)] {
            for guard in bucket.derived.prefix([kind]) {
                let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
                let (Some((conversation, place)), Some(chunk)) =
                    (Conversation::of_place(&key), Reference::read_all(&value, bucket.day))
                else {
                    report.find("a chunk of references cannot be read".to_owned());
                    continue;
                };
                if chunk.first().map(|reference| reference.at) != Some(place) {
                    report.find("a chunk of references lies at another place".to_owned());
                }
                let list = stored.entry(conversation).or_default();
                list.extend(chunk.into_iter().map(|reference| (reference, backdated)));
            }
        }
    }
    for (conversation, wanted) in &expected.references {
        let mut found = stored.remove(conversation).unwrap_or_default();
        found.sort_by_key(|(reference, _)| reference.cursor);
        let same = found.len() == wanted.len()
            && found.iter().zip(wanted).all(|((one, late), (other, other_late))| {
                // Which came late cannot be told where an earlier message is gone.
                one == other && (late == other_late || expected.has_gaps)
            });
        if !same {
            report.find(format!(
                "a conversation has {} references for {} messages, or other ones",
                found.len(),
                wanted.len()
            ));
        }
    }
    if !stored.is_empty() {
        report.find(format!("{} conversations have references but no log", stored.len()));
    }
    Ok(())
}

fn check_streams(spaces: &Spaces, expected: &Expected, report: &mut Report) -> Result<(), Fault> {
    let mut stored: HashMap<Account, Vec<Cursor>> = HashMap::new();
    for bucket in spaces.buckets.all() {
        for guard in bucket.derived.prefix([derived::STREAM]) {
            let (key, chunk) = guard.into_inner().map_err(|error| fault(&error))?;
            let Some(account) = Account::of_stream_key(&key) else {
                report.find("a part of a stream belongs to nobody".to_owned());
                continue;
            };
            let cursors = chunk.chunks_exact(8).filter_map(|bytes| read_u64(bytes, 0)).map(Cursor);
            stored.entry(account).or_default().extend(cursors);
        }
    }
    for (account, wanted) in &expected.streams {
        let mut found = stored.remove(account).unwrap_or_default();
        found.sort_unstable();
        if expected.has_gaps {
            // What was removed before its bucket ended may still be named.
            found.retain(|cursor| wanted.binary_search(cursor).is_ok());
        }
        // That of an erased account is gone.
        let is_erased = expected.has_gaps && found.is_empty();
        if found != *wanted && !is_erased {
            report.find("an account's stream differs from the log".to_owned());
        }
    }
    if !stored.is_empty() && !expected.has_gaps {
        report.find(format!("{} accounts have a stream but no log", stored.len()));
    }
    Ok(())
}

fn check_amendments(spaces: &Spaces, report: &mut Report) -> Result<(), Fault> {
    for bucket in spaces.buckets.all() {
        for guard in bucket.derived.prefix([derived::AMENDMENT]) {
            let (key, value) = guard.into_inner().map_err(|error| fault(&error))?;
            let Some(amendment) = report.take(decode::<Amendment>(&value, "an amendment")) else {
                continue;
            };
            let Some((conversation, at)) = Conversation::of_place(&key) else {
                report.find("an amendment lies at no place".to_owned());
                continue;
            };
            let head = report.take(spaces.head(conversation)).flatten().unwrap_or_default();
            let found = report.take(spaces.reference_at(conversation, &head, at)).flatten();
            let Some(reference) = found else {
                report.find("an amendment belongs to no message".to_owned());
                continue;
            };
            let entry = report.take(spaces.entry(reference.day, reference.cursor)).flatten();
            if let Some(Event::Message(message)) = entry.map(|entry| entry.event)
                && amendment.revoker.is_some()
                && !message.content.bytes.is_empty()
            {
                report.find("a recalled message still has its text".to_owned());
            }
        }
    }
    Ok(())
}

fn check_records(spaces: &Spaces, report: &mut Report) -> Result<(), Fault> {
    let mut index_entries = 0_usize;
    for guard in spaces.records.iter() {
        let (_, value) = guard.into_inner().map_err(|error| fault(&error))?;
        report.records += 1;
        if let Some(record) = report.take(decode::<StoredRecord>(&value, "a record")) {
            index_entries += record.indexes.len();
        }
    }
    let mut found = 0;
    for guard in spaces.record_index.iter() {
        let full = guard.key().map_err(|error| fault(&error))?;
        found += 1;
        let record = key_in_index(&full).map(|key| [&full[..6], key].concat());
        let is_there = match record {
            Some(key) => spaces.records.contains_key(key).map_err(|error| fault(&error))?,
            None => false,
        };
        if !is_there {
            report.find("an index entry points to no record".to_owned());
        }
    }
    if found != index_entries {
        report.find(format!("records have {index_entries} index entries, the index holds {found}"));
    }
    Ok(())
}
