//! Exports at rest outside: files of JSON Lines beside a manifest that says what they are and how they hash.
//!
//! `manifest.json` is an object; each of its files is listed with its length, its lines and its SHA-256 (hexadecimal), so that
//! who gets an export can tell that it is whole, with this program or with any other.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The version of the form.
const VERSION: u8 = 1;

/// The longest manifest, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 1 << 20;

/// The longest line of a file, in bytes: a message of 12 KB with names and escapes is far shorter.
pub const LINE_BYTES_MAX: u64 = 1 << 20;

/// Files of one export at most.
const FILES_MAX: usize = 1000;

/// What an export consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the form.
    pub version: u8,
    /// Which program wrote it.
    pub program: String,
    /// Of which app.
    pub sdkappid: u32,
    /// Which export.
    pub export: String,
    /// When it was made, in seconds since 1970.
    pub made_at: u32,
    /// Until when it could be read from the server.
    pub readable_until: u32,
    /// Its files.
    pub files: Vec<Listed>,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its name, in the same folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its lines.
    pub lines: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Adds up a file while it is written or read.
#[derive(Clone, Default)]
pub struct Tally {
    hash: Sha256,
    bytes: u64,
    lines: u64,
}

impl Tally {
    /// Adds a line with its end.
    pub fn add(&mut self, line: &[u8]) {
        self.hash.update(line);
        self.bytes += line.len() as u64;
        self.lines += 1;
    }

    /// What the manifest says of a file of this name.
    #[must_use]
    pub fn listed(self, name: &str) -> Listed {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Listed { name: name.to_owned(), bytes: self.bytes, lines: self.lines, sha256 }
    }
}

impl Manifest {
    /// A manifest of this version.
    #[must_use]
    pub fn new(
        sdkappid: u32,
        export: String,
        (made_at, readable_until): (u32, u32),
        files: Vec<Listed>,
    ) -> Self {
        let program = concat!("whimbrel ", env!("CARGO_PKG_VERSION")).to_owned();
        Self { version: VERSION, program, sdkappid, export, made_at, readable_until, files }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MANIFEST_BYTES_MAX {
            return Err("the manifest is too long".to_owned());
        }
        let manifest: Self =
            serde_json::from_str(text).map_err(|error| format!("not a manifest: {error}"))?;
        if manifest.version != VERSION {
            return Err("the manifest was written by another version of this program".to_owned());
        }
        if manifest.files.len() > FILES_MAX {
            return Err(format!("the manifest lists more than {FILES_MAX} files"));
        }
        for (index, file) in manifest.files.iter().enumerate() {
            let is_plain = !file.name.is_empty()
                && !file.name.starts_with('.')
                && file.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            if !is_plain || manifest.files.iter().take(index).any(|other| other.name == file.name) {
                return Err(format!("files[{index}]: not a name of its own in the same folder"));
            }
        }
        Ok(manifest)
    }

    /// Checks every file: its hash, and that each line is an object with a type. Returns how many lines there are of each.
    ///
    /// # Errors
    /// Says which file or line is wrong.
    pub fn check<R: Read>(
        &self,
        mut open: impl FnMut(&str) -> Result<R, String>,
    ) -> Result<BTreeMap<String, u64>, String> {
        let mut types = BTreeMap::new();
        for file in &self.files {
            let mut tally = Tally::default();
            let mut reader = BufReader::new(open(&file.name)?);
            loop {
                let mut line = Vec::new();
                let mut limited = (&mut reader).take(LINE_BYTES_MAX);
                limited.read_until(b'\n', &mut line).map_err(|error| format!("{}: {error}", file.name))?;
                if line.is_empty() {
                    break;
                }
                let bad = |why: &str| format!("{}, line {}: {why}", file.name, tally.lines + 1);
                if line.last() != Some(&b'\n') {
                    return Err(bad("cut off or too long"));
                }
                let kind = kind_of(&line).ok_or_else(|| bad("not an object with a type"))?;
                tally.add(&line);
                *types.entry(kind).or_insert(0) += 1;
            }
            if tally.listed(&file.name) != *file {
                return Err(format!("{}: is not the file that the manifest lists", file.name));
            }
        }
        Ok(types)
    }
}

/// The type that a line says.
fn kind_of(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: String,
    }
    let typed: Typed = serde_json::from_slice(line).ok()?;
    Some(typed.kind)
}

#[cfg(test)]
#[path = "export_fuzz.rs"]
mod fuzz;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests end by panicking")]

    use super::*;

    const LINES: &str =
        "{\"type\":\"about\"}\n{\"type\":\"message\",\"n\":1}\n{\"type\":\"message\",\"n\":2}\n";

    fn manifest(text: &str) -> Manifest {
        let mut tally = Tally::default();
        text.split_inclusive('\n').for_each(|line| tally.add(line.as_bytes()));
        Manifest::new(9, "e".to_owned(), (1, 2), vec![tally.listed("export.jsonl")])
    }

    fn check(manifest: &Manifest, text: &str) -> Result<BTreeMap<String, u64>, String> {
        let written = serde_json::to_string(manifest).unwrap();
        Manifest::parse(&written)?.check(|_| Ok(text.as_bytes()))
    }

    #[test]
    fn a_whole_export_is_found_whole_and_a_changed_one_is_not() {
        let good = manifest(LINES);
        let found = check(&good, LINES).unwrap();
        assert_eq!(found, BTreeMap::from([("about".to_owned(), 1), ("message".to_owned(), 2)]));
        for at in 0..LINES.len() {
            let mut bytes = LINES.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert!(good.check(|_| Ok(&bytes[..])).is_err(), "byte {at}");
            assert!(good.check(|_| Ok(&LINES.as_bytes()[..at])).is_err(), "cut at {at}");
        }
        let doubled = LINES.repeat(2);
        assert!(check(&good, &doubled).unwrap_err().contains("is not the file"));
    }

    #[test]
    fn a_manifest_names_plain_files_once_and_says_what_is_wrong() {
        for name in ["", "..", ".hidden", "a/b", "/etc/passwd", "a\\b", "é"] {
            let mut bad = manifest(LINES);
            bad.files[0].name = name.to_owned();
            assert!(check(&bad, LINES).unwrap_err().contains("files[0]"), "{name}");
        }
        let mut twice = manifest(LINES);
        twice.files.push(twice.files[0].clone());
        assert!(check(&twice, LINES).unwrap_err().contains("files[1]"));
        let mut many = manifest(LINES);
        many.files = vec![many.files[0].clone(); FILES_MAX + 1];
        assert!(check(&many, LINES).unwrap_err().contains("more than"));
        let newer = Manifest { version: 2, ..manifest(LINES) };
        assert!(check(&newer, LINES).unwrap_err().contains("another version"));
        assert!(Manifest::parse(&" ".repeat(MANIFEST_BYTES_MAX + 1)).unwrap_err().contains("too long"));
        assert!(Manifest::parse("{}").is_err());
        let long = format!("{{\"type\":\"{}\"}}\n", "x".repeat(1 << 20));
        assert!(check(&manifest(&long), &long).unwrap_err().contains("too long"));
        assert!(check(&manifest("[]\n"), "[]\n").unwrap_err().contains("not an object"));
    }
}
