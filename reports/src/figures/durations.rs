//! What the figures of durations share: distribution curves of which a part may be censored.

use crate::chart::{Axis, Line, Mark, Panel, Scale};
use crate::number::measured;
use crate::statistics::{Observation, distribution, quantile_of};

/// A panel with a distribution curve for each named set of durations in milliseconds.
///
/// The axis is in seconds if the durations reach ten of them. `scale` logarithmic suits
/// durations that differ by more than a factor of a hundred.
pub(super) fn distribution_panel(
    what: &str,
    sets: &[(String, Vec<Observation>)],
    scale: Scale,
) -> Panel {
    let greatest = all_values(sets).fold(0.0, f64::max);
    let (divisor, unit) = match greatest >= 10_000.0 {
        true => (1000.0, "s"),
        false => (1.0, "ms"),
    };
    let label = format!("{what} ({unit})");
    let values = all_values(sets).map(|value| value / divisor);
    let x = match scale {
        Scale::Linear => Axis::from_zero(label, values),
        Scale::Logarithmic => Axis::logarithmic(label, values),
    };
    let lines = sets
        .iter()
        .map(|(name, observations)| Line {
            label: name.clone(),
            points: distribution(observations)
                .into_iter()
                .map(|(value, share)| (value / divisor, share * 100.0))
                .collect(),
            mark: Mark::Steps,
        })
        .collect();
    Panel {
        x,
        y: Axis::percent("share at or below (%)"),
        lines,
        over_time: false,
    }
}

fn all_values(sets: &[(String, Vec<Observation>)]) -> impl Iterator<Item = f64> + Clone {
    sets.iter()
        .flat_map(|(_, observations)| observations.iter().map(|one| one.value))
}

/// Median and 99th percentile in words, and how many were censored.
pub(super) fn in_words(observations: &[Observation]) -> String {
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
