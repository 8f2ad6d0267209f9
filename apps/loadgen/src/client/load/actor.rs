//! One sending and receiving account, and the composing of its messages.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::sync::LazyLock;
use std::time::Instant;

use memchr::memmem::Finder;

use super::super::member::{self, Member};
use super::super::traffic::Pattern;
use super::tally::Tally;
use super::{Extent, Load};
use crate::net::connection::Received;
use crate::wire::frame::{self, opcode};
use crate::wire::request::{Composer, Outgoing, unix_seconds};
use crate::wire::scan::Name;
use crate::wire::{number, scan};

/// `MsgSeq` of an account's first message, as long as the SDK's.
const NUMBER_FIRST: u32 = 2_157_230_001;

static NUMBER: Name = LazyLock::new(|| Finder::new(b"\"MsgSeq\":"));

/// An account under load.
pub(super) struct Actor {
    pub(super) member: Member,
    /// Sequence and (intended) time of what is not answered yet, oldest first.
    in_flight: VecDeque<(u64, Instant)>,
    /// Messages composed so far.
    sent: u32,
    /// Messages received so far.
    received: u32,
    pub(super) is_closed: bool,
}

impl Actor {
    pub(super) fn new(member: Member) -> Self {
        Self { member, in_flight: VecDeque::new(), sent: 0, received: 0, is_closed: false }
    }

    /// Requests that have no answer.
    pub(super) fn unanswered(&self) -> usize {
        self.in_flight.len()
    }

    /// Reads what has come; says how many requests were answered.
    pub(super) fn receive(
        &mut self,
        scratch: &mut [u8],
        tally: &mut Tally,
        pattern: Pattern,
    ) -> io::Result<usize> {
        if self.is_closed {
            return Ok(0);
        }
        let count = match self.member.connection.receive(scratch) {
            Ok(Received::Bytes(count)) => count,
            Ok(Received::Nothing) => return Ok(0),
            Ok(Received::Closed) | Err(_) => {
                self.close();
                return Ok(0);
            }
        };
        let now = Instant::now();
        let mut at = 0;
        let mut answered = 0;
        while let Some(found) = frame::locate(&mut scratch[at..count])? {
            let payload = &scratch[at..][found.payload.clone()];
            match found.opcode {
                opcode::TEXT | opcode::BINARY => {
                    answered += usize::from(self.take(payload, now, tally, pattern))
                }
                opcode::PING => {
                    let payload = payload.to_vec();
                    frame::append_masked(self.member.connection.outgoing(), opcode::PONG, &payload, [0; 4]);
                }
                opcode::CLOSE => {
                    self.close();
                    return Ok(answered);
                }
                _ => {}
            }
            at += found.payload.end;
        }
        self.member.connection.keep(&scratch[at..count]);
        Ok(answered)
    }

    /// Takes one frame; says whether it answers a message.
    fn take(&mut self, payload: &[u8], now: Instant, tally: &mut Tally, pattern: Pattern) -> bool {
        let Some(glance) = scan::glance(payload) else {
            return false;
        };
        match glance.command {
            b"openim.sendmsg" => {
                let Some(at) = self.in_flight.iter().position(|(seq, _)| *seq == glance.seq) else {
                    return false;
                };
                let Some((_, sent)) = self.in_flight.remove(at) else {
                    return false;
                };
                tally.answered(glance.error, sent, now);
                true
            }
            b"im_open_push.msg_push" => {
                self.take_messages(payload, tally, pattern);
                false
            }
            _ => false,
        }
    }

    fn take_messages(&mut self, payload: &[u8], tally: &mut Tally, pattern: Pattern) {
        let in_order = pattern == Pattern::Pairs;
        for at in NUMBER.find_iter(payload) {
            let value = number::read(&payload[at + NUMBER.needle().len()..])
                .and_then(|value| u32::try_from(value).ok());
            let expected = NUMBER_FIRST.wrapping_add(self.received);
            if in_order && value.is_none_or(|value| value < expected) {
                tally.repeated += 1;
                continue;
            }
            // A gap shows as missing in the end: what was left out is not counted.
            self.received = match value {
                Some(value) if in_order => value.wrapping_sub(NUMBER_FIRST).wrapping_add(1),
                _ => self.received.wrapping_add(1),
            };
            tally.pushed();
        }
    }

    /// Ends the connection; what is in flight stays unanswered.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        let _ = self.member.connection.stream().shutdown(Shutdown::Both);
    }
}

/// Composes the messages of all actors.
pub(super) struct Writer {
    composer: Composer,
    names: Vec<String>,
    pattern: Pattern,
    /// What one account sends at most.
    share: Option<u64>,
    /// How many accounts send one more.
    larger_shares: usize,
    now_seconds: u64,
}

/// What is written: short enough for a chat, free of anything JSON would escape.
const TEXT: &str = "See you at the station at half past seven, I will bring the tickets";

impl Writer {
    pub(super) fn new(load: &Load) -> Self {
        let accounts = load.accounts.max(1) as u64;
        let counted = match load.extent {
            Extent::Counted { messages, .. } => Some(messages),
            Extent::Timed { .. } => None,
        };
        let seed = unix_seconds().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(std::process::id());
        Self {
            composer: Composer::new(load.shape, seed),
            names: (0..load.accounts).map(member::user).collect(),
            pattern: load.pattern,
            share: counted.map(|messages| messages / accounts),
            larger_shares: counted.map_or(0, |messages| usize::try_from(messages % accounts).unwrap_or(0)),
            now_seconds: unix_seconds(),
        }
    }

    /// Takes the time of day that the following messages carry.
    pub(super) fn note_time(&mut self) {
        self.now_seconds = unix_seconds();
    }

    /// Appends the next message of the actor, unless the end has come for all or for this one.
    pub(super) fn compose(&mut self, actor: &mut Actor, index: usize, intended: Instant, tally: &mut Tally) {
        let share = self.share.map(|share| share + u64::from(index < self.larger_shares));
        if !tally.may_send() || actor.is_closed || share.is_some_and(|share| u64::from(actor.sent) >= share) {
            return;
        }
        let receiver = self.pattern.receiver(index, self.names.len(), u64::from(actor.sent));
        let random = self.composer.random();
        let number = NUMBER_FIRST.wrapping_add(actor.sent);
        let message = Outgoing { to: &self.names[receiver], number, random, text: TEXT };
        let member = &mut actor.member;
        member.seq += 1;
        let out = member.connection.outgoing();
        self.composer.message(out, &member.speaker, member.seq, message, self.now_seconds);
        actor.in_flight.push_back((member.seq, intended));
        actor.sent += 1;
        tally.sent += 1;
    }
}
