//! Inputs that nearly are what they should be: random bytes alone never get past a checksum.

use std::ops::Range;

/// Edits of one sample, at most.
const EDITS_MAX: usize = 5;

/// Bytes that an edit inserts, at most.
const INSERTED_BYTES_MAX: usize = 16;

/// Of an edit's range, usually at most so many bytes.
const SHORT_BYTES: usize = 8;

/// Bytes that mean something to one reader or another.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xff\"\\{}[],:0 19-eE.\n\r_*+/=";

/// Bytes that decide, one after the other.
pub struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    /// The choices that these bytes make.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next byte; 0 when all are used up.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// A number below this one; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let mut number = 0_usize;
        let mut left = end.saturating_sub(1);
        while left > 0 {
            number = number << 8 | usize::from(self.byte());
            left >>= 8;
        }
        number.checked_rem(end).unwrap_or(0)
    }

    /// Up to so many bytes.
    pub fn bytes(&mut self, count_max: usize) -> &'a [u8] {
        let count = self.below(count_max.saturating_add(1)).min(self.rest.len());
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// A range within so many bytes: mostly a short one.
    fn range(&mut self, length: usize) -> Range<usize> {
        let start = self.below(length.saturating_add(1));
        let is_long = self.byte().is_multiple_of(4);
        let count_max = if is_long { length - start } else { SHORT_BYTES.min(length - start) };
        start..start + self.below(count_max + 1)
    }
}

/// A sample with some edits, or with none; one input in sixteen has nothing to do with any sample.
pub fn vary<S: AsRef<[u8]>>(choices: &mut Choices<'_>, samples: &[S]) -> Vec<u8> {
    if choices.byte() % 16 == 15 {
        return choices.rest().to_vec();
    }
    let mut bytes = sample(choices, samples).to_vec();
    for _ in 0..choices.below(EDITS_MAX + 1) {
        edit(choices, &mut bytes, samples);
    }
    bytes
}

fn sample<'s, S: AsRef<[u8]>>(choices: &mut Choices<'_>, samples: &'s [S]) -> &'s [u8] {
    let Some(sample) = samples.get(choices.below(samples.len())) else { return &[] };
    sample.as_ref()
}

fn edit<S: AsRef<[u8]>>(choices: &mut Choices<'_>, bytes: &mut Vec<u8>, samples: &[S]) {
    let place = choices.range(bytes.len());
    match choices.byte() % 9 {
        0 => {
            let bit = choices.byte() % 8;
            replace(bytes, place.start, |byte| byte ^ 1 << bit);
        }
        1 => {
            let other = choices.byte();
            replace(bytes, place.start, |_| other);
        }
        2 => {
            let telling = TELLING.get(choices.below(TELLING.len())).copied().unwrap_or(0);
            replace(bytes, place.start, |_| telling);
        }
        3 => {
            let inserted = choices.bytes(INSERTED_BYTES_MAX);
            drop(bytes.splice(place.start..place.start, inserted.iter().copied()));
        }
        4 => drop(bytes.drain(place)),
        5 => bytes.truncate(place.start),
        6 => {
            let repeated = bytes[place.clone()].to_vec();
            drop(bytes.splice(place.end..place.end, repeated));
        }
        7 => bytes[place].reverse(),
        _ => {
            let other = sample(choices, samples);
            let from = choices.range(other.len());
            drop(bytes.splice(place, other[from].iter().copied()));
        }
    }
}

/// Replaces the byte at a place, if there is one.
fn replace(bytes: &mut [u8], at: usize, by: impl FnOnce(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = by(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_stay_below_their_end_and_end_in_zeros() {
        let bytes: Vec<u8> = (0..=255).rev().collect();
        let mut choices = Choices::new(&bytes);
        for end in [0, 1, 2, 255, 256, 257, 70_000, usize::MAX] {
            let number = choices.below(end);
            assert!(number < end.max(1), "{number} of {end}");
        }
        assert!(choices.bytes(9).len() <= 9);
        assert!(!choices.rest().is_empty());
        assert_eq!((choices.byte(), choices.below(1_000), choices.bytes(9)), (0, 0, &[][..]));
    }

    #[test]
    fn no_choices_are_the_first_sample_as_it_is() {
        assert_eq!(vary(&mut Choices::new(&[]), &["one", "two"]), b"one");
        assert_eq!(vary::<&str>(&mut Choices::new(&[]), &[]), b"");
    }

    #[test]
    fn a_sample_is_varied_in_every_way_and_sometimes_left_alone() {
        let samples = [b"abcdefgh".as_slice(), b"12345678"];
        let mut seen = [false; 6];
        for first in 0..=u8::MAX {
            for second in 0..64_u8 {
                // Two bytes decide everything, spread over what is asked of them.
                let recipe: Vec<u8> = (1..40_u8)
                    .map(|index| first.wrapping_mul(index).wrapping_add(second.rotate_left(index.into())))
                    .collect();
                let bytes = vary(&mut Choices::new(&recipe), &samples);
                seen[0] |= samples.contains(&bytes.as_slice());
                seen[1] |= bytes.len() < 8;
                seen[2] |= bytes.len() > 8;
                seen[3] |= bytes.len() == 8 && !samples.contains(&bytes.as_slice());
                seen[4] |= bytes.starts_with(b"ab") && bytes.ends_with(b"78");
                seen[5] |= bytes == recipe[1..];
            }
        }
        assert_eq!(seen, [true; 6]);
    }
}
