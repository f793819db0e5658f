//! The report page of many runs.

use fedsim_record::{RunRow, Verdict};
use maud::{Markup, html};

use super::{Pooled, SeedFailure, SeedsSummary};
use crate::ReportError;
use crate::chart::{Axis, Chart, Curves, Line, Mark};
use crate::number::{count, measured};
use crate::page::{document, expectations, figures};
use crate::picture::{Picture, drawn};
use crate::statistics::{Observation, distribution};
use crate::verdict::verdict_sign;

/// Draws the distribution of each metric over the runs. Metrics that are the same in every run
/// have none worth drawing.
pub(super) fn pictures(
    rows: &[RunRow],
    summary: &SeedsSummary,
) -> Result<Vec<Picture>, ReportError> {
    let spread = summary
        .metrics
        .iter()
        .filter(|(_, pooled)| pooled.min < pooled.max);
    let charts = spread
        .map(|(name, pooled)| chart(rows, name, pooled))
        .collect();
    drawn(charts, &[])
}

fn chart(rows: &[RunRow], name: &str, pooled: &Pooled) -> Chart {
    let observations: Vec<Observation> = rows
        .iter()
        .filter_map(|row| row.metrics.get(name))
        .map(|value| Observation {
            value: *value,
            censored: false,
        })
        .collect();
    let mut points: Vec<(f64, f64)> = distribution(&observations)
        .into_iter()
        .skip(1)
        .map(|(value, share)| (value, share * 100.0))
        .collect();
    points.insert(0, (pooled.min, 0.0));
    let margin = (pooled.max - pooled.min) * 0.05;
    let axis = Axis {
        from: pooled.min - margin,
        to: pooled.max + margin,
        ..Axis::from_zero(name, [pooled.max].into_iter())
    };
    Chart {
        name: format!(
            "metric-{}",
            name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
        ),
        title: name.to_owned(),
        caption: format!(
            "Share of the {} runs whose {name} is at or below a value.",
            pooled.runs
        ),
        panels: vec![
            Curves {
                x: axis,
                y: Axis::percent("share of runs at or below (%)"),
                lines: vec![Line {
                    label: String::new(),
                    points,
                    mark: Mark::Steps,
                }],
                over_time: false,
            }
            .into(),
        ],
    }
}

/// The page with its pictures.
pub(super) fn page(summary: &SeedsSummary, pictures: &[Picture], scenario: &str) -> String {
    let title = format!("{} over {} seeds", summary.scenario, summary.seeds);
    let body = html! {
        (head(summary))
        (failures(&summary.failures))
        (expectations(&summary.expectations))
        (metrics(summary))
        (figures(pictures))
        section {
            h2 { "Scenario" }
            pre { code { (scenario) } }
        }
        footer {
            p {
                "fedsim " (summary.version) ", commit " (summary.commit) ". Beside this page: "
                a href=(fedsim_record::RUNS_FILE) { (fedsim_record::RUNS_FILE) }
                " with a row a seed, and the pooled rows of each subject."
            }
        }
    };
    document(&title, &body)
}

fn head(summary: &SeedsSummary) -> Markup {
    let verdict = summary.verdict();
    html! {
        header class=(verdict.word()) {
            div.kind { "fedsim report over seeds" }
            h1 { (summary.scenario) ", " (count(summary.seeds)) " seeds" }
            p.claim { (summary.claim) }
            div.verdict {
                strong { (verdict_sign(verdict)) " " (verdict.word()) }
                (count(summary.passed)) " passed, " (summary.failed.len()) " violated, "
                (summary.unknown.len()) " unknown."
            }
        }
    }
}

fn failures(failures: &[SeedFailure]) -> Markup {
    html! {
        @if !failures.is_empty() {
            section {
                h2 { "Seeds that did not pass" }
                table.sortable {
                    thead { tr { th.number { "Seed" } th { "Verdict" } th { "Why" } th { "Replay" } } }
                    tbody { @for failure in failures { (failure_row(failure)) } }
                }
            }
        }
    }
}

fn failure_row(failure: &SeedFailure) -> Markup {
    let class = match failure.verdict {
        Verdict::Passed => "state good",
        Verdict::Violated => "state bad",
        Verdict::Unknown => "state open",
    };
    html! {
        tr {
            td.number { (failure.seed) }
            td class=(class) { (verdict_sign(failure.verdict)) " " (failure.verdict.word()) }
            td { (failure.why) }
            td { code { (failure.replay) } }
        }
    }
}

fn metrics(summary: &SeedsSummary) -> Markup {
    let names = [
        "Runs", "Mean", "± 95 %", "p5", "Median", "p95", "p99", "Min", "Max",
    ];
    html! {
        @if !summary.metrics.is_empty() {
            section {
                h2 { "Metrics over runs" }
                table.sortable {
                    thead { tr { th { "Metric" } @for name in names { th.number { (name) } } } }
                    tbody { @for (name, pooled) in &summary.metrics { (metric_row(name, pooled)) } }
                }
            }
        }
    }
}

fn metric_row(name: &str, pooled: &Pooled) -> Markup {
    let cells = [
        Some(pooled.runs as f64),
        Some(pooled.mean),
        pooled.mean_error_95,
        Some(pooled.p5),
        Some(pooled.median),
        Some(pooled.p95),
        Some(pooled.p99),
        Some(pooled.min),
        Some(pooled.max),
    ];
    html! {
        tr {
            td { code { (name) } }
            @for cell in cells {
                @match cell {
                    Some(value) => td.number data-value=(value) { (measured(value)) },
                    None => td.number { "–" },
                }
            }
        }
    }
}
