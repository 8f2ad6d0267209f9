//! The measured figures beside what they are meant to reach.

use super::report::number;
use super::results::{Comparison, LookupRuns, Results, Spread, Start};
use crate::client::lookup::{Answers, Case};
use crate::client::measured::Measured;

/// What a figure is meant to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// At least so much.
    AtLeast(f64),
    /// At most so much.
    AtMost(f64),
    /// There is none; the figure is there to compare with.
    None,
}

/// One figure.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// What was measured.
    pub(super) what: String,
    /// In which unit.
    pub(super) unit: &'static str,
    /// What it is meant to be.
    pub(super) goal: Goal,
    /// What it is; `None` if it could not be measured.
    pub(super) measured: Option<Spread>,
}

impl Figure {
    /// Whether the median reaches the goal; `None` without either.
    pub(super) fn is_reached(&self) -> Option<bool> {
        let median = self.measured.as_ref()?.median;
        match self.goal {
            Goal::AtLeast(least) => Some(median >= least),
            Goal::AtMost(most) => Some(median <= most),
            Goal::None => None,
        }
    }

    /// The median as a share of the goal; `None` without either.
    pub(super) fn share(&self) -> Option<f64> {
        let median = self.measured.as_ref()?.median;
        match self.goal {
            Goal::AtLeast(goal) | Goal::AtMost(goal) => Some(median / goal),
            Goal::None => None,
        }
    }
}

/// All figures, in the order of the report.
pub(super) fn figures(results: &Results) -> Vec<Figure> {
    let mut figures = Vec::new();
    let (few, many) = (&results.few, &results.many);
    comparison(&mut figures, "64 connections, 1 in flight", few, 0.5, 25.0);
    comparison(&mut figures, "1,000 connections, 4 in flight", many, 0.35, 18.0);
    schedule(&mut figures, results);
    idle(&mut figures, results);
    restart(&mut figures, results);
    for case in Case::ALL {
        lookup(&mut figures, results, case);
    }
    super::search::figures(&mut figures, &results.search);
    figures
}

impl Figure {
    fn new(what: impl Into<String>, unit: &'static str, goal: Goal, measured: Option<Spread>) -> Self {
        Self { what: what.into(), unit, goal, measured }
    }
}

fn schedule(figures: &mut Vec<Figure>, results: &Results) {
    let rate = number(results.schedule_per_second);
    let case = format!("64 connections at {rate} messages a second");
    let p99_ms = |runs: &[Measured]| Spread::of(runs.iter().map(|run| run.latency.p99_us / 1e3));
    let ours = p99_ms(&results.schedule.whimbrel);
    let bare = p99_ms(&results.schedule.baseline);
    let what = format!("{case}: acknowledgement p99");
    figures.push(Figure::new(what, "ms", Goal::AtMost(10.0), ours));
    figures.push(Figure::new(format!("{case}: the same, bare server"), "ms", Goal::None, bare));
}

fn idle(figures: &mut Vec<Figure>, results: &Results) {
    let connections = number(results.idle.map_or(0.0, |cost| to_f64(cost.connections as u64)));
    let what = format!("memory per idle connection, {connections} of them");
    let kib = results.idle.map(|cost| cost.bytes_per_connection / 1024.0);
    figures.push(Figure::new(what, "KiB", Goal::AtMost(12.0), Spread::of(kib)));
}

fn restart(figures: &mut Vec<Figure>, results: &Results) {
    let ready = |starts: &[Start]| Spread::of(starts.iter().map(|start| start.ready_ms));
    let page = |starts: &[Start]| Spread::of(starts.iter().map(|start| start.pages.latency.p99_us / 1e3));
    let stored = number(results.fill.as_ref().map_or(0.0, |fill| to_f64(fill.acknowledged)));
    let conversations = number(to_f64(results.stored_conversations as u64));
    let store = format!("{stored} messages in {conversations} conversations");
    let (stop, kill) = (&results.after_stop, &results.after_kill);
    for (what, most_ms, measured) in [
        ("ready after a clean stop", 300.0, ready(stop)),
        ("ready after SIGKILL", 2_000.0, ready(kill)),
        ("history page p99 after a clean stop", 1.0, page(stop)),
        ("history page p99 after SIGKILL", 1.0, page(kill)),
    ] {
        let what = format!("{store}: {what}");
        figures.push(Figure::new(what, "ms", Goal::AtMost(most_ms), measured));
    }
}

/// What is looked up, for the report.
fn case_name(case: Case, results: &Results) -> String {
    let length = number(to_f64(case.length(&results.population) as u64));
    let what = match case {
        Case::FriendsSocket | Case::FriendsRest => "friend list",
        Case::ConversationsSocket | Case::ConversationsRest => "conversation list",
        Case::ProfilesSocket | Case::ProfilesRest => "profile batch",
    };
    format!("{what} of {length}, {}", case.command())
}

