//! The bare server: the sockets, frames and log of a chat server, and nothing else.
//!
//! It is the ceiling that the real server is measured against. One thread does all socket work, another commits.
//! It checks no signature and no session, keeps no conversation, and forgets everything when it ends.

mod answer;
mod lists;
mod log;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::LazyLock;

use hashbrown::HashMap;
use memchr::memmem::Finder;

use self::answer::Sent;
use self::lists::Lists;
use self::log::{Batch, Held, Log};
use crate::net::connection::{Connection, Received, SCRATCH_BYTES};
use crate::net::dial;
use crate::net::poll::{Poll, Ready};
use crate::wire::frame::{self, opcode};
use crate::wire::request::unix_seconds;
use crate::wire::scan::Name;
use crate::wire::{handshake, http, scan};

static APP: Name = LazyLock::new(|| Finder::new(b"\"sdkappid\":"));
static USER: Name = LazyLock::new(|| Finder::new(b"\"identifier\":"));

const LISTENER: u64 = u64::MAX;
const LOG: u64 = u64::MAX - 1;
/// Account numbers count up from here, as long as real ones are.
const TINY_FIRST: u64 = 144_115_000_000_000_001;

/// One socket that was accepted.
#[derive(Debug)]
struct Peer {
    connection: Connection,
    /// What it speaks, once its first line is there.
    speaks: Option<Protocol>,
    user: Vec<u8>,
    is_dirty: bool,
}

/// What comes over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Frames.
    WebSocket,
    /// REST calls.
    Http,
}

/// The bare server.
pub(crate) struct Server {
    poll: Poll,
    listener: TcpListener,
    log: Log,
    peers: Vec<Option<Peer>>,
    generations: Vec<u32>,
    free: Vec<usize>,
    by_user: HashMap<Vec<u8>, usize>,
    dirty: Vec<usize>,
    batch: Batch,
    payload: Vec<u8>,
    lists: Lists,
    now_seconds: u64,
}

/// Serves until the process is ended. Prints one line with the address once it listens.
pub(crate) fn serve(listen: SocketAddr, log_path: &Path, log_bytes: u64) -> io::Result<()> {
    let mut server = Server::bind(listen, log_path, log_bytes)?;
    println!("baseline is ready on http://{}", server.address()?);
    server.run()
}

