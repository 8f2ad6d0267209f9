//! Looks for texts in bytes: plain, in UTF-16, in base64 at any offset, and in what gzip, zlib or LZ4 packed.

use std::collections::BTreeSet;
use std::io::Read as _;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use flate2::bufread::{GzDecoder, ZlibDecoder};
use serde_json::{Value, json};

use super::lz4;
use crate::cli::Outcome;

/// The shortest text that is looked for, in bytes: a shorter one is found anywhere.
const TEXT_BYTES_MIN: usize = 6;

/// How long all texts together may be, in bytes: they have to fit into a request of the control socket.
const TEXTS_BYTES_MAX: usize = 8 << 10;

/// How much of a packed stream is unpacked, in bytes.
const UNPACKED_BYTES_MAX: usize = 16 << 20;

/// How much may be unpacked in all, in bytes: so much, and so many times as much as is looked at. Who fills a file with what
/// looks packed makes a search slow, but not endless.
const UNPACKED_BYTES_FREE: u64 = 1 << 30;
const UNPACKED_TIMES: u64 = 16;

/// What each attempt to unpack a stream, and a block, costs in bytes of that: most come to nothing.
const STREAM_BYTES: usize = 4096;
const BLOCK_BYTES: usize = 16;

/// What an unpacked block's length begins before it: right there, or with a checksum between as the engine's tables have it.
const BLOCK_OFFSETS: [usize; 2] = [4, 8];

/// Findings told at most.
const FOUND_MAX: usize = 1000;

