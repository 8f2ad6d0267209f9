//! The state of the keys: the trees, and how they are written down.

use model::{AccountNumber, DataClass, SdkAppId, Seconds};
use ports::{Fault, Random};
use zeroize::Zeroizing;

use super::tree::{Path, SEED_BYTES, Seed, Tree};

/// Version of the form below.
const FORMAT: u8 = 3;

pub(super) const ID_BYTES: usize = 16;
const NODE_BYTES: usize = 16 + 1 + SEED_BYTES;

/// Bits of a bucket, of an index, of an app's number, of a class, of a second and of an author's number in a path.
const BUCKET_BITS: u8 = 16;
pub(super) const INDEX_BITS: u8 = 56;
const APP_BITS: u8 = 32;
const CLASS_BITS: u8 = 8;
const SECOND_BITS: u8 = 32;
const AUTHOR_BITS: u8 = 64;

/// The most nodes of one tree that are read back; a hundred thousand recalls make about four million.
const NODES_MAX: usize = 1 << 25;

/// The keys that can still be derived.
#[derive(Clone)]
pub(super) struct State {
    /// Names this keyring, so that it is not taken for that of other data.
    pub(super) id: [u8; ID_BYTES],
    pub(super) contents: Tree,
    pub(super) authors: Tree,
    pub(super) times: Tree,
}

pub(super) fn content_path(bucket: u16, index: u64) -> Path {
    bucket_path(bucket).then(index, INDEX_BITS)
}

pub(super) fn bucket_path(bucket: u16) -> Path {
    Path::ROOT.then(bucket.into(), BUCKET_BITS)
}

/// Numbers are given out one after the other, so accounts that are in use share most of their way.
pub(super) fn author_path(app: SdkAppId, author: AccountNumber) -> Path {
    app_path(app).then(author.0, AUTHOR_BITS)
}

/// When content of a class was sealed.
pub(super) fn time_path(app: SdkAppId, class: DataClass, second: Seconds) -> Path {
    app_path(app).then(class.code().into(), CLASS_BITS).then(second.0.into(), SECOND_BITS)
}

/// How many bits two paths of times share when app and class are the same.
pub(super) const CLASS_LENGTH: u8 = APP_BITS + CLASS_BITS;

pub(super) fn app_path(app: SdkAppId) -> Path {
    Path::ROOT.then(app.0.into(), APP_BITS)
}

impl State {
    /// New keys.
    pub(super) fn fresh(id: [u8; ID_BYTES], random: &dyn Random) -> Self {
        let seed = || {
            let mut seed = Zeroizing::new([0; SEED_BYTES]);
            random.fill(seed.as_mut_slice());
            seed
        };
        Self { id, contents: Tree::new(seed()), authors: Tree::new(seed()), times: Tree::new(seed()) }
    }

    /// Writes the state down. The bytes are keys.
    ///
    /// # Errors
    /// `Unavailable` for more seeds than would be read back.
    pub(super) fn write(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let trees = [&self.contents, &self.authors, &self.times];
        if trees.iter().any(|tree| tree.nodes().len() > NODES_MAX) {
            return Err(Fault::Unavailable(format!("the keyring is full: {NODES_MAX} seeds in a tree")));
        }
        let nodes: usize = trees.iter().map(|tree| tree.nodes().len()).sum();
        // Never grown: growing would leave a copy behind.
        let mut out = Zeroizing::new(Vec::with_capacity(1 + ID_BYTES + trees.len() * 8 + nodes * NODE_BYTES));
        out.push(FORMAT);
        out.extend_from_slice(&self.id);
        for tree in trees {
            out.extend_from_slice(&(tree.nodes().len() as u64).to_be_bytes());
            for (path, seed) in tree.nodes() {
                out.extend_from_slice(&path.bits().to_be_bytes());
                out.push(path.length());
                out.extend_from_slice(seed.as_slice());
            }
        }
        Ok(out)
    }

    /// Reads what [`Self::write`] wrote.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let damaged = || Fault::Corrupt("the keyring: no such state".to_owned());
        let mut rest = bytes;
        let mut take = |count: usize| -> Result<&[u8], Fault> {
            let (taken, left) = rest.split_at_checked(count).ok_or_else(damaged)?;
            rest = left;
            Ok(taken)
        };
        if take(1)? != [FORMAT] {
            return Err(Fault::Corrupt("the keyring: written by another version of this program".to_owned()));
        }
        let id = take(ID_BYTES)?.try_into().map_err(|_| damaged())?;
        let mut trees = Vec::with_capacity(3);
        for _ in 0..3 {
            let count = u64::from_be_bytes(take(8)?.try_into().map_err(|_| damaged())?);
            let count =
                usize::try_from(count).ok().filter(|count| *count <= NODES_MAX).ok_or_else(damaged)?;
            let mut nodes: Vec<(Path, Seed)> = Vec::new();
            for node in take(count * NODE_BYTES)?.chunks_exact(NODE_BYTES) {
                let bits = u128::from_be_bytes(node[..16].try_into().map_err(|_| damaged())?);
                let path = Path::new(bits, node[16]).ok_or_else(damaged)?;
                let mut seed = Zeroizing::new([0; SEED_BYTES]);
                seed.copy_from_slice(&node[17..]);
                nodes.push((path, seed));
            }
            trees.push(Tree::of(nodes).ok_or_else(damaged)?);
        }
        if !rest.is_empty() {
            return Err(damaged());
        }
        let times = trees.pop().ok_or_else(damaged)?;
        let authors = trees.pop().ok_or_else(damaged)?;
        let contents = trees.pop().ok_or_else(damaged)?;
        Ok(Self { id, contents, authors, times })
    }
}

#[cfg(test)]
#[path = "state_fuzz.rs"]
mod fuzz;
