//! Total order: honest replicas execute the same requests in the same order, with the same results.

use fedsim_protocols::pbft::{Digest, Execution, Placement, Sequence};
use fedsim_protocols::{Folder, PeerId};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::ORDER;
use crate::checkers::{Ledger, blame};
use crate::time::SimTime;

/// Where a replica stands.
#[derive(Clone, Debug)]
struct Position {
    /// The last batch that its state reflects; none if only its disk knows.
    last: Option<Sequence>,
    /// The executions of the batch under way.
    batch: Folder,
    /// The farthest it ever was.
    farthest: Sequence,
}

/// Judges executions: every batch directly after its predecessor, and everywhere alike.
pub(super) struct Order {
    ledger: Ledger,
    interval: u64,
    positions: Vec<Position>,
    /// What the first replica made of each batch; looked up, never walked through.
    batches: HashMap<u64, (Digest, u128, PeerId), FxBuildHasher>,
}

impl Order {
    pub(super) fn new(peers: usize, interval: u64) -> Self {
        let begins = Position {
            last: Some(Sequence(0)),
            batch: Folder::new(),
            farthest: Sequence(0),
        };
        Self {
            ledger: Ledger::new(ORDER),
            interval,
            positions: vec![begins; peers],
            batches: HashMap::default(),
        }
    }

    /// A request of the batch under way.
    pub(super) fn executed(&mut self, peer: PeerId, execution: &Execution) {
        let batch = &mut self.positions[peer.index()].batch;
        batch.pair(u64::from(execution.client.0), execution.timestamp.0);
        batch.pair(execution.request, execution.outcome);
        batch.u64(execution.state);
    }

    /// The batch under way is done.
    pub(super) fn finished(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        let sequence = placement.sequence;
        let position = &mut self.positions[peer.index()];
        let follows = match position.last {
            Some(last) => sequence == last.next(),
            // It came back with the state of a checkpoint, and had been there before.
            None => {
                sequence <= position.farthest.next()
                    && (sequence.0.saturating_sub(1)).is_multiple_of(self.interval)
            }
        };
        let content = std::mem::replace(&mut position.batch, Folder::new()).finish();
        position.last = Some(sequence);
        position.farthest = position.farthest.max(sequence);
        if !follows {
            blame(&mut self.ledger, at, &[peer], || {
                format!("{peer} executes batch {sequence}, and not directly after its predecessor")
            });
        }
        let here = (placement.digest, content, peer);
        let first = *self.batches.entry(sequence.0).or_insert(here);
        if first.2 != peer {
            self.ledger.exercise();
        }
        if (first.0, first.1) != (here.0, here.1) {
            blame(&mut self.ledger, at, &[first.2, peer], || {
                format!(
                    "{peer} executes batch {sequence} otherwise than {}",
                    first.2
                )
            });
        }
    }

    /// The replica's state is now that of a checkpoint.
    pub(super) fn transferred(&mut self, peer: PeerId, sequence: Sequence) {
        let position = &mut self.positions[peer.index()];
        position.last = Some(sequence);
        position.batch = Folder::new();
        position.farthest = position.farthest.max(sequence);
    }

    /// The replica begins again from its disk.
    pub(super) fn restarted(&mut self, peer: PeerId) {
        let position = &mut self.positions[peer.index()];
        position.last = None;
        position.batch = Folder::new();
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
