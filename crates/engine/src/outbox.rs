//! Frames on their way to one client: bounded in bytes, with one rule at the limit.
//!
//! A client that does not read is told to fetch what it missed and is closed. Nothing is dropped silently, and
//! nobody else waits.

use std::task::{Context, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client fell behind: it comes back and fetches.
    Behind,
    /// The server goes down: the client comes back.
    Draining,
}

#[derive(Default)]
struct Inner {
    frames: Vec<Bytes>,
    bytes: usize,
    is_fenced: bool,
    ending: Option<Ending>,
    /// Whom to wake when something arrives.
    waker: Option<Waker>,
}

/// What waits for a client.
pub struct Outbox {
    inner: Mutex<Inner>,
    bytes_max: usize,
}

/// What a connection has to do next.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Frames to write, in this order.
    pub frames: Vec<Bytes>,
    /// Whether to close afterwards.
    pub ending: Option<Ending>,
}

impl Outbox {
    /// An empty one that holds at most this many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { inner: Mutex::default(), bytes_max }
    }

    /// Adds a frame. Beyond the limit all waiting frames give way to `resync`, and the connection is closed.
    pub fn push(&self, frame: Bytes, resync: &Bytes) {
        let mut inner = self.inner.lock();
        if inner.is_fenced || inner.ending.is_some() {
            return;
        }
        if inner.bytes + frame.len() > self.bytes_max {
            inner.frames = vec![resync.clone()];
            inner.ending = Some(Ending::Behind);
        } else {
            inner.bytes += frame.len();
            inner.frames.push(frame);
        }
        inner.wake();
    }

    /// Adds a last frame and lets none through after it: the session it belonged to is over.
    pub fn fence(&self, last: Option<Bytes>) {
        let mut inner = self.inner.lock();
        inner.is_fenced = true;
        inner.frames.clear();
        inner.bytes = 0;
        inner.frames.extend(last);
        inner.wake();
    }

    /// Lets frames through again: a new session begins on the connection.
    pub fn unfence(&self) {
        self.inner.lock().is_fenced = false;
    }

    /// Asks the connection to close after what waits.
    pub fn end(&self, ending: Ending) {
        let mut inner = self.inner.lock();
        inner.ending.get_or_insert(ending);
        inner.wake();
    }

    /// Takes what waits. The task that asked is woken when more arrives.
    pub fn take(&self, cx: &Context<'_>) -> Outgoing {
        let mut inner = self.inner.lock();
        if !inner.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            inner.waker = Some(cx.waker().clone());
        }
        inner.bytes = 0;
        Outgoing { frames: std::mem::take(&mut inner.frames), ending: inner.ending }
    }
}

impl Inner {
    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(outbox: &Outbox) -> Outgoing {
        outbox.take(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn at_the_limit_everything_gives_way_to_a_resync() {
        let outbox = Outbox::new(10);
        let resync = Bytes::from_static(b"resync");
        outbox.push(Bytes::from_static(b"12345"), &resync);
        outbox.push(Bytes::from_static(b"67890"), &resync);
        assert_eq!(take(&outbox), Outgoing { frames: vec!["12345".into(), "67890".into()], ending: None });
        for _ in 0..3 {
            outbox.push(Bytes::from_static(b"12345"), &resync);
        }
        outbox.push(Bytes::from_static(b"late"), &resync);
        assert_eq!(take(&outbox), Outgoing { frames: vec![resync], ending: Some(Ending::Behind) });
    }

    #[test]
    fn nothing_passes_a_fence_but_its_last_frame() {
        let outbox = Outbox::new(100);
        let resync = Bytes::new();
        outbox.push(Bytes::from_static(b"before"), &resync);
        outbox.fence(Some(Bytes::from_static(b"kick")));
        outbox.push(Bytes::from_static(b"after"), &resync);
        assert_eq!(take(&outbox).frames, ["kick"]);
        outbox.unfence();
        outbox.push(Bytes::from_static(b"anew"), &resync);
        assert_eq!(take(&outbox).frames, ["anew"]);
    }
}
