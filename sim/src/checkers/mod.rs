//! Checkers: what must hold, judged online from what the peers report, and what a run must reach.
//!
//! A checker sees events in order and nothing else; it keeps a [`Ledger`] for each invariant, which
//! ends as a [`Finding`]. A checker that nothing ever exercised says so instead of "holds".
//! [`swim`], [`rumor`], [`raft`] and [`pbft`] hold the checkers of one protocol each, with the measurements that fall
//! out of the same events; [`expect`] holds a run to its scenario. Must not know how a run is made
//! or shown.

mod clients;
pub mod expect;
pub mod federation;
mod finding;
pub mod pbft;
pub mod raft;
pub mod rumor;
mod survival;
pub mod swim;
mod thinned;
mod timeline;

pub(crate) use clients::Clients;
pub(crate) use finding::blame;
pub use finding::{Breach, Finding, Ledger};
pub use survival::Survival;
pub(crate) use thinned::Thinned;
pub(crate) use timeline::Timeline;
