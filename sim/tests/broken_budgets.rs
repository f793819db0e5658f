//! The invariants on budgets and on ownership against federations that keep none, and against one that
//! does.

use fedsim_protocols::federation::mutants;
use fedsim_protocols::federation::rules::{Rules, Strict};
use fedsim_record::Holds;

use super::support::{Stage, holds, run_by, scenario, shipped, told};

const WITHIN: &str = "federation/within-budget";

/// Holds the strict rules and a mutant's to the same scenario.
fn tells<R: Rules>(name: &str, set: &[&str]) {
    let scenario = shipped(name, set);
    let strict = run_by::<Strict>(&scenario);
    let held = holds(&strict, WITHIN);
    assert_ne!(held, Some(Holds::Violated), "{}", told(&strict));
    let broken = run_by::<R>(&scenario);
    let found = holds(&broken, WITHIN);
    assert_eq!(found, Some(Holds::Violated), "{}", told(&broken));
}

#[test]
fn a_race_for_one_account_is_lost_by_whoever_does_not_ask_or_sets_nothing_aside() {
    // A hundred executors at once: a check that takes nothing out of sight lets all of them pass.
    tells::<mutants::KeeperUnasked>("federation/budget-race", &[]);
    tells::<mutants::OverspendingAllowed>("federation/budget-race", &[]);
    tells::<mutants::NothingSetAside>("federation/budget-race", &[]);
}

#[test]
fn a_copied_budget_is_noticed_where_copies_are_accepted() {
    // The sum stays within the cap: what is wrong is that its owner never asked for it.
    tells::<mutants::CopiesAccepted>(
        "federation/budget-copying",
        &["duration=6s", "workload.errands.0.until=5s"],
    );
}

#[test]
fn what_is_reported_late_and_not_charged_is_noticed() {
    tells::<mutants::LateIsFree>("federation/late-commits", &[]);
}

#[test]
fn hops_that_nobody_counts_are_noticed() {
    // A ring, honest or with a liar in it that begins to count anew each time.
    tells::<mutants::HopsUnchecked>(
        "federation/delegation-ring",
        &["duration=4s", "workload.errands.0.until=1500ms"],
    );
    tells::<mutants::HopsUnchecked>(
        "federation/hop-inflation",
        &["duration=4s", "workload.errands.0.until=1500ms"],
    );
}

#[test]
fn parts_that_are_larger_than_the_whole_are_noticed() {
    // A liar asks for more than it has for each part, and the keeper is to see that.
    let liar =
        r#"adversaries=[{ at = "0s", who = "globex-1", what = ["cost-cascade"], amount = 500 }]"#;
    let set = [liar, "duration=4s", "workload.errands.0.until=1500ms"];
    tells::<mutants::ChildrenUnbounded>("federation/cost-cascade", &set);
}

/// An owner whose touches take longer than its lease.
const LATE_OWNER: Stage = Stage {
    duration: "30s",
    organisations: &[("acme", 1), ("globex", 1), ("initech", 1), ("umbrella", 1)],
    federation: "skew = \"1s\"",
    rest: r#"
[[workload.errands]]
by = "acme-*"
to = "globex-*"
kind = "hand-off"
resource = 1
rate = "1/s"
until = "5s"
[[workload.errands]]
by = "initech-*"
to = "globex-*"
kind = "hand-off"
resource = 1
rate = "1/s"
from = "8s"
[[adversaries]]
at = "0s"
who = "acme-1"
what = ["delay"]
by = "16s"
kinds = ["touch"]
"#,
    ..Stage::USUAL
};

#[test]
fn owners_whose_epoch_is_over_are_noticed_where_no_fence_holds_them_off() {
    // What an owner sends under its lease arrives when another has the next one.
    const FENCING: &str = "federation/fencing";
    let scenario = scenario(&LATE_OWNER.text());
    let strict = run_by::<Strict>(&scenario);
    let held = holds(&strict, FENCING);
    assert_eq!(held, Some(Holds::Holds), "{}", told(&strict));
    let fenced = strict.summary.metrics["touches_fenced_off"];
    assert!(fenced > 0.0, "{}", told(&strict));
    for broken in [
        run_by::<mutants::FenceOpen>(&scenario),
        run_by::<mutants::EpochsStand>(&scenario),
    ] {
        let found = holds(&broken, FENCING);
        assert_eq!(found, Some(Holds::Violated), "{}", told(&broken));
    }
}

/// An owner that is cut off while it uses what it owns, with clocks that differ, and whoever follows it.
const CUT_OWNER: Stage = Stage {
    duration: "60s",
    organisations: LATE_OWNER.organisations,
    network: r#"
latency = { uniform = ["10ms", "40ms"] }
[[network.clocks]]
peers = "acme-1"
offset = "-1s"
"#,
    federation: "skew = \"1s\"\nrenew_leases = true",
    rest: r#"
[[workload.errands]]
by = "acme-1"
to = "globex-*"
kind = "hand-off"
resource = 1
rate = "1/s"
until = "5s"
[[workload.errands]]
by = "initech-*"
to = "globex-*"
kind = "hand-off"
resource = 1
rate = "1/s"
from = "20s"
[[faults]]
at = "18s"
for = "30s"
partition = { sides = [["acme-1"], ["globex-*", "initech-*", "umbrella-*"]] }
"#,
};

#[test]
fn an_owner_that_is_cut_off_stops_before_another_begins() {
    const ONE_OWNER: &str = "federation/one-owner";
    let scenario = scenario(&CUT_OWNER.text());
    let strict = run_by::<Strict>(&scenario);
    assert_eq!(
        holds(&strict, ONE_OWNER),
        Some(Holds::Holds),
        "{}",
        told(&strict)
    );
    assert_eq!(
        strict.summary.metrics["leases_granted"],
        2.0,
        "{}",
        told(&strict)
    );
    for broken in [
        run_by::<mutants::HoldersOverrun>(&scenario),
        run_by::<mutants::LeasesIgnored>(&scenario),
    ] {
        let found = holds(&broken, ONE_OWNER);
        assert_eq!(found, Some(Holds::Violated), "{}", told(&broken));
    }
}
