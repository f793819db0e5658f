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
fn quorum<R: Rules>(federation: &'static str) -> Option<Holds> {
    let stage = Stage { federation, ..HALF };
    let record = run_by::<R>(&scenario(&stage.text()));
    let decided = record.summary.metrics["decisions"];
    let found = holds(&record, "federation/quorum");
    let is_real = decided > 0.0 || found == Some(Holds::Violated);
    assert!(is_real, "{}", told(&record));
    found
}

#[test]
fn decisions_without_a_quorum_are_noticed() {
    // Half the votes; the votes of those who are away, unsigned; one vote twice; no votes at all.
    assert_eq!(quorum::<Strict>(""), Some(Holds::Holds));
    let found = [
        ("HalfDecides", quorum::<mutants::HalfDecides>("")),
        ("BallotsUnsigned", quorum::<mutants::BallotsUnsigned>("")),
        ("StrangersVote", quorum::<mutants::StrangersVote>("")),
        ("VotesRepeat", quorum::<mutants::VotesRepeat>("")),
        ("NothingDecided", quorum::<mutants::NothingDecided>("")),
    ];
    let missed = found.iter().filter(|(_, it)| *it != Some(Holds::Violated));
    let missed: Vec<&str> = missed.map(|(name, _)| *name).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_session_proves_who_speaks_and_not_that_it_is_true() {
    // Whoever lies in a council does so as well in sessions of its own.
    const MUTUAL: &str = "transport = \"mutual\"";
    assert_eq!(quorum::<Strict>(MUTUAL), Some(Holds::Holds));
    let unsigned = quorum::<mutants::BallotsUnsigned>(MUTUAL);
    assert_eq!(unsigned, Some(Holds::Violated));
    let repeated = quorum::<mutants::VotesRepeat>(MUTUAL);
    assert_eq!(repeated, Some(Holds::Violated));
}
