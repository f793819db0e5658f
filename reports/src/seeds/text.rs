//! The summary of many runs for a terminal.

use super::{Pooled, SeedsSummary};
use crate::number::measured;
use crate::text::{cut, expectation};
use crate::verdict::verdict_sign;

const FAILURES_SHOWN: usize = 10;
const LINES: usize = 21;
const METRICS_SHOWN_MIN: usize = 6;

/// The pooled metrics, and each failing seed with the line that replays it (the first ten; the
/// report has them all). At most 80 columns, but for the replay lines, which are never cut.
pub fn seeds_text(summary: &SeedsSummary) -> String {
    let verdict = summary.verdict();
    let mut lines = vec![
        format!("{}  {} seeds", summary.scenario, summary.seeds),
        cut(&summary.claim, 80),
        String::new(),
        format!(
            "{} {}: {} passed, {} violated, {} unknown",
            verdict_sign(verdict),
            verdict.word().to_uppercase(),
            summary.passed,
            summary.failed.len(),
            summary.unknown.len(),
        ),
    ];
    lines.extend(
        summary
            .expectations
            .iter()
            .map(|one| cut(&expectation(one), 80)),
    );
    let failures = 3 * summary.failures.len().min(FAILURES_SHOWN);
    let room = LINES.saturating_sub(lines.len() + failures);
    lines.extend(metrics(summary, room.max(METRICS_SHOWN_MIN)));
    for failure in summary.failures.iter().take(FAILURES_SHOWN) {
        let sign = verdict_sign(failure.verdict);
        lines.push(String::new());
        lines.push(cut(
            &format!("{sign} seed {}  {}", failure.seed, failure.why),
            100,
        ));
        lines.push(format!("  {}", failure.replay));
    }
    if summary.failures.len() > FAILURES_SHOWN {
        let more = summary.failures.len() - FAILURES_SHOWN;
        lines.push(format!("\n… and {more} more seeds in the report"));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A row a metric, those that differ between runs first; what has no room is counted.
fn metrics(summary: &SeedsSummary, room: usize) -> Vec<String> {
    if summary.metrics.is_empty() {
        return Vec::new();
    }
    let heads = ["mean", "± 95 %", "p5", "median", "p95"].map(str::to_owned);
    let mut metrics: Vec<_> = summary.metrics.iter().collect();
    metrics.sort_by_key(|(_, pooled)| pooled.min == pooled.max);
    let shown = match metrics.len() + 2 <= room {
        true => metrics.len(),
        false => room.saturating_sub(3),
    };
    let rows = metrics.iter().take(shown);
    let mut lines = vec![String::new(), row("", heads)];
    lines.extend(rows.map(|(name, pooled)| row(name, cells(pooled))));
    if shown < metrics.len() {
        let more = metrics.len() - shown;
        lines.push(format!("… and {more} more metrics in the report"));
    }
    lines
}

fn row(name: &str, cells: [String; 5]) -> String {
    let cells = cells.map(|cell| format!("{:>10}", cell.replace('\u{a0}', " ")));
    format!("{:30}{}", cut(name, 30), cells.concat())
}

fn cells(pooled: &Pooled) -> [String; 5] {
    let error = pooled.mean_error_95.map_or("–".to_owned(), cell);
    [
        cell(pooled.mean),
        error,
        cell(pooled.p5),
        cell(pooled.median),
        cell(pooled.p95),
    ]
}

/// The value in at most nine characters, so that columns stay apart.
fn cell(value: f64) -> String {
    let text = measured(value);
    match text.chars().count() {
        0..=9 => text,
        _ if value.abs() >= 1e6 => format!("{} M", measured(value / 1e6)),
        _ => format!("{value:.2e}"),
    }
}
