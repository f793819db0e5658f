//! View monotonicity: an honest replica never goes back, and a view has one primary.

use std::collections::{BTreeMap, VecDeque};

use fedsim_protocols::pbft::{Epoch, ReplicaId, View};
use fedsim_protocols::{PeerId, SimDuration};

use super::VIEWS;
use super::group::Group;
use crate::checkers::{Ledger, blame};
use crate::time::SimTime;

/// Judges views (Castro and Liskov 1999, section 4.4), across crashes too: a replica may forget only
/// the view that its disk did not have yet, which it never told anybody.
pub(super) struct Views {
    ledger: Ledger,
    /// The last epoch and view of each replica.
    latest: Vec<(Epoch, View)>,
    /// The last ones, and since when, that a crash may undo; the first of them is on disk.
    recent: Vec<VecDeque<(SimTime, (Epoch, View))>>,
    /// How long a disk may take.
    syncing: SimDuration,
    primaries: BTreeMap<(Epoch, View), PeerId>,
}

impl Views {
    pub(super) fn new(peers: usize, syncing: SimDuration) -> Self {
        let begins = (Epoch(0), View(0));
        Self {
            recent: vec![VecDeque::from([(SimTime::ZERO, begins)]); peers],
            syncing,
            ledger: Ledger::new(VIEWS),
            latest: vec![begins; peers],
            primaries: BTreeMap::new(),
        }
    }

    /// Where a replica is.
    pub(super) fn of(&self, peer: PeerId) -> (Epoch, View) {
        self.latest[peer.index()]
    }

    /// A replica acts in a view.
    pub(super) fn seen(&mut self, at: SimTime, peer: PeerId, here: (Epoch, View)) {
        let before = self.latest[peer.index()];
        if here < before {
            blame(&mut self.ledger, at, &[peer], || {
                let ((epoch, view), (earlier, left)) = (here, before);
                format!("{peer} acts in {view} of {epoch}, having been in {left} of {earlier}")
            });
        }
        if here > before {
            self.ledger.exercise();
            self.latest[peer.index()] = here;
            let recent = &mut self.recent[peer.index()];
            let syncing = self.syncing;
            while recent.len() > 1 && at.since(recent[1].0) > syncing {
                recent.pop_front();
            }
            recent.push_back((at, here));
        }
    }

    /// A replica crashes: its disk has the view that it was in one sync ago, or a later one.
    pub(super) fn crashed(&mut self, at: SimTime, peer: PeerId) {
        let recent = &mut self.recent[peer.index()];
        while recent.len() > 1 && at.since(recent[recent.len() - 1].0) <= self.syncing {
            recent.pop_back();
        }
        if let Some((_, kept)) = recent.back() {
            self.latest[peer.index()] = *kept;
        }
    }

    /// A replica asks for a view: one that it has not been in.
    pub(super) fn wished(&mut self, at: SimTime, peer: PeerId, wanted: (Epoch, View)) {
        if wanted == self.latest[peer.index()] {
            blame(&mut self.ledger, at, &[peer], || {
                format!("{peer} asks for {}, in which it was before", wanted.1)
            });
        }
        self.seen(at, peer, wanted);
    }

    /// A replica says that it is the primary.
    pub(super) fn leads(
        &mut self,
        at: SimTime,
        peer: PeerId,
        (epoch, view): (Epoch, View),
        primary: ReplicaId,
        group: &Group,
    ) {
        let n = group.n(epoch).max(1) as u64;
        let other = *self.primaries.entry((epoch, view)).or_insert(peer);
        if other != peer || u64::from(primary.0) != view.0 % n {
            blame(&mut self.ledger, at, &[peer, other], || {
                format!("{peer} takes itself for the primary of {view}, which is another's")
            });
        }
        self.seen(at, peer, (epoch, view));
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
