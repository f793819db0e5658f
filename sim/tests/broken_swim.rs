//! Each checker of SWIM against a group that breaks one rule, and against SWIM as published.

use std::sync::Arc;

use fedsim_protocols::swim::{
    Alive, ClaimKind, DeadRule, Incarnation, Nickname, Published, RecordProof, Roster, Status,
    Swim, SwimConfig, SwimRules, View,
};
use fedsim_protocols::{KeyScheme, Keys, PeerId, RunKey, Signed};
use fedsim_record::{Holds, RunRecord};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{ProtocolSpec, SwimSpec};
use fedsim_sim::checkers::swim::SwimWatch;
use fedsim_sim::engine::{Cast, identity_seed};
use fedsim_sim::runner::{SwimCast, run_cast};

use super::support::{holds, options, scenario, told};

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident { $($rule:item)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        struct $name;
        impl SwimRules for $name { $($rule)* }
    )*};
}

mutants! {
    /// Draws no conclusion from silence.
    Patient {
        fn suspects_the_silent() -> bool {
            false
        }
    }
    /// Does not speak up when it is accused.
    Meek {
        fn next_incarnation(_: DeadRule, _: ClaimKind, _: Incarnation, _: Incarnation) -> Option<Incarnation> {
            None
        }
        fn refutes(_: DeadRule, _: ClaimKind, _: Incarnation, _: Incarnation) -> bool {
            false
        }
    }
    /// Lets nobody come back from the dead.
    Grim {
        fn overrides(rule: DeadRule, news: View, held: View) -> bool {
            held.status != Status::Dead && Published::overrides(rule, news, held)
        }
    }
    /// Does not care for news of those it holds for alive.
    Deaf {
        fn overrides(rule: DeadRule, news: View, held: View) -> bool {
            let is_refresh = news.status == Status::Alive && held.status == Status::Alive;
            !is_refresh && Published::overrides(rule, news, held)
        }
    }
    /// Believes every record, whoever signed it.
    Credulous {
        fn accepts_alive(_: RecordProof) -> bool {
            true
        }
    }
}

fn spec(scenario: &Scenario) -> &SwimSpec {
    let ProtocolSpec::Swim(spec) = &scenario.protocols[0] else {
        panic!("not a SWIM scenario");
    };
    spec
}

fn run<R: SwimRules>(scenario: &Scenario) -> RunRecord {
    let cast = SwimCast::<R>::new(scenario, spec(scenario));
    run_with(scenario, cast)
}

fn run_with<R: SwimRules>(scenario: &Scenario, cast: impl Cast<Machine = Swim<R>>) -> RunRecord {
    let watch = SwimWatch::new(scenario, spec(scenario));
    run_cast(scenario, &Arc::new(cast), watch, &options()).expect("the scenario can be run")
}

/// The published rules keep the invariant in this scenario, the mutant breaks it.
fn convicts<R: SwimRules>(name: &str, scenario: &Scenario) {
    let published = run::<Published>(scenario);
    assert_eq!(
        holds(&published, name),
        Some(Holds::Holds),
        "{}",
        told(&published)
    );
    convicted(name, &run::<R>(scenario));
}

/// The invariant is violated, and the violation is told with whom and what led to it.
fn convicted(name: &str, broken: &RunRecord) {
    assert_eq!(
        holds(broken, name),
        Some(Holds::Violated),
        "{}",
        told(broken)
    );
    let mut found = broken.summary.invariants.iter();
    let violation = found
        .find(|it| it.name == name)
        .and_then(|it| it.first_violation.clone());
    let violation = violation.expect("a violation is described");
    assert!(
        !violation.events.is_empty(),
        "nothing led to it: {violation:?}"
    );
}

const HEAD: &str = "name = \"test\"\nclaim = \"a checker is no decoration\"\nseed = 5\n";

#[test]
fn completeness_notices_a_group_that_suspects_nobody() {
    // 2m + 1 = 11 periods and a suspicion of 4 s have long passed at the end.
    let text = format!(
        "{HEAD}duration = \"40s\"\n[peers]\ncount = 6\n\
         [swim]\nbootstrap = \"full\"\nlocal_health = false\ndynamic_suspicion = false\n\
         [[faults]]\nlabel = \"crash\"\nat = \"5s\"\ncrash = \"peer-3\"\n"
    );
    convicts::<Patient>("swim/completeness", &scenario(&text));
}

