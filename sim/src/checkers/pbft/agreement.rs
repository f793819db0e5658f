//! Agreement: no two honest replicas commit different batches at one place.
//!
//! What a group commits beyond the checkpoint at which it hands over is void: the next one orders
//! those places.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::{Epoch, Placement, Sequence};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::AGREEMENT;
use crate::checkers::{Ledger, blame};
use crate::time::SimTime;

/// Judges what commits, in whatever view and epoch (Castro and Liskov 1999, section 4.6).
pub(super) struct Agreement {
    ledger: Ledger,
    /// What committed first at each place, and where; looked up, never walked through.
    committed: HashMap<u64, (Placement, PeerId), FxBuildHasher>,
    /// The checkpoint with which each epoch began.
    bases: BTreeMap<Epoch, Sequence>,
}

impl Agreement {
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::new(AGREEMENT),
            committed: HashMap::default(),
            bases: BTreeMap::new(),
        }
    }

    /// A new group takes over after the batch at `base`.
    pub(super) fn reconfigured(&mut self, epoch: Epoch, base: Sequence) {
        self.bases.insert(epoch, base);
    }

    fn is_void(&self, placement: &Placement) -> bool {
        let later = self.bases.range(placement.epoch.next()..);
        later
            .into_iter()
            .any(|(_, base)| placement.sequence > *base)
    }

    pub(super) fn committed(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        let here = (*placement, peer);
        let sequence = placement.sequence;
        let first = *self.committed.entry(sequence.0).or_insert(here);
        if (first.1 == peer && first.0.digest == placement.digest) || self.is_void(placement) {
            return;
        }
        if self.is_void(&first.0) {
            self.committed.insert(sequence.0, here);
            return;
        }
        self.ledger.exercise();
        if first.0.digest != placement.digest {
            let (digest, (other, before)) = (placement.digest, (first.0.digest, first.1));
            blame(&mut self.ledger, at, &[before, peer], || {
                format!(
                    "{peer} commits batch {digest} at {sequence}, where {before} committed {other}"
                )
            });
        }
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
