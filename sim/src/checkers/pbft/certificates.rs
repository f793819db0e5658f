//! Certificate soundness: behind every certificate stands a quorum, as far as honest replicas go.

use std::collections::{BTreeMap, VecDeque};

use fedsim_protocols::pbft::{Digest, Epoch, Placement, View};
use fedsim_protocols::{PeerId, SimDuration};

use super::CERTIFICATES;
use super::group::{Group, Voters};
use crate::checkers::{Ledger, blame};
use crate::time::SimTime;

/// Who accepted and who prepared one batch at one place in one view.
#[derive(Clone, Debug)]
struct Ballot {
    epoch: Epoch,
    view: View,
    digest: Digest,
    accepted: Voters,
    prepared: Voters,
    /// Who accepted when, where a crash may undo it.
    fresh: Vec<(PeerId, SimTime)>,
}

/// Judges certificates: of the q replicas that each needs, all but the liars must have reported
/// the step that their votes stand for (Castro and Liskov 1999, section 4.2). Also that an honest
/// replica accepts one batch for a view and place, crashes or not; what a crash took from it before
/// the disk had it, it never told anybody.
pub(super) struct Certificates {
    ledger: Ledger,
    /// The ballots of each place, from `first` on.
    places: VecDeque<Vec<Ballot>>,
    first: u64,
    /// How many places are remembered.
    remembered: u64,
    /// Who asked for each view.
    wishes: BTreeMap<(Epoch, View), Voters>,
    /// How long a disk may take.
    syncing: SimDuration,
    /// Since when each replica forgot in its last crash what it had just accepted, until then.
    forgot: Vec<(SimTime, SimTime)>,
}

impl Certificates {
    /// Remembers `window` places four times over; disks take as long as `syncing`.
    pub(super) fn new(peers: usize, window: u64, syncing: SimDuration) -> Self {
        Self {
            ledger: Ledger::new(CERTIFICATES),
            places: VecDeque::new(),
            first: 1,
            remembered: window.saturating_mul(4).max(64),
            wishes: BTreeMap::new(),
            syncing,
            forgot: vec![(SimTime::NEVER, SimTime::ZERO); peers],
        }
    }

    /// The ballots of a place; none if it is long settled, or beyond reason.
    fn ballots(&mut self, sequence: u64) -> Option<&mut Vec<Ballot>> {
        let place = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        if place as u64 > self.remembered.saturating_mul(2_000) {
            return None;
        }
        if place >= self.places.len() {
            self.places.resize_with(place + 1, Vec::new);
        }
        self.places.get_mut(place)
    }

    fn ballot(&mut self, placement: &Placement) -> Option<&mut Ballot> {
        let ballots = self.ballots(placement.sequence.0)?;
        let key = (placement.epoch, placement.view, placement.digest);
        let found = ballots
            .iter()
            .position(|it| (it.epoch, it.view, it.digest) == key);
        let index = found.unwrap_or_else(|| {
            ballots.push(Ballot {
                epoch: placement.epoch,
                view: placement.view,
                digest: placement.digest,
                accepted: Voters::default(),
                prepared: Voters::default(),
                fresh: Vec::new(),
            });
            ballots.len() - 1
        });
        ballots.get_mut(index)
    }

    /// A replica accepts an assignment, and votes for it.
    pub(super) fn accepted(&mut self, at: SimTime, peer: PeerId, placement: &Placement) {
        if let Some(other) = self.contradicted(peer, placement) {
            blame(&mut self.ledger, at, &[peer], || {
                format!(
                    "{peer} accepts batch {} at {} in {}, where it had accepted {other}",
                    placement.digest, placement.sequence, placement.view
                )
            });
        }
        let may_be_undone = !self.syncing.is_zero();
        if let Some(ballot) = self.ballot(placement) {
            ballot.accepted.insert(peer);
            if may_be_undone {
                ballot.fresh.push((peer, at));
            }
        }
    }

