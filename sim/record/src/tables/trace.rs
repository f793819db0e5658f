//! Every message, one by one.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::Seconds;

/// One message from one peer to another; a copy that the network made is one of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceRow {
    /// Virtual time at which it entered the network.
    pub sent_s: Seconds,
    /// Virtual time at which it was delivered; empty if it was not.
    pub arrived_s: Option<Seconds>,
    /// Nickname of the sender.
    pub from: String,
    /// Nickname of the receiver.
    pub to: String,
    /// Kind of message, for instance `swim/ping`.
    pub kind: String,
    /// Encoded size.
    pub bytes: u32,
    /// `delivered`, or why it was not: `loss`, `cut`, `down`, `queue`, `in flight`.
    pub fate: String,
}

impl Subject for TraceRow {
    const FILE: &'static str = "trace.csv";
}
