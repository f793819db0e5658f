//! Whether a quorum of its roster stands behind every decision.
//!
//! Judged from the votes that honest members of the scenario's own roster reported, never from what a
//! replica says of its certificate: of a quorum all but the liars must have voted. In a two-tier
//! federation an organisation is one replica, and one liar makes a liar of it.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::pbft::{Digest, Epoch, Operation, PbftEvent, Placement};
use fedsim_protocols::quorum::{byzantine_quorum, majority};
use fedsim_protocols::raft::RaftEvent;
use fedsim_protocols::stack::{Across, Proposal, StackEvent};
use fedsim_protocols::{Folder, PeerId};

use fedsim_scenarios::spec::FederationSpec;

use crate::checkers::Ledger;
use crate::runner::WatchReport;
use crate::time::SimTime;

/// No decision without a quorum of its roster.
pub(super) const QUORUM: &str = "federation/quorum";

/// The members of one council.
#[derive(Clone, Copy)]
struct Size {
    members: usize,
    liars: usize,
}

/// A batch in one view of one epoch.
type Ballot = (u64, u64, Digest);

/// Checks decisions against the votes behind them.
pub(super) struct Quorums {
    across: Across,
    ledger: Ledger,
    /// The organisation of each peer, by number.
    organisations: Vec<usize>,
    /// The council across organisations, as it was founded.
    all: Size,
    /// How many members it has in later epochs, as far as that is known.
    sizes: BTreeMap<u64, usize>,
    /// Those of the organisations.
    inside: Vec<Size>,
    /// Who prepared what, by place.
    prepared: BTreeMap<u64, BTreeMap<Ballot, BTreeSet<usize>>>,
    /// Entries of logs, by council, and who has them.
    logs: BTreeMap<(usize, u64, u64), BTreeSet<PeerId>>,
    /// What was executed with a quorum behind it, by hash.
    passed: BTreeSet<u64>,
}

/// The council of everybody, among those of the organisations.
const EVERYBODY: usize = usize::MAX;

impl Quorums {
    /// Of a federation in which each peer belongs to one of `organisations` and some lie.
    pub(super) fn new(names: &[String], liars: &BTreeSet<PeerId>, spec: &FederationSpec) -> Self {
        let across = spec.across;
        let known: BTreeSet<&String> = names.iter().collect();
        let number = |name: &String| known.iter().filter(|it| **it < name).count();
        let organisations: Vec<usize> = names.iter().map(number).collect();
        let mut inside = vec![
            Size {
                members: 0,
                liars: 0
            };
            known.len()
        ];
        for (peer, number) in (0..).map(PeerId).zip(&organisations) {
            inside[*number].members += 1;
            inside[*number].liars += usize::from(liars.contains(&peer));
        }
        let all = match across {
            Across::TwoTier => Size {
                members: inside.len(),
                liars: inside.iter().filter(|it| it.liars > 0).count(),
            },
            Across::Flat | Across::Raft | Across::Broadcast => Size {
                members: names.len() - spec.out_of_council().len(),
                liars: liars.len(),
            },
        };
        Self {
            across,
            ledger: Ledger::new(QUORUM),
            organisations,
            all,
            sizes: BTreeMap::new(),
            inside,
            prepared: BTreeMap::new(),
            logs: BTreeMap::new(),
            passed: BTreeSet::new(),
        }
    }

    /// An honest peer reports what its councils do, whose Raft nobody lies in unless it is everybody's.
    pub(super) fn heard(&mut self, at: SimTime, peer: PeerId, event: &StackEvent) {
        match event {
            StackEvent::Pbft { event } => self.pbft(at, peer, event),
            StackEvent::Raft { event } => self.raft(at, peer, event),
            _ => {}
        }
    }

