//! How knowledge spreads.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::Seconds;

/// How many peers know one thing at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConvergenceRow {
    /// The thing that is to be known, for instance `acme-3 is dead`.
    pub subject: String,
    /// Virtual time of the sample.
    pub at_s: Seconds,
    /// Peers that know it, as a share of the peers that are up: 0 to 1.
    pub share: f64,
}

impl Subject for ConvergenceRow {
    const FILE: &'static str = "convergence.csv";
}
