//! How the key of a generation and the state sealed under it are written.

use std::sync::Arc;

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce, Tag};
use ports::vault::{KeyWrap, NOTE_BYTES, Note, WRAPPED_BYTES_MAX};
use ports::{Fault, Random};
use zeroize::Zeroizing;

/// A key file never changes its size, so that it can be overwritten in place.
pub(super) const KEY_FILE_BYTES: usize = 4096;

const KEY_MAGIC: &[u8; 8] = b"WhimKey1";
const RING_MAGIC: &[u8; 8] = b"WhimRng1";
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

/// The key of one generation.
pub(super) struct GenerationKey {
    pub(super) generation: u64,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl GenerationKey {
    pub(super) fn fresh(generation: u64, random: &dyn Random) -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random.fill(key.as_mut_slice());
        Self { generation, key }
    }

    /// Magic 8, generation 8, nonce 12, tag 16, sealed state.
    pub(super) fn seal(&self, state: &[u8], random: &dyn Random) -> Result<Vec<u8>, Fault> {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let head = [RING_MAGIC.as_slice(), &self.generation.to_be_bytes()].concat();
        let mut sealed = state.to_vec();
        let tag = seal(&self.key, &nonce, &head, &mut sealed)?;
        Ok([head.as_slice(), &nonce, &tag, &sealed].concat())
    }

    /// The state; `None` if it is not one that was written to its end under this key.
    pub(super) fn open(&self, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let head = [RING_MAGIC.as_slice(), &self.generation.to_be_bytes()].concat();
        let rest = bytes.strip_prefix(head.as_slice())?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let (tag, sealed) = rest.split_first_chunk::<TAG_BYTES>()?;
        let mut state = Zeroizing::new(sealed.to_vec());
        open(&self.key, nonce, &head, &mut state, tag).then_some(state)
    }
}

/// What wraps the keys of generations.
pub enum Outer {
    /// A key that the program was given.
    Key(Zeroizing<[u8; KEY_BYTES]>),
    /// Something elsewhere that wraps by itself.
    Elsewhere(Arc<dyn KeyWrap>),
}

/// What is around the keys of generations, if there is something.
pub(super) struct OuterKey(Option<Outer>);

/// How a key lies in its file.
const PLAIN: u8 = 0;
const WRAPPED: u8 = 1;
const WRAPPED_ELSEWHERE: u8 = 2;

/// Magic 8, generation 8, how it lies 1.
const HEAD: usize = 8 + 8 + 1;

impl OuterKey {
    pub(super) const fn new(outer: Option<Outer>) -> Self {
        Self(outer)
    }

    /// Whether keys are wrapped.
    pub(super) const fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// The head; nonce 12, tag 16 and key 32, or length 2 and what was wrapped elsewhere; checksum 4; zeros.
    pub(super) fn wrap(&self, key: &GenerationKey, random: &dyn Random) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES));
        bytes.extend_from_slice(KEY_MAGIC);
        bytes.extend_from_slice(&key.generation.to_be_bytes());
        let mut content = key.key.clone();
        let (mut nonce, mut tag) = ([0; NONCE_BYTES], [0; TAG_BYTES]);
        match &self.0 {
            Some(Outer::Elsewhere(elsewhere)) => {
                bytes.push(WRAPPED_ELSEWHERE);
                let wrapped = elsewhere.wrap(&key.key, &bytes)?;
                let length = u16::try_from(wrapped.len()).ok().filter(|_| wrapped.len() <= WRAPPED_BYTES_MAX);
                let length =
                    length.ok_or_else(|| Fault::Unavailable("a wrapped key is too long".to_owned()))?;
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(&wrapped);
            }
            given => {
                bytes.push(if given.is_some() { WRAPPED } else { PLAIN });
                if let Some(Outer::Key(outer)) = given {
                    random.fill(&mut nonce);
                    tag = seal(outer, &nonce, &bytes, content.as_mut_slice())?;
                }
                bytes.extend_from_slice(&nonce);
                bytes.extend_from_slice(&tag);
                bytes.extend_from_slice(content.as_slice());
            }
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_be_bytes());
        bytes.resize(KEY_FILE_BYTES, 0);
        Ok(bytes)
    }

    /// The key in a file; `None` if it is destroyed or was not written to its end.
    pub(super) fn unwrap(&self, bytes: &[u8]) -> Result<Option<GenerationKey>, Fault> {
        let Some((head, rest)) = whole(bytes) else { return Ok(None) };
        let damaged = || Fault::Corrupt("the key of a generation".to_owned());
        let key = match (&self.0, head[HEAD - 1]) {
            (Some(Outer::Elsewhere(elsewhere)), WRAPPED_ELSEWHERE) => {
                elsewhere.unwrap(rest.get(2..).ok_or_else(damaged)?, head)?
            }
            (_, WRAPPED_ELSEWHERE) => {
                return Err(Fault::Unavailable(
                    "the keyring is wrapped by something elsewhere, and that is not given".to_owned(),
                ));
            }
            (outer, how) => {
                let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
                let (tag, content) = rest.split_first_chunk::<TAG_BYTES>().ok_or_else(damaged)?;
                let mut key = Zeroizing::new([0; KEY_BYTES]);
                key.copy_from_slice(content);
                match (outer, how) {
                    (_, PLAIN) => {}
                    (Some(Outer::Key(outer)), _) => {
                        if !open(outer, nonce, head, key.as_mut_slice(), tag) {
                            return Err(Fault::Corrupt(
                                "the keyring does not open with this outer key: it is another one".to_owned(),
                            ));
                        }
                    }
                    _ => {
                        return Err(Fault::Unavailable(
                            "the keyring is wrapped by an outer key, and none is given".to_owned(),
                        ));
                    }
                }
                key
            }
        };
        let generation = u64::from_be_bytes(head[8..16].try_into().map_err(|_| damaged())?);
        Ok(Some(GenerationKey { generation, key }))
    }
}

