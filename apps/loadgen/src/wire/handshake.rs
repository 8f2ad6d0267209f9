//! The WebSocket opening handshake, both sides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use sha1::{Digest as _, Sha1};

/// Any 16 bytes in base64 will do: no cache stands between.
const KEY: &str = "d2hpbWJyZWwgbG9hZGdlbg==";

/// The longest head of a request or answer that is waited for.
pub(crate) const HEAD_BYTES_MAX: usize = 8 * 1024;

/// The request that opens a socket as the Web SDK opens it.
pub(crate) fn request(host: &str, sdkappid: u64, instance: u64) -> String {
    format!(
        "GET /binfo?sdkappid={sdkappid}&instanceid={instance:032x}&random=0.39083&platform=7&host=linux&version=-1\
         &sdkversion=3.6.6 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// The length of the head that `bytes` begin with, its empty line included; `None` when it is not complete.
pub(crate) fn head_length(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// Whether `head` is an answer that opens the socket with our key.
pub(crate) fn is_accepted(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.starts_with("HTTP/1.1 101") && header(&text, "sec-websocket-accept") == Some(&accept(KEY))
}

/// The answer to an upgrade request; `None` when it is not one.
pub(crate) fn answer(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let key = header(&text, "sec-websocket-key")?;
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept(key)
    ))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn accept(key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_the_one_of_the_standard() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn both_sides_agree() {
        let request = request("127.0.0.1:1", 1_400_000_001, 5);
        assert_eq!(head_length(request.as_bytes()), Some(request.len()));
        let answer = answer(request.as_bytes()).unwrap();
        assert!(is_accepted(answer.as_bytes()));
        assert!(!is_accepted(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"));
    }
}
