//! Checkers and measurements of Raft, from events alone.
//!
//! | invariant | promises | exercised by |
//! |---|---|---|
//! | `raft/election-safety` | at most one leader a term | an election |
//! | `raft/one-vote-per-term` | a server votes for one candidate a term, crashes or not | a vote |
//! | `raft/leader-append-only` | a leader never cuts its log | a leader's entry |
//! | `raft/log-matching` | equal entries have equal pasts | an entry in two logs |
//! | `raft/leader-completeness` | a leader holds all that was committed in earlier terms | an election after a commit |
//! | `raft/state-machine-safety` | servers commit, apply and snapshot the same | an entry applied twice |
//! | `raft/durability` | commits and acknowledged entries are on a quorum's disks | an acknowledgement |
//! | `raft/exactly-once` | a command of a session runs once | a command in the log twice |
//! | `raft/configuration-safety` | memberships change in steps whose quorums meet | a change |
//! | `raft/progress` | some time after the last fault a leader commits | that time |
//! | `raft/linearizable` | clients see one copy of the store | an answered operation |
//!
//! Each costs O(1) an event, or O(peers) a commit. A server that came back with a wiped disk has
//! forgotten its votes: from then on nothing is promised. With Byzantine servers, which Raft does not
//! claim to survive, the others are judged all the same, but for progress. Must not know the machine.

mod committed;
mod configurations;
mod disks;
mod elections;
mod logs;
mod machines;
mod measures;
mod progress;
#[cfg(test)]
mod tests;
mod trace;
mod watch;
mod witness;

use fedsim_protocols::raft::{
    Configuration, RaftConfig, RaftEvent, RaftPeer, ReadMode, Role, Rules, Shared,
};
use fedsim_protocols::{PeerId, RunKey};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{self, Fault};

use super::{Clients, Finding, Ledger, Timeline, blame};
use crate::adversary::byzantine;
use crate::engine::{Happened, Notice};
use crate::network;
use crate::time::SimTime;
use crate::workload::StoreProtocol;
use configurations::Configurations;
use disks::Disks;
use elections::Elections;
use logs::Logs;
use machines::{Applied, Machines};
use measures::Measures;
use progress::Progress;
use trace::Trace;
use witness::Cluster;

const ELECTION_SAFETY: &str = "raft/election-safety";
const ONE_VOTE: &str = "raft/one-vote-per-term";
const APPEND_ONLY: &str = "raft/leader-append-only";
const LOG_MATCHING: &str = "raft/log-matching";
const COMPLETENESS: &str = "raft/leader-completeness";
const STATE_MACHINE: &str = "raft/state-machine-safety";
const DURABILITY: &str = "raft/durability";
const EXACTLY_ONCE: &str = "raft/exactly-once";
const CONFIGURATION: &str = "raft/configuration-safety";
const PROGRESS: &str = "raft/progress";
const LINEARIZABLE: &str = "raft/linearizable";

/// Watches a Raft cluster and its clients.
pub struct RaftWatch {
    cluster: Cluster,
    elections: Elections,
    logs: Logs,
    machines: Machines,
    disks: Disks,
    configurations: Configurations,
    progress: Progress,
    clients: Clients,
    measures: Measures,
    names: Vec<String>,
    /// Which peers are servers.
    servers: Vec<bool>,
    timeline: Timeline,
    trace: Option<Trace>,
    /// Whether a disk that is found empty may have been wiped.
    wipes: bool,
    /// Which assumption of the read mode the scenario leaves.
    broken_reads: Option<&'static str>,
}

impl RaftWatch {
    /// A watch for the cluster of `scenario`, whose servers are set as `config` says.
    pub fn new(scenario: &Scenario, config: &RaftConfig) -> Self {
        let peers = scenario.peers.len();
        let names = scenario.peers.iter().map(|it| it.nickname.clone());
        let names: Vec<String> = names.collect();
        let servers = scenario.peers.iter();
        let servers = servers.map(|peer| peer.role == spec::Role::Member);
        let wiped = |fault: &Fault| matches!(fault, Fault::Wipe(_));
        let mut cluster = Cluster::new(peers);
        for liar in byzantine(scenario) {
            cluster.of_mut(liar).is_byzantine = true;
        }
        let is_trusted = scenario.adversaries.is_empty();
        Self {
            cluster,
            elections: Elections::new(peers),
            logs: Logs::new(),
            machines: Machines::new(),
            disks: Disks::new(),
            configurations: Configurations::new(),
            progress: Progress::new(config, is_trusted),
            clients: Clients::new(),
            measures: Measures::new(names.clone(), SimTime::from(scenario.warm_up)),
            names,
            servers: servers.collect(),
            timeline: Timeline::new("leadership", peers),
            trace: None,
            wipes: scenario.faults.iter().any(|it| wiped(&it.fault)),
            broken_reads: broken_reads(scenario, config),
        }
    }

