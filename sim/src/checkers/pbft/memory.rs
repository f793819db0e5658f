//! Bounded memory: no store of a replica outgrows what the window and the group allow.

use fedsim_protocols::PeerId;
use fedsim_protocols::pbft::{Epoch, PbftConfig, StoreSizes};

use super::MEMORY;
use super::group::Group;
use crate::checkers::{Ledger, blame};
use crate::time::SimTime;

/// Judges the sizes of the log, of the stores of votes, view-changes and early messages, and of the
/// replies, whenever a replica tells them.
pub(super) struct Memory {
    ledger: Ledger,
    interval: usize,
    window: usize,
    clients: usize,
    /// The largest log and the most early messages seen.
    pub(super) most: StoreSizes,
}

impl Memory {
    pub(super) fn new(config: &PbftConfig, clients: usize) -> Self {
        Self {
            ledger: Ledger::new(MEMORY),
            interval: config.checkpoint_interval as usize,
            window: config.window as usize,
            clients,
            most: StoreSizes::default(),
        }
    }

    pub(super) fn told(
        &mut self,
        at: SimTime,
        peer: PeerId,
        epoch: Epoch,
        sizes: &StoreSizes,
        group: &Group,
    ) {
        self.ledger.exercise();
        let (n, window) = (group.n(epoch), self.window);
        let checkpoints = window / self.interval;
        let most = &mut self.most;
        most.log = most.log.max(sizes.log);
        most.future = most.future.max(sizes.future);
        let bounds = [
            ("places in the log", sizes.log, window),
            ("votes", sizes.votes, 4 * n * window),
            (
                "checkpoint votes",
                sizes.checkpoint_votes,
                n * (checkpoints + 1),
            ),
            ("view-changes", sizes.view_changes, n),
            ("early messages", sizes.future, 3 * n * window),
            ("replies", sizes.replies, self.clients),
            ("waiting requests", sizes.waiting, self.clients),
            ("snapshots", sizes.snapshots, checkpoints + 2),
        ];
        for (what, kept, bound) in bounds {
            if kept > bound {
                blame(&mut self.ledger, at, &[peer], || {
                    format!("{peer} keeps {kept} {what}, and {bound} is the most there can be")
                });
            }
        }
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