/// What is looked for, and what was found.
pub(super) struct Search {
    /// Which text each pattern stands for, and in which form.
    forms: Vec<(usize, &'static str)>,
    patterns: Option<AhoCorasick>,
    found: BTreeSet<(usize, &'static str, String)>,
    /// How much may still be unpacked.
    budget: u64,
    /// Where there was more to unpack than that.
    unsearched: BTreeSet<String>,
    /// What was unpacked last.
    unpacked: Vec<u8>,
}

/// What may be packed, by how it begins.
#[derive(Clone, Copy)]
enum Packed {
    Gzip,
    Zlib,
    Frame,
    /// A block of LZ4, so many bytes behind the place where its unpacked length stands.
    Block(usize, usize),
}

impl Search {
    pub(super) fn new(texts: &[String]) -> Outcome<Self> {
        if texts.iter().map(String::len).sum::<usize>() > TEXTS_BYTES_MAX {
            return Err(format!("--search: at most {TEXTS_BYTES_MAX} bytes in all"));
        }
        let (mut forms, mut patterns) = (Vec::new(), Vec::new());
        for (index, text) in texts.iter().enumerate() {
            if text.len() < TEXT_BYTES_MIN {
                return Err(format!("--search: at least {TEXT_BYTES_MIN} bytes"));
            }
            for (form, pattern) in forms_of(text) {
                forms.push((index, form));
                patterns.push(pattern);
            }
        }
        // Long texts would make a table of all states too large.
        let build = || AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(&patterns);
        let built = (!patterns.is_empty()).then(build).transpose();
        let patterns = built.map_err(|error| format!("--search: {error}"))?;
        let (found, unsearched) = (BTreeSet::new(), BTreeSet::new());
        Ok(Self { forms, patterns, found, budget: UNPACKED_BYTES_FREE, unsearched, unpacked: Vec::new() })
    }

    /// Whether anything is looked for.
    pub(super) const fn is_any(&self) -> bool {
        self.patterns.is_some()
    }

    /// Looks at bytes, and at what is packed in them.
    pub(super) fn look(&mut self, place: &str, bytes: &[u8]) {
        if !self.is_any() {
            return;
        }
        self.budget = self.budget.saturating_add(UNPACKED_TIMES.saturating_mul(bytes.len() as u64));
        self.look_at(place, bytes);
        for start in 0..bytes.len().saturating_sub(2) {
            let packed = bytes.get(start..).unwrap_or_default();
            let stream = match packed {
                [0x1f, 0x8b, 8, ..] => Some(Packed::Gzip),
                [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some(Packed::Zlib),
                [0x04, 0x22, 0x4d, 0x18, ..] => Some(Packed::Frame),
                _ => None,
            };
            // A length that is small enough for a block to be unpacked; its last byte is 0.
            let length = match packed {
                [low, middle, high, 0, ..] => u32::from_le_bytes([*low, *middle, *high, 0]) as usize,
                _ => 0,
            };
            if stream.is_none() && length < TEXT_BYTES_MIN {
                continue;
            }
            let blocks =
                BLOCK_OFFSETS.map(|at| (length >= TEXT_BYTES_MIN).then_some(Packed::Block(at, length)));
            for form in stream.into_iter().chain(blocks.into_iter().flatten()) {
                if self.budget == 0 {
                    if self.unsearched.len() < FOUND_MAX {
                        self.unsearched.insert(place.to_owned());
                    }
                    return;
                }
                self.unpack(form, place, packed);
            }
        }
    }

    fn unpack(&mut self, form: Packed, place: &str, packed: &[u8]) {
        let mut out = std::mem::take(&mut self.unpacked);
        out.clear();
        // What was unpacked before a stream turns out to be none is looked at, too.
        let (work, has_more) = match form {
            Packed::Gzip => {
                let mut rest = packed;
                read(GzDecoder::new(&mut rest), &mut out);
                (STREAM_BYTES + packed.len() - rest.len(), true)
            }
            Packed::Zlib => {
                let mut rest = packed;
                read(ZlibDecoder::new(&mut rest), &mut out);
                (STREAM_BYTES + packed.len() - rest.len(), true)
            }
            Packed::Frame => (STREAM_BYTES + lz4::frame(packed, &mut out, UNPACKED_BYTES_MAX), true),
            Packed::Block(at, length) => {
                (BLOCK_BYTES, lz4::block(packed.get(at..).unwrap_or_default(), length, &mut out))
            }
        };
        self.budget = self.budget.saturating_sub((work + out.len()) as u64);
        if has_more {
            self.look_at(&format!("{place}, packed"), &out);
        }
        self.unpacked = out;
    }

    fn look_at(&mut self, place: &str, bytes: &[u8]) {
        let Some(patterns) = &self.patterns else { return };
        for hit in patterns.find_overlapping_iter(bytes) {
            if self.found.len() < FOUND_MAX
                && let Some((text, form)) = self.forms.get(hit.pattern().as_usize())
            {
                self.found.insert((*text, form, place.to_owned()));
            }
        }
    }

    /// What was found: which text (the first is 0), in which form, where. Then where packed data was left unsearched: there was
    /// too much of it.
    pub(super) fn found(self) -> (Vec<Value>, Vec<String>) {
        let tell = |(text, form, place)| json!({"text": text, "form": form, "where": place});
        (self.found.into_iter().map(tell).collect(), self.unsearched.into_iter().collect())
    }
}

fn read(packed: impl std::io::Read, out: &mut Vec<u8>) {
    let _ = packed.take(UNPACKED_BYTES_MAX as u64).read_to_end(out);
}

fn forms_of(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut forms = vec![("plain", text.as_bytes().to_vec()), ("UTF-16 LE", little), ("UTF-16 BE", big)];
    for offset in 0..3 {
        // What stands before and after the text shares letters with it at either end: those are left out.
        let padded = [&[0; 2][..offset], text.as_bytes()].concat();
        let (first, last) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let whole = engine.encode(&padded).into_bytes();
            forms.push(("base64", whole[first..last].to_vec()));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests end by panicking")]

    use std::io::Write as _;

    use super::*;

    const TEXT: &str = "canary-in-the-mine";

    fn searched(bytes: &[u8]) -> Vec<String> {
        let mut search = Search::new(&["something else".to_owned(), TEXT.to_owned()]).unwrap();
        search.look("here", bytes);
        let (found, unsearched) = search.found();
        assert_eq!(unsearched, Vec::<String>::new());
        found
            .iter()
            .map(|found| {
                assert_eq!(found["text"], 1);
                format!("{} {}", found["form"].as_str().unwrap(), found["where"].as_str().unwrap())
            })
            .collect()
    }

    #[test]
    fn a_text_is_found_in_every_form_and_nothing_else_is() {
        assert_eq!(searched(b"canary-in-the-min"), Vec::<String>::new());
        assert_eq!(searched(format!("before {TEXT} after").as_bytes()), ["plain here"]);
        let wide: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(searched(&wide), ["UTF-16 LE here"]);
        for before in ["", "a", "ab", "abc"] {
            let encoded = STANDARD_NO_PAD.encode(format!("{before}{TEXT} and more"));
            assert_eq!(searched(encoded.as_bytes()), ["base64 here"], "{before}");
        }
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(TEXT.repeat(3).as_bytes()).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(b"before".to_vec(), flate2::Compression::best());
        gzip.write_all(TEXT.repeat(3).as_bytes()).unwrap();
        for packed in [zlib.finish().unwrap(), gzip.finish().unwrap()] {
            assert_eq!(searched(&packed), ["plain here, packed"]);
        }
        assert!(Search::new(&["short".to_owned()]).is_err());
        assert!(Search::new(&["a".repeat(TEXTS_BYTES_MAX)]).is_ok());
        assert!(Search::new(&["a".repeat(TEXTS_BYTES_MAX - 5), "bbbbbb".to_owned()]).is_err());
    }

    /// A text of which no part of LZ4 holds the whole: its halves stand apart, and together by reference only.
    fn torn() -> Vec<u8> {
        let (first, second) = TEXT.split_at(TEXT.len() / 2);
        format!("{first}1{second}2{first}{second}3 and what follows it").into_bytes()
    }

    #[test]
    fn a_text_that_lz4_packed_is_found_in_frames_and_in_blocks_of_known_length() {
        let text = torn();
        let mut frame = lz4_flex::frame::FrameEncoder::new(b"before".to_vec());
        frame.write_all(&text).unwrap();
        let frame = frame.finish().unwrap();
        let prefixed = lz4_flex::block::compress_prepend_size(&text);
        let (length, block) = prefixed.split_at(4);
        // As the engine's tables have it.
        let checked = [length, b"\xf7cRc", block].concat();
        for packed in [&frame, &prefixed, &checked] {
            assert_eq!(searched(&[&packed[..], b"behind"].concat()), ["plain here, packed"]);
        }
        // One that cannot be that long is not looked at.
        let other = [&[0xff; 4][..], block].concat();
        assert_eq!(searched(&other), Vec::<String>::new());
    }

    #[test]
    fn what_looks_packed_over_and_over_ends_the_search_for_packed_data_and_is_told() {
        let mut search = Search::new(&[TEXT.to_owned()]).unwrap();
        search.budget = 1 << 20;
        search.look("bomb", &[0x78, 0x9c].repeat(1 << 20));
        assert!(search.budget < 1 << 20);
        // What comes after it has its own share.
        let mut zlib = flate2::write::ZlibEncoder::new(vec![7; 10_000], flate2::Compression::default());
        zlib.write_all(TEXT.repeat(3).as_bytes()).unwrap();
        search.look("after", &zlib.finish().unwrap());
        let (found, unsearched) = search.found();
        assert_eq!(unsearched, ["bomb"]);
        assert_eq!(found, [json!({"text": 0, "form": "plain", "where": "after, packed"})]);
    }
}
