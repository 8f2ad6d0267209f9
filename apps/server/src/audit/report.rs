//! What an audit found, as JSON and in words.

use std::collections::BTreeMap;

use embedded::Count;
use model::Seconds;
use promise::keys::{Keyring, Place};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::Outcome;

/// How long a purge may be due.
const PURGE_SECONDS: u32 = 3600;

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Report {
    /// Items of each class.
    pub(super) classes: BTreeMap<String, Count>,
    /// What belongs to nothing that the program knows.
    pub(super) unknown: Vec<String>,
    /// What is sealed. `None` where no keyring was looked at.
    pub(super) sealed: Option<Tally>,
    /// Legal holds in effect, and how many copies they and floors keep.
    pub(super) holds: u64,
    pub(super) preserved_copies: u64,
    /// The places of the keyring.
    pub(super) keyring: Vec<KeyPlace>,
    /// Whether all of them hold the same generation of keys.
    pub(super) same_generation: bool,
    /// That something was removed which files may still hold.
    pub(super) purge_due: Option<PurgeDue>,
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Which text was found in which form where.
    pub(super) found: Vec<Value>,
    /// Where there was too much packed data to search it.
    pub(super) unsearched: Vec<String>,
    /// Whether all is as it should be.
    pub(super) clean: bool,
}

/// Sealed items.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Messages, records and objects.
    items: u64,
    /// Blocks of the request log and of the counters of calls: how many there are depends on how fast the machine is.
    blocks: u64,
    /// Those among all of them whose keys are gone.
    keys_gone: u64,
}

impl Tally {
    /// Counts an item; one that was emptied is none.
    pub(super) fn add(&mut self, ring: &Keyring, place: Place, sealed: &model::Sealed) {
        if !sealed.bytes.is_empty() {
            self.items += 1;
            self.keys_gone += u64::from(ring.open_bytes(place, sealed).is_none());
        }
    }

    /// Counts a block of a segment.
    pub(super) fn add_block(&mut self, ring: &Keyring, place: Place, sealed: &model::Sealed) {
        self.blocks += 1;
        self.keys_gone += u64::from(ring.open_bytes(place, sealed).is_none());
    }
}

/// A place of the keyring.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeyPlace {
    pub(super) place: String,
    /// The generation of keys in it; `None` if there is none.
    pub(super) generation: Option<u64>,
}

/// A purge that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PurgeDue {
    /// At the latest since then; `None` if nothing is known about that.
    pub(super) since: Option<Seconds>,
}

impl Report {
    /// Says whether all is as it should be. `generation` is the newest one that is known of.
    pub(super) fn judge(&mut self, generation: u64, now: Seconds) {
        let first = self.keyring.first().and_then(|place| place.generation);
        self.same_generation = self.keyring.iter().all(|place| place.generation == first);
        // In a place that is behind keys live that were destroyed.
        let is_behind = self.keyring.iter().any(|place| place.generation.unwrap_or(0) < generation);
        let is_late = |due: PurgeDue| due.since.is_some_and(|since| since.plus(PURGE_SECONDS) <= now);
        self.clean = self.unknown.is_empty()
            && self.found.is_empty()
            && self.unsearched.is_empty()
            && self.classes.values().all(|count| count.overdue == 0)
            && !is_behind
            && !self.purge_due.is_some_and(is_late);
    }

