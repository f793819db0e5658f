//! What the verification of the audit logs found.

use serde::{Deserialize, Serialize};

use super::Subject;

/// The log of one peer; one row for each thing that is wrong with it, or one if nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Whose log.
    pub peer: String,
    /// How many records it has.
    pub records: u64,
    /// The number of the last head that binds its owner and holds; all up to there is proven.
    pub proven_to: u64,
    /// Actions that were open when the log ended and too young to be missed.
    pub pending: u64,
    /// What is wrong; empty if nothing is.
    pub problem: String,
    /// Who did it; empty if nothing is wrong, or if it cannot be attributed.
    pub culprit: String,
}

impl Subject for AuditRow {
    const FILE: &'static str = "audit.csv";
}
