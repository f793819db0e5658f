//! The page and the terminal summary of one run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fedsim_record::{Holds, RunDirectory, RunRecord, Summary, Tables, Verdict};
use fedsim_reports::{ReportError, render, text_summary, write_report};

use crate::sample::{record, under_churn};

fn write(target: &Path, record: &RunRecord) {
    RunDirectory::claim(target)
        .unwrap()
        .commit(record, |staging| Ok(write_report(record, staging)?))
        .unwrap();
}

/// Every file below a directory with its bytes.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

fn page(record: &RunRecord) -> String {
    let home = tempfile::tempdir().unwrap();
    write_report(record, home.path()).unwrap();
    fs::read_to_string(home.path().join("report.html")).unwrap()
}

#[test]
fn a_report_made_again_is_the_same_to_the_byte() {
    // The first report is made from the record in memory, the second from its files alone: any
    // rounding in between, and any order left to chance, would change a byte.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("run");
    write(&target, &record());
    let before = files(&target);
    fs::write(target.join("plots/stale.svg"), "of an older version").unwrap();
    fs::remove_file(target.join("report.html")).unwrap();
    render(&target).unwrap();
    assert_eq!(files(&target), before);
}

#[test]
fn wall_time_and_threads_stay_out_of_page_and_pictures() {
    // Two runs of a seed differ in these alone, and their reports must be comparable.
    let mut other = record();
    other.summary.wall_seconds = 77.125;
    other.summary.threads = 64;
    let [a, b] = [record(), other].map(|record| {
        let home = tempfile::tempdir().unwrap();
        write_report(&record, home.path()).unwrap();
        files(home.path()).into_values().collect::<Vec<_>>()
    });
    assert_eq!(a, b);
}

#[test]
fn a_directory_that_is_no_run_is_not_touched() {
    // The error comes before the first write, so the listing stays empty.
    let home = tempfile::tempdir().unwrap();
    let refused = render(home.path());
    assert!(matches!(refused, Err(ReportError::Record(_))));
    assert!(files(home.path()).is_empty());
}

#[test]
fn the_page_says_what_a_reader_needs_and_stands_alone() {
    // Each text is one thing the page is for; none of the prefixes is a load from elsewhere
    // (the namespace of SVG is a name, not an address that is fetched).
    let page = page(&record());
    let wanted = [
        "violated",
        "A crash is detected by everybody",
        "fedsim run gossip/healed-partition --seed 7",
        "globex-11 holds acme-3 for dead",
        "24.816204117 s",
        "globex-11 declared acme-3 dead",
        "assumption broken",
        "never exercised",
        "✗ missed",
        "partition in halves",
        "fault 4 (clock jump) never took effect",
        "[network]",
        "convergence.csv",
        "<figcaption>",
    ];
    for text in wanted {
        assert!(page.contains(text), "the page lacks: {text}");
    }
    for load in ["src=", "@import", "url(", "href=\"http"] {
        assert!(!page.contains(load), "the page loads something: {load}");
    }
}

#[test]
fn names_cannot_smuggle_markup_into_the_page() {
    // Names and labels come from scenario files of others.
    let mut hostile = record();
    let script = "<script>alert(1)</script>";
    hostile.summary.claim = script.to_owned();
    hostile.tables.faults[0].label = script.to_owned();
    hostile.tables.convergence[0].subject = script.to_owned();
    hostile.scenario = script.to_owned();
    assert!(!page(&hostile).contains(script));
}

#[test]
fn a_bare_record_still_has_a_page() {
    // A run may have no tables, no invariants and no expectations.
    let mut bare = record();
    bare.tables = Tables::default();
    bare.summary = Summary {
        invariants: Vec::new(),
        expectations: Vec::new(),
        metrics: BTreeMap::new(),
        notes: Vec::new(),
        verdict: Verdict::Passed,
        ..bare.summary
    };
    let page = page(&bare);
    assert!(page.contains("none checked") && page.contains("none stated"));
    assert!(!page.contains("<figure "));
}

#[test]
fn the_summary_fits_a_screen_and_names_what_failed() {
    // 24 lines of 80 columns less two for the prompt and the path of the report. The second
    // record has far more of everything than a screen holds.
    let mut crowded = under_churn();
    let summary = &mut crowded.summary;
    for index in 0..50 {
        let mut invariant = summary.invariants[0].clone();
        invariant.name = format!("swim/a-rather-long-invariant-name-{index}");
        invariant.first_violation.as_mut().unwrap().message = "long ".repeat(40);
        summary.invariants.push(invariant);
        let mut expectation = summary.expectations[1].clone();
        expectation.name = format!("expectation_{index}");
        summary.expectations.push(expectation);
        summary
            .metrics
            .insert(format!("a_metric_with_a_name_{index}_ms"), 0.125);
        summary.notes.push("note".repeat(40));
    }
    for record in [record(), crowded] {
        let text = text_summary(&record);
        assert!(text.lines().count() <= 22, "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(text.contains("✗ VIOLATED"), "{text}");
        assert!(
            text.contains("✗ swim/accuracy") && text.contains("at 24.816 s"),
            "{text}"
        );
        assert!(text.contains("✗ false_positives"), "{text}");
        assert!(text.contains(&record.summary.digest), "{text}");
        assert!(
            text.contains("replay    fedsim run gossip/healed-partition --seed 7"),
            "{text}"
        );
    }
}

#[test]
fn findings_without_evidence_are_never_shown_as_passed() {
    // A vacuous invariant with a tick would be the worst lie of a report.
    let mut vacuous = record();
    for invariant in &mut vacuous.summary.invariants {
        invariant.holds = Holds::NeverExercised;
        invariant.first_violation = None;
    }
    let text = text_summary(&vacuous);
    assert!(text.contains("5 never exercised"), "{text}");
    assert!(text.contains("? swim/accuracy"), "{text}");
    assert!(page(&vacuous).contains("? never exercised"));
}
