//! HTTP/1.1 as far as REST calls need it, both sides: whole messages with a `Content-Length`, kept alive.

use std::io;
use std::ops::Range;

use super::{handshake, number};

/// The longest body either side accepts; a longer one is an error.
const BODY_BYTES_MAX: usize = 200 * 1024;

const LENGTH: &[u8] = b"\r\ncontent-length:";

/// Appends a call: a POST of `body` to `path`, its query included.
pub(crate) fn append_call(out: &mut Vec<u8>, host: &str, path: &str, body: &str) {
    out.extend_from_slice(b"POST ");
    out.extend_from_slice(path.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    out.extend_from_slice(host.as_bytes());
    out.extend_from_slice(b"\r\nContent-Type: application/json");
    append_body(out, body.as_bytes());
}

/// Appends the answer to a call.
pub(crate) fn append_answer(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Type: application/json");
    append_body(out, body);
}

fn append_body(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(b"\r\nContent-Length: ");
    number::append(out, body.len() as u64);
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

/// A whole call or answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// Its first line and headers, the empty line included.
    pub(crate) head: Range<usize>,
    /// Its body. The next message begins at its end.
    pub(crate) body: Range<usize>,
}

/// Finds the message that `bytes` begin with; `None` when it is not complete yet.
pub(crate) fn locate(bytes: &[u8]) -> io::Result<Option<Located>> {
    let Some(end) = handshake::head_length(bytes) else {
        if bytes.len() > handshake::HEAD_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a head is longer than the limit"));
        }
        return Ok(None);
    };
    let length = body_length(&bytes[..end]).filter(|length| *length <= BODY_BYTES_MAX);
    let Some(length) = length else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a body has no length, or is longer than the limit",
        ));
    };
    let body = end..end + length;
    Ok((bytes.len() >= body.end).then_some(Located { head: 0..end, body }))
}

fn body_length(head: &[u8]) -> Option<usize> {
    let at = head.windows(LENGTH.len()).position(|window| window.eq_ignore_ascii_case(LENGTH))?;
    usize::try_from(number::read(&head[at + LENGTH.len()..])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_and_nothing_is_found_too_early() {
        let (mut call, mut answer) = (Vec::new(), Vec::new());
        append_call(&mut call, "127.0.0.1:1", "/v4/sns/friend_get?random=1", "{}");
        append_answer(&mut answer, br#"{"ErrorCode":0}"#);
        for (message, start, body) in
            [(call, &b"POST /v4/"[..], &b"{}"[..]), (answer, b"HTTP/1.1 200", br#"{"ErrorCode":0}"#)]
        {
            assert!(message.starts_with(start));
            assert_eq!(locate(&message[..message.len() - 1]).unwrap(), None);
            let mut two = message.clone();
            two.extend_from_slice(&message);
            let found = locate(&two).unwrap().unwrap();
            assert_eq!((&two[found.body.clone()], found.body.end), (body, message.len()));
        }
    }

    #[test]
    fn a_message_without_a_length_is_refused() {
        assert!(locate(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        let found = locate(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap().unwrap();
        assert_eq!(found.body.len(), 2);
        assert!(locate(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n").is_err());
    }
}
