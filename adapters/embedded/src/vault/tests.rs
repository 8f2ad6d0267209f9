//! The vault, stopped before each of its steps, robbed of a place, and searched for keys that should be gone.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Dice that never show the same twice.
#[derive(Default)]
struct Dice(AtomicU64);

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let throw = self.0.fetch_add(1, Ordering::AcqRel).to_be_bytes();
            // Spread, so that a key is found in a file by its bytes.
            for (index, byte) in chunk.iter_mut().enumerate() {
                *byte =
                    throw[7].wrapping_mul(31).wrapping_add(throw[6]) ^ (index as u8).wrapping_mul(7) ^ 0xa5;
            }
        }
    }
}

struct Bench {
    root: tempfile::TempDir,
    has_mirror: bool,
    outer: Option<[u8; 32]>,
    dice: Arc<Dice>,
}

impl Bench {
    fn new(has_mirror: bool) -> Self {
        Self { root: tempfile::tempdir().unwrap(), has_mirror, outer: None, dice: Arc::default() }
    }

    fn open(&self, steps: Steps) -> FolderVault {
        let options = VaultOptions {
            folder: self.root.path().join("keys"),
            mirror: self.has_mirror.then(|| self.root.path().join("mirror")),
            outer_key: self.outer.map(|key| Outer::Key(Zeroizing::new(key))),
            random: self.dice.clone(),
        };
        FolderVault::open_with(options, steps).unwrap()
    }

    /// What a start finds.
    fn load(&self) -> Result<Option<(u64, Vec<u8>)>, Fault> {
        Ok(self.open(Steps::default()).inner.load()?.map(|held| (held.generation, held.state.to_vec())))
    }

    /// Every file of every place.
    fn bytes(&self) -> Vec<(String, Vec<u8>)> {
        fn walk(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    walk(&entry.path(), found);
                } else {
                    found.push((entry.path().display().to_string(), std::fs::read(entry.path()).unwrap()));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.root.path(), &mut found);
        found
    }

    fn holds(&self, needle: &[u8]) -> bool {
        self.bytes().iter().any(|(_, bytes)| bytes.windows(needle.len()).any(|window| window == needle))
    }

    /// The key of the generation in use, as the files have it.
    fn key(&self, generation: u64) -> Vec<u8> {
        let vault = self.open(Steps::default());
        let key = vault.inner.read_key(&vault.inner.places[0], generation % 2).unwrap().unwrap();
        let wrapped = OuterKey::new(None).wrap(&key, self.dice.as_ref()).unwrap();
        wrapped[45..77].to_vec()
    }
}

#[test]
fn a_state_is_kept_and_its_predecessor_cannot_be_read_any_more() {
    for has_mirror in [false, true] {
        let bench = Bench::new(has_mirror);
        assert_eq!(bench.load(), Ok(None));
        let vault = bench.open(Steps::default());
        assert_eq!(vault.inner.load().unwrap().map(|held| held.generation), None);
        for generation in 1..=5 {
            let former = (generation > 1).then(|| bench.key(generation - 1));
            assert!(former.as_ref().is_none_or(|key| bench.holds(key)));
            let state = format!("state {generation}").into_bytes();
            assert_eq!(vault.inner.replace(&state), Ok(generation));
            assert_eq!(bench.load(), Ok(Some((generation, state.clone()))));
            assert!(former.is_none_or(|key| !bench.holds(&key)), "the key of {}", generation - 1);
            assert!(!bench.holds(&state), "sealed");
        }
    }
}

#[test]
fn a_stop_before_any_step_loses_nothing_and_revives_nothing() {
    for has_mirror in [false, true] {
        let mut was_old = 0;
        for stop in 1.. {
            let bench = Bench::new(has_mirror);
            let vault = bench.open(Steps::default());
            vault.inner.replace(b"old").unwrap();
            let old_key = bench.key(1);
            let stopped = bench.open(Steps::stop_before(stop));
            stopped.inner.load().unwrap();
            let is_done = stopped.inner.replace(b"new").is_ok();
            let (generation, state) = bench.load().unwrap().unwrap();
            match generation {
                1 => {
                    assert!(!is_done);
                    assert_eq!(state, b"old");
                    was_old += 1;
                }
                2 => {
                    assert_eq!(state, b"new");
                    assert!(!bench.holds(&old_key), "stopped before step {stop}");
                }
                other => panic!("generation {other}"),
            }
            // And it goes on from there.
            let again = bench.open(Steps::default());
            again.inner.load().unwrap();
            assert_eq!(again.inner.replace(b"newer"), Ok(generation + 1));
            assert_eq!(bench.load(), Ok(Some((generation + 1, b"newer".to_vec()))));
            if is_done {
                assert!(was_old > 5 && stop > 10, "{was_old} {stop}");
                break;
            }
        }
    }
}

#[test]
fn either_place_alone_brings_everything_back() {
    for lost in ["keys", "mirror"] {
        let mut bench = Bench::new(true);
        let vault = bench.open(Steps::default());
        vault.inner.replace(b"first").unwrap();
        assert_eq!(vault.inner.reserve(10), Ok(0));
        vault.inner.replace(b"second").unwrap();
        std::fs::remove_dir_all(bench.root.path().join(lost)).unwrap();
        assert_eq!(bench.load(), Ok(Some((2, b"second".to_vec()))));
        let vault = bench.open(Steps::default());
        vault.inner.load().unwrap();
        assert_eq!(vault.inner.reserve(10), Ok(10), "numbers go on after {lost} was lost");
        // It has been brought up to date: the other one may be lost now.
        let other = if lost == "keys" { "mirror" } else { "keys" };
        std::fs::remove_dir_all(bench.root.path().join(other)).unwrap();
        assert_eq!(bench.load(), Ok(Some((2, b"second".to_vec()))));
        std::fs::remove_dir_all(bench.root.path().join("mirror")).unwrap();
        bench.has_mirror = false;
        assert_eq!(bench.load(), Ok(Some((2, b"second".to_vec()))));
    }
}

