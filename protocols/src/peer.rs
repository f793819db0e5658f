//! Who a message comes from and goes to: the peer's slot. Must not know keys or names.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::fold::{Fold, Folder};

/// The slot of one simulated party, counted from 0 in scenario order.
///
/// It is an address, not an identity: twins share an [`Identity`](crate::Identity), a sybil holds
/// several slots, and a key can be rotated while the slot stays.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct PeerId(pub u32);

impl PeerId {
    /// The slot as an index into per-peer tables.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl Fold for PeerId {
    fn fold(&self, into: &mut Folder) {
        into.u64(u64::from(self.0));
    }
}
