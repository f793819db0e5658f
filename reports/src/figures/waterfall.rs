//! The critical path: the phases of a decision or action one after the other.

use fedsim_record::{RunRecord, StepRow};

use super::grouped;
use crate::chart::{Axis, Chart, Lane, LaneState, Lanes, Panel, Piece, Tone};
use crate::number::measured;
use crate::statistics::quantile;

/// What the names of phases begin with.
const PHASE: &str = "phase/";

pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    let phases = record.tables.steps.iter();
    let phases: Vec<&StepRow> = phases.filter(|row| row.step.starts_with(PHASE)).collect();
    let phases = grouped(&phases, |row| &row.step);
    let phases: Vec<(String, f64)> = phases
        .into_iter()
        .filter_map(|(step, rows)| Some((name(step), median(&rows)?)))
        .collect();
    (phases.len() > 1)
        .then(|| chart(&phases))
        .into_iter()
        .collect()
}

fn name(step: &str) -> String {
    step.trim_start_matches(PHASE).replace('-', " ")
}

fn median(rows: &[&&StepRow]) -> Option<f64> {
    let mut values: Vec<f64> = rows.iter().map(|row| row.duration_ms.as_f64()).collect();
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

fn chart(phases: &[(String, f64)]) -> Chart {
    let total: f64 = phases.iter().map(|(_, median)| median).sum();
    let mut from = 0.0;
    let mut lanes = Vec::new();
    for (place, (label, median)) in phases.iter().enumerate() {
        let to = from + median;
        lanes.push(Lane {
            label: label.clone(),
            pieces: vec![Piece {
                from,
                to,
                state: place,
                text: String::new(),
            }],
        });
        from = to;
    }
    let state = |(place, (label, median)): (usize, &(String, f64))| LaneState {
        label: format!("{label}: {} ms", measured(*median)),
        tone: Tone::Distinct(place),
    };
    Chart {
        name: "critical-path".to_owned(),
        title: "Critical path".to_owned(),
        caption: format!(
            "The phases in their order, each as long as its median and beginning where the one \
             before ends: {} ms in all.",
            measured(total)
        ),
        panels: vec![Panel::Lanes(Lanes {
            x: Axis::from_zero("since the beginning (ms)", [total].into_iter()),
            label: "phases".to_owned(),
            states: phases.iter().enumerate().map(state).collect(),
            lanes,
            over_time: false,
        })],
    }
}
