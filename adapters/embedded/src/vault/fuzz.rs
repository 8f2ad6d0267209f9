//! Whatever stands in the files of a vault: a state comes out as it was put in, or not at all.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use fuzzing::{Choices, vary};

use super::slot::{read_number, write_number};
use super::*;

const OUTER: [u8; 32] = [9; 32];

/// Bytes of a key file before the zeros, and of these the ones before the checksum.
const KEY_BYTES: usize = CHECKED_BYTES + 4;
const CHECKED_BYTES: usize = 77;

/// Where the flag stands that says whether a key is wrapped.
const FLAG: usize = 16;

const STATES: [&[u8]; 2] = [b"first", b"second"];

/// Dice that never show the same twice.
#[derive(Default)]
struct Dice(AtomicU64);

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let throw = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&throw.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A key, and what was sealed under it and under an earlier one.
static RINGS: LazyLock<(GenerationKey, Vec<Vec<u8>>)> = LazyLock::new(|| {
    let dice = Dice::default();
    let (earlier, key) = (GenerationKey::fresh(2, &dice), GenerationKey::fresh(3, &dice));
    let mut rings: Vec<Vec<u8>> = STATES.iter().map(|state| key.seal(state, &dice).unwrap()).collect();
    rings.push(earlier.seal(STATES[0], &dice).unwrap());
    (key, rings)
});

fn ring(choices: &mut Choices<'_>) -> bool {
    let (key, rings) = &*RINGS;
    let bytes = vary(choices, rings.as_slice());
    let Some(state) = key.open(&bytes) else { return false };
    let sealed = rings.iter().zip(STATES).find(|(ring, _)| **ring == bytes);
    assert!(sealed.is_some_and(|(_, sealed)| sealed == state.as_slice()), "a changed file was opened");
    true
}

#[test]
fn rings() {
    fuzzing::target!(2_000, ring);
}

/// One key, wrapped and as it is; most of the zeros behind it are left out.
static KEYS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let dice = Dice::default();
    let key = GenerationKey::fresh(3, &dice);
    [Some(Outer::Key(Zeroizing::new(OUTER))), None].map(|outer| {
        let wrapped = OuterKey::new(outer).wrap(&key, &dice).unwrap();
        wrapped[..KEY_BYTES + 9].to_vec()
    })
});

fn key(choices: &mut Choices<'_>) -> bool {
    let bytes = vary(choices, KEYS.as_slice());
    let mut is_taken = false;
    for outer in [Some(OUTER), Some([8; 32]), None] {
        let Ok(Some(key)) = OuterKey::new(outer.map(|key| Outer::Key(Zeroizing::new(key)))).unwrap(&bytes)
        else {
            continue;
        };
        let plain = OuterKey::new(None).wrap(&key, &Dice::default()).unwrap();
        if bytes[FLAG] == 0 {
            let checksum = crc32fast::hash(&bytes[..CHECKED_BYTES]).to_be_bytes();
            assert_eq!(bytes[CHECKED_BYTES..KEY_BYTES], checksum);
            assert_eq!(plain[..FLAG], bytes[..FLAG], "magic and generation");
            assert!(plain[CHECKED_BYTES - 32..CHECKED_BYTES] == bytes[CHECKED_BYTES - 32..CHECKED_BYTES]);
        } else {
            assert_eq!(outer, Some(OUTER), "another outer key opened it");
            assert!(bytes[..KEY_BYTES] == KEYS[0][..KEY_BYTES], "a changed file was unwrapped");
            assert!(plain[..KEY_BYTES] == KEYS[1][..KEY_BYTES], "another key came out");
        }
        is_taken = true;
    }
    is_taken
}

#[test]
fn keys() {
    fuzzing::target!(2_000, key);
}

fn number(choices: &mut Choices<'_>) -> bool {
    let samples = [0, 1 << 36, u64::MAX].map(write_number);
    let bytes = vary(choices, &samples);
    let Some(number) = read_number(&bytes) else { return false };
    assert_eq!(write_number(number), bytes);
    true
}

#[test]
fn numbers() {
    fuzzing::target!(2_000, number);
}

/// The files of a vault that holds the second of two states.
static FOLDER: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let root = tempfile::tempdir().unwrap();
    let vault = open(root.path());
    for state in STATES {
        vault.inner.replace(state).unwrap();
        vault.inner.reserve(10).unwrap();
    }
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(root.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
});

fn open(folder: &std::path::Path) -> FolderVault {
    let options = VaultOptions {
        folder: folder.to_path_buf(),
        mirror: None,
        outer_key: None,
        random: Arc::new(Dice::default()),
    };
    FolderVault::open_with(options, Steps::default()).unwrap()
}

fn folder(choices: &mut Choices<'_>) -> bool {
    let samples: Vec<&[u8]> = FOLDER.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let root = tempfile::tempdir().unwrap();
    let spoilt = choices.below(FOLDER.len());
    // Now and then with what stands in the other files.
    let others = if choices.byte().is_multiple_of(4) { 0..FOLDER.len() } else { spoilt..spoilt + 1 };
    for (index, (name, bytes)) in FOLDER.iter().enumerate() {
        let changed = (index == spoilt).then(|| vary(choices, &samples[others.clone()]));
        std::fs::write(root.path().join(name), changed.as_ref().unwrap_or(bytes)).unwrap();
    }
    let Ok(Some(held)) = open(root.path()).inner.load() else { return false };
    assert_eq!((held.generation, held.state.as_slice()), (2, STATES[1]), "{} was spoilt", FOLDER[spoilt].0);
    true
}

#[test]
fn folders() {
    fuzzing::target!(200, folder);
}
