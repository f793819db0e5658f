//! Elections: one leader a term, one vote a term, and no leader without what was committed before.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;

use super::witness::Cluster;
use super::{COMPLETENESS, ELECTION_SAFETY, ONE_VOTE, blame};
use crate::checkers::Ledger;
use crate::time::SimTime;

/// Judges whoever is elected (paper figure 3: election safety, leader completeness; figure 2: votes).
pub(super) struct Elections {
    safety: Ledger,
    one_vote: Ledger,
    completeness: Ledger,
    leaders: BTreeMap<u64, PeerId>,
    /// Each server's votes by term.
    votes: Vec<BTreeMap<u64, PeerId>>,
}

impl Elections {
    pub(super) fn new(peers: usize) -> Self {
        Self {
            safety: Ledger::new(ELECTION_SAFETY),
            one_vote: Ledger::new(ONE_VOTE),
            completeness: Ledger::new(COMPLETENESS),
            leaders: BTreeMap::new(),
            votes: vec![BTreeMap::new(); peers],
        }
    }

    pub(super) fn voted(&mut self, at: SimTime, peer: PeerId, term: u64, candidate: PeerId) {
        self.one_vote.exercise();
        let first = *self.votes[peer.index()].entry(term).or_insert(candidate);
        if first != candidate {
            blame(&mut self.one_vote, at, &[peer, first, candidate], || {
                format!("{peer} voted in term {term} for {first} and for {candidate}")
            });
        }
    }

    pub(super) fn elected(&mut self, at: SimTime, peer: PeerId, term: u64, cluster: &Cluster) {
        self.safety.exercise();
        let first = *self.leaders.entry(term).or_insert(peer);
        if first != peer {
            blame(&mut self.safety, at, &[first, peer], || {
                format!("{first} and {peer} were both elected in term {term}")
            });
        }
        // Only entries committed in earlier terms: a candidate may win late, when a later leader
        // has committed already; it can never commit anything (paper 5.4.3).
        let due = cluster.committed.last_before(term);
        if due > 0 {
            self.completeness.exercise();
            if !cluster.holds(peer, due) {
                self.lacks(at, peer, term, due);
            }
        }
    }

    /// Entries up to `index` were committed in `reign`; whoever leads a later term must hold them.
    pub(super) fn committed(&mut self, at: SimTime, reign: u64, index: u64, cluster: &Cluster) {
        for (slot, witness) in (0..).zip(&cluster.peers) {
            let leader = PeerId(slot);
            if witness.leads() && witness.term > reign && !cluster.holds(leader, index) {
                self.lacks(at, leader, witness.term, index);
            }
        }
    }

    fn lacks(&mut self, at: SimTime, leader: PeerId, term: u64, index: u64) {
        blame(&mut self.completeness, at, &[leader], || {
            format!("{leader} leads term {term} without the log committed up to entry {index}")
        });
    }

    pub(super) fn ledgers(&mut self) -> [&mut Ledger; 3] {
        [&mut self.safety, &mut self.one_vote, &mut self.completeness]
    }
}
