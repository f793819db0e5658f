//! What can go wrong when a report is made.

use std::io;
use std::path::{Path, PathBuf};

use fedsim_record::{DirectoryError, RecordError};

/// A report that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The record to report on could not be read, or a table not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The directory of many runs could not be put in its place.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A file of the report could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// A picture could not be drawn; a fault of ours.
    #[error("BUG: cannot draw `{figure}`: {reason}")]
    Draw {
        /// Name of the figure.
        figure: String,
        /// What the drawing library says.
        reason: String,
    },
}

impl ReportError {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}
