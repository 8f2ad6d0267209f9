//! Tries a property with many inputs, the same ones each time.

use crate::Choices;

/// The first seed, unless `FUZZ_SEED` is another.
const SEED: u64 = 1;

/// What choices are made of, at most.
const INPUT_BYTES_MAX: u64 = 512;

/// Tries a property with so many inputs, or with as many as `FUZZ_CASES` says. Called by [`target!`](crate::target).
///
/// # Panics
/// If the property does, or if none of the usual number of inputs is taken, or none refused.
pub fn run(name: &str, cases: u64, property: fn(&mut Choices<'_>) -> bool) {
    let first = variable("FUZZ_SEED").unwrap_or(SEED);
    let count = variable("FUZZ_CASES").unwrap_or(cases);
    let (taken, refused) = try_all(name, first, count, property);
    if count >= cases {
        check_sides(name, taken, refused);
    }
}

/// A property of which one side is never reached shows nothing.
fn check_sides(name: &str, taken: u64, refused: u64) {
    assert!(taken > 0 && refused > 0, "{name}: {taken} inputs were taken and {refused} refused");
}

/// Tries so many inputs; how many were taken, and how many refused.
#[expect(clippy::print_stderr, reason = "a test shows it when it fails")]
fn try_all(name: &str, first: u64, count: u64, property: fn(&mut Choices<'_>) -> bool) -> (u64, u64) {
    eprintln!("{name}: {count} inputs from seed {first} on");
    let (mut taken, mut refused) = (0, 0);
    for seed in (0..count).map(|index| first.wrapping_add(index)) {
        let bytes = input(seed);
        let tried = Tried { name, seed };
        if property(&mut Choices::new(&bytes)) {
            taken += 1;
        } else {
            refused += 1;
        }
        drop(tried);
    }
    (taken, refused)
}

/// What is being tried; shown if that panics.
struct Tried<'a> {
    name: &'a str,
    seed: u64,
}

impl Drop for Tried<'_> {
    #[expect(clippy::print_stderr, reason = "a test shows it when it fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: FUZZ_SEED={} FUZZ_CASES=1 repeats this input", self.name, self.seed);
        }
    }
}

/// A number from the environment.
fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse().ok();
    assert!(number.is_some(), "{name}: {text} is not a number");
    number
}

/// The bytes of a seed (`SplitMix64`).
fn input(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let length = usize::try_from(next() % INPUT_BYTES_MAX).unwrap_or(0);
    std::iter::repeat_with(next).flat_map(u64::to_le_bytes).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(choices: &mut Choices<'_>) -> bool {
        choices.byte() < 128
    }

    fn wrong(choices: &mut Choices<'_>) -> bool {
        let byte = choices.byte();
        assert!(byte != 7, "seven");
        true
    }

    #[test]
    fn a_seed_is_one_input_and_another_seed_is_another() {
        assert_eq!(input(1), input(1));
        assert_ne!(input(1), input(2));
        let longest = (0..2_000).map(|seed| input(seed).len()).max();
        assert!(longest.is_some_and(|longest| (400..512).contains(&longest)));
    }

    #[test]
    fn inputs_are_counted_by_what_became_of_them() {
        let (taken, refused) = try_all("small", 1, 1_000, small);
        assert_eq!(taken + refused, 1_000);
        assert!(taken > 300 && refused > 300, "{taken} {refused}");
        assert_eq!(try_all("small", 1, 1_000, small), (taken, refused));
    }

    #[test]
    #[should_panic(expected = "seven")]
    fn a_property_that_does_not_hold_is_found() {
        try_all("wrong", 1, 10_000, wrong);
    }

    #[test]
    #[should_panic(expected = "10 inputs were taken and 0 refused")]
    fn a_property_that_takes_everything_shows_nothing() {
        check_sides("all", 10, 0);
    }
}
