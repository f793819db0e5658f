//! The reference page explains everything that is written.

use std::fs;

use fedsim_record::{RunDirectory, Tables, TraceRow};
use fedsim_reports::pictures;

use crate::sample::record;

const REFERENCE: &str = include_str!("../README.md");

/// The line of the reference page that explains `name`.
fn line_of(name: &str) -> &'static str {
    let quoted = format!("`{name}`");
    let is_of = |line: &&str| first_cell(line).split(", ").any(|it| it == quoted);
    let line = REFERENCE.lines().find(is_of);
    line.unwrap_or_else(|| panic!("the reference has no line for {name}"))
}

/// The first cell of a row of a table; nothing of any other line.
fn first_cell(line: &str) -> &str {
    let row = line.strip_prefix("| ").unwrap_or_default();
    row.split(" |").next().unwrap_or_default()
}

#[test]
fn every_table_and_column_is_explained() {
    // The columns are read from files as written, so a column that was renamed or added without
    // its words fails here.
    let mut full = record();
    full.tables.trace.push(TraceRow {
        sent_s: full.summary.virtual_seconds,
        arrived_s: None,
        from: String::new(),
        to: String::new(),
        kind: String::new(),
        bytes: 0,
        fate: String::new(),
    });
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("run");
    RunDirectory::claim(&target)
        .unwrap()
        .commit(&full, |_| Ok(()))
        .unwrap();
    for file in Tables::FILES {
        let text = fs::read_to_string(target.join(file)).unwrap();
        for column in text.lines().next().unwrap().split(',') {
            let explained = line_of(file).contains(&format!("`{column}`"));
            assert!(
                explained,
                "{file} has a column {column} without an explanation"
            );
        }
    }
}

#[test]
fn every_key_of_the_summary_is_explained() {
    // Keys as written, two blanks deep: those of the object itself.
    for line in record().summary.to_json().lines() {
        let Some(key) = line
            .strip_prefix("  \"")
            .and_then(|rest| rest.split('"').next())
        else {
            continue;
        };
        assert!(
            REFERENCE.contains(&format!("`{key}`")),
            "{key} is not explained"
        );
    }
}

#[test]
fn every_picture_is_explained() {
    // Series have names of their own and share one line.
    for picture in pictures(&record()).unwrap() {
        let name = match picture.name.starts_with("samples-") {
            true => "samples-*",
            false => &picture.name,
        };
        assert!(!line_of(name).is_empty());
    }
}
