//! Counts and times per command, without any account id.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::table::Table;

/// Upper bounds of the time classes, in microseconds.
const BOUNDS: [u64; 8] = [100, 500, 1_000, 5_000, 10_000, 50_000, 250_000, 1_000_000];

#[derive(Default)]
struct Counts {
    ok: AtomicU64,
    failed: AtomicU64,
    micros: AtomicU64,
    classes: [AtomicU64; BOUNDS.len()],
}

/// Counts of one process since its start.
pub struct Metrics {
    commands: Vec<Counts>,
}

impl Metrics {
    /// Counts for every command of a table.
    #[must_use]
    pub fn new(table: &Table) -> Self {
        Self { commands: (0..table.len()).map(|_| Counts::default()).collect() }
    }

    /// Counts one call.
    pub fn count(&self, command: usize, is_ok: bool, micros: u64) {
        let Some(counts) = self.commands.get(command) else {
            return;
        };
        let outcome = if is_ok { &counts.ok } else { &counts.failed };
        outcome.fetch_add(1, Ordering::Relaxed);
        counts.micros.fetch_add(micros, Ordering::Relaxed);
        if let Some(class) = BOUNDS.iter().position(|bound| micros <= *bound) {
            counts.classes[class].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts in the text format of Prometheus (version 0.0.4).
    #[must_use]
    pub fn text(&self, table: &Table) -> String {
        let mut out = String::new();
        out.push_str("# HELP whimbrel_calls_total Calls of a command, by outcome.\n# TYPE whimbrel_calls_total counter\n");
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (command, counts) in table.all().zip(&self.commands) {
            let name = command.spec().name;
            for (outcome, count) in [("ok", &counts.ok), ("failed", &counts.failed)] {
                let _ = writeln!(
                    out,
                    "whimbrel_calls_total{{command=\"{name}\",outcome=\"{outcome}\"}} {}",
                    read(count)
                );
            }
        }
        out.push_str("# HELP whimbrel_call_seconds Time from a call's arrival to its answer.\n# TYPE whimbrel_call_seconds histogram\n");
        for (command, counts) in table.all().zip(&self.commands) {
            let name = command.spec().name;
            let mut below = 0;
            for (bound, class) in BOUNDS.iter().zip(&counts.classes) {
                below += read(class);
                let _ = writeln!(
                    out,
                    "whimbrel_call_seconds_bucket{{command=\"{name}\",le=\"{}\"}} {below}",
                    seconds(*bound)
                );
            }
            let all = read(&counts.ok) + read(&counts.failed);
            let _ = writeln!(out, "whimbrel_call_seconds_bucket{{command=\"{name}\",le=\"+Inf\"}} {all}");
            let _ = writeln!(
                out,
                "whimbrel_call_seconds_sum{{command=\"{name}\"}} {}",
                seconds(read(&counts.micros))
            );
            let _ = writeln!(out, "whimbrel_call_seconds_count{{command=\"{name}\"}} {all}");
        }
        out
    }
}

/// Microseconds as a decimal number of seconds.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
