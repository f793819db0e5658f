//! What was decided: the same list everywhere, and nothing that nobody proposed.
//!
//! Raft promises nothing where anybody lies: in an organisation with a liar nobody is bound by what its
//! Raft tells him, and in a two-tier federation that is all he hears. What a liar proposed is whatever
//! is decided in its name.

use std::collections::{BTreeMap, BTreeSet};

use fedsim_protocols::pbft::{Digest, Placement};
use fedsim_protocols::stack::{Across, Proposal, Scope};
use fedsim_protocols::{Fold, Folder, PeerId, SimDuration};

use crate::checkers::{Ledger, Survival};
use crate::runner::WatchReport;
use crate::time::SimTime;

/// Whoever is bound by a list of decisions reads the same one.
pub(super) const ONE_ORDER: &str = "federation/one-order";
/// Only what was proposed is decided.
pub(super) const PROPOSED: &str = "federation/proposed-only";

/// One list of decisions, as whoever read furthest knows it.
#[derive(Default)]
struct List {
    hashes: Vec<u64>,
}

/// Checks and counts decisions.
pub(super) struct Decisions {
    /// The organisation of each peer.
    organisations: Vec<String>,
    liars: BTreeSet<PeerId>,
    across: Across,
    one_order: Ledger,
    proposed_only: Ledger,
    proposals: BTreeMap<(PeerId, u64), (SimTime, u64)>,
    lists: BTreeMap<String, List>,
    /// How far each peer has read each list in this life.
    read: BTreeMap<(PeerId, Scope), usize>,
    known: BTreeSet<(PeerId, u64)>,
    /// The batch that was committed first at each place of the council across organisations, by epoch:
    /// what one commits behind its last place is void.
    places: BTreeMap<(u64, u64), (Digest, PeerId)>,
    latency: Survival,
}

fn hash(proposal: &Proposal) -> u64 {
    let mut folder = Folder::new();
    proposal.fold(&mut folder);
    folder.finish() as u64
}

impl Decisions {
    pub(super) const METRICS: &'static [&'static str] = &[
        "proposals",
        "decisions",
        "decision_latency_p50_ms",
        "decision_latency_p99_ms",
    ];

    /// Of a federation in which each peer belongs to one of `organisations` and some lie.
    pub(super) fn new(organisations: Vec<String>, liars: BTreeSet<PeerId>, across: Across) -> Self {
        Self {
            organisations,
            liars,
            across,
            one_order: Ledger::new(ONE_ORDER),
            proposed_only: Ledger::new(PROPOSED),
            proposals: BTreeMap::new(),
            lists: BTreeMap::new(),
            read: BTreeMap::new(),
            known: BTreeSet::new(),
            places: BTreeMap::new(),
            latency: Survival::default(),
        }
    }

    /// Whether what an honest peer hears of decisions comes from a council that withstands liars, or
    /// in which nobody lies.
    pub(super) fn binds(&self, peer: PeerId, scope: Scope) -> bool {
        let own = &self.organisations[peer.index()];
        let mut lying = self.liars.iter();
        let lies = lying.any(|liar| self.organisations[liar.index()] == *own);
        let by_own_raft = scope == Scope::Organisation || self.across == Across::TwoTier;
        !(lies && by_own_raft)
    }

    pub(super) fn proposed(&mut self, at: SimTime, proposal: &Proposal) {
        let name = (proposal.proposer, proposal.number);
        let said = (at, hash(proposal));
        self.proposals.entry(name).or_insert(said);
    }

    /// A restarted peer reads its lists again from the beginning.
    pub(super) fn restarted(&mut self, peer: PeerId) {
        self.read.retain(|(reader, _), _| *reader != peer);
    }

    /// A peer learned of a decision; how long it took, if it was the proposer's own.
    pub(super) fn decided(
        &mut self,
        at: SimTime,
        peer: PeerId,
        scope: Scope,
        proposal: &Proposal,
    ) -> Option<SimDuration> {
        let name = (proposal.proposer, proposal.number);
        let hash = hash(proposal);
        let said = self.proposals.get(&name).copied();
        if self.binds(peer, scope) {
            self.judge(at, peer, name, said.map(|(_, said)| said) == Some(hash));
            self.compare(at, peer, scope, hash);
        }
        let is_own = proposal.proposer == peer && self.known.insert(name);
        let span = said.filter(|_| is_own).map(|(since, _)| at.since(since))?;
        self.latency.complete(span);
        Some(span)
    }

    fn judge(&mut self, at: SimTime, peer: PeerId, name: (PeerId, u64), is_real: bool) {
        if self.liars.contains(&name.0) {
            return;
        }
        self.proposed_only.exercise();
        if !is_real {
            self.proposed_only.breach(at, &[peer], || {
                format!("number {} of {} was never proposed so", name.1, name.0)
            });
        }
    }

    /// A replica committed a batch at a place: all others have the same there.
    pub(super) fn committed(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        let (sequence, digest) = (placement.sequence, placement.digest);
        let place = (placement.epoch.0, sequence.0);
        let first = self.places.entry(place).or_insert((digest, peer));
        let (known, by) = *first;
        if by == peer {
            return;
        }
        self.one_order.exercise();
        if known != digest {
            self.one_order.breach(at, &[by, peer], || {
                format!("commits batch {digest} at {sequence}, where {by} committed {known}")
            });
        }
    }

    fn compare(&mut self, at: SimTime, peer: PeerId, scope: Scope, hash: u64) {
        let list = match scope {
            Scope::Organisation => format!("of {}", self.organisations[peer.index()]),
            Scope::Federation => String::new(),
        };
        let hashes = &mut self.lists.entry(list).or_default().hashes;
        let place = self.read.entry((peer, scope)).or_default();
        match hashes.get(*place) {
            None => hashes.push(hash),
            Some(known) => {
                self.one_order.exercise();
                if *known != hash {
                    let number = *place + 1;
                    self.one_order.breach(at, &[peer], || {
                        format!("its decision number {number} is not the one that others have")
                    });
                }
            }
        }
        *place += 1;
    }

    pub(super) fn finish(&mut self, report: &mut WatchReport) {
        let ledgers = [&self.one_order, &self.proposed_only];
        let findings = ledgers.into_iter().map(|ledger| ledger.clone().finding());
        report.findings.extend(findings);
        let decisions = self.lists.values().map(|list| list.hashes.len());
        report.metric("decisions", decisions.sum::<usize>() as f64);
        report.metric("proposals", self.proposals.len() as f64);
        let latency = std::mem::take(&mut self.latency).estimate();
        report.metric("decision_latency_p50_ms", latency.quantile_ms(0.5));
        report.metric("decision_latency_p99_ms", latency.quantile_ms(0.99));
    }
}
