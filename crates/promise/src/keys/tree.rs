//! A puncturable tree of keys (after Goldreich, Goldwasser and Micali, 1986): every leaf has a key, all keys follow from
//! one seed, and the keys of any subtree can be made underivable while all others stay.
//!
//! The child of a seed is BLAKE3 keyed with it over one byte, which BLAKE3 specifies as a pseudo-random function. A tree
//! holds the seeds of disjoint subtrees that cover everything not punctured. Puncturing a path replaces the seed above
//! it by those of its siblings, so the state grows with what was punctured, never with what was used.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// The bytes of a seed or key.
pub(crate) const SEED_BYTES: usize = 32;

/// A seed, or a key at a leaf.
pub(crate) type Seed = Zeroizing<[u8; SEED_BYTES]>;

/// A way down from the root: the first `length` bits of `bits`; the others are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    bits: u128,
    length: u8,
}

impl Path {
    /// The root.
    pub(crate) const ROOT: Self = Self { bits: 0, length: 0 };

    /// The longest path.
    pub(crate) const LENGTH_MAX: u8 = 128;

    /// Goes on by the lowest `width` bits of a number, the highest of them first.
    pub(crate) const fn then(self, number: u64, width: u8) -> Self {
        let length = self.length + width;
        assert!(width <= 64 && length <= Self::LENGTH_MAX);
        if width == 0 {
            return self;
        }
        let number = (number as u128) & (u128::MAX >> (128 - width));
        Self { bits: self.bits | number << (128 - length), length }
    }

    /// A path as it was written; `None` if it is none.
    pub(crate) fn new(bits: u128, length: u8) -> Option<Self> {
        let path = Self { bits, length };
        (length <= Self::LENGTH_MAX && path.prefix(length) == path).then_some(path)
    }

    pub(crate) const fn bits(self) -> u128 {
        self.bits
    }

    pub(crate) const fn length(self) -> u8 {
        self.length
    }

    /// Its first bits.
    fn prefix(self, length: u8) -> Self {
        let mask = if length == 0 { 0 } else { u128::MAX << (128 - length) };
        Self { bits: self.bits & mask, length }
    }

    fn bit(self, at: u8) -> bool {
        self.bits >> (127 - at) & 1 == 1
    }

    fn child(self, bit: bool) -> Self {
        self.then(bit.into(), 1)
    }

    /// Whether another path lies on or below this one.
    fn covers(self, other: Self) -> bool {
        self.length <= other.length && other.prefix(self.length) == self
    }

    /// How many bits two paths share at the beginning.
    fn shared(self, other: Self) -> u8 {
        let equal = (self.bits ^ other.bits).leading_zeros();
        u8::try_from(equal).unwrap_or(Self::LENGTH_MAX).min(self.length).min(other.length)
    }
}

/// The keys that can still be derived.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    nodes: BTreeMap<Path, Seed>,
}

impl Tree {
    /// A tree of which nothing is punctured.
    pub(crate) fn new(seed: Seed) -> Self {
        Self { nodes: BTreeMap::from([(Path::ROOT, seed)]) }
    }

    /// A tree as it was written; `None` if its parts overlap.
    pub(crate) fn of(nodes: impl IntoIterator<Item = (Path, Seed)>) -> Option<Self> {
        let mut tree = Self::default();
        let mut last: Option<Path> = None;
        for (path, seed) in nodes {
            // In order and disjoint: nothing lies within what came before it.
            if last.is_some_and(|last| path <= last || last.covers(path)) {
                return None;
            }
            last = Some(path);
            tree.nodes.insert(path, seed);
        }
        Some(tree)
    }

    /// Its parts, in order.
    pub(crate) fn nodes(&self) -> impl ExactSizeIterator<Item = (Path, &Seed)> {
        self.nodes.iter().map(|(path, seed)| (*path, seed))
    }

    /// The subtree that a path lies in.
    fn cover(&self, path: Path) -> Option<(Path, &Seed)> {
        // Parts are disjoint, so nothing else can stand between a part and what lies in it.
        let (at, seed) = self.nodes.range(..=path).next_back()?;
        at.covers(path).then_some((*at, seed))
    }

    /// Whether any key on or below a path can be derived.
    pub(crate) fn reaches(&self, path: Path) -> bool {
        let below = || self.nodes.range(path..).next().is_some_and(|(at, _)| path.covers(*at));
        self.cover(path).is_some() || below()
    }

    /// The key of a leaf, or the seed of a subtree; `None` if any of it is punctured.
    #[cfg(test)]
    pub(crate) fn derive(&self, path: Path) -> Option<Seed> {
        Descent::default().derive(self, path)
    }

    /// Makes a path and everything below it underivable. Other keys stay as they are; twice is the same as once.
    pub(crate) fn puncture(&mut self, path: Path) {
        if let Some((at, seed)) = self.cover(path).map(|(at, seed)| (at, seed.clone())) {
            self.nodes.remove(&at);
            let mut seed = seed;
            for depth in at.length..path.length {
                let here = path.prefix(depth);
                let bit = path.bit(depth);
                self.nodes.insert(here.child(!bit), child(&seed, !bit));
                seed = child(&seed, bit);
            }
            return;
        }
        let below: Vec<Path> =
            self.nodes.range(path..).map(|(at, _)| *at).take_while(|at| path.covers(*at)).collect();
        for at in below {
            self.nodes.remove(&at);
        }
    }