    /// Another batch that the replica accepted at the same place in the same view, and remembers.
    fn contradicted(&mut self, peer: PeerId, placement: &Placement) -> Option<Digest> {
        let (since, until) = self.forgot[peer.index()];
        let ballots = self.ballots(placement.sequence.0)?;
        let remembers = |ballot: &&Ballot| {
            let mut fresh = ballot.fresh.iter().filter(|(it, _)| *it == peer);
            !fresh.any(|(_, at)| (since..=until).contains(at))
        };
        let mut others = ballots.iter().filter(|it| {
            (it.epoch, it.view) == (placement.epoch, placement.view)
                && it.digest != placement.digest
                && it.accepted.contains(peer)
        });
        others.find(remembers).map(|other| other.digest)
    }

    /// A replica crashes: what it accepted just now may not have reached its disk.
    pub(super) fn crashed(&mut self, at: SimTime, peer: PeerId) {
        let since = SimTime::from_nanos(at.as_nanos().saturating_sub(self.syncing.as_nanos()));
        self.forgot[peer.index()] = (since, at);
    }

    /// A replica holds a prepared certificate: the primary and q-1 backups accepted the batch.
    pub(super) fn prepared(
        &mut self,
        at: SimTime,
        peer: PeerId,
        placement: &Placement,
        group: &Group,
    ) {
        let Some(ballot) = self.ballot(placement) else {
            return;
        };
        ballot.prepared.insert(peer);
        // A primary may reissue what it executed long ago; that it accepts it is in the new-view.
        let primary = group.primary(placement.epoch, placement.view);
        let leads = primary.is_some_and(|primary| ballot.accepted.contains(primary));
        let behind = ballot.accepted.len() - usize::from(leads);
        let needed = group.honest_quorum(placement.epoch).saturating_sub(1);
        self.expect(at, peer, (behind, needed, "backups accepted"), placement);
    }

    /// A replica holds a quorum of commits: a quorum prepared the batch.
    pub(super) fn committed(
        &mut self,
        at: SimTime,
        peer: PeerId,
        placement: &Placement,
        group: &Group,
    ) {
        let Some(ballot) = self.ballot(placement) else {
            return;
        };
        let behind = ballot.prepared.len();
        let needed = group.honest_quorum(placement.epoch);
        self.expect(at, peer, (behind, needed, "replicas prepared"), placement);
    }

    fn expect(
        &mut self,
        at: SimTime,
        peer: PeerId,
        (behind, needed, what): (usize, usize, &str),
        placement: &Placement,
    ) {
        self.ledger.exercise();
        if behind < needed {
            let (sequence, view) = (placement.sequence, placement.view);
            blame(&mut self.ledger, at, &[peer], || {
                format!(
                    "{peer} holds a certificate for batch {} at {sequence} in {view} that {behind} \
                     honest {what}, and it takes {needed}",
                    placement.digest
                )
            });
        }
    }

    /// A replica asks for a view.
    pub(super) fn wished(&mut self, peer: PeerId, (epoch, view): (Epoch, View)) {
        self.wishes.entry((epoch, view)).or_default().insert(peer);
    }

    /// A replica enters a view: a quorum must have asked for it.
    pub(super) fn entered(
        &mut self,
        at: SimTime,
        peer: PeerId,
        (epoch, view): (Epoch, View),
        group: &Group,
    ) {
        self.ledger.exercise();
        let asked = self.wishes.get(&(epoch, view)).map_or(0, Voters::len);
        let needed = group.honest_quorum(epoch);
        if asked < needed {
            blame(&mut self.ledger, at, &[peer], || {
                format!(
                    "{peer} enters {view}, for which {asked} honest replicas asked, and it takes \
                     {needed}"
                )
            });
        }
    }

    /// A checkpoint is stable: places long before it are settled.
    pub(super) fn settled(&mut self, sequence: u64) {
        let keep_from = sequence.saturating_sub(self.remembered);
        while self.first < keep_from && !self.places.is_empty() {
            self.places.pop_front();
            self.first += 1;
        }
        self.first = self.first.max(keep_from);
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
