//! Every safety rule of Raft as one small function with its source.
//!
//! The machine asks these functions and decides nothing of the kind itself. [`Paper`] is Raft; a
//! type that overrides one function is a Raft with one mistake, for mutation tests and ablation
//! studies. Must not know the machine.
//!
//! ```
//! use fedsim_protocols::raft::{Configuration, Raft, RaftConfig, Rules};
//! use fedsim_protocols::PeerId;
//!
//! #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
//! struct CommitsOldTerms;
//! impl Rules for CommitsOldTerms {
//!     fn may_commit(_entry_term: u64, _current: u64) -> bool {
//!         true
//!     }
//! }
//! let server: Raft<CommitsOldTerms> =
//!     Raft::new(PeerId(0), RaftConfig::default().into(), Configuration::of_voters([PeerId(0)]));
//! assert_eq!(server.commit(), 0);
//! ```

use std::fmt::Debug;
use std::hash::Hash;

use super::command::Shared;
use super::configuration::Configuration;
use super::store::{Duplicate, Sessions};
use crate::peer::PeerId;
use crate::quorum::majority;
use crate::time::SimDuration;

/// Where a log ends, ordered as elections compare logs: by term, then by index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogEnd {
    /// The last entry's term.
    pub term: u64,
    /// The last entry's index.
    pub index: u64,
}

