//! How many storms it takes to see the mistakes of [`mutants`](crate::raft::mutants).

use super::storm::{ALL, DAMAGE, Plan, power_losses, storm, storm_config};
use crate::raft::mutants::*;
use crate::raft::{Chosen, RaftConfig, ReadMode, Rules};

#[test]
fn a_power_loss_sees_who_acknowledged_before_sync() {
    // The canary of the power-loss test; the second mutant loses only the leader's own copy.
    let broken = |found: Option<String>| found.expect("caught").starts_with("leader-completeness");
    let found = || (0..200).find_map(|seed| power_losses(seed).judge.violation);
    assert!(broken(Chosen::run_under::<AcknowledgesBeforeSync, _>(
        found
    )));
    assert!(Chosen::run_under::<LeaderCountsWhatIsNotSynced, _>(found).is_some());
}

const STILL: Plan = Plan {
    membership: false,
    ..ALL
};

/// The number of storms until one breaks, at most `most`.
fn caught<R: Rules>(config: &RaftConfig, plan: Plan, most: u64) -> Option<(u64, String)> {
    let storms = || {
        (0..most).find_map(|seed| {
            let weather = storm(seed, config.clone(), plan, 60);
            weather.judge.violation.map(|broken| (seed + 1, broken))
        })
    };
    Chosen::run_under::<R, _>(storms)
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
