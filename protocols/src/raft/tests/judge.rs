//! Judges the safety of a run from its events alone (paper figure 3).

use std::collections::BTreeMap;

use crate::peer::PeerId;
use crate::raft::RaftEvent;

/// One entry's identity.
type Seen = (u64, u64);

/// What one peer's events say of it.
#[derive(Default)]
struct Witness {
    log: BTreeMap<u64, Seen>,
    /// Entries up to here are in its snapshot.
    base: u64,
    leads: Option<u64>,
    votes: BTreeMap<u64, PeerId>,
}

/// The state of all invariants; `violation` is the first that broke.
#[derive(Default)]
pub(super) struct Judge {
    peers: BTreeMap<PeerId, Witness>,
    leaders: BTreeMap<u64, PeerId>,
    committed: BTreeMap<u64, Seen>,
    applied: BTreeMap<u64, (u64, u64)>,
    ran: BTreeMap<(u64, u64), u64>,
    /// The highest index acknowledged to a client.
    pub(super) acknowledged: u64,
    pub(super) violation: Option<String>,
    /// How often each event occurred, so that a test can tell a vacuous run.
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Judge {
    fn blame(&mut self, what: impl Into<String>) {
        self.violation.get_or_insert(what.into());
    }

    pub(super) fn count(&self, event: &str) -> u64 {
        self.counts.get(event).copied().unwrap_or(0)
    }

    pub(super) fn hear(&mut self, peer: PeerId, event: &RaftEvent) {
        let name = crate::Event::name(event);
        *self.counts.entry(name).or_default() += 1;
        let witness = self.peers.entry(peer).or_default();
        match *event {
            RaftEvent::Appended {
                index,
                term,
                digest,
            } => {
                witness.log.insert(index, (term, digest));
            }
            RaftEvent::Truncated { from } => {
                witness.log.split_off(&from);
                if let Some(term) = witness.leads {
                    self.blame(format!(
                        "leader-append-only: {peer} in term {term} cut {from}"
                    ));
                }
            }
            RaftEvent::Recovered { snapshot, .. } => {
                witness.log.clear();
                (witness.base, witness.leads) = (snapshot, None);
            }
            RaftEvent::SnapshotInstalled { index, .. } => {
                witness.log.clear();
                witness.base = index;
            }
            RaftEvent::BecameFollower { .. } => witness.leads = None,
            RaftEvent::Voted { term, candidate } => self.hear_vote(peer, term, candidate),
            RaftEvent::LeaderElected { term } => self.hear_leader(peer, term),
            RaftEvent::Committed { first, index, .. } => self.hear_commit(peer, first, index),
            RaftEvent::Applied {
                index,
                client,
                serial,
                fresh,
                digest,
                state,
            } => {
                let seen = *self.applied.entry(index).or_insert((digest, state));
                if seen != (digest, state) {
                    self.blame(format!("state-machine-safety: {peer} at {index}"));
                }
                let first = *self.ran.entry((client, serial)).or_insert(index);
                if fresh && client != 0 && first != index {
                    self.blame(format!(
                        "exactly-once: {client}/{serial} at {first} and {index}"
                    ));
                }
            }
            RaftEvent::Acknowledged { index, .. } => {
                self.acknowledged = self.acknowledged.max(index);
            }
            RaftEvent::BecamePreCandidate { .. }
            | RaftEvent::BecameCandidate { .. }
            | RaftEvent::Durable { .. }
            | RaftEvent::SnapshotTaken { .. }
            | RaftEvent::ConfigurationChanged { .. }
            | RaftEvent::ChangeAborted { .. }
            | RaftEvent::TransferStarted { .. }
            | RaftEvent::TransferAborted { .. }
            | RaftEvent::QuorumLost { .. }
            | RaftEvent::ReadServed { .. }
            | RaftEvent::DamagedLog { .. }
            | RaftEvent::Repaired { .. }
            | RaftEvent::Rejected { .. } => {}
        }
    }

    fn hear_vote(&mut self, peer: PeerId, term: u64, candidate: PeerId) {
        let votes = &mut self.peers.entry(peer).or_default().votes;
        let first = *votes.entry(term).or_insert(candidate);
        if first != candidate {
            self.blame(format!(
                "one-vote: {peer} in term {term} for {first}, {candidate}"
            ));
        }
    }

    fn hear_leader(&mut self, peer: PeerId, term: u64) {
        let first = *self.leaders.entry(term).or_insert(peer);
        if first != peer {
            self.blame(format!(
                "election-safety: {first} and {peer} lead term {term}"
            ));
        }
        let witness = self.peers.entry(peer).or_default();
        witness.leads = Some(term);
        let lacks = self
            .committed
            .range(witness.base + 1..)
            .find(|(index, seen)| witness.log.get(index) != Some(seen))
            .map(|(index, _)| *index);
        if let Some(index) = lacks {
            self.blame(format!(
                "leader-completeness: {peer} in term {term} lacks {index}"
            ));
        }
    }

    fn hear_commit(&mut self, peer: PeerId, first: u64, last: u64) {
        for index in first..=last {
            let Some(seen) = self.peers[&peer].log.get(&index).copied() else {
                return self.blame(format!("commit-without-entry: {peer} at {index}"));
            };
            if *self.committed.entry(index).or_insert(seen) != seen {
                self.blame(format!("committed-entry-changed: {peer} at {index}"));
            }
        }
    }
}
