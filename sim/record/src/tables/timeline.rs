//! What each peer was, and when.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::Seconds;

/// A span in which one peer was one thing; a piece of its lane in a picture.
///
/// The spans of one peer in one timeline are in order of time and do not overlap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// Which timeline, for instance `leadership`.
    pub timeline: String,
    /// Slot of the peer.
    pub peer: u32,
    /// Its nickname.
    pub nickname: String,
    /// Virtual time from which on it was that.
    pub from_s: Seconds,
    /// Virtual time until which it was that; the end of the run if nothing ended it.
    pub to_s: Seconds,
    /// What it was, for instance `leader`; `down` and `paused` in every timeline.
    pub state: String,
    /// The term, view or epoch in which it was that; empty where there is none.
    pub number: Option<u64>,
}

impl Subject for TimelineRow {
    const FILE: &'static str = "timeline.csv";
}
