//! Unpacks LZ4 as far as it goes: for a search, which looks at the remains of packed data too. No checksum is looked at, and
//! where a block ends need not be known.

/// What a frame begins with.
const FRAME: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// The shortest match, in bytes.
const MATCH_BYTES_MIN: usize = 4;

/// Adds what a block of this unpacked length holds. Whether it is one, and something in it is packed at all: the rest is found
/// as it lies there.
pub(super) fn block(mut packed: &[u8], length: usize, out: &mut Vec<u8>) -> bool {
    let end = out.len().saturating_add(length);
    let mut is_packed = false;
    while out.len() < end {
        match sequence(&mut packed, out, end) {
            Some(has_match) => is_packed |= has_match,
            None => return false,
        }
    }
    is_packed
}

/// Adds what a frame holds, up to so many bytes in all; how many bytes of it were read.
pub(super) fn frame(packed: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> usize {
    let mut rest = packed;
    // What comes before the first fault counts.
    let _ = blocks(&mut rest, out, bytes_max);
    packed.len() - rest.len()
}

/// The blocks of a frame: its magic number, what it says of itself, then length and content of each. Later blocks may refer to
/// earlier ones.
fn blocks(rest: &mut &[u8], out: &mut Vec<u8>, end: usize) -> Option<()> {
    const VERSION: usize = 0b0100_0000;
    const BLOCK_CHECKSUMS: usize = 0b0001_0000;
    const CONTENT_LENGTH: usize = 0b0000_1000;
    const DICTIONARY: usize = 0b0000_0001;
    const IS_PLAIN: u32 = 1 << 31;
    *rest = rest.strip_prefix(&FRAME)?;
    let flags = byte(rest)?;
    if flags & 0b1100_0000 != VERSION {
        return None;
    }
    let length_bytes = if flags & CONTENT_LENGTH == 0 { 0 } else { 8 };
    let dictionary_bytes = if flags & DICTIONARY == 0 { 0 } else { 4 };
    let checksum_bytes = if flags & BLOCK_CHECKSUMS == 0 { 0 } else { 4 };
    // The length of blocks and a checksum take a byte each.
    *rest = rest.get(2 + length_bytes + dictionary_bytes..)?;
    while out.len() < end {
        let (length, after) = rest.split_first_chunk::<4>()?;
        *rest = after;
        let length = u32::from_le_bytes(*length);
        if length == 0 {
            break;
        }
        let bytes = usize::try_from(length & !IS_PLAIN).ok()?;
        let mut content = rest.get(..bytes).unwrap_or(*rest);
        *rest = rest.get(bytes.saturating_add(checksum_bytes)..).unwrap_or_default();
        if length & IS_PLAIN != 0 {
            out.extend_from_slice(content.get(..end - out.len()).unwrap_or(content));
            continue;
        }
        while !content.is_empty() {
            sequence(&mut content, out, end)?;
        }
    }
    Some(())
}

/// Adds one sequence: bytes as they are, then a match with what is there already. Whether it had one; `None` if it makes no
/// sense, or would lead beyond `end`.
fn sequence(rest: &mut &[u8], out: &mut Vec<u8>, end: usize) -> Option<bool> {
    let token = byte(rest)?;
    let literals = length(rest, token >> 4, end.checked_sub(out.len())?)?;
    let (plain, after) = rest.split_at_checked(literals)?;
    out.extend_from_slice(plain);
    *rest = after;
    if out.len() == end || rest.is_empty() {
        return Some(false);
    }
    let (offset, after) = rest.split_first_chunk::<2>()?;
    *rest = after;
    let offset = usize::from(u16::from_le_bytes(*offset));
    let room = end.checked_sub(out.len())?.checked_sub(MATCH_BYTES_MIN)?;
    let count = length(rest, token & 15, room)? + MATCH_BYTES_MIN;
    let from = out.len().checked_sub(offset).filter(|_| offset > 0)?;
    // It may overlap what it adds.
    for at in from..from + count {
        let copied = *out.get(at)?;
        out.push(copied);
    }
    Some(true)
}

/// A length that begins with four bits; `None` if it is more than `most`.
fn length(rest: &mut &[u8], four_bits: usize, most: usize) -> Option<usize> {
    let mut length = four_bits;
    let mut goes_on = four_bits == 15;
    while goes_on && length <= most {
        let more = byte(rest)?;
        length += more;
        goes_on = more == 255;
    }
    (length <= most).then_some(length)
}

fn byte(rest: &mut &[u8]) -> Option<usize> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(usize::from(*first))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};

    use super::*;

    /// Long and short repetitions, and what does not repeat.
    fn texts() -> Vec<Vec<u8>> {
        let numbers: Vec<String> =
            (0..20_000_u32).map(|number| number.wrapping_mul(number).to_string()).collect();
        vec![b"a".repeat(100_000), b"canary in the mine ".repeat(40), numbers.concat().into_bytes()]
    }

    #[test]
    fn blocks_are_unpacked_whatever_lies_behind_them() {
        for text in texts() {
            let mut packed = lz4_flex::block::compress(&text);
            packed.extend_from_slice(&[0, 0xff, 7].repeat(50));
            let mut out = b"before".to_vec();
            assert!(block(&packed, text.len(), &mut out));
            assert_eq!(out[6..], text);
            // Of another length it is none.
            assert!(!block(&packed, text.len() - 1, &mut Vec::new()));
        }
        assert!(!block(&lz4_flex::block::compress(b"nothing of it repeats"), 21, &mut Vec::new()), "plain");
        assert!(!block(b"", 1, &mut Vec::new()));
    }

    #[test]
    fn frames_of_every_kind_are_unpacked_up_to_a_limit() {
        for text in texts() {
            for mode in [BlockMode::Independent, BlockMode::Linked] {
                let info = FrameInfo::new()
                    .block_mode(mode)
                    .block_checksums(true)
                    .content_checksum(true)
                    .content_size(Some(text.len() as u64));
                for info in [FrameInfo::new(), info] {
                    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                    encoder.write_all(&text).unwrap();
                    let packed = encoder.finish().unwrap();
                    let mut out = Vec::new();
                    assert!(frame(&packed, &mut out, 1 << 20) <= packed.len());
                    assert!(out == text, "{} of {}", out.len(), text.len());
                    let mut part = Vec::new();
                    frame(&packed, &mut part, 500);
                    assert!(part.len() <= 500 && text.starts_with(&part));
                    // What is cut is unpacked as far as it is there.
                    let mut part = Vec::new();
                    frame(&packed[..packed.len() / 2], &mut part, 1 << 20);
                    assert!(text.starts_with(&part));
                }
            }
        }
    }

    #[test]
    fn nothing_unpacks_to_more_than_it_may_and_nothing_is_read_that_is_not_there() {
        let mut bytes = Vec::new();
        let mut state = 1_u64;
        for round in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes.truncate(round % 300);
            bytes.extend_from_slice(&state.to_le_bytes());
            let mut out = Vec::new();
            block(&bytes, 200, &mut out);
            assert!(out.len() <= 200);
            out.clear();
            frame(&[&FRAME[..], &[0x40, 0x40, 0][..], &bytes[..]].concat(), &mut out, 200);
            assert!(out.len() <= 200);
        }
    }
}