fn lookup(figures: &mut Vec<Figure>, results: &Results, case: Case) {
    let none = LookupRuns::of(case);
    let runs = results.lookups.iter().find(|runs| runs.case == case).unwrap_or(&none);
    let name = case_name(case, results);
    let of = |runs: &[Answers], value: fn(&Answers) -> f64| Spread::of(runs.iter().map(value));
    let p99 = |answers: &Answers| answers.latency.p99_us / 1e3;
    let p50 = |answers: &Answers| answers.latency.p50_us / 1e3;
    let whole = |answers: &Answers| answers.whole.p50_us / 1e3;
    let (ours, bare) = (&runs.whimbrel, &runs.baseline);
    let times = ratios(ours.iter().map(p99), bare.iter().map(p99));
    let is_list = case.pages(&results.population) > 1;
    for (what, unit, goal, measured) in [
        ("p99", "ms", Goal::AtMost(10.0), of(ours, p99)),
        ("p99, bare server", "ms", Goal::None, of(bare, p99)),
        ("p99 as a multiple of the bare server's", "", Goal::None, times),
        ("median", "ms", Goal::None, of(ours, p50)),
        ("median, bare server", "ms", Goal::None, of(bare, p50)),
    ] {
        figures.push(Figure::new(format!("{name}: {what}"), unit, goal, measured));
    }
    if is_list {
        let what = format!("{name}: all pages one after the other, median");
        figures.push(Figure::new(what, "ms", Goal::None, of(ours, whole)));
    }
}

#[expect(clippy::cast_precision_loss, reason = "these counts are far below 2^52")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

fn comparison(figures: &mut Vec<Figure>, case: &str, runs: &Comparison, ratio: f64, cpu_us: f64) {
    let rate = |runs: &[Measured]| Spread::of(runs.iter().map(|run| run.acknowledged_per_second));
    let cpu = |runs: &[Measured]| {
        Spread::of(runs.iter().filter_map(|run| run.server_cpu_us).filter(|cpu| *cpu > 0.0))
    };
    let mut figure = |what: &str, unit, goal, measured| {
        figures.push(Figure { what: format!("{case}: {what}"), unit, goal, measured });
    };
    figure("messages, bare server", "1/s", Goal::None, rate(&runs.baseline));
    figure("messages", "1/s", Goal::None, rate(&runs.whimbrel));
    figure("share of the bare server's rate", "", Goal::AtLeast(ratio), shares(runs));
    figure("processor time a message, bare server", "µs", Goal::None, cpu(&runs.baseline));
    figure("processor time a message", "µs", Goal::AtMost(cpu_us), cpu(&runs.whimbrel));
}

fn shares(runs: &Comparison) -> Option<Spread> {
    let rate = |run: &Measured| run.acknowledged_per_second;
    ratios(runs.whimbrel.iter().map(rate), runs.baseline.iter().map(rate))
}

/// The ratio of the medians, and the lowest and highest ratio of two runs of one round.
fn ratios(
    real: impl Iterator<Item = f64> + Clone,
    bare: impl Iterator<Item = f64> + Clone,
) -> Option<Spread> {
    let medians = Spread::of(real.clone())?.median / Spread::of(bare.clone())?.median;
    let rounds = Spread::of(real.zip(bare).map(|(real, bare)| real / bare))?;
    Some(Spread { median: medians, min: rounds.min.min(medians), max: rounds.max.max(medians) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(acknowledged_per_second: f64) -> Measured {
        Measured { acknowledged_per_second, ..Measured::default() }
    }

    #[test]
    fn the_share_is_that_of_the_medians() {
        let baseline = vec![run(100.0), run(120.0), run(80.0)];
        let whimbrel = vec![run(50.0), run(90.0), run(56.0)];
        let share = shares(&Comparison { baseline, whimbrel }).unwrap();
        assert!(
            (share.median - 0.56).abs() < 1e-9
                && (share.min - 0.5).abs() < 1e-9
                && (share.max - 0.75).abs() < 1e-9
        );
    }

    #[test]
    fn what_was_not_measured_has_not_reached_its_goal_nor_missed_it() {
        let figures = figures(&Results::default());
        assert!(
            figures
                .iter()
                .filter(|figure| figure.measured.is_none())
                .all(|figure| figure.is_reached().is_none())
        );
        let figure =
            Figure { what: String::new(), unit: "ms", goal: Goal::AtMost(2.0), measured: Spread::of([1.0]) };
        assert_eq!((figure.is_reached(), figure.share()), (Some(true), Some(0.5)));
    }
}
