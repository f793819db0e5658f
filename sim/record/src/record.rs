//! The record of one run in memory.

use crate::summary::Summary;
use crate::tables::Tables;

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
}