crate::chosen::rules! {
by default Paper;

/// The rules that make Raft safe. Defaults are those of the paper.
pub trait Rules: 'static + Copy + Debug + Eq + Hash + Send + Sync {
    // Terms and votes.

    /// The term a candidate stands in (paper 5.2).
    fn next_term(current: u64) -> u64 {
        current.saturating_add(1)
    }

    /// Whether a message of this term makes its receiver a follower of that term (paper 5.1).
    fn must_step_down(message_term: u64, current: u64) -> bool {
        message_term > current
    }

    /// Whether an append or snapshot of this term comes from a leader to be followed (paper 5.1).
    fn may_follow(message_term: u64, current: u64) -> bool {
        message_term >= current
    }

    /// The vote after entering `term` from `current`; only a new term frees it (paper figure 2).
    fn vote_on_entering(term: u64, current: u64, vote: Option<PeerId>) -> Option<PeerId> {
        if term > current { None } else { vote }
    }

    /// Whether the one vote of a term may go to this candidate (paper 5.2).
    fn may_vote(vote: Option<PeerId>, candidate: PeerId) -> bool {
        vote.is_none_or(|earlier| earlier == candidate)
    }

    /// Whether a candidate's log holds all that the voter's may have committed (paper 5.4.1).
    fn log_is_up_to_date(candidate: LogEnd, voter: LogEnd) -> bool {
        candidate >= voter
    }

    /// Whether a vote reply belongs to the election being held (paper 5.2).
    fn vote_counts(reply_term: u64, current: u64) -> bool {
        reply_term == current
    }

    /// Whether a candidate may win now; its own vote counts once it is on disk (dissertation 9.3).
    /// Otherwise it could lead, crash, and lead the same term again with another log.
    fn may_win(own_vote_is_durable: bool) -> bool {
        own_vote_is_durable
    }

    /// How many entries of its log speak for a candidate whose requests may overtake its own writes.
    /// Ours: the dissertation, 9.3, leaves open what a candidate may lose while it asks.
    fn entries_to_stand_with(last: u64, durable: u64, overlaps: bool) -> u64 {
        if overlaps { last.min(durable) } else { last }
    }

    /// Whether a server of this standing may stand for election (paper 6, dissertation 4.2.2).
    fn may_campaign(configuration: &Configuration, me: PeerId) -> bool {
        configuration.is_voter(me)
    }

    /// Whether a server heard its leader too recently to vote (dissertation 4.2.3).
    fn is_led(since_heard: SimDuration, election_timeout_min: SimDuration) -> bool {
        since_heard < election_timeout_min
    }

    // Quorums.

    /// Votes that any two of which share a voter (paper 5.2).
    fn quorum_of(voters: usize) -> usize {
        majority(voters)
    }

    /// Whether those who agree are a majority of C_new and, while joint, of C_old (paper 6).
    fn has_quorum(configuration: &Configuration, agrees: &dyn Fn(PeerId) -> bool) -> bool {
        half_agrees::<Self>(&configuration.voters, agrees)
            && half_agrees::<Self>(&configuration.outgoing, agrees)
    }

    /// The highest value that a quorum has reached (paper 5.3, 6); `None` without voters.
    fn agreed_value(
        configuration: &Configuration,
        value_of: &dyn Fn(PeerId) -> u64,
    ) -> Option<u64> {
        let new = half_value::<Self>(&configuration.voters, value_of);
        let old = half_value::<Self>(&configuration.outgoing, value_of);
        new.into_iter().chain(old).min()
    }

    // Replication.

    /// Whether our entry before an append is the leader's (paper 5.3, consistency check).
    fn agrees_at_prev(our_term: Option<u64>, prev_term: u64) -> bool {
        our_term == Some(prev_term)
    }

    /// Whether an entry of ours must go with all that follow it: only if it conflicts (paper 5.3).
    fn may_truncate(our_term: u64, their_term: u64) -> bool {
        our_term != their_term
    }

    /// How far a follower may commit: what this request verified bounds it (paper figure 2).
    fn commit_bound(leader_commit: u64, verified: u64) -> u64 {
        leader_commit.min(verified)
    }

    /// Whether counting replicas may commit an entry of this term (paper 5.4.2, figure 8).
    fn may_commit(entry_term: u64, current: u64) -> bool {
        entry_term == current
    }

    /// What a leader knows of a follower's log after it refused an append at `prev_index`: nothing
    /// new (paper 5.3).
    fn match_after_refusal(match_index: u64, prev_index: u64) -> u64 {
        let _ = prev_index;
        match_index
    }

    // Durability.

    /// How much of its own log a leader counts (dissertation 10.2.1).
    fn counted_by_leader(durable: u64, last: u64) -> u64 {
        let _ = last;
        durable
    }

    /// How far a follower may acknowledge (paper figure 2: stable storage before responding).
    fn may_acknowledge(verified: u64, durable: u64) -> u64 {
        verified.min(durable)
    }

    /// Whether an acknowledgement waits for the disk at all (paper figure 2).
    fn append_waits_for_disk() -> bool {
        true
    }

    /// How far a write counts as durable once the log was truncated under it: its completion says
    /// nothing about entries that stand there since (ABA).
    fn durable_after_truncation(upto: u64, from: u64) -> u64 {
        upto.min(from.saturating_sub(1))
    }

    /// Whether a vote leaves only once it is on disk (paper figure 2).
    fn vote_waits_for_disk() -> bool {
        true
    }

    /// The vote remembered from disk (paper figure 2, persistent state).
    fn recovered_vote(stored: Option<PeerId>) -> Option<PeerId> {
        stored
    }

    /// The term remembered from disk; a log cannot be ahead of it.
    fn recovered_term(stored: u64, last_entry: u64) -> u64 {
        stored.max(last_entry)
    }

    /// Whether a server may vote and lead: not while its log may lack what it promised (Alagappan
    /// et al. 2018, section 3.3).
    fn may_promise(repair: u64) -> bool {
        repair == 0
    }

    // Membership.

    /// Whether a leader may append a configuration: the last one is committed, and so is an entry
    /// of its own term (dissertation 4.1; Ongaro, raft-dev, 2015-07-10).
    fn may_change(commit: u64, last_configuration: u64, term_start: u64) -> bool {
        commit >= last_configuration && commit >= term_start
    }

    /// Whether a round was short enough for a learner to vote (dissertation 4.2.1).
    fn has_caught_up(round: SimDuration, election_timeout_min: SimDuration) -> bool {
        round < election_timeout_min
    }

    /// Whether a transfer's target holds all of the leader's log (dissertation 3.10).
    fn may_hand_over(match_index: u64, last_index: u64) -> bool {
        match_index == last_index
    }

    // Snapshots.

    /// Whether a snapshot brings nothing new (paper figure 13).
    fn snapshot_is_stale(index: u64, commit: u64) -> bool {
        index <= commit
    }

    /// Whether the log behind a snapshot's last entry stays (paper figure 13, step 6).
    fn keeps_tail(our_term: Option<u64>, snapshot_term: u64) -> bool {
        our_term == Some(snapshot_term)
    }

    /// How far the log may be compacted: not beyond what is applied (paper 7).
    fn may_compact(index: u64, applied: u64) -> u64 {
        index.min(applied)
    }

    /// The sessions that a snapshot carries: all (dissertation 6.3).
    fn sessions_in_snapshot(sessions: &Sessions) -> Sessions {
        sessions.clone()
    }

    /// The configuration that a snapshot carries: the one as of its last entry (paper 7), although
    /// `latest` is in force.
    fn configuration_in_snapshot(
        as_of: &Shared<Configuration>,
        latest: &Shared<Configuration>,
    ) -> Shared<Configuration> {
        let _ = latest;
        as_of.clone()
    }

    // Clients and reads.

    /// What is done about a command of which the session knows this (dissertation 6.3).
    fn duplicate(known: Duplicate) -> Duplicate {
        known
    }

    /// Whether a leader knows what is committed: an entry of its term is (dissertation 6.4).
    fn may_read(commit: u64, term_start: u64) -> bool {
        commit >= term_start
    }

    /// Whether a leader must still lead after a read arrived (dissertation 6.4, step 3).
    fn read_needs_round() -> bool {
        true
    }

    /// Whether a server that applied up to `applied` may answer a read at `index` (dissertation
    /// 6.4, step 4).
    fn may_serve_read(applied: u64, index: u64) -> bool {
        applied >= index
    }

    /// How long by its own clock a leader may rely on a round's acknowledgements (dissertation
    /// 6.4.1): the voters wait `election_timeout_min` by clocks that may run fast while the
    /// leader's runs slow, each by `drift_ppm` parts per million.
    fn lease_span(election_timeout_min: SimDuration, drift_ppm: u64) -> SimDuration {
        election_timeout_min.scale(
            1_000_000_u64.saturating_sub(drift_ppm),
            1_000_000_u64.saturating_add(drift_ppm),
        )
    }

    /// Whether a voter that restarted waits an election timeout before it votes: it may have
    /// extended a lease just before (dissertation 6.4.1).
    fn waits_after_restart() -> bool {
        true
    }
}
}

