//! Disks: nothing is committed before a quorum holds it safely, and a quorum holds it from then on.

use fedsim_protocols::PeerId;
use fedsim_protocols::raft::{Configuration, Paper, Rules};

use super::witness::Cluster;
use super::{DURABILITY, blame};
use crate::checkers::Ledger;
use crate::time::SimTime;

/// Judges where committed and acknowledged entries are kept (paper figure 2: stable storage before
/// responding). Damaged disks and those of Byzantine servers are given the benefit of the doubt.
pub(super) struct Disks {
    ledger: Ledger,
    /// The highest index that a client was told of.
    acknowledged: u64,
}

impl Disks {
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::new(DURABILITY),
            acknowledged: 0,
        }
    }

    /// A server is the first to commit up to `index`.
    pub(super) fn committed(&mut self, at: SimTime, peer: PeerId, index: u64, cluster: &Cluster) {
        let configuration = &cluster.of(peer).configuration;
        if !is_kept(configuration, index, cluster) {
            blame(&mut self.ledger, at, &[peer], || {
                format!("{peer} committed entry {index}, which no quorum holds on disk")
            });
        }
    }

    pub(super) fn acknowledged(&mut self, index: u64) {
        self.ledger.exercise();
        self.acknowledged = self.acknowledged.max(index);
    }

    /// Looks at all disks: after damage, after a cut, and now and then.
    pub(super) fn inspect(&mut self, at: SimTime, cluster: &Cluster) {
        let Some(configuration) = cluster.committed.configuration() else {
            return;
        };
        if Paper::has_quorum(configuration, &|peer| cluster.of(peer).is_damaged) {
            self.ledger
                .leave_assumptions(|| "the disks of a majority were damaged".to_owned());
        }
        let index = self.acknowledged;
        let kept = |configuration: &Configuration| is_kept(configuration, index, cluster);
        if !kept(configuration) && !cluster.committed.proposed().any(kept) {
            blame(&mut self.ledger, at, &[], || {
                let disks: Vec<String> = configuration
                    .all_voters()
                    .into_iter()
                    .map(|peer| format!("{peer} up to {}", cluster.of(peer).durable))
                    .collect();
                let disks = disks.join(", ");
                format!("entry {index} was acknowledged, but is on no quorum's disks: {disks}")
            });
        }
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}

/// Whether a quorum holds on disk what was committed up to `index`, or held it before damage.
fn is_kept(configuration: &Configuration, index: u64, cluster: &Cluster) -> bool {
    Paper::has_quorum(configuration, &|peer| {
        let witness = cluster.of(peer);
        witness.is_damaged || witness.is_byzantine || cluster.holds_durably(peer, index)
    })
}