/// Head and rest of a key file that was written to its end.
fn whole(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = match *bytes.get(HEAD - 1)? {
        WRAPPED_ELSEWHERE => {
            let length = bytes.get(HEAD..HEAD + 2)?;
            HEAD + 2 + usize::from(u16::from_be_bytes([length[0], length[1]]))
        }
        _ => HEAD + NONCE_BYTES + TAG_BYTES + KEY_BYTES,
    };
    let (body, checksum) = (bytes.get(..body)?, bytes.get(body..body + 4)?);
    let is_whole = body.starts_with(KEY_MAGIC) && crc32fast::hash(body).to_be_bytes() == *checksum;
    is_whole.then(|| body.split_at(HEAD))
}

fn seal(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    bound: &[u8],
    bytes: &mut [u8],
) -> Result<[u8; TAG_BYTES], Fault> {
    ChaCha20Poly1305::new(Key::from_slice(key))
        .encrypt_in_place_detached(Nonce::from_slice(nonce), bound, bytes)
        .map(Into::into)
        .map_err(|_| Fault::Corrupt("a state that is too long to seal".to_owned()))
}

fn open(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    bound: &[u8],
    bytes: &mut [u8],
    tag: &[u8; TAG_BYTES],
) -> bool {
    ChaCha20Poly1305::new(Key::from_slice(key))
        .decrypt_in_place_detached(Nonce::from_slice(nonce), bound, bytes, Tag::from_slice(tag))
        .is_ok()
}

/// The length of a note with its checksum.
pub(super) const ENTRY_BYTES: usize = NOTE_BYTES + 4;

/// Notes with their checksums.
pub(super) fn write_notes(notes: &[Note]) -> Vec<u8> {
    notes.iter().flat_map(|note| [&note[..], &crc32fast::hash(note).to_be_bytes()].concat()).collect()
}

/// The notes that [`write_notes`] wrote; those that were damaged or cut are left out.
pub(super) fn read_notes(bytes: &[u8]) -> impl Iterator<Item = Note> {
    bytes.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
        let (note, checksum) = entry.split_first_chunk::<NOTE_BYTES>()?;
        (crc32fast::hash(note).to_be_bytes() == *checksum).then_some(*note)
    })
}

/// A number with its checksum.
pub(super) fn write_number(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    [bytes.as_slice(), &crc32fast::hash(&bytes).to_be_bytes()].concat()
}

/// Reads what [`write_number`] wrote.
pub(super) fn read_number(bytes: &[u8]) -> Option<u64> {
    let (number, checksum) = bytes.split_first_chunk::<8>()?;
    (crc32fast::hash(number).to_be_bytes() == *checksum).then_some(u64::from_be_bytes(*number))
}
