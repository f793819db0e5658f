//! What nemesis tells the engine to do to peers.

use fedsim_protocols::{PeerId, SimDuration};
use fedsim_scenarios::spec::DiskSpec;

/// Something that the engine does to a peer at a window edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// To whom.
    pub peer: PeerId,
    /// What.
    pub what: Control,
    /// The index of the fault that wants it, for
    /// [`Nemesis::note_effect`](super::Nemesis::note_effect).
    pub fault: u32,
}

/// What can be done to a peer.
///
/// ```text
///   up ──Crash, Wipe──▶ down ──Restart──▶ up        Pause ... Resume: keeps its state, handles nothing
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Stop it; what was not durable is lost.
    Crash,
    /// Stop it if it is up, and empty its disk: when it restarts it starts anew.
    Wipe,
    /// Start it again with what its disk holds.
    Restart,
    /// Let it handle nothing and keep its state.
    Pause,
    /// Let it go on.
    Resume,
    /// Set its clock forward (positive) or back by so many nanoseconds.
    ClockJump(i64),
    /// From now on every input takes so much longer; zero for none. Replaces an earlier order.
    Slow(SimDuration),
    /// From now on its disk behaves like this. Replaces an earlier order.
    Disk(DiskSpec),
    /// Put this request of the protocol to it.
    Request(String),
    /// Take up, or lay down, a role of an adversary.
    Turn {
        /// Which entry of the scenario's adversaries, from 0.
        role: u32,
        /// Whether it begins.
        on: bool,
    },
}
