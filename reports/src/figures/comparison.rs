//! Distributions of one measure in several experiments, on top of each other.

use super::durations::{distribution_panel, in_words};
use crate::chart::Chart;
use crate::error::ReportError;
use crate::picture::{Picture, drawn};
use crate::statistics::Observation;

/// Draws the distribution curve of each named set of durations in milliseconds; `what` is measured.
///
/// # Errors
/// [`ReportError::Draw`], which is a fault of ours.
pub fn comparison(
    name: &str,
    what: &str,
    sets: &[(String, Vec<f64>)],
) -> Result<Picture, ReportError> {
    let observed = |values: &Vec<f64>| {
        let observe = |value: &f64| Observation {
            value: *value,
            censored: false,
        };
        values.iter().map(observe).collect::<Vec<_>>()
    };
    let sets: Vec<_> = sets
        .iter()
        .map(|(name, values)| (name.clone(), observed(values)))
        .collect();
    let words = sets
        .iter()
        .map(|(name, observations)| format!("{name}: {}", in_words(observations)));
    let chart = Chart {
        name: name.to_owned(),
        title: what.to_owned(),
        caption: words.collect::<Vec<_>>().join("; "),
        panels: vec![distribution_panel(what, &sets)],
    };
    Ok(drawn(vec![chart], &[])?.remove(0))
}