    /// Makes everything to the left of a path underivable, as far as it shares its first bits.
    pub(crate) fn puncture_before(&mut self, path: Path, shared: u8) {
        for depth in shared..path.length {
            if path.bit(depth) {
                self.puncture(path.prefix(depth).child(false));
            }
        }
    }
}

fn child(seed: &Seed, bit: bool) -> Seed {
    Zeroizing::new(blake3::keyed_hash(seed, &[bit.into()]).into())
}

/// Remembers the seeds on the way to the last leaf, since the next one usually lies close to it. Only for one tree, and
/// forgotten when that is punctured.
#[derive(Default)]
pub(crate) struct Descent {
    path: Path,
    /// The seed at `start`, and below it one for each bit.
    seeds: Vec<Seed>,
    start: u8,
}

impl Descent {
    /// The key of a leaf; `None` if it is punctured.
    pub(crate) fn derive(&mut self, tree: &Tree, path: Path) -> Option<Seed> {
        let shared = self.path.shared(path);
        if self.seeds.is_empty() || shared < self.start {
            let (at, seed) = tree.cover(path)?;
            self.seeds.clear();
            self.seeds.push(seed.clone());
            self.start = at.length;
        } else {
            self.seeds.truncate(usize::from(shared - self.start) + 1);
        }
        self.path = path;
        for depth in self.start + u8::try_from(self.seeds.len() - 1).unwrap_or(0)..path.length {
            let next = child(self.seeds.last()?, path.bit(depth));
            self.seeds.push(next);
        }
        self.seeds.last().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        Tree::new(Zeroizing::new([7; SEED_BYTES]))
    }

    fn leaf(number: u64) -> Path {
        Path::ROOT.then(number, 16)
    }

    fn numbers() -> impl Iterator<Item = u64> {
        // Spread over the tree, with neighbours.
        (0..1 << 16).step_by(257).flat_map(|number| [number, number ^ 1])
    }

    #[test]
    fn punctured_leaves_are_gone_and_all_others_stay_as_they_were() {
        let whole = tree();
        let mut tree = tree();
        let gone = [0, 1, 5, 256, 257, 40_000, 65_535];
        for number in gone {
            tree.puncture(leaf(number));
            tree.puncture(leaf(number));
        }
        for number in numbers().chain(gone) {
            let expected = if gone.contains(&number) { None } else { whole.derive(leaf(number)) };
            assert_eq!(tree.derive(leaf(number)), expected, "{number}");
        }
        assert!(tree.nodes.len() <= gone.len() * 16);
    }

    #[test]
    fn a_puncture_at_any_depth_takes_everything_below_and_what_was_punctured_there_before() {
        let mut tree = tree();
        let subtree = Path::ROOT.then(0b1010, 4);
        tree.puncture(leaf(0b1010_0000_0000_0001));
        tree.puncture(leaf(0b1010_1111_0000_0001));
        tree.puncture(subtree);
        for number in numbers() {
            assert_eq!(tree.derive(leaf(number)).is_none(), number >> 12 == 0b1010, "{number}");
        }
        assert_eq!(tree.nodes.len(), 4, "siblings on the way down and nothing else");
        tree.puncture(Path::ROOT);
        assert_eq!(tree.nodes.len(), 0);
    }

    #[test]
    fn time_that_has_passed_costs_no_more_than_the_depth() {
        let whole = tree();
        let mut tree = tree();
        for day in [1, 2, 3, 700, 701, 20_000, 20_001] {
            tree.puncture_before(leaf(day), 0);
            assert!(tree.nodes.len() <= 16);
            for number in numbers().chain([day - 1, day, day + 1]) {
                let expected = if number < day { None } else { whole.derive(leaf(number)) };
                assert_eq!(tree.derive(leaf(number)), expected, "{number} from {day} on");
            }
        }
    }

    #[test]
    fn a_descent_finds_what_a_fresh_look_finds() {
        let mut tree = tree();
        tree.puncture(leaf(12_345));
        let mut descent = Descent::default();
        for number in [3, 4, 5, 5, 12_345, 12_344, 60_000, 12_345, 4].into_iter().chain(numbers()) {
            assert_eq!(descent.derive(&tree, leaf(number)), tree.derive(leaf(number)), "{number}");
        }
    }

    #[test]
    fn a_tree_is_read_back_and_overlapping_parts_are_none() {
        let mut tree = tree();
        tree.puncture(leaf(9));
        let parts: Vec<(Path, Seed)> = tree.nodes().map(|(path, seed)| (path, seed.clone())).collect();
        let again = Tree::of(parts.clone()).unwrap();
        assert_eq!(again.derive(leaf(10)), tree.derive(leaf(10)));
        let inner = (Path::ROOT.then(1, 1).then(0, 3), Zeroizing::new([1; SEED_BYTES]));
        let mut overlapping = parts.clone();
        overlapping.push(inner);
        assert!(Tree::of(overlapping).is_none());
        let mut unordered = parts;
        unordered.reverse();
        assert!(Tree::of(unordered).is_none());
        assert_eq!(Path::new(1, 4), None, "bits beyond the length");
        assert_eq!(Path::new(0, 129), None);
    }
}
