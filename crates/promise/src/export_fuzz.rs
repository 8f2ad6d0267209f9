//! Whatever is made of an export: what is found whole is what was written, and a manifest names files in its folder only.

use std::sync::LazyLock;

use fuzzing::{Choices, vary};

use super::*;

const LINES: &[&str] = &["{\"type\":\"about\",\"user\":\"a\"}\n", "{\"type\":\"message\",\"time\":1}\n"];

/// The file.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| vec![LINES.concat().into_bytes()]);

/// The manifest that lists it.
static MANIFESTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut tally = Tally::default();
    LINES.iter().for_each(|line| tally.add(line.as_bytes()));
    let manifest = Manifest::new(9, "e".to_owned(), (1, 2), vec![tally.listed("export.jsonl")]);
    vec![serde_json::to_vec(&manifest).unwrap()]
});

fn file(choices: &mut Choices<'_>) -> bool {
    let bytes = vary(choices, FILES.as_slice());
    let manifest = Manifest::parse(&String::from_utf8_lossy(&MANIFESTS[0])).unwrap();
    let found = manifest.check(|_| Ok(&bytes[..]));
    assert_eq!(found.is_ok(), bytes == FILES[0], "{found:?}");
    found.is_ok()
}

#[test]
fn files() {
    fuzzing::target!(2_000, file);
}

fn manifest(choices: &mut Choices<'_>) -> bool {
    let Ok(text) = String::from_utf8(vary(choices, MANIFESTS.as_slice())) else { return false };
    let Ok(manifest) = Manifest::parse(&text) else { return false };
    let mut opened = Vec::new();
    let found = manifest.check(|name| {
        opened.push(name.to_owned());
        Ok(&FILES[0][..])
    });
    assert!(opened.iter().all(|name| !name.contains('/') && !name.starts_with('.')), "{opened:?}");
    if found.is_ok() {
        let whole = FILES[0].len() as u64;
        assert!(manifest.files.iter().all(|file| file.bytes == whole && file.lines == 2), "{text}");
    }
    found.is_ok()
}

#[test]
fn manifests() {
    fuzzing::target!(2_000, manifest);
}
