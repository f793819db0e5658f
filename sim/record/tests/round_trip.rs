//! Records survive their files unchanged.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fedsim_record::{RunDirectory, RunRecord, Tables};

use crate::sample::record;

/// All files of a directory by name.
pub(crate) fn files(directory: &Path) -> BTreeMap<String, String> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

fn write(target: &Path, record: &RunRecord) {
    let directory = RunDirectory::claim(target).unwrap();
    directory.commit(record, |_| Ok(())).unwrap();
}

#[test]
fn what_is_read_is_what_was_written() {
    // The sample has a row in each table, and equality covers every field of every row, so a
    // column that were left out, rounded or mixed up would show.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("run");
    write(&target, &record(7));
    assert_eq!(RunRecord::read(&target).unwrap(), record(7));
    for name in Tables::FILES {
        assert!(
            target.join(name).is_file(),
            "the sample has no row for {name}"
        );
    }
}

#[test]
fn equal_records_give_equal_bytes() {
    // Reports are compared byte by byte between runs; a map in random order would break it.
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("a"), &record(7));
    write(&home.path().join("b"), &record(7));
    assert_eq!(files(&home.path().join("a")), files(&home.path().join("b")));
}

#[test]
fn a_subject_without_rows_leaves_no_file_and_reads_as_empty() {
    // Old directories lack the tables of newer versions in just this way.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("run");
    let bare = RunRecord {
        tables: Tables::default(),
        ..record(7)
    };
    write(&target, &bare);
    let names: Vec<_> = files(&target).into_keys().collect();
    assert_eq!(names, ["scenario.toml", "summary.json"]);
    assert_eq!(RunRecord::read(&target).unwrap(), bare);
}

#[test]
fn wall_time_stands_in_the_summary_alone() {
    // Two runs that differ in nothing but wall time must differ in no other file.
    let home = tempfile::tempdir().unwrap();
    let mut slower = record(7);
    slower.summary.wall_seconds = 99.0;
    write(&home.path().join("a"), &record(7));
    write(&home.path().join("b"), &slower);
    let (a, b) = (files(&home.path().join("a")), files(&home.path().join("b")));
    let differing: Vec<_> = a.keys().filter(|name| a[*name] != b[*name]).collect();
    assert_eq!(differing, ["summary.json"]);
}

#[test]
fn the_summary_has_the_contracted_keys_in_order() {
    // The keys are what other programs read; this list is the contract, word for word.
    let json = record(7).summary.to_json();
    let keys: Vec<_> = json
        .lines()
        .filter_map(|line| line.strip_prefix("  \""))
        .filter_map(|line| line.split('"').next())
        .collect();
    let contract = [
        "schema",
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
        "claim",
        "verdict",
        "replay",
        "notes",
    ];
    assert_eq!(keys, contract);
}
