//! How fast Raft runs: commands a second, elections, the judge, and tikv's `raft` crate beside ours.
//!
//! Both decide the same commands, an append each, over links of one latency, so that no append
//! overtakes another. tikv's is stepped by a bare loop over one `BinaryHeap`; ours runs in the engine
//! with everything on that a real run has.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::common::figures::{Figures, Reach, Wanted};
use crate::common::{median, timed, turns};
use ::raft::eraftpb::Message;
use ::raft::storage::MemStorage;
use ::raft::{Config, RawNode, Ready};
use fedsim_protocols::raft::{
    Configuration, Operation, Raft, RaftConfig, RaftEvent, RaftPeer, RaftReply, RaftRequest,
};
use fedsim_protocols::{PeerId, Protocol, RequestId, SimDuration, Stream};
use fedsim_scenarios::spec::{Latency, ProtocolSpec};
use fedsim_scenarios::{Document, Folder, Scenario};
use fedsim_sim::SimTime;
use fedsim_sim::engine::{Cast, Happened, Notice, Observer, Options, Workload, World, run};
use fedsim_sim::judge::generate::{Settings, generate};
use fedsim_sim::judge::{Budget, Model, Verdict, judge};
use fedsim_sim::runner::RaftCast;

const LATENCY: SimDuration = SimDuration::from_millis(20);
/// Proposals that the leader has open at any time.
const IN_FLIGHT: u32 = 16;
/// Bytes of a proposal.
const COMMAND: [u8; 16] = [7; 16];

/// Counts what is committed, from the beginning of the first leader on.
#[derive(Default)]
struct Commits {
    last: u64,
    enough: Option<u64>,
}

impl<P: Protocol<Event = RaftEvent>> Observer<P> for Commits {
    fn notice(&mut self, notice: &Notice<P>, _: &World<'_>) {
        if let Happened::Event(RaftEvent::Committed { index, .. }) = notice.what {
            self.last = self.last.max(index);
        }
    }

    fn is_satisfied(&self) -> bool {
        self.enough.is_some_and(|enough| self.last >= enough)
    }
}

fn raft_cast(scenario: &Scenario) -> Arc<RaftCast> {
    match scenario.protocols.as_slice() {
        [ProtocolSpec::Raft(settings)] => Arc::new(RaftCast::new(scenario, settings)),
        _ => unreachable!("BUG: a Raft scenario"),
    }
}

const BUSY: &str = r#"
name = "bench"
claim = "it is fast"
duration = "20s"

[peers]
count = 5

[clients]
count = 10

# Links deliver in order, as connections do.
[network]
in_order = true

[raft]
batch_delay = "5ms"

[workload.requests]
loop = { closed = { in_flight = 400, think = "0ms" } }
mix = { write = 1 }
keys = 1000
"#;

/// Committed commands a wall second: five servers, closed-loop clients, batching.
fn commands_per_s() -> f64 {
    let options = fedsim_scenarios::Options::default();
    let document = Document::read("bench.toml", BUSY, &Folder::new(""), &options);
    let scenario = document.expect("a good scenario").scenario;
    let cast = raft_cast(&scenario);
    let mut commits = Commits::default();
    let (seconds, outcome) = timed(|| cast.perform(&scenario, &Options::default(), &mut commits));
    outcome.expect("no machine panics");
    assert!(commits.last > 100_000, "the clients were hardly served");
    commits.last as f64 / seconds
}

/// Servers of which the first soon leads, with users of its own who keep so many proposals open.
struct Unbatched {
    servers: u32,
}

impl Cast for Unbatched {
    type Machine = RaftPeer;

    fn machine(&self, peer: PeerId) -> RaftPeer {
        let timeout = SimDuration::from_millis(if peer.0 == 0 { 300 } else { 2_000 });
        let config = RaftConfig {
            election_timeout_min: timeout,
            election_timeout_max: timeout * 2,
            batch_entries: 1,
            ..RaftConfig::default()
        };
        let voters = (0..self.servers).map(PeerId);
        Raft::new(peer, Arc::new(config), Configuration::of_voters(voters)).into()
    }

    fn protocol(&self) -> &'static str {
        "raft"
    }

    fn workload(&self, peer: PeerId) -> Option<Box<dyn Workload<RaftPeer>>> {
        (peer.0 == 0).then(|| Box::new(Proposer { launched: 0 }) as Box<dyn Workload<RaftPeer>>)
    }
}

