//! `cargo xtask tidy`: what no compiler checks.
//!
//! The checks are pure functions of the files that git knows or would add. What is excepted is listed, with a reason,
//! in [`exceptions`].

mod exceptions;
mod links;
mod rust;
mod source;
mod text;

use crate::failure::{During, Failure, Outcome};
use crate::shell::{self, Checkout};
use exceptions::{EXCEPTIONS, Exception};
use std::collections::BTreeSet;
use std::path::Path;

/// A file of the checkout; what is not text has no text.
struct File {
    path: String,
    text: String,
}

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    check: &'static str,
    says: String,
}

impl Finding {
    fn new(check: &'static str, file: &File, line: usize, says: impl Into<String>) -> Self {
        Self { path: file.path.clone(), line, check, says: says.into() }
    }
}

/// Fails if a file breaks a rule.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Outcome {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    check(&Checkout::find()?)
}

/// Fails if a file of this checkout breaks a rule.
pub(crate) fn check(checkout: &Checkout) -> Outcome {
    let files = files(checkout)?;
    let lines = judge(findings(&files), EXCEPTIONS);
    if lines.is_empty() {
        println!("{} files are tidy", files.len());
        return Ok(());
    }
    Err(Failure::new(format!("{} places are not tidy:\n  {}", lines.len(), lines.join("\n  "))))
}

/// The files that git has or would add, without those deleted in the work tree.
fn files(checkout: &Checkout) -> Outcome<Vec<File>> {
    let list = shell::output(&mut {
        let mut git = checkout.command("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        git
    })?;
    let paths: BTreeSet<&str> = list.split('\0').filter(|path| !path.is_empty()).collect();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let place = checkout.root.join(path);
        if !place.is_file() || place.is_symlink() {
            continue;
        }
        let bytes = std::fs::read(&place).during(|| format!("cannot read {path}"))?;
        files.push(File { path: path.to_owned(), text: String::from_utf8(bytes).unwrap_or_default() });
    }
    Ok(files)
}

/// Everything that breaks a rule, exceptions included.
fn findings(files: &[File]) -> Vec<Finding> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut found = Vec::new();
    for file in files {
        text::check(file, &mut found);
        match Path::new(&file.path).extension().and_then(|extension| extension.to_str()) {
            Some("rs") => rust::check(file, files, &mut found),
            Some("md") => links::check(file, &paths, &mut found),
            _ => {}
        }
    }
    found.sort();
    found
}

/// A line for each finding that is not excepted, and for each exception that excepts nothing.
fn judge(findings: Vec<Finding>, exceptions: &[Exception]) -> Vec<String> {
    let mut used = vec![false; exceptions.len()];
    let mut lines = Vec::new();
    for finding in findings {
        match exceptions.iter().position(|exception| exception.covers(&finding)) {
            Some(index) => used[index] = true,
            None => {
                lines.push(format!("{}:{}: {} ({})", finding.path, finding.line, finding.says, finding.check))
            }
        }
    }
    for (exception, used) in exceptions.iter().zip(used) {
        if !used {
            lines.push(format!(
                "exceptions.rs: {} no longer needs its exception from {}",
                exception.path, exception.check
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs every check over planted files; returns `path:line check` of each finding.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> =
            files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() }).collect();
        findings(&files).iter().map(|one| format!("{}:{} {}", one.path, one.line, one.check)).collect()
    }

    #[test]
    fn clean_files_have_no_findings() {
        let clean = [
            ("README.md", "# House\n\n[a](docs/a.md#part) [b](https://example.org/x) `[c](no)`\n"),
            ("docs/a.md", "[up](../README.md) [folder](../docs) ![x](<a.md>)\n"),
            ("commands/message/src/send.rs", "//! Sends.\n\n#[cfg(test)]\nmod tests {}\n"),
            ("commands/message/src/recall.rs", "//! Recalls.\n"),
            ("commands/message/src/recall_tests.rs", "//! Tests of it.\n"),
        ];
        assert_eq!(found(&clean), Vec::<String>::new());
    }

    #[test]
    fn every_planted_violation_is_found_once() {
        let long = "//! Long.\n".to_owned() + &"\n".repeat(500);
        let work = concat!("see /wo", "rk/main\n");
        let planted: &[(&str, &str, &str)] = &[
            ("crates/a/src/lib.rs", &long, "crates/a/src/lib.rs:501 length"),
            ("a.rs", "fn a() {\n    todo!()\n}\n", "a.rs:2 leftover"),
            ("a.rs", "fn a() {\n    dbg!(1);\n}\n", "a.rs:2 leftover"),
            ("a.rs", "fn a() {\n    unimplemented!()\n}\n", "a.rs:2 leftover"),
            ("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}\n", "a.rs:2 ignored-test"),
            ("a.rs", "#[cfg(test)]\nmod tests {\n    fn a() { std::thread::sleep(d); }\n}\n", "a.rs:3 sleep"),
            (
                "crates/a/tests/b.rs",
                "use tokio::time::sleep;\nasync fn a() { sleep(d).await }\n",
                "crates/a/tests/b.rs:2 sleep",
            ),
            ("a.md", "a\tb\n", "a.md:1 whitespace"),
            ("a.toml", "a = 1 \n", "a.toml:1 whitespace"),
            ("a.md", "a", "a.md:1 whitespace"),
            ("a.md", work, "a.md:1 machine-path"),
            (
                "a/package-lock.json",
                "{\n\"resolved\": \"https://mirror.example/x.tgz\"\n}\n",
                "a/package-lock.json:2 registry",
            ),
            ("Cargo.lock", "source = \"registry+https://mirror.example/index\"\n", "Cargo.lock:1 registry"),
            (".npmrc", "registry=https://mirror.example/\n", ".npmrc:1 registry"),
            (
                "commands/a/src/b.rs",
                "use x;\n#[cfg(test)]\nmod tests {}\n",
                "commands/a/src/b.rs:1 command-file",
            ),
            ("commands/a/src/b.rs", "//! B.\nSpec::new(\"a/b\", F)\n", "commands/a/src/b.rs:1 command-tests"),
            ("a.md", "\n[x](gone.md)\n", "a.md:2 link"),
            ("docs/a.md", "[x]: ../gone.md\n", "docs/a.md:1 link"),
        ];
        for (path, text, expected) in planted {
            assert_eq!(found(&[(path, text)]), [*expected], "{text}");
        }
    }

    #[test]
    fn words_in_comments_strings_and_code_blocks_are_no_violations() {
        let harmless = [
            ("a.rs", "// todo!() later\nfn a() -> &'static str {\n    \"dbg!(1) #[ignore]\"\n}\n"),
            ("b.rs", "fn wait() { std::thread::sleep(d) }\n"),
            ("c.md", "```text\n[x](gone.md)\n```\n"),
            ("d.rs", "#[cfg(test)]\nmod tests {\n    fn a() { world.sleep(1); }\n}\n"),
        ];
        assert_eq!(found(&harmless), Vec::<String>::new());
    }

    #[test]
    fn an_exception_covers_its_check_in_its_place_and_must_be_needed() {
        let finding =
            |path: &str| Finding { path: path.into(), line: 1, check: "sleep", says: String::new() };
        let exceptions = [
            Exception { check: "sleep", path: "apps/a/tests/", reason: "" },
            Exception { check: "sleep", path: "apps/b.rs", reason: "" },
        ];
        let lines = judge(vec![finding("apps/a/tests/x.rs"), finding("apps/c.rs")], &exceptions);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("apps/c.rs:1") && lines[1].contains("apps/b.rs no longer needs"));
    }
}
