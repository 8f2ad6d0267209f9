//! `api/data-map.md`: everything that is at rest, whose it is, how long it is kept, where it lies.

use super::{literal, markdown_table};

/// What is said of a kind of record, whose class the code knows.
struct Row {
    name: &'static str,
    subject: &'static str,
    kept: &'static str,
}

const fn row(name: &'static str, subject: &'static str, kept: &'static str) -> Row {
    Row { name, subject, kept }
}

const ACCOUNT: &str = "the account";
const NOBODY: &str = "nobody";
const WHILE_ACCOUNT: &str = "while the account exists";
const WHILE_APP: &str = "while the app exists: until two months after its termination";

/// One row for each kind.
const RECORDS: &[Row] = &[
    row("app", NOBODY, WHILE_APP),
    row("installation", NOBODY, "while the installation exists"),
    row("account", ACCOUNT, WHILE_ACCOUNT),
    row("profile", ACCOUNT, "the app's days (7) after the last use, to the full hour; value sealed"),
    row(
        "instance",
        ACCOUNT,
        "a day longer than the signature that opened it, at most while the account exists",
    ),
    row("block list entry", ACCOUNT, WHILE_ACCOUNT),
    row("conversation settings", ACCOUNT, WHILE_ACCOUNT),
    row("status subscription", ACCOUNT, WHILE_ACCOUNT),
    row("revoked name", "nobody: a hash of the name", "366 days after the revocation"),
    row(
        "recalled message",
        "the author",
        "until the next generation of keys, at most until the message's bucket is over",
    ),
    row(
        "erased account",
        "the erased account, by number and commitment",
        "until its last ciphertext has aged out; its name until its rows are deleted",
    ),
    row("proposed retention", NOBODY, "an hour, or until it is applied"),
    row("shortened retention", NOBODY, "two days longer than the former retention"),
    row("changed retention", NOBODY, WHILE_APP),
    row("receipt", "nobody: a commitment", "for ever"),
    row("number of an erased app", "nobody: a salted hash", "for ever"),
    row(
        "legal hold",
        "whom it is about (names and reason sealed)",
        "until somebody ends it, then until its keys are destroyed",
    ),
    row(
        "preserved copy",
        "the author (sealed)",
        "for the days of the floor, or until somebody ends the hold; no command reads it",
    ),
    row("access to preserved copies", "nobody; who read what and why", "ten years"),
    row("export", ACCOUNT, "7 days, at most while the account exists; holds no copy"),
    row(
        "erased conversation",
        "both accounts, by number and commitment",
        "until its last ciphertext has aged out",
    ),
    row(
        "changed settings",
        "nobody; names the administrator who changed them, and the app's administrators, also once their accounts are erased",
        "the newest thousand, while the app exists",
    ),
    row("friend", "the account whose list it is", WHILE_ACCOUNT),
    row("relations", "the account", WHILE_ACCOUNT),
    row("follow", "who follows", "while both accounts exist"),
    row("follow counts", ACCOUNT, WHILE_ACCOUNT),
    row("conversation groups", ACCOUNT, WHILE_ACCOUNT),
    row("do not disturb", ACCOUNT, WHILE_ACCOUNT),
    row(
        "message extension",
        "who set it",
        "as long as the message, or until its key is set anew; key and value sealed; a deleted one leaves its key, sealed",
    ),
    row("message annotations", "both sides, by number", "as long as the message; numbers alone"),
    row("reaction", "whose it is", "as long as the message, or until it is taken back; text sealed"),
    row("robot", ACCOUNT, WHILE_ACCOUNT),
    row("local keyword", NOBODY, WHILE_APP),
    row(
        "merged messages",
        "who merged them",
        "the app's days (7) after they were stored, at most while the account exists; value sealed",
    ),
    row("daily statistics", NOBODY, "30 days; sealed sketches of who was active until another day begins"),
    row("application for friendship", "the account whose view it is", "until it is answered or deleted"),
    row(
        "open stream",
        "who sends it",
        "until it ends: 15 seconds after its newest piece, or with the next start",
    ),
    row("piece of a stream", "who sends it", "as the open stream; text sealed"),
    row(
        "merged messages of a day",
        ACCOUNT,
        "until the day is over, at most while the account exists; a number alone",
    ),
    row("progress of search", NOBODY, "while the installation exists; numbers alone"),
    row("search index", "nobody; numbers and times alone", "until its bucket is over, or it is made anew"),
];

