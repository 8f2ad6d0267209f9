//! WebSocket messages on the server's side of a connection (RFC 6455), over any stream of bytes.
//!
//! Frame headers are tungstenite's; buffers are ours, because they decide what an idle connection costs (none is held
//! while nothing is on its way) and how many messages one read or write carries.

use std::io::Cursor;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tokio_util::io::poll_read_buf;

/// What one read takes at most.
const READ_BYTES: usize = 16 * 1024;

/// The payload of a control frame at most (RFC 6455, section 5.5).
const CONTROL_BYTES_MAX: u64 = 125;

/// What came over a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A whole message; [`WebSocket::message`] shows it.
    Message(Place),
    /// A part of a message, or something that is for the connection itself.
    Part,
}

/// Where a message lies until the next one is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where it was read into.
    Incoming(Range<usize>),
    /// Put together from several frames.
    Assembled(Vec<u8>),
}

/// How reading ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The stream ended or broke.
    Gone,
    /// The client said goodbye or broke the protocol; this is the code to answer with, after all that is under way.
    Closed(CloseCode),
}

/// A connection that carries messages.
pub(crate) struct WebSocket<S> {
    stream: S,
    /// What came and was not looked at yet, from `taken` on.
    incoming: Vec<u8>,
    taken: usize,
    /// The beginning of a message that comes in several frames, and whether it is text.
    fragments: Option<(bool, Vec<u8>)>,
    /// What is to be written, from `written` on.
    outgoing: Vec<u8>,
    written: usize,
    message_bytes_max: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A connection after its handshake, of which `incoming` came already.
    pub(crate) const fn new(stream: S, incoming: Vec<u8>, message_bytes_max: usize) -> Self {
        Self {
            stream,
            incoming,
            taken: 0,
            fragments: None,
            outgoing: Vec::new(),
            written: 0,
            message_bytes_max,
        }
    }

