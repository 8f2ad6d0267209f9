//! When a task that serves has to end.

use crate::failure::{During, Outcome};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Says when to stop: a signal, the end of the time, or the end of the parent.
pub(crate) struct StopSign {
    signalled: Arc<AtomicBool>,
    open_for: Option<Duration>,
    opened: Instant,
    parent: Option<u32>,
}

impl StopSign {
    /// Stops at a signal, after this time, and with its parent if asked.
    pub(crate) fn new(open_for: Option<Duration>, with_parent: bool) -> Outcome<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            if signal == SIGHUP && ignores_hangup() {
                continue;
            }
            // Whoever cannot wait for the server to drain signals twice; the kernel then stops it (see `server`).
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&signalled))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&signalled)))
                .during(|| format!("cannot handle signal {signal}"))?;
        }
        let parent = with_parent.then(std::os::unix::process::parent_id);
        Ok(Self { signalled, open_for, opened: Instant::now(), parent })
    }

    /// Whether it is time to stop.
    pub(crate) fn is_up(&self) -> bool {
        self.signalled.load(Ordering::Relaxed)
            || self.open_for.is_some_and(|time| self.opened.elapsed() >= time)
            || self.parent.is_some_and(|parent| parent != std::os::unix::process::parent_id())
    }
}

/// Whether `nohup` or the like asked that the end of the terminal be survived.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
