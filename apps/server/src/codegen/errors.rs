//! `api/errors.md`: every error, and what answers it.

use std::collections::{BTreeMap, BTreeSet};

use command::Table;
use model::ErrorCode;

use super::{answers, markdown_table};

const HEAD: &str = "# Errors

Generated from the code by `cargo xtask codegen`; do not edit.

A call that fails is answered with `ActionStatus` `FAIL`, the number in `ErrorCode` and, in `ErrorInfo`, what was wrong
with which field; over REST with HTTP status 200. A number keeps its meaning for ever; a sentence may be improved, so match on
numbers. Where one number has several rows, the command that answers says which is meant. The numbers from 200000 on are
ours; the others are those of the documented service.

";

const NEVER_HEAD: &str = "
## Documented numbers that are never answered here, and why

";

/// Documented numbers without an error of their own: what the documents say, and why nothing answers them.
const NEVER: &[(i64, &str, &str)] = &[
    (
        30_002,
        "the app differs, or the account is illegal",
        "names of another form are 30001, unknown ones 30003",
    ),
    (
        30_007,
        "timeout of relations",
        "a store that fails is 30006 at once; there is no other server to wait for",
    ),
    (31_211, "not a friend, in an older `friend_get_list`", "30001, as in the newer documents"),
    (31_307, "the block list is full, in older documents", "30013"),
    (31_707, "a deletion of friends was filtered", "nothing filters deletions"),
    (
        32_218,
        "a friend list cannot be changed (its sense is not documented)",
        "30001, 30011, 32207 and 32216 say what is wrong",
    ),
    (50_005, "timeout of conversations", "50004, as for 30007"),
];

/// The document.
pub(super) fn document(table: &Table) -> String {
    let answered = answered(table);
    let rows = ErrorCode::ALL.iter().map(|code| {
        let by = answered.get(code).map_or_else(
            || "reserved: nothing answers it yet".to_owned(),
            |places| places.iter().cloned().collect::<Vec<_>>().join(", "),
        );
        let ours = if code.is_ours() { "ours" } else { "" };
        [code.number().to_string(), code.name().to_owned(), ours.to_owned(), code.sentence().to_owned(), by]
    });
    let never =
        NEVER.iter().map(|(number, what, why)| [number.to_string(), (*what).to_owned(), (*why).to_owned()]);
    HEAD.to_owned()
        + &markdown_table(["number", "name", "", "what it means", "answered by"], rows)
        + NEVER_HEAD
        + &markdown_table(["number", "what the documents say", "why not here"], never)
}

/// What answers each error: commands, and what stands around them.
fn answered(table: &Table) -> BTreeMap<ErrorCode, BTreeSet<String>> {
    let mut answered: BTreeMap<ErrorCode, BTreeSet<String>> = BTreeMap::new();
    let mut note = |code: ErrorCode, place: &str| {
        answered.entry(code).or_default().insert(place.to_owned());
    };
    for (codes, place) in [
        (answers::BEFORE_REST, "*every REST call*"),
        (answers::PIPELINE_REST, "*every REST call*"),
        (answers::BEFORE_SOCKET, "*every frame*"),
        (answers::PIPELINE_SOCKET, "*every frame*"),
        (answers::COMMAND_LINE, "*the command line*"),
    ] {
        codes.iter().for_each(|code| note(*code, place));
    }
    for command in table.all() {
        let spec = command.spec();
        let name = format!("`{}`", spec.name);
        for code in answers::of_command(command) {
            note(code, &name);
        }
        // An account that calls what is for administrators.
        if !spec.callers.account {
            note(spec.family.not_administrator, &name);
        }
    }
    answered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_row_and_ours_are_marked() {
        let text = document(&crate::commands::table());
        for code in ErrorCode::ALL {
            let row = format!("| {} | {} |", code.number(), code.name());
            let line = text.lines().find(|line| line.starts_with(&row)).unwrap();
            assert_eq!(line.contains("| ours |"), code.is_ours(), "{line}");
        }
    }

    #[test]
    fn what_is_never_answered_is_no_error() {
        let text = document(&crate::commands::table());
        for (number, what, _) in NEVER {
            assert!(ErrorCode::ALL.iter().all(|code| code.number() != *number), "{number}");
            assert!(text.contains(&format!("| {number} | {what} |")), "{number}");
        }
    }

    #[test]
    fn what_nothing_answers_is_known() {
        let answered = answered(&crate::commands::table());
        let reserved: Vec<&str> = ErrorCode::ALL
            .iter()
            .filter(|code| !answered.contains_key(*code))
            .map(|code| code.name())
            .collect();
        assert_eq!(reserved, Vec::<&str>::new());
    }
}
