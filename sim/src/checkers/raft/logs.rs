//! Logs: leaders only append, and equal entries have equal pasts.

use std::collections::BTreeMap;

use fedsim_protocols::PeerId;

use super::witness::Cluster;
use super::{APPEND_ONLY, LOG_MATCHING, blame};
use crate::checkers::Ledger;
use crate::time::SimTime;

/// Judges every change of a log (paper figure 3: leader append-only, log matching).
pub(super) struct Logs {
    append_only: Ledger,
    matching: Ledger,
    /// Term and chain of the first entry ever seen at each index.
    first: Vec<Option<(u64, u64)>>,
    /// Chains of entries of further terms, by index and term.
    further: BTreeMap<(u64, u64), u64>,
}

impl Logs {
    pub(super) fn new() -> Self {
        Self {
            append_only: Ledger::new(APPEND_ONLY),
            matching: Ledger::new(LOG_MATCHING),
            first: Vec::new(),
            further: BTreeMap::new(),
        }
    }

    /// An entry of `term` came to stand at `index`; must be told before the log shows it.
    pub(super) fn appends(&mut self, at: SimTime, peer: PeerId, index: u64, cluster: &Cluster) {
        let last = cluster.of(peer).last_index();
        if cluster.of(peer).leads() {
            self.append_only.exercise();
        }
        if index != last + 1 {
            blame(&mut self.matching, at, &[peer], || {
                format!("{peer} put entry {index} behind entry {last}")
            });
        }
    }

    /// The entry of `term` at `index` has this past.
    pub(super) fn appended(
        &mut self,
        at: SimTime,
        peer: PeerId,
        (index, term): (u64, u64),
        chain: u64,
    ) {
        if self.known((index, term), chain) != chain {
            blame(&mut self.matching, at, &[peer], || {
                format!(
                    "the log of {peer} up to entry {index} of term {term} is not what another had"
                )
            });
        }
    }

    /// The chain under which an entry was seen first, which may be now.
    fn known(&mut self, (index, term): (u64, u64), chain: u64) -> u64 {
        let place = index as usize;
        if self.first.len() <= place {
            self.first.resize(place + 1, None);
        }
        match self.first[place] {
            None => {
                self.first[place] = Some((term, chain));
                chain
            }
            Some((same, known)) if same == term => {
                self.matching.exercise();
                known
            }
            Some(_) => *self.further.entry((index, term)).or_insert(chain),
        }
    }

    pub(super) fn cuts(&mut self, at: SimTime, peer: PeerId, from: u64, cluster: &Cluster) {
        let witness = cluster.of(peer);
        if witness.leads() {
            let term = witness.term;
            blame(&mut self.append_only, at, &[peer], || {
                format!("{peer} leads term {term} and cut its own log from entry {from} on")
            });
        }
    }

    pub(super) fn ledgers(&mut self) -> [&mut Ledger; 2] {
        [&mut self.append_only, &mut self.matching]
    }
}
