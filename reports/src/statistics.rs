//! The few statistics that reports need.
//!
//! Must not know where the numbers come from.

/// One observed duration, which may have been cut off before the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observation {
    pub(crate) value: f64,
    /// Whether the true duration is longer than `value` by an unknown amount.
    pub(crate) censored: bool,
}

/// The distribution function of durations of which some are censored: (value, share at or below
/// it) at each step, from (0, 0) to the greatest observation.
///
/// The product-limit estimator (Kaplan and Meier 1958): what is censored counts among those at
/// risk until then, and neither as an end nor as absent. The last share stays below 1 when the
/// greatest observation is censored.
pub(crate) fn distribution(observations: &[Observation]) -> Vec<(f64, f64)> {
    let mut sorted = observations.to_vec();
    sorted.sort_by(|a, b| {
        a.value
            .total_cmp(&b.value)
            .then(a.censored.cmp(&b.censored))
    });
    let mut steps = vec![(0.0, 0.0)];
    let mut survival = 1.0;
    for same_value in sorted.chunk_by(|a, b| a.value == b.value) {
        let at_risk = sorted.partition_point(|other| other.value < same_value[0].value);
        let at_risk = (sorted.len() - at_risk) as f64;
        let ended = same_value.iter().filter(|one| !one.censored).count() as f64;
        if ended > 0.0 {
            survival *= 1.0 - ended / at_risk;
            steps.push((same_value[0].value, 1.0 - survival));
        }
    }
    if let Some(last) = sorted.last() {
        let reached = 1.0 - survival;
        steps.push((last.value, reached));
    }
    steps.dedup();
    steps
}

/// The least value at which a distribution function reaches `share`, if it does.
pub(crate) fn quantile_of(distribution: &[(f64, f64)], share: f64) -> Option<f64> {
    distribution
        .iter()
        .find(|(_, reached)| *reached >= share - 1e-12)
        .map(|(value, _)| *value)
}

/// The quantile of sorted numbers by linear interpolation between order statistics
/// (Hyndman and Fan 1996, type 7). `None` without numbers.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = place.ceil() as usize;
    let weight = place - below as f64;
    Some(sorted[below] + (sorted[above] - sorted[below]) * weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(value: f64) -> Observation {
        Observation {
            value,
            censored: false,
        }
    }

    fn censored(value: f64) -> Observation {
        Observation {
            value,
            censored: true,
        }
    }

    #[test]
    fn without_censoring_it_is_the_empirical_distribution() {
        // Four ends, two of them equal: the steps are the counts over four.
        let steps = distribution(&[3.0, 1.0, 2.0, 2.0].map(observed));
        let rounded: Vec<_> = steps
            .iter()
            .map(|(x, y)| (*x, (y * 1e9).round() / 1e9))
            .collect();
        assert_eq!(rounded, [(0.0, 0.0), (1.0, 0.25), (2.0, 0.75), (3.0, 1.0)]);
    }

    #[test]
    fn the_censored_count_until_they_are_cut_off() {
        // By hand: at 1, 1 of 4 ends (survival 3/4); 2 is censored; at 3, 1 of 2 ends (3/8);
        // 5 is censored, so the curve ends there at 5/8 and never reaches 1.
        let steps = distribution(&[observed(1.0), censored(2.0), observed(3.0), censored(5.0)]);
        assert_eq!(steps, [(0.0, 0.0), (1.0, 0.25), (3.0, 0.625), (5.0, 0.625)]);
        assert_eq!(quantile_of(&steps, 0.5), Some(3.0));
        assert_eq!(quantile_of(&steps, 0.99), None);
    }

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        // Type 7 on 0..=10 is the identity on deciles; a single number is its every quantile.
        let numbers: Vec<f64> = (0..=10).map(f64::from).collect();
        assert_eq!(quantile(&numbers, 0.05), Some(0.5));
        assert_eq!(quantile(&numbers, 0.5), Some(5.0));
        assert_eq!(quantile(&[4.0], 0.95), Some(4.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
