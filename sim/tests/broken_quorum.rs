//! Councils whose ballots are badly counted trip the invariant on quorums, as published they do not.

use fedsim_protocols::federation::mutants;
use fedsim_protocols::federation::rules::{Rules, Strict};
use fedsim_record::Holds;

use super::support::{Stage, holds, run_by, scenario, told};

/// Two of four are away, and one of the others votes in everybody's name; the network says many
/// things twice.
const HALF: Stage = Stage {
    duration: "16s",
    organisations: &[("acme", 1), ("globex", 1), ("initech", 1), ("umbrella", 1)],
    network: "latency = { uniform = [\"10ms\", \"40ms\"] }\nduplicate = 0.5",
    rest: r#"
[[workload.errands]]
by = "globex-1"
to = "*"
kind = "merge"
rate = "1/s"
until = "10s"
[[faults]]
at = "3s"
for = "6s"
crash = ["initech-1", "umbrella-1"]
[[adversaries]]
who = "acme-1"
what = ["equivocating-primary", "forged-votes", "duplicate"]
kinds = ["pbft"]
amount = 2
pace = "1s"
"#,
    ..Stage::USUAL
};

/// The finding on quorums when all keep the rules `R`.
fn quorum<R: Rules>() -> Option<Holds> {
    let record = run_by::<R>(&scenario(&HALF.text()));
    let decided = record.summary.metrics["decisions"];
    assert!(decided > 0.0, "{}", told(&record));
    holds(&record, "federation/quorum")
}

#[test]
fn decisions_without_a_quorum_are_noticed() {
    // Half the votes; the votes of those who are away, unsigned; one vote twice; no votes at all.
    assert_eq!(quorum::<Strict>(), Some(Holds::Holds));
    let found = [
        ("HalfDecides", quorum::<mutants::HalfDecides>()),
        ("BallotsUnsigned", quorum::<mutants::BallotsUnsigned>()),
        ("StrangersVote", quorum::<mutants::StrangersVote>()),
        ("VotesRepeat", quorum::<mutants::VotesRepeat>()),
        ("NothingDecided", quorum::<mutants::NothingDecided>()),
    ];
    let missed = found.iter().filter(|(_, it)| *it != Some(Holds::Violated));
    let missed: Vec<&str> = missed.map(|(name, _)| *name).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
