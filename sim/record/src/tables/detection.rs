//! How long a crash stays unnoticed.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::{Milliseconds, Seconds};

/// What one observer noticed of one crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectionRow {
    /// Nickname of the peer that crashed.
    pub victim: String,
    /// Nickname of the peer that watches.
    pub observer: String,
    /// Virtual time of the crash.
    pub crash_s: Seconds,
    /// Virtual time at which the observer first suspected the victim after the crash.
    pub suspected_s: Option<Seconds>,
    /// Virtual time at which the observer held the victim for dead.
    pub detected_s: Option<Seconds>,
    /// From the crash to detection; if `censored`, from the crash to the end of observation, so
    /// that the true latency is at least this.
    pub latency_ms: Milliseconds,
    /// Whether observation ended (end of run, crash of the observer, return of the victim)
    /// before the observer detected the crash.
    pub censored: bool,
}

impl Subject for DetectionRow {
    const FILE: &'static str = "detection.csv";
}
