//! What each peer has to carry: messages and bytes a second, over time.

use fedsim_record::{LoadRow, RunRecord};

use super::{STEPS, end_s, level, seconds};
use crate::chart::{Axis, Chart, Curves, Line, Mark, Panel};

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let rows = &record.tables.load;
    if rows.is_empty() {
        return Vec::new();
    }
    let panel =
        |label: &str, of_mean: fn(&LoadRow) -> f64, of_most: fn(&LoadRow) -> u64| -> Panel {
            let lines = vec![
                line(rows, "mean over peers", of_mean, mean),
                line(rows, "busiest peer", |row| of_most(row) as f64, most),
            ];
            let values = lines
                .iter()
                .flat_map(|line| &line.points)
                .map(|point| point.1);
            Curves {
                x: Axis::time(end_s(record)),
                y: Axis::from_zero(label, values),
                lines,
                over_time: true,
            }
            .into()
        };
    vec![Chart {
        name: "load".to_owned(),
        title: "Load of a peer".to_owned(),
        caption: "Messages and bytes that a peer sends in a second; the distance between mean \
                  and busiest peer shows how evenly the work is spread."
            .to_owned(),
        panels: vec![
            panel(
                "messages sent by a peer (1/s)",
                |row| row.messages_mean,
                |row| row.messages_max,
            ),
            panel(
                "bytes sent by a peer (B/s)",
                |row| row.bytes_mean,
                |row| row.bytes_max,
            ),
        ],
    }]
}

/// Rates as steps, one for each interval; where there are more than a picture shows, `fold` puts
/// the rates of neighbours together.
fn line(
    rows: &[LoadRow],
    label: &str,
    value: impl Fn(&LoadRow) -> f64,
    fold: fn(&[f64]) -> f64,
) -> Line {
    let rate = |row: &LoadRow| value(row) / seconds(row.from_s, row.to_s);
    let together = rows.len().div_ceil(STEPS).max(1);
    let steps = rows.chunks(together).map(|several| {
        let rates: Vec<f64> = several.iter().map(rate).collect();
        let last = &several[several.len() - 1];
        (several[0].from_s, last.to_s, fold(&rates))
    });
    Line {
        label: label.to_owned(),
        points: level(steps),
        mark: Mark::Steps,
    }
}

fn mean(rates: &[f64]) -> f64 {
    rates.iter().sum::<f64>() / rates.len() as f64
}

fn most(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
}
