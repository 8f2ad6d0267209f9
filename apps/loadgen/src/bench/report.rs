//! The report as Markdown.

use std::fmt::Write as _;

use super::results::{Results, Spread};
use super::verdict::{Goal, figures};
use crate::client::idle::IdleCost;

/// Between these lines a present file is replaced; what stands around them is kept.
const BEGIN: &str = "<!-- results: written by loadgen bench -->";
const END: &str = "<!-- /results -->";

const METHOD: &str = "\
The load generator shares the machine with the server. Both servers are measured in turn in one run, each time on an
empty data directory on disk, with fdatasync before each acknowledgement. The bare server carries the same sockets and
frames and a raw pre-zeroed log, and nothing else: it is the ceiling. Figures are median [lowest–highest] of the rounds;
a share is that of the medians [of single rounds].
";

/// The report, markers included.
pub(super) fn write(results: &Results) -> String {
    let mut text = format!("{BEGIN}\n");
    let machine = &results.machine;
    let _ = writeln!(
        text,
        "Measured on {}: {} cores, {}, {:.0} GiB, Linux {}; 4 KiB write with fdatasync p50 {:.0} µs, p99 {:.0} µs.\n",
        results.date,
        machine.cores,
        machine.processor,
        machine.memory_gib,
        machine.kernel,
        machine.sync_p50_us,
        machine.sync_p99_us
    );
    if results.is_quick {
        text += "**Quick run**: short windows and small stores; not to be compared with full runs.\n\n";
    }
    if machine.is_memory_disk {
        text += "**The data lay in memory**: nothing was durable, and these figures say little.\n\n";
    }
    text += METHOD;
    text += "\n![Chart of the results](chart.svg)\n\n";
    write_table(&mut text, results);
    write_notes(&mut text, results);
    text += END;
    text.push('\n');
    text
}

fn write_table(text: &mut String, results: &Results) {
    *text += "| what | goal | measured | share of the goal | |\n|---|---|---|---|---|\n";
    for figure in figures(results) {
        let unit = if figure.unit.is_empty() { String::new() } else { format!(" {}", figure.unit) };
        let goal = match figure.goal {
            Goal::AtLeast(goal) => format!("≥ {}{unit}", number(goal)),
            Goal::AtMost(goal) => format!("≤ {}{unit}", number(goal)),
            Goal::None => String::new(),
        };
        let measured = figure.measured.as_ref().map_or_else(
            || "not measured".to_owned(),
            |Spread { median, min, max }| {
                format!("{}{unit} [{}–{}]", number(*median), number(*min), number(*max))
            },
        );
        let share = figure.share().map_or_else(String::new, |share| format!("{share:.2}"));
        let verdict = match figure.is_reached() {
            Some(true) => "reached",
            Some(false) => "**missed**",
            None => "",
        };
        let _ = writeln!(text, "| {} | {goal} | {measured} | {share} | {verdict} |", figure.what);
    }
    text.push('\n');
}

fn write_notes(text: &mut String, results: &Results) {
    if let Some(fill) = &results.fill {
        let _ = writeln!(
            text,
            "Filling the store took {:.1} s ({} messages a second).",
            fill.seconds,
            number(fill.acknowledged_per_second)
        );
    }
    if let Some(populating) = &results.populating {
        let (population, populated) = (&results.population, &populating.populated);
        let count =
            |count: usize| u32::try_from(count).map_or_else(|_| "?".to_owned(), |count| number(count.into()));
        let _ = writeln!(
            text,
            "Lookups: making {} accounts took {:.0} s, {} friends {:.1} s, {} messages {:.1} s, reading the working set of \
             {} accounts once after a new start {:.1} s; each lookup at {} requests a second.",
            count(population.accounts),
            populated.accounts_seconds,
            count(populated.friends),
            populated.friends_seconds,
            count(populated.messages),
            populated.messages_seconds,
            count(population.working_set),
            populating.warm_seconds,
            number(results.lookups_per_second)
        );
    }
    let idle = |cost: &IdleCost| cost.bytes_per_connection / 1024.0;
    if let (Some(first), Some(again)) = (&results.idle_first_login, &results.idle) {
        let _ = writeln!(
            text,
            "Idle connections are measured after a restart, with accounts that exist ({:.1} KiB each); when the logins \
             create the accounts it is {:.1} KiB, the new records in the store's memory included.",
            idle(again),
            idle(first)
        );
    }
    if !results.failures.is_empty() {
        *text += "\nNot everything went well:\n\n";
        for failure in &results.failures {
            let _ = writeln!(text, "- {failure}");
        }
    }
}

/// A figure with as many digits as it is worth, thousands grouped.
pub(super) fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `present` with its results replaced; without any, a new document.
pub(super) fn placed_in(present: &str, results: &str) -> String {
    let parts = present.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    match parts {
        Some((before, after)) => format!("{before}{}{}", results.trim_end(), after),
        None => format!("# Benchmark\n\n{results}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_around_the_results_survive() {
        let first = placed_in("", &write(&Results::default()));
        let noted = format!("# Title\n\nbefore\n\n{}\nafter\n", first.trim_start_matches("# Benchmark\n\n"));
        let again = placed_in(&noted, &write(&Results { date: "2026-01-31".into(), ..Results::default() }));
        assert!(again.starts_with("# Title\n\nbefore\n") && again.ends_with("\nafter\n"), "{again}");
        assert!(again.contains("Measured on 2026-01-31"));
        assert_eq!(again.matches(BEGIN).count(), 1);
    }

    #[test]
    fn numbers_are_grouped_and_not_too_long() {
        for (value, text) in [(0.512, "0.51"), (12.34, "12.3"), (999.6, "1,000"), (75_266.0, "75,266")] {
            assert_eq!(number(value), text);
        }
    }
}