    fn pbft(&mut self, at: SimTime, peer: PeerId, event: &PbftEvent) {
        match event {
            PbftEvent::Prepared { placement, .. } => {
                let voter = match self.across {
                    Across::TwoTier => self.organisations[peer.index()],
                    Across::Flat | Across::Raft | Across::Broadcast => peer.index(),
                };
                let ballots = self.prepared.entry(placement.sequence.0).or_default();
                let ballot = (placement.epoch.0, placement.view.0, placement.digest);
                ballots.entry(ballot).or_default().insert(voter);
            }
            PbftEvent::Reconfigured {
                epoch, replicas, ..
            } => {
                self.sizes.entry(epoch.0).or_insert(*replicas as usize);
            }
            PbftEvent::CommittedLocal { placement, .. } => self.judge(at, peer, placement),
            PbftEvent::Executed { execution, request } => {
                self.judge(at, peer, &execution.placement);
                if let Operation::Enter { value } = &request.0.operation
                    && self.behind(&execution.placement) >= self.needed(execution.placement.epoch)
                {
                    self.passed.insert(Folder::of(value));
                }
            }
            _ => {}
        }
    }

    /// Honest members at least behind every quorum of the council across organisations.
    fn needed(&self, epoch: Epoch) -> usize {
        let members = self
            .sizes
            .get(&epoch.0)
            .copied()
            .unwrap_or(self.all.members);
        byzantine_quorum(members).saturating_sub(self.all.liars)
    }

    /// Honest members that prepared a batch at its place, in one and the same view.
    fn behind(&self, placement: &Placement) -> usize {
        let ballots = self.prepared.get(&placement.sequence.0);
        let ballots = ballots.into_iter().flatten();
        let same = ballots.filter(|((_, _, digest), _)| *digest == placement.digest);
        same.map(|(_, voters)| voters.len()).max().unwrap_or(0)
    }

    fn judge(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        self.ledger.exercise();
        let (behind, needed) = (self.behind(placement), self.needed(placement.epoch));
        if behind < needed {
            let (digest, sequence) = (placement.digest, placement.sequence);
            self.ledger.breach(at, &[peer], || {
                format!(
                    "decides batch {digest} at {sequence}, which {behind} honest members prepared, \
                     and it takes {needed}"
                )
            });
        }
    }

    fn raft(&mut self, at: SimTime, peer: PeerId, event: &RaftEvent) {
        let (council, size) = match self.across {
            Across::Raft => (EVERYBODY, self.all),
            Across::Flat | Across::TwoTier | Across::Broadcast => {
                let own = self.organisations[peer.index()];
                (own, self.inside[own])
            }
        };
        match event {
            RaftEvent::Appended { index, digest, .. } => {
                let holders = self.logs.entry((council, *index, *digest));
                holders.or_default().insert(peer);
            }
            RaftEvent::Applied { index, digest, .. } if council == EVERYBODY || size.liars == 0 => {
                self.ledger.exercise();
                let holders = self.logs.get(&(council, *index, *digest));
                let behind = holders.map_or(0, BTreeSet::len);
                let needed = majority(size.members).saturating_sub(size.liars);
                if behind < needed {
                    self.ledger.breach(at, &[peer], || {
                        format!("applies entry {index}, which {behind} honest members have, and it takes {needed}")
                    });
                }
            }
            _ => {}
        }
    }

    /// A peer takes something for decided by all organisations.
    ///
    /// Where liars alone are a quorum, what they executed unheard may be handed to an honest peer as state.
    pub(super) fn decided(&mut self, at: SimTime, peer: PeerId, proposal: &Proposal) {
        let is_of_liars_alone = self.needed(Epoch::default()) == 0;
        if self.across == Across::Raft || is_of_liars_alone {
            return;
        }
        self.ledger.exercise();
        if !self.passed.contains(&Folder::of(&proposal.bytes())) {
            let (number, proposer) = (proposal.number, proposal.proposer);
            self.ledger.breach(at, &[peer], || {
                format!("takes number {number} of {proposer} for decided, which no quorum decided")
            });
        }
    }

    pub(super) fn finish(&mut self, report: &mut WatchReport) {
        report.findings.push(self.ledger.clone().finding());
    }
}
