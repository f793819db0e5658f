//! Membership: a leader changes it in steps whose quorums meet, one at a time, in its own term.

use fedsim_protocols::PeerId;
use fedsim_protocols::raft::Configuration;

use super::witness::Cluster;
use super::{CONFIGURATION, blame};
use crate::checkers::Ledger;
use crate::time::SimTime;

/// Judges every configuration that a leader puts into its log (paper 6; dissertation 4.1 with the
/// correction of 2015-07-10; 4.3).
pub(super) struct Configurations {
    ledger: Ledger,
}

impl Configurations {
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::new(CONFIGURATION),
        }
    }

    /// A leader puts `next` at `index`; told before the cluster shows it.
    pub(super) fn changes(
        &mut self,
        at: SimTime,
        leader: PeerId,
        (index, next): (u64, &Configuration),
        cluster: &Cluster,
    ) {
        self.ledger.exercise();
        let witness = cluster.of(leader);
        let (before, last) = (witness.configuration_index, &witness.configuration);
        let wrong = if witness.commit < before {
            format!("before the configuration of entry {before} was committed")
        } else if witness.commit < witness.term_start {
            format!("before it committed an entry of its term {}", witness.term)
        } else if !quorums_meet(last, next) {
            "with a quorum that need not meet those of the one before".to_owned()
        } else {
            return;
        };
        blame(&mut self.ledger, at, &[leader], || {
            format!("{leader} put a configuration at entry {index} {wrong}")
        });
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}

/// Whether every quorum of one configuration shares a voter with every quorum of the other.
fn quorums_meet(from: &Configuration, to: &Configuration) -> bool {
    match (from.is_joint(), to.is_joint()) {
        (false, true) => to.outgoing == from.voters,
        (true, false) => to.voters == from.voters,
        (true, true) => false,
        (false, false) => {
            let only = |one: &Configuration, other: &Configuration| {
                let gone = one
                    .voters
                    .iter()
                    .filter(|peer| !other.voters.contains(peer));
                gone.count()
            };
            only(from, to) + only(to, from) <= 1
        }
    }
}
