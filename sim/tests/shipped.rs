//! Every family of shipped scenarios runs, judges and records.

use fedsim_record::{Tables, Verdict};
use fedsim_scenarios::library;

use super::support::{run, shipped, told};

/// Sizes at which one run takes well under a second; claims about size are for the full ones.
fn smaller(name: &str) -> &'static [&'static str] {
    match name {
        "gossip/rumor-100k" => &[
            "peers.count=3000",
            "expect.rumor_rounds_mean={at_least=5,at_most=16}",
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
