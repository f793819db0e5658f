//! Checkpoint agreement: honest replicas hold the same state after the same batch.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::{Digest, Epoch, Sequence};

use super::CHECKPOINTS;
use super::group::{Group, Voters};
use crate::checkers::{Ledger, blame};
use crate::time::SimTime;

/// Checkpoints remembered.
const REMEMBERED: usize = 1_024;

/// Judges the digests of states (Castro and Liskov 1999, section 4.3).
pub(super) struct Checkpoints {
    ledger: Ledger,
    /// Who vouched for what after each batch.
    taken: BTreeMap<Sequence, Vec<(Digest, Voters)>>,
}

impl Checkpoints {
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::new(CHECKPOINTS),
            taken: BTreeMap::new(),
        }
    }

    /// A replica vouches for its own state.
    pub(super) fn taken(&mut self, at: SimTime, peer: PeerId, sequence: Sequence, digest: Digest) {
        while self.taken.len() >= REMEMBERED {
            self.taken.pop_first();
        }
        let states = self.taken.entry(sequence).or_default();
        let found = states.iter().position(|(known, _)| *known == digest);
        let index = found.unwrap_or_else(|| {
            states.push((digest, Voters::default()));
            states.len() - 1
        });
        states[index].1.insert(peer);
        let others: usize = states.iter().map(|(_, voters)| voters.len()).sum();
        if others > 1 {
            self.ledger.exercise();
        }
        if states.len() > 1 {
            blame(&mut self.ledger, at, &[peer], || {
                format!("{peer} holds another state after batch {sequence} than others")
            });
        }
    }

    /// A state is said to be vouched for by a quorum.
    pub(super) fn proven(
        &mut self,
        at: SimTime,
        peer: PeerId,
        (epoch, sequence): (Epoch, Sequence),
        digest: Digest,
        group: &Group,
    ) {
        let remembered = self.taken.first_key_value().map(|(first, _)| *first);
        if remembered > Some(sequence) || sequence == Sequence(0) {
            return;
        }
        let states = self.taken.get(&sequence).into_iter().flatten();
        let mut like = states.filter(|(known, _)| *known == digest);
        let behind = like.next().map_or(0, |(_, voters)| voters.len());
        self.ledger.exercise();
        let needed = group.honest_quorum(epoch);
        if behind < needed {
            blame(&mut self.ledger, at, &[peer], || {
                format!(
                    "{peer} takes state {digest} after batch {sequence} for proven, for which \
                     {behind} honest replicas vouched, and it takes {needed}"
                )
            });
        }
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
