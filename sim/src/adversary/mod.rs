//! Peers that do not keep to the protocol, and a network that takes sides.
//!
//! ```text
//!   input ──▶ hear ──▶ [ honest machine ] ──▶ outbox ──▶ pass, behaviour by behaviour ──▶ network
//!               │                                             ▲
//!               └──────────── the cabal: keys, memory, dice ──┘──▶ acts of its own, at its pace
//! ```
//!
//! A Byzantine peer's machine is an honest one; the `Cabal` stands between it and the world. What
//! any protocol can suffer is in `passing`; what takes knowledge of a protocol (to contradict, lie,
//! mutate, attack) is asked of that protocol's [`Forge`], one file each. Members of a cabal live in
//! one actor, so that what one learns all know at once; what is said between others reaches a cabal
//! one lookahead after it was sent. What a machine says and hears in sessions of its own the cabal
//! seals and opens for it. A cabal signs with the keys of its members and with keys that it makes
//! up, and with no other: see `KeyRing`.
//!
//! Must not know actors, threads, windows or checkers. Start reading at `Cabal`.

pub(crate) mod audit;
mod cabal;
pub(crate) mod federation;
mod forge;
mod means;
mod memory;
mod network;
mod passing;
pub(crate) mod pbft;
pub(crate) mod raft;
mod roles;
mod rounds;
pub(crate) mod rumor;
pub(crate) mod swim;
mod sybils;
mod tally;
#[cfg(test)]
mod tests;

pub(crate) use cabal::{Cabal, Founding, Part, Side};
pub use forge::{Forge, Plain, Round, Twist};
pub use means::{KeyRing, Means};
pub use memory::{Memory, Recall, Recalled, Seen};
pub(crate) use network::Schemer;
pub(crate) use roles::Homes;
pub use roles::{Conspiracy, Role, byzantine};
pub use tally::{BehaviourTally, Misdeeds};