impl Server {
    /// Listens, with an empty log.
    pub(crate) fn bind(listen: SocketAddr, log_path: &Path, log_bytes: u64) -> io::Result<Self> {
        dial::raise_open_files(0)?;
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let log = Log::start(log_path, log_bytes)?;
        let poll = Poll::new()?;
        poll.add(&listener, LISTENER)?;
        poll.add(log.waker(), LOG)?;
        Ok(Self {
            poll,
            listener,
            log,
            peers: Vec::new(),
            generations: Vec::new(),
            free: Vec::new(),
            by_user: HashMap::new(),
            dirty: Vec::new(),
            batch: Batch::default(),
            payload: Vec::new(),
            lists: Lists::new(),
            now_seconds: 0,
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves for ever; an error of the disk ends it.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut scratch = vec![0; SCRATCH_BYTES];
        let mut ready: Vec<Ready> = Vec::new();
        let mut committed = Vec::new();
        loop {
            ready.clear();
            ready.extend(self.poll.wait(None)?);
            self.now_seconds = unix_seconds();
            for event in &ready {
                match event.token {
                    LISTENER => self.accept()?,
                    LOG => self.send_committed(&mut committed)?,
                    token => {
                        self.serve_peer(usize::try_from(token).unwrap_or(usize::MAX), *event, &mut scratch)
                    }
                }
            }
            if !self.batch.held.is_empty() {
                self.log.submit(&mut self.batch);
            }
            self.flush_dirty();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let slot = self.free.pop().unwrap_or_else(|| {
                self.peers.push(None);
                self.generations.push(0);
                self.peers.len() - 1
            });
            self.poll.add(&stream, slot as u64)?;
            let connection = Connection::new(stream);
            self.peers[slot] = Some(Peer { connection, speaks: None, user: Vec::new(), is_dirty: false });
        }
    }

    fn serve_peer(&mut self, slot: usize, event: Ready, scratch: &mut [u8]) {
        let Some(mut peer) = self.peers.get_mut(slot).and_then(Option::take) else {
            return;
        };
        if event.writable {
            self.mark(slot, &mut peer);
        }
        let stays = !event.readable || self.read(slot, &mut peer, scratch).unwrap_or(false);
        if stays {
            self.peers[slot] = Some(peer);
        } else {
            if self.by_user.get(&peer.user) == Some(&slot) {
                self.by_user.remove(&peer.user);
            }
            self.generations[slot] = self.generations[slot].wrapping_add(1);
            self.free.push(slot);
        }
    }

    /// Reads and answers what has come; says whether the connection stays.
    fn read(&mut self, slot: usize, peer: &mut Peer, scratch: &mut [u8]) -> io::Result<bool> {
        let count = match peer.connection.receive(scratch)? {
            Received::Bytes(count) => count,
            Received::Nothing => return Ok(true),
            Received::Closed => return Ok(false),
        };
        let mut at = 0;
        if peer.speaks.is_none() {
            let Some(length) = handshake::head_length(&scratch[..count]) else {
                peer.connection.keep(&scratch[..count]);
                return Ok(count < handshake::HEAD_BYTES_MAX);
            };
            if scratch.starts_with(b"POST ") {
                peer.speaks = Some(Protocol::Http);
            } else {
                let Some(answer) = handshake::answer(&scratch[..length]) else {
                    return Ok(false);
                };
                peer.connection.outgoing().extend_from_slice(answer.as_bytes());
                peer.speaks = Some(Protocol::WebSocket);
                self.mark(slot, peer);
                at = length;
            }
        }
        if peer.speaks == Some(Protocol::Http) {
            while let Some(found) = http::locate(&scratch[at..count])? {
                let call = &scratch[at..count];
                self.answer_call(slot, peer, &call[found.head], &call[found.body.clone()]);
                at += found.body.end;
            }
            peer.connection.keep(&scratch[at..count]);
            return Ok(true);
        }
        while let Some(found) = frame::locate(&mut scratch[at..count])? {
            let payload = &scratch[at..][found.payload.clone()];
            match found.opcode {
                opcode::TEXT | opcode::BINARY => self.answer(slot, peer, payload),
                opcode::CLOSE => return Ok(false),
                _ => {}
            }
            at += found.payload.end;
        }
        peer.connection.keep(&scratch[at..count]);
        Ok(true)
    }

    /// Answers a REST call, whoever makes it.
    fn answer_call(&mut self, slot: usize, peer: &mut Peer, head: &[u8], body: &[u8]) {
        let path = head.strip_prefix(b"POST /v4/").unwrap_or_default();
        let command = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let payload = &mut self.payload;
        payload.clear();
        payload.extend_from_slice(br#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"""#);
        self.lists.append(payload, command, body);
        payload.push(b'}');
        http::append_answer(peer.connection.outgoing(), payload);
        self.mark(slot, peer);
    }

    fn answer(&mut self, slot: usize, peer: &mut Peer, frame: &[u8]) {
        let Some(glance) = scan::glance(frame) else { return };
        let sdkappid = scan::number_after(frame, &APP).and_then(|id| u64::try_from(id).ok()).unwrap_or(0);
        let tiny = TINY_FIRST + slot as u64;
        if glance.command == b"openim.sendmsg"
            && let Some(sent) = Sent::read(frame, glance.seq, self.now_seconds)
        {
            self.batch.log.extend_from_slice(frame);
            let start = self.batch.answers.len();
            answer::append_sent(&mut self.batch.answers, &mut self.payload, sdkappid, &sent);
            self.hold(slot, start);
            if let Some(receiver) = self.by_user.get(sent.to).copied() {
                let start = self.batch.answers.len();
                answer::append_push(&mut self.batch.answers, &mut self.payload, sdkappid, tiny, &sent);
                self.hold(receiver, start);
            }
            return;
        }
        if glance.command == b"im_open_status.wslogin"
            && let Some(user) = scan::text_after(frame, &USER)
        {
            peer.user = user.to_vec();
            self.by_user.insert(user.to_vec(), slot);
        }
        let out = peer.connection.outgoing();
        if !answer::append_list(out, &mut self.payload, glance, sdkappid, frame, &self.lists) {
            answer::append_other(out, glance, sdkappid, tiny, self.now_seconds);
        }
        self.mark(slot, peer);
    }

    fn hold(&mut self, slot: usize, start: usize) {
        let generation = self.generations[slot];
        self.batch.held.push(Held { slot, generation, start, end: self.batch.answers.len() });
    }

    fn send_committed(&mut self, committed: &mut Vec<Batch>) -> io::Result<()> {
        self.log.committed(committed)?;
        for batch in committed.iter() {
            for held in &batch.held {
                if self.generations[held.slot] != held.generation {
                    continue;
                }
                let Some(peer) = &mut self.peers[held.slot] else {
                    continue;
                };
                peer.connection.outgoing().extend_from_slice(&batch.answers[held.start..held.end]);
                if !peer.is_dirty {
                    peer.is_dirty = true;
                    self.dirty.push(held.slot);
                }
            }
        }
        self.log.recycle(committed);
        Ok(())
    }

    fn mark(&mut self, slot: usize, peer: &mut Peer) {
        if !peer.is_dirty {
            peer.is_dirty = true;
            self.dirty.push(slot);
        }
    }

    /// Writes once to each connection that has something to send. A failed write shows again as a closed read.
    fn flush_dirty(&mut self) {
        for slot in std::mem::take(&mut self.dirty) {
            let Some(peer) = &mut self.peers[slot] else {
                continue;
            };
            peer.is_dirty = false;
            let is_blocked = !peer.connection.flush().unwrap_or(true);
            if is_blocked != peer.connection.awaits_room {
                peer.connection.awaits_room = is_blocked;
                let _ = self.poll.want_writable(peer.connection.stream(), slot as u64, is_blocked);
            }
        }
    }
}
