//! Reports on many runs.

use std::fs;

use fedsim_record::{RunDirectory, RunRecord, Verdict, read_runs};
use fedsim_reports::{SeedsDirectory, SeedsSummary, render, seeds_text};

use crate::sample::record;

/// A run of the sample scenario whose latency grows with the seed; every fifth is violated.
fn run(seed: u64) -> RunRecord {
    let mut run = record();
    run.summary.seed = seed;
    run.summary.replay = format!("fedsim run gossip/healed-partition --seed {seed}");
    let latency = run
        .summary
        .metrics
        .get_mut("detection_latency_p50_ms")
        .unwrap();
    *latency += 10.0 * seed as f64;
    if !seed.is_multiple_of(5) {
        run.summary.verdict = Verdict::Passed;
    }
    if seed == 7 {
        run.summary.verdict = Verdict::Unknown;
        run.summary.invariants.remove(0);
        run.summary.expectations.clear();
    }
    run
}

#[test]
fn many_runs_become_one_summary_with_replay_lines() {
    // Seeds 0 to 19: 0, 5, 10, 15 are violated and 7 is unknown by construction; the mean of
    // the latency is its value at the mean seed 9.5.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("runs/healed");
    let mut seeds = SeedsDirectory::claim(&target, "seed = 0\n").unwrap();
    for seed in 0..20 {
        seeds.add(&run(seed)).unwrap();
    }
    let (published, summary) = seeds.publish(|_| Vec::new()).unwrap().unwrap();
    assert_eq!(published, target);
    assert_eq!((summary.seeds, summary.passed), (20, 15));
    assert_eq!(
        (&summary.failed, &summary.unknown),
        (&vec![0, 5, 10, 15], &vec![7])
    );
    assert_eq!(summary.verdict(), Verdict::Violated);
    let latency = summary.metrics["detection_latency_p50_ms"];
    assert!((latency.mean - (1873.25 + 95.0)).abs() < 1e-9);

    let text = seeds_text(&summary);
    assert!(text.contains("15 passed, 4 violated, 1 unknown"), "{text}");
    assert!(
        text.contains("✗ seed 10  swim/accuracy at 24.816 s: globex-11"),
        "{text}"
    );
    assert!(
        text.contains("  fedsim run gossip/healed-partition --seed 10\n"),
        "{text}"
    );
    assert!(
        text.contains("? seed 7  swim/convergence: assumption broken"),
        "{text}"
    );

    let json = fs::read_to_string(target.join("summary.json")).unwrap();
    let read: SeedsSummary = serde_json::from_str(&json).unwrap();
    assert_eq!(read, summary);
    assert_eq!(read_runs(&target).unwrap().len(), 20);
    let pooled = fs::read_to_string(target.join("detection.csv")).unwrap();
    assert_eq!(pooled.lines().count(), 1 + 20 * 31);
}

#[test]
fn the_page_of_many_runs_is_made_again_to_the_byte() {
    // Made from memory first and from runs.csv second; floats that did not survive the file
    // would move a curve.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("runs");
    let mut seeds = SeedsDirectory::claim(&target, "seed = 0\n").unwrap();
    for seed in 0..7 {
        seeds.add(&run(seed)).unwrap();
    }
    seeds.publish(|_| Vec::new()).unwrap().unwrap();
    let page = fs::read_to_string(target.join("report.html")).unwrap();
    assert!(page.contains("Seeds that did not pass") && page.contains("<figure "));
    fs::remove_file(target.join("report.html")).unwrap();
    render(&target).unwrap();
    assert_eq!(
        fs::read_to_string(target.join("report.html")).unwrap(),
        page
    );
}

#[test]
fn a_directory_of_many_runs_is_ours_to_replace() {
    // First many runs, then one, then many at the same place: each must take the other for ours.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("runs");
    for _ in 0..2 {
        let mut seeds = SeedsDirectory::claim(&target, "seed = 0\n").unwrap();
        seeds.add(&run(1)).unwrap();
        seeds.publish(|_| Vec::new()).unwrap().unwrap();
        let single = RunDirectory::claim(&target).unwrap();
        single.commit(&run(1), |_| Ok(())).unwrap();
    }
    assert_eq!(RunRecord::read(&target).unwrap(), run(1));
}

#[test]
fn no_run_leaves_nothing() {
    // An interrupt before the first run ended.
    let home = tempfile::tempdir().unwrap();
    let seeds = SeedsDirectory::claim(&home.path().join("runs"), "").unwrap();
    assert!(seeds.publish(|_| Vec::new()).unwrap().is_none());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}
