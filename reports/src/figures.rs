//! The figures of a report: each a function from the record to charts.
//!
//! To add one, write a file under `figures/` and a line in [`FIGURES`]. A figure whose subject
//! is empty gives no chart. Must not know how charts are drawn.

mod comparison;
mod convergence;
mod detection;
pub(crate) mod durations;
mod elections;
mod latency;
mod load;
mod membership;
mod messages;
mod samples;
mod steps;
mod timeline;
mod trust;
mod waterfall;

use fedsim_record::{RunRecord, Seconds};

pub use comparison::comparison;

use crate::chart::Chart;

/// What draws the charts of one subject; no chart if the record has no rows of it.
type Figure = fn(&RunRecord) -> Vec<Chart>;

/// Steps of a rate at most; more would be a thicket.
const STEPS: usize = 160;

/// Every figure, in the order of the report.
const FIGURES: &[Figure] = &[
    timeline::charts,
    elections::charts,
    steps::charts,
    waterfall::charts,
    convergence::charts,
    detection::charts,
    membership::charts,
    latency::charts,
    load::charts,
    messages::charts,
    trust::charts,
    samples::charts,
];

/// All charts of a run.
pub(crate) fn charts(record: &RunRecord) -> Vec<Chart> {
    FIGURES.iter().flat_map(|figure| figure(record)).collect()
}

/// The rows grouped by a name, in order of first appearance.
fn grouped<'a, R>(rows: &'a [R], name: impl Fn(&'a R) -> &'a str) -> Vec<(&'a str, Vec<&'a R>)> {
    let mut places = std::collections::BTreeMap::new();
    let mut groups: Vec<(&str, Vec<&R>)> = Vec::new();
    for row in rows {
        let place = *places.entry(name(row)).or_insert_with(|| {
            groups.push((name(row), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(row);
    }
    groups
}

/// The end of the run, in seconds: the end of every axis of virtual time.
fn end_s(record: &RunRecord) -> f64 {
    record.summary.virtual_seconds.as_f64()
}

/// The length of an interval, for rates.
fn seconds(from: Seconds, to: Seconds) -> f64 {
    match to.as_f64() - from.as_f64() {
        seconds if seconds > 0.0 => seconds,
        _ => 1.0,
    }
}

/// The points of a step function that has a value from one time to another, up to the last end.
fn level(steps: impl Iterator<Item = (Seconds, Seconds, f64)>) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    let mut end = None;
    for (from, to, value) in steps {
        points.push((from.as_f64(), value));
        end = Some((to.as_f64(), value));
    }
    points.extend(end);
    points
}
