//! Statistics of a metric over runs.

use std::collections::BTreeMap;

use fedsim_record::RunRow;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::statistics::quantile;

/// A metric over several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// Runs that have the metric.
    pub runs: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Half the width of the 95 % confidence interval of the mean (Student's t); absent for a
    /// single run, of which nothing is known about the spread.
    pub mean_error_95: Option<f64>,
    /// 5th percentile, interpolated between order statistics like all quantiles here.
    pub p5: f64,
    /// 50th percentile.
    pub median: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile. 0 in a file that lacks it; the page counts it again from the rows.
    #[serde(default)]
    pub p99: f64,
    /// 99.9th percentile. 0 in a file that lacks it, likewise.
    #[serde(default)]
    pub p999: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
}

/// Statistics of every metric that any of the runs has. The order of runs does not matter.
pub fn pooled(rows: &[RunRow]) -> BTreeMap<String, Pooled> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in rows.iter().flat_map(|row| &row.metrics) {
        values.entry(name.clone()).or_default().push(*value);
    }
    values
        .into_iter()
        .filter_map(|(name, values)| Some((name, pool(values)?)))
        .collect()
}

fn pool(mut values: Vec<f64>) -> Option<Pooled> {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let least = *values.first()?;
    // Around the least value, so that equal values have exactly that mean and no spread.
    let mean = least + values.iter().map(|value| value - least).sum::<f64>() / count;
    Some(Pooled {
        runs: values.len() as u64,
        mean,
        mean_error_95: mean_error(&values, mean),
        p5: quantile(&values, 0.05)?,
        median: quantile(&values, 0.5)?,
        p95: quantile(&values, 0.95)?,
        p99: quantile(&values, 0.99)?,
        p999: quantile(&values, 0.999)?,
        min: least,
        max: *values.last()?,
    })
}

fn mean_error(values: &[f64], mean: f64) -> Option<f64> {
    let count = values.len() as f64;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let standard_error = (squares / (count - 1.0) / count).sqrt();
    Some(student.inverse_cdf(0.975) * standard_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_a_textbook() {
        // 1 to 10: mean 5.5, standard error 0.95743, and t(9, 0.975) = 2.26216 from the tables.
        let pooled = pool((1..=10).rev().map(f64::from).collect()).unwrap();
        assert_eq!((pooled.runs, pooled.mean, pooled.median), (10, 5.5, 5.5));
        assert_eq!((pooled.p5, pooled.min, pooled.max), (1.45, 1.0, 10.0));
        let error = pooled.mean_error_95.unwrap();
        assert!((error - 2.26216 * 0.957_427).abs() < 1e-4, "{error}");
    }

    #[test]
    fn one_run_has_no_interval_and_equal_runs_have_none_to_speak_of() {
        // The variance of one run is unknown, not zero: an interval of no width would claim
        // certainty. Equal runs have a spread of exactly zero, where a naive sum of thirds has
        // rounding noise.
        assert_eq!(pool(vec![1.0 / 3.0; 7]).unwrap().mean_error_95, Some(0.0));
        let single = pool(vec![4.0]).unwrap();
        assert_eq!((single.mean, single.mean_error_95), (4.0, None));
        assert_eq!(pool(Vec::new()), None);
    }
}
