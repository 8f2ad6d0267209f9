//! How values are written: a checksum (CRC-32), a format number, then the value in postcard's compact form.

use ports::Fault;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format of values. Grows when the form of a stored type changes.
const FORMAT: u8 = 5;

const HEADER_BYTES: usize = 5;

/// Encodes a value with its checksum.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(&[0; HEADER_BYTES]);
    bytes[4] = FORMAT;
    let mut bytes = postcard::to_extend(value, bytes)
        .map_err(|error| Fault::Corrupt(format!("cannot encode a value: {error}")))?;
    let checksum = crc32fast::hash(&bytes[4..]);
    bytes[..4].copy_from_slice(&checksum.to_be_bytes());
    Ok(bytes)
}

/// Decodes what [`encode`] wrote.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Fault> {
    let damaged = |why: &str| Fault::Corrupt(format!("{what}: {why}"));
    let (header, _) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(|| damaged("too short"))?;
    let checksum = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
    if crc32fast::hash(&bytes[4..]) != checksum {
        return Err(damaged("the checksum does not match"));
    }
    if header[4] != FORMAT {
        return Err(damaged("written by another version of this program"));
    }
    postcard::from_bytes(&bytes[HEADER_BYTES..]).map_err(|_| damaged("no such value"))
}

/// Says what a failure of the engine means to a caller.
pub(crate) fn fault(error: &fjall::Error) -> Fault {
    Fault::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flipped_bit_goes_unnoticed() {
        let Ok(good) = encode(&(7_u64, "text")) else { panic!("encodes") };
        assert_eq!(decode::<(u64, String)>(&good, "pair"), Ok((7, "text".to_owned())));
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                assert!(matches!(decode::<(u64, String)>(&bad, "pair"), Err(Fault::Corrupt(_))));
            }
        }
        for end in 0..good.len() {
            assert!(decode::<(u64, String)>(&good[..end], "pair").is_err());
        }
    }
}
