//! Checkers and measurements of PBFT, from events alone.
//!
//! | invariant | promises | exercised by |
//! |---|---|---|
//! | `pbft/agreement` | no two replicas commit different batches at one place | a batch committed twice |
//! | `pbft/total-order` | replicas execute the same, in the same order, with the same results | a batch executed twice |
//! | `pbft/validity` | what executes was asked by its client | an execution |
//! | `pbft/integrity` | a request executes once | an execution |
//! | `pbft/certificates` | behind a certificate stands a quorum; a place is accepted once a view | a certificate |
//! | `pbft/checkpoints` | replicas hold the same state after the same batch | a checkpoint |
//! | `pbft/views` | a replica never goes back to an earlier view | a view change |
//! | `pbft/client-validity` | clients accept what executions gave | an accepted result |
//! | `pbft/linearizable` | clients see one copy of the store | an answered operation |
//! | `pbft/bounded-memory` | no store outgrows the window | a stable checkpoint |
//! | `pbft/liveness` | some time after the last fault every client is answered | an answer by then |
//!
//! All of it is said of honest replicas and honest clients; where more members lie than the group
//! withstands, or than `[assume]` says, nothing is promised. Each costs O(1) an event, linearizability
//! and samples aside. Must not know the machine.

mod agreement;
mod certificates;
mod checkpoints;
mod group;
mod measures;
mod memory;
mod order;
mod progress;
pub(crate) mod promise;
mod reigns;
mod replies;
mod requests;
#[cfg(test)]
mod tests;
mod trace;
mod views;
mod watch;

