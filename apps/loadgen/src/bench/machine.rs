//! Where the benchmark runs, and when.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::thread;
use std::time::Instant;

use serde::Serialize;

use crate::histogram::Histogram;
use crate::wire::request::unix_seconds;

/// What the figures depend on.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Machine {
    /// Processor cores, shared by server and load generator.
    pub(crate) cores: usize,
    /// The processor's name.
    pub(crate) processor: String,
    /// Memory.
    pub(crate) memory_gib: f64,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// Half of all 4 KiB writes to a zeroed file, each with fdatasync, took at most so long.
    pub(crate) sync_p50_us: f64,
    /// 99 % took at most so long.
    pub(crate) sync_p99_us: f64,
    /// The data lay in memory, so that nothing was ever durable.
    pub(crate) is_memory_disk: bool,
}

impl Machine {
    /// Describes this machine and times its disk in `directory`.
    pub(crate) fn describe(directory: &Path) -> io::Result<Self> {
        /// The file system type that lives in memory.
        const TMPFS: u64 = 0x0102_1994;
        let syncs = time_syncs(directory)?.quantiles();
        let memory = fs::read_to_string("/proc/meminfo")?;
        let kib: f64 =
            field(&memory, "MemTotal").split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
        let file_system = rustix::fs::statfs(directory)?;
        Ok(Self {
            cores: thread::available_parallelism()?.get(),
            processor: field(&fs::read_to_string("/proc/cpuinfo")?, "model name"),
            memory_gib: kib / 1024.0 / 1024.0,
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            sync_p50_us: syncs.p50_us,
            sync_p99_us: syncs.p99_us,
            is_memory_disk: u64::try_from(file_system.f_type).is_ok_and(|kind| kind == TMPFS),
        })
    }
}

fn field(text: &str, name: &str) -> String {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default()
}

fn time_syncs(directory: &Path) -> io::Result<Histogram> {
    const BLOCK_BYTES: usize = 4096;
    const WRITES: u64 = 400;
    let path = directory.join("sync");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    file.write_all_at(&vec![0; BLOCK_BYTES * 400], 0)?;
    file.sync_all()?;
    let mut histogram = Histogram::new();
    for write in 0..WRITES {
        let started = Instant::now();
        file.write_all_at(&[1; BLOCK_BYTES], write * BLOCK_BYTES as u64)?;
        file.sync_data()?;
        histogram.record(started.elapsed());
    }
    fs::remove_file(path)?;
    Ok(histogram)
}

/// The day, UTC, as `2026-01-31`.
pub(crate) fn today() -> String {
    day(unix_seconds() / 86_400)
}

/// Days since 1970 as a date, by counting years and months.
fn day(mut days: u64) -> String {
    let mut year = 1970;
    let is_leap =
        |year: u64| (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        let cases = [(0, "1970-01-01"), (59, "1970-03-01"), (19_782, "2024-02-29"), (20_819, "2027-01-01")];
        for (days, date) in cases {
            assert_eq!(day(days), date);
        }
    }
}
