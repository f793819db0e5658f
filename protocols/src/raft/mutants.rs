//! Raft with one mistake each: what checkers, tests and directed schedules must be able to find.
//!
//! Each is a mistake known from the literature or from real code bases, as the override of one
//! rule. Must not be used for anything but to be caught.

use super::command::Shared;
use super::configuration::Configuration;
use super::rules::{LogEnd, Paper, Rules};
use super::store::{Duplicate, Sessions};
use crate::peer::PeerId;
use crate::time::SimDuration;

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident { $($body:tt)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub struct $name;

            impl Rules for $name {
                $($body)*
            }
        )*
        /// The names of all mutants.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

mutants! {
    /// A restart forgets the vote.
    VoteForgottenOnRestart {
        fn recovered_vote(_: Option<PeerId>) -> Option<PeerId> { None }
    }
    /// A restart forgets the term, but for what the log tells.
    TermForgottenOnRestart {
        fn recovered_term(_: u64, last_entry: u64) -> u64 { last_entry }
    }
    /// Stepping down within a term frees its vote.
    VoteClearedBySameTermStepDown {
        fn vote_on_entering(_: u64, _: u64, _: Option<PeerId>) -> Option<PeerId> { None }
    }
    /// Every candidate of a term gets a vote.
    VotesTwiceInATerm {
        fn may_vote(_: Option<PeerId>, _: PeerId) -> bool { true }
    }
    /// A candidate's log is not looked at.
    VotesForAnyLog {
        fn log_is_up_to_date(_: LogEnd, _: LogEnd) -> bool { true }
    }
    /// The longer log wins, whatever its last term.
    ComparesLogsByLength {
        fn log_is_up_to_date(candidate: LogEnd, voter: LogEnd) -> bool {
            candidate.index >= voter.index
        }
    }
    /// A candidate does not raise its term.
    StandsInTheSameTerm {
        fn next_term(current: u64) -> u64 { current.max(1) }
    }
    /// Votes that were given in another term count.
    CountsVotesOfOtherTerms {
        fn vote_counts(_: u64, _: u64) -> bool { true }
    }
    /// A vote leaves before it is on disk.
    VoteLeavesBeforeSync {
        fn vote_waits_for_disk() -> bool { false }
    }
    /// Leaders of terms that are over are followed.
    FollowsOldLeaders {
        fn may_follow(_: u64, _: u64) -> bool { true }
    }
    /// Half of the voters are enough.
    QuorumOffByOne {
        fn quorum_of(voters: usize) -> usize { (voters / 2).max(1) }
    }
    /// While joint, a majority of both halves taken together is enough.
    JointMajorityOfTheUnion {
        fn has_quorum(c: &Configuration, agrees: &dyn Fn(PeerId) -> bool) -> bool {
            Paper::has_quorum(&Configuration::of_voters(c.all_voters()), agrees)
        }
        fn agreed_value(c: &Configuration, value_of: &dyn Fn(PeerId) -> u64) -> Option<u64> {
            Paper::agreed_value(&Configuration::of_voters(c.all_voters()), value_of)
        }
    }
    /// While joint, a majority of the new half is enough.
    JointMajorityOfTheNewAlone {
        fn has_quorum(c: &Configuration, agrees: &dyn Fn(PeerId) -> bool) -> bool {
            Paper::has_quorum(&Configuration::of_voters(c.voters.clone()), agrees)
        }
        fn agreed_value(c: &Configuration, value_of: &dyn Fn(PeerId) -> u64) -> Option<u64> {
            Paper::agreed_value(&Configuration::of_voters(c.voters.clone()), value_of)
        }
    }
    /// Counting replicas commits entries of any term (paper figure 8).
    CommitsOldTerms {
        fn may_commit(_: u64, _: u64) -> bool { true }
    }
    /// A follower commits as far as the leader has, whatever it holds.
    CommitsWhatWasNotVerified {
        fn commit_bound(leader_commit: u64, _: u64) -> u64 { leader_commit }
    }
    /// Conflicting entries stay.
    NeverTruncates {
        fn may_truncate(_: u64, _: u64) -> bool { false }
    }
    /// Entries that agree are cut off with all behind them.
    TruncatesOnAMatchingAppend {
        fn may_truncate(_: u64, _: u64) -> bool { true }
    }
    /// What stands before an append is not compared.
    SkipsTheConsistencyCheck {
        fn agrees_at_prev(_: Option<u64>, _: u64) -> bool { true }
    }
    /// A refused append counts as matched.
    MatchesWhatWasRefused {
        fn match_after_refusal(match_index: u64, prev_index: u64) -> u64 {
            match_index.max(prev_index)
        }
    }
    /// Followers acknowledge before they have written.
    AcknowledgesBeforeSync {
        fn append_waits_for_disk() -> bool { false }
        fn may_acknowledge(verified: u64, _: u64) -> u64 { verified }
    }
    /// A leader counts entries of its own that are not on its disk.
    LeaderCountsWhatIsNotSynced {
        fn counted_by_leader(_: u64, last: u64) -> u64 { last }
    }
    /// The completion of an overwritten write counts for what replaced it (ABA).
    OverwrittenWriteCounts {
        fn durable_after_truncation(upto: u64, _: u64) -> u64 { upto }
    }
    /// A server votes although its log was damaged.
    VotesWithADamagedLog {
        fn may_promise(_: u64) -> bool { true }
    }
    /// A leader changes the membership before it has committed in its term.
    ChangesBeforeItsTermCommitted {
        fn may_change(_: u64, _: u64, _: u64) -> bool { true }
    }
    /// A snapshot takes over although more is committed already.
    OldSnapshotInstalled {
        fn snapshot_is_stale(_: u64, _: u64) -> bool { false }
        fn keeps_tail(_: Option<u64>, _: u64) -> bool { false }
    }
    /// Entries behind a snapshot stay although they conflict with it.
    SnapshotKeepsConflictingTail {
        fn keeps_tail(_: Option<u64>, _: u64) -> bool { true }
    }
    /// A snapshot holds no sessions.
    SnapshotWithoutSessions {
        fn sessions_in_snapshot(_: &Sessions) -> Sessions { Sessions::default() }
    }
    /// A snapshot holds the configuration in force, which may not be committed.
    SnapshotOfAnUncommittedConfiguration {
        fn configuration_in_snapshot(
            _: &Shared<Configuration>,
            latest: &Shared<Configuration>,
        ) -> Shared<Configuration> {
            latest.clone()
        }
    }
    /// A command that is repeated runs again.
    DuplicatesRunAgain {
        fn duplicate(_: Duplicate) -> Duplicate { Duplicate::Fresh }
    }
    /// A leader answers reads before it knows what is committed.
    ReadsBeforeItsTermCommitted {
        fn may_read(_: u64, _: u64) -> bool { true }
    }
    /// A leader answers reads without hearing that it still leads.
    ReadsWithoutARound {
        fn read_needs_round() -> bool { false }
    }
    /// A follower answers a read before it has applied what the read must see.
    ServesReadsBeforeTheyAreApplied {
        fn may_serve_read(_: u64, _: u64) -> bool { true }
    }
    /// A lease lasts an election timeout by whatever clock.
    LeaseWithoutDriftBound {
        fn lease_span(election_timeout_min: SimDuration, _: u64) -> SimDuration {
            election_timeout_min
        }
    }
    /// A voter votes at once after a restart although a lease that it extended may still run.
    VotesAtOnceAfterRestart {
        fn waits_after_restart() -> bool { false }
    }
}
