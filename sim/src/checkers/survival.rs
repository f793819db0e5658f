//! Statistics of durations of which some were cut off: nothing that was censored is dropped.

use fedsim_protocols::SimDuration;

/// Durations, each either complete or a lower bound of the true one.
#[derive(Clone, Debug, Default)]
pub struct Survival {
    /// Span and whether it was cut off.
    spans: Vec<(u64, bool)>,
}

impl Survival {
    /// Adds a duration that came to its end.
    pub fn complete(&mut self, span: SimDuration) {
        self.spans.push((span.as_nanos(), false));
    }

    /// Adds a duration of which only the beginning was seen.
    pub fn censored(&mut self, span: SimDuration) {
        self.spans.push((span.as_nanos(), true));
    }

    /// How many came to their end.
    pub fn completed(&self) -> usize {
        self.spans.len() - self.cut_off()
    }

    /// How many were cut off.
    pub fn cut_off(&self) -> usize {
        self.spans.iter().filter(|(_, censored)| *censored).count()
    }

    /// The estimate; sorts once.
    pub fn estimate(mut self) -> Estimate {
        self.spans.sort_unstable();
        let mut steps = Vec::new();
        let mut survival = 1.0;
        let mut at_risk = self.spans.len();
        for same in self.spans.chunk_by(|a, b| a.0 == b.0) {
            let ended = same.iter().filter(|(_, censored)| !censored).count();
            if ended > 0 {
                survival *= 1.0 - ended as f64 / at_risk as f64;
                steps.push((same[0].0 as f64 / 1e6, survival));
            }
            at_risk -= same.len();
        }
        let longest_ms = self.spans.last().map_or(0.0, |last| last.0 as f64 / 1e6);
        Estimate { steps, longest_ms }
    }
}

/// The product-limit estimate of a distribution of durations (Kaplan and Meier 1958).
#[derive(Clone, Debug)]
pub struct Estimate {
    /// Milliseconds and the share of durations that are longer, falling.
    steps: Vec<(f64, f64)>,
    longest_ms: f64,
}

impl Estimate {
    /// The least duration that at least `share` of all do not exceed; none if so many were cut off
    /// that it cannot be told.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let reached = |&&(_, longer): &&(f64, f64)| 1.0 - longer >= share - 1e-12;
        self.steps.iter().find(reached).map(|(at, _)| *at)
    }

    /// The mean; with durations cut off, the mean restricted to the longest observation, which is
    /// below the true one. None without a single complete duration.
    pub fn mean_ms(&self) -> Option<f64> {
        self.steps.first()?;
        let (mut area, mut from, mut height) = (0.0, 0.0, 1.0);
        for &(at, longer) in &self.steps {
            area += (at - from) * height;
            (from, height) = (at, longer);
        }
        Some(area + (self.longest_ms - from) * height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(complete: &[u64], censored: &[u64]) -> Estimate {
        let mut survival = Survival::default();
        let span = |&ms: &u64| SimDuration::from_millis(ms);
        complete.iter().for_each(|ms| survival.complete(span(ms)));
        censored.iter().for_each(|ms| survival.censored(span(ms)));
        survival.estimate()
    }

    #[test]
    fn without_censoring_it_is_the_plain_distribution() {
        // Four values: each quantile is the value itself, and the mean is the arithmetic one.
        let plain = estimate(&[10, 20, 30, 40], &[]);
        assert_eq!(plain.quantile_ms(0.5), Some(20.0));
        assert_eq!(plain.quantile_ms(0.99), Some(40.0));
        assert_eq!(plain.mean_ms(), Some(25.0));
    }

    #[test]
    fn those_who_never_finished_raise_the_estimate() {
        // By hand: at 10 a quarter ends (survival 3/4), 20 is cut off, at 30 one of two left ends
        // (3/8), 40 is cut off. Dropping the two would have said that half are done at 10.
        let cut = estimate(&[10, 30], &[20, 40]);
        assert_eq!(cut.quantile_ms(0.25), Some(10.0));
        assert_eq!(cut.quantile_ms(0.5), Some(30.0));
        assert_eq!(cut.quantile_ms(0.9), None);
        assert_eq!(cut.mean_ms(), Some(10.0 + 20.0 * 0.75 + 10.0 * 0.375));
    }
}
