//! Known mistakes, each one override of [`Rules`], and how many storms it takes to see them.

use super::storm::{ALL, DAMAGE, Plan, power_losses, storm, storm_config};
use crate::peer::PeerId;
use crate::raft::configuration::Configuration;
use crate::raft::rules::LogEnd;
use crate::raft::store::{Duplicate, Sessions};
use crate::raft::{Paper, RaftConfig, ReadMode, Rules};

macro_rules! mistakes {
    ($($name:ident { $($rule:tt)* })*) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        struct $name;
        impl Rules for $name { $($rule)* }
    )*};
}

mistakes! {
    VoteForgottenOnRestart {
        fn recovered_vote(_: Option<PeerId>) -> Option<PeerId> { None }
    }
    TermForgottenOnRestart {
        fn recovered_term(_: u64, last_entry: u64) -> u64 { last_entry }
    }
    VoteClearedBySameTermStepDown {
        fn vote_on_entering(_: u64, _: u64, _: Option<PeerId>) -> Option<PeerId> { None }
    }
    VotesTwiceInATerm {
        fn may_vote(_: Option<PeerId>, _: PeerId) -> bool { true }
    }
    VotesForAnyLog {
        fn log_is_up_to_date(_: LogEnd, _: LogEnd) -> bool { true }
    }
    ComparesLogsByLength {
        fn log_is_up_to_date(candidate: LogEnd, voter: LogEnd) -> bool {
            candidate.index >= voter.index
        }
    }
    StandsInTheSameTerm {
        fn next_term(current: u64) -> u64 { current.max(1) }
    }
    QuorumOffByOne {
        fn quorum_of(voters: usize) -> usize { (voters / 2).max(1) }
    }
    JointMajorityOfTheUnion {
        fn has_quorum(c: &Configuration, agrees: impl Fn(PeerId) -> bool) -> bool {
            Paper::has_quorum(&Configuration::of_voters(c.all_voters()), agrees)
        }
        fn agreed_value<T: Copy + Ord>(
            c: &Configuration,
            value_of: impl Fn(PeerId) -> T,
        ) -> Option<T> {
            Paper::agreed_value(&Configuration::of_voters(c.all_voters()), value_of)
        }
    }
    JointMajorityOfTheNewAlone {
        fn has_quorum(c: &Configuration, agrees: impl Fn(PeerId) -> bool) -> bool {
            Paper::has_quorum(&Configuration::of_voters(c.voters.clone()), agrees)
        }
        fn agreed_value<T: Copy + Ord>(
            c: &Configuration,
            value_of: impl Fn(PeerId) -> T,
        ) -> Option<T> {
            Paper::agreed_value(&Configuration::of_voters(c.voters.clone()), value_of)
        }
    }
    CommitsWhatWasNotVerified {
        fn commit_bound(leader_commit: u64, _: u64) -> u64 { leader_commit }
    }
    NeverTruncates {
        fn may_truncate(_: u64, _: u64) -> bool { false }
    }
    SkipsTheConsistencyCheck {
        fn agrees_at_prev(_: Option<u64>, _: u64) -> bool { true }
    }
    MatchesWhatWasRefused {
        fn match_after_refusal(match_index: u64, prev_index: u64) -> u64 {
            match_index.max(prev_index)
        }
    }
    AcknowledgesBeforeSync {
        fn append_waits_for_disk() -> bool { false }
        fn may_acknowledge(verified: u64, _: u64) -> u64 { verified }
    }
    SnapshotWithoutSessions {
        fn sessions_in_snapshot(_: &Sessions) -> Sessions { Sessions::default() }
    }
    DuplicatesRunAgain {
        fn duplicate(_: Duplicate) -> Duplicate { Duplicate::Fresh }
    }
    ReadsBeforeItsTermCommitted {
        fn may_read(_: u64, _: u64) -> bool { true }
    }
    ServesReadsBeforeTheyAreApplied {
        fn may_serve_read(_: u64, _: u64) -> bool { true }
    }
}

mistakes! {
    VotesWithADamagedLog {
        fn may_promise(_: u64) -> bool { true }
    }
}

