//! Whatever is read as a state of keys is what is written down again, and each of its keys can be found.

use std::sync::LazyLock;

use fuzzing::{Choices, vary};

use super::*;

const APP: SdkAppId = SdkAppId(1_400_000_001);

static WRITTEN: LazyLock<Vec<Vec<u8>>> = LazyLock::new(write_states);

struct Dice;

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(42);
    }
}

/// States with no puncture, a few, many, and nothing left.
fn write_states() -> Vec<Vec<u8>> {
    let fresh = State::fresh([7; ID_BYTES], &Dice);
    let mut few = fresh.clone();
    few.contents.puncture(Path::ROOT.then(0b101, 3));
    few.times.puncture(Path::ROOT.then(1, 1));
    let mut many = few.clone();
    many.contents.puncture(content_path(20_000, 5));
    many.authors.puncture(author_path(APP, AccountNumber(AccountNumber::BASE + 1)));
    many.times.puncture_before(time_path(APP, DataClass::Account, Seconds(1_795_298_242)), CLASS_LENGTH);
    let mut nothing = fresh.clone();
    nothing.contents.puncture(Path::ROOT);
    nothing.authors.puncture(Path::ROOT);
    nothing.times.puncture(Path::ROOT);
    [fresh, few, many, nothing].iter().map(|state| state.write().unwrap().to_vec()).collect()
}

fn state(choices: &mut Choices<'_>) -> bool {
    let bytes = vary(choices, WRITTEN.as_slice());
    let Ok(state) = State::read(&bytes) else { return false };
    // There is one way to write a state: what is read back again is the same to the last byte.
    assert!(state.write().unwrap().as_slice() == bytes, "{} bytes are written otherwise", bytes.len());
    for tree in [&state.contents, &state.authors, &state.times] {
        for (path, seed) in tree.nodes() {
            assert!(tree.derive(path).as_ref() == Some(seed), "{path:?} is hidden by another part");
        }
    }
    true
}

#[test]
fn states() {
    fuzzing::target!(2_000, state);
}
