//! What was done to hurt the run.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::Seconds;

/// One injected fault; a band in every plot over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultRow {
    /// Number on its band in the plots, from 1, in order of start.
    pub number: u32,
    /// Label for the legend, for instance `partition in halves`.
    pub label: String,
    /// Kind of fault, as in the scenario file.
    pub kind: String,
    /// Virtual time it began.
    pub from_s: Seconds,
    /// Virtual time it ended; empty if it lasted to the end of the run. Equal to `from_s` for a
    /// fault without duration, such as a clock jump.
    pub to_s: Option<Seconds>,
    /// Peers it was aimed at: nicknames separated by blanks, or words for a large group.
    pub peers: String,
    /// How often it changed something: messages it cut, peers it crashed. 0 means that it never
    /// took effect.
    pub took_effect: u64,
}

impl Subject for FaultRow {
    const FILE: &'static str = "faults.csv";
}
