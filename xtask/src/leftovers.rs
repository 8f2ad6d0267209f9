//! What a run has started and not ended.

use crate::failure::{Failure, Outcome};
use crate::shell::{Checkout, RUN_MARK};
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a program may take to go after the test that started it.
const GRACE: Duration = Duration::from_secs(5);

/// Fails if a server or browser that this run started still runs, and ends it.
pub(crate) fn check(checkout: &Checkout) -> Outcome {
    let deadline = Instant::now() + GRACE;
    let mut left = left(&checkout.target);
    while !left.is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
        left = self::left(&checkout.target);
    }
    if left.is_empty() {
        return Ok(());
    }
    for (process, _) in &left {
        // It may have ended just now; then there is nothing to do.
        let _ = kill_process(*process, Signal::TERM);
    }
    let names: Vec<&str> = left.iter().map(|(_, name)| name.as_str()).collect();
    Err(Failure::new(format!("tests left programs running, which are ended now: {}", names.join(", "))))
}

/// The programs that carry this run's mark: built here, or browsers.
fn left(target: &Path) -> Vec<(Pid, String)> {
    let mark = format!("{RUN_MARK}={}", std::process::id());
    let Ok(folder) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers =
        folder.flatten().filter_map(|entry| entry.file_name().to_string_lossy().parse::<i32>().ok());
    numbers
        .filter_map(|number| {
            let process = Pid::from_raw(number)?;
            let program = std::fs::read_link(format!("/proc/{number}/exe")).ok()?;
            let name = program.file_name()?.to_string_lossy().into_owned();
            let ours = program.starts_with(target) || name.contains("chrom");
            let environment = std::fs::read(format!("/proc/{number}/environ")).ok()?;
            let marked = environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes());
            (ours && marked).then_some((process, name))
        })
        .collect()
}
