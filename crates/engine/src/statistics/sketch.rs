//! How many different accounts did something, without a list of them (HyperLogLog, Flajolet and others, 2007).
//!
//! A sketch keeps for each of 4096 parts of the hashes the longest row of zeros seen. Which accounts those were cannot be
//! read from it, sketches of two times can be joined, and its size does not grow with the number of accounts. It is right
//! but for some 2 percent, and practically exact for a few hundred.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Bits of a hash that choose the part.
const PART_BITS: u32 = 12;

const PARTS: u32 = 1 << PART_BITS;

/// The longest row of zeros plus one.
const RANK_MAX: u8 = 53;

/// A sketch: parts of which something was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sketch(BTreeMap<u16, u8>);

impl Sketch {
    /// Adds what has this hash; once or often is the same.
    pub(super) fn add(&mut self, hash: u64) {
        let part = u16::try_from(hash >> (u64::BITS - PART_BITS)).unwrap_or(u16::MAX);
        // A bit below the rest ends every row.
        let rest = hash << PART_BITS | 1 << (PART_BITS - 1);
        let rank = u8::try_from(rest.leading_zeros() + 1).unwrap_or(RANK_MAX);
        self.raise(part, rank);
    }

    fn raise(&mut self, part: u16, rank: u8) {
        let known = self.0.entry(part).or_insert(rank);
        *known = rank.max(*known);
    }

    /// Adds all of another.
    pub(super) fn join(&mut self, other: &Self) {
        for (part, rank) in &other.0 {
            self.raise(*part, *rank);
        }
    }

    /// How many different ones were added, nearly.
    pub(super) fn count(&self) -> u64 {
        let seen = self.0.range(..u16::try_from(PARTS).unwrap_or(u16::MAX));
        let seen: Vec<u8> = seen.map(|(_, rank)| *rank).collect();
        let (parts, empty) =
            (f64::from(PARTS), PARTS.saturating_sub(u32::try_from(seen.len()).unwrap_or(PARTS)));
        let sum: f64 = seen.iter().map(|rank| (-f64::from(*rank)).exp2()).sum();
        let estimate = 0.7213 / (1.0 + 1.079 / parts) * parts * parts / (f64::from(empty) + sum);
        let better = if empty > 0 && estimate <= 2.5 * parts {
            parts * (parts / f64::from(empty)).ln()
        } else {
            estimate
        };
        // The only way from a float to a whole number that cannot go wrong unseen.
        format!("{better:.0}").parse().unwrap_or(0)
    }
}

/// Spreads a number over all hashes (the finaliser of SplitMix64).
pub(super) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: std::ops::Range<u64>) -> Sketch {
        let mut sketch = Sketch::default();
        numbers.for_each(|number| sketch.add(mix(number)));
        sketch
    }

    #[test]
    fn a_sketch_counts_few_nearly_exactly_and_many_within_a_few_percent() {
        for count in [0, 1, 2, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
            let found = of(0..count).count();
            let off = found.abs_diff(count);
            assert!(off * 100 <= count * 6 && (count > 10 || off == 0), "{found} instead of {count}");
        }
    }

    #[test]
    fn what_is_added_again_or_joined_counts_once() {
        let (mut one, other) = (of(0..5_000), of(2_500..7_500));
        let whole = of(0..7_500);
        one.join(&other);
        assert_eq!((&one, one.count()), (&whole, whole.count()));
        one.join(&whole);
        (0..100).for_each(|number| one.add(mix(number)));
        assert_eq!(one, whole);
    }

    #[test]
    fn its_size_has_a_limit() {
        let written = postcard::to_extend(&of(0..200_000), Vec::new());
        assert!(written.is_ok_and(|written| written.len() < 13_000));
        for hash in [0, u64::MAX, 1, 1 << 63] {
            let mut sketch = Sketch::default();
            sketch.add(hash);
            assert_eq!(sketch.count(), 1);
            assert!(sketch.0.values().all(|rank| (1..=RANK_MAX).contains(rank)));
        }
    }
}
