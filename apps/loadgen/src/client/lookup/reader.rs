//! One connection that looks up, a request at a time, page after page.

use std::io;
use std::sync::LazyLock;
use std::time::Instant;

use memchr::memmem::Finder;

use super::super::member::{Member, Target};
use super::super::rest::Caller;
use super::Lookup;
use super::question::{PAGE, Place};
use crate::net::connection::{Connection, Received};
use crate::wire::frame::{self, opcode};
use crate::wire::request::{Composer, Shape};
use crate::wire::scan::Name;
use crate::wire::{http, scan};

static ACCOUNT: Name = LazyLock::new(|| Finder::new(b"\"To_Account\":"));

/// Over which way it asks.
enum Way {
    Socket(Box<Member>),
    Rest(Caller),
}

/// One that looks up.
pub(super) struct Reader {
    way: Way,
    composer: Composer,
    owner: usize,
    place: Place,
    /// Accounts of the list that were on the pages so far.
    read: usize,
    /// When the request under way was meant to be sent.
    due: Option<Instant>,
}

/// An answer that came.
pub(super) struct Answer {
    pub(super) due: Instant,
    pub(super) at: Instant,
    pub(super) bytes: usize,
    pub(super) is_refused: bool,
    pub(super) is_short: bool,
}

impl Reader {
    /// Asks over a socket, as the account that is logged in there.
    pub(super) fn socket(member: Member, owner: usize) -> io::Result<Self> {
        member.set_nonblocking()?;
        Ok(Self::new(Way::Socket(Box::new(member)), owner))
    }

    /// Asks over REST.
    pub(super) fn rest(target: &Target, owner: usize) -> io::Result<Self> {
        Ok(Self::new(Way::Rest(Caller::open(target, owner)?), owner))
    }

    fn new(way: Way, owner: usize) -> Self {
        let composer = Composer::new(Shape::Sdk, 0x5eed + 97 * owner as u64);
        Self { way, composer, owner, place: Place::default(), read: 0, due: None }
    }

    pub(super) fn connection(&self) -> &Connection {
        match &self.way {
            Way::Socket(member) => &member.connection,
            Way::Rest(caller) => &caller.connection,
        }
    }

    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        match &mut self.way {
            Way::Socket(member) => &mut member.connection,
            Way::Rest(caller) => &mut caller.connection,
        }
    }

    /// Whether a request is under way.
    pub(super) const fn is_waiting(&self) -> bool {
        self.due.is_some()
    }

    /// The next request is for the first page.
    pub(super) fn start_over(&mut self) {
        self.place = Place::default();
        self.read = 0;
    }

    /// Composes the request for the next page; the caller flushes.
    pub(super) fn ask(&mut self, lookup: &Lookup, due: Instant) {
        self.due = Some(due);
        let Lookup { case, population, .. } = lookup;
        let composer = &mut self.composer;
        let random = || usize::try_from(composer.random()).unwrap_or(0);
        let body = case.body(self.owner, self.place, population.working_set, random);
        match &mut self.way {
            Way::Socket(member) => {
                member.seq += 1;
                let Member { connection, speaker, seq } = member.as_mut();
                composer.command(connection.outgoing(), speaker, case.command(), *seq, &body);
            }
            Way::Rest(caller) => caller.append(case.command(), &body),
        }
    }

    /// Reads what has come; the answer, if it is complete.
    pub(super) fn receive(&mut self, lookup: &Lookup, scratch: &mut [u8]) -> io::Result<Option<Answer>> {
        let count = match self.connection_mut().receive(scratch)? {
            Received::Bytes(count) => count,
            Received::Nothing => return Ok(None),
            Received::Closed => {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
        };
        let mut at = 0;
        let mut answer = None;
        while let Some((range, is_answer)) = self.locate(&mut scratch[at..count])? {
            if is_answer && let Some(due) = self.due.take() {
                let now = Instant::now();
                let body = &scratch[at..][range.clone()];
                answer = Some(self.take(lookup, body, due, now));
            }
            at += range.end;
        }
        self.connection_mut().keep(&scratch[at..count]);
        Ok(answer)
    }

    /// The first whole frame or HTTP answer: where it lies, and whether it answers the request under way.
    fn locate(&mut self, bytes: &mut [u8]) -> io::Result<Option<(std::ops::Range<usize>, bool)>> {
        let member = match &mut self.way {
            Way::Rest(_) => return Ok(http::locate(bytes)?.map(|found| (found.body, true))),
            Way::Socket(member) => member,
        };
        let Some(found) = frame::locate(bytes)? else {
            return Ok(None);
        };
        let payload = &bytes[found.payload.clone()];
        if found.opcode == opcode::PING {
            frame::append_masked(member.connection.outgoing(), opcode::PONG, payload, [0; 4]);
        }
        let is_answer = found.opcode == opcode::BINARY
            && scan::glance(payload)
                .is_some_and(|glance| glance.seq == member.seq && glance.command != b"im_open_push.msg_push");
        Ok(Some((found.payload, is_answer)))
    }

    fn take(&mut self, lookup: &Lookup, body: &[u8], due: Instant, at: Instant) -> Answer {
        let Lookup { case, population, .. } = lookup;
        let accounts = ACCOUNT.find_iter(body).count();
        let length = case.length(population);
        let expected = PAGE.min(length.saturating_sub(self.read));
        let is_refused = scan::error(body) != Some(0);
        self.read += accounts;
        let next = case.next(body).filter(|_| self.read < length);
        // A real list says so when it ends, and must not end early.
        let is_short = accounts != expected || (next.is_none() && self.read != length);
        match next {
            Some(next) if !is_refused => self.place = next,
            _ => self.start_over(),
        }
        Answer { due, at, bytes: body.len(), is_refused, is_short: is_short && !is_refused }
    }
}
