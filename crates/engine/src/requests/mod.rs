//! What was asked of each app: the request log (class Log) and success and delay by the minute (class Monitoring).
//!
//! A request is noted in memory, which waits for nothing, and written down a tenth of a second later: blocks sealed under keys
//! of their own, in a segment for each app and hour that is dropped when its class's time is over.

mod log;
mod monitoring;
mod waiting;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{DataClass, Result, SdkAppId, Sealed, Seconds};
use parking_lot::Mutex;
use ports::segments::SegmentId;
use ports::{Fault, Stamped};
use promise::Stamps;
use promise::keys::{Keyring, Place};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

pub use self::log::{LOGGED_MAX, LogPage, LogPlace, LogQuery, Logged, ROWS_LOOKED_AT_MAX};
pub use self::monitoring::{POINTS_MAX, Point, PointsQuery};
pub use self::waiting::{APP_WAITING_MAX, NOT_LOGGED, WAITING_MAX};
use self::waiting::{Loss, Noted, Taken, Waiting, parts};
use crate::Engine;
use crate::context::Context;
use crate::preserve::{Cover, Floors};

/// Requests in one block at most.
const BLOCK_MAX: usize = 4096;

/// How long what waits is collected before it is written: short, so that writing it holds up nobody.
const EVERY: Duration = Duration::from_millis(100);

/// How often segments are looked at whose time may be over, in seconds.
const EXPIRY_SECONDS: u32 = 60;

/// How many may read the log or the minutes at the same time; others wait for their turn.
const READERS_MAX: usize = 2;

/// The longest cause that is kept, in bytes.
const CAUSE_BYTES_MAX: usize = 300;

/// One request, as it is noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Of which app.
    pub app: SdkAppId,
    /// From which address, as far as the server sees it.
    pub address: IpAddr,
    /// Which command.
    pub command: &'static str,
    /// 0, or the number of the error.
    pub code: i64,
    /// What the caller was told, and why, for a failure.
    pub cause: Option<Box<str>>,
    /// How long it took.
    pub micros: u64,
}

/// What was asked and is not written yet.
pub struct Requests {
    context: Context,
    keyring: Arc<Keyring>,
    floors: Floors,
    waiting: Mutex<Waiting>,
    /// Held while what waits is written: whoever gets it after that finds it written.
    writing: tokio::sync::Mutex<()>,
    /// Turns of those who read.
    turns: Semaphore,
    /// Woken by the first request that waits.
    noted: Arc<Notify>,
    /// Names a request in the server's own log, where nothing else about it stands.
    next_reference: AtomicU64,
}

impl Requests {
    pub(crate) fn new(context: Context, keyring: Arc<Keyring>, floors: Floors) -> Self {
        // Unique over starts: a start takes at least a microsecond.
        let next_reference = AtomicU64::new(context.clock.now().0 * 1000);
        let waiting = Mutex::new(Waiting::new(WAITING_MAX, APP_WAITING_MAX));
        let (writing, turns) = (tokio::sync::Mutex::default(), Semaphore::new(READERS_MAX));
        Self { context, keyring, floors, waiting, writing, turns, noted: Arc::default(), next_reference }
    }

    /// Notes a request. Returns the number under which it is found in the request log.
    pub fn note(&self, request: Request) -> u64 {
        let reference = self.next_reference.fetch_add(1, Ordering::Relaxed);
        let at = self.context.clock.now();
        if self.waiting.lock().note(Noted { at, reference, request }) {
            self.noted.notify_one();
        }
        reference
    }

    /// Writes down what waits. Minutes are written when they are over, or `all` of them.
    async fn write(&self, all: bool) -> Result<()> {
        let _writing = self.writing.lock().await;
        let mut left = self.take(all);
        // What cannot be written of one app takes nothing of the others along.
        let mut done = Ok(());
        while let Some((segment, part)) = left.taken.parts.pop_front() {
            let block = log::Block::of(&part);
            let mut added = self.preserve(segment, &block).await;
            if added.is_ok() {
                added = self.add(segment, &block).await;
            }
            // What an erased app asked is gone with its keys.
            if added.is_err() && self.keyring.holds_app(segment.app) {
                self.waiting.lock().lose_part(segment.app, &part);
            }
            done = done.and(added);
        }
        while let Some((app, loss)) = left.taken.losses.pop() {
            let added = self.add_loss(app, loss).await;
            if added.is_err() && self.keyring.holds_app(app) {
                self.waiting.lock().lose(app, loss);
            }
            done = done.and(added);
        }
        while let Some(((app, minute), counts)) = left.taken.minutes.pop() {
            let segment = SegmentId::at(app, DataClass::Monitoring, Seconds(minute.saturating_mul(60)));
            done = done.and(self.add(segment, &monitoring::Block { minute, counts }).await);
        }
        done
    }

