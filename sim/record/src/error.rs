//! What can go wrong between a record and its directory. Every message names the file.

use std::io;
use std::path::{Path, PathBuf};

/// A run record that could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The operating system refused; nothing is known about the content.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`, `create`.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// The directory has no summary, so it is not the directory of a finished run.
    #[error("{} is not a run directory: it has no summary.json", path.display())]
    NotARun {
        /// The directory that was to be read.
        path: PathBuf,
    },
    /// The summary was written by something else, or by a version that this one cannot read.
    #[error("{}: schema is `{found}`, and this version reads `{wanted}`", path.display())]
    Schema {
        /// The summary file.
        path: PathBuf,
        /// The marker found.
        found: String,
        /// The marker that this reader understands.
        wanted: &'static str,
    },
    /// A JSON file that does not say what it should.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A CSV file that does not say what it should.
    #[error("{}:{line}: {message}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// Line, from 1; the header is line 1.
        line: u64,
        /// What is wrong there, with the name of the column where it is known.
        message: String,
    },
    /// A metric that is infinite or not a number, which JSON cannot carry.
    #[error("BUG: metric `{name}` is {value}, not a finite number")]
    NotFinite {
        /// Name of the metric.
        name: String,
        /// Its value.
        value: f64,
    },
}

impl RecordError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }

    pub(crate) fn json(path: &Path, error: &serde_json::Error) -> Self {
        Self::Json {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        }
    }
}

/// A run directory that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Something that is not a run of ours stands in the way; it was not touched.
    #[error("{} is in the way: {why}; choose another directory with --out", path.display())]
    Occupied {
        /// The directory that was asked for.
        path: PathBuf,
        /// How it is seen not to be a run of ours.
        why: &'static str,
    },
    /// The path names no directory that could be made: it is empty or ends in `..`.
    #[error("`{}` does not name a directory to write", path.display())]
    NoName {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// A part of the record could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The caller's own files (plots, pages) could not be written.
    #[error("cannot complete the run directory: {0}")]
    Extras(#[source] Box<dyn std::error::Error + Send + Sync>),
}