    fn heard(&mut self, at: SimTime, peer: PeerId, event: &RaftEvent) {
        match *event {
            RaftEvent::BecameFollower { term, leader } => {
                self.cluster.of_mut(peer).is_beginning &= leader.is_none();
                self.changed_role(at, peer, Role::Follower, term);
            }
            RaftEvent::BecamePreCandidate { term } => {
                self.changed_role(at, peer, Role::PreCandidate, term);
            }
            RaftEvent::BecameCandidate { term } => {
                self.measures.stood(term);
                self.changed_role(at, peer, Role::Candidate, term);
            }
            RaftEvent::LeaderElected { term } => self.elected(at, peer, term),
            RaftEvent::Voted { term, candidate } => {
                self.elections.voted(at, peer, term, candidate);
            }
            RaftEvent::Appended {
                index,
                term,
                digest,
            } => {
                self.appended(at, peer, (index, term), digest);
            }
            RaftEvent::Truncated { from } => self.truncated(at, peer, from),
            RaftEvent::Durable { index } => {
                let witness = self.cluster.of_mut(peer);
                witness.durable = witness.durable.max(index);
            }
            RaftEvent::Committed { index, term, .. } if self.cluster.of(peer).is_beginning => {
                self.given(at, peer, index, term);
            }
            RaftEvent::Committed { index, .. } => self.committed(at, peer, index),
            RaftEvent::Applied { .. } => self.applied(at, peer, event),
            RaftEvent::SnapshotTaken { index, state, .. } => {
                self.measures.snapshots_taken += 1;
                self.machines.snapshot(at, peer, index, state);
            }
            RaftEvent::SnapshotInstalled {
                index, term, state, ..
            } => {
                self.installed(at, peer, (index, term), state);
            }
            RaftEvent::ConfigurationChanged {
                index,
                ref configuration,
            } => {
                self.reconfigured(at, peer, index, configuration);
            }
            RaftEvent::TransferStarted { .. } => self.measures.transfers += 1,
            RaftEvent::Acknowledged { index, .. } => self.disks.acknowledged(index),
            RaftEvent::Recovered {
                term,
                snapshot,
                last,
                ..
            } => {
                self.recovered(at, peer, (term, snapshot, last));
            }
            RaftEvent::DamagedLog { .. } => self.damaged(at, peer),
            // How far its disk reaches by now is told behind this.
            RaftEvent::Repaired { .. } => self.cluster.of_mut(peer).is_damaged = false,
            RaftEvent::ChangeAborted { .. }
            | RaftEvent::TransferAborted { .. }
            | RaftEvent::QuorumLost { .. }
            | RaftEvent::ReadServed { .. }
            | RaftEvent::Rejected { .. } => {}
        }
    }

    fn elected(&mut self, at: SimTime, peer: PeerId, term: u64) {
        self.changed_role(at, peer, Role::Leader, term);
        self.elections.elected(at, peer, term, &self.cluster);
        self.measures.elected(at, peer, term);
    }

    fn applied(&mut self, at: SimTime, peer: PeerId, event: &RaftEvent) {
        if let RaftEvent::Applied {
            index,
            client,
            serial,
            fresh,
            digest,
            state,
        } = *event
        {
            let applied = Applied {
                index,
                client,
                serial,
                fresh,
                digest,
                state,
            };
            self.machines.applied(at, peer, applied);
        }
    }

    fn changed_role(&mut self, at: SimTime, peer: PeerId, role: Role, term: u64) {
        self.cluster.of_mut(peer).is_beginning &= role == Role::Follower;
        let led = self.cluster.of(peer).leads();
        self.cluster.of_mut(peer).take_role(role, term);
        self.timeline.set(at, peer, role_name(role), Some(term));
        if led && role != Role::Leader {
            self.measures.deposed(at, peer);
        }
    }

