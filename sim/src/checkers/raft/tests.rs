//! Every checker sees the mistakes it is there for, and nothing in Raft as published.
//!
//! The mistakes are overrides of single [`Rules`]; a storm of crashes, cuts, lost power and
//! membership changes is repeated with other seeds until a checker objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use fedsim_protocols::raft::mutants::*;
use fedsim_protocols::raft::{Chosen, Paper, Rules};
use fedsim_record::Holds;
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::{ProtocolSpec, Story};
use fedsim_scenarios::{Document, Folder, Options as Reading};

use super::RaftWatch;
use crate::checkers::Finding;
use crate::engine::{Options, run};
use crate::runner::{RaftCast, RunOptions, run_story};
use fedsim_protocols::SimDuration;

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
    let cast = Arc::new(RaftCast::<Chosen>::new(scenario, settings));
    let mut watch = RaftWatch::new(scenario, &settings.base);
    let options = Options {
        sample_every: Some(SimDuration::from_secs(1)),
        ..Options::default()
    };
    let outcome = Chosen::run_under::<R, _>(|| run(scenario, &cast, &options, &mut watch));
    let outcome = outcome.expect("no server panics");
    watch.findings(outcome.ended_at)
}

/// One line of the table of mistakes: which, what caught it, after how many seeds.
type Row = (&'static str, String, u64);

/// The number of storms until a checker objects, and which: at most `most`.
fn caught<R: Rules>(mistake: &'static str, settings: &str, most: u64) -> Row {
    let mut scenario = storm(settings);
    let found = (1..=most).find_map(|seed| {
        scenario.seed = seed;
        let found = findings::<R>(&scenario).into_iter();
        let mut violated = found.filter(|finding| finding.holds == Holds::Violated);
        violated.next().map(|finding| (seed, finding.name))
    });
    let (storms, by) = found.unwrap_or_else(|| panic!("{mistake} survived {most} storms"));
    (mistake, by.to_owned(), storms)
}

/// What a shipped story comes to under the rules `R`: passed, or why not.
fn acted<R: Rules>(name: &str) -> Result<(), String> {
    let scenario = Document::open(name, &Reading::default());
    let scenario = scenario
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .scenario;
    let ([ProtocolSpec::Raft(settings)], Some(Story::Raft(steps))) =
        (scenario.protocols.as_slice(), &scenario.story)
    else {
        panic!("{name} is no story of Raft");
    };
    let cast = Arc::new(RaftCast::<Chosen>::new(&scenario, settings));
    let watch = RaftWatch::new(&scenario, &settings.base);
    let options = RunOptions::default();
    let act = || run_story(&scenario, steps, &cast, watch, &options);
    let record = Chosen::run_under::<R, _>(act);
    let summary = record.expect("no server panics").summary;
    let mut violated = summary.invariants.iter();
    match violated.find(|finding| finding.holds == Holds::Violated) {
        Some(finding) => Err(finding.name.clone()),
        None => match summary.expectations.iter().find(|line| !line.met) {
            Some(line) => Err(format!("{}: {}", line.name, line.got)),
            None => Ok(()),
        },
    }
}

/// What catches a mistake in a story that Raft as published passes.
fn exposed<R: Rules>(mistake: &'static str, story: &str) -> Row {
    assert_eq!(acted::<Paper>(story), Ok(()), "{story}");
    let why = acted::<R>(story).expect_err(mistake);
    (mistake, format!("{story}: {why}"), 1)
}

macro_rules! each_is_caught {
    ($settings:expr, [$($mistake:ident),* $(,)?]) => {
        vec![$(caught::<$mistake>(stringify!($mistake), $settings, 60)),*]
    };
}

macro_rules! each_is_exposed {
    ($($mistake:ident by $story:literal),* $(,)?) => {
        vec![$(exposed::<$mistake>(stringify!($mistake), $story)),*]
    };
}

#[test]
fn raft_as_published_survives_every_storm_and_the_storm_exercises_every_checker() {
    // The counterpart of the mutants: what objects to them must not object to the paper, and no
    // checker but that of progress may be idle over the storms, or its silence would say nothing.
    let mut exercised = BTreeSet::new();
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

fn mistakes_in_elections() -> Vec<Row> {
    each_is_caught!(
        PLAIN,
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
            JointMajorityOfTheNewAlone,
        ]
    )
}

fn mistakes_in_replication() -> Vec<Row> {
    let mut rows = each_is_caught!(
        "",
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
    rows.extend(each_is_caught!(
        "follower_reads = true",
        [ServesReadsBeforeTheyAreApplied]
    ));
    rows
}

/// Mistakes that bad weather seldom brings out, each by a schedule that does.
fn mistakes_in_stories() -> Vec<Row> {
    each_is_exposed!(
        CommitsOldTerms by "raft/figure-8",
        ChangesBeforeItsTermCommitted by "raft/single-server-rule",
        OverwrittenWriteCounts by "raft/overwritten-under-way",
        ReadsWithoutARound by "raft/deposed-leader-waits",
        LeaseWithoutDriftBound by "raft/lease-and-drift",
        VotesAtOnceAfterRestart by "raft/lease-and-restart",
        TruncatesOnAMatchingAppend by "raft/repeated-append",
        CountsVotesOfOtherTerms by "raft/stale-vote",
        FollowsOldLeaders by "raft/old-leader",
        VoteLeavesBeforeSync by "raft/vote-waits-for-disk",
        SnapshotKeepsConflictingTail by "raft/snapshot-over-conflict",
        OldSnapshotInstalled by "raft/snapshot-repeated",
        SnapshotOfAnUncommittedConfiguration by "raft/snapshot-before-change",
    )
}

#[test]
fn every_mistake_is_caught() {
    // A checker that nothing trips is not a checker. `cargo test -p fedsim-sim
    // every_mistake_is_caught -- --nocapture` prints the table: mistake, what caught it, after how
    // many seeds.
    let rows = std::thread::scope(|scope| {
        let parts = [
            mistakes_in_elections,
            mistakes_in_replication,
            mistakes_in_stories,
        ];
        let parts = parts.map(|part| scope.spawn(part));
        parts.map(|part| {
            part.join()
                .unwrap_or_else(|why| std::panic::resume_unwind(why))
        })
    })
    .concat();
    println!("| mistake | caught by | seeds |\n|---|---|---|");
    for (mistake, by, seeds) in &rows {
        println!("| {mistake} | {by} | {seeds} |");
    }
    let caught: BTreeSet<&str> = rows.iter().map(|row| row.0).collect();
    // Damage to single records is dealt out by the protocol's own storms.
    let elsewhere = |name: &&str| *name != "VotesWithADamagedLog";
    let all: BTreeSet<&str> = NAMES.iter().copied().filter(elsewhere).collect();
    assert_eq!(caught, all);
}
