//! Run directories: whole or not at all, and nothing foreign ever touched.

use std::fs;
use std::io;
use std::path::Path;

use fedsim_record::{DirectoryError, RecordError, RunDirectory, RunRecord, link_latest};

use crate::sample::record;

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn nothing_stands_at_the_target_before_everything_is_written() {
    // The caller's files are made last; if the directory were visible by then, a reader could
    // find it without them.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("runs/crash-7");
    let directory = RunDirectory::claim(&target).unwrap();
    directory
        .commit(&record(7), |staging| {
            assert!(!target.exists());
            Ok(fs::write(staging.join("report.html"), "page")?)
        })
        .unwrap();
    assert_eq!(
        fs::read_to_string(target.join("report.html")).unwrap(),
        "page"
    );
    assert_eq!(names(&home.path().join("runs")), ["crash-7"]);
}

#[test]
fn an_earlier_run_of_ours_is_replaced_as_a_whole() {
    // The old run has a file that the new one lacks: a merge of both would keep it.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("run");
    for (seed, extra) in [(1, "old.svg"), (2, "new.svg")] {
        let directory = RunDirectory::claim(&target).unwrap();
        directory
            .commit(&record(seed), |staging| {
                Ok(fs::write(staging.join(extra), "")?)
            })
            .unwrap();
    }
    assert_eq!(RunRecord::read(&target).unwrap(), record(2));
    assert!(target.join("new.svg").exists());
    assert!(!target.join("old.svg").exists());
    assert_eq!(names(home.path()), ["run"]);
}

#[test]
fn a_failure_leaves_the_earlier_run_and_nothing_else() {
    // Both the refusal of the caller and our own refusal of a value happen after staging began.
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("run");
    RunDirectory::claim(&target)
        .unwrap()
        .commit(&record(1), |_| Ok(()))
        .unwrap();

    let refused = RunDirectory::claim(&target)
        .unwrap()
        .commit(&record(2), |_| {
            Err(io::Error::other("no plots today").into())
        });
    assert!(matches!(refused, Err(DirectoryError::Extras(_))));

    let mut broken = record(2);
    broken
        .summary
        .metrics
        .insert("mean_ms".to_owned(), f64::NAN);
    let refused = RunDirectory::claim(&target)
        .unwrap()
        .commit(&broken, |_| Ok(()));
    assert!(matches!(
        refused,
        Err(DirectoryError::Record(RecordError::NotFinite { name, .. })) if name == "mean_ms"
    ));

    assert_eq!(names(home.path()), ["run"]);
    assert_eq!(RunRecord::read(&target).unwrap(), record(1));
}

#[test]
fn a_claim_that_is_dropped_leaves_nothing() {
    // Bad input found after the claim, or an interrupt, ends so.
    let home = tempfile::tempdir().unwrap();
    drop(RunDirectory::claim(&home.path().join("run")).unwrap());
    assert!(names(home.path()).is_empty());
}

#[test]
fn whatever_is_not_a_run_of_ours_is_refused_untouched() {
    // One case for each way of not being ours; the listing afterwards shows that none was
    // touched and no staging was left.
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    fs::create_dir(path("empty")).unwrap();
    fs::create_dir(path("foreign")).unwrap();
    fs::write(path("foreign/thesis.tex"), "years of work").unwrap();
    fs::create_dir(path("marked")).unwrap();
    fs::write(path("marked/scenario.toml"), "").unwrap();
    fs::write(
        path("marked/summary.json"),
        "{\"schema\": \"another-tool/1\"}",
    )
    .unwrap();
    fs::write(path("file"), "text").unwrap();
    let before = names(home.path());
    for name in ["empty", "foreign", "marked", "file"] {
        let refused = RunDirectory::claim(&path(name));
        assert!(
            matches!(refused, Err(DirectoryError::Occupied { .. })),
            "{name} was not refused"
        );
    }
    assert_eq!(names(home.path()), before);
    assert_eq!(names(&path("foreign")), ["thesis.tex"]);
}

#[test]
fn a_place_that_cannot_be_written_is_told_at_the_claim() {
    // A parent that is a file cannot hold a directory, even for the superuser; the message must
    // name it.
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "text").unwrap();
    let refused = RunDirectory::claim(&home.path().join("file/run")).unwrap_err();
    assert!(refused.to_string().contains("file"), "{refused}");
    let nameless = RunDirectory::claim(Path::new(".."));
    assert!(matches!(nameless, Err(DirectoryError::NoName { .. })));
}

#[cfg(unix)]
#[test]
fn latest_follows_the_last_run_and_never_replaces_a_directory() {
    // The link is read back after each change; the second half shows the one exception.
    let home = tempfile::tempdir().unwrap();
    for name in ["a-1", "b-2"] {
        fs::create_dir(home.path().join(name)).unwrap();
        link_latest(&home.path().join(name)).unwrap();
        let link = fs::read_link(home.path().join("latest")).unwrap();
        assert_eq!(link, Path::new(name));
    }
    let refused = RunDirectory::claim(&home.path().join("latest"));
    assert!(matches!(refused, Err(DirectoryError::Occupied { .. })));

    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join("latest")).unwrap();
    link_latest(&other.path().join("run")).unwrap();
    assert!(fs::read_link(other.path().join("latest")).is_err());
}
