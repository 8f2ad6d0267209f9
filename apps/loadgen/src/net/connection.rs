//! A socket with what is left over on either side of a system call.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

/// Bytes read at once. A frame that is not complete waits in a buffer of its own, so that idle sockets hold none.
pub(crate) const SCRATCH_BYTES: usize = 256 * 1024;

/// More than this waiting to be written means that the other side does not read.
const BACKLOG_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Buffers larger than this are given back once empty.
const KEEP_BYTES_MAX: usize = 64 * 1024;

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// So many bytes lie at the start of the scratch buffer, earlier leftovers first.
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// The other side has closed.
    Closed,
}

/// One socket, blocking or not.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    incomplete: Vec<u8>,
    outgoing: Vec<u8>,
    written: usize,
    /// Whether the poll watches for room to write.
    pub(crate) awaits_room: bool,
}

impl Connection {
    /// Takes over a connected socket.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, incomplete: Vec::new(), outgoing: Vec::new(), written: 0, awaits_room: false }
    }

    /// The socket, to be watched or configured.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Reads once. The caller takes whole frames off the scratch buffer and gives the rest to [`Self::keep`].
    pub(crate) fn receive(&mut self, scratch: &mut [u8]) -> io::Result<Received> {
        let kept = self.incomplete.len();
        let Some((head, room)) = scratch.split_at_mut_checked(kept).filter(|(_, room)| !room.is_empty())
        else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame does not fit the read buffer"));
        };
        match self.stream.read(room) {
            Ok(0) => Ok(Received::Closed),
            Ok(count) => {
                head.copy_from_slice(&self.incomplete);
                self.incomplete.clear();
                Ok(Received::Bytes(kept + count))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Received::Nothing),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Received::Nothing),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Received::Closed),
            Err(error) => Err(error),
        }
    }

    /// Keeps the start of a frame for the next read.
    pub(crate) fn keep(&mut self, rest: &[u8]) {
        if rest.is_empty() {
            if self.incomplete.capacity() > 0 {
                self.incomplete = Vec::new();
            }
        } else {
            self.incomplete.extend_from_slice(rest);
        }
    }

    /// Where to append what shall be sent with the next [`Self::flush`].
    pub(crate) fn outgoing(&mut self) -> &mut Vec<u8> {
        &mut self.outgoing
    }

    /// Writes what waits, as far as there is room; says whether all of it went.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        while self.written < self.outgoing.len() {
            match self.stream.write(&self.outgoing[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.outgoing.len() - self.written > BACKLOG_BYTES_MAX {
                        return Err(io::Error::other("the other side does not read"));
                    }
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        self.written = 0;
        self.outgoing.clear();
        if self.outgoing.capacity() > KEEP_BYTES_MAX {
            self.outgoing = Vec::new();
        }
        Ok(true)
    }
}
