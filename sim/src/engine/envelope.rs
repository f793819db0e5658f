//! One carriage of a message, from the network's decision to its arrival.

use fedsim_protocols::{Payload, PeerId};

use super::ring::Timed;
use crate::time::SimTime;

/// A message under way. At most 96 bytes for messages of 64.
///
/// In the order of its fields: who looks up when and from whom touches it at both ends, and so has
/// all of it brought from memory.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Envelope<M> {
    /// The sender.
    pub(crate) from: PeerId,
    /// The receiver.
    pub(crate) to: PeerId,
    /// Breaks ties between messages of one sender: its count of sends so far.
    pub(crate) seq: u64,
    /// What is carried.
    pub(crate) payload: Payload<M>,
    /// When it arrives.
    pub(crate) at: SimTime,
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
