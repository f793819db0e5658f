//! Storms over whole federations: organisations, layers, work, faults and attackers drawn from a seed,
//! and nothing that must hold is violated.

mod drawn;

use fedsim_record::{Holds, Invariant, RunRecord};

use super::support::{asked_for, run, scenario};

/// How a storm ended.
struct Ended {
    /// What was violated, and when.
    violated: Vec<String>,
    /// What attackers did, what was done and what was decided.
    counts: [f64; 3],
}

impl Ended {
    fn of(record: &RunRecord) -> Self {
        let invariants = record.summary.invariants.iter();
        let violated = invariants.filter(|it| it.holds == Holds::Violated);
        let metric = |name| record.summary.metrics.get(name).copied().unwrap_or(0.0);
        Self {
            violated: violated.map(told).collect(),
            counts: ["adversary_deeds", "actions_done", "decisions"].map(metric),
        }
    }

    fn broken(why: &str) -> Self {
        Self {
            violated: vec![why.to_owned()],
            counts: [1.0; 3],
        }
    }
}

fn told(invariant: &Invariant) -> String {
    let violation = invariant.first_violation.as_ref();
    let what = violation.map(|it| format!("{:?} {:?}: {}", it.at_s, it.peers, it.message));
    format!("{}: {}", invariant.name, what.unwrap_or_default())
}

fn storm(text: &str) -> Ended {
    let ended = std::panic::catch_unwind(|| Ended::of(&run(&scenario(text))));
    ended.unwrap_or_else(|_| Ended::broken("a panic"))
}

/// Seeds of storms that got through once.
const ONCE: [u64; 5] = [199, 209, 566, 1169, 2682];

/// `FEDSIM_FEDERATION_SEEDS` storms or a few, from `FEDSIM_FEDERATION_FROM` on.
#[test]
fn nothing_gets_through_all_layers() {
    // Attackers must really have acted in nearly every storm, and honest peers must have got something
    // done and decided in all of them together.
    let seeds = asked_for("FEDSIM_FEDERATION_SEEDS", 3);
    let from = asked_for("FEDSIM_FEDERATION_FROM", 1);
    let mut failed = Vec::new();
    let (mut done, mut decided, mut idle) = (0.0, 0.0, 0);
    for seed in (from..from + seeds).chain(ONCE) {
        let text = drawn::federation(seed);
        let ended = storm(&text);
        idle += u64::from(ended.counts[0] == 0.0);
        done += ended.counts[1];
        decided += ended.counts[2];
        if !ended.violated.is_empty() {
            let violated = ended.violated.join("\n");
            failed.push(format!("seed {seed}: {violated}\n{text}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(
        idle * 20 <= seeds,
        "nobody attacks in {idle} of {seeds} storms"
    );
    assert!(done > 0.0 && decided > 0.0, "nothing gets done");
}
