//! Where shared decisions are made: one list of decided proposals that every member reads alike.
//!
//! ```text
//!   chamber    Raft, among the peers of one organisation or, where a scenario dares it, of all
//!   assembly   PBFT, every peer a replica of its own
//!   delegate   PBFT, every organisation one replica: its leader speaks, once its Raft has agreed
//! ```
//!
//! PBFT's replicated store keeps the list with the author of every entry, since whoever asks may lie;
//! in Raft's one register is the list, to which proposals are appended. A member that restarts or is
//! brought up to date by a snapshot reads the list from its beginning; whoever applies it must take a
//! proposal that he knows for read. Must not know what is proposed.

mod assembly;
mod ballots;
mod chamber;
mod delegate;
mod minutes;

pub(super) use assembly::{Assembly, AssemblyStep};
pub use ballots::Ballots;
pub(super) use chamber::{Chamber, ChamberStep};
pub(super) use delegate::{Delegate, DelegateStep};
pub use minutes::Proposal;

use crate::outbox::RequestId;
use crate::pbft::PbftPeer;

use super::Scope;

/// A replica or client of the council across organisations.
pub type Elector<R> = PbftPeer<Ballots<R>>;

/// The register that holds Raft's list.
const LIST: u64 = 0;
/// In an organisation's store, the registers of what was decided outside, one a decision.
const OUTER: u64 = 1 << 41;

/// What a council has to tell after an input.
pub(super) enum Tidings {
    /// This was decided, in this order among all that bind the same peers.
    Decided(Scope, Proposal),
    /// A proposal of this peer's own will not be decided, or nobody knows whether.
    Failed(RequestId),
}
