//! How leaders came to be.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::{Milliseconds, Seconds};

/// One election, or in the end the time for which no election succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElectionRow {
    /// Virtual time at which a majority had elected the leader; empty if none did before the end.
    pub elected_s: Option<Seconds>,
    /// Nickname of the leader; empty like `elected_s`.
    pub leader: String,
    /// The leader's term; empty like `elected_s`.
    pub term: Option<u64>,
    /// Terms that went by since the leader before, this one included; empty like `elected_s`.
    pub terms: Option<u64>,
    /// Time for which nobody led a quorum before; empty for the first election and if the leader
    /// before led until then. If `censored`, up to the end of the run: the true time is longer.
    pub downtime_ms: Option<Milliseconds>,
    /// Whether the run ended before anybody was elected.
    pub censored: bool,
}

impl Subject for ElectionRow {
    const FILE: &'static str = "elections.csv";
}