#[test]
fn numbers_never_repeat_and_their_loss_is_no_beginning() {
    let bench = Bench::new(false);
    let vault = bench.open(Steps::default());
    vault.inner.replace(b"state").unwrap();
    for round in 0..5 {
        let vault = bench.open(Steps::default());
        vault.inner.load().unwrap();
        assert_eq!(vault.inner.reserve(100), Ok(round * 100));
    }
    vault.inner.replace(b"state").unwrap();
    std::fs::remove_file(bench.root.path().join("keys/next")).unwrap();
    let vault = bench.open(Steps::default());
    vault.inner.load().unwrap();
    assert!(matches!(vault.inner.reserve(1), Err(Fault::Corrupt(_))));
}

#[test]
fn an_outer_key_is_needed_and_has_to_be_the_right_one() {
    let mut bench = Bench::new(false);
    bench.outer = Some([9; 32]);
    bench.open(Steps::default()).inner.replace(b"state").unwrap();
    let key = bench.key(1);
    assert!(!bench.holds(&key), "wrapped");
    assert_eq!(bench.load(), Ok(Some((1, b"state".to_vec()))));
    bench.outer = Some([8; 32]);
    assert!(matches!(bench.load(), Err(Fault::Corrupt(_))));
    bench.outer = None;
    assert!(matches!(bench.load(), Err(Fault::Unavailable(_))));
}

#[test]
fn damage_is_noticed_and_is_no_beginning() {
    let bench = Bench::new(false);
    bench.open(Steps::default()).inner.replace(b"state").unwrap();
    let ring = bench.root.path().join("keys/ring.1");
    let good = std::fs::read(&ring).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&ring, &bad).unwrap();
        assert!(matches!(bench.load(), Err(Fault::Corrupt(_))), "byte {at}");
        std::fs::write(&ring, &good[..at]).unwrap();
        assert!(matches!(bench.load(), Err(Fault::Corrupt(_))), "cut at {at}");
    }
}

#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new(true);
    bench.open(Steps::default()).inner.replace(b"state").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for place in ["keys", "mirror"] {
        let folder = bench.root.path().join(place);
        assert_eq!(mode(&folder), 0o700);
        for file in std::fs::read_dir(&folder).unwrap() {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
    }
}

#[test]
fn two_programs_never_have_one_vault_open() {
    let bench = Bench::new(true);
    let options = |name: &str| VaultOptions {
        folder: bench.root.path().join(name),
        mirror: Some(bench.root.path().join("mirror")),
        outer_key: None,
        random: bench.dice.clone(),
    };
    let first = FolderVault::open(options("keys")).unwrap();
    assert!(matches!(FolderVault::open(options("keys")), Err(Fault::Unavailable(_))));
    assert!(matches!(FolderVault::open(options("other")), Err(Fault::Unavailable(_))), "the same mirror");
    drop(first);
    assert!(FolderVault::open(options("keys")).is_ok());
}

/// Something elsewhere that wraps: a key comes out as its bytes with a stamp, if it is asked for with what it was bound to.
struct Elsewhere(u8);

impl ports::vault::KeyWrap for Elsewhere {
    fn wrap(&self, key: &[u8; 32], bound: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok([&[self.0; 100], bound, key.map(|byte| byte ^ self.0).as_slice()].concat())
    }

    fn unwrap(&self, wrapped: &[u8], bound: &[u8]) -> Result<Zeroizing<[u8; 32]>, Fault> {
        let foreign = || Fault::Corrupt("not wrapped here".to_owned());
        let rest = wrapped.strip_prefix(&[self.0; 100]).and_then(|rest| rest.strip_prefix(bound));
        let key: [u8; 32] = rest.ok_or_else(foreign)?.try_into().map_err(|_| foreign())?;
        Ok(Zeroizing::new(key.map(|byte| byte ^ self.0)))
    }
}

#[test]
fn keys_can_be_wrapped_by_something_elsewhere_and_by_nothing_else_then() {
    let root = tempfile::tempdir().unwrap();
    let open = |outer_key: Option<Outer>| {
        let options = VaultOptions {
            folder: root.path().join("keys"),
            mirror: None,
            outer_key,
            random: Arc::new(Dice::default()),
        };
        FolderVault::open(options).unwrap()
    };
    let elsewhere = |number: u8| Some(Outer::Elsewhere(Arc::new(Elsewhere(number))));
    for state in [b"first", b"other"] {
        open(elsewhere(7)).inner.replace(state).unwrap();
        let held = open(elsewhere(7)).inner.load().unwrap().unwrap();
        assert_eq!(held.state.as_slice(), state);
    }
    assert!(matches!(open(elsewhere(8)).inner.load(), Err(Fault::Corrupt(_))));
    assert!(matches!(open(None).inner.load(), Err(Fault::Unavailable(_))));
    let given = Some(Outer::Key(Zeroizing::new([1; 32])));
    assert!(matches!(open(given).inner.load(), Err(Fault::Unavailable(_))));
}
