//! Compression of frames: `COMP` in front of a gzip stream, for clients that say that they can inflate it.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::{GzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;
use model::{Error, ErrorCode};
use parking_lot::Mutex;

/// What a compressed frame begins with.
const MARK: &[u8] = b"COMP";

/// What a gzip stream begins with (RFC 1952, section 2.3.1); others are taken for zlib streams (RFC 1950).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// How many times its length a compressed frame may say. JSON says some ten times as much; what says more costs the server
/// more than its sender.
const SWELLS_MAX: usize = 64;

/// Compresses frames that are worth it.
pub(crate) struct Packer {
    /// Shorter frames stay as they are; 0: all do.
    bytes_min: usize,
    /// The push that was compressed last, and what came of it: it goes to several clients, one right after the other.
    last: Mutex<Option<(Bytes, Bytes)>>,
}

impl Packer {
    /// Compresses frames of so many bytes and more; none for 0.
    pub(crate) const fn new(bytes_min: usize) -> Self {
        Self { bytes_min, last: Mutex::new(None) }
    }

    /// The frame, compressed if that makes it shorter.
    pub(crate) fn pack(&self, frame: &Bytes) -> Bytes {
        if self.bytes_min == 0 || frame.len() < self.bytes_min {
            return frame.clone();
        }
        packed(frame).filter(|packed| packed.len() < frame.len()).unwrap_or_else(|| frame.clone())
    }

    /// The same for a frame that goes to other clients too.
    pub(crate) fn pack_shared(&self, frame: &Bytes) -> Bytes {
        if self.bytes_min == 0 || frame.len() < self.bytes_min {
            return frame.clone();
        }
        // The same bytes in the same place are the same frame, since it is kept here.
        let is_same = |known: &Bytes| known.as_ptr() == frame.as_ptr() && known.len() == frame.len();
        let mut last = self.last.lock();
        if let Some((_, packed)) = last.as_ref().filter(|(known, _)| is_same(known)) {
            return packed.clone();
        }
        let packed = self.pack(frame);
        *last = Some((frame.clone(), packed.clone()));
        packed
    }
}

fn packed(frame: &[u8]) -> Option<Bytes> {
    let mut out = Vec::with_capacity(frame.len() / 2);
    out.extend_from_slice(MARK);
    let mut encoder = GzEncoder::new(out, Compression::fast());
    encoder.write_all(frame).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// What a compressed frame says; `None` for a frame that is not compressed. Memory grows with what is in it, to at most
/// `bytes_max`, and to at most [`SWELLS_MAX`] times its length.
///
/// # Errors
/// `BadJson` if it is no whole stream, if something follows that, or if it says too much.
pub(crate) fn unpack(frame: &[u8], bytes_max: usize) -> Option<Result<Vec<u8>, Error>> {
    let packed = frame.strip_prefix(MARK)?;
    let bytes_max = bytes_max.min(packed.len().saturating_mul(SWELLS_MAX));
    let refuse = |what: &str| ErrorCode::BadJson.because(format!("the frame: {what}"));
    let mut said = Vec::new();
    // One byte more tells what is too long.
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let (read, rest) = if packed.starts_with(GZIP) {
        let mut decoder = GzDecoder::new(packed);
        (decoder.by_ref().take(most).read_to_end(&mut said), decoder.into_inner())
    } else {
        let mut decoder = ZlibDecoder::new(packed);
        (decoder.by_ref().take(most).read_to_end(&mut said), decoder.into_inner())
    };
    Some(match read {
        Ok(length) if length > bytes_max => Err(refuse("inflates too much")),
        Ok(_) if rest.is_empty() => Ok(said),
        Ok(_) => Err(refuse("something follows what is compressed")),
        Err(_) => Err(refuse("cannot be inflated")),
    })
}

#[cfg(test)]
#[path = "packing_fuzz.rs"]
mod fuzz;

#[cfg(test)]
mod tests {
    use flate2::write::ZlibEncoder;

    use super::*;

    /// `{"a":1}` as zlib compresses it, as a gzip and as a zlib stream.
    const VECTORS: [&[u8]; 2] = [
        b"COMP\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabVJT\xb22\xac\x05\x00\xaf\xac\x1bV\x07\x00\x00\x00",
        b"COMPx\x9c\xabVJT\xb22\xac\x05\x00\x08*\x02\t",
    ];

    fn bomb(gzip: bool, length: usize) -> Vec<u8> {
        let (zeros, mark) = (vec![b' '; length], MARK.to_vec());
        if gzip {
            let mut encoder = GzEncoder::new(mark, Compression::best());
            encoder.write_all(&zeros).unwrap();
            encoder.finish().unwrap()
        } else {
            let mut encoder = ZlibEncoder::new(mark, Compression::best());
            encoder.write_all(&zeros).unwrap();
            encoder.finish().unwrap()
        }
    }

    #[test]
    fn frames_of_other_programs_are_read_and_plain_ones_left_alone() {
        for vector in VECTORS {
            assert_eq!(unpack(vector, 7).unwrap().unwrap(), br#"{"a":1}"#);
            assert!(unpack(vector, 6).unwrap().is_err(), "one byte too many");
            for end in 4..vector.len() {
                assert!(unpack(&vector[..end], 1000).unwrap().is_err(), "cut after {end}");
            }
            assert!(unpack(&[vector, b"x"].concat(), 1000).unwrap().is_err(), "something follows");
        }
        assert!(unpack(br#"{"head":{}}"#, 1000).is_none() && unpack(b"COM", 1000).is_none());
    }

    #[test]
    fn a_small_frame_that_swells_is_refused_before_it_has() {
        for is_gzip in [true, false] {
            for length in [100_000, 3_000_000] {
                let bomb = bomb(is_gzip, length);
                assert!(unpack(&bomb, usize::MAX).unwrap().is_err(), "{length} from {}", bomb.len());
            }
        }
    }

    #[test]
    fn a_frame_is_compressed_from_a_length_on_and_if_that_makes_it_shorter() {
        let packer = Packer::new(100);
        let long = Bytes::from(br#"{"MsgType":"TIMTextElem"}"#.repeat(4));
        assert_eq!(long.len(), 100);
        let packed = packer.pack(&long);
        assert!(packed.starts_with(b"COMP\x1f\x8b") && packed.len() < long.len());
        assert_eq!(unpack(&packed, 100).unwrap().unwrap(), long);
        let short = long.slice(1..);
        assert_eq!(packer.pack(&short), short);
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        let random: Vec<u8> = (0..200).map(|_| next()).collect();
        let random = Bytes::from(random);
        assert_eq!((packer.pack(&random), packer.pack_shared(&random)), (random.clone(), random));
        assert_eq!(Packer::new(0).pack(&long), long);
    }

    #[test]
    fn a_push_is_compressed_once_for_all_who_get_it() {
        let packer = Packer::new(10);
        let (one, other) = (Bytes::from(vec![b'1'; 1000]), Bytes::from(vec![b'2'; 1000]));
        let first = packer.pack_shared(&one);
        assert_eq!(packer.pack_shared(&one.clone()).as_ptr(), first.as_ptr());
        assert_eq!(unpack(&packer.pack_shared(&other), 1000).unwrap().unwrap(), other);
        assert_ne!(packer.pack_shared(&one).as_ptr(), first.as_ptr());
        // A part of it is another frame, although it begins in the same place.
        assert_eq!(unpack(&packer.pack_shared(&one.slice(..999)), 1000).unwrap().unwrap(), one[..999]);
    }
}
