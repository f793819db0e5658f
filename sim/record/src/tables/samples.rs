//! Time series that need no row type of their own.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::Seconds;

/// One point of a named time series. Rows of one series are in order of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleRow {
    /// Name of the series; `panel/line` draws several lines into one panel, for instance
    /// `queue length/acme-1`.
    pub series: String,
    /// Unit of the value, for the axis (`ms`, `messages`); empty for a pure number.
    pub unit: String,
    /// Virtual time of the sample.
    pub at_s: Seconds,
    /// The value; finite.
    pub value: f64,
}

impl Subject for SampleRow {
    const FILE: &'static str = "samples.csv";
}
