//! Validity and integrity: what executes was asked for, and executes once.

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::{Execution, Timestamp};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::group::Group;
use super::{INTEGRITY, VALIDITY};
use crate::checkers::{Ledger, blame};
use crate::time::SimTime;

/// What is known of one request.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The folds of what the client asked under this timestamp.
    asked: Option<u64>,
    /// Where it executed first: which batch, and where in it.
    place: Option<(u64, u32)>,
}

/// Judges which requests execute (Castro and Liskov 1999, section 4.1: exactly once).
pub(super) struct Requests {
    validity: Ledger,
    integrity: Ledger,
    /// Looked up, never walked through.
    known: HashMap<(PeerId, Timestamp), Known, FxBuildHasher>,
    /// How many requests of the batch under way each replica has executed.
    places: Vec<u32>,
}

impl Requests {
    pub(super) fn new(peers: usize) -> Self {
        Self {
            validity: Ledger::new(VALIDITY),
            integrity: Ledger::new(INTEGRITY),
            known: HashMap::default(),
            places: vec![0; peers],
        }
    }

    /// A client asks.
    pub(super) fn asked(&mut self, client: PeerId, timestamp: Timestamp, request: u64) {
        self.known.entry((client, timestamp)).or_default().asked = Some(request);
    }

    /// A replica executes a request; whether it is the first to do so. What a lying client asked
    /// nobody knows but the replicas, who saw its signature.
    pub(super) fn executed(
        &mut self,
        at: SimTime,
        peer: PeerId,
        execution: &Execution,
        group: &Group,
    ) -> bool {
        let (client, timestamp) = (execution.client, execution.timestamp);
        let known = self.known.entry((client, timestamp)).or_default();
        if group.is_honest(client) {
            self.validity.exercise();
            if known.asked != Some(execution.request) {
                blame(&mut self.validity, at, &[peer, client], || {
                    format!("{peer} executes a request {timestamp} that {client} never sent")
                });
            }
        }
        let place = &mut self.places[peer.index()];
        let here = (execution.placement.sequence.0, *place);
        *place += 1;
        self.integrity.exercise();
        let is_first = known.place.is_none();
        let first = *known.place.get_or_insert(here);
        if first != here {
            blame(&mut self.integrity, at, &[peer, client], || {
                format!(
                    "{peer} executes request {timestamp} of {client} in batch n{}, and it was \
                     executed in batch n{}",
                    here.0, first.0
                )
            });
        }
        is_first
    }

    /// A replica begins another batch.
    pub(super) fn begins(&mut self, peer: PeerId) {
        self.places[peer.index()] = 0;
    }

    pub(super) fn ledgers(&mut self) -> [&mut Ledger; 2] {
        [&mut self.validity, &mut self.integrity]
    }
}
