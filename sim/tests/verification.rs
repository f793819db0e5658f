//! Runs are the same again and on any number of threads; a run that is not is caught.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fedsim_protocols::rumor::{
    RumorCopy, RumorEvent, RumorId, RumorMessage, RumorReply, RumorRequest, RumorTimer,
};
use fedsim_protocols::{Context, Durable, PeerId, Protocol, SimDuration};
use fedsim_sim::engine::Cast;
use fedsim_sim::runner::{self, verify_cast};

use super::support::{options, scenario, shipped};

/// One of each kind of run: a protocol or several, faults, adversaries, joins, a story.
const KINDS: [&str; 9] = [
    "gossip/one-crash",
    "gossip/churn",
    "raft/storm",
    "raft/figure-8",
    "adversary/pbft-storm",
    "adversary/pbft-twins",
    "adversary/swim-sybil",
    "federation/decided-two-tier",
    "federation/lossy-receipts",
];

#[test]
fn shipped_scenarios_of_every_kind_are_the_same_on_one_thread_and_on_two() {
    // Two digests over all events of all peers agree only if every one of them does.
    for name in KINDS {
        let scenario = shipped(name, &[]);
        let verified = runner::verify(&scenario, &options()).expect("it runs");
        let threads: Vec<usize> = verified.runs.iter().map(|run| run.threads).collect();
        // Peers of a story move one at a time: there is nothing to run side by side.
        let wanted: &[usize] = match scenario.story {
            Some(_) => &[1, 1],
            None => &[1, 1, 2],
        };
        assert_eq!(threads, wanted);
        assert!(verified.holds(), "{name}: {:?}", verified.difference);
        assert_eq!(verified.difference, None);
    }
}

/// Counts across runs, as no protocol may: at 3 s it says something else each time.
static OUTSIDE: AtomicU64 = AtomicU64::new(0);

struct Leaky;

impl Protocol for Leaky {
    type Message = RumorMessage;
    type Timer = RumorTimer;
    type Record = RumorCopy;
    type Event = RumorEvent;
    type Request = RumorRequest;
    type Reply = RumorReply;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.set_timer(RumorTimer::BeginRound, SimDuration::from_secs(3));
        if ctx.me() == PeerId(1) {
            ctx.set_timer(RumorTimer::Reconcile, SimDuration::from_secs(1));
        }
    }

    fn on_restart(&mut self, _: Durable<RumorCopy>, _: &mut Context<'_, Self>) {}
    fn on_message(&mut self, _: PeerId, _: &RumorMessage, _: &mut Context<'_, Self>) {}

    fn on_timer(&mut self, timer: RumorTimer, ctx: &mut Context<'_, Self>) {
        let rumor = RumorId {
            origin: PeerId(0),
            sequence: 0,
        };
        let payload = match (timer, ctx.me()) {
            (RumorTimer::BeginRound, PeerId(2)) => OUTSIDE.fetch_add(1, Ordering::Relaxed),
            _ => 7,
        };
        let copy = RumorCopy {
            rumor,
            payload,
            size: 0,
            age: 1,
            hops: 1,
            phase: 1,
        };
        ctx.send(PeerId(3), RumorMessage::Push { copy });
    }
}

struct LeakyCast;

impl Cast for LeakyCast {
    type Machine = Leaky;

    fn machine(&self, _: PeerId) -> Leaky {
        Leaky
    }

    fn protocol(&self) -> &'static str {
        "leaky"
    }
}

#[test]
fn the_first_event_that_differs_is_found() {
    // Only what peer-3 says at 3 s differs, so its delivery to peer-4 is the first difference, and
    // the equal events around it must not be named.
    let text = "name = \"test\"\nclaim = \"leaks are found\"\nduration = \"20s\"\n\
        [peers]\ncount = 5\n[network]\nlatency = { constant = \"10ms\" }\n[rumor]\n";
    let scenario = scenario(text);
    let verified = verify_cast(&scenario, &Arc::new(LeakyCast), &options()).expect("it runs");
    assert!(!verified.holds());
    let difference = verified.difference.expect("digests differ");
    let event = difference.event.expect("it differs every time");
    assert_eq!(
        (event.peer.as_str(), event.from.as_str()),
        ("peer-4", "peer-3")
    );
    assert_eq!(event.class, "delivery");
    assert_eq!(event.at.as_nanos(), 3_010_000_000);
    assert_ne!(event.texts[0], event.texts[1]);
}
