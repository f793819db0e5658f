//! What each peer has to carry: messages and bytes a second, over time.

use fedsim_record::{LoadRow, RunRecord};

use super::end_s;
use crate::chart::{Axis, Chart, Line, Mark, Panel};

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let rows = &record.tables.load;
    if rows.is_empty() {
        return Vec::new();
    }
    let panel = |label: &str, mean: fn(&LoadRow) -> f64, most: fn(&LoadRow) -> u64| {
        let lines = vec![
            line(rows, "mean over peers", mean),
            line(rows, "busiest peer", |row| most(row) as f64),
        ];
        let values = lines
            .iter()
            .flat_map(|line| &line.points)
            .map(|point| point.1);
        Panel {
            x: Axis::time(end_s(record)),
            y: Axis::from_zero(label, values),
            lines,
            over_time: true,
        }
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

/// Rates as steps, one for each interval, up to the end of the last.
fn line(rows: &[LoadRow], label: &str, value: impl Fn(&LoadRow) -> f64) -> Line {
    let rate = |row: &LoadRow| {
        let seconds = row.to_s.as_f64() - row.from_s.as_f64();
        value(row) / if seconds > 0.0 { seconds } else { 1.0 }
    };
    let starts = rows.iter().map(|row| (row.from_s.as_f64(), rate(row)));
    let end = rows.last().map(|row| (row.to_s.as_f64(), rate(row)));
    Line {
        label: label.to_owned(),
        points: starts.chain(end).collect(),
        mark: Mark::Steps,
    }
}
