//! Runs of one seed and of many: files, JSON, determinism, exit codes.

use std::fs;

use crate::desk::{Desk, QUICK, files, json, names};

#[test]
fn a_run_leaves_a_whole_directory_and_is_replaced_by_the_next() {
    // All that the contract names is there, nothing hidden is left over, and a second run takes
    // the place of the first.
    let desk = Desk::new();
    for _ in 0..2 {
        let said = desk.fedsim(&["run", "quick.toml"]).exits(0);
        assert!(
            said.out.contains("runs/quick-3/report.html"),
            "{}",
            said.out
        );
        assert!(said.out.lines().count() <= 24, "{}", said.out);
        assert!(
            said.out.lines().all(|line| line.chars().count() <= 80),
            "{}",
            said.out
        );
        assert!(
            !said.out.contains('\u{1b}') && said.err.is_empty(),
            "{}",
            said.err
        );
    }
    let left = names(&desk.path("runs/quick-3"));
    for file in [
        "scenario.toml",
        "summary.json",
        "report.html",
        "plots",
        "messages.csv",
    ] {
        assert!(left.iter().any(|name| name == file), "{file} in {left:?}");
    }
    assert_eq!(names(&desk.path("runs")), ["latest", "quick-3"]);
}

#[test]
fn equal_seeds_give_equal_files_on_any_number_of_threads() {
    // Digest and every byte but those of the summary, which holds real time; and another seed
    // gives another digest, so that the comparison can fail.
    let desk = Desk::new();
    let run = |out: &str, seed: &str, threads: &str| {
        let arguments = [
            "run",
            "quick.toml",
            "--seed",
            seed,
            "--threads",
            threads,
            "--out",
            out,
            "--format",
            "json",
        ];
        json(&desk.fedsim(&arguments).exits(0).out)["digest"].clone()
    };
    let (one, two, other) = (
        run("one", "3", "1"),
        run("two", "3", "2"),
        run("other", "4", "1"),
    );
    assert_eq!(one, two);
    assert_ne!(one, other);
    let (one, two) = (files(&desk.path("one")), files(&desk.path("two")));
    assert!(one.len() > 5);
    assert_eq!(one, two);
}

#[test]
fn what_ran_runs_again() {
    // `scenario.toml` holds overrides and seed, so that it alone gives the same digest.
    let desk = Desk::new();
    let first = [
        "run",
        "quick.toml",
        "--seed",
        "9",
        "--set",
        "network.loss=0.05",
    ];
    let digest = |arguments: &[&str]| {
        let arguments = [arguments, &["--format", "json"]].concat();
        json(&desk.fedsim(&arguments).exits(0).out)["digest"].clone()
    };
    let first = digest(&first);
    fs::copy(
        desk.path("runs/quick-9/scenario.toml"),
        desk.path("again.toml"),
    )
    .expect("copied");
    assert_eq!(first, digest(&["run", "again.toml"]));
    assert_ne!(first, digest(&["run", "quick.toml", "--seed", "9"]));
}

#[test]
fn the_json_of_a_run_has_the_keys_of_the_contract() {
    // Scripts read these; the file in the run directory is the same text.
    let desk = Desk::new();
    let said = desk
        .fedsim(&["run", "quick.toml", "--format", "json"])
        .exits(0);
    let object = json(&said.out);
    for key in [
        "version",
        "commit",
        "scenario",
        "seed",
        "threads",
        "digest",
        "virtual_seconds",
        "wall_seconds",
        "events",
        "messages",
        "invariants",
        "expectations",
        "metrics",
    ] {
        assert!(!object[key].is_null(), "{key}");
    }
    for key in ["sent", "delivered", "dropped", "bytes"] {
        assert!(object["messages"][key].is_u64(), "{key}");
    }
    assert_eq!(object["expectations"][0]["met"], true);
    assert!(object["wall_seconds"].as_f64() > Some(0.0));
    assert_eq!(object["seed"], 3);
    let kept = fs::read_to_string(desk.path("runs/quick-3/summary.json")).expect("there");
    assert_eq!(kept, said.out);
}

