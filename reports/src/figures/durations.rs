//! What the figures of durations share: distribution curves of which a part may be censored.

use crate::chart::{Axis, Curves, Line, Mark, Panel};
use crate::number::measured;
use crate::statistics::{Observation, distribution, quantile_of};

/// A panel with a distribution curve for each named set of durations in milliseconds.
///
/// The axis reaches as far as durations ended, so that one that was cut off late does not press
/// all others together; it is in seconds if they reach ten of them.
pub(crate) fn distribution_panel(what: &str, sets: &[(String, Vec<Observation>)]) -> Panel {
    let all = || sets.iter().flat_map(|(_, observations)| observations);
    let mut shown: Vec<f64> = ended(all()).collect();
    if shown.is_empty() {
        shown = all().map(|one| one.value).collect();
    }
    let (divisor, unit) = match shown.iter().any(|value| *value >= 10_000.0) {
        true => (1000.0, "s"),
        false => (1.0, "ms"),
    };
    let values = shown.iter().map(|value| value / divisor);
    let x = spread_axis(format!("{what} ({unit})"), values);
    let lines = sets
        .iter()
        .map(|(name, observations)| Line {
            label: name.clone(),
            points: curve(observations, divisor, x.to),
            mark: Mark::Steps,
        })
        .collect();
    Curves {
        x,
        y: Axis::percent("share at or below (%)"),
        lines,
        over_time: false,
    }
    .into()
}

/// The distribution in percent, drawn on level to the end of the axis.
fn curve(observations: &[Observation], divisor: f64, end: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = distribution(observations)
        .into_iter()
        .map(|(value, share)| (value / divisor, share * 100.0))
        .collect();
    if let Some(&(value, share)) = points.last()
        && value < end
    {
        points.push((end, share));
    }
    points
}

/// The durations that were seen to end.
fn ended<'a>(observations: impl Iterator<Item = &'a Observation>) -> impl Iterator<Item = f64> {
    observations
        .filter(|one| !one.censored)
        .map(|one| one.value)
}

/// An axis for durations: logarithmic when they differ by more than a factor of thirty.
pub(super) fn spread_axis(label: String, values: impl Iterator<Item = f64> + Clone) -> Axis {
    let positive = values.clone().filter(|value| *value > 0.0);
    let least = positive.clone().fold(f64::INFINITY, f64::min);
    match positive.fold(0.0, f64::max) > 30.0 * least {
        true => Axis::logarithmic(label, values),
        false => Axis::from_zero(label, values),
    }
}

/// Median and 99th percentile in words, and how many were censored.
pub(crate) fn in_words(observations: &[Observation]) -> String {
    let steps = distribution(observations);
    let quantile = |share| match quantile_of(&steps, share) {
        Some(value) => format!("{} ms", measured(value)),
        None => "not reached".to_owned(),
    };
    let censored = observations.iter().filter(|one| one.censored).count();
    let cut_off = match censored {
        0 => String::new(),
        _ => format!(
            ", {censored} of {} still open at the end",
            observations.len()
        ),
    };
    format!(
        "median {}, 99th percentile {}{cut_off}",
        quantile(0.5),
        quantile(0.99)
    )
}
