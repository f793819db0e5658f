//! How far peers trust each other, and when one was caught at an attack.

use fedsim_record::{RunRecord, SampleRow};

use super::samples::panel_and_line;
use super::{end_s, grouped};
use crate::chart::{Axis, Chart, Curves, Line, Mark, Scale};

/// The series of scores, and that of the moments at which somebody was caught.
pub(super) const PANELS: [&str; 2] = ["trust", "attacks on trust"];

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let of = |panel: &'static str| {
        let rows = record.tables.samples.iter();
        rows.filter(move |row| panel_and_line(row).0 == panel)
    };
    let scores: Vec<&SampleRow> = of(PANELS[0]).collect();
    if scores.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<Line> = grouped(&scores, |row| panel_and_line(row).1)
        .into_iter()
        .map(|(pair, rows)| line(pair, rows.into_iter().copied(), Mark::Steps))
        .collect();
    let caught = line("caught at an attack", of(PANELS[1]), Mark::Crosses);
    if !caught.points.is_empty() {
        lines.push(caught);
    }
    vec![Chart {
        name: "trust".to_owned(),
        title: "Trust".to_owned(),
        caption: "The score that one peer gives another at each evaluation, and the moments at \
                  which it caught the other at an attack: a bad signature, a threat, an answer \
                  that proves nothing."
            .to_owned(),
        panels: vec![
            Curves {
                x: Axis::time(end_s(record)),
                y: Axis {
                    label: "score".to_owned(),
                    from: 0.0,
                    to: 1.05,
                    scale: Scale::Linear,
                },
                lines,
                over_time: true,
            }
            .into(),
        ],
    }]
}

fn line<'a>(label: &str, rows: impl Iterator<Item = &'a SampleRow>, mark: Mark) -> Line {
    let mut points: Vec<(f64, f64)> = rows.map(|row| (row.at_s.as_f64(), row.value)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Line {
        label: label.to_owned(),
        points,
        mark,
    }
}
