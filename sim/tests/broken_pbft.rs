//! PBFT with one mistake each falls to an adversary that PBFT as published withstands.

use std::sync::Arc;

use fedsim_protocols::pbft::mutants::{DigestIgnored, QuorumOfTwoThirds, StateUnchecked};
use fedsim_protocols::pbft::{Paper, Rules};
use fedsim_record::Holds;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::ProtocolSpec;
use fedsim_sim::checkers::pbft::PbftWatch;
use fedsim_sim::runner::{PbftCast, run_cast};

use super::support::{options, scenario};

/// A group under attack.
#[derive(Clone, Copy)]
struct Attack {
    name: &'static str,
    replicas: u32,
    /// The adversaries and faults.
    rest: &'static str,
}

const fn attack(name: &'static str, replicas: u32, rest: &'static str) -> Attack {
    Attack {
        name,
        replicas,
        rest,
    }
}

const EQUIVOCATION_4: Attack = attack("equivocating primary", 4, EQUIVOCATING);
const EQUIVOCATION_5: Attack = attack("equivocating primary", 5, EQUIVOCATING);
const EQUIVOCATION_6: Attack = attack("equivocating primary", 6, EQUIVOCATING);
const EQUIVOCATING: &str = "[[adversaries]]\nwho = \"peer-1\"\nwhat = [\"equivocating-primary\"]\n";
const PLOT_8: Attack = attack("equivocating primary and accomplice", 8, PLOT);
const PLOT_9: Attack = attack("equivocating primary and accomplice", 9, PLOT);
const PLOT: &str = "[[adversaries]]\nwho = \"peer-1\"\ncabal = \"plot\"\nwhat = [\"equivocating-primary\"]\n\
    [[adversaries]]\nwho = \"peer-2\"\ncabal = \"plot\"\nwhat = [\"vote-for-both\"]\n";
const STATE: Attack = attack(
    "lying state transfer",
    4,
    "[[adversaries]]\nwho = \"peer-1\"\nwhat = [\"lying-state-transfer\"]\n\
     [[faults]]\nat = \"5s\"\nfor = \"15s\"\ncrash = \"peer-4\"\n",
);
impl Attack {
    fn scenario(self, seed: u64) -> Scenario {
        let Self { replicas, rest, .. } = self;
        let mut scenario = scenario(&format!(
            r#"
name = "test/attack"
claim = "An attack."
duration = "60s"
signatures = "ideal"
[peers]
count = {replicas}
[clients]
count = 2
[network]
latency = {{ uniform = ["10ms", "50ms"] }}
[workload.requests]
loop = {{ closed = {{ in_flight = 1, think = "100ms" }} }}
mix = {{ read = 1, write = 2, cas = 1, append = 2 }}
keys = 2
[pbft]
checkpoint_interval = 8
window = 16
max_timeout = "8s"
{rest}"#
        ));
        scenario.seed = seed;
        scenario
    }
}

/// The names of the invariants that did not hold in a group with rules `R`.
fn violated<R: Rules>(scenario: &Scenario) -> Vec<String> {
    let [ProtocolSpec::Pbft(spec)] = scenario.protocols.as_slice() else {
        panic!("an attack is on PBFT");
    };
    let cast = Arc::new(PbftCast::<R>::new(scenario, spec));
    let watch = PbftWatch::new(scenario, spec);
    let record = run_cast(scenario, &cast, watch, &options()).expect("the scenario can be run");
    let broken = record.summary.invariants.into_iter();
    let broken = broken.filter(|it| it.holds == Holds::Violated);
    broken.map(|it| it.name).collect()
}

/// The mistake trips `wanted` at one of three seeds, up to which the paper trips nothing; prints
/// a row of the table of mistakes.
fn convicts<R: Rules>(mistake: &str, attack: Attack, wanted: &str) {
    for seed in 1..=3 {
        let scenario = attack.scenario(seed);
        let innocent = violated::<Paper>(&scenario);
        assert!(innocent.is_empty(), "{}: {innocent:?}", attack.name);
        let broken = violated::<R>(&scenario);
        if broken.iter().any(|name| name == wanted) {
            let Attack { name, replicas, .. } = attack;
            let broken = broken.join(", ");
            println!("| {mistake} | {name}, n = {replicas} | {seed} | {broken} |");
            return;
        }
    }
    panic!(
        "{mistake} survived: {}, n = {}",
        attack.name, attack.replicas
    );
}

#[test]
fn a_quorum_of_two_thirds_forks_where_it_is_too_small() {
    for attack in [EQUIVOCATION_5, EQUIVOCATION_6, PLOT_8, PLOT_9] {
        convicts::<QuorumOfTwoThirds>("QuorumOfTwoThirds", attack, "pbft/agreement");
    }
}

#[test]
fn votes_for_any_digest_let_an_equivocating_primary_fork_the_group() {
    convicts::<DigestIgnored>("DigestIgnored", EQUIVOCATION_4, "pbft/agreement");
}

#[test]
fn an_unproven_state_is_seen_by_the_checkpoints() {
    convicts::<StateUnchecked>("StateUnchecked", STATE, "pbft/checkpoints");
}
