//! Whatever bytes come over a connection, in whatever pieces: what is heard is what a plain reading of RFC 6455 finds,
//! and memory stays within the limit.

use std::collections::VecDeque;
use std::io;
use std::sync::LazyLock;
use std::task::Waker;

use fuzzing::{Choices, vary};
use tokio::io::ReadBuf;

use super::tests::frame;
use super::*;

const MESSAGE_BYTES_MAX: usize = 2_000;

/// The longest header of a frame.
const HEADER_BYTES_MAX: usize = 14;

/// What comes with the handshake, at most.
const ALREADY_BYTES_MAX: usize = 1_000;

static STREAMS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let request = br#"{"head":{"servcmd":"openim.sendmsg","seq":7,"a2":"key"},"body":{"x":1}}"#;
    let streams = [
        vec![frame(0x82, request), frame(0x82, b"a")],
        vec![frame(0x81, "gr\u{fc}n".as_bytes()), frame(0x89, b"there?"), frame(0x8a, b"")],
        vec![frame(0x01, "gr\u{fc}".as_bytes()), frame(0x89, b"x"), frame(0x00, b""), frame(0x80, b"n")],
        vec![frame(0x82, &[7; MESSAGE_BYTES_MAX]), frame(0x82, &[7; 126])],
        vec![frame(0x02, &[1; 1_500]), frame(0x80, &[2; 500])],
        vec![frame(0x82, b"last"), frame(0x88, &4_000_u16.to_be_bytes()), frame(0x82, b"unheard")],
    ];
    streams.iter().map(|frames| frames.concat()).collect()
});

/// A client that has said everything before it is listened to, in pieces.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(buffer.remaining()));
            buffer.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What a connection came to.
#[derive(Debug, PartialEq)]
struct Course {
    messages: Vec<Vec<u8>>,
    /// The answers to pings.
    pongs: Vec<u8>,
    end: Ended,
}

/// What the socket makes of it.
fn heard(already: &[u8], pieces: VecDeque<Vec<u8>>) -> Course {
    let mut socket = WebSocket::new(Pieces(pieces), already.to_vec(), MESSAGE_BYTES_MAX);
    let mut cx = Context::from_waker(Waker::noop());
    let mut messages = Vec::new();
    loop {
        match socket.poll_heard(&mut cx) {
            Poll::Ready(Ok(Heard::Message(place))) => messages.push(socket.message(&place).to_vec()),
            Poll::Ready(Ok(Heard::Part)) => {}
            Poll::Ready(Err(end)) => return Course { messages, pongs: socket.outgoing, end },
            Poll::Pending => panic!("it waits for a client that does not"),
        }
        let held = socket.incoming.capacity();
        assert!(held <= 2 * (HEADER_BYTES_MAX + MESSAGE_BYTES_MAX + READ_BYTES), "{held} bytes are held");
        let begun = socket.fragments.as_ref().map_or(0, |(_, begun)| begun.len());
        assert!(begun <= MESSAGE_BYTES_MAX, "{begun} bytes of a message are held");
    }
}

/// A frame's first byte and payload, and what comes behind it; `None` if it is not there as a whole.
type Framed<'a> = Option<(u8, Vec<u8>, &'a [u8])>;

fn first_frame(bytes: &[u8], begun: usize) -> Result<Framed<'_>, CloseCode> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let length_bytes = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some((long, rest)) = rest.split_at_checked(length_bytes) else { return Ok(None) };
    let short = if length_bytes == 0 { u64::from(second & 0x7f) } else { 0 };
    let length = long.iter().fold(short, |length, byte| length << 8 | u64::from(*byte));
    let is_masked = second & 0x80 != 0;
    let Some((mask, rest)) = rest.split_at_checked(if is_masked { 4 } else { 0 }) else { return Ok(None) };
    let opcode = first & 0x0f;
    let is_control = opcode >= 8;
    let is_known = matches!(opcode, 0..=2 | 8..=10);
    let is_plain_control = first & 0x80 != 0 && length <= 125;
    if !is_known || !is_masked || first & 0x70 != 0 || (is_control && !is_plain_control) {
        return Err(CloseCode::Protocol);
    }
    let length = usize::try_from(length).unwrap();
    if !is_control && length > MESSAGE_BYTES_MAX - begun {
        return Err(CloseCode::Size);
    }
    let Some((payload, behind)) = rest.split_at_checked(length) else { return Ok(None) };
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Ok(Some((*first, payload, behind)))
}

/// What the RFC makes of it, read from all bytes at once.
fn expected(bytes: &[u8]) -> Course {
    let (mut messages, mut pongs, mut rest) = (Vec::new(), Vec::new(), bytes);
    let mut begun: Option<(bool, Vec<u8>)> = None;
    let end = loop {
        let length = begun.as_ref().map_or(0, |(_, message)| message.len());
        let (first, payload) = match first_frame(rest, length) {
            Ok(Some((first, payload, behind))) => {
                rest = behind;
                (first, payload)
            }
            Ok(None) => break Ended::Gone,
            Err(code) => break Ended::Closed(code),
        };
        let is_final = first & 0x80 != 0;
        let (is_text, mut message) = match (first & 0x0f, begun.take()) {
            (8, _) => break Ended::Closed(goodbye(&payload)),
            (9 | 10, still) => {
                if first & 0x0f == 9 {
                    pongs.extend([0x8a, u8::try_from(payload.len()).unwrap()]);
                    pongs.extend(payload);
                }
                begun = still;
                continue;
            }
            (0, Some(begun)) => begun,
            (opcode @ (1 | 2), None) => (opcode == 1, Vec::new()),
            _ => break Ended::Closed(CloseCode::Protocol),
        };
        message.extend(payload);
        if !is_final {
            begun = Some((is_text, message));
        } else if is_text && std::str::from_utf8(&message).is_err() {
            break Ended::Closed(CloseCode::Invalid);
        } else {
            messages.push(message);
        }
    };
    Course { messages, pongs, end }
}

/// The code that answers a goodbye.
fn goodbye(payload: &[u8]) -> CloseCode {
    match payload {
        [] => CloseCode::Normal,
        [_] => CloseCode::Protocol,
        [high, low, ..] => match u16::from_be_bytes([*high, *low]) {
            code @ (1000..=1003 | 1007..=1013 | 3000..=4999) => CloseCode::from(code),
            _ => CloseCode::Protocol,
        },
    }
}

fn stream(choices: &mut Choices<'_>) -> bool {
    let already = choices.below(ALREADY_BYTES_MAX);
    let lengths = [1 + choices.below(20), 1 + choices.below(3_000)];
    let bytes = vary(choices, STREAMS.as_slice());
    let (already, mut rest) = bytes.split_at(already.min(bytes.len()));
    let mut pieces = VecDeque::new();
    for length in lengths.into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        pieces.push_back(piece.to_vec());
        rest = behind;
    }
    let course = heard(already, pieces);
    assert_eq!(course, expected(&bytes));
    let again: Vec<u8> = course.messages.iter().flat_map(|message| frame(0x82, message)).collect();
    assert_eq!(heard(&[], VecDeque::from([again])).messages, course.messages);
    !course.messages.is_empty()
}

#[test]
fn streams() {
    fuzzing::target!(2_000, stream);
}
