//! Damaged records: every error names its place.

use std::fs;
use std::path::Path;

use fedsim_record::{RecordError, RunDirectory, RunRecord};

use crate::sample::record;

/// The error of reading a good run after `file` was changed by `damage`.
fn after(file: &str, damage: impl Fn(&str) -> String) -> String {
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("run");
    RunDirectory::claim(&target)
        .unwrap()
        .commit(&record(7), |_| Ok(()))
        .unwrap();
    let path = target.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let changed = damage(&text);
    assert_ne!(text, changed, "the damage must change the file");
    fs::write(&path, changed).unwrap();
    RunRecord::read(&target).unwrap_err().to_string()
}

#[test]
fn a_damaged_cell_is_named_by_file_line_and_column() {
    // The second detection row is line 3 of its file, the message row line 2 of its own. A time
    // says what it is not; for a plain number the column says it.
    let error = after("detection.csv", |text| text.replace("9.000000001", "soon"));
    assert!(
        error.contains("detection.csv:3: `soon` is not a decimal number"),
        "{error}"
    );
    let error = after("messages.csv", |text| text.replace(",640", ",many"));
    assert!(error.contains("messages.csv:2: column `bytes`"), "{error}");
}

#[test]
fn a_short_line_and_a_missing_column_are_named() {
    // Half a line is what a full disk leaves; a missing column is what another tool leaves.
    let error = after("load.csv", |text| text.replace(",700", ""));
    assert!(
        error.contains("load.csv:2: 5 columns where the header has 6"),
        "{error}"
    );
    let error = after("load.csv", |text| text.replace("bytes_max", "bytes_top"));
    assert!(
        error.contains("load.csv:2") && error.contains("bytes_max"),
        "{error}"
    );
}

#[test]
fn a_damaged_summary_is_named_by_line() {
    // `seed` is on line 6 of the indented object.
    let error = after("summary.json", |text| {
        text.replace("\"seed\": 7", "\"seed\": -7")
    });
    assert!(error.contains("summary.json:6:"), "{error}");
}

#[test]
fn a_summary_of_another_version_is_told_from_a_broken_one() {
    // A user with a newer file needs to hear of versions, not of missing fields.
    let error = after("summary.json", |text| {
        text.replace("fedsim-run/1", "fedsim-run/9")
    });
    assert!(
        error.contains("`fedsim-run/9`") && error.contains("`fedsim-run/1`"),
        "{error}"
    );
}

#[test]
fn a_directory_without_summary_is_not_a_run() {
    // Also a path that does not exist, and a file: none can be read as a run.
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    for path in ["", "absent", "file"] {
        let error = RunRecord::read(&home.path().join(Path::new(path)));
        assert!(matches!(error, Err(RecordError::NotARun { .. })), "{path}");
    }
}
