//! Progress: some time after the last fault a leader serves, where Raft promises that.

use fedsim_protocols::raft::{Paper, RaftConfig, Rules};
use fedsim_protocols::{PeerId, SimDuration};

use super::witness::Cluster;
use super::{PROGRESS, blame};
use crate::checkers::Ledger;
use crate::engine::World;
use crate::time::SimTime;

/// Longest election timeouts after the last fault in which a leader must be found.
const TIMEOUTS: u64 = 10;

/// Judges that a cluster left in peace has a leader that commits.
///
/// Promised only with `pre_vote`, `leader_stickiness` and `check_quorum`: without them a peer that
/// is cut off one way can depose leaders for ever (dissertation 4.2.3, 6.2, 9.6); and not where some
/// server is Byzantine. Where no server
/// could win an election at all, the run is outside what is promised.
pub(super) struct Progress {
    ledger: Ledger,
    is_promised: bool,
    within: SimDuration,
    calm_since: SimTime,
    is_judged: bool,
    hopeless: bool,
}

impl Progress {
    pub(super) fn new(config: &RaftConfig, is_trusted: bool) -> Self {
        Self {
            ledger: Ledger::new(PROGRESS),
            is_promised: is_trusted
                && config.pre_vote
                && config.leader_stickiness
                && config.check_quorum,
            within: config.election_timeout_max * TIMEOUTS,
            calm_since: SimTime::ZERO,
            is_judged: false,
            hopeless: false,
        }
    }

    /// Something hurt or healed.
    pub(super) fn disturb(&mut self, at: SimTime) {
        self.calm_since = at;
        self.is_judged = false;
        self.hopeless = false;
    }

    /// Judges once for each calm that lasts.
    pub(super) fn sample(&mut self, now: SimTime, cluster: &Cluster, world: &World<'_>) {
        let is_due = now.since(self.calm_since) >= self.within;
        if !self.is_promised || self.is_judged || !is_due {
            return;
        }
        self.is_judged = true;
        if cluster.peers.iter().any(serves) {
            self.ledger.exercise();
            return;
        }
        let mut slots = (0..cluster.peers.len() as u32).map(PeerId);
        if !slots.any(|peer| could_win(peer, cluster, world)) {
            self.hopeless = true;
            return;
        }
        let within = self.within;
        blame(&mut self.ledger, now, &[], || {
            format!("nobody leads and commits {within} after the last fault, though somebody could")
        });
    }

    /// What to say of it in the end: see [`Ledger`].
    pub(super) fn ledger(&mut self) -> &mut Ledger {
        if std::mem::take(&mut self.hopeless) {
            self.ledger
                .leave_assumptions(|| "no eligible quorum-connected candidate".to_owned());
        }
        &mut self.ledger
    }
}

/// Whether a server leads and has committed an entry of its own term.
fn serves(witness: &super::witness::Witness) -> bool {
    witness.leads() && !witness.is_paused && witness.commit >= witness.term_start
}

/// Whether a quorum can hear the server, answer it, and would find its log up to date.
fn could_win(candidate: PeerId, cluster: &Cluster, world: &World<'_>) -> bool {
    let witness = cluster.of(candidate);
    let configuration = &witness.configuration;
    let would_vote = |voter: PeerId| {
        voter == candidate
            || (cluster.of(voter).is_able()
                && world.connected(candidate, voter)
                && world.connected(voter, candidate)
                && witness.end() >= cluster.of(voter).end())
    };
    witness.is_able()
        && configuration.is_voter(candidate)
        && Paper::has_quorum(configuration, &would_vote)
}
