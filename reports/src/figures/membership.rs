//! How far membership views are from the truth, over time.

use fedsim_record::{MembershipRow, RunRecord};

use super::end_s;
use crate::chart::{Axis, Chart, Curves, Line, Mark, Panel};

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let rows = &record.tables.membership;
    if rows.is_empty() {
        return Vec::new();
    }
    let time = || Axis::time(end_s(record));
    let disagreement = line(rows, "", |row| row.disagreement * 100.0);
    let mut panels = vec![
        panel(
            time(),
            "views that differ from the truth (%)",
            vec![disagreement],
        ),
        panel(
            time(),
            "members in a view (mean over views)",
            vec![
                line(rows, "alive", |row| row.alive_mean),
                line(rows, "suspect", |row| row.suspect_mean),
                line(rows, "dead", |row| row.dead_mean),
            ],
        ),
    ];
    if rows.iter().any(|row| row.false_positives > 0) {
        let false_positives = line(rows, "", |row| row.false_positives as f64);
        panels.push(panel(
            time(),
            "connected live peers held for dead (pairs)",
            vec![false_positives],
        ));
    }
    vec![Chart {
        name: "membership".to_owned(),
        title: "Membership views".to_owned(),
        caption: "Share of (observer, member) pairs that differ from the truth, and what the \
                  views list; agreement is a line on the ground."
            .to_owned(),
        panels,
    }]
}

fn line(rows: &[MembershipRow], label: &str, value: impl Fn(&MembershipRow) -> f64) -> Line {
    Line {
        label: label.to_owned(),
        points: rows
            .iter()
            .map(|row| (row.at_s.as_f64(), value(row)))
            .collect(),
        mark: Mark::Steps,
    }
}

fn panel(x: Axis, label: &str, lines: Vec<Line>) -> Panel {
    let values = lines
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.1);
    Curves {
        x,
        y: Axis::from_zero(label, values),
        lines,
        over_time: true,
    }
    .into()
}