    fn appended(&mut self, at: SimTime, peer: PeerId, (index, term): (u64, u64), digest: u64) {
        self.logs.appends(at, peer, index, &self.cluster);
        if let Some(chain) = self.cluster.of_mut(peer).append(at, term, digest) {
            self.logs.appended(at, peer, (index, term), chain);
        }
    }

    fn truncated(&mut self, at: SimTime, peer: PeerId, from: u64) {
        self.logs.cuts(at, peer, from, &self.cluster);
        self.machines.cuts(at, peer, from, &self.cluster);
        let Cluster { peers, committed } = &mut self.cluster;
        peers[peer.index()].cut(from, committed);
        self.disks.inspect(at, &self.cluster);
    }

    fn committed(&mut self, at: SimTime, peer: PeerId, index: u64) {
        if !self.machines.commits(at, peer, index, &self.cluster) {
            return;
        }
        let before = self.cluster.committed.last();
        if index > before {
            let witness = &self.cluster.peers[peer.index()];
            let reign = witness.term;
            self.measures.committed(at, (before + 1, index), witness);
            for next in before + 1..=index {
                if let Some(seen) = witness.kept(next) {
                    self.cluster.committed.push(seen.term, seen.chain, reign);
                }
            }
            self.disks.committed(at, peer, index, &self.cluster);
            self.elections.committed(at, reign, index, &self.cluster);
        }
        self.cluster.of_mut(peer).commit_to(index);
    }

    /// A server began knowing entries up to `index`, the last one of `term`, to be committed: what a
    /// story gives is not judged, only what becomes of it.
    fn given(&mut self, at: SimTime, peer: PeerId, index: u64, term: u64) {
        if !self.machines.commits(at, peer, index, &self.cluster) {
            return;
        }
        let Cluster { peers, committed } = &mut self.cluster;
        let witness = &mut peers[peer.index()];
        for next in committed.last() + 1..=index {
            if let Some(seen) = witness.kept(next) {
                committed.push(seen.term, seen.chain, term);
            }
        }
        witness.commit_to(index);
    }

    fn installed(&mut self, at: SimTime, peer: PeerId, (index, term): (u64, u64), state: u64) {
        self.measures.snapshots_installed += 1;
        self.machines
            .installs(at, peer, (index, term), &self.cluster);
        self.machines.snapshot(at, peer, index, state);
        // Until the snapshot is on disk, what the disk held before is still there.
        let before = self.cluster.of(peer).durable;
        let known = before.min(self.cluster.committed.last());
        let held = self.cluster.holds(peer, known);
        let Cluster { peers, committed } = &mut self.cluster;
        let witness = &mut peers[peer.index()];
        witness.durable = if held {
            known
        } else {
            before.min(witness.commit)
        };
        witness.begin_at(index, committed);
        witness.commit_to(index);
    }

    fn reconfigured(
        &mut self,
        at: SimTime,
        peer: PeerId,
        index: u64,
        configuration: &Shared<Configuration>,
    ) {
        if self.cluster.of(peer).is_recovering {
            // The log it belongs to is told afterwards.
            let witness = self.cluster.of_mut(peer);
            witness.configuration = configuration.clone();
            witness.configuration_index = index;
            return;
        }
        let is_new = index > self.cluster.of(peer).configuration_index;
        if is_new && self.cluster.of(peer).leads() {
            let change = (index, &**configuration);
            self.configurations.changes(at, peer, change, &self.cluster);
        }
        let Cluster { peers, committed } = &mut self.cluster;
        let witness = &mut peers[peer.index()];
        if index == 0 {
            committed.begin_with(configuration);
            witness.initial = configuration.clone();
        } else if let Some(seen) = witness.kept(index) {
            committed.propose(index, seen.chain, configuration);
        }
        witness.configuration = configuration.clone();
        witness.configuration_index = index;
    }

    /// A peer is away; that of a client is not told.
    fn note_absence(&mut self, at: SimTime, peer: PeerId, state: &'static str) {
        if self.servers[peer.index()] {
            self.timeline.set(at, peer, state, None);
        }
    }

