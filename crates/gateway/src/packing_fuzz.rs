//! Whatever is called a compressed frame: it says no more than it may, and what was compressed is found again.

use std::sync::LazyLock;

use fuzzing::{Choices, vary};

use super::*;

const FRAME: &[u8] =
    br#"{"head":{"servcmd":"openim.sendmsg","seq":7,"a2":"key"},"body":{"To_Account":"bob"}}"#;

/// So that some of the samples say too much.
const BYTES_MAX: usize = 1_000;

static FRAMES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let zlib = |bytes: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(MARK.to_vec(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let gzip = |bytes: &[u8]| packed(bytes).unwrap().to_vec();
    let long = FRAME.repeat(20);
    vec![gzip(FRAME), zlib(FRAME), gzip(&long), zlib(&long), gzip(b""), FRAME.to_vec()]
});

static PLAIN: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| vec![FRAME.to_vec(), FRAME.repeat(3), FRAME.repeat(20), vec![b' '; 5_000]]);

fn compressed(choices: &mut Choices<'_>) -> bool {
    let frame = vary(choices, &FRAMES);
    let Some(said) = unpack(&frame, BYTES_MAX) else {
        assert!(!frame.starts_with(MARK));
        return false;
    };
    let Ok(said) = said else { return false };
    assert!(said.len() <= BYTES_MAX && said.len() <= frame.len() * SWELLS_MAX);
    assert!(unpack(&frame, said.len()).is_some_and(|again| again.is_ok_and(|again| again == said)));
    if let Some(less) = said.len().checked_sub(1) {
        assert!(unpack(&frame, less).is_some_and(|again| again.is_err()), "one byte too many");
    }
    true
}

fn any_bytes(choices: &mut Choices<'_>) -> bool {
    let frame = Bytes::from(vary(choices, &PLAIN));
    let (packer, bytes_min) = (Packer::new(60), 60);
    let packed = packer.pack(&frame);
    assert_eq!(packer.pack_shared(&frame), packed);
    if packed == frame {
        return false;
    }
    assert!(frame.len() >= bytes_min && packed.len() < frame.len());
    // What is sent may swell more than what is taken.
    if frame.len() <= (packed.len() - MARK.len()) * SWELLS_MAX {
        assert!(unpack(&packed, frame.len()).is_some_and(|said| said.is_ok_and(|said| said == frame)));
    }
    true
}

#[test]
fn compressed_frames() {
    fuzzing::target!(4_000, compressed);
}

#[test]
fn frames_to_compress() {
    fuzzing::target!(2_000, any_bytes);
}
