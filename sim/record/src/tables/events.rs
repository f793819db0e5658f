//! What happened that a reader wants to know.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::Seconds;

/// One event of interest: a fact in past form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Virtual time of the event.
    pub at_s: Seconds,
    /// Slot of the peer it happened at; empty for an event of the network or the nemesis.
    pub peer: Option<u32>,
    /// Nickname of that peer; empty like `peer`.
    pub nickname: String,
    /// Name of the event, for instance `swim/suspected`.
    pub event: String,
    /// The event's values, for a person to read.
    pub detail: String,
}

impl Subject for EventRow {
    const FILE: &'static str = "events.csv";
}
