//! A minimal WebSocket frame codec for whole, unfragmented frames.

use std::io;
use std::ops::Range;

/// The longest payload either side accepts; a longer one is an error.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 200 * 1024;

/// Opcodes this tool understands.
pub(crate) mod opcode {
    /// A text message.
    pub(crate) const TEXT: u8 = 1;
    /// A binary message.
    pub(crate) const BINARY: u8 = 2;
    /// The other side closes.
    pub(crate) const CLOSE: u8 = 8;
    /// The other side wants a pong.
    pub(crate) const PING: u8 = 9;
    /// Answer to a ping.
    pub(crate) const PONG: u8 = 10;
}

/// Where a complete frame lies in the bytes it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// One of [`opcode`].
    pub(crate) opcode: u8,
    /// The payload, already unmasked in place. The next frame begins at its end.
    pub(crate) payload: Range<usize>,
}

/// Finds the first frame of `bytes` and unmasks it in place; `None` when it is not complete yet.
pub(crate) fn locate(bytes: &mut [u8]) -> io::Result<Option<Located>> {
    let &[first, second, ..] = &*bytes else {
        return Ok(None);
    };
    if first & 0xf0 != 0x80 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "cannot read a fragmented or compressed frame",
        ));
    }
    let (length, mut at) = match second & 0x7f {
        126 => match bytes.get(2..4) {
            Some(&[high, low]) => (usize::from(u16::from_be_bytes([high, low])), 4),
            _ => return Ok(None),
        },
        127 => match bytes.get(2..10).and_then(|raw| <[u8; 8]>::try_from(raw).ok()) {
            Some(raw) => (usize::try_from(u64::from_be_bytes(raw)).unwrap_or(usize::MAX), 10),
            None => return Ok(None),
        },
        short => (usize::from(short), 2),
    };
    if length > PAYLOAD_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is longer than the limit"));
    }
    let mut key = None;
    if second & 0x80 != 0 {
        key = bytes.get(at..at + 4).and_then(|raw| <[u8; 4]>::try_from(raw).ok());
        at += 4;
    }
    let payload = at..at + length;
    let Some(data) = bytes.get_mut(payload.clone()) else {
        return Ok(None);
    };
    if let Some(key) = key {
        mask(data, key);
    }
    Ok(Some(Located { opcode: first & 0x0f, payload }))
}

/// Masks or unmasks `data`; doing it twice gives the original.
pub(crate) fn mask(data: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = data.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends a frame as a server sends it: not masked.
pub(crate) fn append_plain(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    append_header(out, opcode, payload.len(), 0);
    out.extend_from_slice(payload);
}

/// Appends a frame as a client sends it: masked with `key`.
pub(crate) fn append_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8], key: [u8; 4]) {
    append_header(out, opcode, payload.len(), 0x80);
    out.extend_from_slice(&key);
    let start = out.len();
    out.extend_from_slice(payload);
    mask(&mut out[start..], key);
}

#[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
fn append_header(out: &mut Vec<u8>, opcode: u8, length: usize, mask_bit: u8) {
    out.push(0x80 | opcode);
    match length {
        0..126 => out.push(mask_bit | length as u8),
        126..65_536 => {
            out.push(mask_bit | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(mask_bit | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_class_survives_both_directions() {
        for length in [0, 1, 5, 7, 8, 125, 126, 1_300, 65_535, 65_536] {
            let payload: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut masked = Vec::new();
            append_masked(&mut masked, opcode::BINARY, &payload, [1, 2, 3, 4]);
            let mut plain = Vec::new();
            append_plain(&mut plain, opcode::TEXT, &payload);
            for (mut bytes, expected) in [(masked, opcode::BINARY), (plain, opcode::TEXT)] {
                let short = bytes.len() - 1;
                assert_eq!(locate(&mut bytes[..short]).unwrap(), None, "{length} bytes, one missing");
                let found = locate(&mut bytes).unwrap().unwrap();
                assert_eq!(found.opcode, expected);
                assert_eq!(found.payload.end, bytes.len());
                assert_eq!(&bytes[found.payload], payload.as_slice());
            }
        }
    }

    #[test]
    fn masking_follows_the_standard_byte_by_byte() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for length in 0..40_usize {
            let original: Vec<u8> = (0..length).map(|at| (at * 7 % 256) as u8).collect();
            let expected: Vec<u8> =
                original.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect();
            let mut data = original.clone();
            mask(&mut data, key);
            assert_eq!(data, expected);
        }
    }

    #[test]
    fn fragments_and_overlong_frames_are_refused() {
        assert!(locate(&mut [0x02, 0x00]).is_err());
        assert!(locate(&mut [0xc2, 0x00]).is_err());
        assert!(locate(&mut [0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]).is_err());
    }
}
