//! How knowledge spreads: share of peers that know, over time.

use fedsim_record::RunRecord;

use super::{end_s, grouped};
use crate::chart::{Axis, Chart, Curves, Line, Mark};

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let subjects = grouped(&record.tables.convergence, |row| &row.subject);
    if subjects.is_empty() {
        return Vec::new();
    }
    let lines = subjects
        .into_iter()
        .map(|(subject, rows)| Line {
            label: subject.to_owned(),
            points: rows
                .into_iter()
                .map(|row| (row.at_s.as_f64(), row.share * 100.0))
                .collect(),
            mark: Mark::Straight,
        })
        .collect();
    vec![Chart {
        name: "convergence".to_owned(),
        title: "Convergence".to_owned(),
        caption: "How many of the peers that are up know each thing; a curve that reaches \
                  100 % has converged."
            .to_owned(),
        panels: vec![
            Curves {
                x: Axis::time(end_s(record)),
                y: Axis::percent("peers that know (%)"),
                lines,
                over_time: true,
            }
            .into(),
        ],
    }]
}
