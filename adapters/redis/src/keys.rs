//! Which keys there are in Redis, and how values are written.
//!
//! | key | type | value |
//! |---|---|---|
//! | `whimbrel:r:APP:ACCOUNT` | hash | instance: `PLATFORM NODE` |
//! | `whimbrel:v:APP:KEY` | string | second of its end in 4 bytes, big endian, 0 for none; then the bytes |
//! | `whimbrel:w:APP:KEY:WINDOW` | string | how much of the window is taken |

use bytes::Bytes;
use model::{AccountNumber, SdkAppId};

/// Routes of an account.
pub(crate) fn routes(app: SdkAppId, account: AccountNumber) -> String {
    format!("whimbrel:r:{}:{}", app.0, account.0)
}

/// A value.
pub(crate) fn value(app: SdkAppId, key: &str) -> String {
    format!("whimbrel:v:{}:{key}", app.0)
}

/// A rate window, counted from 1970.
pub(crate) fn window(app: SdkAppId, key: &str, window: u64) -> String {
    format!("whimbrel:w:{}:{key}:{window}", app.0)
}

pub(crate) fn write_route(platform: u16, node: u32) -> String {
    format!("{platform} {node}")
}

pub(crate) fn read_route(text: &str) -> Option<(u16, u32)> {
    let (platform, node) = text.split_once(' ')?;
    Some((platform.parse().ok()?, node.parse().ok()?))
}

pub(crate) fn write_value(end: u32, bytes: &[u8]) -> Vec<u8> {
    [&end.to_be_bytes()[..], bytes].concat()
}

pub(crate) fn read_value(written: Vec<u8>) -> Option<(u32, Bytes)> {
    let end = u32::from_be_bytes(*written.first_chunk()?);
    Some((end, Bytes::from(written).slice(4..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_what_is_not_ours_reads_as_nothing() {
        assert_eq!(read_route(&write_route(7, 3)), Some((7, 3)));
        for foreign in ["", "7", "7 x", "x 7", "70000 1"] {
            assert_eq!(read_route(foreign), None, "{foreign}");
        }
        assert_eq!(read_value(write_value(9, b"abc")), Some((9, Bytes::from_static(b"abc"))));
        assert_eq!(read_value(write_value(0, b"")), Some((0, Bytes::new())));
        assert_eq!(read_value(vec![1, 2, 3]), None);
    }
}
