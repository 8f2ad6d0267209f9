//! Looks for texts in bytes: plain, in UTF-16, in base64 at any offset, and in what gzip or zlib packed.

use std::collections::BTreeSet;
use std::io::Read as _;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::cli::Outcome;

/// The shortest text that is looked for, in bytes: a shorter one is found anywhere.
const TEXT_BYTES_MIN: usize = 6;

/// How much of a packed stream is unpacked, in bytes.
const UNPACKED_BYTES_MAX: u64 = 16 << 20;

/// Findings told at most.
const FOUND_MAX: usize = 1000;

/// What is looked for, and what was found.
pub(crate) struct Search {
    /// Which text each pattern stands for, and in which form.
    forms: Vec<(usize, &'static str)>,
    patterns: Option<AhoCorasick>,
    found: BTreeSet<(usize, &'static str, String)>,
}

impl Search {
    pub(crate) fn new(texts: &[String]) -> Outcome<Self> {
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
        let built = (!patterns.is_empty()).then(|| AhoCorasick::new(&patterns)).transpose();
        let patterns = built.map_err(|error| format!("--search: {error}"))?;
        Ok(Self { forms, patterns, found: BTreeSet::new() })
    }

    /// Looks at bytes, and at what is packed in them.
    pub(crate) fn look(&mut self, place: &str, bytes: &[u8]) {
        if self.patterns.is_none() {
            return;
        }
        self.look_at(place, bytes);
        for start in 0..bytes.len().saturating_sub(2) {
            let packed = &bytes[start..];
            let unpacked = match packed {
                [0x1f, 0x8b, 8, ..] => unpack(flate2::read::GzDecoder::new(packed)),
                [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => unpack(flate2::read::ZlibDecoder::new(packed)),
                _ => continue,
            };
            self.look_at(&format!("{place}, packed"), &unpacked);
        }
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

    /// What was found: which text (the first is 0), in which form, where.
    pub(crate) fn found(self) -> Vec<Value> {
        let tell = |(text, form, place)| json!({"text": text, "form": form, "where": place});
        self.found.into_iter().map(tell).collect()
    }
}

fn unpack(packed: impl std::io::Read) -> Vec<u8> {
    let mut unpacked = Vec::new();
    // What was unpacked before a stream turns out to be none is looked at, too.
    let _ = packed.take(UNPACKED_BYTES_MAX).read_to_end(&mut unpacked);
    unpacked
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

    fn forms_found(bytes: &[u8]) -> Vec<String> {
        let mut search = Search::new(&["something else".to_owned(), TEXT.to_owned()]).unwrap();
        search.look("here", bytes);
        search
            .found()
            .iter()
            .map(|found| {
                assert_eq!(found["text"], 1);
                format!("{} {}", found["form"].as_str().unwrap(), found["where"].as_str().unwrap())
            })
            .collect()
    }

    #[test]
    fn a_text_is_found_in_every_form_and_nothing_else_is() {
        assert_eq!(forms_found(b"canary-in-the-min"), Vec::<String>::new());
        assert_eq!(forms_found(format!("before {TEXT} after").as_bytes()), ["plain here"]);
        let wide: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(forms_found(&wide), ["UTF-16 LE here"]);
        for before in ["", "a", "ab", "abc"] {
            let encoded = STANDARD_NO_PAD.encode(format!("{before}{TEXT} and more"));
            assert_eq!(forms_found(encoded.as_bytes()), ["base64 here"], "{before}");
        }
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(TEXT.repeat(3).as_bytes()).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(b"before".to_vec(), flate2::Compression::best());
        gzip.write_all(TEXT.repeat(3).as_bytes()).unwrap();
        for packed in [zlib.finish().unwrap(), gzip.finish().unwrap()] {
            assert_eq!(forms_found(&packed), ["plain here, packed"]);
        }
        assert!(Search::new(&["short".to_owned()]).is_err());
    }
}
