//! The chart: throughput of both servers, and every other figure as a share of its goal.

use std::fmt::Write as _;

use super::report::number;
use super::results::{Results, Spread};
use super::verdict::{Figure, Goal, figures};
use crate::client::measured::Measured;

const WIDTH: f64 = 900.0;
const LABELS: f64 = 390.0;
const BARS: f64 = 380.0;
const ROW: f64 = 26.0;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.faint{fill:#59636e}\
.bare{fill:#9aa4af}.ours{fill:#2f81f7}.miss{fill:#d1602f}.goal{stroke:#1f2328;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.faint{fill:#9198a1}.bare{fill:#6e7681}.goal{stroke:#e6edf3}}";

/// Draws the results as SVG that reads well on light and on dark ground.
pub(super) fn draw(results: &Results) -> String {
    let mut rows = String::new();
    let mut y = 24.0;
    throughput(&mut rows, &mut y, results);
    y += 16.0;
    title(&mut rows, &mut y, "Share of the limit (line: the limit; shorter is better)");
    for figure in figures(results).iter().filter(|figure| matches!(figure.goal, Goal::AtMost(_))) {
        limited(&mut rows, &mut y, figure);
    }
    let height = y + 8.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"Benchmark results\">\n<style>{STYLE}</style>\n{rows}</svg>\n"
    )
}

fn throughput(rows: &mut String, y: &mut f64, results: &Results) {
    title(rows, y, "Messages acknowledged per second (line: the goal)");
    let cases = [
        ("64 connections, 1 in flight", &results.few, 0.5),
        ("1,000 connections, 4 in flight", &results.many, 0.35),
    ];
    let rate = |runs: &[Measured]| {
        Spread::of(runs.iter().map(|run| run.acknowledged_per_second)).map(|rate| rate.median)
    };
    let most = cases
        .iter()
        .flat_map(|(_, runs, _)| [rate(&runs.baseline), rate(&runs.whimbrel)])
        .flatten()
        .fold(1.0, f64::max);
    for (case, runs, goal) in cases {
        let bare = rate(&runs.baseline);
        let ours = rate(&runs.whimbrel);
        let goal = bare.map(|bare| bare * goal);
        bar(rows, y, &format!("{case}: bare server"), bare, most, None, "bare");
        let class = if ours.zip(goal).is_some_and(|(ours, goal)| ours < goal) { "miss" } else { "ours" };
        bar(rows, y, &format!("{case}: Whimbrel"), ours, most, goal, class);
    }
}

fn title(rows: &mut String, y: &mut f64, text: &str) {
    let _ = writeln!(rows, "<text class=\"title\" x=\"8\" y=\"{y:.0}\">{text}</text>");
    *y += ROW;
}

fn bar(
    rows: &mut String,
    y: &mut f64,
    label: &str,
    value: Option<f64>,
    most: f64,
    goal: Option<f64>,
    class: &str,
) {
    let text = value.map_or_else(|| "not measured".to_owned(), number);
    row(rows, *y, label, value.unwrap_or(0.0) / most, goal.map(|goal| goal / most), class, &text);
    *y += ROW;
}

/// A figure with an upper limit: the line stands at two thirds, so that a missed limit shows.
fn limited(rows: &mut String, y: &mut f64, figure: &Figure) {
    const LIMIT_AT: f64 = 2.0 / 3.0;
    let class = if figure.is_reached() == Some(false) { "miss" } else { "ours" };
    let text = figure.measured.as_ref().map_or_else(
        || "not measured".to_owned(),
        |measured| format!("{} {}", number(measured.median), figure.unit),
    );
    let label = shortened(&figure.what);
    row(rows, *y, &label, figure.share().unwrap_or(0.0) * LIMIT_AT, Some(LIMIT_AT), class, &text);
    *y += ROW;
}

/// What fits before the bars.
fn shortened(what: &str) -> String {
    match what.split_once(" conversations: ") {
        Some((_, rest)) => rest.to_owned(),
        None => what.replace(" messages a second", "/s").replace("acknowledgement", "ack"),
    }
}

fn row(rows: &mut String, y: f64, label: &str, share: f64, goal: Option<f64>, class: &str, text: &str) {
    let width = share.clamp(0.0, 1.0) * BARS;
    let top = y - 13.0;
    let _ = writeln!(rows, "<text x=\"8\" y=\"{y:.0}\">{label}</text>");
    let _ = writeln!(
        rows,
        "<rect class=\"{class}\" x=\"{LABELS}\" y=\"{top:.0}\" width=\"{width:.1}\" height=\"17\" rx=\"2\"/>"
    );
    let mut end = width;
    if let Some(goal) = goal {
        let x = LABELS + goal.clamp(0.0, 1.0) * BARS;
        let (from, to) = (top - 2.0, top + 19.0);
        let _ = writeln!(
            rows,
            "<line class=\"goal\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{from:.0}\" y2=\"{to:.0}\"/>"
        );
        end = end.max(x - LABELS);
    }
    let x = LABELS + end + 8.0;
    let _ = writeln!(rows, "<text class=\"faint\" x=\"{x:.1}\" y=\"{y:.0}\">{text}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_of_nothing_is_still_a_chart() {
        let svg = draw(&Results::default());
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("not measured").count(), 4 + 15);
    }
}
