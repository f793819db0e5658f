//! Each checker of rumor spreading against peers that break one rule, and against the papers'.

use std::sync::Arc;

use fedsim_protocols::rumor::{
    AsPublished, Learned, Rules, RumorCopy, RumorEvent, RumorId, RumorMessage, RumorReply,
    RumorRequest, RumorTimer,
};
use fedsim_protocols::{Context, Durable, PeerId, Protocol};
use fedsim_record::{Holds, RunRecord};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::ProtocolSpec;
use fedsim_sim::checkers::rumor::RumorWatch;
use fedsim_sim::engine::Cast;
use fedsim_sim::runner::{RumorCast, run_cast};

use super::support::{holds, options, scenario, told};

macro_rules! mutants {
    ($($name:ident { $rule:item })*) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        struct $name;
        impl Rules for $name { $rule }
    )*};
}

mutants! {
    Forgetful { fn remembers_without_interest() -> bool { false } }
    Hasty { fn acts_on_news_of_this_round() -> bool { true } }
    Silent { fn spreads_what_it_received() -> bool { false } }
}

const TEXT: &str = "name = \"test\"\nclaim = \"a checker is no decoration\"\nduration = \"12s\"\n\
    [peers]\ncount = 60\n[network]\nlatency = { uniform = [\"10ms\", \"40ms\"] }\n\
    [[workload.rumors]]\nrumor = 1\nfrom = \"peer-1\"\nat = \"50ms\"\n\
    [rumor]\nmode = \"push\"\nperiod = \"200ms\"\nrounds = \"synchronous\"\n";

fn watch(scenario: &Scenario) -> RumorWatch {
    let ProtocolSpec::Rumor(settings) = &scenario.protocols[0] else {
        panic!("not a rumor scenario");
    };
    RumorWatch::new(scenario, settings)
}

fn run<R: Rules>(scenario: &Scenario) -> RunRecord {
    let ProtocolSpec::Rumor(settings) = &scenario.protocols[0] else {
        panic!("not a rumor scenario");
    };
    let cast = Arc::new(RumorCast::<R>::new(scenario, settings));
    run_cast(scenario, &cast, watch(scenario), &options()).expect("the scenario can be run")
}

fn convicts<R: Rules>(name: &str, more: &str) {
    let scenario = scenario(&format!("{TEXT}{more}"));
    let published = run::<AsPublished>(&scenario);
    assert_eq!(
        holds(&published, name),
        Some(Holds::Holds),
        "{}",
        told(&published)
    );
    let broken = run::<R>(&scenario);
    assert_eq!(
        holds(&broken, name),
        Some(Holds::Violated),
        "{}",
        told(&broken)
    );
}

#[test]
fn memory_notices_peers_that_forget_with_their_interest() {
    // With counter 1 interest is lost at the first vain contact; the rumor comes back soon after.
    convicts::<Forgetful>("rumor/memory", "loss = { counter = 1 }\n");
}

#[test]
fn one_hop_a_round_notices_peers_that_act_at_once() {
    // A copy that is passed on in the round of its arrival gains a hop and no round.
    let pulls = TEXT.replace("\"push\"", "\"push-pull\"");
    let scenario = scenario(&format!("{pulls}loss = \"never\"\nmax_rounds = 30\n"));
    let name = "rumor/one-hop-a-round";
    assert_eq!(
        holds(&run::<AsPublished>(&scenario), name),
        Some(Holds::Holds)
    );
    let broken = run::<Hasty>(&scenario);
    assert_eq!(
        holds(&broken, name),
        Some(Holds::Violated),
        "{}",
        told(&broken)
    );
}

#[test]
fn coverage_notices_peers_that_keep_rumors_to_themselves() {
    // One peer that calls one other a round for 30 rounds cannot reach 60.
    let more = "loss = \"never\"\nmax_rounds = 30\n[expect]\ncoverage = { equals = 1 }\n";
    convicts::<Silent>("rumor/coverage", more);
}

/// A peer that claims to have heard what nobody said.
struct Inventor;

impl Protocol for Inventor {
    type Message = RumorMessage;
    type Timer = RumorTimer;
    type Record = RumorCopy;
    type Event = RumorEvent;
    type Request = RumorRequest;
    type Reply = RumorReply;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        let rumor = RumorId {
            origin: PeerId(0),
            sequence: 9,
        };
        if ctx.me() == PeerId(1) {
            let learned = Learned {
                rumor,
                round: 1,
                hops: 1,
                payload: 0,
            };
            ctx.notify(RumorEvent::Learned { learned });
        }
    }

    fn on_restart(&mut self, _: Durable<RumorCopy>, _: &mut Context<'_, Self>) {}
    fn on_message(&mut self, _: PeerId, _: &RumorMessage, _: &mut Context<'_, Self>) {}
    fn on_timer(&mut self, _: RumorTimer, _: &mut Context<'_, Self>) {}
}

struct Inventors;

impl Cast for Inventors {
    type Machine = Inventor;

    fn machine(&self, _: PeerId) -> Inventor {
        Inventor
    }

    fn protocol(&self) -> &'static str {
        "rumor"
    }
}

#[test]
fn origin_notices_a_rumor_from_nowhere() {
    // Nobody was asked to tell anything, so whatever is heard was invented.
    let scenario = scenario(TEXT);
    assert_eq!(
        holds(&run::<AsPublished>(&scenario), "rumor/origin"),
        Some(Holds::Holds)
    );
    let cast = Arc::new(Inventors);
    let record = run_cast(&scenario, &cast, watch(&scenario), &options()).expect("it runs");
    assert_eq!(
        holds(&record, "rumor/origin"),
        Some(Holds::Violated),
        "{}",
        told(&record)
    );
}