    fn take(&self, all: bool) -> Left<'_> {
        let this_minute = self.context.clock.now().seconds().0 / 60;
        let (noted, mut taken) = self.waiting.lock().take(|minute| all || minute < this_minute);
        taken.parts = parts(noted);
        Left { requests: self, taken }
    }

    /// Says in the log of an app that it is not complete, and where.
    async fn add_loss(&self, app: SdkAppId, loss: Loss) -> Result<()> {
        tracing::warn!(lost = loss.count, "requests could not be logged");
        let segment = SegmentId::at(app, DataClass::Log, loss.first.seconds());
        let stamp = Stamps::hourly(app, DataClass::Log, segment.hour);
        if stamp.expiry.is_over(self.context.clock.now()) {
            return Ok(());
        }
        let reference = self.next_reference.fetch_add(1, Ordering::Relaxed);
        let noted = Noted { at: loss.first, reference, request: loss.request(app) };
        let block = log::Block::of(&[noted]);
        self.preserve(segment, &block).await?;
        self.add(segment, &block).await
    }

    /// Copies a block of the log where a law demands it.
    async fn preserve(&self, segment: SegmentId, block: &log::Block) -> Result<()> {
        match self.floors.of(segment.app, DataClass::Log) {
            Some(floor) => {
                // A segment of copies is named by the hour in which it ends.
                let hour = segment.hour.saturating_add(1).saturating_add(floor.days.saturating_mul(24));
                self.add(SegmentId { class: DataClass::Preserved, hour, ..segment }, block).await
            }
            None => Ok(()),
        }
    }

    async fn add<T: Serialize>(&self, segment: SegmentId, block: &T) -> Result<()> {
        let bytes = postcard::to_extend(block, Vec::new())
            .map_err(|error| Fault::Corrupt(format!("cannot encode a block: {error}")))?;
        let stamp = Stamps::hourly(segment.app, segment.class, segment.hour);
        let now = self.context.clock.now().seconds();
        let sealed = self.keyring.seal_bytes(place(segment), now, stamp.expiry, bytes)?;
        Ok(self.context.segments.add(segment, Stamped::new(stamp, sealed)).await?)
    }

    /// Waits for a turn to read; it ends when it is dropped.
    async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let turn = self.turns.acquire().await;
        Ok(turn.map_err(|_| Fault::Unavailable("the request log is closed".to_owned()))?)
    }

    /// Opens a block of a segment; `None` if its keys are gone.
    fn open<T: DeserializeOwned>(&self, segment: SegmentId, block: &Sealed) -> Option<T> {
        let bytes = self.keyring.open_bytes(place(segment), block)?;
        postcard::from_bytes(&bytes).ok()
    }

    /// Removes the segments whose time is over.
    pub(crate) async fn expire(&self) -> Result<()> {
        let now = self.context.clock.now();
        for segment in self.context.segments.list().await? {
            if Stamps::hourly(segment.app, segment.class, segment.hour).expiry.is_over(now) {
                self.context.segments.remove(segment).await?;
            }
        }
        Ok(())
    }
}

/// What is left to be written. If nobody waits for that any more, it goes back to what waits.
struct Left<'a> {
    requests: &'a Requests,
    taken: Taken,
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        if self.requests.waiting.lock().put_back(&mut self.taken) {
            self.requests.noted.notify_one();
        }
    }
}

fn place(segment: SegmentId) -> Place {
    if segment.class == DataClass::Preserved {
        return Cover::floor(segment.app).place();
    }
    Place { app: segment.app, class: segment.class, conversation: None, author: model::AccountNumber(0) }
}

/// Cuts a cause to what is kept of it.
#[must_use]
pub fn cut(cause: &str) -> Box<str> {
    cause[..cause.floor_char_boundary(CAUSE_BYTES_MAX)].into()
}

/// Writes and expires at regular times, for as long as the engine lives.
pub(crate) fn start(engine: &Arc<Engine>) {
    let (weak, clock) = (Arc::downgrade(engine), Arc::clone(&engine.context.clock));
    engine.context.spawner.spawn(Box::pin(async move {
        let mut expired_at = Seconds(0);
        loop {
            // What is noted wakes this, and is written with what comes right after it; nothing noted costs nothing.
            let noted = match weak.upgrade() {
                Some(engine) => Arc::clone(&engine.requests.noted),
                None => return,
            };
            let idle = clock.sleep(Duration::from_secs(EXPIRY_SECONDS.into()));
            tokio::select! {
                biased;
                () = noted.notified() => clock.sleep(EVERY).await,
                () = idle => {}
            }
            let Some(engine) = weak.upgrade() else { return };
            let now = clock.now().seconds();
            let mut done = engine.requests.write(false).await;
            if now.0.abs_diff(expired_at.0) >= EXPIRY_SECONDS {
                expired_at = now;
                // Also on a full disk: this makes room.
                done = engine.requests.expire().await.and(done);
            }
            if let Err(error) = done {
                tracing::warn!(code = error.code.number(), "requests could not be written down");
            }
        }
    }));
}

impl Engine {
    /// Writes down everything that was noted and counted.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write_requests(&self) -> Result<()> {
        let counted = self.write_statistics().await;
        self.requests.write(true).await.and(counted)
    }
}