    fn recovered(&mut self, at: SimTime, peer: PeerId, kept: (u64, u64, u64)) {
        let (term, snapshot, last) = kept;
        self.timeline
            .set(at, peer, role_name(Role::Follower), Some(term));
        if self.wipes && (term, last) == (0, 0) && self.cluster.of(peer).durable > 0 {
            let all = self.ledgers();
            for ledger in all {
                ledger.leave_assumptions(|| {
                    "a server came back with an empty disk and has forgotten its votes".to_owned()
                });
            }
        }
        let Cluster { peers, committed } = &mut self.cluster;
        let witness = &mut peers[peer.index()];
        witness.is_recovering = false;
        witness.is_damaged = false;
        witness.take_role(Role::Follower, term);
        witness.begin_at(snapshot, committed);
        (witness.commit, witness.durable) = (snapshot, last);
        if let Some((at, configuration)) = committed.configuration_as_of(snapshot)
            && *at > witness.configuration_index
        {
            witness.configuration = configuration.clone();
            witness.configuration_index = *at;
        }
    }

    fn damaged(&mut self, at: SimTime, peer: PeerId) {
        self.cluster.of_mut(peer).is_damaged = true;
        self.disks.inspect(at, &self.cluster);
    }

    fn ledgers(&mut self) -> Vec<&mut Ledger> {
        let mut all: Vec<&mut Ledger> = Vec::new();
        all.extend(self.elections.ledgers());
        all.extend(self.logs.ledgers());
        all.extend(self.machines.ledgers());
        all.push(self.disks.ledger());
        all.push(self.configurations.ledger());
        all.push(self.progress.ledger());
        all
    }

    /// What the checkers found by `end`.
    pub(crate) fn findings(&mut self, end: SimTime) -> Vec<Finding> {
        let ledgers = self.ledgers();
        let mut findings: Vec<Finding> =
            ledgers.iter().map(|it| (**it).clone().finding()).collect();
        let mut reads = Ledger::new(LINEARIZABLE);
        if let Some(broken) = self.broken_reads {
            reads.leave_assumptions(|| broken.to_owned());
        }
        findings.push(self.clients.judge(end, reads).finding());
        findings
    }

    fn happened<R: Rules>(&mut self, notice: &Notice<RaftPeer<R>>) {
        if let Some(trace) = &mut self.trace {
            trace.hear(notice);
        }
        let (at, peer) = (notice.at, notice.peer);
        match &notice.what {
            Happened::Event(event) => return self.heard(at, peer, event),
            Happened::Sent(_) | Happened::Received(_) => return,
            Happened::Invoked(id, request) => {
                if let Some((key, call)) = RaftPeer::<R>::call(request) {
                    self.clients.invoked(at, *id, key, call);
                }
                return;
            }
            Happened::Replied(id, reply) => {
                let outcome = RaftPeer::<R>::outcome(reply);
                return self.clients.replied(at, *id, outcome);
            }
            Happened::Started => {
                let witness = self.cluster.of_mut(peer);
                (witness.is_up, witness.is_beginning) = (true, true);
            }
            Happened::Crashed => {
                self.measures.deposed(at, peer);
                self.cluster.of_mut(peer).crash();
                self.note_absence(at, peer, "down");
            }
            Happened::Restarted => {
                let witness = self.cluster.of_mut(peer);
                (witness.is_up, witness.is_recovering) = (true, true);
                witness.configuration = witness.initial.clone();
                witness.configuration_index = 0;
            }
            Happened::Paused => {
                self.measures.deposed(at, peer);
                self.cluster.of_mut(peer).is_paused = true;
                self.note_absence(at, peer, "paused");
            }
            Happened::Resumed => {
                let witness = self.cluster.of_mut(peer);
                witness.is_paused = false;
                let (role, term) = (witness.role, witness.term);
                if self.servers[peer.index()] {
                    self.timeline.set(at, peer, role_name(role), Some(term));
                }
            }
        }
        self.progress.disturb(at);
    }
}

/// A server's role as traces and timelines name it.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre-candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

/// Which assumption behind linearizable reads the scenario leaves: leases rely on clocks.
fn broken_reads(scenario: &Scenario, config: &RaftConfig) -> Option<&'static str> {
    if config.reads != ReadMode::Lease {
        return None;
    }
    let jumps = |fault: &Fault| matches!(fault, Fault::ClockJump { .. });
    if scenario.faults.iter().any(|it| jumps(&it.fault)) {
        return Some("a clock jumped under leases");
    }
    let key = RunKey::from_seed(scenario.seed);
    let clocks = network::clocks(&scenario.network, scenario.peers.len(), key);
    let bound = config.clock_drift_ppm;
    let beyond = clocks
        .iter()
        .any(|clock| clock.drift_ppm().unsigned_abs() > bound);
    beyond.then_some("a clock drifts more than clock_drift_ppm under leases")
}
