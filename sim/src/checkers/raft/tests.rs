//! Every checker sees the mistakes it is there for, and nothing in Raft as published.
//!
//! The mistakes are overrides of single [`Rules`]; a storm of crashes, cuts, lost power and
//! membership changes is repeated with other seeds until a checker objects.

use std::sync::Arc;

use fedsim_protocols::PeerId;
use fedsim_protocols::raft::store::{Duplicate, Sessions};
use fedsim_protocols::raft::{Configuration, LogEnd, Paper, Rules};
use fedsim_record::Holds;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::ProtocolSpec;
use fedsim_scenarios::{Document, Folder, Options as Reading};

use super::RaftWatch;
use crate::checkers::Finding;
use crate::engine::{Options, run};
use crate::runner::RaftCast;
use fedsim_protocols::SimDuration;

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
    LeaderCountsWhatIsNotSynced {
        fn counted_by_leader(_: u64, last: u64) -> u64 { last }
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
    ChangesBeforeItsTermCommitted {
        fn may_change(_: u64, _: u64, _: u64) -> bool { true }
    }
}

/// Five servers and two that join them, four clients, one storm of 90 s; `settings` end `[raft]`.
fn storm(settings: &str) -> Scenario {
    let text = format!(
        r#"
name = "test/storm"
claim = "A storm."
duration = "90s"
[peers]
count = 7
[[joins]]
peers = ["peer-6", "peer-7"]
at = "1s"
[clients]
count = 4
[network]
latency = {{ uniform = ["10ms", "100ms"] }}
loss = "5%"
duplicate = "2%"
disk = {{ fsync_low = "5ms", fsync_high = "120ms" }}
[workload.requests]
loop = {{ closed = {{ in_flight = 3, think = "10ms" }} }}
mix = {{ read = 3, write = 2, cas = 1, append = 1 }}
keys = 4
[[faults]]
random = "4s"
from = "3s"
until = "60s"
for = "1500ms"
crash = {{ random = 2, of = "peer-*" }}
[[faults]]
random = "5s"
from = "3s"
until = "60s"
for = "4s"
partition = {{ isolate = {{ last-to-report = "leader-elected" }} }}
[[faults]]
random = "6s"
from = "3s"
until = "60s"
for = "4s"
partition = "halves"
[[faults]]
random = "15s"
from = "8s"
until = "60s"
for = "300ms"
crash = "peer-*"
[[faults]]
random = "9s"
from = "3s"
until = "60s"
request = {{ peers = "peer-*", request = "voters/peer-1/peer-6/peer-7" }}
[[faults]]
random = "9s"
from = "3s"
until = "60s"
request = {{ peers = "peer-*", request = "voters/peer-1/peer-2/peer-3/peer-4/peer-5" }}
[raft]
catch_up_rounds = 0
snapshot_every = 40
snapshot_keep = 5
client_retry = "300ms"
{settings}
"#
    );
    let folder = Folder::new("");
    let document = Document::read("storm.toml", &text, &folder, &Reading::default());
    document
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .scenario
}

const PLAIN: &str = "pre_vote = false\nleader_stickiness = false\ncheck_quorum = false";

/// What the checkers find in one storm over a cluster with rules `R`.
fn findings<R: Rules>(scenario: &Scenario) -> Vec<Finding> {
    let [ProtocolSpec::Raft(settings)] = scenario.protocols.as_slice() else {
        panic!("a storm runs Raft");
    };
    let cast = Arc::new(RaftCast::<R>::new(scenario, settings));
    let mut watch = RaftWatch::new(scenario, &settings.base);
    let options = Options {
        sample_every: Some(SimDuration::from_secs(1)),
        ..Options::default()
    };
    let outcome = run(scenario, &cast, &options, &mut watch).expect("no server panics");
    watch.findings(outcome.ended_at)
}

/// The number of storms until a checker objects, and which: at most `most`.
fn caught<R: Rules>(settings: &str, most: u64) -> Option<(u64, &'static str)> {
    let mut scenario = storm(settings);
    (1..=most).find_map(|seed| {
        scenario.seed = seed;
        let found = findings::<R>(&scenario).into_iter();
        let mut violated = found.filter(|finding| finding.holds == Holds::Violated);
        violated.next().map(|finding| (seed, finding.name))
    })
}

macro_rules! each_is_caught {
    ($settings:expr, $most:expr, [$($mistake:ident),* $(,)?]) => {$(
        let name = stringify!($mistake);
        let found = caught::<$mistake>($settings, $most);
        let (storms, by) = found.unwrap_or_else(|| panic!("{name} survived {} storms", $most));
        println!("| {name} | {storms} | {by} |");
    )*};
}

#[test]
fn raft_as_published_survives_every_storm_and_the_storm_exercises_every_checker() {
    // The counterpart of the mutants: what objects to them must not object to the paper, and no
    // checker but that of progress may be idle over the storms, or its silence would say nothing.
    let mut exercised = std::collections::BTreeSet::new();
    for settings in ["", PLAIN] {
        let mut scenario = storm(settings);
        for seed in 1..=12 {
            scenario.seed = seed;
            for finding in findings::<Paper>(&scenario) {
                assert_ne!(
                    finding.holds,
                    Holds::Violated,
                    "seed {seed}: {:?}",
                    finding.first
                );
                if finding.holds == Holds::Holds {
                    exercised.insert(finding.name);
                }
            }
        }
    }
    let all =
        <RaftWatch as crate::runner::Watch<fedsim_protocols::raft::RaftPeer>>::invariant_names();
    for name in all {
        assert!(exercised.contains(name), "{name} was never exercised");
    }
}

#[test]
fn every_mistake_in_elections_is_caught() {
    // A checker that nothing trips is not a checker; the table says how many storms it took.
    each_is_caught!(
        PLAIN,
        60,
        [
            VoteForgottenOnRestart,
            TermForgottenOnRestart,
            VoteClearedBySameTermStepDown,
            VotesTwiceInATerm,
            VotesForAnyLog,
            ComparesLogsByLength,
            StandsInTheSameTerm,
            QuorumOffByOne,
            JointMajorityOfTheUnion,
            ChangesBeforeItsTermCommitted,
        ]
    );
}

#[test]
fn every_mistake_in_replication_sessions_and_reads_is_caught() {
    // As above.
    each_is_caught!(
        "",
        60,
        [
            CommitsWhatWasNotVerified,
            NeverTruncates,
            SkipsTheConsistencyCheck,
            MatchesWhatWasRefused,
            AcknowledgesBeforeSync,
            LeaderCountsWhatIsNotSynced,
            SnapshotWithoutSessions,
            DuplicatesRunAgain,
            ReadsBeforeItsTermCommitted,
        ]
    );
}
