//! Who watches a run: checkers, recorders, whoever wants to know. Watching changes nothing.

use fedsim_protocols::{PeerId, Protocol};

use super::ledger::MessageTrace;
use super::notice::{Notice, TraceEntry};
use crate::network::Fabric;
use crate::time::SimTime;

/// The world around the peers, as an observer may see it.
pub struct World<'a> {
    /// The network as it is now.
    pub fabric: &'a Fabric,
    /// Which peers run, by slot.
    pub up: &'a [bool],
}

impl World<'_> {
    /// Whether `peer` runs.
    pub fn is_up(&self, peer: PeerId) -> bool {
        self.up[peer.index()]
    }

    /// Whether a message from one to the other would get through, loss aside.
    pub fn connected(&self, from: PeerId, to: PeerId) -> bool {
        self.fabric.connects(from, to)
    }
}

/// Sees all that happens, in order: times never go back, ties go by peer.
pub trait Observer<P: Protocol> {
    /// Something happened at a peer.
    fn notice(&mut self, notice: &Notice<P>, world: &World<'_>);

    /// The nemesis changed the network at `now`, just so.
    fn weather_changed(&mut self, now: SimTime, world: &World<'_>) {
        let _ = (now, world);
    }

    /// A moment at which series are sampled.
    fn sample(&mut self, now: SimTime, world: &World<'_>) {
        let _ = (now, world);
    }

    /// Whether the run may end: asked after each window, acts one lookahead after the last event.
    fn is_satisfied(&self) -> bool {
        false
    }

    /// An event of the digest, in a traced run.
    fn trace(&mut self, entry: &TraceEntry) {
        let _ = entry;
    }

    /// A message and its final fate, where messages are traced: told when the run is over, ordered
    /// by the time of sending, the sender, and the sender's own order.
    fn message(&mut self, message: &MessageTrace) {
        let _ = message;
    }
}

/// Watches nothing.
impl<P: Protocol> Observer<P> for () {
    fn notice(&mut self, _: &Notice<P>, _: &World<'_>) {}
}
