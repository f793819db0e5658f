//! Every checker sees what it is there for, and nothing in a federation of which all checks stand.

use std::collections::BTreeSet;

use fedsim_protocols::PeerId;
use fedsim_protocols::federation::mutants;
use fedsim_protocols::federation::rules::{Chosen, Rules, Strict};
use fedsim_protocols::stack::{Across, Proposal, Scope, StackPeer};
use fedsim_record::Holds;
use fedsim_scenarios::spec::ProtocolSpec;
use fedsim_scenarios::{Document, Folder, Options as Reading, Scenario};

use super::actions::{AUTHORISED, ONCE, TIMELY};
use super::decisions::{Decisions, ONE_ORDER, PROPOSED};
use super::standing::DEMOTION;
use super::{FederationWatch, WatchReport};
use crate::engine::{Options, run};
use crate::runner::{FederationCast, Watch};
use crate::time::SimTime;

/// Two organisations on a bad network; work takes longer than some errands may take.
const STAGE: &str = r#"
name = "checked"
claim = "Checkers see what they are there for"
duration = "20s"

[[orgs]]
name = "acme"
peers = 2

[[orgs]]
name = "globex"
peers = 2

[network]
loss = 0.2

[federation]
skew = "1s"
work_max = "4s"
resend_after = "500ms"
without = WITHOUT

[[federation.expose]]
by = "globex-1"
to = "acme-*"
capability = "send"

[[workload.errands]]
by = "acme-*"
to = "globex-*"
rate = "5/s"
lifetime = "2s"
"#;

/// The stage with some checks left out.
fn scenario(without: &str) -> Scenario {
    read(&STAGE.replace("WITHOUT", without))
}

fn read(text: &str) -> Scenario {
    let folder = Folder::new("");
    let document = Document::read("checked.toml", text, &folder, &Reading::default());
    document
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .scenario
}

/// What the checkers find of peers that keep the rules `R`, when some checks are left out.
fn found<R: Rules>(without: &str) -> Vec<(&'static str, Holds)> {
    judged_by::<R>(&scenario(without))
}

/// What the checkers find of peers that keep the rules `R`.
fn judged_by<R: Rules>(scenario: &Scenario) -> Vec<(&'static str, Holds)> {
    let [ProtocolSpec::Federation(spec)] = scenario.protocols.as_slice() else {
        unreachable!("the stage is a federation");
    };
    let cast = std::sync::Arc::new(FederationCast::<Chosen>::new(scenario, spec));
    let mut watch = FederationWatch::new(scenario, spec);
    let options = Options::default();
    let outcome = Chosen::run_under::<R, _>(|| run(scenario, &cast, &options, &mut watch));
    let outcome = outcome.expect("no panic");
    let mut report = WatchReport::default();
    Watch::<StackPeer<Chosen>>::finish(&mut watch, &outcome, &mut report);
    let findings = report.findings.iter();
    findings
        .map(|finding| (finding.name, finding.holds))
        .collect()
}

fn violated<R: Rules>(without: &str) -> Vec<&'static str> {
    let found = found::<R>(without).into_iter();
    let violated = found.filter(|(_, holds)| *holds == Holds::Violated);
    violated.map(|(name, _)| name).collect()
}

#[test]
fn a_check_that_is_left_out_is_missed_by_its_own_invariant_and_no_other() {
    // All checks: nothing is violated. Each left out: the invariant that it stands for, alone.
    assert_eq!(violated::<Strict>("[]"), [""; 0]);
    assert_eq!(violated::<Strict>(r#"["authorisation"]"#), [AUTHORISED]);
    assert_eq!(violated::<Strict>(r#"["replay", "execution"]"#), [ONCE]);
    assert_eq!(violated::<Strict>(r#"["freshness"]"#), [TIMELY]);
}

#[test]
fn a_rule_that_is_not_kept_is_missed_by_its_own_invariant_and_no_other() {
    // Every stage stands here, and one of them lets everything through: nobody may notice but the
    // invariant that is judged from the scenario.
    assert_eq!(violated::<mutants::GateUnasked>("[]"), [AUTHORISED]);
    assert_eq!(violated::<mutants::AllowsByDefault>("[]"), [AUTHORISED]);
}

/// Two organisations, of which one sends what is badly signed from the fifth second on.
const FALL: &str = r#"
name = "fallen"
claim = "Checkers see what they are there for"
duration = "15s"

[[orgs]]
name = "acme"
peers = 1

[[orgs]]
name = "globex"
peers = 1

[network]
latency = { constant = "10ms" }

[federation]
trust_model = "sound"

[[federation.expose]]
by = "acme-1"
to = "globex-1"
capability = "send"

[[workload.errands]]
by = "globex-1"
to = "acme-1"
rate = "20/s"

[[adversaries]]
label = "forger"
who = "globex-1"
what = ["corrupt"]
share = 0.2
at = "5s"
for = "2s"

[[faults]]
at = "0s"
disk = { peers = "*", fsync_low = "100ms", fsync_high = "200ms" }
"#;

#[test]
fn work_begun_for_a_peer_that_was_demoted_is_noticed() {
    // After the fall nothing may begin; peers that do not look at levels go on serving, and peers that
    // do not look again begin what waited for the disk.
    let fell = |found: Vec<(&'static str, Holds)>| {
        let mut found = found.into_iter().filter(|(name, _)| *name == DEMOTION);
        found.next().map(|(_, holds)| holds)
    };
    assert_eq!(fell(judged_by::<Strict>(&read(FALL))), Some(Holds::Holds));
    let blind = judged_by::<mutants::LevelsUnchecked>(&read(FALL));
    assert_eq!(fell(blind), Some(Holds::Violated));
    let hasty = judged_by::<mutants::QueueUnchecked>(&read(FALL));
    assert_eq!(fell(hasty), Some(Holds::Violated));
}

fn proposal(number: u64) -> Proposal {
    Proposal {
        proposer: PeerId(0),
        number,
        content: vec![number as u8],
    }
}

/// What is found when peers 0 and 1 decide these, of which numbers 1 and 2 were proposed.
fn judged(decided: &[(u32, u64)]) -> Vec<(&'static str, Holds)> {
    let organisations = vec!["acme".to_owned(), "globex".to_owned()];
    let mut decisions = Decisions::new(organisations, BTreeSet::new(), Across::Flat);
    let at = SimTime::ZERO;
    for number in [1, 2] {
        decisions.proposed(at, &proposal(number));
    }
    for (peer, number) in decided {
        decisions.decided(at, PeerId(*peer), Scope::Federation, &proposal(*number));
    }
    let mut report = WatchReport::default();
    decisions.finish(&mut report);
    let findings = report.findings.iter();
    findings
        .map(|finding| (finding.name, finding.holds))
        .collect()
}

#[test]
fn lists_that_differ_and_decisions_that_nobody_proposed_are_found() {
    // Equal lists, one behind the other, hold; two orders do not; nor does a number out of the air.
    let both = |order, proposed| vec![(ONE_ORDER, order), (PROPOSED, proposed)];
    let alike = judged(&[(0, 1), (0, 2), (1, 1)]);
    assert_eq!(alike, both(Holds::Holds, Holds::Holds));
    let forked = judged(&[(0, 1), (0, 2), (1, 2)]);
    assert_eq!(forked, both(Holds::Violated, Holds::Holds));
    let invented = judged(&[(0, 1), (0, 3)]);
    assert_eq!(invented, both(Holds::NeverExercised, Holds::Violated));
    assert_eq!(
        judged(&[]),
        both(Holds::NeverExercised, Holds::NeverExercised)
    );
}
