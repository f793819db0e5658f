//! The fate of messages, aggregated.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::Seconds;

/// Messages of one kind that were sent within one interval, and what became of them.
///
/// `sent + duplicated = delivered + dropped_* + in flight at the end of the run`, summed over
/// all intervals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Start of the interval (included).
    pub from_s: Seconds,
    /// End of the interval (excluded).
    pub to_s: Seconds,
    /// Kind of message, for instance `swim/ping`.
    pub kind: String,
    /// Messages handed to the network.
    pub sent: u64,
    /// Messages that reached a peer.
    pub delivered: u64,
    /// Messages that were lost at random.
    pub dropped_loss: u64,
    /// Messages that a partition or another cut stopped, at sending or at arrival.
    pub dropped_cut: u64,
    /// Messages that arrived at a peer that was down.
    pub dropped_down: u64,
    /// Messages that a full queue refused.
    pub dropped_queue: u64,
    /// Further copies that the network made.
    pub duplicated: u64,
    /// Encoded bytes of the messages sent.
    pub bytes: u64,
}

impl Subject for MessageRow {
    const FILE: &'static str = "messages.csv";
}
