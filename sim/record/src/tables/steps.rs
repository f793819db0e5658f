//! How long the steps of a protocol take.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::{Milliseconds, Seconds};

/// One step that came to its end: a decision, or a phase on the way to one.
///
/// Where there are too many, rows are spread evenly over all that there were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRow {
    /// Which step, for instance `commit`.
    pub step: String,
    /// Virtual time at which it ended.
    pub at_s: Seconds,
    /// How long it took.
    pub duration_ms: Milliseconds,
}

impl Subject for StepRow {
    const FILE: &'static str = "steps.csv";
}