/// What is no record: what, class, subject, kept, place.
const OTHERS: &[[&str; 5]] = &[
    [
        "message: its elements, custom data, push options (sealed); numbers, names, time",
        "Message text, photo, audio, video or file, by the weightiest element",
        "the author",
        "the app's days (7) after its time",
        "`store`, key space `log-DAY`",
    ],
    [
        "recall, receipt, one-sided deletion",
        "Account",
        "who did it",
        "as long as the message that it is about",
        "`store`, key space `log-DAY`",
    ],
    [
        "read mark and clearing of a conversation, as an event",
        "Account",
        "who did it",
        "7 days",
        "`store`, key space `log-DAY`",
    ],
    [
        "references, streams, message states",
        "Message derived",
        "both sides",
        "as what they refer to",
        "`store`, key space `derived-DAY`",
    ],
    [
        "head of a conversation: numbers, read marks, time of the last message",
        "Account",
        "both sides",
        "while one of the accounts exists",
        "`store`, key spaces `heads`, `recent`",
    ],
    [
        "index entries and ends of records",
        "that of the record",
        "that of the record",
        "as the record",
        "`store`, key spaces `record_index`, `record_ends`",
    ],
    [
        "counters; retention that was shortened",
        "Configuration",
        "nobody",
        "while the installation exists",
        "`store`, key spaces `meta`, `padding`",
    ],
    [
        "the engine's journal",
        "all of the store",
        "all of the store",
        "until what it holds lies in tables; purged of what ended when a bucket is dropped",
        "`store/*.jnl`",
    ],
    [
        "request: address, command, time, result and cause, duration (sealed)",
        "Log",
        "nobody",
        "7 days, to the full hour",
        "`segments/1-APP-HOUR`",
    ],
    [
        "success and delay by app, command and minute (sealed)",
        "Monitoring",
        "nobody",
        "2 days, to the full hour",
        "`segments/2-APP-HOUR`",
    ],
    [
        "copies of the request log that a law demands (sealed)",
        "Preserved",
        "nobody",
        "the days of the floor, to the full hour",
        "`segments/13-APP-HOUR of the end`",
    ],
    [
        "index of an app's messages: their words and where they stand (sealed)",
        "Message derived",
        "those who wrote them",
        "until the day is over in which they end; without what was recalled or erased after the next generation of keys",
        "`blobs/12-APP-0-END-NAME`",
    ],
    [
        "keys of everything sealed",
        "Configuration",
        "nobody",
        "until destroyed, at most as what they seal",
        "`DIR.keys`, `keys.mirror`",
    ],
    [
        "what the next generations destroy: numbers of accounts and of keys",
        "Account",
        "the account",
        "until its keys are destroyed",
        "`DIR.keys/doomed`, `keys.mirror/doomed`",
    ],
    [
        "what an account says of itself beside its status",
        "Account",
        "the account",
        "not at rest: in memory, for 7 days, at most while the account exists",
        "",
    ],
    [
        "messages and profiles of apps that store none",
        "Message, Profile",
        "the author",
        "not at rest: in memory while connected",
        "",
    ],
];

/// The document.
pub(super) fn document() -> String {
    let kinds = engine::facts::kinds();
    let records = kinds.iter().filter_map(|kind| {
        let said = RECORDS.iter().find(|row| row.name == kind.name)?;
        Some([
            kind.name.to_owned(),
            kind.class.name().to_owned(),
            said.subject.to_owned(),
            said.kept.to_owned(),
            format!("{} kind {}", literal("records"), kind.id),
        ])
    });
    let others = OTHERS.iter().map(|row| row.map(str::to_owned));
    let head = ["what", "class", "whose", "kept", "where"];
    format!(
        "# Data map\n\nEverything that is at rest. Generated; `whimbrel audit` reports what is at rest and not in it. What has \
         ended is invisible at once; its bytes leave every file when the day (UTC) or the bucket in which it ended is over.\n\n\
         ## Records\n\n{}\n## Everything else\n\n{}",
        markdown_table(head, records),
        markdown_table(head, others)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_record_is_in_the_map_and_nothing_else() {
        let known: Vec<&str> = engine::facts::kinds().iter().map(|kind| kind.name).collect();
        let said: Vec<&str> = RECORDS.iter().map(|row| row.name).collect();
        assert_eq!(said, known);
    }
}
