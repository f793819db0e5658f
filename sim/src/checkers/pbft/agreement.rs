//! Agreement: no two honest replicas commit different batches at one place.

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::{Digest, Placement};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::AGREEMENT;
use crate::checkers::{Ledger, blame};
use crate::time::SimTime;

/// Judges what commits, in whatever view and epoch (Castro and Liskov 1999, section 4.6).
pub(super) struct Agreement {
    ledger: Ledger,
    /// What committed first at each place, and where; looked up, never walked through.
    committed: HashMap<u64, (Digest, PeerId), FxBuildHasher>,
}

impl Agreement {
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::new(AGREEMENT),
            committed: HashMap::default(),
        }
    }

    pub(super) fn committed(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        let here = (placement.digest, peer);
        let sequence = placement.sequence;
        let first = *self.committed.entry(sequence.0).or_insert(here);
        if first.1 == peer && first.0 == placement.digest {
            return;
        }
        self.ledger.exercise();
        if first.0 != placement.digest {
            let (digest, other) = (placement.digest, first);
            blame(&mut self.ledger, at, &[other.1, peer], || {
                format!(
                    "{peer} commits batch {digest} at {sequence}, where {} committed {}",
                    other.1, other.0
                )
            });
        }
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
