//! What was asked of each app: the request log (class Log) and success and delay by the minute (class Monitoring).
//!
//! A request is noted in memory, which waits for nothing, and written down a tenth of a second later: blocks sealed under keys
//! of their own, in a segment for each app and hour that is dropped when its class's time is over.

mod log;
mod monitoring;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hashbrown::HashMap;
use model::{DataClass, Millis, Result, SdkAppId, Seconds};
use parking_lot::Mutex;
use ports::segments::SegmentId;
use ports::{Fault, Stamped};
use promise::Stamps;
use promise::keys::{Keyring, Place};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

pub use self::log::{LOGGED_MAX, LogPage, LogPlace, LogQuery, Logged};
pub use self::monitoring::{POINTS_MAX, Point, PointsQuery};
use crate::Engine;
use crate::context::Context;

/// Requests that wait to be written at most; beyond it they are counted only.
const WAITING_MAX: usize = 200_000;

/// Requests in one block at most.
const BLOCK_MAX: usize = 4096;

/// How long what waits is collected before it is written: short, so that writing it holds up nobody.
const EVERY: Duration = Duration::from_millis(100);

/// How often segments are looked at whose time may be over, in seconds.
const EXPIRY_SECONDS: u32 = 60;

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

struct Noted {
    at: Millis,
    reference: u64,
    request: Request,
}

#[derive(Default)]
struct Waiting {
    noted: Vec<Noted>,
    minutes: HashMap<(SdkAppId, u32), monitoring::Minute>,
    lost: u64,
}

/// What was asked and is not written yet.
pub struct Requests {
    context: Context,
    keyring: Arc<Keyring>,
    waiting: Mutex<Waiting>,
    /// Woken by the first request that waits.
    noted: Arc<Notify>,
    /// Names a request in the server's own log, where nothing else about it stands.
    next_reference: AtomicU64,
}

impl Requests {
    pub(crate) fn new(context: Context, keyring: Arc<Keyring>) -> Self {
        // Unique over starts: a start takes at least a microsecond.
        let next_reference = AtomicU64::new(context.clock.now().0 * 1000);
        Self { context, keyring, waiting: Mutex::default(), noted: Arc::default(), next_reference }
    }

    /// Notes a request. Returns the number under which it is found in the request log.
    pub fn note(&self, request: Request) -> u64 {
        let reference = self.next_reference.fetch_add(1, Ordering::Relaxed);
        let at = self.context.clock.now();
        let minute = at.seconds().0 / 60;
        let mut waiting = self.waiting.lock();
        waiting.minutes.entry((request.app, minute)).or_default().count(
            request.command,
            request.code == 0,
            request.micros,
        );
        if waiting.noted.is_empty() {
            self.noted.notify_one();
        }
        if waiting.noted.len() < WAITING_MAX {
            waiting.noted.push(Noted { at, reference, request });
        } else {
            waiting.lost += 1;
        }
        reference
    }

    /// Writes down what waits. Minutes are written when they are over, or `all` of them.
    async fn write(&self, all: bool) -> Result<()> {
        let this_minute = self.context.clock.now().seconds().0 / 60;
        let (noted, minutes, lost) = {
            let mut waiting = self.waiting.lock();
            let noted = std::mem::take(&mut waiting.noted);
            let over = waiting.minutes.extract_if(|(_, minute), _| all || *minute < this_minute);
            let minutes: Vec<_> = over.collect();
            (noted, minutes, std::mem::take(&mut waiting.lost))
        };
        if lost > 0 {
            tracing::warn!(lost, "requests came faster than they could be logged");
        }
        let mut by_segment: HashMap<SegmentId, Vec<Noted>> = HashMap::new();
        for noted in noted {
            let segment = SegmentId::at(noted.request.app, DataClass::Log, noted.at.seconds());
            by_segment.entry(segment).or_default().push(noted);
        }
        // What cannot be written of one app takes nothing of the others along.
        let mut done = Ok(());
        for (segment, noted) in by_segment {
            for part in noted.chunks(BLOCK_MAX) {
                done = done.and(self.add(segment, &log::Block::of(part)).await);
            }
        }
        for ((app, minute), counts) in minutes {
            let segment = SegmentId::at(app, DataClass::Monitoring, Seconds(minute.saturating_mul(60)));
            done = done.and(self.add(segment, &monitoring::Block { minute, counts }).await);
        }
        done
    }

    async fn add<T: Serialize>(&self, segment: SegmentId, block: &T) -> Result<()> {
        let bytes = postcard::to_extend(block, Vec::new())
            .map_err(|error| Fault::Corrupt(format!("cannot encode a block: {error}")))?;
        let stamp = Stamps::hourly(segment.app, segment.class, segment.hour);
        let now = self.context.clock.now().seconds();
        let sealed = self.keyring.seal_bytes(place(segment), now, stamp.expiry, bytes)?;
        Ok(self.context.segments.add(segment, Stamped::new(stamp, sealed)).await?)
    }

    /// Blocks of a segment, opened; those whose keys are gone are left out, with `None` in their place.
    async fn read<T: DeserializeOwned>(
        &self,
        segment: SegmentId,
        from: usize,
        limit: usize,
    ) -> Result<Vec<Option<T>>> {
        let blocks = self.context.segments.blocks(segment, from, limit).await?;
        let open = |block| {
            let bytes = self.keyring.open_bytes(place(segment), block)?;
            postcard::from_bytes(&bytes).ok()
        };
        Ok(blocks.iter().map(open).collect())
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

fn place(segment: SegmentId) -> Place {
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
            if done.is_ok() && now.0.abs_diff(expired_at.0) >= EXPIRY_SECONDS {
                expired_at = now;
                done = engine.requests.expire().await;
            }
            if let Err(error) = done {
                tracing::warn!(code = error.code.number(), "requests could not be written down");
            }
        }
    }));
}

impl Engine {
    /// Writes down everything that was noted.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write_requests(&self) -> Result<()> {
        self.requests.write(true).await
    }
}
