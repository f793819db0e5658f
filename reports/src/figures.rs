//! The figures of a report: each a function from the record to charts.
//!
//! To add one, write a file under `figures/` and a line in [`FIGURES`]. A figure whose subject
//! is empty gives no chart. Must not know how charts are drawn.

mod convergence;
mod detection;
mod durations;
mod latency;
mod load;
mod membership;
mod messages;
mod samples;

use fedsim_record::RunRecord;

use crate::chart::Chart;

/// What draws the charts of one subject; no chart if the record has no rows of it.
type Figure = fn(&RunRecord) -> Vec<Chart>;

/// Every figure, in the order of the report.
const FIGURES: &[Figure] = &[
    convergence::charts,
    detection::charts,
    membership::charts,
    latency::charts,
    load::charts,
    messages::charts,
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
