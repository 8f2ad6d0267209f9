//! Rids the files of what was dropped or removed: the engine's journal, and tables that still hold former values.
//!
//! The engine keeps a journal until everything in it lies in tables, and begins a new one only after 64 MB. So zeros are
//! written until a new one begins, and every write buffer is moved to its table: then the engine deletes the former
//! journals, and with them the last hold on the files of dropped key spaces. The cost does not depend on how much was
//! dropped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use fjall::{Keyspace, Slice, UserValue};
use ports::Fault;

use crate::codec::fault;
use crate::spaces::{PURGED, REMOVED, SCATTERED, Spaces};

/// Zeros written at once.
const PAD_BYTES: usize = 1 << 20;

/// Zeros written in one purge at most: a journal is 64 MB.
const PADS_MAX: usize = 128;

/// Free space that a purge needs, in bytes: zeros twice, in the journal and in tables, and the tables that it writes anew.
const ROOM_BYTES_MIN: u64 = 512 << 20;

/// How long a purge may take before it is given up and tried again.
const PATIENCE: Duration = Duration::from_secs(300);

/// How many times as long as it took a purge rests before the next one.
const REST_TIMES: u32 = 3;

/// How soon a purge that failed is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// How much a purge hurries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// Beside everything that goes on: a little at a time.
    Beside,
    /// Nothing else goes on.
    Alone,
}

impl Haste {
    const fn pause(self) -> Duration {
        match self {
            Self::Beside => Duration::from_millis(100),
            Self::Alone => Duration::from_millis(2),
        }
    }
}

/// Whether files may hold what is no more.
pub(crate) fn is_due(spaces: &Spaces) -> Result<bool, Fault> {
    Ok(spaces.number(PURGED)? < spaces.number(REMOVED)?)
}

/// Purges whenever it is told to, until whoever tells is gone or `ended` says so.
pub(crate) fn run(spaces: &Spaces, folder: &Path, told: &Receiver<()>, ended: &Arc<AtomicBool>) {
    let mut again = false;
    loop {
        again |= is_due(spaces).unwrap_or(false);
        let wait = if again { RETRY } else { Duration::from_secs(3600) };
        match told.recv_timeout(wait) {
            Ok(()) => while told.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) if again => {}
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let began = Instant::now();
        again = match purge(spaces, folder, Haste::Beside, ended) {
            Ok(()) => {
                // However often something is removed, most of the time belongs to everything else.
                rest(began.elapsed() * REST_TIMES, ended);
                false
            }
            Err(fault) => {
                if !ended.load(Ordering::Acquire) {
                    tracing::error!(%fault, "files still hold expired data: trying again in a minute");
                }
                true
            }
        };
    }
}

/// Waits for a while, or until nobody wants another purge.
fn rest(time: Duration, ended: &AtomicBool) {
    let began = Instant::now();
    while began.elapsed() < time && !ended.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether there is room for what a purge writes before it frees anything: on a full disk it would do harm.
pub(crate) fn has_room(folder: &Path) -> bool {
    rustix::fs::statvfs(folder)
        .is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) >= ROOM_BYTES_MIN)
}

/// Whether tables of buckets have to be written anew.
pub(crate) fn is_large(spaces: &Spaces) -> Result<bool, Fault> {
    Ok(spaces.number(SCATTERED)? > spaces.number(PURGED)?)
}

/// Writes the tables of a key space anew, without former values, if there is room for a second copy.
fn write_anew(space: &Keyspace, folder: &Path, ended: &AtomicBool) -> Result<(), Fault> {
    if ended.load(Ordering::Acquire) {
        return Err(Fault::Unavailable("nobody waits for the purge any more".to_owned()));
    }
    let needed = ROOM_BYTES_MIN.saturating_add(space.disk_space());
    let free = rustix::fs::statvfs(folder).map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize));
    if free < needed {
        return Err(Fault::Full);
    }
    space.rotate_memtable_and_wait().map_err(|error| fault(&error))?;
    space.major_compact().map_err(|error| fault(&error))
}

/// Purges once.
///
/// # Errors
/// `Full` if there is no room for it. `Unavailable` while a backup is written, if the engine does not let go of its journals in time, or `ended` says
/// that nobody waits any more.
pub(crate) fn purge(spaces: &Spaces, folder: &Path, haste: Haste, ended: &AtomicBool) -> Result<(), Fault> {
    if !has_room(folder) {
        return Err(Fault::Full);
    }
    let Some(_alone) = spaces.moment.try_write() else {
        return Err(Fault::Unavailable("a backup holds a moment of the store".to_owned()));
    };
    let removed = spaces.number(REMOVED)?;
    let former = journals(folder)?;
    let Spaces { records, record_index, record_ends, recent, heads, .. } = spaces;
    for space in [records, record_index, record_ends, recent, heads] {
        write_anew(space, folder, ended)?;
    }
    if is_large(spaces)? {
        for bucket in spaces.buckets.all() {
            for space in [&bucket.log, &bucket.derived] {
                write_anew(space, folder, ended)?;
            }
        }
    }
    let began = Instant::now();
    let zeros: UserValue = Slice::from(vec![0; PAD_BYTES]);
    let mut pads = 0;
    while former.iter().any(|journal| journal.exists()) {
        if ended.load(Ordering::Acquire) || began.elapsed() > PATIENCE {
            return Err(Fault::Unavailable("the engine keeps its former journals".to_owned()));
        }
        let is_active = journals(folder)?.iter().all(|journal| former.contains(journal));
        if is_active && pads < PADS_MAX {
            pads += 1;
            spaces.padding.insert("zeros", zeros.clone()).map_err(|error| fault(&error))?;
            // Each flush looks whether the journal is long enough to begin a new one.
            spaces.padding.rotate_memtable().map_err(|error| fault(&error))?;
        } else {
            for space in spaces.all() {
                space.rotate_memtable().map_err(|error| fault(&error))?;
            }
        }
        std::thread::sleep(haste.pause());
    }
    spaces.padding.remove("zeros").map_err(|error| fault(&error))?;
    spaces.padding.rotate_memtable_and_wait().map_err(|error| fault(&error))?;
    spaces.padding.major_compact().map_err(|error| fault(&error))?;
    spaces.meta.insert(PURGED, removed.to_be_bytes()).map_err(|error| fault(&error))?;
    tracing::info!(zeros_mb = pads, "files were purged of expired data");
    Ok(())
}

/// The engine's journals.
fn journals(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let failed = |error: std::io::Error| Fault::Unavailable(format!("cannot list the journals: {error}"));
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).map_err(failed)? {
        let path = item.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            found.push(path);
        }
    }
    Ok(found)
}
