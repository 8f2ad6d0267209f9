//! How values are written: a checksum (CRC-32), a format number, then the value in postcard's compact form.

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Document};
use ports::Fault;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format of values. Grows when the form of a stored type changes.
const FORMAT: u8 = 1;

const HEADER_BYTES: usize = 5;

/// Bytes as the server keeps them.
pub(crate) const fn binary(bytes: Vec<u8>) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes }
}

/// Encodes a value with its checksum.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Binary, Fault> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&[0, 0, 0, 0, FORMAT]);
    let mut bytes = postcard::to_extend(value, bytes)
        .map_err(|error| Fault::Corrupt(format!("cannot encode a value: {error}")))?;
    let checksum = crc32fast::hash(&bytes[4..]);
    bytes[..4].copy_from_slice(&checksum.to_be_bytes());
    Ok(binary(bytes))
}

/// Decodes what [`encode`] wrote.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Fault> {
    let damaged = |why: &str| Fault::Corrupt(format!("{what}: {why}"));
    let (header, value) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(|| damaged("too short"))?;
    let checksum = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
    if crc32fast::hash(&bytes[4..]) != checksum {
        return Err(damaged("the checksum does not match"));
    }
    if header[4] != FORMAT {
        return Err(damaged("written by another version of this program"));
    }
    postcard::from_bytes(value).map_err(|_| damaged("no such value"))
}

/// A number of a document.
pub(crate) fn number(document: &Document, field: &str) -> Result<u64, Fault> {
    let found = document.get_i64(field).ok().and_then(|value| u64::try_from(value).ok());
    found.ok_or_else(|| Fault::Corrupt("a document lacks a number".to_owned()))
}

/// A text of a document.
pub(crate) fn text<'a>(document: &'a Document, field: &str) -> Result<&'a str, Fault> {
    document.get_str(field).map_err(|_| Fault::Corrupt("a document lacks a text".to_owned()))
}

/// The bytes of a document.
pub(crate) fn bytes<'a>(document: &'a Document, field: &str) -> Result<&'a [u8], Fault> {
    let found = document.get_binary_generic(field);
    found.map(Vec::as_slice).map_err(|_| Fault::Corrupt("a document lacks its bytes".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flipped_bit_goes_unnoticed() {
        let Ok(good) = encode(&(7_u64, "text")) else { panic!("encodes") };
        let good = good.bytes;
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
