//! The record of one run in memory, its writing into a directory and its reading back.
//!
//! Must not know what else a run directory holds; [`crate::RunDirectory`] makes the directory
//! appear whole.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::csv_table;
use crate::error::RecordError;
use crate::summary::{RUN_SCHEMA, Summary};
use crate::tables::{Source, Subject, Tables, Visitor};

/// The file of the scenario text in a run directory.
pub const SCENARIO_FILE: &str = "scenario.toml";

/// The file of the summary in a run directory.
pub const SUMMARY_FILE: &str = "summary.json";

/// Everything that one run leaves behind; all that a report may read.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// What the run came to.
    pub summary: Summary,
    /// The scenario exactly as it ran, overrides and seed included, as TOML text. Running it
    /// again gives the same digest.
    pub scenario: String,
    /// The measured rows, one table per subject.
    pub tables: Tables,
    /// Further files in formats of their own. Written, but not read back.
    pub attachments: Vec<Attachment>,
}

/// A file of a run directory in a format that other tools read, such as a client history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The file's name: no directories, and none of the names that the record itself uses.
    pub name: String,
    /// What it says.
    pub text: String,
}

impl RunRecord {
    /// Writes scenario, tables, attachments and summary as files into `directory`, which must exist.
    ///
    /// The summary comes last: a directory without one is not a run.
    ///
    /// # Errors
    /// [`RecordError::NotFinite`] before anything is written, [`RecordError::Io`] while writing.
    pub fn write_files(&self, directory: &Path) -> Result<(), RecordError> {
        self.summary.check_finite()?;
        write_text(&directory.join(SCENARIO_FILE), &self.scenario)?;
        self.tables.visit(&mut TableFiles(directory))?;
        for attachment in &self.attachments {
            write_text(&directory.join(&attachment.name), &attachment.text)?;
        }
        write_text(&directory.join(SUMMARY_FILE), &self.summary.to_json())
    }

    /// Reads the record of a finished run from its directory.
    ///
    /// Tables without a file are empty, so that records of older versions and of runs with
    /// fewer subjects are read; files that this version does not know are ignored.
    ///
    /// # Errors
    /// [`RecordError::NotARun`] and [`RecordError::Schema`] for a directory that is not ours;
    /// otherwise an error that names the file, and the line at which it stops making sense.
    pub fn read(directory: &Path) -> Result<Self, RecordError> {
        let summary = read_summary(directory)?;
        let path = directory.join(SCENARIO_FILE);
        let scenario = fs::read_to_string(&path).map_err(RecordError::io("read", &path))?;
        let tables = read_tables(directory)?;
        Ok(Self {
            summary,
            scenario,
            tables,
            attachments: Vec::new(),
        })
    }
}

/// Reads the tables alone, of one run or pooled over many: the seeds of pooled rows are left aside.
///
/// # Errors
/// [`RecordError::Table`] that names the file and the line at which it stops making sense.
pub fn read_tables(directory: &Path) -> Result<Tables, RecordError> {
    Tables::fill(&mut TableFiles(directory))
}

fn read_summary(directory: &Path) -> Result<Summary, RecordError> {
    let path = directory.join(SUMMARY_FILE);
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => RecordError::NotARun {
            path: directory.to_owned(),
        },
        _ => RecordError::io("read", &path)(error),
    })?;
    let found = schema(&text).map_err(|error| RecordError::json(&path, &error))?;
    if found != RUN_SCHEMA {
        return Err(RecordError::Schema {
            path,
            found,
            wanted: RUN_SCHEMA,
        });
    }
    serde_json::from_str(&text).map_err(|error| RecordError::json(&path, &error))
}

/// The schema marker of a summary, whatever else it holds.
pub(crate) fn schema(summary: &str) -> Result<String, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Marked {
        schema: String,
    }
    serde_json::from_str::<Marked>(summary).map(|marked| marked.schema)
}

pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), RecordError> {
    fs::write(path, text).map_err(RecordError::io("write", path))
}

struct TableFiles<'a>(&'a Path);

impl Visitor<RecordError> for TableFiles<'_> {
    fn table<R: Subject>(&mut self, rows: &[R]) -> Result<(), RecordError> {
        csv_table::write(self.0, rows)
    }
}

impl Source<RecordError> for TableFiles<'_> {
    fn table<R: Subject>(&mut self) -> Result<Vec<R>, RecordError> {
        csv_table::read(self.0)
    }
}
