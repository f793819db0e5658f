//! Every checker sees the mistakes it is there for, and nothing in PBFT as published.
//!
//! The mistakes are overrides of single [`Rules`]; a storm of crashes, cuts and lost power is
//! repeated with other seeds until a checker objects. Nobody lies here.

use std::collections::BTreeSet;
use std::sync::Arc;

use fedsim_protocols::SimDuration;
use fedsim_protocols::pbft::mutants::*;
use fedsim_protocols::pbft::{Chosen, Paper, PbftPeer, Rules};
use fedsim_record::Holds;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::ProtocolSpec;
use fedsim_scenarios::{Document, Folder, Options as Reading};

use super::*;
use crate::checkers::Finding;
use crate::engine::{Options, run};
use crate::runner::{PbftCast, Watch};

/// `n` replicas and four clients, one storm of 50 s and calm until 130 s; `settings` end `[pbft]`.
fn storm(n: u32, settings: &str) -> Scenario {
    let text = format!(
        r#"
name = "test/storm"
claim = "A storm."
duration = "130s"
signatures = "ideal"
[peers]
count = {n}
[clients]
count = 4
[network]
latency = {{ uniform = ["10ms", "100ms"] }}
loss = "3%"
duplicate = "1%"
disk = {{ fsync_low = "1ms", fsync_high = "20ms" }}
[workload.requests]
loop = {{ closed = {{ in_flight = 1, think = "10ms" }} }}
mix = {{ read = 2, write = 2, cas = 1, append = 2 }}
keys = 4
[[faults]]
random = "5s"
from = "3s"
until = "46s"
for = "2500ms"
crash = {{ random = 1, of = "peer-*" }}
[[faults]]
random = "6s"
from = "3s"
until = "46s"
for = "4s"
partition = {{ isolate = {{ last-to-report = "primary-elected" }} }}
[[faults]]
random = "6s"
from = "3s"
until = "46s"
for = "4s"
partition = "halves"
[[faults]]
random = "9s"
from = "3s"
until = "46s"
for = "300ms"
crash = "peer-*"
[pbft]
checkpoint_interval = 8
window = 16
max_timeout = "8s"
{settings}
"#
    );
    let folder = Folder::new("");
    let document = Document::read("storm.toml", &text, &folder, &Reading::default());
    document
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .scenario
}

const PLAIN: (u32, &str) = (4, "");
/// Where 2f+1 is no quorum: two halves can be one each.
const SIX: (u32, &str) = (6, "");
const EAGER: (u32, &str) = (4, "tentative = true\nread_only = true");

/// What the checkers find in one storm over a group with rules `R`.
fn findings<R: Rules>(scenario: &Scenario) -> Vec<Finding> {
    let [ProtocolSpec::Pbft(spec)] = scenario.protocols.as_slice() else {
        panic!("a storm runs PBFT");
    };
    let cast = Arc::new(PbftCast::<Chosen>::new(scenario, spec));
    let mut watch = PbftWatch::new(scenario, spec);
    let options = Options {
        sample_every: Some(SimDuration::from_secs(1)),
        ..Options::default()
    };
    let outcome = Chosen::run_under::<R, _>(|| run(scenario, &cast, &options, &mut watch));
    let outcome = outcome.expect("no replica panics");
    watch.findings(outcome.ended_at)
}

/// The number of storms until a checker objects, and which ones: at most `most`.
fn caught<R: Rules>((n, settings): (u32, &str), most: u64) -> Option<(u64, Vec<&'static str>)> {
    let mut scenario = storm(n, settings);
    (1..=most).find_map(|seed| {
        scenario.seed = seed;
        let found = findings::<R>(&scenario).into_iter();
        let violated = found.filter(|finding| finding.holds == Holds::Violated);
        let names: Vec<&str> = violated.map(|finding| finding.name).collect();
        (!names.is_empty()).then_some((seed, names))
    })
}

/// Prints a row a mistake and gives the names of the checkers that objected.
macro_rules! each_is_caught {
    ($most:expr, [$($mistake:ident in $group:expr),* $(,)?]) => {{
        let mut objected = BTreeSet::new();
        let mut survivors = Vec::new();
        $(
            let name = stringify!($mistake);
            match caught::<$mistake>($group, $most) {
                Some((storms, by)) => {
                    println!("| {name} | {storms} | {} |", by.join(", "));
                    objected.extend(by);
                }
                None => survivors.push(name),
            }
        )*
        assert!(survivors.is_empty(), "survived {} storms: {survivors:?}", $most);
        objected
    }};
}

#[test]
fn pbft_as_published_survives_every_storm_and_the_storm_exercises_every_checker() {
    // The counterpart of the mutants: what objects to them must not object to the paper, and no
    // checker may be idle over the storms, or its silence would say nothing.
    let mut exercised = BTreeSet::new();
    for (n, settings) in [PLAIN, SIX, EAGER] {
        let mut scenario = storm(n, settings);
        for seed in 1..=5 {
            scenario.seed = seed;
            for finding in findings::<Paper>(&scenario) {
                assert_ne!(
                    finding.holds,
                    Holds::Violated,
                    "n = {n}, {settings}, seed {seed}, {}: {:?}",
                    finding.name,
                    finding.first
                );
                if finding.holds == Holds::Holds {
                    exercised.insert(finding.name);
                }
            }
        }
    }
    for name in <PbftWatch as Watch<PbftPeer>>::invariant_names() {
        assert!(exercised.contains(name), "{name} was never exercised");
    }
}

#[test]
fn mistakes_that_take_no_liar_are_caught() {
    // A checker that nothing trips is not a checker; the table says how many storms it took.
    let objected = each_is_caught!(
        24,
        [
            QuorumOfTwoThirds in SIX,
            DuplicatesCounted in PLAIN,
            GapsSkipped in PLAIN,
            ExecutedAgain in PLAIN,
            VotesForgotten in PLAIN,
            TentativeKept in EAGER,
            FirstReplyAccepted in EAGER,
            WindowUnbounded in (4, "pipeline = 100"),
        ]
    );
    for name in [
        AGREEMENT,
        ORDER,
        INTEGRITY,
        CERTIFICATES,
        CHECKPOINTS,
        VIEWS,
        REPLIES,
        LINEARIZABLE,
        MEMORY,
        LIVENESS,
    ] {
        assert!(objected.contains(name), "{name} objected to no mistake");
    }
}
