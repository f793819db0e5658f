//! The engine: windows of virtual time over peers that are actors.
//!
//! ```text
//!            conductor ── plan: [start, end), orders, network ──▶ shard 0 .. shard n
//!                ▲                                                   │ one message a peer
//!                │ notices, in order                                 ▼
//!            observers                                       actor: merge deliveries with own tasks,
//!                                                            step the machine, send
//! ```
//!
//! The network guarantees that nothing arrives sooner than one *lookahead* after it was sent, so
//! all that happens within one lookahead at different peers is independent. Windows only schedule:
//! no result depends on where they end, on how many threads run them, or on who watches. Whatever
//! reacts across peers acts exactly one lookahead after its cause. Must not know any protocol,
//! checker or file. Start reading at [`driver`]; [`Sequential`] drives the same actors by hand.

mod agenda;
mod barrier;
mod cast;
mod cell;
mod company;
mod conductor;
mod counters;
pub mod driver;
mod envelope;
mod ledger;
mod notice;
mod observe;
mod peer;
mod physique;
mod ring;
mod sequential;
mod shard;
mod shell;
#[cfg(test)]
mod tests;

pub use agenda::Class;
pub use cast::{Cast, Workload};
pub use counters::{Counters, KindCount, PeakLoad};
pub use driver::{Options, Outcome, RunControl, identity_seed, run};
pub use ledger::{MessageFate, MessageTrace};
pub use notice::{Happened, Notice, Passage, TraceEntry};
pub use observe::{Observer, World};
pub use sequential::{Held, Sequential};
pub use shard::PeerPanic;
pub(crate) use shard::panic_message;
