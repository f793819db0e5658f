//! How long client operations take: their distribution, and over time.

use fedsim_record::{LatencyRow, Outcome, RunRecord};

use super::durations::{distribution_panel, in_words, spread_axis};
use super::{end_s, grouped};
use crate::chart::{Axis, Chart, Curves, Line, Mark};
use crate::statistics::Observation;

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    match record.tables.latency.is_empty() {
        true => Vec::new(),
        false => vec![distribution_chart(record), over_time(record)],
    }
}

fn distribution_chart(record: &RunRecord) -> Chart {
    let rows = &record.tables.latency;
    let all: Vec<Observation> = rows.iter().map(Observation::from).collect();
    let sets: Vec<(String, Vec<Observation>)> = grouped(rows, |row| &row.operation)
        .into_iter()
        .map(|(operation, rows)| {
            let observations = rows.into_iter().map(Observation::from).collect();
            (operation.to_owned(), observations)
        })
        .collect();
    Chart {
        name: "request-latency".to_owned(),
        title: "Request latency".to_owned(),
        caption: format!(
            "Time from the intended send of a request to its answer; all operations: {}.",
            in_words(&all)
        ),
        panels: vec![distribution_panel("latency", &sets)],
    }
}

/// Unanswered operations are censored: their latency is at least what was seen of it.
impl From<&LatencyRow> for Observation {
    fn from(row: &LatencyRow) -> Self {
        Self {
            value: row.latency_ms.as_f64(),
            censored: row.outcome == Outcome::Unanswered,
        }
    }
}

fn over_time(record: &RunRecord) -> Chart {
    let rows = &record.tables.latency;
    let mut lines: Vec<Line> = grouped(rows, |row| &row.operation)
        .into_iter()
        .map(|(operation, rows)| {
            cloud(
                operation,
                &rows,
                |row| row.outcome == Outcome::Ok,
                Mark::Dots,
            )
        })
        .collect();
    let every: Vec<&LatencyRow> = rows.iter().collect();
    for (label, outcome) in [
        ("failed", Outcome::Failed),
        ("unanswered (at least)", Outcome::Unanswered),
    ] {
        lines.push(cloud(
            label,
            &every,
            |row| row.outcome == outcome,
            Mark::Crosses,
        ));
    }
    lines.retain(|line| !line.points.is_empty());
    let values = rows.iter().map(|row| row.latency_ms.as_f64());
    Chart {
        name: "request-latency-over-time".to_owned(),
        title: "Request latency over time".to_owned(),
        caption: "Each request at the time it was meant to be sent; what rises inside a band \
                  is the price of that fault."
            .to_owned(),
        panels: vec![
            Curves {
                x: Axis::time(end_s(record)),
                y: spread_axis("latency (ms)".to_owned(), values),
                lines,
                over_time: true,
            }
            .into(),
        ],
    }
}

fn cloud(
    label: &str,
    rows: &[&LatencyRow],
    belongs: impl Fn(&LatencyRow) -> bool,
    mark: Mark,
) -> Line {
    Line {
        label: label.to_owned(),
        points: rows
            .iter()
            .filter(|row| belongs(row))
            .map(|row| (row.invoked_s.as_f64(), row.latency_ms.as_f64()))
            .collect(),
        mark,
    }
}
