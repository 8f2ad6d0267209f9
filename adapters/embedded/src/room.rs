//! Free space on the disk: below the floor nothing new is stored.

use std::path::PathBuf;
use std::sync::Arc;

use ports::Clock;

/// How often the file system is asked, in microseconds.
const EVERY_MICROS: u64 = 500_000;

/// Watches the free space of the file system that holds the data.
pub(crate) struct Room {
    folder: PathBuf,
    floor_bytes: u64,
    clock: Arc<dyn Clock>,
    asked_at: Option<u64>,
    has_space: bool,
}

impl Room {
    pub(crate) fn new(folder: PathBuf, floor_bytes: u64, clock: Arc<dyn Clock>) -> Self {
        Self { folder, floor_bytes, clock, asked_at: None, has_space: true }
    }

    /// Whether there was more free space than the floor when last asked.
    pub(crate) fn has_space(&mut self) -> bool {
        let now = self.clock.elapsed_micros();
        if self.asked_at.is_some_and(|asked_at| now.saturating_sub(asked_at) < EVERY_MICROS) {
            return self.has_space;
        }
        self.asked_at = Some(now);
        let had_space = self.has_space;
        // A file system that does not answer is not taken for a full one.
        self.has_space = rustix::fs::statvfs(&self.folder)
            .is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) < self.floor_bytes)
            .eq(&false);
        if had_space && !self.has_space {
            tracing::warn!(
                floor_bytes = self.floor_bytes,
                "free space is below the floor: writes are refused"
            );
        }
        if !had_space && self.has_space {
            tracing::info!("free space is above the floor again: writes are taken");
        }
        self.has_space
    }
}
