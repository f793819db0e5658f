//! Runs side by side: what a cell says, and what it is held against.

use std::path::Path;

use fedsim_record::{Holds, Invariant, LatencyRow, Milliseconds, Outcome, RunDirectory, RunRecord};
use fedsim_reports::{
    Comparison, Judged, SeedsDirectory, Source, compare, comparison_text, write_comparison,
};

use crate::sample::record;

/// A run of `scenario` whose requests take `latency_ms` and of which the last tenth stays open.
fn run(scenario: &str, latency_ms: u64, invariants: &[(&str, Holds)]) -> RunRecord {
    let mut run = record();
    run.summary.scenario = scenario.to_owned();
    run.summary.metrics.clear();
    let judged = |(name, holds): &(&str, Holds)| Invariant {
        name: (*name).to_owned(),
        holds: *holds,
        first_violation: None,
    };
    run.summary.invariants = invariants.iter().map(judged).collect();
    let template = run.tables.latency[0].clone();
    let row = |index: u64| LatencyRow {
        latency_ms: Milliseconds::from_nanos(latency_ms * 1_000_000 + index),
        outcome: if index < 90 {
            Outcome::Ok
        } else {
            Outcome::Unanswered
        },
        ..template.clone()
    };
    run.tables.latency = (0..100).map(row).collect();
    run
}

fn write(home: &Path, name: &str, record: &RunRecord) {
    let directory = RunDirectory::claim(&home.join(name)).unwrap();
    directory.commit(record, |_| Ok(())).unwrap();
}

const KEPT: [(&str, Holds); 2] = [
    ("raft/election-safety", Holds::Holds),
    ("raft/progress", Holds::Holds),
];

/// Two attacks on Raft and one on PBFT, which has the same name in both; and a baseline for each.
fn compared(home: &Path) -> Comparison {
    let broken = [
        ("raft/election-safety", Holds::Violated),
        ("raft/progress", Holds::AssumptionBroken),
    ];
    let kept = [
        ("pbft/agreement", Holds::Holds),
        ("pbft/liveness", Holds::Violated),
    ];
    write(home, "a", &run("raft/honest", 100, &KEPT));
    write(home, "b", &run("adversary/raft-double-vote", 200, &broken));
    write(home, "c", &run("pbft/honest", 50, &kept));
    write(home, "d", &run("adversary/pbft-double-vote", 60, &kept));
    compare(Source::read(home, None).unwrap(), Some("honest")).unwrap()
}

#[test]
fn a_cell_says_what_was_broken_and_how_much_slower_it_was() {
    // By construction: the median doubles under attack on Raft and grows by a fifth on PBFT, and
    // 90 answers in 60 s are 1.5 a second; safety and liveness are told apart by the promise, and
    // where assumptions were left nothing is known.
    let home = tempfile::tempdir().unwrap();
    let comparison = compared(home.path());
    assert_eq!(comparison.attacks, ["honest", "double-vote"]);
    assert_eq!(comparison.protocols, ["raft", "pbft"]);
    let told: Vec<_> = comparison
        .cells
        .iter()
        .map(|cell| {
            (
                cell.safe,
                cell.live,
                cell.latency_ratio.map(|it| (it * 10.0).round()),
            )
        })
        .collect();
    let expected = [
        (Judged::Kept, Judged::Kept, Some(10.0)),
        (Judged::Kept, Judged::Broken, Some(10.0)),
        (Judged::Broken, Judged::Unknown, Some(20.0)),
        (Judged::Kept, Judged::Broken, Some(12.0)),
    ];
    assert_eq!(told, expected);
    assert_eq!(comparison.cells[2].violated, ["raft/election-safety"]);
    assert_eq!(comparison.cells[0].throughput_per_s, Some(1.5));
    let text = comparison_text(&comparison);
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert!(
        text.contains("×2.00") && text.contains("violated: raft/election-safety"),
        "{text}"
    );
}

#[test]
fn requests_without_an_answer_count_as_the_longest() {
    // A tenth of the requests stays open: the 99th percentile is not reached, although every
    // answer that came took the same time.
    let home = tempfile::tempdir().unwrap();
    let cell = &compared(home.path()).cells[0];
    assert!(cell.latency_p50_ms.is_some());
    assert_eq!(cell.latency_p99_ms, None);
}

#[test]
fn a_comparison_is_written_whole_and_replaces_an_earlier_one() {
    // A page with a cell for each run and a curve for each attack, twice into the same place.
    let home = tempfile::tempdir().unwrap();
    let comparison = compared(home.path());
    let target = home.path().join("out/comparison");
    for _ in 0..2 {
        write_comparison(&comparison, &target).unwrap();
    }
    let page = std::fs::read_to_string(target.join("report.html")).unwrap();
    for word in [
        "double-vote",
        "unsafe",
        "not live",
        "raft/election-safety",
        "latency ×2.00",
    ] {
        assert!(page.contains(word), "{word}");
    }
    let svg = std::fs::read_to_string(target.join("plots/decision-latency-raft.svg")).unwrap();
    assert!(svg.contains("honest") && svg.contains("double-vote"));
    if let Some(look) = std::env::var_os("FEDSIM_PICTURES") {
        std::fs::write(Path::new(&look).join("comparison.html"), page).unwrap();
    }
}

#[test]
fn runs_of_many_seeds_count_each_seed() {
    // Three seeds of which one is violated: the cell has three runs and is broken.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("many");
    let mut seeds = SeedsDirectory::claim(&target, "").unwrap();
    for seed in 1..=3 {
        let mut one = run("raft/storm", 100, &KEPT);
        one.summary.seed = seed;
        if seed == 2 {
            one.summary.invariants[0].holds = Holds::Violated;
        }
        seeds.add(&one).unwrap();
    }
    seeds.publish(|_| Vec::new()).unwrap();
    let comparison = compare(Source::read(&target, Some("storm")).unwrap(), None).unwrap();
    let cell = &comparison.cells[0];
    assert_eq!(
        (cell.runs, cell.safe, cell.live),
        (3, Judged::Broken, Judged::Kept)
    );
    assert_eq!(cell.throughput_per_s, Some(1.5));
}

#[test]
fn what_cannot_be_compared_is_named() {
    // No run in a directory, no directory, and a baseline that nothing is called.
    let home = tempfile::tempdir().unwrap();
    let wrong = |path: &Path| Source::read(path, None).unwrap_err().to_string();
    assert!(wrong(home.path()).contains("holds none"));
    assert!(wrong(&home.path().join("absent")).contains("absent"));
    let target = home.path().join("run");
    write(home.path(), "run", &run("raft/honest", 100, &KEPT));
    let error = compare(Source::read(&target, None).unwrap(), Some("onest")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no run is called `onest`; there are: honest"
    );
}
