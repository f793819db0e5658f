//! How far the peers' membership views are from each other and from the truth.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::Seconds;

/// The membership views of all peers that are up, at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MembershipRow {
    /// Virtual time of the sample.
    pub at_s: Seconds,
    /// Share of (observer, subject) pairs in which the observer's view differs from the truth:
    /// 0 to 1.
    pub disagreement: f64,
    /// Members that a view lists as alive, mean over views.
    pub alive_mean: f64,
    /// Members that a view lists as suspect, mean over views.
    pub suspect_mean: f64,
    /// Members that a view lists as dead, mean over views.
    pub dead_mean: f64,
    /// Pairs in which a connected live peer is held for dead.
    pub false_positives: u64,
}

impl Subject for MembershipRow {
    const FILE: &'static str = "membership.csv";
}