use fedsim_protocols::pbft::{
    Epoch, Execution, PbftEvent, PbftPeer, Placement, Reason, Request, Rules, Sequence, View,
};
use fedsim_protocols::{PeerId, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{Fault, PbftSpec, Role};

use super::{Clients, Finding, Ledger};
use crate::adversary::byzantine;
use crate::engine::{Happened, Notice};
use crate::time::SimTime;
use crate::workload::StoreProtocol;
use agreement::Agreement;
use certificates::Certificates;
use checkpoints::Checkpoints;
use group::Group;
use measures::Measures;
use memory::Memory;
use order::Order;
use progress::Progress;
use promise::Promise;
use reigns::Reigns;
use replies::Replies;
use requests::Requests;
use trace::Trace;
use views::Views;

const AGREEMENT: &str = "pbft/agreement";
const ORDER: &str = "pbft/total-order";
const VALIDITY: &str = "pbft/validity";
const INTEGRITY: &str = "pbft/integrity";
const CERTIFICATES: &str = "pbft/certificates";
const CHECKPOINTS: &str = "pbft/checkpoints";
const VIEWS: &str = "pbft/views";
const REPLIES: &str = "pbft/client-validity";
const LINEARIZABLE: &str = "pbft/linearizable";
const MEMORY: &str = "pbft/bounded-memory";
pub(crate) const LIVENESS: &str = "pbft/liveness";

/// Watches a PBFT group and its clients.
pub struct PbftWatch {
    group: Group,
    agreement: Agreement,
    order: Order,
    requests: Requests,
    certificates: Certificates,
    checkpoints: Checkpoints,
    views: Views,
    replies: Replies,
    clients: Clients,
    memory: Memory,
    progress: Progress,
    measures: Measures,
    reigns: Reigns,
    trace: Option<Trace>,
    names: Vec<String>,
    /// Requests of the batch that each replica executes.
    in_batch: Vec<u64>,
}

impl PbftWatch {
    /// A watch for the group of `scenario`, set as `spec` says; it believes nothing that its
    /// adversaries say.
    pub fn new(scenario: &Scenario, spec: &PbftSpec) -> Self {
        let (peers, config) = (scenario.peers.len(), &spec.members.base);
        let names = scenario.peers.iter().map(|it| it.nickname.clone());
        let names: Vec<String> = names.collect();
        let clients = scenario.peers.iter().filter(|it| it.role == Role::Client);
        let wiped = |fault: &Fault| matches!(fault, Fault::Wipe(_));
        let syncing = longest_sync(scenario);
        let mut group = Group::new(scenario, byzantine(scenario));
        group.wipes = scenario.faults.iter().any(|it| wiped(&it.fault));
        group.forgets = !config.durable;
        Self {
            group,
            agreement: Agreement::new(),
            order: Order::new(peers, config.checkpoint_interval),
            requests: Requests::new(peers),
            certificates: Certificates::new(peers, config.window, syncing),
            checkpoints: Checkpoints::new(),
            views: Views::new(peers, syncing),
            replies: Replies::new(),
            memory: Memory::new(config, clients.count()),
            progress: Progress::new(scenario, Promise::new(scenario, config)),
            clients: Clients::new(),
            measures: Measures::new(peers, SimTime::from(scenario.warm_up)),
            reigns: Reigns::new(peers),
            trace: None,
            names,
            in_batch: vec![0; peers],
        }
    }

    fn heard(&mut self, at: SimTime, peer: PeerId, event: &PbftEvent) {
        match event {
            PbftEvent::PrePrepared { placement, .. } => self.accepted(at, peer, placement),
            PbftEvent::Prepared { placement, .. } => {
                self.certificates.prepared(at, peer, placement, &self.group);
                self.measures.prepared(at, peer, placement);
            }
            PbftEvent::CommittedLocal { placement, .. } => {
                self.agreement.committed(at, peer, placement);
                self.certificates
                    .committed(at, peer, placement, &self.group);
                self.measures.committed(at, peer, placement);
            }
            PbftEvent::Executed { execution, request } => {
                self.executed(at, peer, execution, &request.0);
            }
            PbftEvent::ExecutedTentatively { execution } => {
                self.replies.executed_tentatively(execution);
                self.measures.executed(at, execution);
            }
            PbftEvent::RolledBack { .. } => self.measures.tallies.rollbacks += 1,
            PbftEvent::BatchExecuted { placement } => self.finished(at, peer, placement),
            PbftEvent::CheckpointTaken {
                sequence, digest, ..
            } => self.checkpoints.taken(at, peer, *sequence, *digest),
            PbftEvent::CheckpointStable { .. } => self.stable(at, peer, event),
            PbftEvent::ViewChangeStarted { epoch, view, .. } => {
                self.asks_for(at, peer, (*epoch, *view));
            }
            PbftEvent::PrimaryElected {
                epoch,
                view,
                primary,
            } => self
                .views
                .leads(at, peer, (*epoch, *view), *primary, &self.group),
            PbftEvent::NewViewEntered {
                epoch,
                view,
                reissued,
                ..
            } => {
                self.entered(at, peer, (*epoch, *view));
                self.measures.entered(epoch.0, view.0, *reissued);
            }
            PbftEvent::StateTransferred { sequence, .. } => self.transferred(peer, *sequence),
            PbftEvent::Reconfigured { .. } => self.reconfigured(at, peer, event),
            PbftEvent::Requested {
                client,
                timestamp,
                request,
            } => {
                self.requests.asked(*client, *timestamp, *request);
                self.progress.asked(at, *client, *timestamp);
                self.measures.asked(at, *client, *timestamp);
            }
            PbftEvent::ReplyAccepted { .. } => self.answered(at, event),
            PbftEvent::Retransmitted { .. } => self.measures.tallies.retransmissions += 1,
            PbftEvent::Rejected { reason } => self.rejected(peer, *reason),
            PbftEvent::ReadOnlyAnswered { .. } => {}
        }
    }

    fn accepted(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        self.views.seen(at, peer, (placement.epoch, placement.view));
        self.certificates.accepted(at, peer, placement);
        let leads = self.group.primary(placement.epoch, placement.view) == Some(peer);
        self.measures.accepted(at, peer, placement, leads);
    }

    fn executed(&mut self, at: SimTime, peer: PeerId, execution: &Execution, request: &Request) {
        self.order.executed(peer, execution);
        let is_first = self.requests.executed(at, peer, execution, &self.group);
        if is_first && !self.group.is_honest(execution.client) {
            self.enter_history(at, request);
        }
        self.replies.executed(at, execution);
        self.progress.executed(peer);
        self.measures.executed(at, execution);
        self.group.executed(request);
        self.in_batch[peer.index()] += 1;
    }

    /// What a lying client asked took effect: the others may have seen it.
    fn enter_history(&mut self, at: SimTime, request: &Request) {
        if let Some((key, call)) = <PbftPeer>::call(&request.operation) {
            self.clients.opened(at, key, call);
        }
    }

    fn finished(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        self.agreement.committed(at, peer, placement);
        self.order.finished(at, peer, placement);
        self.requests.begins(peer);
        let requests = std::mem::take(&mut self.in_batch[peer.index()]);
        self.measures.finished(at, placement.sequence, requests);
    }

    fn stable(&mut self, at: SimTime, peer: PeerId, event: &PbftEvent) {
        if let PbftEvent::CheckpointStable {
            epoch,
            sequence,
            digest,
            sizes,
            ..
        } = event
        {
            let which = (*epoch, *sequence);
            self.checkpoints
                .proven(at, peer, which, *digest, &self.group);
            self.memory.told(at, peer, *epoch, sizes, &self.group);
            self.certificates.settled(sequence.0);
            self.measures.tallies.checkpoints += 1;
        }
    }

    fn asks_for(&mut self, at: SimTime, peer: PeerId, wanted: (Epoch, View)) {
        self.views.wished(at, peer, wanted);
        self.certificates.wished(peer, wanted);
        self.progress.changes_view(at, peer, wanted);
        self.measures.tallies.started += 1;
    }

    fn entered(&mut self, at: SimTime, peer: PeerId, view: (Epoch, View)) {
        self.views.seen(at, peer, view);
        self.certificates.entered(at, peer, view, &self.group);
    }

    fn transferred(&mut self, peer: PeerId, sequence: Sequence) {
        self.order.transferred(peer, sequence);
        self.requests.begins(peer);
        self.in_batch[peer.index()] = 0;
        self.measures.tallies.transfers += 1;
    }

    fn reconfigured(&mut self, at: SimTime, peer: PeerId, event: &PbftEvent) {
        if let PbftEvent::Reconfigured {
            epoch,
            sequence,
            replicas,
        } = event
        {
            self.agreement.reconfigured(*epoch, *sequence);
            self.group.reconfigured(*epoch, *replicas);
            self.views.seen(at, peer, (*epoch, View(0)));
            self.measures.tallies.reconfigurations += 1;
        }
    }

    fn answered(&mut self, at: SimTime, event: &PbftEvent) {
        if let PbftEvent::ReplyAccepted {
            client,
            timestamp,
            outcome,
            read_only,
            ..
        } = event
        {
            if !read_only {
                self.replies.accepted(at, (*client, *timestamp), *outcome);
            }
            self.progress.answered(at, *client, &self.group);
            self.measures.answered(at, *client);
        }
    }

    fn rejected(&mut self, peer: PeerId, reason: Reason) {
        self.measures.tallies.rejected += 1;
        if reason == Reason::DamagedRecord {
            self.group.conditions[peer.index()].is_silent = true;
        }
    }

    fn restarted(&mut self, peer: PeerId) {
        let condition = &mut self.group.conditions[peer.index()];
        condition.is_up = true;
        condition.is_silent |= self.group.forgets;
        if self.group.is_member(peer) {
            self.order.restarted(peer);
            self.requests.begins(peer);
            self.in_batch[peer.index()] = 0;
            if self.group.wipes {
                self.group.distrust(peer);
            }
        }
    }

    fn happened<R: Rules>(&mut self, notice: &Notice<PbftPeer<R>>) {
        let (at, peer) = (notice.at, notice.peer);
        match &notice.what {
            Happened::Event(event) if self.group.is_honest(peer) => {
                return self.heard(at, peer, event);
            }
            Happened::Invoked(id, request) if self.group.is_honest(peer) => {
                if let Some((key, call)) = PbftPeer::<R>::call(request) {
                    self.clients.invoked(at, *id, key, call);
                }
                return;
            }
            Happened::Replied(id, reply) if self.group.is_honest(peer) => {
                return self.clients.replied(at, *id, PbftPeer::<R>::outcome(reply));
            }
            Happened::Event(_)
            | Happened::Invoked(..)
            | Happened::Replied(..)
            | Happened::Sent(_)
            | Happened::Received(_) => return,
            Happened::Started => self.group.conditions[peer.index()].is_up = true,
            Happened::Crashed => {
                self.group.conditions[peer.index()].is_up = false;
                self.group.conditions[peer.index()].is_paused = false;
                self.progress.crashed(peer);
                self.views.crashed(at, peer);
                self.certificates.crashed(at, peer);
                self.measures.forget(peer);
            }
            Happened::Restarted => self.restarted(peer),
            Happened::Paused => self.group.conditions[peer.index()].is_paused = true,
            Happened::Resumed => self.group.conditions[peer.index()].is_paused = false,
        }
        self.progress.disturb(at);
    }

    fn ledgers(&mut self) -> Vec<&mut Ledger> {
        let mut all: Vec<&mut Ledger> = vec![
            self.agreement.ledger(),
            self.order.ledger(),
            self.certificates.ledger(),
            self.checkpoints.ledger(),
            self.views.ledger(),
            self.replies.ledger(),
            self.memory.ledger(),
            self.progress.ledger(),
        ];
        all.extend(self.requests.ledgers());
        all
    }

    /// What the checkers found by `end`.
    pub(crate) fn findings(&mut self, end: SimTime) -> Vec<Finding> {
        let beyond = self.group.is_beyond();
        let outside = |ledger: &mut Ledger| {
            if beyond {
                ledger
                    .leave_assumptions(|| "more members lie than the group withstands".to_owned());
            }
        };
        let mut history = Ledger::new(LINEARIZABLE);
        outside(&mut history);
        let judged = |ledger: &mut Ledger| {
            outside(ledger);
            ledger.clone().finding()
        };
        let mut findings: Vec<Finding> = self.ledgers().into_iter().map(judged).collect();
        findings.push(self.clients.judge(end, history).finding());
        findings
    }
}

/// The longest that any disk of the run may take.
fn longest_sync(scenario: &Scenario) -> SimDuration {
    let network = &scenario.network;
    let faulty = scenario.faults.iter().filter_map(|it| match &it.fault {
        Fault::Disk { disk, .. } => Some(disk),
        _ => None,
    });
    let disks = network.disks.iter().map(|it| &it.spec).chain(faulty);
    let all = std::iter::once(&network.disk).chain(disks);
    all.map(|disk| disk.fsync_high).max().unwrap_or_default()
}