#[test]
fn accuracy_notices_members_that_do_not_refute() {
    // Without proxies one lost ping in sixteen raises a suspicion; only refutation prevents deaths,
    // told often enough to reach everybody within the 4 s of a suspicion.
    let text = format!(
        "{HEAD}duration = \"60s\"\n[peers]\ncount = 6\n\
         [network]\nloss = \"3%\"\nlatency = {{ uniform = [\"10ms\", \"50ms\"] }}\n\
         [swim]\nbootstrap = \"full\"\nproxies = 0\nretransmit_multiplier = 12\ndynamic_suspicion = false\nlocal_health = false\n\
         [expect]\nholds = [\"swim/accuracy\"]\n"
    );
    convicts::<Meek>("swim/accuracy", &scenario(&text));
}

#[test]
fn convergence_notices_halves_that_stay_apart() {
    // After 40 s apart the halves hold each other for dead; nobody who is dead may return.
    let text = format!(
        "{HEAD}duration = \"120s\"\n[peers]\ncount = 6\n\
         [swim]\nbootstrap = \"full\"\npush_pull_interval = \"5s\"\n\
         [[faults]]\nlabel = \"split\"\nat = \"5s\"\nfor = \"40s\"\n\
         partition = {{ sides = [[\"peer-1\", \"peer-2\", \"peer-3\"], [\"peer-4\", \"peer-5\", \"peer-6\"]] }}\n\
         [expect]\nmembership_converged_s = {{ at_most = 60 }}\n"
    );
    convicts::<Grim>("swim/convergence", &scenario(&text));
}

#[test]
fn dissemination_notices_members_that_ignore_news() {
    // The restarted member speaks up as a new generation; 4 exchanges and 8 periods later all know.
    let text = format!(
        "{HEAD}duration = \"60s\"\n[peers]\ncount = 6\n\
         [swim]\nbootstrap = \"full\"\npush_pull_interval = \"2s\"\n\
         [[faults]]\nlabel = \"restart\"\nat = \"5s\"\nfor = \"500ms\"\ncrash = \"peer-3\"\n"
    );
    convicts::<Deaf>("swim/dissemination", &scenario(&text));
}

/// A group in which the first member starts with a record that its owner never signed.
struct Forgery<R> {
    group: SwimCast<R>,
    config: Arc<SwimConfig>,
    roster: Roster,
}

impl<R: SwimRules> Forgery<R> {
    fn new(scenario: &Scenario, change: impl Fn(&mut Alive)) -> Self {
        let key = RunKey::from_seed(scenario.seed);
        let keys = |peer| Keys::new(KeyScheme::ed25519(), identity_seed(key, peer));
        let record = |(slot, peer): (u32, &fedsim_scenarios::spec::PeerSpec)| {
            let (owner, nickname) = (PeerId(slot), Nickname(peer.nickname.as_str().into()));
            let mut alive = Alive {
                key: keys(owner).public(),
                address: owner,
                nickname,
                incarnation: Incarnation::FIRST,
                leaving: false,
            };
            if slot == 2 {
                change(&mut alive);
                return keys(PeerId(0)).sign(alive);
            }
            keys(owner).sign(alive)
        };
        let records: Vec<Signed<Alive>> = (0..).zip(&scenario.peers).map(record).collect();
        Self {
            group: SwimCast::new(scenario, spec(scenario)),
            config: Arc::new(spec(scenario).members.base.clone()),
            roster: Roster::new(records.into()),
        }
    }
}

impl<R: SwimRules> Cast for Forgery<R> {
    type Machine = Swim<R>;

    fn machine(&self, peer: PeerId) -> Swim<R> {
        if peer != PeerId(0) {
            return self.group.machine(peer);
        }
        let seeds = Vec::new().into();
        Swim::with_roster(
            self.config.clone(),
            peer,
            "peer-1".into(),
            seeds,
            self.roster.clone(),
        )
    }

    fn protocol(&self) -> &'static str {
        "swim"
    }
}

fn forged(name: &str, change: impl Fn(&mut Alive)) {
    let text = format!(
        "{HEAD}duration = \"20s\"\n[peers]\ncount = 6\n\
         [swim]\nbootstrap = \"full\"\npush_pull_interval = \"2s\"\n"
    );
    let scenario = scenario(&text);
    let published = run_with(&scenario, Forgery::<Published>::new(&scenario, &change));
    assert_ne!(
        holds(&published, name),
        Some(Holds::Violated),
        "{}",
        told(&published)
    );
    let broken = run_with(&scenario, Forgery::<Credulous>::new(&scenario, &change));
    convicted(name, &broken);
}

#[test]
fn ownership_notices_a_record_that_its_owner_never_signed() {
    // The first member passes on an incarnation that peer-3 never had; only the credulous take it.
    forged("swim/ownership", |alive| {
        alive.incarnation = Incarnation(Incarnation::FIRST.0 + 7);
    });
}

#[test]
fn keys_notice_a_record_for_a_slot_under_another_key() {
    // The same place under a key that nobody has; only the credulous learn it.
    forged("swim/keys", |alive| alive.key.0 = [7; 32]);
}
