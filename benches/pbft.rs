//! How fast PBFT is ordered: decisions, messages and verifications a wall second on one thread.
//!
//! Unbatched, with eight clients that each wait for their answer, on the links of 10 to 100 ms that
//! all benchmarks share. Everything is on that a real run has but checkers.

use std::sync::Arc;

use crate::common::figures::{Figures, Reach, Wanted};
use crate::common::{median, timed, turns};
use fedsim_protocols::pbft::{PbftEvent, PbftPeer};
use fedsim_scenarios::spec::{ProtocolSpec, Signatures};
use fedsim_scenarios::{Document, Folder, Scenario};
use fedsim_sim::engine::{Happened, Notice, Observer, Options, World};
use fedsim_sim::runner::PbftCast;

fn scenario(replicas: u32, seconds: u32, signatures: Signatures) -> Scenario {
    let text = format!(
        "name = \"bench\"\nclaim = \"it is fast\"\nduration = \"{seconds}s\"\n\n\
         [peers]\ncount = {replicas}\n\n[clients]\ncount = 8\n\n\
         [network]\nlatency = {{ uniform = [\"10ms\", \"100ms\"] }}\n\n\
         [pbft]\nview_timeout = \"10s\"\nclient_timeout = \"10s\"\n\n\
         [workload.requests]\nloop = {{ closed = {{ in_flight = 1, think = \"0ms\" }} }}\n"
    );
    let options = fedsim_scenarios::Options::default();
    let document = Document::read("bench.toml", &text, &Folder::new(""), &options);
    Scenario {
        signatures,
        ..document.expect("a good scenario").scenario
    }
}

/// The highest batch that anybody executed.
struct Decisions(u64);

impl Observer<PbftPeer> for Decisions {
    fn notice(&mut self, notice: &Notice<PbftPeer>, _: &World<'_>) {
        if let Happened::Event(PbftEvent::BatchExecuted { placement }) = &notice.what {
            self.0 = self.0.max(placement.sequence.0);
        }
    }
}

/// What one wall second was good for.
#[derive(Clone, Copy)]
struct Rates {
    decisions: f64,
    messages: f64,
    signatures: f64,
    verifications: f64,
}

fn rates(scenario: &Scenario) -> Rates {
    let [ProtocolSpec::Pbft(spec)] = scenario.protocols.as_slice() else {
        unreachable!("BUG: a PBFT scenario");
    };
    let cast: Arc<PbftCast> = Arc::new(PbftCast::new(scenario, spec));
    let mut decisions = Decisions(0);
    let (seconds, outcome) = timed(|| cast.perform(scenario, &Options::default(), &mut decisions));
    let counters = outcome.expect("no replica panics").counters;
    let each = |count: u64| count as f64 / seconds;
    Rates {
        decisions: each(decisions.0),
        messages: each(counters.grand_total().sent),
        signatures: each(counters.signatures),
        verifications: each(counters.verifications),
    }
}

/// Decisions a second in the median run, all rates printed.
fn measure(replicas: u32, seconds: u32, signatures: Signatures) -> f64 {
    let scenario = scenario(replicas, seconds, signatures);
    let all = turns(|| rates(&scenario));
    let middle = |rate: fn(&Rates) -> f64| median(all.iter().map(rate).collect());
    println!(
        "n = {replicas}, {signatures:?}: {:.0} decisions/s, {:.0} messages/s, {:.0} signatures/s, \
         {:.0} verifications/s",
        middle(|it| it.decisions),
        middle(|it| it.messages),
        middle(|it| it.signatures),
        middle(|it| it.verifications),
    );
    middle(|it| it.decisions)
}

/// A figure, the size of the group, virtual seconds, how signatures are made, and what to reach.
type Row = (&'static str, u32, u32, Signatures, f64);

const ROWS: [Row; 6] = [
    ("pbft_ed25519_4_per_s", 4, 60, Signatures::Ed25519, 1_000.0),
    ("pbft_ed25519_64_per_s", 64, 3, Signatures::Ed25519, 50.0),
    ("pbft_ed25519_100_per_s", 100, 2, Signatures::Ed25519, 1.0),
    ("pbft_ideal_4_per_s", 4, 2_000, Signatures::Ideal, 60_000.0),
    ("pbft_ideal_64_per_s", 64, 20, Signatures::Ideal, 500.0),
    ("pbft_ideal_256_per_s", 256, 3, Signatures::Ideal, 20.0),
];

/// What verifying once for all receivers gains over verifying at each.
fn gain(figures: &mut Figures) {
    let once = measure(64, 1, Signatures::Ed25519);
    let each = measure(64, 1, Signatures::Ed25519PerReceiver);
    figures.add("verify_once_gain_64", once / each, Reach::AtLeast(5.0));
}

/// Measures the figures whose name contains what was asked for.
pub(crate) fn main(wanted: Wanted<'_>, figures: &mut Figures) {
    for (figure, replicas, seconds, signatures, reach) in ROWS {
        if wanted.includes(figure) {
            let rate = measure(replicas, seconds, signatures);
            figures.add(figure, rate, Reach::AtLeast(reach));
        }
    }
    if wanted.includes("verify_once_gain_64") {
        gain(figures);
    }
}
