//! What clients asked for and how long it took.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::{Milliseconds, Seconds};

/// One client operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyRow {
    /// Kind of operation, for instance `kv/put`.
    pub operation: String,
    /// Virtual time at which it was meant to be sent: waiting for a slow client counts.
    pub invoked_s: Seconds,
    /// Virtual time of the answer; empty if there was none.
    pub returned_s: Option<Seconds>,
    /// From `invoked_s` to `returned_s`; for an unanswered operation to the end of the run, so
    /// that the true latency is at least this.
    pub latency_ms: Milliseconds,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a client operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Answered, and done.
    Ok,
    /// Answered, and certainly not done.
    Failed,
    /// Not answered before the end of the run: it may have been done or not. Censored.
    Unanswered,
}

impl Subject for LatencyRow {
    const FILE: &'static str = "latency.csv";
}
