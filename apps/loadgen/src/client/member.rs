//! One logged-in account with its socket.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use crate::net::connection::{Connection, Received, SCRATCH_BYTES};
use crate::net::dial;
use crate::usersig;
use crate::wire::frame::{self, opcode};
use crate::wire::request::{Composer, Shape, Speaker, unix_seconds};
use crate::wire::{handshake, scan};

/// How many sockets are opened and logged in side by side.
const SIDE_BY_SIDE: usize = 64;

/// No single answer may take longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// Where to log in, and as whose users.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The server.
    pub(crate) server: SocketAddr,
    /// The app.
    pub(crate) sdkappid: u64,
    /// The app's key text.
    pub(crate) key: String,
}

/// A logged-in account.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its socket, blocking until [`Member::set_nonblocking`].
    pub(crate) connection: Connection,
    /// Its session.
    pub(crate) speaker: Speaker,
    /// The sequence of its next request.
    pub(crate) seq: u64,
}

/// What blocking requests share: buffers that are used again.
#[derive(Debug)]
pub(crate) struct Desk {
    /// Composes requests.
    pub(crate) composer: Composer,
    /// Reads answers.
    pub(crate) scratch: Vec<u8>,
}

impl Desk {
    /// Fresh buffers.
    pub(crate) fn new() -> Self {
        Self { composer: Composer::new(Shape::Sdk, 0x5eed), scratch: vec![0; SCRATCH_BYTES] }
    }
}

/// The name of the account number `index`.
pub(crate) fn user(index: usize) -> String {
    format!("u{index}")
}

/// Logs in the accounts of `range`, `u0` being the first of all. Fails when any of them fails.
pub(crate) fn log_in(target: &Target, range: Range<usize>) -> io::Result<Vec<Member>> {
    dial::raise_open_files(range.len())?;
    let mut desk = Desk::new();
    let mut members = Vec::with_capacity(range.len());
    let mut next = range.start;
    while next < range.end {
        let mut group = Vec::with_capacity(SIDE_BY_SIDE);
        for index in next..range.end.min(next + SIDE_BY_SIDE) {
            group.push(Member::dial(target, index)?);
        }
        next += group.len();
        for member in &mut group {
            member.finish_handshake(&mut desk.scratch)?;
            member.post_login(&mut desk)?;
        }
        for member in &mut group {
            member.take_session(&mut desk.scratch)?;
        }
        members.append(&mut group);
    }
    Ok(members)
}

impl Member {
    fn dial(target: &Target, index: usize) -> io::Result<Self> {
        let user = user(index);
        let stream = dial::connect(target.server, index)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        let mut connection = Connection::new(stream);
        let mut hasher = DefaultHasher::new();
        (std::process::id(), index, unix_seconds()).hash(&mut hasher);
        let instance = hasher.finish();
        let request = handshake::request(&target.server.to_string(), target.sdkappid, instance);
        connection.outgoing().extend_from_slice(request.as_bytes());
        connection.flush()?;
        let usersig = usersig::sign(target.sdkappid, &target.key, &user, unix_seconds())?;
        let speaker = Speaker { sdkappid: target.sdkappid, user, usersig, ..Speaker::default() };
        Ok(Self { connection, speaker, seq: 10_000_000 + instance % 80_000_000 })
    }

    fn finish_handshake(&mut self, scratch: &mut [u8]) -> io::Result<()> {
        loop {
            let count = self.receive(scratch)?;
            if let Some(length) = handshake::head_length(&scratch[..count]) {
                if !handshake::is_accepted(&scratch[..length]) {
                    let line =
                        String::from_utf8_lossy(&scratch[..length]).lines().next().unwrap_or("").to_owned();
                    return Err(io::Error::other(format!("cannot open the socket: {line}")));
                }
                self.connection.keep(&scratch[length..count]);
                return Ok(());
            }
            self.connection.keep(&scratch[..count]);
        }
    }

    fn post_login(&mut self, desk: &mut Desk) -> io::Result<()> {
        const BODY: &str = r#"{"State":"Online","is_web_uniapp":0,"InstType":0,"CustomInfo":""}"#;
        self.post(desk, "im_open_status.wslogin", BODY)
    }

    fn take_session(&mut self, scratch: &mut [u8]) -> io::Result<()> {
        let answer = self.answer(scratch)?;
        let body = &answer["body"];
        let error = body["ErrorCode"].as_i64().unwrap_or(0);
        let (Some(a2), Some(tinyid), 0) = (body["A2Key"].as_str(), body["TinyId"].as_str(), error) else {
            return Err(io::Error::other(format!("cannot log in: error {error} {}", body["ErrorInfo"])));
        };
        a2.clone_into(&mut self.speaker.a2);
        tinyid.clone_into(&mut self.speaker.tinyid);
        self.speaker.instance = body["InstId"].as_u64().unwrap_or(0);
        Ok(())
    }

    /// Sends a request; [`Self::answer`] waits for its answer.
    pub(crate) fn post(&mut self, desk: &mut Desk, command: &str, body: &str) -> io::Result<()> {
        self.seq += 1;
        desk.composer.command(self.connection.outgoing(), &self.speaker, command, self.seq, body);
        self.connection.flush()?;
        Ok(())
    }

    /// Waits for the answer to the last request and decodes it. Pushes that come in between are dropped.
    pub(crate) fn answer(&mut self, scratch: &mut [u8]) -> io::Result<serde_json::Value> {
        let frame = self.answer_frame(scratch)?;
        serde_json::from_slice(&frame).map_err(io::Error::other)
    }

    /// The same, not decoded.
    pub(crate) fn answer_frame(&mut self, scratch: &mut [u8]) -> io::Result<Vec<u8>> {
        loop {
            let count = self.receive(scratch)?;
            let mut at = 0;
            while let Some(found) = frame::locate(&mut scratch[at..count])? {
                let payload = &scratch[at..][found.payload.clone()];
                let is_answer = found.opcode == opcode::BINARY
                    && scan::glance(payload).is_some_and(|glance| {
                        glance.seq == self.seq && glance.command != b"im_open_push.msg_push"
                    });
                let answer = is_answer.then(|| payload.to_vec());
                at += found.payload.end;
                if let Some(answer) = answer {
                    self.connection.keep(&scratch[at..count]);
                    return Ok(answer);
                }
            }
            self.connection.keep(&scratch[at..count]);
        }
    }

    fn receive(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        match self.connection.receive(scratch)? {
            Received::Bytes(count) => Ok(count),
            Received::Nothing => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer came in time")),
            Received::Closed => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"))
            }
        }
    }

    /// From now on the socket never blocks.
    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        self.connection.stream().set_nonblocking(true)
    }
}