/// A closed loop at the leader.
struct Proposer {
    launched: u32,
}

impl Workload<RaftPeer> for Proposer {
    fn first(&mut self, _: &mut Stream) -> Option<SimTime> {
        Some(SimTime::from_nanos(1_500_000_000))
    }

    fn arrive(
        &mut self,
        now: SimTime,
        _: RequestId,
        _: &mut Stream,
    ) -> (RaftRequest, Option<SimTime>) {
        self.launched += 1;
        let value = fedsim_protocols::raft::Value::from(&COMMAND[..]);
        let operation = Operation::Write { key: 1, value };
        let next = (self.launched < IN_FLIGHT).then_some(now);
        (RaftRequest::Operate { operation }, next)
    }

    fn answered(
        &mut self,
        now: SimTime,
        _: RequestId,
        reply: &RaftReply,
        _: &mut Stream,
    ) -> Option<SimTime> {
        assert!(matches!(reply, RaftReply::Ok { .. }), "{reply:?}");
        Some(now)
    }
}

/// Decisions a second of our Raft, in the engine.
fn our_decisions(servers: u32, decisions: u64) -> f64 {
    let mut scenario = crate::common::scenario(servers, SimDuration::from_secs(1_000_000));
    scenario.network.link.latency = Latency::Constant(LATENCY);
    let cast = Arc::new(Unbatched { servers });
    let mut commits = Commits {
        last: 0,
        enough: Some(decisions),
    };
    let (seconds, outcome) = timed(|| run(&scenario, &cast, &Options::default(), &mut commits));
    outcome.expect("no machine panics");
    commits.last as f64 / seconds
}

/// tikv's servers and the messages between them.
struct Heap {
    nodes: Vec<RawNode<MemStorage>>,
    due: BinaryHeap<Reverse<(u64, u64, usize)>>,
    messages: Vec<Option<Message>>,
    free: Vec<usize>,
    now: u64,
    seq: u64,
    decided: u64,
}

impl Heap {
    fn new(servers: u64) -> Self {
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let node = |id| {
            let voters: Vec<u64> = (1..=servers).collect();
            let storage = MemStorage::new_with_conf_state((voters, vec![]));
            let config = Config {
                id,
                max_size_per_msg: 0,
                max_inflight_msgs: 256,
                // Commits travel with the next append, as ours do.
                skip_bcast_commit: true,
                ..Config::new(id)
            };
            RawNode::new(&config, storage, &logger).expect("a good configuration")
        };
        Self {
            nodes: (1..=servers).map(node).collect(),
            due: BinaryHeap::new(),
            messages: Vec::new(),
            free: Vec::new(),
            now: 0,
            seq: 0,
            decided: 0,
        }
    }

    fn send(&mut self, messages: Vec<Message>) {
        for message in messages {
            let slot = self.free.pop().unwrap_or_else(|| {
                self.messages.push(None);
                self.messages.len() - 1
            });
            self.messages[slot] = Some(message);
            let at = self.now + LATENCY.as_nanos();
            self.seq += 1;
            self.due.push(Reverse((at, self.seq, slot)));
        }
    }

    /// Carries out what a server wants; how many proposals it has seen decided.
    fn settle(&mut self, node: usize) -> u64 {
        let mut decided = 0;
        while self.nodes[node].has_ready() {
            let mut ready: Ready = self.nodes[node].ready();
            self.send(ready.take_messages());
            let count = |entries: Vec<raft::eraftpb::Entry>| {
                entries.iter().filter(|it| !it.data.is_empty()).count() as u64
            };
            decided += count(ready.take_committed_entries());
            let storage = self.nodes[node].mut_store();
            storage.wl().append(ready.entries()).expect("they follow");
            if let Some(state) = ready.hs() {
                storage.wl().set_hardstate(state.clone());
            }
            self.send(ready.take_persisted_messages());
            let mut light = self.nodes[node].advance(ready);
            if let Some(commit) = light.commit_index() {
                let storage = self.nodes[node].mut_store();
                storage.wl().mut_hard_state().commit = commit;
            }
            self.send(light.take_messages());
            decided += count(light.take_committed_entries());
            self.nodes[node].advance_apply();
        }
        decided
    }

    fn propose(&mut self) {
        let proposed = self.nodes[0].propose(vec![], COMMAND.to_vec());
        proposed.expect("it leads");
        self.settle(0);
    }

