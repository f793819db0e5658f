//! State machines: all apply the same, and a command of a session once.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::witness::Cluster;
use super::{EXACTLY_ONCE, STATE_MACHINE, blame};
use crate::checkers::Ledger;
use crate::time::SimTime;

/// A command as a server applied it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) index: u64,
    pub(super) client: u64,
    pub(super) serial: u64,
    pub(super) fresh: bool,
    pub(super) digest: u64,
    pub(super) state: u64,
}

/// Judges what is committed and applied (paper figure 3: state machine safety; dissertation 6.3).
pub(super) struct Machines {
    safety: Ledger,
    exactly_once: Ledger,
    /// Digest of the command and hash of the store afterwards, by index.
    applied: Vec<Option<(u64, u64)>>,
    /// Hashes of stores in snapshots, by index.
    snapshots: BTreeMap<u64, u64>,
    /// Where each command of a session stood first; looked up, never walked through.
    ran: HashMap<(u64, u64), (u64, bool), FxBuildHasher>,
}

impl Machines {
    pub(super) fn new() -> Self {
        Self {
            safety: Ledger::new(STATE_MACHINE),
            exactly_once: Ledger::new(EXACTLY_ONCE),
            applied: Vec::new(),
            snapshots: BTreeMap::new(),
            ran: HashMap::default(),
        }
    }

    /// A server knows everything up to `index` to be committed; false if that contradicts others.
    pub(super) fn commits(
        &mut self,
        at: SimTime,
        peer: PeerId,
        index: u64,
        cluster: &Cluster,
    ) -> bool {
        let known = index.min(cluster.committed.last());
        if cluster.of(peer).last_index() < index {
            blame(&mut self.safety, at, &[peer], || {
                format!("{peer} commits entry {index}, which its log does not hold")
            });
            return false;
        }
        if !cluster.holds(peer, known) {
            blame(&mut self.safety, at, &[peer], || {
                format!("{peer} commits another log up to entry {known} than was committed before")
            });
            return false;
        }
        true
    }

    /// A server cuts its log; nothing that it knows to be committed may go.
    pub(super) fn cuts(&mut self, at: SimTime, peer: PeerId, from: u64, cluster: &Cluster) {
        let commit = cluster.of(peer).commit;
        if from <= commit {
            blame(&mut self.safety, at, &[peer], || {
                format!("{peer} cuts its log from entry {from} on, having committed up to {commit}")
            });
        }
    }

    pub(super) fn applied(&mut self, at: SimTime, peer: PeerId, applied: Applied) {
        let place = applied.index as usize;
        if self.applied.len() <= place {
            self.applied.resize(place + 1, None);
        }
        let here = (applied.digest, applied.state);
        match self.applied[place] {
            None => self.applied[place] = Some(here),
            Some(there) => {
                self.safety.exercise();
                if there != here {
                    let index = applied.index;
                    blame(&mut self.safety, at, &[peer], || {
                        format!("{peer} applied entry {index} otherwise than another server")
                    });
                }
            }
        }
        if applied.client != 0 {
            self.count(at, peer, applied);
        }
    }

    fn count(&mut self, at: SimTime, peer: PeerId, applied: Applied) {
        let Applied {
            index,
            client,
            serial,
            fresh,
            ..
        } = applied;
        let (first, ran) = self.ran.entry((client, serial)).or_insert((index, fresh));
        if *first == index {
            *ran |= fresh;
            return;
        }
        self.exactly_once.exercise();
        if fresh && *ran {
            let first = *first;
            blame(&mut self.exactly_once, at, &[peer], || {
                format!(
                    "{peer} ran command {serial} of client {client} at entries {first} and {index}"
                )
            });
        }
        *ran |= fresh;
    }

    /// A server holds a snapshot up to `index`.
    pub(super) fn snapshot(&mut self, at: SimTime, peer: PeerId, index: u64, state: u64) {
        let first = *self.snapshots.entry(index).or_insert(state);
        if first != state {
            blame(&mut self.safety, at, &[peer], || {
                format!("the snapshot of {peer} up to entry {index} is not that of another server")
            });
        }
    }

    /// A server takes a snapshot over; what it stands for must be committed.
    pub(super) fn installs(
        &mut self,
        at: SimTime,
        peer: PeerId,
        (index, term): (u64, u64),
        cluster: &Cluster,
    ) {
        self.safety.exercise();
        if cluster.committed.term(index) != Some(term) {
            blame(&mut self.safety, at, &[peer], || {
                format!(
                    "{peer} takes over a snapshot up to entry {index} of term {term}, which nobody committed"
                )
            });
        }
    }

    pub(super) fn ledgers(&mut self) -> [&mut Ledger; 2] {
        [&mut self.safety, &mut self.exactly_once]
    }
}
