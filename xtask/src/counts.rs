//! How many tests ran, read from what the test runners print.

use std::ops::AddAssign;

/// Who printed the lines.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    /// `cargo test`.
    Cargo,
    /// `node --test`, in both of its reports, or Playwright.
    Node,
}

/// Tests that passed, failed and were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Tests that held.
    pub(crate) passed: u64,
    /// Tests that did not.
    pub(crate) failed: u64,
    /// Tests that exist and did not run, which counts as a failure.
    pub(crate) skipped: u64,
}

impl Counts {
    /// One check that held.
    pub(crate) const ONE: Self = Self { passed: 1, failed: 0, skipped: 0 };

    /// Adds what one line of output reports; most lines report nothing.
    pub(crate) fn read(&mut self, format: Format, line: &str) {
        let plain = without_colours(line);
        let line = plain.trim();
        match format {
            Format::Cargo => self.read_cargo(line),
            Format::Node => self.read_node(line),
        }
    }

    /// `test result: ok. 12 passed; 0 failed; 0 ignored; …`
    fn read_cargo(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result: ") else {
            return;
        };
        for part in rest.split([';', '.']) {
            self.add_pair(part);
        }
    }

    /// `ℹ pass 5` or `# pass 5` from node, `5 passed (3.2s)` from Playwright.
    fn read_node(&mut self, line: &str) {
        match line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) {
            Some(rest) => {
                if let [word, number] = rest.split(' ').collect::<Vec<_>>()[..] {
                    self.add(word, number);
                }
            }
            None => self.add_pair(line),
        }
    }

    fn add_pair(&mut self, text: &str) {
        let mut words = text.split_whitespace();
        if let (Some(number), Some(word)) = (words.next(), words.next())
            && words.next().is_none_or(|rest| rest.starts_with('('))
        {
            self.add(word, number);
        }
    }

    fn add(&mut self, word: &str, number: &str) {
        let Ok(number) = number.parse::<u64>() else { return };
        match word {
            "passed" | "pass" => self.passed += number,
            "failed" | "fail" | "cancelled" | "flaky" | "interrupted" => self.failed += number,
            "ignored" | "skipped" | "todo" => self.skipped += number,
            _ => {}
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The line without terminal colours (`ESC [ … letter`).
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            plain.push(character);
            continue;
        }
        for skipped in characters.by_ref() {
            if skipped.is_ascii_alphabetic() {
                break;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_runner() {
        let cargo = "running 3 tests\ntest a::passed ... ok\n\
            test result: FAILED. 7 passed; 1 failed; 2 ignored; 0 measured; 4 filtered out; finished in 0.02s\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        let tap = "TAP version 13\nok 1 - sends\n# tests 6\n# suites 0\n# pass 4\n# fail 1\n# cancelled 0\n\
            # skipped 1\n# todo 0\n# duration_ms 52.3\n# told by a test: pass 9 times\n";
        let spec = "✔ sends (1.2ms)\nℹ tests 4\n\u{1b}[34mℹ pass 4\u{1b}[39m\nℹ fail 0\nℹ skipped 0\n";
        let playwright = "Running 6 tests using 1 worker\n  1 failed\n  1 skipped\n  5 passed (3.2s)\n";
        let table = [
            (Format::Cargo, cargo, (10, 1, 2)),
            (Format::Node, tap, (4, 1, 1)),
            (Format::Node, spec, (4, 0, 0)),
            (Format::Node, playwright, (5, 1, 1)),
            (Format::Node, "3 passed by and nobody saw\n", (0, 0, 0)),
        ];
        for (format, text, (passed, failed, skipped)) in table {
            let mut counts = Counts::default();
            text.lines().for_each(|line| counts.read(format, line));
            assert_eq!(counts, Counts { passed, failed, skipped }, "{text}");
        }
    }
}
