//! The summary of many runs for a terminal.

use super::{Pooled, SeedsSummary};
use crate::number::measured;
use crate::text::{cut, expectation};
use crate::verdict::verdict_sign;

const FAILURES_SHOWN: usize = 10;

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
    if !summary.metrics.is_empty() {
        lines.push(String::new());
        lines.push(row(
            "",
            ["mean", "± 95 %", "p5", "median", "p95"].map(str::to_owned),
        ));
        lines.extend(
            summary
                .metrics
                .iter()
                .map(|(name, pooled)| row(name, cells(pooled))),
        );
    }
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

fn row(name: &str, cells: [String; 5]) -> String {
    let cells = cells.map(|cell| format!("{:>9}", cell.replace('\u{a0}', " ")));
    format!("{:31}{}", cut(name, 30), cells.concat())
}

fn cells(pooled: &Pooled) -> [String; 5] {
    let error = pooled.mean_error_95.map_or("–".to_owned(), measured);
    [
        measured(pooled.mean),
        error,
        measured(pooled.p5),
        measured(pooled.median),
        measured(pooled.p95),
    ]
}