    /// What comes next. Memory grows with what came, never with what a header says is to come.
    pub(crate) fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, Ended>> {
        loop {
            match self.take_frame() {
                Ok(Some(heard)) => return Poll::Ready(Ok(heard)),
                Ok(None) => {}
                Err(code) => return Poll::Ready(Err(Ended::Closed(code))),
            }
            self.incoming.drain(..self.taken);
            self.taken = 0;
            self.incoming.reserve(READ_BYTES);
            let count = match poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.incoming) {
                Poll::Ready(count) => count.map_err(|_| Ended::Gone)?,
                Poll::Pending => {
                    if self.incoming.is_empty() {
                        self.incoming = Vec::new();
                    }
                    return Poll::Pending;
                }
            };
            if count == 0 {
                return Poll::Ready(Err(Ended::Gone));
            }
        }
    }

    /// Takes a frame from what came; `None` if it is not there as a whole.
    fn take_frame(&mut self) -> Result<Option<Heard>, CloseCode> {
        let bytes = &mut self.incoming[self.taken..];
        let mut cursor = Cursor::new(&bytes[..]);
        let header = FrameHeader::parse(&mut cursor).map_err(|_| CloseCode::Protocol)?;
        let start = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let Some((header, length)) = header else { return Ok(None) };
        let Some(mask) = header.mask else { return Err(CloseCode::Protocol) };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(CloseCode::Protocol);
        }
        let length = match header.opcode {
            OpCode::Control(_) if !header.is_final || length > CONTROL_BYTES_MAX => {
                return Err(CloseCode::Protocol);
            }
            OpCode::Control(_) | OpCode::Data(_) => {
                let before = self.fragments.as_ref().map_or(0, |(_, bytes)| bytes.len());
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                if length > self.message_bytes_max.saturating_sub(before) && is_data(header.opcode) {
                    return Err(CloseCode::Size);
                }
                length
            }
        };
        let Some(payload) = bytes.get_mut(start..start.saturating_add(length)) else {
            return Ok(None);
        };
        unmask(payload, mask);
        let payload = start + self.taken..start + self.taken + length;
        self.taken = payload.end;
        match header.opcode {
            OpCode::Data(data) => self.take_data(data, header.is_final, payload).map(Some),
            OpCode::Control(control) => self.take_control(control, payload).map(Some),
        }
    }

    fn take_data(&mut self, data: Data, is_final: bool, payload: Range<usize>) -> Result<Heard, CloseCode> {
        let (is_text, place) = match (data, self.fragments.take()) {
            (Data::Text | Data::Binary, None) if is_final => (data == Data::Text, Place::Incoming(payload)),
            (Data::Text | Data::Binary, None) => {
                self.fragments = Some((data == Data::Text, self.incoming[payload].to_vec()));
                return Ok(Heard::Part);
            }
            (Data::Continue, Some((is_text, mut message))) => {
                message.extend_from_slice(&self.incoming[payload]);
                if !is_final {
                    self.fragments = Some((is_text, message));
                    return Ok(Heard::Part);
                }
                (is_text, Place::Assembled(message))
            }
            // A message inside another one, a continuation of nothing, or an opcode that means nothing.
            _ => return Err(CloseCode::Protocol),
        };
        if is_text && std::str::from_utf8(self.message(&place)).is_err() {
            return Err(CloseCode::Invalid);
        }
        Ok(Heard::Message(place))
    }

    /// The bytes of a message that was heard last.
    pub(crate) fn message<'a>(&'a self, place: &'a Place) -> &'a [u8] {
        match place {
            Place::Incoming(range) => self.incoming.get(range.clone()).unwrap_or_default(),
            Place::Assembled(message) => message,
        }
    }

    fn take_control(&mut self, control: Control, payload: Range<usize>) -> Result<Heard, CloseCode> {
        let is_empty = payload.is_empty();
        match control {
            Control::Ping => {
                let payload = self.incoming[payload].to_vec();
                self.push(OpCode::Control(Control::Pong), &payload);
                Ok(Heard::Part)
            }
            Control::Pong => Ok(Heard::Part),
            // The answer to a goodbye is one with the same code.
            Control::Close => match self.incoming[payload].first_chunk() {
                Some(code) => {
                    let code = CloseCode::from(u16::from_be_bytes(*code));
                    Err(if code.is_allowed() { code } else { CloseCode::Protocol })
                }
                // RFC 6455, section 5.5.1: if there is a body, it begins with a code.
                None if is_empty => Err(CloseCode::Normal),
                None => Err(CloseCode::Protocol),
            },
            Control::Reserved(_) => Err(CloseCode::Protocol),
        }
    }

    /// Adds a message to what is to be written.
    pub(crate) fn send(&mut self, payload: &[u8], is_text: bool) {
        self.push(OpCode::Data(if is_text { Data::Text } else { Data::Binary }), payload);
    }

    /// Adds a goodbye to what is to be written.
    pub(crate) fn close(&mut self, code: CloseCode, reason: &str) {
        let mut payload = u16::from(code).to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        self.push(OpCode::Control(Control::Close), &payload);
    }

    fn push(&mut self, opcode: OpCode, payload: &[u8]) {
        let header = FrameHeader { opcode, ..FrameHeader::default() };
        let length = payload.len() as u64;
        self.outgoing.reserve(header.len(length) + payload.len());
        // Writing to memory does not fail.
        drop(header.format(length, &mut self.outgoing));
        self.outgoing.extend_from_slice(payload);
    }

    /// How many bytes wait to be written.
    pub(crate) const fn unwritten(&self) -> usize {
        self.outgoing.len() - self.written
    }

    /// Forgets what waits to be written: nobody will read it.
    pub(crate) fn discard(&mut self) {
        self.outgoing = Vec::new();
        self.written = 0;
    }

    /// Writes what waits, as far as the client takes it. Ready when nothing waits any more.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        while self.unwritten() > 0 {
            let rest = &self.outgoing[self.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Ended::Gone)),
                Ok(count) => self.written += count,
            }
        }
        self.discard();
        Pin::new(&mut self.stream).poll_flush(cx).map_err(|_| Ended::Gone)
    }

    /// Ready when the client has closed its side too, or has said more than `left` bytes, which are not looked at.
    pub(crate) fn poll_closed(&mut self, cx: &mut Context<'_>, left: &mut usize) -> Poll<()> {
        while *left > 0 {
            self.incoming.clear();
            self.taken = 0;
            self.incoming.reserve(READ_BYTES);
            match ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.incoming)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(count) => *left = left.saturating_sub(count),
            }
        }
        Poll::Ready(())
    }

    /// Says that nothing more will be written.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx).map_err(|_| Ended::Gone)
    }
}

const fn is_data(opcode: OpCode) -> bool {
    matches!(opcode, OpCode::Data(_))
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let (chunks, rest) = payload.as_chunks_mut::<4>();
    for chunk in chunks {
        *chunk = (u32::from_ne_bytes(*chunk) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

#[cfg(test)]
#[path = "websocket_fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "websocket_tests.rs"]
mod tests;
