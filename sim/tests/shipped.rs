//! Every family of shipped scenarios runs, judges and records.

use fedsim_record::{Summary, Verdict};
use fedsim_scenarios::{Scenario, library};

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

/// Peers times seconds that an unoptimised build runs at once; larger ones are run by the program.
const PEER_SECONDS: u64 = 150;

fn is_small(scenario: &Scenario) -> bool {
    let seconds = scenario.duration.as_nanos() / 1_000_000_000;
    scenario.peers.len() as u64 * seconds <= PEER_SECONDS
}

#[test]
fn small_shipped_scenarios_keep_their_claim() {
    // The files are claims; one that does not pass documents something untrue.
    let mut missed = Vec::new();
    for entry in library::list() {
        let scenario = shipped(&entry.name, smaller(&entry.name));
        expects_what_is_known(&scenario);
        if !is_small(&scenario) {
            continue;
        }
        let record = run(&scenario);
        assert!(
            record.tables.files().len() >= 4,
            "{}: hardly anything was recorded",
            entry.name
        );
        reports_what_is_known(&scenario, &record.summary);
        if record.summary.verdict != Verdict::Passed {
            missed.push(told(&record));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Names under `[expect]` are checked before anything runs; a name missing there is refused.
fn expects_what_is_known(scenario: &Scenario) {
    let metrics = metric_names(scenario);
    let expect = &scenario.expect;
    for wanted in expect.metrics.iter().chain(expect.pooled.all()) {
        let (name, metric) = (&scenario.name, &wanted.metric);
        assert!(metrics.contains(metric), "{name}: {metric}");
    }
}

/// What a run reports can be asked for under `[expect]`.
fn reports_what_is_known(scenario: &Scenario, summary: &Summary) {
    let (metrics, invariants) = (metric_names(scenario), invariant_names(scenario));
    for name in summary.metrics.keys() {
        assert!(metrics.contains(name), "{}: {name}", scenario.name);
    }
    for found in &summary.invariants {
        assert!(invariants.contains(&found.name.as_str()), "{}", found.name);
    }
}
