//! How long a protocol's steps take: decisions, and the phases on the way to them.

use fedsim_record::{RunRecord, StepRow};

use super::durations::{distribution_panel, in_words, spread_axis};
use super::{end_s, grouped};
use crate::chart::{Axis, Chart, Curves, Line, Mark};
use crate::statistics::{Observation, quantile};

/// The steps that decide.
const DECISIONS: [&str; 2] = ["commit", "decision"];

/// Spans of the run over which a median is taken.
const SPANS: usize = 60;

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let steps = grouped(&record.tables.steps, |row| &row.step);
    let (decisions, phases): (Vec<_>, Vec<_>) = steps
        .into_iter()
        .partition(|(step, _)| DECISIONS.contains(step));
    let mut charts: Vec<Chart> = Vec::new();
    for (step, rows) in &decisions {
        charts.push(distribution(step, rows));
        charts.push(over_time(record, step, rows));
    }
    charts.extend(phase_chart(&phases));
    charts
}

/// The durations of steps.
fn observations(rows: &[&StepRow]) -> Vec<Observation> {
    let observed = |row: &&StepRow| Observation {
        value: row.duration_ms.as_f64(),
        censored: false,
    };
    rows.iter().map(observed).collect()
}

fn title(step: &str) -> String {
    let mut title = format!("{step} latency");
    title[..1].make_ascii_uppercase();
    title
}

fn distribution(step: &str, rows: &[&StepRow]) -> Chart {
    let observations = observations(rows);
    Chart {
        name: format!("{step}-latency"),
        title: title(step),
        caption: format!(
            "Time from a proposal to the first peer that knows it decided: {}.",
            in_words(&observations)
        ),
        panels: vec![distribution_panel(
            "latency",
            &[(String::new(), observations)],
        )],
    }
}

fn over_time(record: &RunRecord, step: &str, rows: &[&StepRow]) -> Chart {
    let point = |row: &&StepRow| (row.at_s.as_f64(), row.duration_ms.as_f64());
    let points: Vec<(f64, f64)> = rows.iter().map(point).collect();
    let medians = medians(&points, end_s(record));
    let values: Vec<f64> = points.iter().map(|point| point.1).collect();
    Chart {
        name: format!("{step}-latency-over-time"),
        title: format!("{} over time", title(step)),
        caption: "Each decision at the time it was made, and the median of each sixtieth of the \
                  run; where no dot is, nothing was decided."
            .to_owned(),
        panels: vec![
            Curves {
                x: Axis::time(end_s(record)),
                y: spread_axis("latency (ms)".to_owned(), values.iter().copied()),
                lines: vec![
                    Line {
                        label: "a decision".to_owned(),
                        points,
                        mark: Mark::Dots,
                    },
                    Line {
                        label: "median".to_owned(),
                        points: medians,
                        mark: Mark::Steps,
                    },
                ],
                over_time: true,
            }
            .into(),
        ],
    }
}

/// The median of each span of the run, none where a span has nothing.
fn medians(points: &[(f64, f64)], end: f64) -> Vec<(f64, f64)> {
    let width = end / SPANS as f64;
    let mut spans: Vec<Vec<f64>> = vec![Vec::new(); SPANS];
    for (at, value) in points {
        let place = ((at / width) as usize).min(SPANS - 1);
        spans[place].push(*value);
    }
    let mut line = Vec::new();
    for (place, span) in spans.iter_mut().enumerate() {
        span.sort_by(f64::total_cmp);
        let median = quantile(span, 0.5).unwrap_or(f64::NAN);
        let from = place as f64 * width;
        line.extend([(from, median), (from + width, median)]);
    }
    line
}

fn phase_chart(phases: &[(&str, Vec<&StepRow>)]) -> Option<Chart> {
    let sets: Vec<(String, Vec<Observation>)> = phases
        .iter()
        .map(|(phase, rows)| {
            let name = phase.strip_prefix("phase/").unwrap_or(phase);
            (name.to_owned(), observations(rows))
        })
        .collect();
    let words = sets
        .iter()
        .map(|(phase, observations)| format!("{phase}: {}", in_words(observations)));
    let words: Vec<String> = words.collect();
    (!sets.is_empty()).then(|| Chart {
        name: "phase-latency".to_owned(),
        title: "Latency by phase".to_owned(),
        caption: format!(
            "How long each phase of a decision takes. {}.",
            words.join("; ")
        ),
        panels: vec![distribution_panel("duration", &sets)],
    })
}