mistakes! {
    CountsUnsyncedLeader {
        fn counted_by_leader(_: u64, last: u64) -> u64 { last }
    }
}

#[test]
fn a_power_loss_sees_who_acknowledged_before_sync() {
    // The canary of the power-loss test; the second mutant loses only the leader's own copy.
    let broken = |found: Option<String>| found.expect("caught").starts_with("leader-completeness");
    let first =
        (0..200).find_map(|seed| power_losses::<AcknowledgesBeforeSync>(seed).judge.violation);
    assert!(broken(first));
    let second =
        (0..200).find_map(|seed| power_losses::<CountsUnsyncedLeader>(seed).judge.violation);
    assert!(second.is_some());
}

const STILL: Plan = Plan {
    membership: false,
    ..ALL
};

/// The number of storms until one breaks, at most `most`.
fn caught<R: Rules>(config: &RaftConfig, plan: Plan, most: u64) -> Option<(u64, String)> {
    (0..most).find_map(|seed| {
        let weather = storm::<R>(seed, config.clone(), plan, 60);
        weather.judge.violation.map(|broken| (seed + 1, broken))
    })
}

fn with(change: fn(&mut RaftConfig)) -> RaftConfig {
    let mut config = storm_config();
    change(&mut config);
    config
}

/// Elections without the features that make disputes rare.
fn plain_elections() -> RaftConfig {
    with(|c| {
        c.pre_vote = false;
        c.leader_stickiness = false;
        c.check_quorum = false;
    })
}

macro_rules! each_is_caught {
    ($config:expr, $plan:expr, $most:expr, [$($mistake:ident => $rule:literal),* $(,)?]) => {$(
        let found = caught::<$mistake>(&$config, $plan, $most);
        let name = stringify!($mistake);
        let (storms, broken) = found.unwrap_or_else(|| panic!("{name} survived {} storms", $most));
        assert!(broken.starts_with($rule), "{name} broke {broken} after {storms} storms");
    )*};
}

#[test]
fn a_storm_sees_every_mistake_in_elections() {
    // The canary of the storm test (a checker that nothing trips is no checker). The
    // literal names the property that the paper says would break.
    each_is_caught!(
        plain_elections(),
        ALL,
        2_000,
        [
            VoteForgottenOnRestart => "one-vote",
            TermForgottenOnRestart => "one-vote",
            VoteClearedBySameTermStepDown => "one-vote",
            VotesTwiceInATerm => "one-vote",
            StandsInTheSameTerm => "",
            QuorumOffByOne => "",
            VotesForAnyLog => "",
            JointMajorityOfTheUnion => "",
        ]
    );
    each_is_caught!(
        storm_config(),
        STILL,
        2_000,
        [ComparesLogsByLength => "leader-completeness"]
    );
    each_is_caught!(storm_config(), ALL, 2_000, [JointMajorityOfTheNewAlone => ""]);
}

#[test]
fn a_storm_sees_every_mistake_in_replication_and_sessions() {
    // As above, for the log and what is applied from it.
    each_is_caught!(
        storm_config(),
        ALL,
        2_000,
        [
            CommitsWhatWasNotVerified => "commit",
            NeverTruncates => "commit",
            SkipsTheConsistencyCheck => "commit",
            MatchesWhatWasRefused => "",
            SnapshotWithoutSessions => "state-machine-safety",
            DuplicatesRunAgain => "exactly-once",
        ]
    );
    each_is_caught!(storm_config(), STILL, 2_000, [ReadsBeforeItsTermCommitted => "stale-read"]);
    let follower_reads = with(|c| c.follower_reads = true);
    each_is_caught!(follower_reads, ALL, 2_000, [ServesReadsBeforeTheyAreApplied => "stale-read"]);
    let lease = with(|c| c.reads = ReadMode::Lease);
    each_is_caught!(storm_config(), DAMAGE, 2_000, [VotesWithADamagedLog => ""]);
    each_is_caught!(lease, ALL, 2_000, [AcknowledgesBeforeSync => "leader-completeness"]);
}
