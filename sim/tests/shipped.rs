//! Every family of shipped scenarios runs, judges and records.

use fedsim_record::{Tables, Verdict};
use fedsim_scenarios::library;

use fedsim_sim::runner::{invariant_names, metric_names};

use super::support::{run, shipped, told};

/// Sizes at which one run takes well under a second; claims about size are for the full ones.
fn smaller(name: &str) -> &'static [&'static str] {
    match name {
        "gossip/rumor-100k" => &[
            "peers.count=3000",
            "expect.rumor_rounds_mean={at_least=5,at_most=16}",
        ],
        "federation/two-hundred-peers" => &[
            "duration=90s",
            "workload.errands.0.until=70s",
            "workload.errands.1.until=70s",
            "expect.actions_done={at_least=500}",
            "expect.decisions={at_least=1}",
        ],
        _ => &[],
    }
}

#[test]
fn every_shipped_scenario_keeps_its_claim() {
    // The files are claims; one that does not pass documents something untrue.
    let mut missed = Vec::new();
    for entry in library::list() {
        let scenario = shipped(&entry.name, smaller(&entry.name));
        let record = run(&scenario);
        let rows = |tables: &Tables| tables.files().len();
        assert!(
            rows(&record.tables) >= 4,
            "{}: hardly anything was recorded",
            entry.name
        );
        if record.summary.verdict != Verdict::Passed {
            missed.push(told(&record));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_metric_and_invariant_that_a_run_reports_is_known_before() {
    // Names under [expect] are checked before anything runs; a name missing there is refused.
    for entry in library::list() {
        let scenario = shipped(&entry.name, smaller(&entry.name));
        let (metrics, invariants) = (metric_names(&scenario), invariant_names(&scenario));
        let expected = scenario
            .expect
            .metrics
            .iter()
            .chain(scenario.expect.pooled.all());
        for wanted in expected {
            assert!(
                metrics.contains(&wanted.metric),
                "{}: {}",
                entry.name,
                wanted.metric
            );
        }
        let summary = run(&scenario).summary;
        for name in summary.metrics.keys() {
            assert!(metrics.contains(name), "{}: {name}", entry.name);
        }
        for found in &summary.invariants {
            assert!(invariants.contains(&found.name.as_str()), "{}", found.name);
        }
    }
}
