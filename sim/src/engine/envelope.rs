//! One carriage of a message, from the network's decision to its arrival.

use fedsim_protocols::{Payload, PeerId};

use super::ring::Timed;
use crate::time::SimTime;

/// A message under way. At most 96 bytes for messages of 64.
#[derive(Clone, Debug)]
pub(crate) struct Envelope<M> {
    /// When it arrives.
    pub(crate) at: SimTime,
    /// Breaks ties between messages of one sender: its count of sends so far.
    pub(crate) seq: u64,
    /// The sender.
    pub(crate) from: PeerId,
    /// The receiver.
    pub(crate) to: PeerId,
    /// What is carried.
    pub(crate) payload: Payload<M>,
}

impl<M> Timed for Envelope<M> {
    #[inline]
    fn at(&self) -> SimTime {
        self.at
    }
}

/// A peer that wants to run although nothing arrives: a timer is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wake {
    /// When.
    pub(crate) at: SimTime,
    /// The peer's position in its shard.
    pub(crate) local: u32,
}

impl Timed for Wake {
    #[inline]
    fn at(&self) -> SimTime {
        self.at
    }
}