    /// Handles the next message; how many proposals the leader has seen decided by it.
    fn step(&mut self) -> u64 {
        let Reverse((at, _, slot)) = self.due.pop().expect("something is under way");
        self.now = at;
        let message = self.messages[slot].take().expect("it is there");
        self.free.push(slot);
        let node = message.to as usize - 1;
        self.nodes[node].step(message).expect("a good message");
        let decided = self.settle(node);
        if node == 0 { decided } else { 0 }
    }
}

/// Decisions a second of tikv's Raft.
fn tikv_decisions(servers: u32, decisions: u64) -> f64 {
    let mut heap = Heap::new(u64::from(servers));
    heap.nodes[0].campaign().expect("it may stand");
    heap.settle(0);
    while heap.nodes[0].raft.state != raft::StateRole::Leader {
        heap.step();
    }
    let (seconds, ()) = timed(|| {
        (0..IN_FLIGHT).for_each(|_| heap.propose());
        while heap.decided < decisions {
            let decided = heap.step();
            heap.decided += decided;
            (0..decided).for_each(|_| heap.propose());
        }
    });
    heap.decided as f64 / seconds
}

/// Our decisions for each of tikv's.
fn against_tikv(servers: u32, decisions: u64) -> f64 {
    let both = turns(|| {
        let ours = our_decisions(servers, decisions);
        (ours, tikv_decisions(servers, decisions))
    });
    let middle = |figure: fn(&(f64, f64)) -> f64| median(both.iter().map(figure).collect());
    println!(
        "{servers} servers, unbatched: tikv {:.0} decisions/s, fedsim {:.0} decisions/s",
        middle(|it| it.1),
        middle(|it| it.0)
    );
    middle(|(ours, theirs)| ours / theirs)
}

/// Ends the run when somebody leads.
#[derive(Default)]
struct Elected(bool);

impl<P: Protocol<Event = RaftEvent>> Observer<P> for Elected {
    fn notice(&mut self, notice: &Notice<P>, _: &World<'_>) {
        self.0 |= matches!(
            notice.what,
            Happened::Event(RaftEvent::LeaderElected { .. })
        );
    }

    fn is_satisfied(&self) -> bool {
        self.0
    }
}

/// Seconds for 10,000 elections of five servers, each a run of its own.
fn elections() -> f64 {
    let options = fedsim_scenarios::Options::default();
    let document = Document::open("papers/wan-5-of-5", &options);
    let mut scenario = document.expect("a shipped scenario").scenario;
    let cast = raft_cast(&scenario);
    let (seconds, ()) = timed(|| {
        for seed in 1..=10_000 {
            scenario.seed = seed;
            let mut elected = Elected::default();
            let outcome = cast.perform(&scenario, &Options::default(), &mut elected);
            outcome.expect("no machine panics");
            assert!(elected.0, "seed {seed} elected nobody");
        }
    });
    seconds
}

/// Milliseconds to judge 20,000 operations of 16 clients over 20 keys.
fn judge_20k() -> f64 {
    let history = generate(&Settings::bench_20k(1));
    let (seconds, judged) = timed(|| judge(&history, Model::CasRegister, Budget::default()));
    let verdict = judged.expect("the model fits").verdict;
    assert_eq!(verdict, Verdict::Linearizable);
    seconds * 1e3
}

fn several(measure: impl Fn() -> f64) -> f64 {
    median(turns(measure))
}

/// A figure, how it is measured, and what it has to reach.
type Entry = (&'static str, fn() -> f64, Reach);

/// Measures the figures whose name contains what was asked for.
pub(crate) fn main(wanted: Wanted<'_>, figures: &mut Figures) {
    let third = Reach::AtLeast(1.0 / 3.0);
    let entries: [Entry; 6] = [
        (
            "raft_5_commands_per_s",
            || several(commands_per_s),
            Reach::AtLeast(200_000.0),
        ),
        ("raft_vs_tikv_4", || against_tikv(4, 50_000), third),
        ("raft_vs_tikv_16", || against_tikv(16, 20_000), third),
        ("raft_vs_tikv_64", || against_tikv(64, 5_000), third),
        ("elections_10k_wall_s", elections, Reach::AtMost(4.0)),
        (
            "judge_20k_ops_ms",
            || several(judge_20k),
            Reach::AtMost(1_000.0),
        ),
    ];
    for (name, measure, reach) in entries {
        if wanted.includes(name) {
            figures.add(name, measure(), reach);
        }
    }
}
