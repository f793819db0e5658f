//! Who took part.

use serde::{Deserialize, Serialize};

use super::Subject;

/// One simulated party.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerRow {
    /// Slot in scenario order, from 0.
    pub peer: u32,
    /// Name in the scenario (`acme-1`, `client-1`).
    pub nickname: String,
    /// Organisation it belongs to; empty without organisations.
    pub organisation: String,
    /// Region it stands in; empty without regions.
    pub region: String,
    /// Hash of its public key at the start, hexadecimal; empty if no key was ever made for it.
    pub identity: String,
}

impl Subject for PeerRow {
    const FILE: &'static str = "peers.csv";
}