    pub(super) fn json(&self) -> Outcome<String> {
        serde_json::to_string(self).map_err(|error| format!("cannot write the report: {error}"))
    }

    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!("{} files, {} bytes", self.files, self.bytes)];
        for (class, count) in &self.classes {
            let Count { items, expired, overdue, oldest } = count;
            let oldest = oldest.map_or_else(String::new, |oldest| format!(", the oldest of {}", oldest.0));
            let expired = match expired {
                0 => String::new(),
                expired => format!(", {expired} expired and waiting for the end of their bucket"),
            };
            lines.push(format!("{class}: {items} items, {overdue} overdue{expired}{oldest}"));
        }
        lines.push(match &self.sealed {
            Some(Tally { items, blocks, keys_gone }) => {
                format!("sealed: {items} items, {blocks} blocks of logs, the keys of {keys_gone} are gone")
            }
            None => "sealed: not looked at, there is no keyring".to_owned(),
        });
        lines.push(format!("legal holds: {}, copies that law keeps: {}", self.holds, self.preserved_copies));
        lines.push(self.keyring_text());
        if let Some(due) = self.purge_due {
            let since = due.since.map_or_else(
                || "since when is not known".to_owned(),
                |since| format!("since {} or longer", since.0),
            );
            lines.push(format!("purge: due, files may still hold what was removed; {since}"));
        }
        lines.push(format!("unknown: {}", self.unknown.len()));
        lines.extend(self.unknown.iter().map(|what| format!("  {what}")));
        lines.extend(self.found.iter().map(|found| format!("found: {found}")));
        lines.extend(
            self.unsearched.iter().map(|place| format!("too much packed data to search it: {place}")),
        );
        lines.join("\n")
    }

    fn keyring_text(&self) -> String {
        let said = self.keyring.iter().map(|KeyPlace { place, generation }| match generation {
            Some(generation) => format!("{place}: generation {generation}"),
            None => format!("{place}: no keys"),
        });
        let mut said = said.collect::<Vec<_>>();
        if said.len() > 1 {
            said.push(if self.same_generation { "the same" } else { "not the same" }.to_owned());
        }
        said.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(change: impl FnOnce(&mut Report)) -> bool {
        let place = |place: &str| KeyPlace { place: place.to_owned(), generation: Some(7) };
        let mut report = Report { keyring: vec![place("keyring"), place("mirror")], ..Report::default() };
        change(&mut report);
        report.judge(7, Seconds(10_000));
        report.clean
    }

    #[test]
    fn what_should_not_be_there_is_not_clean() {
        type Case = (bool, fn(&mut Report));
        let cases: [Case; 10] = [
            (true, |_| {}),
            (false, |report| report.unknown.push("file notes.txt".to_owned())),
            (false, |report| report.found.push(Value::Null)),
            (false, |report| report.unsearched.push("a file".to_owned())),
            (true, |report| report.classes.entry("log".to_owned()).or_default().expired = 1),
            (false, |report| report.classes.entry("log".to_owned()).or_default().overdue = 1),
            (true, |report| report.purge_due = Some(PurgeDue { since: None })),
            (true, |report| report.purge_due = Some(PurgeDue { since: Some(Seconds(6401)) })),
            (false, |report| report.purge_due = Some(PurgeDue { since: Some(Seconds(6400)) })),
            (false, |report| report.keyring[1].generation = Some(6)),
        ];
        for (index, (expected, change)) in cases.into_iter().enumerate() {
            assert_eq!(judged(change), expected, "{index}");
        }
    }

    #[test]
    fn a_report_says_what_it_found_and_comes_back_from_json() {
        let mut report = Report { purge_due: Some(PurgeDue { since: None }), ..Report::default() };
        report.keyring.push(KeyPlace { place: "keyring".to_owned(), generation: Some(7) });
        report.keyring.push(KeyPlace { place: "mirror".to_owned(), generation: None });
        report
            .classes
            .entry("log".to_owned())
            .or_default()
            .add(embedded::Standing::Expired, Some(Seconds(5)));
        report.judge(7, Seconds(0));
        let text = report.text();
        for said in [
            "log: 1 items, 0 overdue, 1 expired and waiting for the end of their bucket, the oldest of 5",
            "keyring: generation 7, mirror: no keys, not the same",
            "purge: due, files may still hold what was removed; since when is not known",
        ] {
            assert!(text.lines().any(|line| line == said), "{text}");
        }
        let again: Report = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(again.text(), text);
        assert!(!again.clean);
    }
}