#[test]
fn a_missed_expectation_exits_with_one() {
    // The directory is written all the same: it is what one looks at then.
    let desk = Desk::new();
    let set = "expect.false_positives={ at_least = 1 }";
    let said = desk.fedsim(&["run", "quick.toml", "--set", set]).exits(1);
    assert!(said.out.contains("false_positives"), "{}", said.out);
    assert!(desk.path("runs/quick-3/report.html").exists());
}

#[test]
fn verification_says_that_it_was_made() {
    let desk = Desk::new();
    let said = desk
        .fedsim(&["run", "quick.toml", "--verify", "--format", "json"])
        .exits(0);
    let notes = json(&said.out)["notes"].to_string();
    assert!(notes.contains("verified"), "{notes}");
}

#[test]
fn many_seeds_leave_a_row_each_in_order() {
    // Rows by seed whichever run ended first, equal bytes whatever the number of jobs.
    let desk = Desk::new();
    let run = |out: &str, jobs: &str| {
        let arguments = [
            "run",
            "quick.toml",
            "--seeds",
            "1..=6",
            "--jobs",
            jobs,
            "--out",
            out,
            "--format",
            "json",
        ];
        json(&desk.fedsim(&arguments).exits(0).out)
    };
    let (one, three) = (run("one", "1"), run("three", "3"));
    assert_eq!(one, three);
    assert_eq!((&one["seeds"], &one["passed"]), (&6.into(), &6.into()));
    assert_eq!(one["failed"], serde_json::json!([]));
    assert!(one["metrics"].is_object());
    let rows = fs::read_to_string(desk.path("one/runs.csv")).expect("there");
    let seeds: Vec<&str> = rows
        .lines()
        .map(|row| row.split(',').next().unwrap_or(""))
        .collect();
    assert_eq!(seeds, ["seed", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(files(&desk.path("one")), files(&desk.path("three")));
}

#[test]
fn failing_seeds_come_with_the_line_that_replays_them() {
    // The line itself is run: it must fail in the same way.
    let desk = Desk::new();
    let set = "expect.false_positives={ at_least = 1 }";
    let arguments = [
        "run",
        "quick.toml",
        "--set",
        set,
        "--seeds",
        "4..6",
        "--format",
        "json",
    ];
    let object = json(&desk.fedsim(&arguments).exits(1).out);
    assert_eq!(object["failed"], serde_json::json!([4, 5]));
    let replay = object["failures"][0]["replay"].as_str().expect("a line");
    assert_eq!(
        replay,
        format!("fedsim run quick.toml --seed 4 --set '{set}'")
    );
    desk.fedsim(&["run", "quick.toml", "--seed", "4", "--set", set])
        .exits(1);
}

#[test]
fn a_scenario_of_several_runs_is_judged_over_its_seeds() {
    // `runs = 3` runs seeds 3 to 5; the bound decides, one way and the other, on a mean and on a
    // quantile.
    let desk = Desk::new();
    let pooled = |bound: &str| {
        let bound = format!("\n[expect.pooled]\n{bound}\n");
        desk.put(
            "pooled.toml",
            &(QUICK.replace("seed = 3", "seed = 3\nruns = 3") + &bound),
        );
        desk.fedsim(&["run", "pooled.toml", "--format", "json"])
    };
    let met = json(&pooled("false_positives = { at_most = 0 }").exits(0).out);
    assert_eq!(
        (&met["seeds"], &met["expectations"][0]["met"]),
        (&3.into(), &true.into())
    );
    for bound in [
        "false_positives = { at_least = 1 }",
        "p99.false_positives = { at_least = 1 }",
    ] {
        let missed = json(&pooled(bound).exits(1).out);
        assert_eq!(missed["expectations"][0]["met"], false, "{bound}");
    }
}
