//! How fast gossip runs: SWIM and rumor spreading at the sizes people ask for.

use std::sync::Arc;

use crate::common::figures::{Figures, Reach, Wanted};
use crate::common::{median, timed, turns};
use fedsim_protocols::rumor::RumorEvent;
use fedsim_protocols::{Protocol, SimDuration};
use fedsim_scenarios::spec::ProtocolSpec;
use fedsim_scenarios::{Document, Folder, Scenario};
use fedsim_sim::engine::{Happened, Notice, Observer, Options, World};
use fedsim_sim::runner::{self, RumorCast, RunOptions, SwimCast};

fn read(text: &str) -> Scenario {
    let options = fedsim_scenarios::Options::default();
    let document = Document::read("bench.toml", text, &Folder::new(""), &options);
    document.expect("a good scenario").scenario
}

fn shipped(name: &str) -> Scenario {
    let document = Document::open(name, &fedsim_scenarios::Options::default());
    document.expect("a shipped scenario").scenario
}

fn swim(members: u32, seconds: u32, more: &str) -> Scenario {
    read(&format!(
        "name = \"bench\"\nclaim = \"it is fast\"\nduration = \"{seconds}s\"\n\n\
         [peers]\ncount = {members}\n\n[swim]\n{more}"
    ))
}

fn swim_cast(scenario: &Scenario) -> Arc<SwimCast> {
    match scenario.protocols.as_slice() {
        [ProtocolSpec::Swim(spec)] => Arc::new(SwimCast::new(scenario, spec)),
        _ => unreachable!("BUG: a SWIM scenario"),
    }
}

/// SWIM with everything a user's run has: joins through a seed, checkers, recorders.
fn swim_1k() -> f64 {
    let scenario = swim(1_000, 60, "");
    let options = RunOptions {
        threads: Some(1),
        ..RunOptions::default()
    };
    let (seconds, record) = timed(|| runner::run(&scenario, &options));
    record.expect("no machine panics");
    seconds
}

/// Seconds on one thread over seconds on two, 5,000 members that know each other.
fn swim_5k_speedup() -> f64 {
    let scenario = swim(5_000, 10, "bootstrap = \"full\"\n");
    let cast = swim_cast(&scenario);
    let seconds = [1, 2].map(|threads| {
        let options = Options {
            threads,
            ..Options::default()
        };
        let (seconds, outcome) = timed(|| cast.perform(&scenario, &options, &mut ()));
        outcome.expect("no machine panics");
        seconds
    });
    seconds[0] / seconds[1]
}

/// Ends the run when everybody knows.
struct Coverage {
    missing: usize,
}

impl<P: Protocol<Event = RumorEvent>> Observer<P> for Coverage {
    fn notice(&mut self, notice: &Notice<P>, _: &World<'_>) {
        let learned = matches!(notice.what, Happened::Event(RumorEvent::Learned { .. }));
        self.missing -= usize::from(learned);
    }

    fn is_satisfied(&self) -> bool {
        self.missing == 0
    }
}

fn rumor_100k() -> f64 {
    let scenario = shipped("gossip/rumor-100k");
    let cast = match scenario.protocols.as_slice() {
        [ProtocolSpec::Rumor(settings)] => Arc::new(<RumorCast>::new(&scenario, settings)),
        _ => unreachable!("BUG: a rumor scenario"),
    };
    let mut coverage = Coverage {
        missing: scenario.peers.len(),
    };
    let (seconds, outcome) = timed(|| cast.perform(&scenario, &Options::default(), &mut coverage));
    outcome.expect("no machine panics");
    assert_eq!(coverage.missing, 0, "the rumor did not reach everybody");
    seconds
}

/// Milliseconds from the scenario to the end of the first event, the others starting later.
fn startup_1k() -> f64 {
    let mut scenario = swim(1_000, 1, "");
    scenario.peers[1..]
        .iter_mut()
        .for_each(|peer| peer.starts_at = SimDuration::from_millis(500));
    scenario.duration = SimDuration::from_nanos(1);
    let (seconds, ()) = timed(|| {
        let cast = swim_cast(&scenario);
        let outcome = cast.perform(&scenario, &Options::default(), &mut ());
        outcome.expect("no machine panics");
    });
    seconds * 1e3
}

/// A figure, how it is measured, and what it has to reach.
type Entry = (&'static str, fn() -> f64, Reach);

/// Measures the figures whose name contains what was asked for.
pub(crate) fn main(wanted: Wanted<'_>, figures: &mut Figures) {
    let entries: [Entry; 4] = [
        ("startup_1k_ms", startup_1k, Reach::AtMost(30.0)),
        ("swim_1k_60s_wall_s", swim_1k, Reach::AtMost(5.0)),
        ("swim_5k_2_threads", swim_5k_speedup, Reach::AtLeast(1.4)),
        ("rumor_100k_wall_s", rumor_100k, Reach::AtMost(5.0)),
    ];
    for (name, measure, reach) in entries {
        if wanted.includes(name) {
            figures.add(name, median(turns(measure)), reach);
        }
    }
}
