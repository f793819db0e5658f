//! How fast federated actions are done, and a large federation for an hour of virtual time.
//!
//! One thread. An action has 512 bytes of payload, two signatures, that of its source and that of its
//! receipt, and a chain of one grant, that of a third organisation; it is sanitised, judged by every
//! check, remembered, done and answered. Everything is on that a real run has but checkers.

use std::sync::Arc;

use borsh::BorshSerialize;

use crate::common::figures::{Figures, Reach, Wanted};
use crate::common::{median, timed, turns};
use fedsim_protocols::stack::{StackEvent, StackPeer};
use fedsim_protocols::{KeyScheme, Keys, SecretSeed, Signable, fold_struct};
use fedsim_scenarios::spec::{ProtocolSpec, Signatures};
use fedsim_scenarios::{Document, Folder, Scenario};
use fedsim_sim::engine::{Happened, Notice, Observer, Options, World};
use fedsim_sim::runner::FederationCast;

const ACTIONS: &str = r#"
name = "bench"
claim = "it is fast"
duration = "60s"

[[orgs]]
name = "acme"
peers = 8

[[orgs]]
name = "globex"
peers = 8

[[orgs]]
name = "initech"
peers = 1

[network]
latency = { uniform = ["10ms", "100ms"] }

[federation]

[[federation.expose]]
by = "globex-*"
to = "initech-*"
capability = "send"
depth = 1

[[federation.grants]]
by = "initech-*"
to = "acme-*"
at = "globex-*"
capability = "send"

[[workload.errands]]
by = "acme-*"
to = "globex-*"
rate = "100/s"
"#;

fn scenario(signatures: Signatures) -> Scenario {
    let options = fedsim_scenarios::Options::default();
    let document = Document::read("bench.toml", ACTIONS, &Folder::new(""), &options);
    Scenario {
        signatures,
        ..document.expect("a good scenario").scenario
    }
}

/// How many actions had their effect.
struct Done(u64);

impl Observer<StackPeer> for Done {
    fn notice(&mut self, notice: &Notice<StackPeer>, _: &World<'_>) {
        if let Happened::Event(StackEvent::ActionExecuted { .. }) = &notice.what {
            self.0 += 1;
        }
    }
}

/// What one run did, and how long it took.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    actions: u64,
    signatures: u64,
    verifications: u64,
}

fn measure(scenario: &Scenario) -> Run {
    let [ProtocolSpec::Federation(spec)] = scenario.protocols.as_slice() else {
        unreachable!("BUG: a federation");
    };
    let cast: Arc<FederationCast> = Arc::new(FederationCast::new(scenario, spec));
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    let mut done = Done(0);
    let (seconds, outcome) = timed(|| cast.perform(scenario, &options, &mut done));
    let counters = outcome.expect("no peer panics").counters;
    Run {
        seconds,
        actions: done.0,
        signatures: counters.signatures,
        verifications: counters.verifications,
    }
}

/// Something to sign that is as long as an action.
#[derive(Debug, BorshSerialize)]
struct Filler {
    bytes: Vec<u8>,
}

fold_struct!(Filler { bytes });

impl Signable for Filler {
    const DOMAIN: &'static str = "fedsim/bench/v1/filler";
}

/// Seconds that one signature and one verification of an action's size take.
fn signature_costs() -> (f64, f64) {
    const COUNT: u32 = 2_000;
    let mut keys = Keys::new(KeyScheme::ed25519(), SecretSeed([7; 32]));
    let contents: Vec<Filler> = (0..COUNT)
        .map(|number| Filler {
            bytes: number.to_le_bytes().repeat(200),
        })
        .collect();
    let (signing, signed) = timed(|| {
        let signed = contents.into_iter().map(|content| keys.sign(content));
        signed.collect::<Vec<_>>()
    });
    let (verifying, all) = timed(|| signed.iter().all(|it| keys.verify(it)));
    assert!(all, "own signatures are good");
    let each = |seconds: f64| seconds / f64::from(COUNT);
    (each(signing), each(verifying))
}

/// Actions a wall second in the median run.
fn rate(signatures: Signatures) -> f64 {
    let scenario = scenario(signatures);
    let runs = turns(|| measure(&scenario));
    let rate = median(
        runs.iter()
            .map(|it| it.actions as f64 / it.seconds)
            .collect(),
    );
    let run = runs[0];
    let each = |count: u64| count as f64 / run.actions as f64;
    println!(
        "{signatures:?}: {} actions, {:.2} signatures and {:.2} verifications each",
        run.actions,
        each(run.signatures),
        each(run.verifications)
    );
    if signatures == Signatures::Ed25519 {
        let (signing, verifying) = signature_costs();
        let share = |count: u64, cost: f64| 100.0 * each(count) * cost * rate;
        println!(
            "signing takes {:.0} % of the time ({:.1} us each), verifying {:.0} % ({:.1} us each)",
            share(run.signatures, signing),
            signing * 1e6,
            share(run.verifications, verifying),
            verifying * 1e6
        );
    }
    rate
}

/// The shipped hour of 200 peers, once.
fn hour() -> f64 {
    let options = fedsim_scenarios::Options::default();
    let document = Document::open("federation/two-hundred-peers", &options);
    let run = measure(&document.expect("a shipped scenario").scenario);
    println!("200 peers, one hour: {} actions done", run.actions);
    run.seconds
}

/// Measures the figures whose name contains what was asked for.
pub(crate) fn main(wanted: Wanted<'_>, figures: &mut Figures) {
    let rows = [
        (
            "federation_actions_ed25519_per_s",
            Signatures::Ed25519,
            5_000.0,
        ),
        (
            "federation_actions_ideal_per_s",
            Signatures::Ideal,
            20_000.0,
        ),
    ];
    for (figure, signatures, reach) in rows {
        if wanted.includes(figure) {
            figures.add(figure, rate(signatures), Reach::AtLeast(reach));
        }
    }
    let figure = "federation_200_peer_hour_wall_s";
    if wanted.includes(figure) {
        figures.add(figure, hour(), Reach::AtMost(60.0));
    }
}
