//! REST calls of an administrator: one connection, and many at once for filling a store.

use std::io;
use std::time::{Duration, Instant};

use super::member::Target;
use crate::net::connection::{Connection, Received, SCRATCH_BYTES};
use crate::net::dial;
use crate::net::poll::{Poll, Ready};
use crate::usersig;
use crate::wire::request::unix_seconds;
use crate::wire::{http, scan};

/// Every app's first administrator.
const ADMINISTRATOR: &str = "administrator";

/// Nothing may stay unanswered longer.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// How a batch names what it did not do.
const FAILED: [&[u8]; 2] = [b"\"FailAccounts\":[\"", b"\"Fail_Account\":[\""];

/// What a call asks for: the command as REST spells it, and its JSON.
pub(crate) type Question = (&'static str, String);

/// A connection that calls as the administrator.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Its socket, non-blocking.
    pub(crate) connection: Connection,
    host: String,
    query: String,
    called: u32,
}

impl Caller {
    /// Connects the call connection number `index`; nothing is sent yet.
    pub(crate) fn open(target: &Target, index: usize) -> io::Result<Self> {
        let stream = dial::connect(target.server, index)?;
        stream.set_nonblocking(true)?;
        let usersig = usersig::sign(target.sdkappid, &target.key, ADMINISTRATOR, unix_seconds())?;
        let sdkappid = target.sdkappid;
        let query =
            format!("sdkappid={sdkappid}&identifier={ADMINISTRATOR}&usersig={usersig}&contenttype=json");
        let host = target.server.to_string();
        Ok(Self { connection: Connection::new(stream), host, query, called: 0 })
    }

    /// Appends a call to what is to be sent.
    pub(crate) fn append(&mut self, command: &str, body: &str) {
        self.called = self.called.wrapping_add(1);
        let path = format!("/v4/{command}?{}&random={}", self.query, self.called);
        http::append_call(self.connection.outgoing(), &self.host, &path, body);
    }
}

/// Sends the questions 0 to `count` over `connections` connections, one in flight on each, until all are answered. Fails on
/// the first answer that is an error; says how long it took.
pub(crate) fn pour(
    target: &Target,
    connections: usize,
    count: usize,
    question: impl Fn(usize) -> Question,
) -> io::Result<Duration> {
    dial::raise_open_files(connections)?;
    let started = Instant::now();
    let mut poll = Poll::new()?;
    let mut callers = Vec::new();
    let mut next = 0..count;
    for index in 0..connections.min(count) {
        let caller = Caller::open(target, index)?;
        poll.add(caller.connection.stream(), index as u64)?;
        callers.push(caller);
    }
    for caller in &mut callers {
        ask(caller, next.next(), &question)?;
    }
    let mut scratch = vec![0; SCRATCH_BYTES];
    let mut ready: Vec<Ready> = Vec::new();
    let (mut answered, mut last) = (0, Instant::now());
    while answered < count {
        ready.clear();
        ready.extend(poll.wait(Some(Duration::from_millis(100)))?);
        for event in &ready {
            let index = usize::try_from(event.token).unwrap_or(usize::MAX);
            let Some(caller) = callers.get_mut(index) else { continue };
            if event.readable && take(caller, &mut scratch)? {
                answered += 1;
                last = Instant::now();
                ask(caller, next.next(), &question)?;
            }
            let is_blocked = !caller.connection.flush()?;
            if is_blocked != caller.connection.awaits_room {
                caller.connection.awaits_room = is_blocked;
                poll.want_writable(caller.connection.stream(), event.token, is_blocked)?;
            }
        }
        if last.elapsed() > SILENCE_MAX {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "calls stayed unanswered"));
        }
    }
    Ok(started.elapsed())
}

fn ask(caller: &mut Caller, number: Option<usize>, question: impl Fn(usize) -> Question) -> io::Result<()> {
    if let Some(number) = number {
        let (command, body) = question(number);
        caller.append(command, &body);
        caller.connection.flush()?;
    }
    Ok(())
}

/// Reads what has come; says whether it completed an answer.
fn take(caller: &mut Caller, scratch: &mut [u8]) -> io::Result<bool> {
    let count = match caller.connection.receive(scratch)? {
        Received::Bytes(count) => count,
        Received::Nothing => return Ok(false),
        Received::Closed => {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
    };
    let Some(found) = http::locate(&scratch[..count])? else {
        caller.connection.keep(&scratch[..count]);
        return Ok(false);
    };
    let body = &scratch[found.body.clone()];
    let has_failed = FAILED.iter().any(|failed| memchr::memmem::find(body, failed).is_some());
    if has_failed || scan::error(body) != Some(0) {
        let text = String::from_utf8_lossy(body.get(..300).unwrap_or(body)).into_owned();
        return Err(io::Error::other(format!("a call was refused: {text}")));
    }
    caller.connection.keep(&scratch[found.body.end..count]);
    Ok(true)
}
