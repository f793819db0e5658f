//! `[expect.pooled]`: bounds on statistics over seeds, judged.

use std::collections::BTreeMap;

use fedsim_record::Expectation;
use fedsim_reports::Pooled;
use fedsim_scenarios::spec::{self, PooledExpect};

/// Reads one statistic of a metric.
type Statistic = fn(&Pooled) -> f64;

/// What became of each bound. A metric that no run has misses its bound.
pub(super) fn judge(wanted: &PooledExpect, metrics: &BTreeMap<String, Pooled>) -> Vec<Expectation> {
    let statistics: [(_, _, Statistic); 6] = [
        ("mean", &wanted.mean, |pooled| pooled.mean),
        ("median", &wanted.median, |pooled| pooled.median),
        ("p95", &wanted.p95, |pooled| pooled.p95),
        ("p99", &wanted.p99, |pooled| pooled.p99),
        ("p999", &wanted.p999, |pooled| pooled.p999),
        ("max", &wanted.max, |pooled| pooled.max),
    ];
    let judged = statistics.into_iter().flat_map(|(statistic, wanted, of)| {
        wanted.iter().map(move |one| {
            let pooled = metrics.get(&one.metric);
            let value = pooled.map(of);
            Expectation {
                name: format!("{statistic} {}", one.metric),
                met: value.is_some_and(|value| keeps_to(one.bound, value)),
                wanted: in_words(one.bound),
                got: match (pooled, value) {
                    (Some(pooled), Some(_)) if statistic == "mean" => mean(*pooled),
                    (Some(pooled), Some(value)) => format!("{value:.4} in {} runs", pooled.runs),
                    (None, _) | (_, None) => "no run has it".to_owned(),
                },
            }
        })
    });
    judged.collect()
}

fn keeps_to(bound: spec::Bound, value: f64) -> bool {
    match bound {
        spec::Bound::AtMost(most) => value <= most,
        spec::Bound::AtLeast(least) => value >= least,
        spec::Bound::Between(least, most) => (least..=most).contains(&value),
        spec::Bound::Equals(wanted) => value == wanted,
    }
}

fn in_words(bound: spec::Bound) -> String {
    match bound {
        spec::Bound::AtMost(most) => format!("<= {most}"),
        spec::Bound::AtLeast(least) => format!(">= {least}"),
        spec::Bound::Between(least, most) => format!("{least} to {most}"),
        spec::Bound::Equals(wanted) => format!("= {wanted}"),
    }
}

/// The mean with its 95 % interval and the number of runs behind it.
fn mean(pooled: Pooled) -> String {
    match pooled.mean_error_95 {
        None => format!("{:.4} in one run", pooled.mean),
        Some(error) => format!("{:.4} ± {error:.4} in {} runs", pooled.mean, pooled.runs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_held_to_its_bound_with_both_ends_included() {
        // One mean of 2 against each kind of bound, at the bound and just beyond it.
        let pooled = Pooled {
            runs: 9,
            mean: 2.0,
            mean_error_95: Some(0.25),
            p5: 1.0,
            median: 2.0,
            p95: 3.0,
            p99: 3.5,
            p999: 3.9,
            min: 1.0,
            max: 4.0,
        };
        let metrics = BTreeMap::from([("rounds".to_owned(), pooled)]);
        let judged = |bound| {
            let metric = "rounds".to_owned();
            let mean = vec![spec::Expectation { metric, bound }];
            let wanted = PooledExpect {
                mean,
                ..PooledExpect::default()
            };
            judge(&wanted, &metrics).remove(0)
        };
        for bound in [
            spec::Bound::AtMost(2.0),
            spec::Bound::AtLeast(2.0),
            spec::Bound::Between(2.0, 3.0),
            spec::Bound::Equals(2.0),
        ] {
            assert!(judged(bound).met, "{bound:?}");
        }
        for bound in [
            spec::Bound::AtMost(1.9),
            spec::Bound::AtLeast(2.1),
            spec::Bound::Between(2.1, 3.0),
            spec::Bound::Equals(2.1),
        ] {
            assert!(!judged(bound).met, "{bound:?}");
        }
        assert_eq!(
            judged(spec::Bound::AtMost(2.0)).got,
            "2.0000 ± 0.2500 in 9 runs"
        );
    }

    #[test]
    fn a_bound_on_what_no_run_measured_is_missed() {
        // Otherwise a scenario in which nothing happens would meet every claim.
        let bound = || spec::Expectation {
            metric: "rounds".to_owned(),
            bound: spec::Bound::AtMost(1.0),
        };
        let wanted = PooledExpect {
            mean: vec![bound()],
            p99: vec![bound()],
            ..PooledExpect::default()
        };
        let judged = judge(&wanted, &BTreeMap::new());
        assert!(judged.len() == 2 && judged.iter().all(|one| !one.met));
    }
}
