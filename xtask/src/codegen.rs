//! `cargo xtask codegen`: api/ is written by the code that it describes.

use crate::failure::{During, Failure, Outcome};
use crate::shell::{self, Checkout};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How the task is called.
pub(crate) const USAGE: &str = "cargo xtask codegen [--check]

  --check   change nothing; fail if api/ is not what the code would write";

/// Writes api/, or with `--check` compares it.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Outcome {
    let mut only_check = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("check") => only_check = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let checkout = Checkout::find()?;
    if only_check { check(&checkout) } else { generate(&checkout, &checkout.root.join("api")) }
}

/// Fails if api/ is not what the code would write.
pub(crate) fn check(checkout: &Checkout) -> Outcome {
    let fresh = checkout.target.join("codegen-check");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh).during(|| format!("cannot clear {}", fresh.display()))?;
    }
    std::fs::create_dir_all(&fresh).during(|| format!("cannot make {}", fresh.display()))?;
    generate(checkout, &fresh)?;
    let stale = differences(&contents(&checkout.root.join("api"))?, &contents(&fresh)?);
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("api/ is stale; run `cargo xtask codegen`:\n  {}", stale.join("\n  "))))
}

fn generate(checkout: &Checkout, into: &Path) -> Outcome {
    shell::run(
        checkout
            .cargo(&["run", "-q", "-p", "server", "--bin", "whimbrel", "--", "internal-codegen", "--out"])
            .arg(into),
    )
}

type Contents = BTreeMap<PathBuf, Vec<u8>>;

/// Every file below a folder.
fn contents(folder: &Path) -> Outcome<Contents> {
    let mut found = Contents::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries = std::fs::read_dir(&next).during(|| format!("cannot list {}", next.display()))?;
        for entry in entries {
            let path = entry.during(|| format!("cannot list {}", next.display()))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).during(|| format!("cannot read {}", path.display()))?;
            found.insert(path.strip_prefix(folder).unwrap_or(&path).to_owned(), bytes);
        }
    }
    Ok(found)
}

/// A line for each file that is missing, left over, or different.
fn differences(committed: &Contents, fresh: &Contents) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, bytes) in fresh {
        match committed.get(path) {
            None => lines.push(format!("{}: missing", path.display())),
            Some(old) if old != bytes => {
                lines.push(format!("{}: differs from line {}", path.display(), first_difference(old, bytes)));
            }
            Some(_) => {}
        }
    }
    for path in committed.keys().filter(|path| !fresh.contains_key(*path)) {
        lines.push(format!("{}: nothing generates it", path.display()));
    }
    lines
}

fn first_difference(old: &[u8], new: &[u8]) -> usize {
    let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    1 + old[..same].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_file_that_is_not_as_generated() {
        let of = |files: &[(&str, &str)]| -> Contents {
            files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect()
        };
        let committed = of(&[("same", "a"), ("old", "a\nb\nc"), ("left", "")]);
        let fresh = of(&[("same", "a"), ("old", "a\nB\nc"), ("new", "")]);
        let expected = ["new: missing", "old: differs from line 2", "left: nothing generates it"];
        assert_eq!(differences(&committed, &fresh), expected);
        assert!(differences(&fresh, &fresh).is_empty());
    }
}
