//! Rules for Rust files: length, leftovers, tests, and the shape of a command's file.

use super::source::{mask, test_lines};
use super::{File, Finding};

const LINES_MAX: usize = 500;

/// What a draft leaves behind.
const LEFTOVERS: &[&str] = &["todo!", "dbg!", "unimplemented!"];

/// Crates that are test code as a whole.
const TEST_CRATES: &[&str] = &["crates/testkit/", "crates/fuzzing/", "crates/simulator/"];

/// Finds what no Rust file may hold.
pub(super) fn check(file: &File, files: &[File], found: &mut Vec<Finding>) {
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        found.push(Finding::new("length", file, lines, format!("more than {LINES_MAX} lines")));
    }
    let masked = mask(&file.text);
    let tests = test_lines(&masked);
    let all_tests = is_test_file(&file.path);
    for (index, line) in masked.lines().enumerate() {
        let mut report = |check, says: String| found.push(Finding::new(check, file, index + 1, says));
        if let Some(word) = LEFTOVERS.iter().find(|word| has_word(line, word)) {
            report("leftover", format!("`{word}` is for drafts"));
        }
        if line.contains("#[ignore") || (line.contains("cfg_attr") && has_word(line, "ignore")) {
            report(
                "ignored-test",
                "assert what happens today, with a FIXME, instead of ignoring the test".into(),
            );
        }
        let in_test = all_tests || tests.iter().any(|range| range.contains(&index));
        if in_test && sleeps(line) {
            report("sleep", "a test moves the clock instead of sleeping".into());
        }
    }
    if is_command_file(&file.path) {
        check_command(file, &masked, files, found);
    }
}

fn is_test_file(path: &str) -> bool {
    path.contains("/tests/")
        || path.ends_with("_tests.rs")
        || path.ends_with("/tests.rs")
        || TEST_CRATES.iter().any(|folder| path.starts_with(folder))
}

/// `commands/<noun>/src/<command>.rs`; the index `lib.rs` and files of tests are none.
fn is_command_file(path: &str) -> bool {
    path.starts_with("commands/")
        && path.contains("/src/")
        && !path.ends_with("/lib.rs")
        && !is_test_file(path)
}

fn check_command(file: &File, masked: &str, files: &[File], found: &mut Vec<Finding>) {
    if !file.text.starts_with("//! ") {
        found.push(Finding::new(
            "command-file",
            file,
            1,
            "the first line says what the command does (`//! …`)",
        ));
    }
    if masked.contains("#[cfg(test)]") && masked.contains("mod tests") {
        return;
    }
    let Some((noun, _)) = file.path.split_once("/src/") else { return };
    let tests: Vec<&File> =
        files.iter().filter(|other| other.path.starts_with(&format!("{noun}/tests/"))).collect();
    for name in names(&file.text) {
        // Over REST the name has a slash, over the socket a dot.
        let forms = [format!("\"{name}\""), format!("\"{}\"", name.replace('/', "."))];
        if !tests.iter().any(|test| forms.iter().any(|form| test.text.contains(form))) {
            found.push(Finding::new("command-tests", file, 1, format!("no test of its crate calls {name}")));
        }
    }
}

/// The commands that a file declares.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split("Spec::new(\"").skip(1).filter_map(|rest| rest.split('"').next())
}

/// Whether the word stands in the line by itself.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let is_name = |one: char| one.is_alphanumeric() || one == '_';
        !line[..at].ends_with(is_name) && !line[at + word.len()..].starts_with(is_name)
    })
}

/// Whether the line calls a free function `sleep` or `sleep_until`; a method is somebody's own clock.
fn sleeps(line: &str) -> bool {
    ["sleep(", "sleep_until("].iter().any(|call| {
        line.match_indices(call).any(|(at, _)| {
            let before = &line[..at];
            !before.ends_with(|one: char| one.is_alphanumeric() || "_.".contains(one))
                && !before.ends_with("fn ")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_sleeping_from_clocks() {
        for (line, expected) in [
            ("thread::sleep(pause);", true),
            ("tokio::time::sleep_until(then).await;", true),
            ("sleep(pause).await;", true),
            ("clock.sleep(pause).await;", false),
            ("async fn sleep(&self) {}", false),
            ("oversleep(1)", false),
        ] {
            assert_eq!(sleeps(line), expected, "{line}");
        }
    }

    #[test]
    fn knows_the_files_of_commands() {
        for (path, expected) in [
            ("commands/message/src/openim_sendmsg.rs", true),
            ("commands/message/src/lib.rs", false),
            ("commands/message/src/openim_sendmsg_tests.rs", false),
            ("commands/message/tests/all.rs", false),
            ("crates/engine/src/send.rs", false),
        ] {
            assert_eq!(is_command_file(path), expected, "{path}");
        }
    }
}
