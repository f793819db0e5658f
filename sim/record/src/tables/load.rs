//! How much each peer has to carry.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::fixed_point::Seconds;

/// Load of the peers within one interval: what they sent, over all peers that were up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadRow {
    /// Start of the interval (included).
    pub from_s: Seconds,
    /// End of the interval (excluded).
    pub to_s: Seconds,
    /// Messages sent by a peer, mean over peers.
    pub messages_mean: f64,
    /// Messages sent by the busiest peer.
    pub messages_max: u64,
    /// Bytes sent by a peer, mean over peers.
    pub bytes_mean: f64,
    /// Bytes sent by the busiest peer.
    pub bytes_max: u64,
}

impl Subject for LoadRow {
    const FILE: &'static str = "load.csv";
}
