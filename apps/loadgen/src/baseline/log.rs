//! The raw log: a pre-zeroed file, a committer thread, one fdatasync for all that arrived meanwhile.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::net::poll::Waker;

/// An answer that may be sent once its batch is on disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// The connection it is for.
    pub(super) slot: usize,
    /// Which of the connections that had this slot.
    pub(super) generation: u32,
    /// Where it begins in [`Batch::answers`].
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// What is committed together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Bytes for the log.
    pub(super) log: Vec<u8>,
    /// Frames to be sent afterwards, one behind the other.
    pub(super) answers: Vec<u8>,
    /// Who gets which of them.
    pub(super) held: Vec<Held>,
}

impl Batch {
    fn clear(&mut self) {
        self.log.clear();
        self.answers.clear();
        self.held.clear();
    }
}

#[derive(Debug, Default)]
struct Exchange {
    /// Filled by the IO thread, not yet taken; it grows while a commit runs.
    arrived: Vec<Batch>,
    /// On disk, to be sent.
    committed: Vec<Batch>,
    /// Empty batches, whose buffers are used again.
    spare: Vec<Batch>,
    failure: Option<io::Error>,
}

#[derive(Debug)]
struct Shared {
    exchange: Mutex<Exchange>,
    has_arrived: Condvar,
    waker: Waker,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log as the IO thread sees it.
#[derive(Debug)]
pub(super) struct Log {
    shared: Arc<Shared>,
}

impl Log {
    /// Zeroes a file of `bytes` and starts the committer. At its end the log starts over: nobody reads it.
    pub(super) fn start(path: &Path, bytes: u64) -> io::Result<Self> {
        let file = zeroed(path, bytes)?;
        let exchange = Mutex::new(Exchange::default());
        let shared = Arc::new(Shared { exchange, has_arrived: Condvar::new(), waker: Waker::new()? });
        let committer = Arc::clone(&shared);
        thread::Builder::new().name("committer".into()).spawn(move || {
            if let Err(error) = commit_forever(&committer, &file, bytes) {
                committer.lock().failure = Some(error);
                let _ = committer.waker.wake();
            }
        })?;
        Ok(Self { shared })
    }

    /// Becomes readable when batches are committed.
    pub(super) fn waker(&self) -> &Waker {
        &self.shared.waker
    }

    /// Hands `batch` to the committer, behind what waits already, and leaves it empty.
    pub(super) fn submit(&self, batch: &mut Batch) {
        let mut exchange = self.shared.lock();
        let empty = exchange.spare.pop().unwrap_or_default();
        exchange.arrived.push(mem::replace(batch, empty));
        drop(exchange);
        self.shared.has_arrived.notify_one();
    }

    /// The batches committed since the last call; an error if the disk failed.
    pub(super) fn committed(&self, into: &mut Vec<Batch>) -> io::Result<()> {
        self.shared.waker.reset()?;
        let mut exchange = self.shared.lock();
        if let Some(failure) = exchange.failure.take() {
            return Err(failure);
        }
        into.append(&mut exchange.committed);
        Ok(())
    }

    /// Gives the buffers of sent batches back.
    pub(super) fn recycle(&self, batches: &mut Vec<Batch>) {
        batches.iter_mut().for_each(Batch::clear);
        let mut exchange = self.shared.lock();
        if exchange.spare.len() < 16 {
            exchange.spare.append(batches);
        } else {
            batches.clear();
        }
    }
}

fn commit_forever(shared: &Shared, file: &File, bytes: u64) -> io::Result<()> {
    let mut at = 0;
    let mut batches = Vec::new();
    loop {
        {
            let mut exchange = shared.lock();
            while exchange.arrived.is_empty() {
                exchange = shared.has_arrived.wait(exchange).unwrap_or_else(PoisonError::into_inner);
            }
            mem::swap(&mut exchange.arrived, &mut batches);
        }
        for batch in &batches {
            let length = batch.log.len() as u64;
            if at + length > bytes {
                at = 0;
            }
            file.write_all_at(&batch.log, at)?;
            at += length;
        }
        file.sync_data()?;
        shared.lock().committed.append(&mut batches);
        shared.waker.wake()?;
    }
}

fn zeroed(path: &Path, bytes: u64) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
    let zeros = vec![0; 1024 * 1024];
    let mut at = 0;
    while at < bytes {
        let length = usize::try_from(bytes - at).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all_at(&zeros[..length], at)?;
        at += length as u64;
    }
    file.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::poll::Poll;

    #[test]
    fn answers_come_back_in_order_and_after_the_write() {
        let directory = std::env::temp_dir().join(format!("loadgen-log-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("log");
        let log = Log::start(&path, 4096).unwrap();
        for text in [b"first", b"other"] {
            let held = Held { slot: 0, generation: 0, start: 0, end: 0 };
            let mut batch = Batch { log: text.to_vec(), answers: text.to_vec(), held: vec![held] };
            log.submit(&mut batch);
            assert!(batch.held.is_empty(), "a submitted batch is given away");
        }
        let mut poll = Poll::new().unwrap();
        poll.add(log.waker(), 0).unwrap();
        let mut committed = Vec::new();
        while committed.len() < 2 {
            assert!(poll.wait(None).unwrap().count() > 0);
            log.committed(&mut committed).unwrap();
        }
        assert_eq!(committed[0].answers, b"first");
        assert_eq!(committed[1].answers, b"other");
        assert!(std::fs::read(&path).unwrap().starts_with(b"firstother"));
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