/// Raft as published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Paper;

impl Rules for Paper {}

fn half_agrees<R: Rules>(voters: &[PeerId], agrees: &dyn Fn(PeerId) -> bool) -> bool {
    let agreeing = voters.iter().filter(|peer| agrees(**peer)).count();
    voters.is_empty() || agreeing >= R::quorum_of(voters.len())
}

fn half_value<R: Rules>(voters: &[PeerId], value_of: &dyn Fn(PeerId) -> u64) -> Option<u64> {
    let mut values: Vec<u64> = voters.iter().map(|peer| value_of(*peer)).collect();
    values.sort_unstable_by(|a, b| b.cmp(a));
    let quorum = R::quorum_of(voters.len()).min(values.len());
    values.get(quorum.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(voters: &[u32], outgoing: &[u32]) -> Configuration {
        let mut configuration = Configuration::of_voters(voters.iter().copied().map(PeerId));
        configuration.outgoing = outgoing.iter().copied().map(PeerId).collect();
        configuration
    }

    #[test]
    fn a_log_is_up_to_date_by_term_then_length() {
        // The table of etcd's paper tests: (voter's terms, candidate's last term, last index).
        let cases: [(&[u64], u64, u64, bool); 9] = [
            (&[1], 1, 1, true),
            (&[1], 1, 2, true),
            (&[1, 1], 1, 1, false),
            (&[1], 2, 1, true),
            (&[1], 2, 2, true),
            (&[1, 1], 2, 1, true),
            (&[2], 1, 1, false),
            (&[2], 1, 2, false),
            (&[2, 2], 1, 1, false),
        ];
        for (terms, term, index, verdict) in cases {
            let voter = LogEnd {
                term: terms[terms.len() - 1],
                index: terms.len() as u64,
            };
            assert_eq!(
                Paper::log_is_up_to_date(LogEnd { term, index }, voter),
                verdict,
                "{terms:?} asked by ({term}, {index})"
            );
        }
    }

    #[test]
    fn one_vote_a_term_and_again_to_the_same_candidate() {
        // Granting twice to one candidate is idempotent, to another is not allowed.
        let [two, three] = [PeerId(2), PeerId(3)];
        assert!(Paper::may_vote(None, two) && Paper::may_vote(None, three));
        assert!(Paper::may_vote(Some(two), two) && !Paper::may_vote(Some(two), three));
    }

    #[test]
    fn the_agreed_value_is_the_highest_that_every_half_reached() {
        // Against the definition itself: try every value and ask has_quorum.
        let configurations = [
            configuration(&[1], &[]),
            configuration(&[1, 2], &[]),
            configuration(&[1, 2, 3], &[]),
            configuration(&[1, 2, 3, 4], &[]),
            configuration(&[1, 2, 3], &[3, 4, 5]),
            configuration(&[1], &[2, 3, 4]),
            configuration(&[1, 2, 3], &[1, 2, 3]),
        ];
        for configuration in &configurations {
            for seed in 0..500_u64 {
                let value = |peer: PeerId| (seed * 31 + u64::from(peer.0) * seed * 7) % 11;
                let dumb = (0..11)
                    .filter(|v| Paper::has_quorum(configuration, &|peer| value(peer) >= *v))
                    .max();
                assert_eq!(Paper::agreed_value(configuration, &value), dumb);
            }
        }
    }

    #[test]
    fn an_empty_half_agrees_and_no_voters_agree_on_no_value() {
        // The laws of etcd's quorum tests.
        let nobody = Configuration::default();
        assert!(Paper::has_quorum(&nobody, &|_| false));
        assert_eq!(Paper::agreed_value(&nobody, &|_| 1), None);
        let single = configuration(&[1, 2, 3], &[]);
        let twice = configuration(&[1, 2, 3], &[1, 2, 3]);
        let value = |peer: PeerId| u64::from(peer.0);
        assert_eq!(
            Paper::agreed_value(&single, &value),
            Paper::agreed_value(&twice, &value)
        );
    }

    #[test]
    fn a_lease_ends_before_the_fastest_voter_may_elect() {
        // In true time: a leader as slow as allowed against a voter as fast as allowed.
        let timeout = SimDuration::from_millis(1_000);
        for ppm in [0, 200, 10_000, 500_000] {
            let lease = Paper::lease_span(timeout, ppm).scale(1_000_000, 1_000_000 - ppm);
            let wait = timeout.scale(1_000_000, 1_000_000 + ppm);
            assert!(lease <= wait, "{ppm} ppm: {lease} > {wait}");
        }
    }
}
